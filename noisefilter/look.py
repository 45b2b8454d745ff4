"""One look at an article: logistic regression on curves and bins of numbers, and what its answers tell the next."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from noisefilter.bins import BoostedBins
from noisefilter.curves import PiecewiseLinear
from noisefilter.features import CLASSES
from noisefilter.kinds import FAMILIES, LABEL_OF

_MOST = 8.0
_OUTSIDE = -10.0
_LEAST = 1e-5
_TOLERANCE = 1e-3
_BESIDE_NOTHING = -12.0


class Look(BaseEstimator):  # type: ignore[misc]
    """Logistic regression on numbers, each drawn as a curve, and on bins over several of them.

    Parameters
    ----------
    c : float
        Inverse strength of the L2 penalty.
    knots : int
        Knots of each curve.
    rounds, leaves : int
        As in `BoostedBins`; with 0 rounds there are no bins.
    max_iter : int
        Iterations of the solver (L-BFGS).

    Attributes
    ----------
    curves_ : PiecewiseLinear
    bins_ : BoostedBins or None
    average_ : ndarray, shape (n_bins,)
        Share of the training rows in each bin.
    model_ : LogisticRegression
        Its columns are the hats of the curves, then the bins.
    """

    def __init__(
        self, *, c: float = 0.02, knots: int = 6, rounds: int = 0, leaves: int = 16, max_iter: int = 500
    ) -> None:
        self.c = c
        self.knots = knots
        self.rounds = rounds
        self.leaves = leaves
        self.max_iter = max_iter

    def fit(self, numbers: NDArray[np.float64], labels: NDArray[np.str_], weights: NDArray[np.float64]) -> Self:
        """Draw the curves and the bins, `numbers` of shape (n_samples, n_features), and weigh them.

        While the regression is fitted, what the boosted trees say in all is a column for each class besides the
        bins: the penalty is light where a bin weighs what it did in the trees, and hard on what differs. Afterwards
        those columns are shared out among the bins, so that nothing but curves and bins is left to score.
        """
        self.curves_ = PiecewiseLinear(self.knots).fit(numbers)
        self.model_ = LogisticRegression(C=self.c, max_iter=self.max_iter, tol=_TOLERANCE)
        columns = sparse.csr_matrix(self.curves_.transform(numbers).astype(np.float32))
        self.bins_, self.average_ = None, np.empty(0)
        if not self.rounds:
            self.model_.fit(columns, labels, weights)
            return self
        self.bins_ = BoostedBins(self.rounds, self.leaves).fit(numbers, labels, weights)
        bins, votes = self.bins_.transform(numbers), self.bins_.votes_
        self.average_ = np.asarray(bins.mean(axis=0), dtype=np.float64).ravel()
        of_trees = sparse.csr_matrix((bins @ votes).astype(np.float32))
        self.model_.fit(sparse.hstack([columns, bins, of_trees], format="csr"), labels, weights)
        own, of_all_trees = np.split(self.model_.coef_, [-votes.shape[1]], axis=1)
        own[:, columns.shape[1] :] += of_all_trees @ votes.T
        self.model_.coef_ = own
        self.model_.n_features_in_ = own.shape[1]
        return self

    def predict_proba(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of the classes, shape (n_samples, 3)."""
        hats = self.curves_.transform(numbers)
        odds = hats @ self.model_.coef_[:, : hats.shape[1]].T + self.model_.intercept_
        if self.bins_ is not None:
            odds += self.model_.coef_.T[hats.shape[1] :][self.bins_.find(numbers)].sum(axis=1)
        probabilities: NDArray[np.float64] = softmax(odds, axis=1)
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
