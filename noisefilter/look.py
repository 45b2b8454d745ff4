"""One look at an article: logistic regression on numbers drawn as curves, and what its answers tell the next."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from noisefilter.article import Label
from noisefilter.curves import PiecewiseLinear
from noisefilter.kinds import FAMILIES, LABEL_OF

CLASSES = (Label.BOILERPLATE.value, Label.CONTENT.value, Label.OFF_TOPIC.value)
"""The classes in the order of the columns."""

ANSWERS = (
    "boilerplate",
    "off_topic",
    "noise",
    "noise_1_before",
    "noise_2_before",
    "noise_3_before",
    "noise_1_after",
    "noise_2_after",
    "noise_3_after",
    "boilerplate_before",
    "off_topic_before",
    "boilerplate_after",
    "off_topic_after",
    "noise_nearby",
    "noise_both_sides",
    "noise_of_article",
    "noisy_share",
)
"""What one stage says of a paragraph and of those around it, in log-odds against content (the last is a share)."""

WORDING = tuple(
    f"reads_as:{family}{where}" for where in ("", "_before", "_after", "_in_article") for family in FAMILIES
)
"""What the wording of a paragraph, and of those beside it, reads as: log-probability of each family of kinds."""

_MOST = 8.0
_OUTSIDE = -10.0
_LEAST = 1e-5
_BESIDE_NOTHING = -12.0


class Look(BaseEstimator):  # type: ignore[misc]
    """Logistic regression on numbers, each drawn as a curve.

    Parameters
    ----------
    c : float
        Inverse strength of the L2 penalty.
    knots : int
        Knots of each curve.
    max_iter : int
        Iterations of the solver (L-BFGS).

    Attributes
    ----------
    curves_ : PiecewiseLinear
    model_ : LogisticRegression
    """

    def __init__(self, *, c: float = 0.02, knots: int = 6, max_iter: int = 500) -> None:
        self.c = c
        self.knots = knots
        self.max_iter = max_iter

    def fit(self, numbers: NDArray[np.float64], labels: NDArray[np.str_], weights: NDArray[np.float64]) -> Self:
        """Draw the curves, `numbers` of shape (n_samples, n_features)."""
        self.curves_ = PiecewiseLinear(self.knots).fit(numbers)
        self.model_ = LogisticRegression(C=self.c, max_iter=self.max_iter, tol=1e-4)
        self.model_.fit(self.curves_.transform(numbers), labels, weights)
        return self

    def predict_proba(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of the classes, shape (n_samples, 3)."""
        probabilities: NDArray[np.float64] = self.model_.predict_proba(self.curves_.transform(numbers))
        return probabilities


def by_class(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of the classes from those of the families, shape (n_paragraphs, 3)."""
    member = np.array([[LABEL_OF[family].value == name for name in CLASSES] for family in FAMILIES], dtype=np.float64)
    result: NDArray[np.float64] = shares @ member
    return result


def wording(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for the paragraphs of one article, what each and those beside it read as.

    Parameters
    ----------
    shares : ndarray, shape (n_paragraphs, len(FAMILIES))
        Probabilities of the families.

    Returns
    -------
    ndarray, shape (n_paragraphs, len(WORDING))
    """
    logs = np.log(np.clip(shares, _LEAST, 1.0))
    edge = np.full((1, logs.shape[1]), _BESIDE_NOTHING)
    whole = np.broadcast_to(shares.mean(axis=0), shares.shape)
    return np.hstack([logs, np.vstack([edge, logs[:-1]]), np.vstack([logs[1:], edge]), whole])


def odds_of(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of boilerplate and of off_topic against content, shape (n_paragraphs, 2)."""
    logs = np.log(np.clip(probabilities, 1e-6, 1.0))
    boilerplate, content, off_topic = logs.T
    odds: NDArray[np.float64] = np.column_stack([boilerplate - content, off_topic - content])
    return odds.clip(-_MOST, _MOST)


def answers(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for the paragraphs of one article, what a stage says of each and of those around it.

    Parameters
    ----------
    odds : ndarray, shape (n_paragraphs, 2)
        Log-odds of boilerplate and off_topic against content.

    Returns
    -------
    ndarray, shape (n_paragraphs, len(ANSWERS))
    """
    noise = np.logaddexp(odds[:, 0], odds[:, 1])
    before = [_moved(noise, step) for step in (1, 2, 3)]
    after = [_moved(noise, -step) for step in (1, 2, 3)]
    columns = [
        odds[:, 0],
        odds[:, 1],
        noise,
        *before,
        *after,
        _moved(odds[:, 0], 1),
        _moved(odds[:, 1], 1),
        _moved(odds[:, 0], -1),
        _moved(odds[:, 1], -1),
        np.max([*before[:2], *after[:2]], axis=0),
        np.minimum(before[0], after[0]),
        np.full(len(odds), np.median(noise)),
        np.full(len(odds), np.mean(noise > 0)),
    ]
    return np.column_stack(columns)


def _moved(values: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Return each paragraph's value of the one `step` before it (after it, if negative)."""
    result = np.full(len(values), _OUTSIDE)
    if step > 0:
        result[step:] = values[:-step]
    else:
        result[:step] = values[-step:]
    return result
