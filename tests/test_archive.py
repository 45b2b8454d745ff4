"""Archives are read where they lie, and only where they are what they say."""

import io
import random
import zipfile

import pytest

from noisefilter.archive import opened, stored

MEMBERS = {"one.txt": b"The river rose.", "empty": b"", "two.bin": bytes(range(256)) * 40}


def zipped(method=zipfile.ZIP_STORED, front=b""):
    buffer = io.BytesIO(front)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def members_of(data):
    with opened(data) as archive:
        return {info.filename: stored(data, info) for info in archive.infolist()}


@pytest.mark.parametrize("front", [b"", b"something before it"])
@pytest.mark.parametrize("kind", [bytes, memoryview, bytearray])
def test_members_are_stretches_of_the_archive(front, kind):
    data = kind(zipped(front=front))
    members = members_of(data)
    assert {name: bytes(content) for name, content in members.items()} == MEMBERS
    assert all(content.obj is (data.obj if kind is memoryview else data) for content in members.values())


def test_it_reads_what_zipfile_reads():
    data = zipped()
    with opened(data) as ours, zipfile.ZipFile(io.BytesIO(data)) as theirs:
        assert ours.testzip() is None
        assert [info.header_offset for info in ours.infolist()] == [info.header_offset for info in theirs.infolist()]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(method):
    with pytest.raises(ValueError, match="not stored plainly"):
        members_of(zipped(method))


@pytest.mark.parametrize("data", [b"", b"P", b"The river rose." * 100, zipped()[:-30], zipped()[60:]])
def test_what_is_no_archive_is_refused(data):
    with pytest.raises((zipfile.BadZipFile, ValueError)):
        members_of(data)


def test_whatever_is_flipped_members_lie_within():
    data, chance = zipped(), random.Random(3)
    directory = data.index(b"PK\x01\x02")
    read = 0
    for _ in range(2000):
        at = chance.choice([chance.randrange(30), chance.randrange(directory, len(data))])
        damaged = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        try:
            members = members_of(damaged)
        except (ValueError, NotImplementedError, zipfile.BadZipFile):
            continue
        with zipfile.ZipFile(io.BytesIO(damaged)) as archive:
            assert [len(content) for content in members.values()] == [info.file_size for info in archive.infolist()]
        read += 1
    assert read > 100
