"""Labelled articles: the schema, reading and checking it, and splits that keep sites apart."""

import gzip
import hashlib
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisefilter.article import Article, Label
from noisefilter.errors import LabelError
from noisefilter.kinds import KINDS, OTHER_NAMES
from noisefilter.text import normalise

ARTICLE_FIELDS = frozenset(
    """id title language topic form site_style license paragraphs source domain group url note provenance extractor
    lang authors published""".split()
)
PARAGRAPH_FIELDS = frozenset("text label kind alt reason".split())
_SIDES = ("train", "test", "dev", "valid", "validation", "calibration")
_LONG = 10
_SITE_FIELDS = ("site_style", "domain", "source")
"""What names the site of an article: the first of them that it has."""
_TEXT_FIELDS = ("title", "topic", "form", "language", "lang", *_SITE_FIELDS)


@dataclass(frozen=True, slots=True)
class LabelledParagraph:
    """A paragraph and what a reader said of it.

    Attributes
    ----------
    text : str
    label : Label
    kind : str or None
        A finer class.
    alt : Label or None
        A second label that is acceptable too.
    reason : str or None
        Why the same text may stand elsewhere with another label.
    """

    text: str
    label: Label
    kind: str | None = None
    alt: Label | None = None
    reason: str | None = None

    @property
    def scored(self) -> bool:
        """Whether the paragraph counts in keep/drop figures: decided, and no second label across that border."""
        if self.label is Label.AMBIGUOUS:
            return False
        return self.alt is None or self.alt is Label.AMBIGUOUS or self.alt.is_noise == self.label.is_noise


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """An article every paragraph of which has a label.

    Attributes
    ----------
    id : str
    title : str or None
    paragraphs : tuple of LabelledParagraph
    site : str
        What must not stand on both sides of a split: the site's style, its domain, or the source.
    topic, form, language : str or None
    where : str
        File and line, for messages.
    """

    id: str
    title: str | None
    paragraphs: tuple[LabelledParagraph, ...]
    site: str
    topic: str | None = None
    form: str | None = None
    language: str | None = None
    where: str = ""

    @property
    def article(self) -> Article:
        """The article as the filter sees it."""
        return Article(self.title, [paragraph.text for paragraph in self.paragraphs], source=self.site)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a label file: where, what, and what to do."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def read_labels(paths: Iterable[Path]) -> list[LabelledArticle]:
    """Read label files, JSON lines of whole articles, plain or gzipped.

    Raises
    ------
    LabelError
        At the first line that does not follow the schema, naming file, line and what to do; if an id comes twice;
        or if there is no article.
    """
    paths = list(paths)
    articles = [article for article, _ in _read(paths)]
    if not articles:
        raise _no_article(paths)
    repeated = _repeated_ids(articles)
    if repeated:
        raise LabelError(str(repeated[0]))
    return articles


def _read(paths: Iterable[Path]) -> Iterator[tuple[LabelledArticle, str]]:
    """Yield each article with its line; raise a LabelError at the first that does not follow the schema."""
    for path in paths:
        for where, line in _lines(path):
            article, problems = parse_line(line, where)
            if article is None:
                raise LabelError(str(problems[0]))
            yield article, line


def _no_article(paths: Sequence[Path]) -> LabelError:
    names = ", ".join(map(str, paths))
    return LabelError(f"{names}: no article: give JSON lines as training/LABELLING.md describes")


def check_labels(paths: Iterable[Path]) -> tuple[list[LabelledArticle], list[Problem]]:
    """Read label files and find all that is wrong with them.

    Checks the schema, labels and kinds, articles without a site, ids that come twice, sites and
    paragraphs of ten words or more that stand on two sides of a split (files or
    folders named train, test, dev, …), and the same text with two labels where no `reason` is given.

    Returns
    -------
    articles : list of LabelledArticle
        Those that could be read.
    problems : list of Problem

    Raises
    ------
    LabelError
        If there is nothing to check.
    """
    paths = list(paths)
    problems: list[Problem] = []
    articles: list[LabelledArticle] = []
    side_of: dict[str, str | None] = {}
    for path in paths:
        empty = True
        try:
            for where, line in _lines(path):
                empty = False
                article, found = parse_line(line, where, strict=True)
                problems += found
                if article is not None:
                    articles.append(article)
                    side_of[where] = _side(path)
        except LabelError as error:
            problems.append(Problem(str(path), str(error).removeprefix(f"{path}: ")))
        else:
            if empty and len(paths) > 1:
                problems.append(Problem(str(path), "no article: fill it, or leave it out"))
    if not articles and not problems:
        raise _no_article(paths)
    problems += _repeated_ids(articles)
    problems += _across_splits(articles, side_of)
    problems += _two_labels(articles)
    return articles, problems


def parse_line(line: str, where: str, *, strict: bool = False) -> tuple[LabelledArticle | None, list[Problem]]:
    """Parse one line of a label file; without `strict`, unknown fields and kinds pass."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, [Problem(where, f"not JSON ({error}): write one article a line")]
    wrong = _wrong_fields(row)
    if wrong:
        return None, [Problem(where, wrong)]
    problems = []
    if strict:
        known = ", ".join(sorted(ARTICLE_FIELDS))
        problems += [
            Problem(where, f"unknown field {field!r}: use one of {known}")
            for field in sorted(set(row) - ARTICLE_FIELDS)
        ]
        if not any(map(row.get, _SITE_FIELDS)):
            what = "no site, so it counts as a site of its own, also where training and test must not share one"
            problems.append(Problem(where, f"{what}: give {', '.join(_SITE_FIELDS[:-1])} or {_SITE_FIELDS[-1]}"))
    paragraphs = []
    for number, entry in enumerate(row["paragraphs"]):
        paragraph, found = _parse_paragraph(entry, f"{where}: paragraphs[{number}]", strict)
        problems += found
        if paragraph is None:
            return None, problems
        paragraphs.append(paragraph)
    site = next((row[field] for field in _SITE_FIELDS if row.get(field)), row["id"])
    language = row.get("language") or row.get("lang")
    title = row.get("title") or None
    article = LabelledArticle(
        row["id"], title, tuple(paragraphs), site, row.get("topic"), row.get("form"), language, where
    )
    return article, problems


def _wrong_fields(row: Any) -> str | None:
    """Return what is wrong with the fields of an article, or None."""
    if not isinstance(row, dict):
        return "not a JSON object: write one article a line"
    if not isinstance(row.get("id"), str) or not row["id"]:
        return "no id: give each article a string `id` of its own"
    if not isinstance(row.get("paragraphs"), list) or not row["paragraphs"]:
        return "no paragraphs: give a list of {text, label, kind}"
    strange = [field for field in _TEXT_FIELDS if not isinstance(row.get(field) or "", str)]
    return f"{strange[0]} is not a string: correct it or leave it out" if strange else None


def _parse_paragraph(entry: Any, where: str, strict: bool) -> tuple[LabelledParagraph | None, list[Problem]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        return None, [Problem(where, "no text: give {text, label, kind}")]
    names = ", ".join(label.value for label in Label)
    for field in ("label", "alt"):
        if entry.get(field) not in list(Label) and not (field == "alt" and entry.get(field) is None):
            return None, [Problem(where, f"unknown {field} {entry.get(field)!r}: use one of {names}")]
    for field in ("kind", "reason"):
        if not isinstance(entry.get(field) or "", str):
            return None, [Problem(where, f"{field} is not a string: correct it or leave it out")]
    label = Label(entry["label"])
    kind = OTHER_NAMES.get(entry.get("kind") or "", entry.get("kind") or None)
    problems = []
    if strict:
        if kind is not None and kind not in KINDS[label] and label is not Label.AMBIGUOUS:
            problems.append(Problem(where, f"unknown kind {kind!r} of {label}: see training/LABELLING.md"))
        known, strange = ", ".join(sorted(PARAGRAPH_FIELDS)), sorted(set(entry) - PARAGRAPH_FIELDS)
        problems += [Problem(where, f"unknown field {field!r}: use {known}") for field in strange]
        if not entry["text"].strip():
            problems.append(Problem(where, "empty text: leave the paragraph out"))
    alt = Label(entry["alt"]) if entry.get("alt") else None
    return LabelledParagraph(entry["text"], label, kind, alt, entry.get("reason")), problems


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8").removeprefix("\ufeff")  # a byte order mark is none of the first line's
    except FileNotFoundError:
        raise LabelError(f"{path}: no such file: check the path") from None
    except IsADirectoryError:
        raise LabelError(f"{path}: is a directory: name the label files in it") from None
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: not UTF-8 at byte {error.start}: convert it first") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LabelError(f"{path}: damaged gzip ({error}): fetch it again") from None
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}): check its permissions") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", line


def _repeated_ids(articles: Sequence[LabelledArticle]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for article in articles:
        if article.id in first:
            problems.append(
                Problem(article.where, f"id {article.id!r} stands at {first[article.id]} already: rename it")
            )
        first.setdefault(article.id, article.where)
    return problems


def _side(path: Path) -> str | None:
    """Return which side of a split a file is: what its name or its folder says, or None."""
    for part in (path.stem.removesuffix(".jsonl"), path.resolve().parent.name):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in _SIDES:
                return word
    return None


def _across_splits(articles: Sequence[LabelledArticle], side_of: dict[str, str | None]) -> list[Problem]:
    """Find sites and longer paragraphs that stand on two sides of a split."""
    problems = []
    sides: dict[str, dict[str, str]] = defaultdict(dict)
    for article in articles:
        side = side_of[article.where]
        if side is None:
            continue
        sides[f"site {article.site}"].setdefault(side, article.where)
        for paragraph in article.paragraphs:
            text = normalise(paragraph.text)
            if len(text.split()) >= _LONG:
                sides[text].setdefault(side, article.where)
    for what, found in sides.items():
        if len(found) > 1:
            places = " and ".join(sorted(found.values()))
            problems.append(Problem(places, f"on both sides of a split: {what[:60]!r}: keep it on one side"))
    return problems


def _two_labels(articles: Sequence[LabelledArticle]) -> list[Problem]:
    seen: dict[str, list[tuple[LabelledParagraph, str]]] = defaultdict(list)
    for article in articles:
        for paragraph in article.paragraphs:
            if paragraph.label is not Label.AMBIGUOUS:
                seen[normalise(paragraph.text)].append((paragraph, article.where))
    problems = []
    for text, entries in seen.items():
        labels = {paragraph.label for paragraph, _ in entries}
        unexplained = [where for paragraph, where in entries if not paragraph.reason]
        if len(labels) > 1 and unexplained:
            first = {paragraph.label: where for paragraph, where in reversed(entries)}
            names = " and ".join(f"{label} (at {first[label]})" for label in sorted(labels))
            problems.append(Problem(unexplained[0], f"{text[:60]!r} is {names}: correct one, or give each a `reason`"))
    return problems


def refuse_overlap(training: Sequence[LabelledArticle], test: Sequence[LabelledArticle], name: str) -> None:
    """Raise a LabelError if a test set shares an article or a site with the training data."""
    for field in ("id", "site"):
        shared = {getattr(article, field) for article in training} & {getattr(article, field) for article in test}
        if shared:
            raise LabelError(
                f"{name}: {field} {min(shared)!r} is in the training data too: split with `noisefilter labels split`"
            )


def split_lines(paths: Iterable[Path], test_share: float, seed: int = 0) -> dict[str, list[str]]:
    """Return the lines of label files as ``train`` and ``test``, all articles of a site on one side.

    A site's side follows from its name and the seed alone, so it stays where it is when others join.

    Raises
    ------
    LabelError
        At the first line that does not follow the schema, or if there is no article.
    """
    paths = list(paths)
    sides: dict[str, list[str]] = {"train": [], "test": []}
    for article, line in _read(paths):
        digest = hashlib.sha256(f"{seed}:{article.site}".encode(errors="surrogatepass")).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        sides["test" if share < test_share else "train"].append(line)
    if not any(sides.values()):
        raise _no_article(paths)
    return sides


def label_stats(articles: Sequence[LabelledArticle]) -> dict[str, Any]:
    """Return the counts that ``labels stats`` prints."""
    paragraphs = [paragraph for article in articles for paragraph in article.paragraphs]
    noise = {normalise(paragraph.text) for paragraph in paragraphs if paragraph.label.is_noise}
    return {
        "articles": len(articles),
        "sites": len({article.site for article in articles}),
        "articles without noise": sum(
            not any(paragraph.label.is_noise for paragraph in article.paragraphs) for article in articles
        ),
        "paragraphs": len(paragraphs),
        "distinct noise paragraphs": len(noise),
        "hard content paragraphs": sum(p.label is Label.CONTENT and p.kind is not None for p in paragraphs),
        "labels": _counted(paragraph.label.value for paragraph in paragraphs),
        "kinds": _counted(f"{p.label.value}/{p.kind}" for p in paragraphs if p.kind),
        "topics": _counted(article.topic or "none" for article in articles),
        "forms": _counted(article.form or "none" for article in articles),
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def licence_of(path: Path) -> str:
    """Return the licences that the articles of a label file state."""
    licences = {str(json.loads(line).get("license", "licence not stated")) for _, line in _lines(path)}
    return ", ".join(sorted(licences))
