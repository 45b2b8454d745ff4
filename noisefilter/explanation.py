"""Why a paragraph was decided as it was: the terms and features that weighed most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisefilter.article import Article
from noisefilter.classifier import NoiseClassifier
from noisefilter.cleaner import CleanedArticle
from noisefilter.look import CLASSES
from noisefilter.model import Model

_MOST = 6


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
    explanations = []
    for index in range(len(cleaned.decisions)):
        seen = cleaned.seen_with(index)
        turn = cleaned.scored[index].round
        at = sum(score.round >= turn for score in cleaned.scored[:index])
        explanations.append(_explain_one(model.classifier, seen, at, cleaned.decisions[index].label.value))
    return tuple(explanations)


def _explain_one(classifier: NoiseClassifier, article: Article, at: int, label: str) -> Explanation:
    content = CLASSES.index("content")
    noise = CLASSES.index(label) if label != "content" else CLASSES.index("boilerplate")
    look = classifier.second_look_
    numbers = classifier.numbers(article)[at : at + 1]
    pull = (look.curves_.transform(numbers)[0] - look.curves_.average_) * (
        look.model_.coef_[noise] - look.model_.coef_[content]
    )
    features = [
        Weight(str(name), round(float(value), 4), round(float(pull[part].sum()), 4))
        for name, value, part in zip(classifier.get_feature_names_out(), numbers[0], look.curves_.parts(), strict=True)
    ]
    row = classifier.lexical_.transform([article.paragraphs[at].text])
    first = classifier.lexical_model_.coef_
    names = classifier.lexical_.get_feature_names_out()
    weights = row.data * (first[noise] - first[content])[row.indices]
    terms = [
        Weight(str(names[column]), round(float(value), 4), round(float(weight), 4))
        for column, value, weight in zip(row.indices, row.data, weights, strict=True)
    ]
    return Explanation(_heaviest(features), _heaviest(terms))


def _heaviest(weights: Sequence[Weight]) -> tuple[Weight, ...]:
    heavy = [weight for weight in weights if not np.isclose(weight.weight, 0)]
    return tuple(sorted(heavy, key=lambda weight: (-abs(weight.weight), weight.name))[:_MOST])
