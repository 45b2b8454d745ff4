"""Bins over several numbers at once, so that a linear model can tell what counts only together.

A curve says how much one number speaks for noise. That a line of two words is
noise *under a poll's question* and content *under a sub-heading* takes two.
Boosted trees find such corners: every leaf of every tree is a bin, and the
regression weighs the bins like any other column (He et al., *Practical Lessons
from Predicting Clicks on Ads at Facebook*, ADKDD 2014). What the trees add
for each bin is kept too: it tells the regression where to look first.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import check_is_fitted

from noisefilter.features import GRADES_PER_UNIT

ARRAYS = ("feature", "border", "left", "right", "roots")
"""Names of the arrays that make up fitted bins."""

_RATE = 0.08
_L2 = 5.0
_FEWEST = 40
_GRADES = 64
_LEAF = -1


class BoostedBins(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Tell in which leaf of each of many small trees a row falls.

    Parameters
    ----------
    rounds : int
        Rounds of boosting; each draws one tree for every class.
    leaves : int
        At most so many leaves in a tree.
    most_rows : int
        The trees are drawn on at most so many rows, evenly spaced.

    Attributes
    ----------
    feature_ : ndarray of int, shape (n_nodes,)
        The column that a node asks for; -1 for a leaf.
    border_ : ndarray of float, shape (n_nodes,)
        Up to this value a row goes left.
    left_, right_ : ndarray of int, shape (n_nodes,)
        Where it goes; both always lie further on in the array.
    roots_ : ndarray of int, shape (n_trees,)
    bins_ : ndarray of int, shape (n_nodes,)
        The number of a leaf's bin, rising; for other nodes without meaning.
    votes_ : ndarray of float, shape (n_bins, n_classes)
        What each bin adds to the log-odds of each class in the boosted trees; only after `fit`.
    """

    def __init__(self, rounds: int = 100, leaves: int = 16, most_rows: int = 120_000) -> None:
        self.rounds = rounds
        self.leaves = leaves
        self.most_rows = most_rows

    def fit(self, numbers: NDArray[np.float64], y: NDArray[np.str_], weights: NDArray[np.float64]) -> Self:
        """Draw the trees, `numbers` of shape (n_samples, n_features)."""
        rows = np.linspace(0, len(numbers) - 1, min(len(numbers), self.most_rows)).astype(np.intp)
        boosted = HistGradientBoostingClassifier(
            max_iter=self.rounds,
            max_leaf_nodes=self.leaves,
            learning_rate=_RATE,
            l2_regularization=_L2,
            min_samples_leaf=_FEWEST,
            max_bins=_GRADES,
            early_stopping=False,
            random_state=0,
        ).fit(numbers[rows], y[rows], weights[rows])
        # scikit-learn has no public way to the leaves; a test holds these nodes against its predictions.
        trees = [predictor.nodes for each_round in boosted._predictors for predictor in each_round]
        starts = np.cumsum([0, *(len(nodes) for nodes in trees)])
        leaf = np.concatenate([nodes["is_leaf"] for nodes in trees]).astype(bool)
        feature = np.concatenate([nodes["feature_idx"] for nodes in trees])
        children = {
            side: np.concatenate([nodes[side] + start for nodes, start in zip(trees, starts[:-1], strict=True)])
            for side in ("left", "right")
        }
        here = np.arange(len(leaf))
        class_of_tree = np.tile(np.arange(len(boosted._predictors[0])), len(boosted._predictors))
        class_of_node = np.repeat(class_of_tree, np.diff(starts))
        self.votes_ = np.zeros((int(leaf.sum()), len(boosted._predictors[0])))
        self.votes_[np.arange(len(self.votes_)), class_of_node[leaf]] = np.concatenate(
            [nodes["value"] for nodes in trees]
        )[leaf]
        return self.restore(
            {
                "feature": np.where(leaf, _LEAF, feature).astype(np.int32),
                "border": np.where(leaf, 0.0, np.concatenate([nodes["num_threshold"] for nodes in trees])),
                "left": np.where(leaf, here, children["left"]).astype(np.int32),
                "right": np.where(leaf, here, children["right"]).astype(np.int32),
                "roots": starts[:-1].astype(np.int32),
            },
            numbers.shape[1],
        )

    def restore(self, arrays: Mapping[str, NDArray[Any]], columns: int) -> Self:
        """Become fitted from the arrays that `arrays` gives.

        Raises
        ------
        ValueError
            If they are no trees over so many columns.
        """
        feature, border, left, right, roots = (np.asarray(arrays[name]) for name in ARRAYS)
        count = len(feature)
        here, leaf = np.arange(count), feature == _LEAF
        sound = (
            feature.shape == border.shape == left.shape == right.shape == (count,)
            and all(array.dtype.kind == "i" for array in (feature, left, right, roots))
            and bool(np.isfinite(border).all())
            and bool(((feature >= _LEAF) & (feature < columns)).all())
            and all(bool(((side < count) & np.where(leaf, side == here, side > here)).all()) for side in (left, right))
            and bool(((roots >= 0) & (roots < count)).all())
            and bool((np.bincount(np.concatenate([left[~leaf], right[~leaf], roots]), minlength=1) < 2).all())
        )
        if not sound:
            raise ValueError("the bins are not trees over the columns")
        self.feature_, self.border_, self.left_, self.right_, self.roots_ = feature, border, left, right, roots
        self.bins_ = np.cumsum(leaf) - 1
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `restore` takes."""
        check_is_fitted(self, "roots_")
        return {name: getattr(self, f"{name}_") for name in ARRAYS}

    @property
    def count(self) -> int:
        """How many bins there are."""
        return int((self.feature_ == _LEAF).sum())

    def find(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the bin of each row in each tree, shape (n_samples, n_trees).

        Numbers and borders are compared to nine decimals: many borders are values that the numbers often take,
        and the last bit of a logarithm is not the same on every machine.
        """
        check_is_fitted(self, "roots_")
        at = np.broadcast_to(self.roots_, (len(numbers), len(self.roots_)))
        rows = np.arange(len(numbers))[:, None]
        grades, borders = np.rint(numbers * GRADES_PER_UNIT), np.rint(self.border_ * GRADES_PER_UNIT)
        while True:
            left = grades[rows, self.feature_[at]] <= borders[at]
            following = np.where(left, self.left_[at], self.right_[at])
            if (following == at).all():
                break
            at = following
        found: NDArray[np.intp] = self.bins_[at]
        return found

    def transform(self, numbers: NDArray[np.float64]) -> sparse.csr_matrix:
        """Return a 1 for each bin that a row is in, shape (n_samples, count)."""
        bins = self.find(numbers)
        ends = np.arange(0, bins.size + 1, bins.shape[1])
        ones = np.ones(bins.size, dtype=np.float32)
        return sparse.csr_matrix((ones, bins.ravel(), ends), shape=(len(numbers), self.count))
