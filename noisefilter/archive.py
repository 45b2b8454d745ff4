"""Zip archives in memory whose members are stored plainly: read where they lie, not copied."""

import io
import struct
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member that we write: the same bytes for the same content."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 1


def opened(data: bytes | memoryview) -> zipfile.ZipFile:
    """Return the archive that `data` is; a `zipfile.BadZipFile` if it is none."""
    return zipfile.ZipFile(_Stretch(data))


def is_plain(info: zipfile.ZipInfo) -> bool:
    """Tell whether the archive's directory says that a member is stored as it is, not packed and not encrypted."""
    as_it_is = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
    return as_it_is and not info.flag_bits & _ENCRYPTED


def stored(data: bytes | memoryview, info: zipfile.ZipInfo) -> memoryview:
    """Return what a member of the archive `data` holds: a stretch of it, its checksum not looked at.

    Raises
    ------
    ValueError
        If the member is compressed or encrypted, or is not where the archive's directory says.
    """
    if not is_plain(info):
        raise ValueError(f"{info.filename} is not stored plainly")
    if not 0 <= info.header_offset <= len(data) - _LOCAL_HEADER.size - info.file_size:
        raise ValueError(f"{info.filename} is larger than the file, or beyond it")
    signature, name, extra = _LOCAL_HEADER.unpack_from(data, info.header_offset)
    start = info.header_offset + _LOCAL_HEADER.size + name + extra
    if signature != _SIGNATURE or start + info.file_size > len(data):
        raise ValueError(f"{info.filename} is not where it should be")
    return memoryview(data)[start : start + info.file_size]


class _Stretch(io.RawIOBase):
    """A stretch of memory that is read like a file."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data, self._at = memoryview(data), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes: however many are asked for, no more than there are is allocated."""
        read = bytes(self._data[self._at : None if size < 0 else self._at + size])
        self._at += len(read)
        return read
