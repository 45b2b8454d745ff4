"""Why a paragraph was decided as it was: the terms and features that weighed most.

All is worked out from a model's plain numbers, so it needs numpy and no scikit-learn, whichever scorer decided.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisefilter.arrays import as_numpy
from noisefilter.article import Label
from noisefilter.cleaner import CleanedArticle
from noisefilter.features import CLASSES, GRADES_PER_UNIT, SECOND_LOOK
from noisefilter.kinds import FAMILIES, LABEL_OF
from noisefilter.model import Model
from noisefilter.text import character_grams, lexical_tokens, normalise
from noisefilter.weights import Weights

_MOST = 6
_CONTENT = CLASSES.index("content")


@dataclass(frozen=True, slots=True)
class Weight:
    """What one term or feature adds to the log-odds of noise against content; below 0 it speaks for content.

    Attributes
    ----------
    name : str
    value : float
        TF-IDF of a term, value of a feature.
    weight : float
    """

    name: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What weighed most in one decision, heaviest first.

    Attributes
    ----------
    features : tuple of Weight
        Of the second look, against their average over the training data.
    terms : tuple of Weight
        Of the paragraph alone; the features ``alone:…`` sum them up.
    """

    features: tuple[Weight, ...]
    terms: tuple[Weight, ...]


def explain(model: Model, cleaned: CleanedArticle) -> tuple[Explanation, ...]:
    """Explain every decision of a cleaned article, each as it stood when it was made."""
    weights = model.scorer.weights
    reading = model.scorer.read(cleaned.article)
    turns = [score.round for score in cleaned.scored]
    numbers: dict[int, NDArray[np.float64]] = {}
    for turn in set(turns):
        alive = [at for at, other in enumerate(turns) if other >= turn]
        numbers |= {
            at: np.array(row) for at, row in zip(alive, reading.numbers(alive), strict=True) if turns[at] == turn
        }
    look = _SecondLook(weights)
    lexicon = _Lexicon(weights, [paragraph.text for paragraph in cleaned.article.paragraphs])
    explanations = []
    for at, decision in enumerate(cleaned.decisions):
        noise = CLASSES.index(Label.BOILERPLATE if decision.label is Label.CONTENT else decision.label)
        pulls = look.pulls(numbers[at], noise, _CONTENT)
        features = zip(SECOND_LOOK, numbers[at].tolist(), pulls.tolist(), strict=True)
        explanations.append(Explanation(_heaviest(features), _heaviest(lexicon.terms(at, noise))))
    return tuple(explanations)


class _SecondLook:
    """The numbers of the second look, as `noisefilter.look` uses them."""

    def __init__(self, weights: Weights) -> None:
        own = {
            name.removeprefix("second_"): as_numpy(array)
            for name, array in weights.arrays.items()
            if name.startswith("second_")
        }
        self._coef = own["coef"]
        self._ends = np.cumsum(own["knot_counts"])
        self._knots = np.split(own["knots"], self._ends[:-1])
        self._average = own["average"]
        self._bins = _Bins(own) if "bins_average" in own else None

    def pulls(self, numbers: NDArray[np.float64], towards: int, against: int) -> NDArray[np.float64]:
        """Return how much each number moves the log-odds of two classes, against its average over the training data.

        What a bin weighs is shared out evenly among the numbers that it is drawn over.

        Parameters
        ----------
        numbers : ndarray, shape (n_features,)
        towards, against : int
            Which classes.

        Returns
        -------
        ndarray, shape (n_features,)
        """
        weights = self._coef[towards] - self._coef[against]
        hats = len(self._average)
        curves = np.split(weights[:hats], self._ends[:-1])
        heights = map(np.interp, numbers, self._knots, curves)  # a curve is the sum of its hats, each weighed
        averages = np.add.reduceat(self._average * weights[:hats], self._ends - [len(knots) for knots in self._knots])
        pulls = np.array(list(heights)) - averages
        return pulls if self._bins is None else pulls + self._bins.pulls(numbers, weights[hats:])


class _Bins:
    """The trees of a look and the columns that lead to each of their bins."""

    def __init__(self, own: dict[str, NDArray[Any]]) -> None:
        self._feature, self._left, self._right = own["bins_feature"], own["bins_left"], own["bins_right"]
        self._roots, self._average = own["bins_roots"], own["bins_average"]
        with np.errstate(over="ignore"):  # a border that far out is never passed
            self._borders = np.rint(own["bins_border"] * GRADES_PER_UNIT)
        self._leaf = self._feature < 0
        self._bin = np.cumsum(self._leaf) - 1
        paths = self._asked()
        self._lengths = np.array([len(path) for path in paths])
        self._columns = np.array([column for path in paths for column in path], dtype=np.intp)

    def pulls(self, numbers: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the bins add to each number's pull."""
        inside = np.zeros(len(weights))
        inside[self._found(numbers)] = 1.0
        shares = (inside - self._average) * weights / np.maximum(self._lengths, 1)
        pulls = np.zeros(len(numbers))
        np.add.at(pulls, self._columns, np.repeat(shares, self._lengths))
        return pulls

    def _found(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the bin of each tree that the numbers fall in."""
        grades = np.rint(numbers * GRADES_PER_UNIT)
        at = self._roots
        while not self._leaf[at].all():
            following = np.where(grades[self._feature[at]] <= self._borders[at], self._left[at], self._right[at])
            at = np.where(self._leaf[at], at, following)
        found: NDArray[np.intp] = self._bin[at]
        return found

    def _asked(self) -> list[tuple[int, ...]]:
        """Return the columns that are asked for on the way to each bin, in the order of the bins."""
        asked: dict[int, frozenset[int]] = {}
        paths = []
        trees = zip(self._feature.tolist(), self._left.tolist(), self._right.tolist(), strict=True)
        for node, (feature, left, right) in enumerate(trees):
            here = asked.get(node, frozenset())
            if feature < 0:
                paths.append(tuple(sorted(here)))
            else:
                asked[left] = asked[right] = here | {feature}
        return paths


class _Lexicon:
    """The terms of an article's paragraphs, weighed as `noisefilter.lexical` and the first regression do."""

    def __init__(self, weights: Weights, texts: Sequence[str]) -> None:
        self._weights = weights
        normal = [normalise(text) for text in texts]
        shortest, longest = weights.parameters["shortest"], weights.parameters["longest"]
        self._words = [Counter(lexical_tokens(text)) for text in normal]
        self._characters = [Counter(character_grams(text, shortest, longest)) for text in normal]
        self._word_columns = self._columns_of("words", self._words)
        self._character_columns = self._columns_of("characters", self._characters)

    def _columns_of(self, name: str, counts: Iterable[Counter[str]]) -> dict[str, int]:
        wanted = set().union(*counts)
        return {term: at for at, term in enumerate(self._weights.listed(name)) if term in wanted}

    @cached_property
    def _coef(self) -> NDArray[Any]:
        return as_numpy(self._weights.arrays["lexical_coef"])

    def terms(self, at: int, noise: int) -> Iterable[tuple[str, float, float]]:
        """Return name, TF-IDF and weight of a paragraph's terms.

        The weight is how far a term moves the log-odds of a class, to first order: that is a sum over families.
        """
        words, word_values, word_columns = self._values("words", self._words[at], self._word_columns)
        grams, gram_values, gram_columns = self._values("characters", self._characters[at], self._character_columns)
        values = np.concatenate([word_values, gram_values])
        columns = np.concatenate([word_columns, gram_columns + self._weights.arrays["words_idf"].shape[0]])
        coef = self._coef[:, columns].astype(np.float64)
        odds = coef @ values + as_numpy(self._weights.arrays["lexical_intercept"])
        shares = np.exp(odds - odds.max())
        shares /= shares.sum()
        of_class = np.array([LABEL_OF[family].value for family in FAMILIES])
        direction = np.zeros(len(values))
        for name, sign in ((CLASSES[noise], 1), (CLASSES[_CONTENT], -1)):
            members = of_class == name
            direction += sign * (shares[members] / shares[members].sum()) @ coef[members]
        names = [*words, *(f"…{gram}" for gram in grams)]
        return zip(names, values.tolist(), (values * direction).tolist(), strict=True)

    def _values(
        self, name: str, counts: Counter[str], columns: dict[str, int]
    ) -> tuple[list[str], NDArray[np.float64], NDArray[np.intp]]:
        """Return the known terms of one kind, their TF-IDF, of unit length, and their columns."""
        terms = [term for term in counts if term in columns]
        at = np.array([columns[term] for term in terms], dtype=np.intp)
        logs = np.log(np.array([counts[term] for term in terms], dtype=np.float64)) + 1
        values = logs * as_numpy(self._weights.arrays[f"{name}_idf"])[at]
        length = np.sqrt((values**2).sum())
        return terms, values / length if length else values, at


def _heaviest(weights: Iterable[tuple[str, float, float]]) -> tuple[Weight, ...]:
    rounded = (Weight(name, round(value, 4), round(weight, 4)) for name, value, weight in weights)
    heavy = [weight for weight in rounded if weight.weight]
    return tuple(sorted(heavy, key=lambda weight: (-abs(weight.weight), weight.name))[:_MOST])
