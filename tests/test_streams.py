import builtins
import io
import os
import random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from noisefilter.errors import InputError
from noisefilter.records.streams import Source, packing

CONTENT = random.Random(0).randbytes(300_000) + b"line\n" * 200_000


def packed(content, ending):
    out = io.BytesIO()
    with packing(out, f"a{ending}") as stream:
        for at in range(0, len(content), 100_000):
            stream.write(content[at : at + 100_000])
    return out.getvalue()


def unpacked(raw):
    return b"".join(Source("a", None, io.BytesIO(raw)).chunks())


@pytest.mark.parametrize("ending", ["", ".gz", ".zst", ".GZ", ".Zst"])
def test_what_is_packed_comes_out_again_and_is_the_same_every_time(ending):
    raw = packed(CONTENT, ending)
    assert unpacked(raw) == CONTENT
    assert packed(CONTENT, ending) == raw
    assert (len(raw) < 400_000) == bool(ending)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3), st.sampled_from([".gz", ".zst"]))
def test_parts_packed_one_after_the_other_are_one(parts, ending):
    assert unpacked(b"".join(packed(part, ending) for part in parts)) == b"".join(parts)


@given(st.binary(max_size=20).filter(lambda raw: raw[:2] != b"\x1f\x8b" and raw[:4] != b"\x28\xb5\x2f\xfd"))
def test_other_bytes_are_as_they_are(raw):
    assert unpacked(raw) == raw


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_what_ends_early_is_told(ending, share):
    raw = packed(CONTENT, ending)
    with pytest.raises(InputError, match=r"^a: ends early, the (gzip|Zstandard) data are cut off: fetch it again$"):
        unpacked(raw[: int(len(raw) * share)])


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_what_is_damaged_is_told(ending):
    raw = bytearray(packed(b"line\n" * 200_000, ending))
    raw[len(raw) // 2 :] = b"\xff" * (len(raw) - len(raw) // 2)
    with pytest.raises(InputError, match=r"^a: (damaged|ends early)"):
        unpacked(bytes(raw))


def test_a_hostile_file_is_unpacked_in_small_pieces():
    bomb = zstandard.ZstdCompressor().compress(bytes(300_000_000))
    sizes = [len(chunk) for chunk in Source("a", None, io.BytesIO(bomb)).chunks()]
    assert sum(sizes) == 300_000_000
    assert max(sizes) <= 1 << 25


def test_the_position_is_that_in_the_file(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(packed(CONTENT, ".gz"))
    with Source("a", path) as source:
        positions = [source.position for _ in source.chunks()]
        assert positions == sorted(positions)
        assert source.position == source.size == path.stat().st_size


@pytest.mark.parametrize("how", ["append", "replace", "remove", "touch"])
def test_a_file_that_changes_while_it_is_read_is_told(tmp_path, how):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    with Source("a", path) as source:
        chunks = source.chunks()
        next(chunks)
        if how == "append":
            with path.open("ab") as stream:
                stream.write(b"more")
        elif how == "replace":
            (tmp_path / "b").write_bytes(CONTENT)
            (tmp_path / "b").replace(path)
        elif how == "touch":
            os.utime(path, (1, 1))
        else:
            path.unlink()
        with pytest.raises(InputError, match=r"^a: changed while it was read: run again"):
            list(chunks)


def test_a_stream_can_be_read_anywhere_from_a_copy(tmp_path):
    with Source("a", None, io.BytesIO(packed(CONTENT, ".gz"))) as source:
        copy = source.seekable()
        copy.seek(300_000)
        assert copy.read(5) == b"line\n"
    path = tmp_path / "A.PARQUET.GZ"
    path.write_bytes(packed(CONTENT, ".gz"))
    with Source(str(path), path) as source:
        assert source.seekable().read(10) == CONTENT[:10]
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    with Source("a.bin", path) as source:
        assert source.seekable().read(10) == CONTENT[:10]


def test_without_zstandard_a_line_says_what_to_install(monkeypatch):
    raw = packed(b"x", ".zst")
    real = builtins.__import__

    def without(name, *more):
        if name == "zstandard":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    for work in (lambda: unpacked(raw), lambda: packing(io.BytesIO(), "a.zst")):
        with pytest.raises(InputError, match=r"^a(\.zst)?: needs zstandard: pip install zstandard$"):
            work()
