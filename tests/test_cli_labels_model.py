"""labels, model and evaluate through the real executable."""

import gzip
import json
import zipfile

import pytest
from cli_support import (
    BODY,
    CORPUS,
    GOOD_ARTICLE,
    NOISE,
    ROOT,
    files_in,
    labelled,
    noisefilter,
    slice_of_corpus,
    write_labels,
)

from noisefilter.kernel import why_not

DEFAULT_MODEL = ROOT / "noisefilter" / "models" / "default.noisefilter"
FIGURES = {
    "noise_recall",
    "boilerplate_recall",
    "off_topic_recall",
    "content_loss",
    "content_word_loss",
    "precision",
    "average_precision",
}


def test_labels_check_passes_good_files_plain_and_gzipped(tmp_path):
    good = write_labels(tmp_path / "good.jsonl", [GOOD_ARTICLE])
    other = labelled("other", (BODY[2], "content"), (NOISE[2], "boilerplate", "photo_credit"))
    (tmp_path / "other.jsonl.gz").write_bytes(gzip.compress(json.dumps(other).encode()))
    run = noisefilter("labels", "check", good, tmp_path / "other.jsonl.gz")
    assert (run.stdout, run.messages) == ("", ["noisefilter: 2 articles, 5 paragraphs, no problems"])


def test_the_corpus_is_without_problems():
    assert noisefilter("labels", "check", CORPUS / "train.jsonl", CORPUS / "test.jsonl").stdout == ""


CONTENT = (BODY[0], "content")
CHECKED = {
    "unknown label": ([labelled("a", (BODY[0], "noise"))], ["a.jsonl:1: paragraphs[0]: unknown label 'noise'"]),
    "unknown kind": (
        [labelled("a", CONTENT, (NOISE[0], "boilerplate", "jingle"))],
        ["a.jsonl:1: paragraphs[1]: unknown kind 'jingle' of boilerplate"],
    ),
    "unknown field": ([labelled("a", CONTENT, colour="red")], ["a.jsonl:1: unknown field 'colour'"]),
    "no id": ([labelled("", CONTENT)], ["a.jsonl:1: no id"]),
    "no paragraphs": ([labelled("a")], ["a.jsonl:1: no paragraphs"]),
    "an id twice": (
        [labelled("a", CONTENT), labelled("a", (BODY[1], "content"))],
        ["a.jsonl:2: id 'a' stands at a.jsonl:1 already"],
    ),
    "two labels": (
        [labelled("a", CONTENT, (NOISE[0], "boilerplate")), labelled("b", (NOISE[0], "content"))],
        ["a.jsonl:1: 'Sign up for our newsletter' is boilerplate (at a.jsonl:1) and content (at a.jsonl:2)"],
    ),
}


@pytest.mark.parametrize("case", CHECKED)
def test_labels_check_says_where_and_what(tmp_path, case):
    articles, expected = CHECKED[case]
    write_labels(tmp_path / "a.jsonl", articles)
    run = noisefilter("labels", "check", "a.jsonl", cwd=tmp_path, code=3)
    problems = run.stdout.split("\n")[:-1]
    assert [problem[: len(start)] for problem, start in zip(problems, expected, strict=True)] == expected
    assert run.messages[-1].endswith(", 1 problem")


def test_labels_check_finds_what_two_splits_share(tmp_path):
    write_labels(tmp_path / "train.jsonl", [labelled("a", CONTENT, site_style="one-site")])
    write_labels(tmp_path / "test.jsonl", [labelled("b", CONTENT, site_style="one-site")])
    run = noisefilter("labels", "check", "train.jsonl", "test.jsonl", cwd=tmp_path, code=3)
    problems = run.stdout.split("\n")[:-1]
    assert len(problems) == 2
    assert all("test.jsonl:1 and train.jsonl:1: on both sides of a split" in problem for problem in problems)
    assert "site one-site" in problems[0]


def test_labels_stats_counts(tmp_path):
    path = write_labels(
        tmp_path / "a.jsonl",
        [GOOD_ARTICLE, labelled("clean", (BODY[2], "content"), (BODY[3], "content", "list_item"), topic="transport")],
    )
    table = json.loads(noisefilter("labels", "stats", "--json", path).stdout)
    assert {name: value for name, value in table.items() if not isinstance(value, dict)} == {
        "articles": 2,
        "sites": 2,
        "articles without noise": 1,
        "paragraphs": 5,
        "distinct noise paragraphs": 1,
        "hard content paragraphs": 1,
    }
    assert table["labels"] == {"content": 4, "boilerplate": 1}
    assert table["kinds"] == {"boilerplate/newsletter": 1, "content/list_item": 1}
    assert table["topics"] == {"transport": 2}
    text = noisefilter("labels", "stats", path).stdout
    assert ["paragraphs", "5"] in [line.split() for line in text.split("\n")]
    assert ["boilerplate/newsletter", "1"] in [line.split() for line in text.split("\n")]


def test_labels_split_keeps_sites_apart_and_is_the_same_every_time(tmp_path):
    path = slice_of_corpus(tmp_path / "slice.jsonl", "train", sites=20, articles_each=2)
    for out in ("one", "two"):
        run = noisefilter("labels", "split", path, "-o", tmp_path / out, "--test-share", "0.3")
        assert run.stdout == ""
    one = files_in(tmp_path / "one")
    assert one == files_in(tmp_path / "two")
    sites = {}
    for name, content in one.items():
        sites[name] = {json.loads(line)["site_style"] for line in content.decode().split("\n")[:-1]}
    assert set(sites) == {"train.jsonl", "test.jsonl"}
    assert all(sites.values())
    assert not sites["train.jsonl"] & sites["test.jsonl"]
    assert sorted(b"".join(one.values()).split(b"\n")) == sorted(path.read_bytes().split(b"\n"))
    noisefilter("labels", "split", path, "-o", tmp_path / "other", "--test-share", "0.3", "--seed", "1")
    assert files_in(tmp_path / "other") != one


def test_labels_split_overwrites_a_former_split(tmp_path):
    path = write_labels(tmp_path / "a.jsonl", [labelled(name, CONTENT, site_style=name) for name in "abcdefgh"])
    for name in ("train.jsonl", "test.jsonl"):
        (tmp_path / name).write_text("before\n", encoding="utf-8")
    noisefilter("labels", "split", path, "-o", tmp_path, "--test-share", "0.5")
    both = b"".join((tmp_path / name).read_bytes() for name in ("train.jsonl", "test.jsonl"))
    assert sorted(both.split(b"\n")) == sorted(path.read_bytes().split(b"\n"))


def test_labels_split_writes_nothing_where_a_side_would_be_empty(tmp_path):
    path = write_labels(tmp_path / "a.jsonl", [GOOD_ARTICLE])
    run = noisefilter("labels", "split", path, "-o", tmp_path / "out", code=3)
    assert run.messages[0].startswith("noisefilter: no site fell to t")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def surrogates(tmp_path):
    """A label file with lone surrogates, which JSON can escape and UTF-8 cannot hold."""
    article = labelled(
        "a\ud800", (f"{BODY[0]}\ud801", "content"), (f"{NOISE[0]} \ud802", "boilerplate"), site_style="s\ud803"
    )
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(article) + "\n", encoding="utf-8")
    return path


def test_labels_with_lone_surrogates_are_checked_counted_and_split(surrogates, tmp_path):
    assert noisefilter("labels", "check", surrogates).stdout == ""
    assert json.loads(noisefilter("labels", "stats", "--json", surrogates).stdout)["sites"] == 1
    others = write_labels(tmp_path / "b.jsonl", [labelled(name, CONTENT, site_style=name) for name in "bcdefgh"])
    noisefilter("labels", "split", surrogates, others, "-o", tmp_path / "out", "--test-share", "0.5")
    assert surrogates.read_bytes() in b"".join(files_in(tmp_path / "out").values())


def test_labels_with_lone_surrogates_are_evaluated(surrogates):
    table = json.loads(noisefilter("evaluate", "--json", "--compare", DEFAULT_MODEL, surrogates).stdout)
    (row,) = table["lost"]
    assert (row["source"], row["article"], row["text"]) == ("s\ud803", "a\ud800", f"{BODY[0]}\ud801")
    assert "s?" in noisefilter("evaluate", surrogates).stdout


def test_model_info_verify_and_export(tmp_path):
    card = noisefilter("model", "info")
    assert len(card.messages) == 1
    assert ("the compiled kernel scores" in card.stderr) == (why_not() is None)
    with zipfile.ZipFile(DEFAULT_MODEL) as archive:
        assert card.stdout == archive.read("card.md").decode()
        manifest = json.loads(archive.read("manifest.json"))
    assert json.loads(noisefilter("model", "info", "--json", DEFAULT_MODEL).stdout) == manifest
    assert noisefilter("model", "verify").stdout == "the default model: whole, and its self-test passes\n"

    slower = noisefilter("model", "info", env={"NOISEFILTER_KERNEL": "off"})
    assert slower.stdout == card.stdout
    assert "the reference scores with this model, slower, with the same decisions: " in slower.stderr

    run = noisefilter("model", "export", "-o", tmp_path / "pipeline.joblib")
    assert run.stdout == ""
    assert len(run.messages) == 1
    assert "a pickle runs code when it is loaded" in run.stderr
    assert list(files_in(tmp_path)) == ["pipeline.joblib"]

    import joblib

    from noisefilter.article import Article
    from noisefilter.bundle import load_model

    article = Article(None, [*BODY, NOISE[0]])
    expected = load_model(DEFAULT_MODEL).classifier.score_article(article)
    assert joblib.load(tmp_path / "pipeline.joblib").score_article(article) == pytest.approx(expected)


def test_model_export_into_a_missing_folder(tmp_path):
    run = noisefilter("model", "export", "-o", "missing/pipeline.joblib", cwd=tmp_path, code=4)
    assert len(run.messages) == 1
    assert "missing/pipeline.joblib: cannot be written" in run.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def test_slice(tmp_path_factory):
    return slice_of_corpus(tmp_path_factory.mktemp("labels") / "slice.jsonl", "test", sites=6, articles_each=2)


def test_evaluate_as_json_and_compared(test_slice):
    run = noisefilter("evaluate", "--json", "--compare", DEFAULT_MODEL, "--jobs", "2", test_slice)
    assert run.stderr == ""
    table = json.loads(run.stdout)
    assert set(table["figures"]) == FIGURES
    for figure in table["figures"].values():
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert table["articles"] == 12
    assert {row["label"] for row in table["by_label"]} == {"content", "boilerplate", "off_topic"}
    assert sum(row["paragraphs"] for row in table["by_kind"]) == table["paragraphs"]
    assert len(table["by_source"]) == 6
    assert len(table["missed"]) <= 10
    assert len(table["lost"]) == 10
    assert set(table["differences"]) == FIGURES - {"average_precision"}
    assert all(part == 0 for figure in table["differences"].values() for part in figure.values())


def test_evaluate_prints_figures_and_worst_mistakes(test_slice):
    run = noisefilter("evaluate", test_slice, "--compare", DEFAULT_MODEL)
    assert run.stderr == ""
    for heading in (
        "slice.jsonl: 12 articles",
        "noise recall",
        "content word loss",
        "by label",
        "by kind",
        "by source",
        "noise that was kept, worst first",
        "content that was dropped or came nearest to it",
        "difference to",
    ):
        assert heading in run.stdout


def test_evaluate_on_content_alone_has_nothing_to_recall(tmp_path):
    path = write_labels(tmp_path / "content.jsonl", [labelled("a", *((text, "content") for text in BODY))])
    run = noisefilter("evaluate", "--json", path)
    assert run.stderr == ""
    assert json.loads(run.stdout)["figures"]["noise_recall"] == {"value": None, "low": None, "high": None}
    run = noisefilter("evaluate", path)
    assert run.stderr == ""
    assert "none to measure" in run.stdout
