"""Arrays of plain numbers in and out of bytes: an ``.npz`` that is the same each time, and safe to read.

Reading needs no numpy: the compiled scorer takes the bytes as they are, and importing numpy takes longer than
cleaning an article.
"""

import io
import math
import re
import sys
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from noisefilter.archive import EPOCH, opened, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(rb"\{'descr': '([^']*)', 'fortran_order': False, 'shape': \(((?:\d+(?:, \d+)*,?)?)\), \} *\n")
_SIZES = {"<f2": 2, "<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8}


class Array(NamedTuple):
    """Plain numbers, one row after the other.

    Attributes
    ----------
    kind : str
        As numpy writes it: ``<f2``, ``<f4``, ``<f8``, ``<i4`` or ``<i8``.
    shape : tuple of int
    data : bytes or memoryview
        Where they begin need not be where a machine would have them begin: see `typed`.
    """

    kind: str
    shape: tuple[int, ...]
    data: bytes | memoryview

    def raw(self, kind: str) -> memoryview:
        """Return the bytes of the numbers; a ValueError if they are of another kind."""
        if self.kind != kind or sys.byteorder != "little":
            raise ValueError(f"numbers are {self.kind} where {kind} was expected")
        return memoryview(self.data).cast("B")

    def typed(self, kind: str, code: str) -> memoryview:
        """Return a copy of the numbers as a flat memoryview; a ValueError if they are of another kind."""
        return memoryview(bytes(self.raw(kind))).cast(code)  # type: ignore[call-overload,no-any-return]  # the kernel asks for more formats

    def __reduce__(self) -> tuple[type["Array"], tuple[str, tuple[int, ...], bytes]]:
        return Array, (self.kind, self.shape, bytes(self.data))


def pack(arrays: Mapping[str, Array]) -> bytes:
    """Return arrays as an uncompressed ``.npz``, names sorted, no time stamps."""
    import numpy as np  # noqa: PLC0415

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, as_numpy(arrays[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), content.getvalue())
    return buffer.getvalue()


def unpack(data: bytes | memoryview) -> dict[str, Array]:
    """Return the arrays of an ``.npz``; each header is held against the member's size before it is believed.

    Raises
    ------
    ValueError
        If it holds anything but plain numbers, uncompressed, of the size that it states.
    """
    arrays = {}
    try:
        with opened(data) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from None
    for info in infos:
        arrays[info.filename.removesuffix(".npy")] = _array(stored(data, info), info.filename)
    return arrays


def _array(content: memoryview, name: str) -> Array:
    start = len(_MAGIC) + 2
    length = int.from_bytes(content[start - 2 : start], "little")
    header = _HEADER.fullmatch(content, start, start + length)
    if content[: len(_MAGIC)] != _MAGIC or header is None or start + length > len(content):
        raise ValueError(f"{name} has a strange header")
    kind = header[1].decode("ascii", "replace")
    shape = tuple(int(size) for size in header[2].split(b",") if size)
    if math.prod(shape) * _SIZES.get(kind, -1) != len(content) - start - length:
        raise ValueError(f"{name} is not what its header says")
    return Array(kind, shape, content[start + length :])


def from_numpy(array: "NDArray[Any]") -> Array:
    """Return a numpy array of one of the kinds as plain numbers."""
    return Array(array.dtype.str, array.shape, array.tobytes())


def as_numpy(array: Array) -> "NDArray[Any]":
    """Return the numbers as a numpy array that cannot be written to."""
    import numpy as np  # noqa: PLC0415

    return np.frombuffer(array.data, array.kind).reshape(array.shape)
