import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from noisefilter import bins as module
from noisefilter.bins import BoostedBins


@pytest.fixture(scope="module")
def fitted(corners):
    return BoostedBins(rounds=6, leaves=8).fit(*corners)


def test_a_row_is_in_one_bin_of_each_tree(fitted, corners):
    found = fitted.find(corners[0])
    assert found.shape == (2000, 18)
    assert found.min() == 0
    assert found.max() == fitted.count - 1
    table = fitted.transform(corners[0])
    assert table.shape == (2000, fitted.count)
    assert (table.sum(axis=1) == 18).all()
    assert (np.sort(found, axis=1) == np.sort(table.indices.reshape(2000, 18), axis=1)).all()


def test_the_bins_are_the_leaves_of_the_boosted_trees(corners, monkeypatch):
    """What scikit-learn's trees predict must follow from our bins alone: the nodes are read from its private parts."""
    boosted = []

    class Watched(HistGradientBoostingClassifier):
        def fit(self, *args, **kwargs):
            boosted.append(self)
            return super().fit(*args, **kwargs)

    monkeypatch.setattr(module, "HistGradientBoostingClassifier", Watched)
    again = BoostedBins(rounds=6, leaves=8).fit(*corners)
    numbers = np.vstack([corners[0], np.random.default_rng(4).normal(scale=3, size=(500, 5))])
    values = np.concatenate(
        [tree.nodes["value"][tree.nodes["is_leaf"] == 1] for each in boosted[0]._predictors for tree in each]
    )
    raw = values[again.find(numbers)].reshape(len(numbers), 6, 3).sum(axis=1) + boosted[0]._baseline_prediction.ravel()
    np.testing.assert_allclose(raw, boosted[0].decision_function(numbers), atol=1e-9)
    voted = again.transform(numbers) @ again.votes_ + boosted[0]._baseline_prediction.ravel()
    np.testing.assert_allclose(voted, boosted[0].decision_function(numbers), atol=1e-9)


def test_a_regression_on_bins_finds_what_counts_only_together(fitted, corners):
    numbers, labels, weights = corners
    plain = LogisticRegression(max_iter=300).fit(numbers, labels, weights).score(numbers, labels)
    binned = LogisticRegression(max_iter=300).fit(fitted.transform(numbers), labels, weights)
    assert plain < 0.55
    assert binned.score(fitted.transform(numbers), labels) > 0.8


def test_few_rows_draw_no_trees_but_still_bins():
    numbers = np.arange(12, dtype=float).reshape(6, 2)
    labels = np.array(["content", "boilerplate", "off_topic"] * 2)
    few = BoostedBins(rounds=2).fit(numbers, labels, np.ones(6))
    assert few.count == 6
    assert (few.transform(numbers).toarray() == 1).all()


def test_more_rows_than_wanted_are_thinned_evenly(corners):
    numbers, labels, weights = corners
    rows = np.linspace(0, 1999, 700).astype(int)
    thinned = BoostedBins(rounds=2, most_rows=700).fit(numbers, labels, weights)
    chosen = BoostedBins(rounds=2).fit(numbers[rows], labels[rows], weights[rows])
    for name, array in thinned.arrays().items():
        np.testing.assert_array_equal(array, chosen.arrays()[name])


def test_it_comes_back_from_its_arrays(fitted, corners):
    again = BoostedBins().restore(fitted.arrays(), 5)
    np.testing.assert_array_equal(again.find(corners[0]), fitted.find(corners[0]))
    with pytest.raises(NotFittedError):
        clone(fitted).find(corners[0])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("feature", lambda a: a + 5),
        ("feature", lambda a: a[:-1]),
        ("feature", lambda a: a.astype(float)),
        ("feature", lambda a: np.where(a >= 0, -2, a)),
        ("border", lambda a: a * np.nan),
        ("left", np.zeros_like),
        ("right", lambda a: a + len(a)),
        ("right", lambda a: -a),
        ("roots", lambda a: a + 10_000),
        ("roots", lambda a: a - 1),
    ],
)
def test_what_is_no_tree_is_refused(fitted, name, change):
    """Otherwise a damaged bundle could send a row in circles."""
    with pytest.raises(ValueError, match="not trees"):
        BoostedBins().restore(fitted.arrays() | {name: change(fitted.arrays()[name])}, 5)
