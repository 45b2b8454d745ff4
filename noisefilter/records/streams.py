"""Bytes of a file as they are meant: unpacked when read, packed when written; and whether they are all there."""

import io
import os
import re
import tempfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from contextlib import suppress
from gzip import BadGzipFile, GzipFile
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import IO, Any, BinaryIO, cast

from noisefilter.errors import InputError
from noisefilter.files import opened

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PACKED = (".gz", ".zst")
"""How the names of packed files end."""

_CHUNK = 1 << 18
_HEADS = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "Zstandard": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),  # the second may be skipped
}
_HEAD_SIZE = {"gzip": 2, "Zstandard": 4}
_TOLD = {".gz": "gzip", ".zst": "Zstandard"}
_NOT_WRITTEN = (".7z", ".br", ".bz2", ".gzip", ".lz", ".lz4", ".lzma", ".rar", ".xz", ".z", ".zip", ".zstd")
_ZSTANDARD_STEP = 1 << 10
"""Bytes unpacked at once: a hostile file can make each four of them 128 KiB."""
_State = tuple[int, int, int, int]
"""Device, inode, size and time of a file."""


class Source:
    """The bytes of one input, unpacked if they are gzip or Zstandard; its name need not say so.

    Parameters
    ----------
    name : str
        For messages.
    path : Path, optional
        The file; None is the stream.
    stream : BinaryIO, optional

    Attributes
    ----------
    size : int or None
        Bytes of the file as it lies there, None where that cannot be known.
    position : int
        How many of these were read.
    """

    def __init__(self, name: str, path: Path | None, stream: BinaryIO | None = None) -> None:
        self.name = name
        self._path = path
        self._stream: BinaryIO = opened(path) if path is not None else stream or io.BytesIO()
        self._some: Callable[[int], bytes] = getattr(self._stream, "read1", self._stream.read)  # no more than is there
        self._state = self._look()
        self.size = self._state[2] if self._state else None
        self.position = 0
        self._head = b""
        self._copy: IO[bytes] | None = None

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._stream.close()
        if self._copy is not None:
            self._copy.close()

    def _look(self) -> _State | None:
        """Return which file is open and in what state; None of what is no regular file."""
        try:
            return _state_of(os.fstat(self._stream.fileno()))
        except OSError:  # bytes in memory
            return None

    def _look_at_name(self) -> _State | None:
        """Return which file has the name now; a stream has none, and is what is open."""
        if self._path is None:
            return self._look()
        try:
            return _state_of(self._path.stat())
        except OSError:
            return None

    def refuse_changed(self) -> None:
        """Raise an InputError if the file is not what it was when it was opened."""
        if self._state is not None and not self._state == self._look() == self._look_at_name():
            raise InputError(f"{self.name}: changed while it was read: run again when nothing else writes it")

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes as they lie there; what `gzip` asks for."""
        taken, self._head = (self._head, b"") if size < 0 else (self._head[:size], self._head[size:])
        if not taken or size < 0:
            taken += self._next(size)
        return taken

    def _next(self, size: int) -> bytes:
        try:
            more = self._some(size)
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read on ({error.strerror}): check the disk") from None
        self.position += len(more)
        return more

    def chunks(self) -> Iterator[bytes]:
        """Yield the unpacked bytes, in pieces of bounded size.

        Raises
        ------
        InputError
            If the file ends early, is damaged, is not packed as its name says, changed while it was read, or
            needs what is not installed.
        """
        packed = self._packed()
        try:
            if packed == "gzip":
                yield from _ungzipped(self)
            elif packed:
                yield from _unzstandard(self)
            else:
                while chunk := self.read(_CHUNK):
                    yield chunk
        except EOFError:
            raise self._cut_off(packed) from None
        except (BadGzipFile, zlib.error, _DamagedError) as error:
            raise InputError(f"{self.name}: damaged {packed} data ({error}): fetch it again") from None
        self.refuse_changed()

    def chunks_of_text(self) -> Iterator[bytes]:
        """Yield what `chunks` does.

        Raises
        ------
        InputError
            As `chunks` does, and if a byte order mark says that the text is UTF-16.
        """
        chunks = self.chunks()
        head = b""
        while len(head) < len(BOM_UTF16_LE) and (chunk := next(chunks, b"")):
            head += chunk
        if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            raise InputError(f"{self.name}: is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`")
        yield head
        yield from chunks

    def _packed(self) -> str:
        """Return what the bytes are packed with, as they begin; the name must not say otherwise."""
        size = max(_HEAD_SIZE.values())
        while len(self._head) < size and (more := self._next(size - len(self._head))):
            self._head += more
        packed = next((packed for packed, head in _HEADS.items() if head.match(self._head)), "")
        told = _TOLD.get(self._path.suffix.lower(), "") if self._path is not None else ""
        if told and not packed:
            if len(self._head) < _HEAD_SIZE[told]:
                raise self._cut_off(told)
            raise InputError(f"{self.name}: its name says {told}, its bytes do not: rename it, or fetch it again")
        return packed

    def _cut_off(self, packed: str) -> InputError:
        return InputError(f"{self.name}: ends early, the {packed} data are cut off: fetch it again")

    def seekable(self) -> BinaryIO:
        """Return the unpacked bytes as a file that can be read anywhere; a copy, where the input cannot."""
        if self._path is not None and self.size is not None and not self.name.lower().endswith(PACKED):
            return self._stream
        try:
            self._copy = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the source
            for chunk in self.chunks():
                self._copy.write(chunk)
            self._copy.seek(0)
        except OSError as error:
            if self._copy is not None:
                with suppress(OSError):  # it would write once more what has no room
                    self._copy.close()
            raise InputError(f"{self.name}: its copy cannot be written ({error.strerror}): set TMPDIR") from None
        return cast("BinaryIO", self._copy)


def _state_of(file: os.stat_result) -> _State | None:
    return (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns) if S_ISREG(file.st_mode) else None


class _DamagedError(Exception):
    """Zstandard data that cannot be unpacked."""


def _ungzipped(source: Source) -> Iterator[bytes]:
    with GzipFile(fileobj=source) as stream:  # type: ignore[call-overload]  # it asks for read alone
        while chunk := stream.read1(_CHUNK):
            yield chunk


def _unzstandard(source: Source) -> Iterator[bytes]:
    zstandard = zstandard_library(source.name)
    frame = None
    while piece := source.read(_CHUNK):
        for start in range(0, len(piece), _ZSTANDARD_STEP):
            left = piece[start : start + _ZSTANDARD_STEP]
            while left:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                try:
                    unpacked = frame.decompress(left)
                except zstandard.ZstdError as error:
                    raise _DamagedError(error) from None
                if unpacked:
                    yield unpacked
                left, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError


def zstandard_library(name: str) -> Any:
    """Return the module that packs Zstandard.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import zstandard  # noqa: PLC0415
    except ImportError:
        raise InputError(f"{name}: needs zstandard: pip install zstandard") from None
    return zstandard


def packing_problem(name: str) -> str | None:
    """Return what is wrong with the name of a result that says it is packed in a way that cannot be written."""
    ending = PurePath(name).suffix
    if ending.lower() not in _NOT_WRITTEN:
        return None
    return f"{name}: {ending} is not written: give a name that ends in .gz or .zst, or in neither"


def packing(stream: BinaryIO, name: str) -> BinaryIO:
    """Return a stream that packs, as the name ends, what is written to it; the same bytes every time.

    Closing it writes the end of the data and leaves `stream` open.

    Raises
    ------
    InputError
        If the name says that it is packed in a way that cannot be written, or needs what is not installed.
    """
    if (problem := packing_problem(name)) is not None:
        raise InputError(problem)
    if name.lower().endswith(".gz"):
        return GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0)  # type: ignore[return-value]
    if name.lower().endswith(".zst"):
        packed: BinaryIO = zstandard_library(name).ZstdCompressor().stream_writer(stream, closefd=False)
        return packed
    return _Open(stream)  # type: ignore[return-value]


class _Open(io.RawIOBase):
    """Writes to a stream, and leaves it open when it is closed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._stream.write(content)
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written


class BytesWriter:
    """Writes records that are bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, chunk: bytes) -> None:
        """Write the bytes of a batch."""
        self._stream.write(chunk)

    def __enter__(self) -> "BytesWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None: ...
