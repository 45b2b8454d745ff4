"""The fixtures, cleaned by the model that ships: what must go is gone, and what must stay is there.

A `mistake` in the expectations is one that this model makes: `drop` still says what is right, and the test fails as
soon as the mistake is made no more, so that it is struck off.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from noisefilter import Article, CleanedArticle, NoiseFilter, load_model
from noisefilter.kernel import built

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.txt"))
WINDOWS = "windows_file"


def text_of(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_bytes().decode()


def expected_of(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{name}.expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=[True, False], ids=["kernel", "reference"])
def cleaned_by_name(request: pytest.FixtureRequest) -> dict[str, CleanedArticle]:
    if request.param and not built():
        pytest.skip("the compiled kernel was not built")
    cleaner = NoiseFilter(load_model(kernel=request.param))
    return {name: cleaner.clean(text_of(name)) for name in NAMES}


def pairs(name: str, cleaned: CleanedArticle) -> list[tuple[bool | None, bool, str]]:
    """What is expected of each paragraph (None: either), what was decided, and its text."""
    rows = expected_of(name)["paragraphs"]
    return [(_foreseen(row), made.drop, row["text"]) for row, made in zip(rows, cleaned.decisions, strict=True)]


def _foreseen(row: dict[str, Any]) -> bool | None:
    return not row["drop"] if "mistake" in row else row["drop"]


def test_every_article_has_its_expectations_and_no_other_file_stands_there() -> None:
    files = {path.name for path in FIXTURES.iterdir()}
    assert files == {f"{name}{ending}" for name in NAMES for ending in (".txt", ".expected.json")}
    assert len(NAMES) >= 11


@pytest.mark.parametrize("name", NAMES)
def test_the_expectations_name_every_paragraph_in_order(name: str) -> None:
    expected = expected_of(name)
    assert [row["text"] for row in expected["paragraphs"]] == [
        paragraph.text for paragraph in Article.from_text(text_of(name)).paragraphs
    ]
    assert expected["title"] == expected["paragraphs"][0]["text"]
    assert all(("label" in row) == (row["drop"] is True) for row in expected["paragraphs"])
    assert {row.get("label") for row in expected["paragraphs"]} <= {None, "boilerplate", "off_topic"}
    assert all(row["drop"] is not None for row in expected["paragraphs"] if "mistake" in row)


def test_the_mistakes_are_few_and_the_readme_names_them() -> None:
    mistakes = [row for name in NAMES for row in expected_of(name)["paragraphs"] if "mistake" in row]
    readme = (FIXTURES.parent / "README.md").read_text(encoding="utf-8")
    assert len(mistakes) <= 3
    assert all(" ".join(row["text"].split()[:5]) in " ".join(readme.split()) for row in mistakes)


@pytest.mark.parametrize("name", NAMES)
def test_no_content_is_dropped(name: str, cleaned_by_name: dict[str, CleanedArticle]) -> None:
    lost = [text for expected, dropped, text in pairs(name, cleaned_by_name[name]) if expected is False and dropped]
    assert lost == []


@pytest.mark.parametrize("name", NAMES)
def test_all_noise_is_dropped(name: str, cleaned_by_name: dict[str, CleanedArticle]) -> None:
    missed = [text for expected, dropped, text in pairs(name, cleaned_by_name[name]) if expected and not dropped]
    assert missed == []


@pytest.mark.parametrize("name", NAMES)
def test_the_cleaned_text_is_the_expected_paragraphs_in_order(
    name: str, cleaned_by_name: dict[str, CleanedArticle]
) -> None:
    cleaned = cleaned_by_name[name]
    wanted = [
        text
        for expected, dropped, text in pairs(name, cleaned)
        if expected is False or (expected is None and not dropped)
    ]
    assert [paragraph.text for paragraph in Article.from_text(cleaned.text).paragraphs] == wanted


@pytest.mark.parametrize("name", NAMES)
def test_cleaning_twice_changes_nothing(name: str, cleaned_by_name: dict[str, CleanedArticle]) -> None:
    once = cleaned_by_name[name].text
    assert NoiseFilter().clean(once).text == once


def test_a_windows_file_keeps_its_byte_order_mark_and_line_ends(cleaned_by_name: dict[str, CleanedArticle]) -> None:
    raw = text_of(WINDOWS)
    assert raw.startswith("\ufeff")
    assert raw.count("\n") == raw.count("\r\n") > 0
    cleaned = cleaned_by_name[WINDOWS].text
    assert cleaned.startswith("\ufeff")
    assert cleaned.count("\n") == cleaned.count("\r\n") == cleaned.count("\r") > 0
    assert cleaned != raw


@pytest.mark.parametrize(
    ("inserted_in", "at_home_in"),
    [("war_report_mma_insert", "mma_report"), ("war_report_awards_insert", "awards_report")],
)
def test_an_insert_is_noise_in_one_article_and_content_in_another(inserted_in: str, at_home_in: str) -> None:
    drops: dict[str, dict[str, bool | None]] = defaultdict(dict)
    for name in (inserted_in, at_home_in):
        for row in expected_of(name)["paragraphs"]:
            drops[row["text"]][name] = row["drop"]
    shared = [drop for drop in drops.values() if len(drop) == 2]
    assert shared == [{inserted_in: True, at_home_in: False}] * 2


def test_the_readme_shows_a_real_run() -> None:
    root = FIXTURES.parent
    example = "fixtures/war_report_mma_insert.txt"
    executable = Path(sys.executable).with_name("noisefilter")
    run = subprocess.run([executable, "clean", "--diff", example], cwd=root, capture_output=True, check=True, text=True)
    shown = "\n".join(line[:100].rstrip() for line in run.stdout.splitlines())
    command = f"$ noisefilter clean --diff {example} | cut -c1-100"
    assert f"```console\n{command}\n{shown}\n```" in (root / "README.md").read_text(encoding="utf-8")
