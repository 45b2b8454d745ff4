import numpy as np
import pytest
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from noisefilter.look import Look


@pytest.fixture(scope="module")
def corners():
    """Numbers of which only two together tell the class."""
    chance = np.random.default_rng(5)
    numbers = chance.normal(size=(3000, 4))
    labels = np.where((numbers[:, 0] > 0) == (numbers[:, 2] > 0), "content", "boilerplate")
    labels[chance.integers(0, 3000, 400)] = "off_topic"
    return numbers, labels, chance.uniform(0.5, 2, 3000)


@pytest.mark.parametrize("c", [1e-3, 1.0])
def test_what_the_trees_say_is_shared_out_among_the_bins(corners, c):
    """Scoring with curves and bins alone gives what the regression with the trees' own columns says."""
    numbers, labels, weights = corners
    look = Look(c=c, rounds=20, leaves=8).fit(numbers, labels, weights)

    def columns(numbers):
        bins = look.bins_.transform(numbers)
        return sparse.hstack([look.curves_.transform(numbers), bins, bins @ look.bins_.votes_], format="csr")

    whole = LogisticRegression(C=c, max_iter=500, tol=1e-3).fit(columns(numbers), labels, weights)
    fresh = np.random.default_rng(6).normal(size=(1000, 4))
    assert look.model_.coef_.shape == (3, len(look.curves_.average_) + look.bins_.count)
    np.testing.assert_allclose(look.predict_proba(fresh), whole.predict_proba(columns(fresh)), atol=0.01)


def test_a_hard_penalty_leaves_the_order_that_the_trees_give(corners):
    numbers, labels, weights = corners
    look = Look(c=3e-4, rounds=20, leaves=8).fit(numbers, labels, weights)
    fresh = np.random.default_rng(6).normal(size=(1000, 4))
    votes = look.bins_.transform(fresh) @ look.bins_.votes_
    assert spearmanr(look.predict_proba(fresh)[:, 0], votes[:, 0] - votes[:, 1]).statistic > 0.95
