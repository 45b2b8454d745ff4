"""train through the real executable: the same bundle every time, progress apart from data, refusals early."""

import json
import os
import pty
import subprocess

import pytest
from cli_support import (
    BODY,
    EXECUTABLE,
    FAST_RECIPE,
    NOISE,
    NOISY,
    ROOT,
    files_in,
    labelled,
    noisefilter,
    plain_environment,
    slice_of_corpus,
    write_labels,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Label files of a few sites, a recipe, an article, and two models trained from them in different ways."""
    folder = tmp_path_factory.mktemp("train")
    slice_of_corpus(folder / "train.jsonl", "train", sites=6, articles_each=4)
    slice_of_corpus(folder / "test.jsonl", "test", sites=3, articles_each=2)
    (folder / "recipe.toml").write_text(FAST_RECIPE, encoding="utf-8")
    (folder / "noisy.txt").write_text(NOISY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """The run that trained ``one.noisefilter``, from a terminal: exit code, stdout and what the terminal showed."""
    ours, theirs = pty.openpty()
    arguments = ["train.jsonl", "--recipe", "recipe.toml", "--test", "test.jsonl", "-o", "one.noisefilter"]
    with subprocess.Popen(
        [EXECUTABLE, "train", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=folder,
        env=plain_environment({"PYTHONHASHSEED": "1", "TERM": "xterm"}),
    ) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
        stdout = process.stdout.read()
    os.close(ours)
    return process.returncode, stdout.decode(), shown.decode()


def _read(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the terminal's other end is closed
        return b""


def test_progress_goes_to_the_terminal_and_figures_to_stdout(folder, trained):
    code, stdout, shown = trained
    assert code == 0
    assert "fitting" in shown
    assert "3/3" in shown
    assert "wrote one.noisefilter" in shown
    assert stdout.startswith("test.jsonl: 6 articles")
    assert "noise recall" in stdout
    assert "fitting" not in stdout
    assert "\x1b" not in stdout
    assert (folder / "one.noisefilter").stat().st_size < 1_000_000


def test_the_bundle_does_not_depend_on_jobs_hash_seed_or_cache(folder, trained):
    assert trained[0] == 0
    arguments = ["train.jsonl", "--recipe", "recipe.toml", "--test", "test.jsonl"]
    one = (folder / "one.noisefilter").read_bytes()
    for jobs, seed in ((2, "2"), (1, "3")):  # the second run finds its fits in the cache
        other = folder / f"jobs-{jobs}.noisefilter"
        run = noisefilter(
            "train",
            *arguments,
            "--jobs",
            jobs,
            "--cache",
            "cache",
            "-o",
            other.name,
            cwd=folder,
            env={"PYTHONHASHSEED": seed},
        )
        assert run.stdout == trained[1]
        few, wrote = run.messages
        assert few.startswith("noisefilter: the smallest loss budget that 24 articles can promise is 0.05")
        assert "label at least 99 articles" in few
        assert wrote.startswith(f"noisefilter: wrote {other.name} (")
        assert other.read_bytes() == one
    assert any((folder / "cache").rglob("output.pkl"))


def test_the_bundle_is_whole_and_usable(folder, trained):
    assert trained[0] == 0
    verified = noisefilter("model", "verify", "one.noisefilter", cwd=folder).stdout
    assert verified == "one.noisefilter: whole, and its self-test passes\n"
    card = noisefilter("model", "info", "one.noisefilter", cwd=folder).stdout
    assert "24 articles of 6 sites" in card
    assert "CC0-1.0" in card
    assert "test.jsonl" in card
    manifest = json.loads(noisefilter("model", "info", "--json", "one.noisefilter", cwd=folder).stdout)
    assert set(manifest["about"]["metrics"]) == {"test.jsonl"}
    assert manifest["about"]["recipe"]["calibration"]["folds"] == 2
    assert [source["name"] for source in manifest["about"]["training_data"]] == ["train.jsonl"]
    lines = noisefilter("explain", "--json", "--model", "one.noisefilter", "noisy.txt", cwd=folder).stdout.split("\n")
    probability = {row["text"]: row["noise_probability"] for row in map(json.loads, lines[:-1])}
    assert probability[NOISE[2]] > 0.5 > probability[BODY[0]]


def test_public_sets_that_are_not_there_are_left_out_and_named(folder, trained):
    assert trained[0] == 0
    registry = (ROOT / "training" / "sources.toml").as_posix()
    (folder / "public.toml").write_text(f'sources = "{registry}"\n{FAST_RECIPE}', encoding="utf-8")
    run = noisefilter(
        "train",
        "train.jsonl",
        "--recipe",
        "public.toml",
        "--test",
        "test.jsonl",
        "-o",
        "public.noisefilter",
        cwd=folder,
        env={"NOISEFILTER_DATA": str(folder)},
    )
    left = [message for message in run.messages if "left out" in message]
    names = ["andy_relabelled", "andy_pages", "wcxb_relabelled", "wcxb_pages", "gold_dev", "samples"]
    assert [message.split()[3] for message in left] == names
    assert (folder / "public.noisefilter").read_bytes() == (folder / "one.noisefilter").read_bytes()


def test_a_test_file_that_shares_a_site_is_refused(folder):
    before = files_in(folder)
    run = noisefilter("train", "train.jsonl", "--test", "train.jsonl", "-o", "no.noisefilter", cwd=folder, code=3)
    assert len(run.messages) == 1
    assert "is in the training data too: split with `noisefilter labels split`" in run.messages[0]
    assert files_in(folder) == before


@pytest.mark.parametrize(
    ("other", "message"), [("a", "all articles are from one site"), ("b", "the sites are too few")]
)
def test_too_few_sites_are_refused(tmp_path, other, message):
    content = (BODY[0], "content")
    all_classes = labelled("1", content, (NOISE[0], "boilerplate"), ("Rovers beat Albion", "off_topic"), site_style="a")
    write_labels(tmp_path / "few.jsonl", [all_classes, labelled("2", content, site_style=other)])
    run = noisefilter("train", "few.jsonl", "-o", "no.noisefilter", cwd=tmp_path, code=3)
    assert len(run.messages) == 1
    assert message in run.messages[0]
    assert list(files_in(tmp_path)) == ["few.jsonl"]
