import numpy as np
import pytest
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from noisefilter.look import Look


@pytest.mark.parametrize("c", [1e-3, 0.03])
def test_what_the_trees_say_is_shared_out_among_the_bins(corners, c):
    """Scoring with curves and bins alone gives what the regression with the trees' own columns says."""
    numbers, labels, weights = corners
    look = Look(c=c, rounds=20, leaves=8).fit(numbers, labels, weights)

    def columns(numbers):
        bins = look.bins_.transform(numbers)
        return sparse.hstack([look.curves_.transform(numbers), bins, bins @ look.bins_.votes_], format="csr")

    whole = LogisticRegression(C=c, max_iter=500, tol=1e-3).fit(columns(numbers), labels, weights)
    fresh = np.random.default_rng(6).normal(size=(1000, 5))
    assert look.model_.coef_.shape == (3, len(look.curves_.average_) + look.bins_.count)
    np.testing.assert_allclose(look.predict_proba(fresh), whole.predict_proba(columns(fresh)), atol=0.01)


def test_a_hard_penalty_leaves_the_order_that_the_trees_give(corners):
    numbers, labels, weights = corners
    look = Look(c=3e-4, rounds=20, leaves=8).fit(numbers, labels, weights)
    fresh = np.random.default_rng(6).normal(size=(1000, 5))
    votes = look.bins_.transform(fresh) @ look.bins_.votes_
    assert spearmanr(look.predict_proba(fresh)[:, 0], votes[:, 0] - votes[:, 1]).statistic > 0.95
