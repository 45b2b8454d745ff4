"""The text that speed is measured on: paragraphs of the authored corpus, put together anew.

The corpus has two megabytes; a benchmark needs up to a thousand. A made article is a whole one of the corpus in which
one paragraph in ten has been replaced by one of another article, so it has the usual length, mostly hangs together,
and has its share of noise. The same seed gives the same text.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from noisefilter.article import Article

CORPUS = Path(__file__).parents[1] / "corpus" / "train.jsonl"
REPLACED = 0.1
"""Chance that a paragraph comes from another article."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The articles that text is made from.

    Attributes
    ----------
    articles : tuple of (title, paragraphs)
    paragraphs : tuple of str
        Of all articles, in order.
    """

    articles: tuple[tuple[str, tuple[str, ...]], ...]
    paragraphs: tuple[str, ...]


def read_corpus(path: Path = CORPUS) -> Corpus:
    """Return titles and paragraphs of a label file."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    articles = tuple((row.get("title") or "", tuple(one["text"] for one in row["paragraphs"])) for row in rows)
    return Corpus(articles, tuple(text for _, texts in articles for text in texts))


def size_of(article: Article) -> int:
    """Return the bytes of an article's paragraphs in UTF-8."""
    return sum(len(paragraph.text.encode()) for paragraph in article.paragraphs)


def articles(corpus: Corpus, seed: int = 0) -> Iterator[Article]:
    """Yield articles without end."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    while True:
        title, texts = chance.choice(corpus.articles)
        yield Article(title, [chance.choice(corpus.paragraphs) if chance.random() < REPLACED else t for t in texts])


def articles_of_size(corpus: Corpus, size: int, seed: int = 0) -> list[Article]:
    """Return the fewest articles whose paragraphs have at least so many bytes in UTF-8."""
    chosen, total = [], 0
    for article in articles(corpus, seed):
        if total >= size:
            break
        chosen.append(article)
        total += size_of(article)
    return chosen


def write_jsonl(path: Path, corpus: Corpus, size: int, seed: int = 0) -> int:
    """Write articles as JSON lines until their texts have at least so many bytes in UTF-8; return how many."""
    total = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, article in enumerate(articles(corpus, seed)):
            if total >= size:
                break
            record = {"id": f"made-{number}", "title": article.title, "text": article.text, "language": "en"}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            total += len(article.text.encode())
    return total


def ordinary(corpus: Corpus, count: int, seed: int = 0) -> list[str]:
    """Return so many paragraphs of consecutive made articles."""
    texts: list[str] = []
    for article in articles(corpus, seed):
        texts += [paragraph.text for paragraph in article.paragraphs]
        if len(texts) >= count:
            break
    return texts[:count]


def near_identical(corpus: Corpus, count: int, seed: int = 0) -> list[str]:
    """Return one long paragraph so many times, each with a number of its own."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    text = chance.choice([text for text in corpus.paragraphs if 150 <= len(text) <= 250])
    return [f"{text} It was entry {number} of the list." for number in range(1, count + 1)]
