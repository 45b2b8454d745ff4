"""Reading a text file for what it is, and replacing a file in place without a moment in which it is half written."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from noisefilter.errors import InputError

LONGEST_ARTICLE = 4_000_000
"""Bytes; what is longer, a text or a record, is no article, and is not looked at: memory stays bounded."""
LONGEST_LINE = 1_000_000
"""Characters; a text with a longer line is no article."""
_TOP = 2_000
"""Characters at the start by which a page of HTML is told."""


def decode(raw: bytes, name: str) -> str:
    """Return the text of a file's bytes, every character as it is (line ends, byte order mark).

    Raises
    ------
    InputError
        If the bytes are not the text of an article: empty, binary, not UTF-8, a page of HTML, a line too long.
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{name}: is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`")
    if b"\0" in raw:
        raise InputError(f"{name}: is a binary file: give plain text")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: is not UTF-8 (byte {error.start}): convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8`"
        ) from None
    if not text:
        raise InputError(f"{name}: is empty: there is nothing to clean, scrape it again or leave it out")
    if not text.strip("\ufeff \t\r\n\v\f\u00a0\u2028\u2029\u0085"):
        raise InputError(f"{name}: holds only white space: there is nothing to clean, scrape it again or leave it out")
    if _is_html(text[:_TOP].lstrip("\ufeff \t\r\n").lower()):
        raise InputError(
            f"{name}: is HTML: take its text out first, for example with `trafilatura --input-dir PAGES -o TEXTS`"
        )
    longest = max(map(len, text.replace("\r", "\n").split("\n")))
    if longest > LONGEST_LINE:
        raise InputError(
            f"{name}: has a line of {longest:,} characters (at most {LONGEST_LINE:,}): put each paragraph on a line"
        )
    return text


def _is_html(top: str) -> bool:
    return top.startswith("<") and ("<html" in top or "<!doctype html" in top)


def seen_from_here(path: str) -> str:
    """Return a path without detours, from the current folder if it lies in it, or else from the root."""
    if path == "-":
        return path
    whole, here = os.path.abspath(path), os.getcwd()  # noqa: PTH100, PTH109  # links stay as they are named
    return os.path.relpath(whole, here) if whole.startswith(os.path.join(here, "")) else whole  # noqa: PTH118


def opened(path: Path) -> BinaryIO:
    """Open a file to read its bytes.

    Raises
    ------
    InputError
        If it is missing, a directory, or may not be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: check the path") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory: name the files in it, for example {path}/*.txt") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): check its permissions") from None


@dataclass(slots=True)
class Replacement:
    """New content on its way into a file's place.

    Attributes
    ----------
    stream : BinaryIO
        Takes the content.
    wanted : bool
        Set it to False, and the file stays as it was.
    """

    stream: BinaryIO
    wanted: bool = True


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Replacement]:
    """Put new content in a file's place when the block ends, all of it; nothing if the block fails.

    The content goes to a new file in the same folder, which then takes the old one's name. The
    mode stays, the owner where the system lets us, and a symbolic link still points where it did.
    What is no regular file (a device, a pipe) is written to.

    Raises
    ------
    OSError
        If the folder cannot be written; then the file is as it was.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield Replacement(stream)
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            _keep_mode(stream.fileno(), target)
            replacement = Replacement(stream)
            yield replacement
            if replacement.wanted:
                stream.flush()
                os.fsync(stream.fileno())
        if replacement.wanted:
            os.replace(temporary, target)
        else:
            os.unlink(temporary)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Put new content in a file's place, all of it or nothing, as `replacing` does.

    Raises
    ------
    OSError
        If the folder cannot be written; then the file is as it was.
    """
    with replacing(path) as new:
        new.stream.write(content)


def _keep_mode(descriptor: int, target: Path) -> None:
    if not hasattr(os, "fchmod"):  # Windows
        return
    try:
        old = target.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    with contextlib.suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
