"""clean, check and explain through the real executable: bytes in, bytes out, exit codes, and what is left alone."""

import json
import os
import re
import shutil
import stat
import subprocess

import pytest
from cli_support import BODY, CLEAN, EXECUTABLE, NOISE, NOISY, ROOT, TITLE, files_in, noisefilter, plain_environment

from noisefilter.article import Label, Paragraph
from noisefilter.cli.explain import why
from noisefilter.policy import Decision, Reason

DECISION_FIELDS = [
    "article",
    "index",
    "start",
    "end",
    "text",
    "label",
    "probabilities",
    "noise_probability",
    "drop",
    "reason",
]
RULES = f"""\
[[rule]]
action = "keep"
literal = "{NOISE[0]}"

[[rule]]
action = "drop"
pattern = "^Lorries will"
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a noisy and a clean article."""
    (tmp_path / "noisy.txt").write_bytes(NOISY.encode())
    (tmp_path / "clean.txt").write_bytes(CLEAN.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["clean.txt", "noisy.txt"], "", CLEAN + CLEAN),
        (["-"], NOISY, CLEAN),
        ([], NOISY, CLEAN),
        (["--loss-budget", "0", "noisy.txt"], "", NOISY),
        (["--cap", "0", "-"], NOISY, NOISY),
        (["-o", "-", "clean.txt", "noisy.txt"], "", CLEAN + CLEAN),
    ],
    ids=["files", "dash", "no file", "budget 0", "cap 0", "output dash"],
)
def test_clean_to_stdout(folder, arguments, stdin, expected):
    before = files_in(folder)
    run = noisefilter("clean", *arguments, stdin=stdin.encode(), cwd=folder)
    assert run.stdout.encode() == expected.encode()
    over_cap = "--cap" in arguments
    assert [("--cap" in message) for message in run.messages] == [True] * over_cap
    assert files_in(folder) == before


SHAPES = {
    "plain.txt": (NOISY, CLEAN),
    "clean.txt": (CLEAN, CLEAN),
    "windows.txt": (NOISY.replace("\n", "\r\n"), CLEAN.replace("\n", "\r\n")),
    "old-mac.txt": (NOISY.replace("\n", "\r"), CLEAN.replace("\n", "\r")),
    "byte-order-mark.txt": ("\ufeff" + NOISY, "\ufeff" + CLEAN),
    "no-end.txt": (NOISY.rstrip("\n"), CLEAN.rstrip("\n")),
    "one-line-end.txt": (NOISY.replace("\n\n", "\n"), CLEAN.replace("\n\n", "\n")),
    "line-separator.txt": (NOISY.replace("weeks,", "weeks,\u2028"), CLEAN.replace("weeks,", "weeks,\u2028")),
    "form-feed.txt": (NOISY.replace("weeks,", "weeks,\f\x85"), CLEAN.replace("weeks,", "weeks,\f\x85")),
    "all-noise.txt": (f"{NOISE[0]}\n", f"{NOISE[0]}\n"),
}
"""Texts by the shape of their lines, and what is left of them."""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """A folder with a file of each shape."""
    folder = tmp_path_factory.mktemp("shapes")
    for name, (text, _) in SHAPES.items():
        (folder / name).write_bytes(text.encode())
    return folder


@pytest.fixture(scope="module")
def cleaned_shapes(shapes, tmp_path_factory):
    """What `clean -o FOLDER` wrote of them."""
    out = tmp_path_factory.mktemp("cleaned")
    assert noisefilter("clean", "-o", out, *SHAPES, cwd=shapes).stdout == ""
    return files_in(out)


@pytest.mark.parametrize("name", SHAPES)
def test_clean_to_a_folder_keeps_every_byte_of_the_rest(cleaned_shapes, name):
    assert cleaned_shapes[name] == SHAPES[name][1].encode()
    assert set(cleaned_shapes) == set(SHAPES)


def test_diff_is_a_patch(shapes, cleaned_shapes, tmp_path):
    before = files_in(shapes)
    run = noisefilter("clean", "--diff", *SHAPES, cwd=shapes)
    assert files_in(shapes) == before
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=run.stdout.encode(), cwd=tmp_path, check=True)
    assert files_in(tmp_path) == cleaned_shapes
    changed = [name for name, (text, cleaned) in SHAPES.items() if text != cleaned]
    assert [line[6:] for line in run.stdout.split("\n") if line.startswith("+++ b/")] == changed


def test_clean_to_a_file(folder):
    before = files_in(folder)
    assert noisefilter("clean", "noisy.txt", "-o", "one.txt", cwd=folder).stdout == ""
    assert files_in(folder) == before | {"one.txt": CLEAN.encode()}


def test_what_came_from_stdin_has_a_name_in_a_folder(folder):
    (folder / "out").mkdir()
    noisefilter("clean", "-", "-o", "out", stdin=NOISY.encode(), cwd=folder)
    assert files_in(folder / "out") == {"stdin.txt": CLEAN.encode()}


def test_decisions_are_not_mixed_with_articles(folder):
    run = noisefilter("clean", "noisy.txt", "--decisions", "-", cwd=folder, code=2)
    assert run.stdout == ""
    assert "give a file" in run.stderr


def test_two_inputs_of_one_name_are_not_written_to_one_file(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "noisy.txt").write_text(CLEAN)
    (folder / "out").mkdir()
    run = noisefilter("clean", "noisy.txt", "sub/noisy.txt", "-o", "out", cwd=folder, code=2)
    assert "2 inputs would go to out/noisy.txt" in run.stderr
    assert not list((folder / "out").iterdir())


def test_in_a_folder_regular_files_are_read_and_the_others_counted(folder):
    (folder / "in" / "sub").mkdir(parents=True)
    (folder / "in" / "link.txt").symlink_to(folder / "noisy.txt")
    (folder / "in" / "linked").symlink_to(folder)
    (folder / "in" / "sub" / "linked").symlink_to(folder)
    (folder / "in" / ".linked").symlink_to(folder)
    (folder / "in" / "notes.md").touch()
    os.mkfifo(folder / "in" / "sub" / "pipe.txt")
    run = noisefilter("clean", "in", "-o", "out", cwd=folder)
    assert sorted(run.messages) == [
        "noisefilter: in: 1 file was left out: their names tell no format",
        "noisefilter: in: 1 file was left out: they are pipes or devices",
        "noisefilter: in: 2 files were left out: they are links to folders: name those too",
    ]
    assert files_in(folder / "out") == {"link.txt": CLEAN.encode()}


def test_in_place_changes_what_is_noisy_and_nothing_else(folder):
    windows = folder / "windows.txt"
    windows.write_bytes(("\ufeff" + NOISY).replace("\n", "\r\n").encode())
    noisy, link = folder / "noisy.txt", folder / "link.txt"
    noisy.chmod(0o640)
    target = folder / "target.txt"
    target.write_bytes(NOISY.encode())
    link.symlink_to("target.txt")
    untouched = (folder / "clean.txt").stat()

    names = ["noisy.txt", "clean.txt", "windows.txt", "link.txt"]
    first = noisefilter("clean", "--in-place", *names, cwd=folder, code=1)
    assert first.stdout == ""
    assert first.messages == [
        f"noisefilter: {name}: dropped 3 of 8 paragraphs" for name in names if name != "clean.txt"
    ]
    assert files_in(folder) == {
        **dict.fromkeys(("noisy.txt", "clean.txt", "target.txt", "link.txt"), CLEAN.encode()),
        "windows.txt": ("\ufeff" + CLEAN).replace("\n", "\r\n").encode(),
    }
    assert stat.S_IMODE(noisy.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert link.readlink().name == "target.txt"
    again = (folder / "clean.txt").stat()
    assert (again.st_ino, again.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns)

    before = {path: path.stat() for path in folder.iterdir()}
    second = noisefilter("clean", "--in-place", *names, cwd=folder, code=0)
    assert (second.stdout, second.stderr) == ("", "")
    assert {path: path.stat() for path in folder.iterdir()} == before


def test_decisions_are_written_for_every_paragraph(folder):
    (folder / "out").mkdir()
    noisefilter("clean", "noisy.txt", "clean.txt", "-o", "out", "--decisions", "decisions.jsonl", cwd=folder)
    rows = [json.loads(line) for line in (folder / "decisions.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert [(row["article"], row["index"]) for row in rows] == [
        *(("noisy.txt", index) for index in range(8)),
        *(("clean.txt", index) for index in range(5)),
    ]
    assert [row["text"] for row in rows if row["drop"]] == list(NOISE)
    assert all(list(row) == DECISION_FIELDS for row in rows)
    assert all(NOISY[row["start"] : row["end"]] == row["text"] for row in rows[:8])
    assert files_in(folder / "out") == dict.fromkeys(("noisy.txt", "clean.txt"), CLEAN.encode())


def test_rules_and_model_are_used(folder, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    expected = [TITLE, BODY[0], NOISE[0], BODY[2], BODY[3]]
    cleaned = noisefilter("clean", "--rules", rules, "noisy.txt", cwd=folder).stdout
    assert cleaned == "".join(f"{paragraph}\n\n" for paragraph in expected)

    shipped = ROOT / "noisefilter" / "models" / "default.noisefilter"
    assert noisefilter("clean", "--model", shipped, "noisy.txt", cwd=folder).stdout == CLEAN


def test_check_names_line_label_and_text_and_writes_nothing(folder):
    before = files_in(folder)
    run = noisefilter("check", "noisy.txt", "clean.txt", "-", stdin=f"\n{NOISY}".encode(), cwd=folder, code=1)
    assert run.stderr == ""
    places = [line.split(" ", 3) for line in run.stdout.split("\n")[:-1]]
    assert [(place, text) for place, _, _, text in places] == [
        *((f"noisy.txt:{line}:", text) for line, text in zip((5, 9, 13), NOISE, strict=True)),
        *((f"<stdin>:{line}:", text) for line, text in zip((6, 10, 14), NOISE, strict=True)),
    ]
    assert {label for _, label, _, _ in places} == {"boilerplate"}
    assert all(0.5 < float(probability) <= 1 for _, _, probability, _ in places)
    assert files_in(folder) == before
    assert noisefilter("check", "clean.txt", cwd=folder).stdout == ""
    assert noisefilter("check", "--loss-budget", "0", "noisy.txt", cwd=folder).stdout == ""


def test_a_long_paragraph_is_shortened_in_check(folder):
    rules = folder / "rules.toml"
    rules.write_text('[[rule]]\naction = "drop"\npattern = "^The harbour"\n', encoding="utf-8")
    run = noisefilter("check", "--rules", rules, "clean.txt", cwd=folder, code=1)
    assert run.stdout.startswith("clean.txt:3: ")
    assert run.stdout.endswith("…\n")
    assert len(run.stdout) < 130


def test_explain_shows_every_paragraph_and_what_decided(folder):
    table = noisefilter("explain", "noisy.txt", cwd=folder)
    assert table.stderr == ""
    assert "\x1b" not in table.stdout
    assert sum(line.startswith(" drop ") for line in table.stdout.split("\n")) == 3
    assert sum(line.startswith(" keep ") for line in table.stdout.split("\n")) == 5
    assert "3 of 8 paragraphs dropped" in table.stdout

    run = noisefilter("explain", "--json", "-", stdin=NOISY.encode())
    rows = [json.loads(line) for line in run.stdout.split("\n")[:-1]]
    assert [row["text"] for row in rows] == [part for part in NOISY.split("\n\n") if part]
    assert [list(row) for row in rows] == [[*DECISION_FIELDS, "features", "terms"]] * 8
    for row in rows:
        assert row["article"] == "<stdin>"
        assert NOISY[row["start"] : row["end"]] == row["text"]
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert row["noise_probability"] == pytest.approx(1 - row["probabilities"]["content"], abs=1e-5)
        assert row["features"]
        assert all(list(weight) == ["name", "value", "weight"] for weight in row["features"] + row["terms"])
    assert {row["reason"] for row in rows if row["drop"]} == {"noise"}
    assert rows[0]["reason"] in ("title", "content")


def test_explain_says_plainly_why_a_paragraph_is_kept_that_reads_like_noise(tmp_path):
    shutil.copy(ROOT / "fixtures" / "war_report_awards_insert.txt", tmp_path / "a.txt")
    (tmp_path / "rules.toml").write_text('[[rule]]\naction = "keep"\npattern = "^Latest News"\n', encoding="utf-8")
    shown = {}
    for name, options in {"rules": ["--rules", "rules.toml", "--loss-budget", "0.05"], "cap": ["--cap", "0"]}.items():
        lines = noisefilter("explain", "a.txt", *options, cwd=tmp_path).stdout.split("\n")
        shown[name] = [" ".join(line.split()) for line in lines]
    assert any(re.match(r"keep the title: always kept boilerplate 0\.[4-9]", line) for line in shown["rules"])
    assert any(re.match(r"keep kept by your rules boilerplate 0\.9\d+ Latest News", line) for line in shown["rules"])
    assert any(re.match(r"drop noise off_topic 0\.9\d+ Mara Quill", line) for line in shown["rules"])
    assert any(re.match(r"keep kept: over the cap off_topic 0\.9\d+ Mara Quill", line) for line in shown["cap"])


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("label", Label)
@pytest.mark.parametrize("drop", [True, False])
def test_every_reason_has_its_words(reason, label, drop):
    words = why(Decision(Paragraph("x", 0, 1), label, {}, 0.5, drop, reason))
    if reason in (Reason.NOISE, Reason.CONTENT) and not (reason is Reason.CONTENT and label.is_noise):
        assert words == reason.value
    else:
        assert ("dropped" if drop and reason is Reason.RULE else "kept") in words


def test_a_name_that_is_no_utf8_is_escaped(folder):
    name = os.fsdecode(b"noisy-\xff.txt")
    (folder / name).write_text(NOISY, encoding="utf-8")
    assert noisefilter("check", name, cwd=folder, code=1).stdout.startswith("noisy-\\udcff.txt:5: ")
    row = noisefilter("explain", "--json", name, cwd=folder).stdout.split("\n")[0]
    assert json.loads(row)["article"] == name


def test_a_narrow_terminal_gets_a_table(folder):
    run = noisefilter("explain", "noisy.txt", cwd=folder, env={"PYTHONIOENCODING": "ascii"})
    assert "3 of 8 paragraphs dropped" in run.stdout


def test_colour_is_shown_only_where_it_is_wanted(folder):
    red = "\x1b[31m"
    assert red in noisefilter("explain", "noisy.txt", cwd=folder, env={"FORCE_COLOR": "1"}).stdout
    both = noisefilter("explain", "noisy.txt", cwd=folder, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "drop" in both
    assert red not in both


@pytest.mark.parametrize("verb", ["clean", "explain"])
def test_a_closed_pipe_ends_without_a_word(folder, verb):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [EXECUTABLE, verb, "noisy.txt"],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=plain_environment({}),
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_reader_that_stops_early_is_no_error(folder):
    (folder / "long.txt").write_text("The bridge is closed. " * 10_000, encoding="utf-8")  # more than a pipe holds
    pipe = f"'{EXECUTABLE}' clean long.txt | head -c 10"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, cwd=folder, check=False)
    assert (done.stdout, done.stderr) == (b"The bridge", b"")


def test_a_file_that_is_named_twice_is_cleaned_once(tmp_path):
    for jobs in (1, 2):
        (tmp_path / "noisy.txt").write_text(NOISY, encoding="utf-8")
        run = noisefilter("clean", "--in-place", "--jobs", jobs, "noisy.txt", "./noisy.txt", cwd=tmp_path, code=1)
        assert run.messages == ["noisefilter: noisy.txt: dropped 3 of 8 paragraphs"]
        assert files_in(tmp_path) == {"noisy.txt": CLEAN.encode()}
