import gzip
import hashlib
import json
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from noisefilter.article import Label
from noisefilter.cli.train import _gathered
from noisefilter.errors import LabelError, RecipeError
from noisefilter.kinds import KINDS
from noisefilter.sources import load_sources, paragraph_digest, read_source
from noisefilter.training import Recipe

TRAINING = Path(__file__).parent.parent / "training"
NEEDS_THE_SETS = pytest.mark.skipif(
    not os.environ.get("NOISEFILTER_DATA"), reason="needs the public sets: set NOISEFILTER_DATA"
)
TEXTS = ["The ferry sails at noon.", "Sign up for “The Tide”"]
PAGE = {
    "id": "set:1#a",
    "domain": "www.wend.example",
    "title": "Ferries",
    "paragraphs": [{"text": text} for text in TEXTS],
}
LABELLED = {
    "page": "set:1#a",
    "paragraphs": [
        {"sha256": paragraph_digest(TEXTS[0]), "label": "content"},
        {"sha256": paragraph_digest(TEXTS[1]), "label": "boilerplate", "kind": "newsletter", "alt": "off_topic"},
    ],
}


@pytest.fixture
def registry(tmp_path):
    """Return a function that writes a set, its annotations and a registry, and returns the one source read back."""

    def write(labelled=LABELLED, page=PAGE, **fields):
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        (data / "set.jsonl.gz").write_bytes(gzip.compress(json.dumps(page).encode(), mtime=0))
        (tmp_path / "pages.jsonl").write_text(json.dumps(labelled) + "\n")
        entry = {
            "name": "set",
            "origin": "here",
            "licence": "CC0-1.0",
            "file": "set.jsonl.gz",
            "sha256": hashlib.sha256((data / "set.jsonl.gz").read_bytes()).hexdigest(),
            "use": "train",
            "annotations": ["pages.jsonl"],
        } | fields
        lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
        path = tmp_path / "sources.toml"
        path.write_text("[[source]]\n" + "\n".join(lines) + "\n")
        return load_sources(path)[0], data

    return write


def test_a_page_gets_the_labels_of_its_annotation(registry):
    (article,) = read_source(*registry())
    assert (article.id, article.title, article.site) == ("set:1#a", "Ferries", "www.wend.example")
    assert [paragraph.text for paragraph in article.paragraphs] == TEXTS
    assert [paragraph.label for paragraph in article.paragraphs] == [Label.CONTENT, Label.BOILERPLATE]
    assert article.paragraphs[1].kind == "newsletter"
    assert article.paragraphs[1].alt is Label.OFF_TOPIC


def test_a_set_in_our_own_schema_is_read_as_it_is(registry):
    page = {"id": "a", "domain": "wend.example", "paragraphs": [{"text": "One.", "label": "content"}]}
    (article,) = read_source(*registry(page=page, annotations=[]))
    assert (article.id, article.site, len(article.paragraphs)) == ("a", "wend.example", 1)


def test_a_site_that_a_test_set_has_too_is_left_out(registry):
    assert read_source(*registry(leave_out=["wend.example"])) == []


def test_a_set_that_is_not_there_is_none(registry, tmp_path):
    source, _ = registry()
    assert read_source(source, tmp_path / "elsewhere") is None


def test_another_file_under_the_name_is_refused(registry):
    source, data = registry()
    (data / "set.jsonl.gz").write_bytes(b"something else")
    with pytest.raises(LabelError, match="not the file that the registry of sources knows"):
        read_source(source, data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"page": "set:2#a"}, "is not in the set as it was labelled"),
        ({"paragraphs": LABELLED["paragraphs"][:1]}, "is not in the set as it was labelled"),
        ({"paragraphs": LABELLED["paragraphs"][::-1]}, "paragraph 0 has another text than was labelled"),
    ],
)
def test_an_annotation_that_does_not_fit_is_refused(registry, change, message):
    with pytest.raises(LabelError, match=message):
        read_source(*registry(labelled=LABELLED | change))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not JSON", "its pages or annotations are damaged"),
        ('{"page": "set:1#a"}', "its pages or annotations are damaged"),
        ('{"page": "set:1#a", "paragraphs": [{}, {}]}', "its pages or annotations are damaged"),
        ("[1, 2]", "its pages or annotations are damaged"),
        (None, "cannot be read .*: check the registry of sources"),
    ],
)
def test_broken_annotations_are_named(registry, tmp_path, content, message):
    source, data = registry()
    if content is None:
        (tmp_path / "pages.jsonl").unlink()
    else:
        (tmp_path / "pages.jsonl").write_text(content)
    with pytest.raises(LabelError, match=message) as caught:
        read_source(source, data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fields", [{"colour": "red"}, {"annotations": 3}])
def test_a_strange_entry_is_refused(registry, fields):
    with pytest.raises(RecipeError, match="write \\[\\[source\\]\\] tables with name, origin"):
        registry(**fields)


@pytest.mark.parametrize("use", ["perhaps", "", 3, ["train"]])
def test_an_unknown_use_is_refused(registry, use):
    with pytest.raises(RecipeError) as caught:
        registry(use=use)
    assert str(caught.value).endswith(f"sources.toml: set: unknown use {use!r}: write train, evaluate, clean or none")


@pytest.mark.parametrize("use", ["clean", "none"])
def test_a_set_without_labels_of_ours_is_not_read(registry, use):
    with pytest.raises(LabelError, match=f'set: has no labels for our classes .use = "{use}".: leave it out'):
        read_source(*registry(use=use))


def test_training_learns_from_sets_to_train_on_and_tests_on_those_to_evaluate(tmp_path, monkeypatch, capsys):
    entries = []
    for use in ("train", "evaluate", "clean", "none"):
        page = {"id": use, "domain": f"{use}.example", "paragraphs": [{"text": "One.", "label": "content"}]}
        (tmp_path / use).write_text(json.dumps(page) + "\n")
        digest = hashlib.sha256((tmp_path / use).read_bytes()).hexdigest()
        fields = {"name": use, "origin": "here", "licence": "CC0-1.0", "file": use, "sha256": digest, "use": use}
        entries.append("[[source]]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in fields.items()))
    (tmp_path / "sources.toml").write_text("\n".join(entries) + "\n")
    monkeypatch.setenv("NOISEFILTER_DATA", str(tmp_path))
    data = _gathered([], [], Recipe(sources=tmp_path / "sources.toml"))
    assert [article.id for article in data.articles] == [about["name"] for about in data.about] == ["train"]
    assert {name: [article.id for article in held] for name, held in data.tests.items()} == {"evaluate": ["evaluate"]}
    assert capsys.readouterr().err == ""


def test_a_registry_that_cannot_be_read(tmp_path):
    with pytest.raises(RecipeError, match="check `sources` in the recipe"):
        load_sources(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[[source")
    with pytest.raises(RecipeError, match="not TOML"):
        load_sources(tmp_path / "bad.toml")


def test_what_only_typesetting_changes_does_not_change_the_digest():
    assert paragraph_digest("“The  Tide”") == paragraph_digest('"The Tide"')
    assert paragraph_digest("The Tide") != paragraph_digest("The tide")


def test_the_registry_of_the_project():
    sources = load_sources(TRAINING / "sources.toml")
    by_name = {source.name: source for source in sources}
    assert len(by_name) == len(sources) == 11
    used = {use: {source.name for source in sources if source.use == use} for use in ("train", "evaluate", "clean")}
    assert used == {
        "train": {"andy_relabelled", "andy_pages", "wcxb_relabelled", "wcxb_pages"},
        "evaluate": {"gold_dev", "samples"},
        "clean": {"clean_bbc"},
    }
    assert all(source.attribution for source in sources if source.use == "train")
    assert all(source.origin and source.licence and source.labels for source in sources)
    assert [source.name for source in sources if bool(source.reason) != (source.use == "none")] == []
    assert all(path.is_file() for source in sources for path in source.annotations)


def test_each_public_set_that_training_names_is_registered():
    floors = tomllib.loads((TRAINING / "floors.toml").read_text(encoding="utf-8"))
    named = {entry["public"] for entry in floors["set"] if "public" in entry}
    assert named
    for path in TRAINING.rglob("*.py"):
        named |= set(re.findall(r'"([\w-]+\.jsonl\.gz)"', path.read_text(encoding="utf-8")))
    assert named <= {source.file for source in load_sources(TRAINING / "sources.toml")}


def test_the_annotations_hold_known_labels_and_no_text():
    seen = set()
    for path in sorted((TRAINING / "annotations").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            assert set(row) == {"page", "paragraphs"}
            assert row["page"] not in seen
            seen.add(row["page"])
            for entry in row["paragraphs"]:
                assert set(entry) <= {"sha256", "label", "kind", "alt"}
                assert len(entry["sha256"]) == 16
                assert "kind" not in entry or entry["kind"] in KINDS[Label(entry["label"])]
    assert len(seen) == 338


@pytest.fixture(scope="module")
def public():
    """Return what is read of the labelled public sets that are there."""
    folder = Path(os.environ["NOISEFILTER_DATA"])
    sources = [source for source in load_sources(TRAINING / "sources.toml") if source.labelled]
    found = {source.name: read_source(source, folder) for source in sources}
    return {name: articles for name, articles in found.items() if articles is not None}


@pytest.mark.shared
@NEEDS_THE_SETS
def test_the_public_sets_are_those_of_the_registry(public):
    expected = {"andy_relabelled": 373, "andy_pages": 8, "wcxb_relabelled": 198, "wcxb_pages": 328}
    assert {name: len(articles) for name, articles in public.items()} == expected | {"gold_dev": 103, "samples": 5}
    folder = Path(os.environ["NOISEFILTER_DATA"])
    for source in load_sources(TRAINING / "sources.toml"):
        assert hashlib.sha256((folder / source.file).read_bytes()).hexdigest() == source.sha256, source.name


@pytest.mark.shared
@NEEDS_THE_SETS
def test_sites_of_the_scraped_test_articles_are_not_learnt_from(public):
    """Only 34 of the 103 state a url; of the other 69 it cannot be checked."""
    folder = Path(os.environ["NOISEFILTER_DATA"])
    rows = gzip.decompress((folder / "gold_dev.jsonl.gz").read_bytes()).decode().splitlines()
    tested = [urlsplit(json.loads(row)["url"]).netloc.removeprefix("www.") for row in rows]
    stated = [site for site in tested if site]
    assert (len(tested), len(stated)) == (103, 34)
    assert "cbsnews.com" in stated
    learnt = [source.name for source in load_sources(TRAINING / "sources.toml") if source.use == "train"]
    assert len(learnt) == 4
    for name in learnt:
        assert not {article.site.removeprefix("www.") for article in public[name]} & set(stated), name
