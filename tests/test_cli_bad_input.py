"""Inputs that cannot be used: one line that says what to do, the right exit code, nothing half-written."""

import json
import os
import resource
import shutil
import zipfile

import pytest
from cli_support import (
    BODY,
    CLEAN,
    NOISE,
    NOISY,
    ROOT,
    files_in,
    labelled,
    noisefilter,
    obey_permissions,
    write_labels,
)

DEFAULT_MODEL = ROOT / "noisefilter" / "models" / "default.noisefilter"

BAD_TEXTS = {
    "binary.txt": (b"ab\0c", "is a binary file: give plain text"),
    "utf16.txt": (NOISY.encode("utf-16"), "is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"),
    "latin.txt": ("caf\u00e9 au lait\n".encode("latin-1"), "is not UTF-8 (byte 3): convert it"),
    "cut.txt": (NOISY.encode()[: NOISY.encode().index("“".encode()) + 1], "is not UTF-8"),
    "empty.txt": (b"", "is empty: there is nothing to clean"),
    "blank.txt": ("\ufeff \t\r\n\n\u00a0\n".encode(), "holds only white space: there is nothing to clean"),
    "page.txt": (
        b"<?xml version='1.0'?>\n<!-- saved -->\n<!DOCTYPE html>\n<HTML><p>Rain.</p>",
        "is HTML: take its text out",
    ),
    "long.txt": (b"x" * 3_000_000, "has a line of 3,000,000 characters (at most 1,000,000): put each paragraph on"),
}


@pytest.fixture
def folder(tmp_path):
    """A folder with every file that is no article, a folder, and a good article that sorts after them."""
    for name, (content, _) in BAD_TEXTS.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "zz-good.txt").write_text(NOISY, encoding="utf-8")
    return tmp_path


ENDLESS = "x" * 300 + ".txt"
NAMES = [*BAD_TEXTS, "missing.txt", ENDLESS, "folder", "zz-good.txt"]
EXPECTED = [
    *(f"noisefilter: {name}: {what}" for name, (_, what) in BAD_TEXTS.items()),
    "noisefilter: missing.txt: no such file: check the path",
    f"noisefilter: {ENDLESS}: cannot be read (File name too long)",
    "noisefilter: folder: no file in it ends in .txt",
]


def assert_starts(lines, beginnings):
    assert [line[: len(start)] for line, start in zip(lines, beginnings, strict=False)] == list(beginnings)
    assert len(lines) == len(beginnings)


def assert_messages(run, beginnings):
    assert_starts(run.messages, beginnings)


@pytest.mark.parametrize("arguments", [["clean"], ["clean", "--in-place"], ["check"]], ids=" ".join)
def test_bad_inputs_are_told_and_the_others_done(folder, arguments):
    before = files_in(folder)
    run = noisefilter(*arguments, *NAMES, cwd=folder, code=3)
    if "--in-place" in arguments:
        assert_messages(run, [*EXPECTED, "noisefilter: zz-good.txt: dropped 3 of 8"])
        assert files_in(folder) == before | {"zz-good.txt": CLEAN.encode()}
        return
    assert_messages(run, EXPECTED)
    assert files_in(folder) == before
    if arguments == ["clean"]:
        assert run.stdout == CLEAN
    else:
        assert [line.split(":")[:2] for line in run.stdout.split("\n")[:-1]] == [
            ["zz-good.txt", line] for line in ("5", "9", "13")
        ]


def test_bad_inputs_on_stdin_and_in_explain(folder):
    assert_messages(noisefilter("clean", "-", stdin=b"\xff", code=3), ["noisefilter: <stdin>: is not UTF-8"])
    assert_messages(noisefilter("check", code=3), ["noisefilter: <stdin>: is empty"])
    run = noisefilter("explain", "--json", "missing.txt", cwd=folder, code=3)
    assert run.stdout == ""
    assert_messages(run, ["noisefilter: missing.txt: no such file"])


def test_a_write_that_fails_leaves_everything_as_it_was(folder):
    (folder / "locked").mkdir()
    for name in ("locked/noisy.txt", "readonly.txt", "secret.txt"):
        (folder / name).write_text(NOISY, encoding="utf-8")
    before = files_in(folder)
    (folder / "locked").chmod(0o555)
    (folder / "readonly.txt").chmod(0o444)
    (folder / "secret.txt").chmod(0)
    names = ["locked/noisy.txt", "readonly.txt", "secret.txt", "zz-good.txt"]
    try:
        run = noisefilter("clean", "--in-place", *names, cwd=folder, code=3, preexec_fn=obey_permissions)
    finally:
        (folder / "locked").chmod(0o755)
        (folder / "secret.txt").chmod(0o600)
    assert_messages(
        run,
        [
            "noisefilter: locked/noisy.txt: cannot be written (Permission denied), nothing was changed: check",
            "noisefilter: readonly.txt: cannot be written (Permission denied), nothing was changed: check",
            "noisefilter: secret.txt: cannot be read (Permission denied): check its permissions",
            "noisefilter: zz-good.txt: dropped 3 of 8 paragraphs",
        ],
    )
    assert files_in(folder) == before | {"zz-good.txt": CLEAN.encode()}


def _no_room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # bytes, fewer than the article has


@pytest.mark.parametrize(
    ("arguments", "preexec_fn", "reason"),
    [
        (["-o", "missing/out.txt"], None, "missing/out.txt: cannot be written (No such file or directory)"),
        (["-o", "zz-good.txt/out.txt"], None, "zz-good.txt/out.txt: cannot be written (Not a directory)"),
        (["-o", "out.txt"], _no_room, "out.txt: cannot be written (File too large)"),
        (["--in-place"], _no_room, "zz-good.txt: cannot be written (File too large)"),
        (["--decisions", "missing/d.jsonl"], None, "missing/d.jsonl: cannot be written (No such file or directory)"),
        (["--decisions", "folder"], None, "folder: cannot be written (Is a directory)"),
    ],
    ids=["no folder", "file as folder", "no room", "no room in place", "decisions no folder", "decisions folder"],
)
def test_what_cannot_be_written_is_told_and_leaves_no_trace(folder, arguments, preexec_fn, reason):
    before = files_in(folder)
    run = noisefilter("clean", *arguments, "zz-good.txt", cwd=folder, code=3, preexec_fn=preexec_fn)
    assert_messages(run, [f"noisefilter: {reason}, nothing was changed: check that its folder exists"])
    assert files_in(folder) == before
    assert run.stdout == (CLEAN if "--decisions" in arguments else "")


def test_a_name_that_is_too_long_to_write_to_is_told(folder):
    before = files_in(folder)
    run = noisefilter("clean", "zz-good.txt", "-o", ENDLESS, cwd=folder, code=3)
    assert_messages(run, [f"noisefilter: {ENDLESS}: cannot be used (File name too long)"])
    assert files_in(folder) == before


def test_a_pipe_cannot_be_cleaned_in_place(tmp_path):
    """It would be read to its end, and then wait for ever for somebody to read it."""
    os.mkfifo(tmp_path / "pipe")
    run = noisefilter("clean", "--in-place", "pipe", cwd=tmp_path, code=2)
    assert run.messages[-1].endswith("--in-place needs files: pipe is a pipe or a device")


def test_check_does_not_say_that_it_passed_anything_through(tmp_path):
    (tmp_path / "a.jsonl").write_text("{\n", encoding="utf-8")
    run = noisefilter("check", "a.jsonl", cwd=tmp_path, code=3)
    assert run.messages[-1] == "noisefilter: a.jsonl: 1 of 1 records could not be used and were left out"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clean", "--in-place", "--diff", "a.txt"], "use one of -o, --in-place and --diff"),
        (["clean", "--in-place"], "--in-place needs files"),
        (["clean", "--in-place", "--decisions", "missing/d.jsonl", "a.txt"], "missing/d.jsonl cannot be written"),
        (["clean", "--in-place", "-"], "--in-place needs files"),
        (["clean", "-o", "missing", "a.txt", "b.txt"], "missing is not a folder: with several inputs, give -o"),
        (["clean", "--loss-budget", "2", "a.txt"], "--loss-budget"),
        (["clean", "--loss-budget", "nan", "a.txt"], "--loss-budget"),
        (["check", "--cap", "-1", "a.txt"], "--cap"),
        (["check", "--frobnicate"], "--frobnicate"),
        (["explain"], "FILE"),
        (["frobnicate"], "frobnicate"),
        (["train", "labels.jsonl"], "--output"),
        (["train", "labels.jsonl", "-o", "missing/m.noisefilter"], "missing is not a folder: make it"),
        (["train", "labels.jsonl", "-o", "."], ". is a folder: give -o a file"),
        (["clean", "a.txt", "--keep-dropped", "gone"], "--keep-dropped needs records: text files have no fields"),
        (["labels", "split", "labels.jsonl", "-o", "out", "--test-share", "nan"], "nan is no share: give a number"),
        (["labels", "split", "labels.jsonl"], "--output"),
        (["model", "export"], "--output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors_name_what_is_wrong(tmp_path, arguments, message):
    run = noisefilter(*arguments, cwd=tmp_path, code=2)
    assert run.stdout == ""
    assert message in run.messages[-1]
    assert run.messages[-1].startswith("Error: ")
    assert not list(tmp_path.iterdir())


EMPTY = "it is empty: give a path, or see whether a shell variable is unset"


@pytest.mark.parametrize(
    "arguments",
    [
        ["clean", "--in-place"],
        ["check"],
        ["explain"],
        ["clean", "zz-good.txt", "-o"],
        ["clean", "zz-good.txt", "--decisions"],
        ["check", "zz-good.txt", "--model"],
        ["explain", "zz-good.txt", "--rules"],
        ["evaluate"],
        ["evaluate", "a.jsonl", "--compare"],
        ["train", "a.jsonl", "-o"],
        ["train", "a.jsonl", "-o", "m", "--test"],
        ["train", "a.jsonl", "-o", "m", "--recipe"],
        ["train", "a.jsonl", "-o", "m", "--cache"],
        ["labels", "check"],
        ["labels", "split", "a.jsonl", "-o"],
        ["model", "info"],
        ["model", "export", "-o"],
    ],
    ids=" ".join,
)
def test_an_empty_name_is_not_the_folder_that_we_are_in(folder, arguments):
    before = files_in(folder)
    run = noisefilter(*arguments, "", cwd=folder, code=2)
    assert run.stdout == ""
    assert run.messages[-1].endswith(EMPTY)
    assert files_in(folder) == before


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (None, "rules.toml: cannot be read (No such file or directory): check its path"),
        ("[[rule]\n", "rules.toml: not TOML"),
        ('[[rule]]\naction = "drop"\npattern = "("\n', "rules.toml: rule 1: pattern is not a regular expression"),
        ('[[rule]]\naction = "hide"\nliteral = "x"\n', "rules.toml: rule 1: action is 'hide': write"),
    ],
    ids=["missing", "no toml", "pattern", "action"],
)
def test_rules_that_cannot_be_used(folder, rules, message):
    if rules is not None:
        (folder / "rules.toml").write_text(rules, encoding="utf-8")
    before = files_in(folder)
    run = noisefilter("clean", "--in-place", "--rules", "rules.toml", "zz-good.txt", cwd=folder, code=2)
    assert_messages(run, [f"noisefilter: {message}"])
    assert run.stdout == ""
    assert files_in(folder) == before


@pytest.fixture(scope="module")
def bad_models(tmp_path_factory):
    """Models that must not be loaded."""
    folder = tmp_path_factory.mktemp("models")
    whole = DEFAULT_MODEL.read_bytes()
    (folder / "foreign.noisefilter").write_bytes(b"\x80\x04K\x01.")
    with zipfile.ZipFile(folder / "zip.noisefilter", "w") as archive:
        archive.writestr("hello.txt", "hello")
    (folder / "cut.noisefilter").write_bytes(whole[: len(whole) // 2])
    middle = whole.index(b"arrays.npz") + 20_000
    (folder / "flipped.noisefilter").write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with zipfile.ZipFile(DEFAULT_MODEL) as old, zipfile.ZipFile(folder / "newer.noisefilter", "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "manifest.json":
                content = json.dumps(json.loads(content) | {"noisefilter_format": 99}).encode()
            new.writestr(info, content)
    (folder / "good.txt").write_text(NOISY, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("missing.noisefilter", "cannot be read (No such file or directory): check the path, or train a model"),
        (".", "cannot be read (Is a directory): check the path"),
        ("foreign.noisefilter", "not a noisefilter model: give a file that `noisefilter train` wrote"),
        ("zip.noisefilter", "not a noisefilter model: give a file that `noisefilter train` wrote"),
        ("cut.noisefilter", "damaged"),
        ("flipped.noisefilter", "arrays.npz does not match its digest: fetch or train it again"),
        ("newer.noisefilter", "format 99 is newer than this noisefilter reads (2): upgrade noisefilter"),
    ],
)
def test_models_that_must_not_be_loaded(bad_models, model, message):
    before = files_in(bad_models)
    run = noisefilter("clean", "--in-place", "--model", model, "good.txt", cwd=bad_models, code=4)
    assert_messages(run, [f"noisefilter: {model}: {message}"])
    assert run.stdout == ""
    assert files_in(bad_models) == before


@pytest.mark.parametrize(
    "arguments", [["model", "verify"], ["model", "info", "--json"], ["model", "export", "-o", "x"]]
)
def test_model_verbs_refuse_a_damaged_model(bad_models, arguments):
    run = noisefilter(*arguments, "flipped.noisefilter", cwd=bad_models, code=4)
    assert_messages(run, ["noisefilter: flipped.noisefilter: arrays.npz does not match its digest: "])
    assert run.stdout == ""
    assert not (bad_models / "x").exists()


def _bad_labels(folder):
    content, boilerplate = (BODY[0], "content"), (NOISE[0], "boilerplate")
    write_labels(folder / "wrong.jsonl", [labelled("a", content, (NOISE[0], "noise"))])
    write_labels(folder / "one-class.jsonl", [labelled("a", content), labelled("b", (BODY[1], "content"))])
    write_labels(
        folder / "no-off-topic.jsonl", [labelled("a", content, boilerplate), labelled("b", (BODY[1], "content"))]
    )
    (folder / "no-json.jsonl").write_text("{\n", encoding="utf-8")
    (folder / "list-label.jsonl").write_text(json.dumps(labelled("a", (BODY[0], ["content"]))) + "\n", encoding="utf-8")
    (folder / "deep.jsonl").write_text("[" * 100_000 + "\n", encoding="utf-8")
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00")


LABEL_PROBLEMS = {
    "wrong.jsonl": "wrong.jsonl:1: paragraphs[1]: unknown label 'noise': use one of content, boilerplate, off_topic",
    "no-json.jsonl": "no-json.jsonl:1: not JSON",
    "list-label.jsonl": "list-label.jsonl:1: paragraphs[0]: unknown label",
    "deep.jsonl": "deep.jsonl:1: not JSON",
    "cut.jsonl.gz": "cut.jsonl.gz: damaged gzip",
    "missing.jsonl": "missing.jsonl: no such file: check the path",
    ".": ".: is a directory: name the label files in it",
}


def test_labels_check_lists_what_is_wrong_in_every_file(tmp_path):
    _bad_labels(tmp_path)
    run = noisefilter("labels", "check", *LABEL_PROBLEMS, cwd=tmp_path, code=3)
    assert_starts(run.stdout.split("\n")[:-1], LABEL_PROBLEMS.values())
    assert run.messages == ["noisefilter: 0 articles, 0 paragraphs, 7 problems"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("wrong.jsonl", LABEL_PROBLEMS["wrong.jsonl"]),
        ("one-class.jsonl", "no paragraph is labelled boilerplate or off_topic: label some"),
        ("no-off-topic.jsonl", "no paragraph is labelled off_topic: label some"),
        ("empty.jsonl", "empty.jsonl: no article"),
        ("missing.jsonl", "missing.jsonl: no such file: check the path"),
    ],
    ids=lambda value: value.split(":")[0],
)
def test_labels_that_cannot_be_trained_on(tmp_path, labels, message):
    _bad_labels(tmp_path)
    before = files_in(tmp_path)
    run = noisefilter("train", labels, "-o", "model.noisefilter", cwd=tmp_path, code=3)
    assert_messages(run, [f"noisefilter: {message}"])
    assert run.stdout == ""
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("arguments", [["check"], ["stats"], ["split", "-o", "out"]], ids=" ".join)
def test_labels_without_an_article_are_told(tmp_path, arguments):
    _bad_labels(tmp_path)
    before = files_in(tmp_path)
    run = noisefilter("labels", *arguments, "empty.jsonl", cwd=tmp_path, code=3)
    assert_messages(run, ["noisefilter: "])
    assert run.stdout == ""
    assert files_in(tmp_path) == before


def test_labels_that_are_wrong_stop_evaluate_stats_and_split(tmp_path):
    _bad_labels(tmp_path)
    before = files_in(tmp_path)
    for arguments in (["evaluate", "--json"], ["labels", "stats"], ["labels", "split", "-o", "."]):
        run = noisefilter(*arguments, "wrong.jsonl", cwd=tmp_path, code=3)
        assert_messages(run, ["noisefilter: wrong.jsonl:1: paragraphs[1]: unknown label 'noise'"])
        assert run.stdout == ""
    assert files_in(tmp_path) == before


def test_a_recipe_that_cannot_be_used(tmp_path):
    (tmp_path / "recipe.toml").write_text("[classifier]\ndepth = 3\n", encoding="utf-8")
    shutil.copy(DEFAULT_MODEL, tmp_path / "model.noisefilter")
    before = files_in(tmp_path)
    run = noisefilter("train", "any.jsonl", "--recipe", "recipe.toml", "-o", "model.noisefilter", cwd=tmp_path, code=2)
    assert_messages(run, ["noisefilter: recipe.toml: unknown setting classifier.depth: use "])
    assert files_in(tmp_path) == before
