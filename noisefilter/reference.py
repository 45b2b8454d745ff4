"""The reference scorer: the scikit-learn classifier, from a bundle's numbers and back to them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from noisefilter.arrays import as_numpy, from_numpy
from noisefilter.article import Article
from noisefilter.bins import ARRAYS as BIN_ARRAYS
from noisefilter.bins import BoostedBins
from noisefilter.classifier import NoiseClassifier, regression
from noisefilter.context import ContextFeatures
from noisefilter.curves import PiecewiseLinear
from noisefilter.features import CLASSES, FIRST_LOOK, SECOND_LOOK
from noisefilter.kinds import FAMILIES
from noisefilter.language import CommonWords
from noisefilter.lexical import LexicalFeatures
from noisefilter.look import Look
from noisefilter.weights import Weights

_QUIET: Any = {"over": "ignore", "invalid": "ignore"}
"""Of numbers that were made to overflow, what comes out tells enough."""


class Reference:
    """Scores articles with the classifier that training fits.

    Parameters
    ----------
    classifier : NoiseClassifier
    common_words : CommonWords
    """

    def __init__(self, classifier: NoiseClassifier, common_words: CommonWords) -> None:
        self.classifier = classifier
        self.common_words = common_words

    @property
    def weights(self) -> Weights:
        """What the classifier has learnt, as plain numbers."""
        return weights_of(self.classifier, self.common_words)

    def read(self, article: Article) -> "ReferenceReading":
        """Read an article's paragraphs."""
        return ReferenceReading(self, article)


class ReferenceReading:
    """One article as the reference reads it: see `noisefilter.model.Reading`."""

    def __init__(self, scorer: Reference, article: Article) -> None:
        texts = [paragraph.text for paragraph in article.paragraphs]
        self._scorer, self._article = scorer, article
        self.known = [scorer.classifier.lexical_.knows(text) for text in texts]
        self.counts = [scorer.common_words.count(text) for text in texts]

    def probabilities(self, alive: Sequence[int]) -> list[tuple[float, ...]]:
        """Return the probabilities of the paragraphs of these indices as an article of its own."""
        with np.errstate(**_QUIET):
            return [tuple(row) for row in self._scorer.classifier.score_article(self._with(alive)).tolist()]

    def numbers(self, alive: Sequence[int]) -> list[list[float]]:
        """Return what the second look sees of these paragraphs, in the order of `SECOND_LOOK`."""
        with np.errstate(**_QUIET):
            rows: list[list[float]] = self._scorer.classifier.numbers(self._with(alive)).tolist() if alive else []
            return rows

    def _with(self, alive: Sequence[int]) -> Article:
        article = self._article
        return article if len(alive) == len(article.paragraphs) else article.subset(alive)


def weights_of(classifier: NoiseClassifier, common_words: CommonWords) -> Weights:
    """Return what a fitted classifier has learnt, rounded as a bundle keeps it."""
    lexical, context = classifier.lexical_, classifier.context_
    numbers = {
        "words_idf": lexical.words_.idf_.astype(np.float32),
        "characters_idf": lexical.characters_.idf_.astype(np.float32),
        "lexical_coef": classifier.lexical_model_.coef_.astype(np.float16),
        "lexical_intercept": classifier.lexical_model_.intercept_.astype(np.float64),
        "stems_idf": np.array(list(context.idf_.values()), dtype=np.float64),
        "unseen_idf": np.array([context.unseen_idf_]),
    }
    for name, look in (("first", classifier.first_look_), ("second", classifier.second_look_)):
        numbers |= {
            f"{name}_knots": np.concatenate(look.curves_.knots_).astype(np.float64),
            f"{name}_knot_counts": np.array([len(knots) for knots in look.curves_.knots_], dtype=np.int64),
            f"{name}_average": look.curves_.average_.astype(np.float64),
            f"{name}_coef": look.model_.coef_.astype(np.float64),
            f"{name}_intercept": look.model_.intercept_.astype(np.float64),
        }
        if look.bins_ is not None:
            numbers |= {f"{name}_bins_{part}": array for part, array in look.bins_.arrays().items()}
            numbers[f"{name}_bins_average"] = look.average_.astype(np.float64)
    terms = {
        "words": lexical.words_.get_feature_names_out().tolist(),
        "characters": lexical.characters_.get_feature_names_out().tolist(),
        "stems": list(context.idf_),
        "common": sorted(common_words.words),
    }
    return Weights(
        classifier.get_params(),
        {name: from_numpy(array) for name, array in numbers.items()},
        {name: "".join(f"{term}\n" for term in listed).encode() for name, listed in terms.items()},
    )


def classifier_of(weights: Weights) -> NoiseClassifier:
    """Return the fitted classifier that a bundle's numbers, checked as `Weights.check` does, make up.

    Raises
    ------
    ValueError
        If a number is not finite, or they are no classifier.
    """
    for name, array in weights.arrays.items():
        if not np.isfinite(as_numpy(array)).all():
            raise ValueError(f"{name} is not finite")
    arrays = weights.arrays
    known = NoiseClassifier().get_params()
    parameters = {key: value for key, value in weights.parameters.items() if key in known}
    classifier = NoiseClassifier(**parameters)
    classifier.lexical_ = LexicalFeatures(
        **{name: parameters[name] for name in ("min_df", "max_words", "max_characters", "shortest", "longest")}
    ).restore(
        weights.listed("words"),
        as_numpy(arrays["words_idf"]),
        weights.listed("characters"),
        as_numpy(arrays["characters_idf"]),
    )
    classifier.lexical_model_ = regression(
        FAMILIES, as_numpy(arrays["lexical_coef"]), as_numpy(arrays["lexical_intercept"])
    )
    classifier.context_ = ContextFeatures()
    classifier.context_.idf_ = dict(zip(weights.listed("stems"), as_numpy(arrays["stems_idf"]).tolist(), strict=True))
    classifier.context_.unseen_idf_ = float(as_numpy(arrays["unseen_idf"])[0])
    classifier.first_look_ = _look(weights, "first", classifier.first_look(), len(FIRST_LOOK))
    classifier.second_look_ = _look(weights, "second", classifier.second_look(), len(SECOND_LOOK))
    classifier.classes_ = np.array(CLASSES)
    return classifier


def _look(weights: Weights, name: str, look: Look, columns: int) -> Look:
    own = {
        key.removeprefix(f"{name}_"): as_numpy(array)
        for key, array in weights.arrays.items()
        if key.startswith(f"{name}_")
    }
    look.curves_ = PiecewiseLinear(look.knots)
    look.curves_.knots_ = np.split(own["knots"], np.cumsum(own["knot_counts"])[:-1])
    look.curves_.average_ = own["average"]
    if not all((np.diff(knots) > 0).all() for knots in look.curves_.knots_):
        raise ValueError("the knots do not rise")
    look.bins_, look.average_ = None, np.empty(0)
    if "bins_average" in own:
        look.average_ = own["bins_average"]
        look.bins_ = BoostedBins(look.rounds, look.leaves).restore(
            {part: own[f"bins_{part}"] for part in BIN_ARRAYS}, columns
        )
        if look.average_.shape != (look.bins_.count,):
            raise ValueError("the bins and their averages do not match")
    look.model_ = regression(CLASSES, own["coef"], own["intercept"])
    return look
