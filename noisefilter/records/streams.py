"""Bytes of a file as they are meant: unpacked when read, packed when written; and whether they are all there."""

import io
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from noisefilter.errors import InputError
from noisefilter.files import opened

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PACKED = (".gz", ".zst")
"""How the names of packed files end."""

_CHUNK = 1 << 18
_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTANDARD_STEP = 1 << 10
"""Bytes unpacked at once: a hostile file can make each four of them 128 KiB."""


class Source:
    """The bytes of one input, unpacked if they are gzip or Zstandard, whatever its name says.

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

    def _look(self) -> tuple[int, int, int, int] | None:
        """Return which file it is and in what state; None of a stream."""
        if self._path is None or not self._path.is_file():
            return None
        state = os.fstat(self._stream.fileno())
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns

    def refuse_changed(self) -> None:
        """Raise an InputError if the file is not what it was when it was opened."""
        try:
            there = self._path.stat() if self._path is not None else None
        except OSError:
            there = None
        if self._state is None:
            return
        now = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns) if there else None
        if not self._state == self._look() == now:
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
            If the file ends early, is damaged, changed while it was read, or needs what is not installed.
        """
        while len(self._head) < len(_ZSTANDARD):
            more = self._next(len(_ZSTANDARD) - len(self._head))
            if not more:
                break
            self._head += more
        packed = "gzip" if self._head[:2] == _GZIP else "Zstandard" if self._head == _ZSTANDARD else ""
        try:
            if packed == "gzip":
                yield from _ungzipped(self)
            elif packed:
                yield from _unzstandard(self)
            else:
                while chunk := self.read(_CHUNK):
                    yield chunk
        except EOFError:
            raise InputError(f"{self.name}: ends early, the {packed} data are cut off: fetch it again") from None
        except (BadGzipFile, zlib.error, _DamagedError) as error:
            raise InputError(f"{self.name}: damaged {packed} data ({error}): fetch it again") from None
        self.refuse_changed()

    def seekable(self) -> BinaryIO:
        """Return the unpacked bytes as a file that can be read anywhere; a copy, where the input cannot."""
        if self.size is not None and not self.name.lower().endswith(PACKED):
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


def packing(stream: BinaryIO, name: str) -> BinaryIO:
    """Return a stream that packs, as the name ends, what is written to it; the same bytes every time.

    Closing it writes the end of the data and leaves `stream` open.
    """
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
