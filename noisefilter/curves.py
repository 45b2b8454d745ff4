"""Curves for a linear model: each number expanded into hat functions."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted


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
    average_ : ndarray, shape (total number of knots,)
        The mean of each hat over the training data.
    """

    def __init__(self, knots: int = 6) -> None:
        self.knots = knots

    def fit(self, numbers: NDArray[np.float64], y: Any = None) -> Self:
        """Place the knots, `numbers` of shape (n_samples, n_features)."""
        shares = np.linspace(0, 1, self.knots)
        self.knots_ = [
            np.unique(np.round(np.quantile(column, shares, method="lower"), 6)) for column in np.asarray(numbers).T
        ]
        self.average_ = self.transform(numbers).mean(axis=0, dtype=np.float64)
        return self

    def transform(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the hats, shape (n_samples, total number of knots); those of one number sum to 1."""
        check_is_fitted(self, "knots_")
        blocks = []
        for column, knots in zip(np.asarray(numbers).T, self.knots_, strict=True):
            blocks += [np.interp(column, knots, hat)[:, None] for hat in np.eye(len(knots))]
        return np.hstack(blocks) if blocks else np.empty((len(numbers), 0))
