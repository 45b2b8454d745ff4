"""The compiled scorer, where it has been built: the same probabilities as the reference, many times faster.

Training fits scikit-learn's estimators; here the same numbers are at work in C++ (the headers beside), without
scikit-learn or numpy. What the headers take for a word, a feature or a bin is defined by the reference, and tests
hold the two against each other.
"""

import os
import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from noisefilter.article import Article
from noisefilter.features import CLASSES, FIRST_LOOK, REACH, SECOND_LOOK
from noisefilter.headline import headline_of, is_title
from noisefilter.kinds import FAMILIES, LABEL_OF
from noisefilter.text import CHARACTERS_LOOKED_AT, MAX_LOOKED_AT, SHAPE_TERMS, STOP_WORDS
from noisefilter.weights import Weights

if TYPE_CHECKING:
    from noisefilter.classifier import NoiseClassifier

try:
    from noisefilter.kernel import native
except ImportError:
    native = None  # type: ignore[assignment]

SWITCH = "NOISEFILTER_KERNEL"
"""The environment variable that, set to ``off`` (or ``0``, ``no``, ``false``), has the reference score."""
_OFF = ("off", "0", "no", "false")


def built() -> bool:
    """Tell whether the compiled kernel is there."""
    return native is not None


def why_not() -> str | None:
    """Return why the kernel does not score; None if it does."""
    if not built():
        return (
            "the compiled kernel was not built: install noisefilter again where there is a C++ compiler, "
            "with pip's --force-reinstall --no-cache-dir"
        )
    if sys.byteorder != "little":
        return "the compiled kernel reads the numbers of a model as they lie in the file, lowest byte first"
    return f"{SWITCH} is off" if os.environ.get(SWITCH, "").strip().lower() in _OFF else None


class Native:
    """Scores articles with the compiled kernel.

    Parameters
    ----------
    weights : Weights
        Checked, as `Weights.check` does.

    Raises
    ------
    ValueError
        If the numbers are not finite or do not make up a model.
    RuntimeError
        If they make up one that the kernel does not take (trees of more than 64 leaves, curves of more than 256
        knots); the reference does.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.kernel = native.Kernel(
            weights.arrays,
            weights.terms,
            {
                "shortest": weights.parameters["shortest"],
                "longest": weights.parameters["longest"],
                "looked_at": CHARACTERS_LOOKED_AT,
                "most_looked_at": MAX_LOOKED_AT,
                "reach": REACH,
                "first": len(FIRST_LOOK),
                "second": len(SECOND_LOOK),
            },
            bytes(CLASSES.index(LABEL_OF[family].value) for family in FAMILIES),
            STOP_WORDS,
            SHAPE_TERMS,
        )

    def __reduce__(self) -> tuple[type["Native"], tuple[Weights]]:
        return Native, (self.weights,)

    @cached_property
    def classifier(self) -> "NoiseClassifier":
        """The reference with the same weights."""
        from noisefilter.reference import classifier_of  # noqa: PLC0415

        return classifier_of(self.weights)

    def read(self, article: Article) -> "NativeReading":
        """Read an article's paragraphs."""
        return NativeReading(self, article)


class NativeReading:
    """One article as the kernel reads it: see `noisefilter.model.Reading`."""

    def __init__(self, scorer: Native, article: Article) -> None:
        self._title = article.title
        self._texts = [paragraph.text for paragraph in article.paragraphs]
        self._reading = scorer.kernel.read(self._texts)
        self.known: Sequence[bool] = self._reading.known
        self.counts: Sequence[tuple[int, int]] = self._reading.counts

    def probabilities(self, alive: Sequence[int]) -> list[tuple[float, ...]]:
        """Return the probabilities of the paragraphs of these indices as an article of its own."""
        return self._score(alive, seen=False)

    def numbers(self, alive: Sequence[int]) -> list[tuple[float, ...]]:
        """Return what the second look sees of these paragraphs, in the order of `SECOND_LOOK`."""
        return self._score(alive, seen=True)

    @cached_property
    def _headline(self) -> str:
        return headline_of(self._title or "")

    def _score(self, alive: Sequence[int], *, seen: bool) -> list[tuple[float, ...]]:
        if not alive:
            return []
        first = self._texts[alive[0]]
        if not is_title(first, self._title):
            return self._reading.score(alive, self._headline, -1, seen)
        headline = headline_of(first)
        title = self._reading.score(alive[:1], headline, 0, seen)
        return [*title, *self._reading.score(alive[1:], headline, -1, seen)]
