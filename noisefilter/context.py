"""How a paragraph relates to its article: what makes a paragraph off-topic *here*.

A paragraph that repeats this one word for word must not vouch for it (an
insert pasted three times would otherwise pass), so near-duplicates are left
out wherever a paragraph is compared with the others.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from noisefilter.article import Article
from noisefilter.headline import headline_of, title_index
from noisefilter.text import STOP_WORDS, ends_sentence, normalise, stem, word_list

NEIGHBOURS = 2
_NEAR_DUPLICATE = 0.8
_SMALL = 1e-9


@dataclass(frozen=True, slots=True)
class ArticleParagraph:
    """One paragraph in its article: the sample that the classifier sees.

    Attributes
    ----------
    article : Article
    index : int
        Which of the article's paragraphs it is, from 0.
    """

    article: Article
    index: int

    @property
    def text(self) -> str:
        """The paragraph's text."""
        return self.article.paragraphs[self.index].text


def in_context(articles: Iterable[Article]) -> list[ArticleParagraph]:
    """Return every paragraph of the articles as a sample, in order."""
    return [ArticleParagraph(article, index) for article in articles for index in range(len(article.paragraphs))]


FEATURES = (
    "elsewhere",
    "elsewhere_twice",
    "cosine_rest",
    "cosine_nearest",
    "before",
    "after",
    "around",
    "title_covered",
    "title_covers",
    "title_like",
    "names_elsewhere",
    "names_new",
    "numbers_new",
    "elsewhere_relative",
    "cosine_relative",
    "before_relative",
    "names_relative",
    "position",
    "from_start",
    "from_end",
    "article_length",
    "words",
    "words_relative",
    "sentences",
    "ends_sentence",
    "starts_lower",
    "capitalised",
    "capitals",
    "digits",
    "marks",
    "quoted",
    "colon",
    "stop_words",
    "unknown_words",
    "repeats_before",
    "repeats_after",
    "previous_words",
    "next_words",
    "previous_ends",
    "next_ends",
    "short_run",
    "long_below",
)
"""Names of the context features, in the order of the columns."""


class ContextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers that say how a paragraph relates to its article and where it stands.

    Attributes
    ----------
    idf_ : dict of str to float
        Inverse document frequency of word stems in the training paragraphs, in nats.
    unseen_idf_ : float
        That of a stem which the training data does not hold.
    """

    def fit(self, samples: Sequence[ArticleParagraph], y: Any = None) -> Self:
        """Learn how rare each word stem is."""
        count: Counter[str] = Counter()
        for sample in samples:
            count.update({stem(word) for word in word_list(normalise(sample.text))} - STOP_WORDS)
        total = len(samples)
        self.idf_ = {term: math.log((1 + total) / (1 + n)) + 1 for term, n in sorted(count.items()) if n > 1}
        self.unseen_idf_ = math.log((1 + total) / 2) + 1
        return self

    def transform(self, samples: Sequence[ArticleParagraph]) -> NDArray[np.float64]:
        """Return the features of each sample, shape (n_samples, len(FEATURES))."""
        check_is_fitted(self)
        table: dict[int, NDArray[np.float64]] = {}
        rows = np.empty((len(samples), len(FEATURES)))
        for row, sample in enumerate(samples):
            key = id(sample.article)
            if key not in table:
                table[key] = self.of_article(sample.article)
            rows[row] = table[key][sample.index]
        return rows

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return ``FEATURES`` as an array."""
        return np.asarray(FEATURES, dtype=object)

    def of_article(self, article: Article) -> NDArray[np.float64]:
        """Return the features of all paragraphs of one article, shape (n_paragraphs, len(FEATURES))."""
        given = [_Reading(normalise(paragraph.text), self) for paragraph in article.paragraphs]
        if not given:
            return np.empty((0, len(FEATURES)))
        which = title_index(article)
        if article.title and article.title.strip():
            title = _Reading(headline_of(article.title), self)
        else:
            title = _Reading(headline_of(given[which].text) if which is not None else "", self)
        return _Relations(given, title, which).table()


class _Reading:
    """What is read from one paragraph alone."""

    __slots__ = ("capitalised", "ends", "idf", "mass", "names", "norm", "numbers", "plain", "stems", "text", "unknown", "weights", "words")

    def __init__(self, text: str, features: ContextFeatures) -> None:
        self.text = text
        self.words = word_list(text)
        self.ends = ends_sentence(text)
        self.plain = [word.lower() for word in self.words]
        counts = Counter(stem(word) for word in self.words if word.lower() not in STOP_WORDS)
        self.weights = {
            term: (1 + math.log(n)) * features.idf_.get(term, features.unseen_idf_) for term, n in counts.items()
        }
        self.stems = frozenset(self.weights)
        self.idf = {term: features.idf_.get(term, features.unseen_idf_) for term in self.weights}
        self.mass = sum(self.idf.values())
        self.norm = math.sqrt(sum(weight * weight for weight in self.weights.values()))
        self.unknown = sum(term not in features.idf_ for term in self.stems) / max(1, len(self.stems))
        self.numbers = {word for word in self.words if word[0].isdigit()}
        self.capitalised = [word for word in self.words if word[0].isupper()]
        first = self.words[0] if self.words else ""
        names = {stem(word) for word in self.capitalised[1 if first[:1].isupper() else 0 :]}
        self.names = names & self.stems

    def share_in(self, others: frozenset[str] | set[str]) -> float:
        """Share of the IDF mass whose stems are among `others`."""
        return sum(self.idf[term] for term in self.stems & others) / self.mass if self.mass else 0.5

    def cosine(self, weights: dict[str, float], norm: float) -> float:
        if not self.norm or norm <= _SMALL:
            return 0.0
        return sum(weight * weights.get(term, 0.0) for term, weight in self.weights.items()) / (self.norm * norm)

    def jaccard(self, other: "_Reading") -> float:
        together = len(self.stems | other.stems)
        return len(self.stems & other.stems) / together if together else float(self.text == other.text)


class _Relations:
    """The paragraphs of one article, held against each other."""

    def __init__(self, readings: list[_Reading], title: _Reading, title_at: int | None) -> None:
        self.readings = readings
        self.title = title
        self.title_at = title_at
        self.holders: dict[str, set[int]] = {}
        for index, reading in enumerate(readings):
            for term in reading.stems:
                self.holders.setdefault(term, set()).add(index)
        self.twins = [self._twins(index) for index in range(len(readings))]
        self.total: Counter[str] = Counter()
        for reading in readings:
            self.total.update(reading.weights)

    def _twins(self, index: int) -> set[int]:
        """Indices of the near-duplicates of a paragraph, itself included."""
        reading = self.readings[index]
        if not reading.stems:
            return {other for other, them in enumerate(self.readings) if them.text == reading.text}
        rarest = min(reading.stems, key=lambda term: (len(self.holders[term]), term))
        twins = {index}
        candidates = self.holders[rarest]
        if len(reading.stems) > 4:
            second = min(reading.stems - {rarest}, key=lambda term: (len(self.holders[term]), term))
            candidates = candidates | self.holders[second]
        for other in candidates:
            if other != index and reading.jaccard(self.readings[other]) >= _NEAR_DUPLICATE:
                twins.add(other)
        return twins

    def table(self) -> NDArray[np.float64]:
        rows = np.array([self._row(index) for index in range(len(self.readings))])
        column = {name: at for at, name in enumerate(FEATURES)}
        substantial = np.array([len(reading.stems) >= 5 for reading in self.readings])
        for relative, absolute in (
            ("elsewhere_relative", "elsewhere"),
            ("cosine_relative", "cosine_rest"),
            ("before_relative", "around"),
            ("names_relative", "names_elsewhere"),
            ("words_relative", "words"),
        ):
            values = rows[:, column[absolute]]
            middle = float(np.median(values[substantial])) if substantial.any() else float(np.median(values))
            rows[:, column[relative]] = values - middle
        return rows

    def _near(self, index: int, step: int) -> set[str]:
        """Stems of the next few paragraphs before (-1) or after (1) that are no near-duplicates."""
        stems: set[str] = set()
        found = 0
        at = index + step
        while 0 <= at < len(self.readings) and found < NEIGHBOURS:
            if at not in self.twins[index]:
                stems |= self.readings[at].stems
                found += 1
            at += step
        return stems

    def _row(self, index: int) -> list[float]:
        reading = self.readings[index]
        twins = self.twins[index]
        n = len(self.readings)
        elsewhere, twice = set(), set()
        for term in reading.stems:
            holders = len(self.holders[term] - twins)
            if holders:
                elsewhere.add(term)
            if holders > 1:
                twice.add(term)
        in_title = self.title_at != index
        if in_title:
            elsewhere |= reading.stems & self.title.stems
        rest = {
            term: self.total[term] - sum(self.readings[twin].weights.get(term, 0.0) for twin in twins)
            for term in reading.stems
        }
        cosine_rest = reading.cosine(rest, self._norm_without(twins))
        nearest = max(
            (reading.cosine(self.readings[other].weights, self.readings[other].norm) for other in self._sharing(index)),
            default=0.0,
        )
        before, after = self._near(index, -1), self._near(index, 1)
        names_new = len(reading.names - elsewhere)
        numbers_elsewhere = {stem(number) for number in reading.numbers} & elsewhere
        title_covered = self.title.share_in(reading.stems) if in_title and self.title.mass else 0.0
        title_covers = reading.share_in(self.title.stems) if in_title and self.title.mass else 0.0
        count = len(reading.words)
        letters = max(1, len(reading.text))
        previous = self.readings[index - 1] if index else None
        following = self.readings[index + 1] if index + 1 < n else None
        row = {
            "elsewhere": reading.share_in(elsewhere),
            "elsewhere_twice": reading.share_in(twice),
            "cosine_rest": cosine_rest,
            "cosine_nearest": nearest,
            "before": reading.share_in(before),
            "after": reading.share_in(after),
            "around": reading.share_in(before | after),
            "title_covered": title_covered,
            "title_covers": title_covers,
            "title_like": min(title_covered, title_covers),
            "names_elsewhere": len(reading.names & elsewhere) / len(reading.names) if reading.names else 0.5,
            "names_new": math.log1p(names_new),
            "numbers_new": math.log1p(len(reading.numbers) - len(numbers_elsewhere)),
            "position": index / max(1, n - 1),
            "from_start": math.log1p(index),
            "from_end": math.log1p(n - 1 - index),
            "article_length": math.log1p(n),
            "words": math.log1p(count),
            "sentences": math.log1p(sum(reading.text.count(mark) for mark in ".!?")),
            "ends_sentence": float(reading.ends),
            "starts_lower": float(reading.text[:1].islower()),
            "capitalised": len(reading.capitalised) / max(1, count),
            "capitals": sum(word.isupper() and len(word) > 1 for word in reading.words) / max(1, count),
            "digits": sum(character.isdigit() for character in reading.text) / letters,
            "marks": sum(not (c.isalnum() or c.isspace() or c in ".,'\"-") for c in reading.text) / letters,
            "quoted": float('"' in reading.text),
            "colon": float(":" in reading.text[:40]),
            "stop_words": sum(word in STOP_WORDS for word in reading.plain) / max(1, count),
            "unknown_words": reading.unknown,
            "repeats_before": float(any(twin < index for twin in twins)),
            "repeats_after": float(any(twin > index for twin in twins)),
            "previous_words": math.log1p(len(previous.words)) if previous else -1.0,
            "next_words": math.log1p(len(following.words)) if following else -1.0,
            "previous_ends": float(previous.ends) if previous else 0.5,
            "next_ends": float(following.ends) if following else 0.5,
            "short_run": math.log1p(self._short_run(index)),
            "long_below": math.log1p(sum(len(later.words) > 25 for later in self.readings[index + 1 :])),
        }
        return [row.get(name, 0.0) for name in FEATURES]

    def _sharing(self, index: int) -> list[int]:
        return sorted({other for term in self.readings[index].stems for other in self.holders[term]} - self.twins[index])

    def _norm_without(self, twins: set[int]) -> float:
        if len(twins) == len(self.readings):
            return 0.0
        if not hasattr(self, "_square"):
            self._square = sum(weight * weight for weight in self.total.values())
        square = self._square
        left_out: Counter[str] = Counter()
        for twin in twins:
            left_out.update(self.readings[twin].weights)
        for term, weight in left_out.items():
            square += (self.total[term] - weight) ** 2 - self.total[term] ** 2
        return math.sqrt(max(0.0, square))

    def _short_run(self, index: int) -> int:
        """How many paragraphs of under 15 words stand in a row around this one, itself counted if it is one."""
        run = 0
        for step in (-1, 1):
            at = index + (0 if step == 1 else -1)
            while 0 <= at < len(self.readings) and len(self.readings[at].words) < 15:
                run += 1
                at += step
        return run


class PiecewiseLinear(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Expand each number into hat functions, so that a linear model can draw a curve.

    The knots are quantiles of the training data: a B-spline of degree 1 (de
    Boor, *A Practical Guide to Splines*, 1978, ch. IX). Beyond the outer knots
    the curve stays level.

    Parameters
    ----------
    knots : int
        At most so many knots for each number; fewer where quantiles coincide.

    Attributes
    ----------
    knots_ : list of ndarray
        The knots of each number, rising.
    """

    def __init__(self, knots: int = 8) -> None:
        self.knots = knots

    def fit(self, numbers: NDArray[np.float64], y: Any = None) -> Self:
        """Place the knots, `numbers` of shape (n_samples, n_features)."""
        shares = np.linspace(0, 1, self.knots)
        self.knots_ = [
            np.unique(np.round(np.quantile(column, shares, method="lower"), 6)) for column in np.asarray(numbers).T
        ]
        return self

    def transform(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the hats, shape (n_samples, total number of knots); those of one number sum to 1."""
        check_is_fitted(self)
        blocks = []
        for column, knots in zip(np.asarray(numbers).T, self.knots_, strict=True):
            hats = np.eye(len(knots))
            blocks += [np.interp(column, knots, hat)[:, None] for hat in hats]
        return np.hstack(blocks) if blocks else np.empty((len(numbers), 0))
