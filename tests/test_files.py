import os
import stat

import pytest

from noisefilter.errors import InputError
from noisefilter.files import LONGEST_LINE, decode, opened, replace_file


@pytest.mark.parametrize(
    "text", ["Flood.\n", "\ufeffFlood.\r\n\rrose\u2028.", "x" * LONGEST_LINE, "😀", "one\x0ctwo\x85", "\ufeff."]
)
def test_text_is_decoded_as_it_is(text):
    assert decode(text.encode(), "a.txt") == text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "holds only white space"),
        ("\ufeff\n\u00a0\u2028\x85".encode(), "holds only white space"),
        (b"\x7fELF\0\0", "is a binary file: give plain text"),
        ("Flood.".encode("utf-16"), "is UTF-16: convert it with `iconv"),
        ("Flood.".encode("utf-16-be"), "is a binary file"),
        ("caf\xe9 au lait".encode("latin-1"), "is not UTF-8 (byte 3): convert it"),
        (b"ends early \xe2\x82", "is not UTF-8 (byte 11)"),
        (b"\xed\xa0\x80", "is not UTF-8 (byte 0)"),
        (b"\n<!doctype html><title>Flood</title>", "is HTML: take its text out first"),
        (b"<!-- a page --><html lang=en><p>Flood.</p>", "is HTML: take its text out first"),
        (b"short\n" + b"x" * (LONGEST_LINE + 1) + b"\n", "has a line of 1,000,001 characters (at most 1,000,000)"),
        (b"short\r" + b"x" * (LONGEST_LINE + 1), "has a line of 1,000,001 characters"),
    ],
)
def test_what_is_no_article_is_refused(raw, message):
    with pytest.raises(InputError) as caught:
        decode(raw, "a.txt")
    assert str(caught.value).startswith("a.txt: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["<b>Flood</b>\n", "The tag <html> opens a page.\n", "<3 the harbour\n"])
def test_a_tag_makes_no_page(text):
    assert decode(text.encode(), "a.txt") == text


def test_line_ends_of_any_kind_end_a_long_line():
    half = b"x" * (LONGEST_LINE - 1)
    assert len(decode(half + b"\r" + half + b"\r\n" + half, "a.txt")) == 3 * LONGEST_LINE


@pytest.mark.parametrize(("name", "message"), [("missing.txt", "no such file"), (".", "is a directory")])
def test_what_cannot_be_read_is_named(tmp_path, name, message):
    with pytest.raises(InputError, match=message) as caught:
        opened(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"Flood.")
    path.chmod(0)
    with pytest.raises(InputError, match=r"cannot be read .* check its permissions"):
        opened(path)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o640])
def test_replacing_keeps_the_mode(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(mode)
    replace_file(path, b"new\r\n\xff")
    assert path.read_bytes() == b"new\r\n\xff"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_usual_mode(tmp_path):
    usual, path = tmp_path / "usual", tmp_path / "a.txt"
    usual.write_bytes(b"")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("relative", [True, False])
def test_a_symbolic_link_still_points_where_it_did(tmp_path, relative):
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data" / "a.txt", tmp_path / "link.txt"
    target.write_bytes(b"old")
    link.symlink_to("data/a.txt" if relative else target)
    pointed = link.readlink()
    replace_file(link, b"new")
    assert link.is_symlink()
    assert link.readlink() == pointed
    assert target.read_bytes() == b"new"
    assert not target.is_symlink()


def test_a_long_name_can_be_replaced(tmp_path):
    path = tmp_path / ("é" * 120 + ".txt")
    path.write_bytes(b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("broken", ["replace", "fsync"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch, broken, error):
    def fail(*_):
        raise error

    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(type(error)):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            replace_file(path, b"new")
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == b"old"


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "missing" / "a.txt", b"new")
