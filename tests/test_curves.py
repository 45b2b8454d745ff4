import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from noisefilter.curves import PiecewiseLinear

NUMBERS = hnp.arrays(
    float,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 3)),
)


@given(NUMBERS, st.integers(2, 9), st.floats(-10, 10))
def test_hats_of_a_number_sum_to_one(numbers, knots, shift):
    fitted = PiecewiseLinear(knots).fit(numbers)
    hats = fitted.transform(numbers + shift)
    counts = [len(places) for places in fitted.knots_]
    assert hats.shape == (len(numbers), sum(counts))
    assert max(counts) <= knots
    assert (hats >= 0).all()
    for block in np.split(hats, np.cumsum(counts)[:-1], axis=1):
        np.testing.assert_allclose(block.sum(axis=1), 1)
        assert (np.count_nonzero(block, axis=1) <= 2).all()


def test_a_line_through_the_hats_is_the_number_itself():
    numbers = np.linspace(-3, 5, 50)[:, None]
    fitted = PiecewiseLinear(5).fit(numbers)
    np.testing.assert_allclose(fitted.transform(numbers) @ fitted.knots_[0], numbers[:, 0], atol=1e-5)


def test_beyond_the_outer_knots_the_curve_is_level():
    fitted = PiecewiseLinear(4).fit(np.arange(10.0)[:, None])
    hats = fitted.transform(np.array([[-100.0], [0.0], [9.0], [1e9]]))
    np.testing.assert_array_equal(hats[0], hats[1])
    np.testing.assert_array_equal(hats[2], hats[3])


def test_a_constant_has_one_knot():
    fitted = PiecewiseLinear(4).fit(np.full((6, 1), 2.5))
    np.testing.assert_array_equal(fitted.transform(np.array([[0.0], [2.5], [7.0]])), np.ones((3, 1)))


def test_a_clone_is_not_fitted():
    copy = clone(PiecewiseLinear(5).fit(np.zeros((2, 1))))
    assert copy.get_params() == {"knots": 5}
    with pytest.raises(NotFittedError):
        copy.transform(np.zeros((1, 1)))
