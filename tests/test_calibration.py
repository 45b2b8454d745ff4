import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisefilter.calibration import Outcomes, articles_needed

BUDGETS = (0.001, 0.01, 0.05, 0.1, 0.3)


def outcomes(articles=200, seed=0, per_site=4, paragraphs=12):
    chance = np.random.default_rng(seed)
    total = articles * paragraphs
    noise = chance.random(total) < 0.3
    article = np.repeat(np.arange(articles), paragraphs)
    hard = chance.normal(size=articles)[article]  # some articles lose more than others
    odds = chance.normal(size=total) + np.where(noise, 2, -2) + hard
    return Outcomes(1 / (1 + np.exp(-odds)), noise, article, article // per_site)


def losses(found, threshold):
    """The share of its content that each article loses; plainly, one by one."""
    shares = []
    for number in np.unique(found.article):
        content = (found.article == number) & ~found.noise
        if content.any():
            shares.append(np.mean(found.probability[content] >= threshold))
    return shares


@given(st.integers(0, 30), st.integers(20, 60), st.integers(1, 9))
def test_a_threshold_is_the_lowest_that_the_theorem_allows(seed, articles, paragraphs):
    found = outcomes(articles, seed, paragraphs=paragraphs)
    for row in found.budgets(BUDGETS, 2).rows:
        mine = losses(found, row.threshold)
        assert (sum(mine) + 1) / (len(mine) + 1) <= row.budget + 1e-9
        assert row.loss == pytest.approx(np.mean(mine), abs=1e-6)
        below = np.sort(found.probability[~found.noise & (found.probability < row.threshold)])
        if len(below):
            more = losses(found, below[-1] - 1e-5)
            assert (sum(more) + 1) / (len(more) + 1) > row.budget


def test_the_promise_is_kept_on_new_articles_on_average():
    """The theorem speaks of the mean over calibrations and new articles; a budget of 5 % over 60 of them."""
    realised = []
    for seed in range(60):
        threshold = outcomes(99, seed, per_site=1).budgets([0.05], 2).rows[0].threshold
        realised.append(np.mean(losses(outcomes(400, 1000 + seed, per_site=1), threshold)))
    assert 0.03 < np.mean(realised) <= 0.05 + 2 * np.std(realised) / np.sqrt(60)


@pytest.mark.parametrize(("articles", "smallest"), [(200, 0.01), (60, 0.05), (12, 0.1), (5, 0.3)])
def test_a_budget_that_so_few_articles_cannot_promise_is_left_out(articles, smallest):
    found = outcomes(articles)
    assert [row.budget for row in found.budgets(BUDGETS, 2).rows] == [b for b in BUDGETS if b >= smallest]


@pytest.mark.parametrize("budget", BUDGETS)
def test_articles_needed(budget):
    needed = articles_needed(budget)
    assert outcomes(needed).budgets([budget], 2).rows
    assert not outcomes(needed - 1).budgets([budget], 2).rows


def test_articles_without_content_promise_nothing():
    found = outcomes(12)
    alone = Outcomes(
        np.append(found.probability, [0.9] * 50),
        np.append(found.noise, [True] * 50),
        np.append(found.article, np.arange(100, 150)),
        np.append(found.site, [0] * 50),
    )
    assert [row.budget for row in alone.budgets(BUDGETS, 2).rows] == [0.1, 0.3]
    assert [row.threshold for row in alone.budgets(BUDGETS, 2).rows] == [
        row.threshold for row in found.budgets(BUDGETS, 2).rows
    ]


def test_a_larger_budget_has_no_higher_threshold():
    thresholds = [row.threshold for row in outcomes().budgets(BUDGETS, 2).rows]
    assert thresholds == sorted(thresholds, reverse=True)
    assert len(set(thresholds)) > 2


def test_where_everything_may_go_everything_goes():
    found = outcomes(30)
    row = found.budgets([1.0], 2).rows[0]
    assert row.loss == row.recall == 1


def test_the_interval_is_drawn_over_sites():
    """With articles of a site alike, fewer and larger sites make a wider interval."""
    single = outcomes(200, per_site=1)
    same = Outcomes(single.probability, single.noise, single.article, single.article % 5)
    wide, narrow = (one.budgets([0.05], 500).rows[0] for one in (same, single))
    assert wide.loss == narrow.loss
    assert narrow.loss_low < narrow.loss < narrow.loss_high
    assert (wide.loss_low, wide.loss_high) != (narrow.loss_low, narrow.loss_high)
