"""Take bundles apart and put them together again, damaged."""

import hashlib
import io
import json
import zipfile

import pytest

from noisefilter.bundle import from_bytes
from noisefilter.errors import ExitCode, ModelError

MEMBERS = ["manifest.json", "arrays.npz", "words.txt", "characters.txt", "stems.txt", "common.txt", "card.md"]


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def sealed(members, change=lambda _: None):
    """Return a bundle of these members with sizes and digests that fit, its manifest changed."""
    manifest = json.loads(members["manifest.json"])
    for name, content in members.items():
        if name != "manifest.json":
            manifest["members"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    change(manifest)
    return zipped({**members, "manifest.json": json.dumps(manifest).encode()})


def refused(data, *words):
    """Hold that a bundle is refused in one line that has these words, by the kernel and by the reference alike."""
    for kernel in (None, False):
        with pytest.raises(ModelError) as caught:
            from_bytes(data, "a.noisefilter", kernel=kernel)
        message = str(caught.value)
        assert message.startswith("a.noisefilter: ")
        assert "\n" not in message
        assert ": " in message.removeprefix("a.noisefilter: ")
        assert caught.value.exit_code is ExitCode.MODEL
        for word in words:
            assert word in message
