"""Arrays of plain numbers in and out of bytes: an ``.npz`` that is the same each time, and safe to read."""

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as an uncompressed ``.npz``, names sorted, no time stamps."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content.getvalue())
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz``; each header is held against the member's size before it is believed.

    Raises
    ------
    ValueError
        If it holds anything but plain numbers, uncompressed, of the size that it states.
    """
    arrays = {}
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data):
                raise ValueError("arrays are not stored plainly")
            content = archive.read(info)
            stream = io.BytesIO(content)
            if np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError(f"{info.filename} has a strange header")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
            size = math.prod(shape) * dtype.itemsize
            if dtype.kind not in "fi" or fortran or size != len(content) - stream.tell():
                raise ValueError(f"{info.filename} is not what its header says")
            arrays[info.filename.removesuffix(".npy")] = np.frombuffer(content, dtype, offset=stream.tell()).reshape(
                shape
            )
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from None
    return arrays
