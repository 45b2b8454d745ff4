"""Where a paragraph stands in its article, how it is shaped, and what of it comes again elsewhere.

A paragraph that repeats this one word for word must not vouch for it (an
insert pasted three times would otherwise pass), so near-duplicates are left
out wherever a paragraph is compared with the others. Which of the others can
be trusted to vouch is told by `relations`.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from noisefilter.article import Article
from noisefilter.features import FEATURES, REACH
from noisefilter.headline import headline_of, title_index
from noisefilter.reading import Reading
from noisefilter.text import STOP_WORDS, marks, normalise, stem, word_list

NEIGHBOURS = 2
_NEAR_DUPLICATE = 0.8
_SUBSTANTIAL = 5
_SHORT = 15
_LONG = 25

_RELATIVE = {
    "elsewhere_relative": "elsewhere",
    "cosine_relative": "cosine_rest",
    "around_relative": "around",
    "names_relative": "names_elsewhere",
    "words_relative": "words",
}


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


class ContextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers that say how a paragraph stands in its article, without regard to what the others are.

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
        tables: dict[int, NDArray[np.float64]] = {}
        rows = np.empty((len(samples), len(FEATURES)))
        for row, sample in enumerate(samples):
            key = id(sample.article)
            if key not in tables:
                tables[key] = self.read(sample.article).table()
            rows[row] = tables[key][sample.index]
        return rows

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return ``FEATURES`` as an array."""
        return np.asarray(FEATURES, dtype=object)

    def read(self, article: Article) -> "ArticleReading":
        """Read all paragraphs of an article, and its title."""
        check_is_fitted(self)
        readings = [Reading(normalise(paragraph.text), self.idf_, self.unseen_idf_) for paragraph in article.paragraphs]
        at = title_index(article)
        title = article.title or (article.paragraphs[at].text if at is not None else "")
        return ArticleReading(readings, Reading(headline_of(title), self.idf_, self.unseen_idf_), at)


@dataclass(eq=False)
class ArticleReading:
    """The paragraphs of one article, ready to be held against each other.

    Attributes
    ----------
    readings : list of Reading
    title : Reading
        Empty where there is none.
    title_at : int or None
        Which paragraph is the title.
    """

    readings: list[Reading]
    title: Reading
    title_at: int | None

    @cached_property
    def holders(self) -> dict[str, list[int]]:
        """Which paragraphs hold each stem, in their order."""
        holders: dict[str, list[int]] = {}
        for index, reading in enumerate(self.readings):
            for term in sorted(reading.stems):
                holders.setdefault(term, []).append(index)
        return holders

    @cached_property
    def groups(self) -> list[list[int]]:
        """For each paragraph, all those of the same stems (where it has none: of the same text), itself included."""
        same: dict[frozenset[str] | str, list[int]] = {}
        for index, reading in enumerate(self.readings):
            same.setdefault(reading.stems or reading.text, []).append(index)
        return [same[reading.stems or reading.text] for reading in self.readings]

    @cached_property
    def near(self) -> list[list[int]]:
        """For each paragraph, the near-duplicates within `REACH` that are not of its group, in their order."""
        return [self._near_duplicates(index) for index in range(len(self.readings))]

    def _near_duplicates(self, index: int) -> list[int]:
        reading, group = self.readings[index], self.groups[index]
        # Two paragraphs that share 80 % of their stems share one of any few: look only at the holders of the rarest.
        rarest = sorted(reading.stems, key=lambda term: (len(self.holders[term]), term))[: 1 + len(reading.stems) // 5]
        candidates = {other for term in rarest for other in self.holding(term, index)}
        return sorted(
            other
            for other in candidates
            if self.groups[other] is not group and reading.jaccard(self.readings[other]) >= _NEAR_DUPLICATE
        )

    def holding(self, term: str, index: int) -> list[int]:
        """Return the paragraphs within `REACH` of one that hold a stem."""
        held = self.holders[term]
        return held[bisect_left(held, index - REACH) : bisect_right(held, index + REACH)]

    def twin(self, index: int, other: int) -> bool:
        """Tell whether one paragraph is a near-duplicate of another, or the same."""
        return self.groups[other] is self.groups[index] or other in self.near[index]

    @cached_property
    def others(self) -> list[dict[str, int]]:
        """For each paragraph and each of its stems, how many hold it that are no twins."""
        return [
            {
                term: len(self.holders[term])
                - len(self.groups[index])
                - sum(term in self.readings[other].stems for other in self.near[index])
                for term in reading.weights
            }
            for index, reading in enumerate(self.readings)
        ]

    def cosines_to_rest(self, shares: Sequence[float]) -> list[float]:
        """Return the cosine of each paragraph to the others that are no twins, each as heavy as its share."""
        total: dict[str, float] = {}
        for reading, share in zip(self.readings, shares, strict=True):
            _add(total, reading.weights, share)
        square = sum(value * value for value in total.values())
        of_group: dict[int, dict[str, float]] = {}
        for group in self.groups:
            if id(group) not in of_group:
                own: dict[str, float] = {}
                of_group[id(group)] = own
                for member in group:
                    _add(own, self.readings[member].weights, shares[member])
        return [
            self._cosine_to_rest(index, total, square, of_group[id(group)], shares)
            for index, group in enumerate(self.groups)
        ]

    def _cosine_to_rest(
        self, index: int, total: dict[str, float], square: float, own: dict[str, float], shares: Sequence[float]
    ) -> float:
        if self.near[index]:
            own = own.copy()
            for other in self.near[index]:
                _add(own, self.readings[other].weights, shares[other])
        for term, value in own.items():
            rest = total[term] - value
            square += rest * rest - total[term] * total[term]
        rests = {term: total[term] - own[term] for term, others in self.others[index].items() if others}
        return self.readings[index].cosine(rests, math.sqrt(square) if square > 1e-9 else 0.0)

    def titled(self, index: int) -> bool:
        """Tell whether there is a title that the paragraph can be held against."""
        return self.title_at != index and self.title.mass > 0

    def relative(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return columns less their median over the paragraphs that have words enough."""
        enough = np.array([len(reading.stems) >= _SUBSTANTIAL for reading in self.readings])
        chosen = values[enough] if enough.any() else values
        result: NDArray[np.float64] = values - np.median(chosen, axis=0)
        return result

    def table(self) -> NDArray[np.float64]:
        """Return the features of all paragraphs, shape (n_paragraphs, len(FEATURES))."""
        if not self.readings:
            return np.empty((0, len(FEATURES)))
        cosines = self.cosines_to_rest([1.0] * len(self.readings))
        long_below = np.cumsum([len(reading.words) > _LONG for reading in self.readings][::-1])[::-1]
        rows = []
        for index, reading in enumerate(self.readings):
            row = self._words_elsewhere(index) | self._place(index) | _shape(reading)
            row["cosine_rest"] = cosines[index]
            row["long_below"] = math.log1p(long_below[index] - (len(reading.words) > _LONG))
            rows.append([row.get(name, 0.0) for name in FEATURES])
        table = np.array(rows)
        column = {name: at for at, name in enumerate(FEATURES)}
        absolute = [column[name] for name in _RELATIVE.values()]
        table[:, [column[name] for name in _RELATIVE]] = self.relative(table[:, absolute])
        return table

    def _words_elsewhere(self, index: int) -> dict[str, float]:
        reading, others = self.readings[index], self.others[index]
        elsewhere = {term for term, count in others.items() if count}
        nearest = max((self._cosine(index, other) for other in self._sharing(index)), default=0.0)
        titled = self.titled(index)
        if titled:
            elsewhere |= reading.stems & self.title.stems
        covered = self.title.share_in(reading.stems) if titled else 0.0
        covers = reading.share_in(self.title.stems) if titled else 0.0
        before, after = self._near(index, -1), self._near(index, 1)
        known = sum(term in elsewhere for term in reading.names)
        numbers_elsewhere = {stem(number) for number in reading.numbers} & elsewhere
        return {
            "elsewhere": reading.share_in(elsewhere),
            "elsewhere_twice": reading.share_in({term for term, count in others.items() if count > 1}),
            "cosine_nearest": nearest,
            "before": reading.share_in(before),
            "after": reading.share_in(after),
            "around": reading.share_in(before | after),
            "title_covered": covered,
            "title_covers": covers,
            "title_like": min(covered, covers),
            "names_elsewhere": known / len(reading.names) if reading.names else 0.5,
            "names_new": math.log1p(len(reading.names) - known),
            "numbers_new": math.log1p(len(reading.numbers) - len(numbers_elsewhere)),
        }

    def _place(self, index: int) -> dict[str, float]:
        count = len(self.readings)
        twins = [self.groups[index][0], self.groups[index][-1], *self.near[index][:1], *self.near[index][-1:]]
        previous = self.readings[index - 1] if index else None
        following = self.readings[index + 1] if index + 1 < count else None
        return {
            "position": index / max(1, count - 1),
            "from_start": math.log1p(index),
            "from_end": math.log1p(count - 1 - index),
            "article_length": math.log1p(count),
            "repeats_before": float(min(twins) < index),
            "repeats_after": float(max(twins) > index),
            "previous_words": math.log1p(len(previous.words)) if previous else -1.0,
            "next_words": math.log1p(len(following.words)) if following else -1.0,
            "previous_ends": float(previous.ends) if previous else 0.5,
            "next_ends": float(following.ends) if following else 0.5,
            "short_run": math.log1p(self._short_runs[index]),
        }

    def _near(self, index: int, step: int) -> set[str]:
        """Return the stems of the next few paragraphs before (-1) or after (1) that are no near-duplicates."""
        stems: set[str] = set()
        found = 0
        at = index + step
        while 0 <= at < len(self.readings) and abs(at - index) <= REACH and found < NEIGHBOURS:
            if not self.twin(index, at):
                stems |= self.readings[at].stems
                found += 1
            at += step
        return stems

    def _sharing(self, index: int) -> set[int]:
        candidates = {other for term in self.readings[index].stems for other in self.holding(term, index)}
        return {other for other in candidates if not self.twin(index, other)}

    def _cosine(self, index: int, other: int) -> float:
        return self.readings[index].cosine(self.readings[other].weights, self.readings[other].norm)

    @cached_property
    def _short_runs(self) -> list[int]:
        """For each paragraph, how many short ones stand in a row around it, itself counted if it is short."""
        short = [len(reading.words) < _SHORT for reading in self.readings]
        before, after = [0] * len(short), [0] * len(short)
        for at in range(1, len(short)):
            before[at] = before[at - 1] + 1 if short[at - 1] else 0
        for at in range(len(short) - 2, -1, -1):
            after[at] = after[at + 1] + 1 if short[at + 1] else 0
        return [
            left + (1 + right if is_short else 0) for left, right, is_short in zip(before, after, short, strict=True)
        ]


def _add(total: dict[str, float], weights: Mapping[str, float], share: float) -> None:
    for term, weight in weights.items():
        total[term] = total.get(term, 0.0) + share * weight


def _shape(reading: Reading) -> dict[str, float]:
    text, words = reading.text, reading.words
    count, length = max(1, len(words)), max(1, len(text))
    return {
        "words": math.log1p(len(words)),
        "sentences": math.log1p(sum(text.count(mark) for mark in ".!?")),
        "ends_sentence": float(reading.ends),
        "starts_lower": float(text[:1].islower()),
        "capitalised": len(reading.capitalised) / count,
        "capitals": sum(word.isupper() and len(word) > 1 for word in words) / count,
        "digits": sum(character.isdigit() for character in text) / length,
        "marks": marks(text) / length,
        "quoted": float('"' in text),
        "colon": float(":" in text[:40]),
        "stop_words": sum(word.lower() in STOP_WORDS for word in words) / count,
        "unknown_words": reading.unknown,
    }
