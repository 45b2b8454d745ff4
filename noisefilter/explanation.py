"""Why a paragraph was decided as it was: the terms and features that weighed most."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisefilter.article import Label
from noisefilter.classifier import NoiseClassifier
from noisefilter.cleaner import CleanedArticle
from noisefilter.features import CLASSES
from noisefilter.kinds import FAMILIES, LABEL_OF
from noisefilter.model import Model

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
    classifier = model.classifier
    turns = [score.round for score in cleaned.scored]
    numbers: dict[int, NDArray[np.float64]] = {}
    for index, turn in enumerate(turns):
        if turn not in numbers:
            numbers[turn] = classifier.numbers(cleaned.seen_with(index))
    texts = [paragraph.text for paragraph in cleaned.article.paragraphs]
    terms = classifier.lexical_.transform(texts or [""])
    names = classifier.lexical_.get_feature_names_out()
    explanations = []
    for index, (turn, decision) in enumerate(zip(turns, cleaned.decisions, strict=True)):
        row = numbers[turn][sum(other >= turn for other in turns[:index])]
        noise = Label.BOILERPLATE if decision.label is Label.CONTENT else decision.label
        features = _features(classifier, row, CLASSES.index(noise))
        explanations.append(Explanation(features, _terms(classifier, terms[index], names, CLASSES.index(noise))))
    return tuple(explanations)


def _features(classifier: NoiseClassifier, row: NDArray[np.float64], noise: int) -> tuple[Weight, ...]:
    pulls = classifier.second_look_.pulls(row, noise, _CONTENT)
    return _heaviest(
        Weight(str(name), round(float(value), 4), round(float(pull), 4))
        for name, value, pull in zip(classifier.get_feature_names_out(), row, pulls, strict=True)
    )


def _terms(classifier: NoiseClassifier, row: Any, names: NDArray[np.object_], noise: int) -> tuple[Weight, ...]:
    """Return the terms that move the log-odds of a class most, to first order: it is a sum over families."""
    model = classifier.lexical_model_
    shares = model.predict_proba(row)[0]
    of_class = np.array([LABEL_OF[family].value for family in FAMILIES])
    direction = np.zeros(row.shape[1])
    for name, sign in ((CLASSES[noise], 1), (CLASSES[_CONTENT], -1)):
        members = of_class == name
        direction += sign * (shares[members] / shares[members].sum()) @ model.coef_[members]
    weights = row.data * direction[row.indices]
    return _heaviest(
        Weight(str(names[column]), round(float(value), 4), round(float(weight), 4))
        for column, value, weight in zip(row.indices, row.data, weights, strict=True)
    )


def _heaviest(weights: Iterable[Weight]) -> tuple[Weight, ...]:
    heavy = [weight for weight in weights if not np.isclose(weight.weight, 0)]
    return tuple(sorted(heavy, key=lambda weight: (-abs(weight.weight), weight.name))[:_MOST])
