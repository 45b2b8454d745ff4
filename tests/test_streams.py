import builtins
import io
import os
import random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from noisefilter.errors import InputError
from noisefilter.records.streams import Source, packing, packing_problem

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


def is_plain(raw):
    skippable = raw[1:4] == b"\x2a\x4d\x18" and raw[0] >> 4 == 5
    return raw[:2] != b"\x1f\x8b" and raw[:4] != b"\x28\xb5\x2f\xfd" and not skippable


@given(st.binary(max_size=20).filter(is_plain))
def test_other_bytes_are_as_they_are(raw):
    assert unpacked(raw) == raw


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_what_ends_early_is_told(ending, share):
    raw = packed(CONTENT, ending)
    with pytest.raises(InputError, match=r"^a: ends early, the (gzip|Zstandard) data are cut off: fetch it again$"):
        unpacked(raw[: int(len(raw) * share)])


def skippable(number, content=b"x" * 300):
    return bytes([0x50 + number]) + b"\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


@pytest.mark.parametrize("number", [0, 7, 15])
def test_frames_of_zstandard_that_may_be_skipped_are(tmp_path, number):
    frame = skippable(number)
    whole = frame + packed(CONTENT, ".zst") + frame + frame + packed(b"more", ".zst") + skippable(number, b"")
    assert unpacked(whole) == CONTENT + b"more"
    assert unpacked(frame) == b""
    (tmp_path / "a.zst").write_bytes(whole)
    with Source("a", tmp_path / "a.zst") as source:
        assert b"".join(source.chunks()) == CONTENT + b"more"
    for size in (4, 6, 8, 100):
        with pytest.raises(InputError, match=r"^a: ends early, the Zstandard data"):
            unpacked(frame[:size])


@pytest.mark.parametrize(
    ("ending", "size", "what"),
    [(".gz", 0, "gzip"), (".gz", 1, "gzip"), (".GZ", 2, "gzip")] + [(".zst", size, "Zstandard") for size in range(4)],
)
def test_of_a_packed_file_its_first_bytes_alone_end_early(tmp_path, ending, size, what):
    path = tmp_path / f"a{ending}"
    path.write_bytes(packed(CONTENT, ending)[:size])
    with Source("a", path) as source, pytest.raises(InputError) as caught:
        list(source.chunks())
    assert str(caught.value) == f"a: ends early, the {what} data are cut off: fetch it again"


@pytest.mark.parametrize(("ending", "what"), [(".gz", "gzip"), (".Zst", "Zstandard")])
@pytest.mark.parametrize("content", [b"line\n", b"\x28\xb5\x2f\x00\xff"])
def test_a_file_that_is_not_packed_as_its_name_says_is_refused(tmp_path, ending, what, content):
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(content)
    for work in (lambda source: list(source.chunks()), Source.seekable):
        with Source(path.name, path) as source, pytest.raises(InputError) as caught:
            work(source)
        told = f"{path.name}: its name says {what}, its bytes do not: rename it, or fetch it again"
        assert str(caught.value) == told


def test_what_is_packed_in_another_way_than_its_name_says_is_unpacked(tmp_path):
    for name, ending in (("a.gz", ".zst"), ("a.zst", ".gz"), ("a.jsonl", ".gz")):
        (tmp_path / name).write_bytes(packed(CONTENT, ending))
        with Source(name, tmp_path / name) as source:
            assert b"".join(source.chunks()) == CONTENT


@pytest.mark.parametrize("ending", [".xz", ".bz2", ".br", ".lz4", ".zip", ".7z", ".XZ", ".zstd"])
def test_a_name_that_says_what_cannot_be_written_is_refused(ending):
    problem = f"a.jsonl{ending}: {ending} is not written: give a name that ends in .gz or .zst, or in neither"
    assert packing_problem(f"a.jsonl{ending}") == problem
    with pytest.raises(InputError) as caught:
        packing(io.BytesIO(), f"a.jsonl{ending}")
    assert str(caught.value) == problem


@pytest.mark.parametrize("name", ["a.jsonl", "a.xz.jsonl", "a.gz", "A.ZST", "xz", ".xz", "a", "-"])
def test_other_names_may_be_written(name):
    assert packing_problem(name) is None


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


@pytest.mark.parametrize("how", ["append", "touch"])
def test_a_file_that_changes_while_it_is_read_as_a_stream_is_told(tmp_path, how):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    with path.open("rb") as stream:
        source = Source("<stdin>", None, stream)
        chunks = source.chunks()
        next(chunks)
        if how == "append":
            with path.open("ab") as more:
                more.write(b"more")
        else:
            os.utime(path, (1, 1))
        with pytest.raises(InputError, match=r"^<stdin>: changed while it was read: run again"):
            list(chunks)


def test_a_file_that_is_read_as_a_stream_may_go_or_be_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    with path.open("rb") as stream:
        stream.read(10)
        source = Source("<stdin>", None, stream)
        path.unlink()
        assert b"".join(source.chunks()) == CONTENT[10:]
    path.write_bytes(b"before" + packed(CONTENT, ".gz"))
    with path.open("rb") as stream:
        stream.read(len(b"before"))
        with Source("<stdin>", None, stream) as source:
            assert source.seekable().read() == CONTENT


def test_a_pipe_has_no_state_that_could_change():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb") as other:
        other.write(b"line\n")
        other.flush()
        source = Source("<stdin>", None, stream)
        chunks = source.chunks()
        assert source.size is None
        assert next(chunks) == b"line"
        other.write(b"more")
        other.close()
        assert b"".join(chunks) == b"\nmore"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_text_in_utf_16_is_refused(encoding, ending):
    content = "\ufeffline\n".encode(encoding)
    raw = packed(content[:1], ending) + packed(content[1:], ending)
    with pytest.raises(InputError) as caught:
        next(Source("a", None, io.BytesIO(raw)).chunks_of_text())
    assert str(caught.value) == "a: is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"
    assert unpacked(raw) == content


@given(st.binary(max_size=20).filter(lambda raw: is_plain(raw) and raw[:2] not in (b"\xff\xfe", b"\xfe\xff")))
def test_other_text_is_as_it_is(raw):
    assert b"".join(Source("a", None, io.BytesIO(raw)).chunks_of_text()) == raw


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
