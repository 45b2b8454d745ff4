"""From answers on unseen sites to thresholds that keep a loss budget: conformal risk control.

The loss of an article is the share of its content paragraphs that a threshold
drops; it falls as the threshold rises and is never above 1. If the next
article is one more of the kind that was calibrated on, the threshold found
here loses no more than the budget *in expectation*, however good or bad the
classifier is (Angelopoulos, Bates, Fisch, Lei & Schuster, *Conformal Risk
Control*, 2022, arXiv 2208.02814, theorem 1).

The theorem's promise holds here as nearly as its conditions do:

- the answers come from classifiers fitted on the other folds of sites, not from
  the one fitted on all of them;
- an article counts as one more of the kind if its site is like those calibrated
  on; articles of one site are alike, so the sum of losses varies more than for
  as many articles of different sites;
- cleaning goes in rounds, while a threshold is found from the higher of two
  answers to each paragraph: as it stands, and with the likely noise gone.

What a budget came to, by site and on sets kept aside, is measured with whole
cleanings and stands in the model card (`noisefilter.evaluation.realise`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisefilter.policy import BudgetRow, LossBudgets


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What out-of-fold classifiers said of labelled paragraphs.

    Attributes
    ----------
    probability : ndarray of float, shape (n_paragraphs,)
        Noise probability.
    noise : ndarray of bool, shape (n_paragraphs,)
        The truth.
    article, site : ndarray of int, shape (n_paragraphs,)
        Number of the article and of its site, from 0.
    """

    probability: NDArray[np.float64]
    noise: NDArray[np.bool_]
    article: NDArray[np.intp]
    site: NDArray[np.intp]

    def budgets(self, budgets: Sequence[float], resamples: int) -> LossBudgets:
        """Return the table from loss budget to threshold.

        A budget's threshold is the lowest for which ``(losses + 1) / (articles + 1)`` is not above it,
        `losses` being the sum of the articles' losses. A budget below ``1 / (articles + 1)`` cannot be promised
        from so few articles and is left out.

        Parameters
        ----------
        budgets : sequence of float
            Rising.
        resamples : int
            Bootstrap resamples over sites, for the interval of the realised loss.
        """
        levels, costs = self._steps()
        draws = self._draws(resamples)
        count = len(self._content())
        rows = []
        for budget in budgets:
            affordable = budget * (count + 1) - 1
            if affordable < 0:
                continue
            # Dropping the levels from the highest down costs this much; go as far as can be afforded.
            dropped = int(np.searchsorted(np.cumsum(costs), affordable + 1e-12, side="right"))
            threshold = _just_above(levels[dropped] if dropped < len(levels) else 0.0)
            rows.append(self._row(budget, threshold, draws))
        return LossBudgets(tuple(rows))

    def _content(self) -> NDArray[np.float64]:
        """Return how many content paragraphs each article has that has any, shape (n_articles,)."""
        counts = np.bincount(self.article[~self.noise])
        kept: NDArray[np.float64] = counts[counts > 0].astype(np.float64)
        return kept

    def _steps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the noise probabilities of content, falling, and what dropping at each adds to the sum of losses."""
        content = ~self.noise
        share = 1 / np.bincount(self.article[content], minlength=int(self.article.max()) + 1).clip(1)
        rounded = np.ceil(self.probability[content] * 1e6) / 1e6
        levels, level = np.unique(-rounded, return_inverse=True)
        costs: NDArray[np.float64] = np.bincount(level, share[self.article[content]]).astype(np.float64)
        return -levels, costs

    def _row(self, budget: float, threshold: float, draws: NDArray[np.float64]) -> BudgetRow:
        interval = np.quantile(self._losses(threshold, draws), [0.025, 0.975])
        once = np.ones((1, draws.shape[1]))
        return BudgetRow(
            budget=budget,
            threshold=threshold,
            loss=round(float(self._losses(threshold, once)[0]), 6),
            loss_low=round(float(interval[0]), 6),
            loss_high=round(float(interval[1]), 6),
            recall=round(float(np.mean(self.probability[self.noise] >= threshold)), 6),
        )

    def _losses(self, threshold: float, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean loss of the articles in each resample of sites, shape (n_resamples,)."""
        content = ~self.noise
        of_article = np.bincount(self.article[content], self.probability[content] >= threshold)
        of_article = of_article / np.bincount(self.article[content]).clip(1)
        first = np.unique(self.article[content], return_index=True)
        site = self.site[content][first[1]]
        lost = np.bincount(site, of_article[first[0]], draws.shape[1])
        losses: NDArray[np.float64] = draws @ lost / np.maximum(draws @ np.bincount(site, minlength=draws.shape[1]), 1)
        return losses

    def _draws(self, resamples: int) -> NDArray[np.float64]:
        """Return how often each site is drawn in each resample, shape (n_resamples, n_sites)."""
        sites = int(self.site.max()) + 1
        return np.random.default_rng(0).multinomial(sites, np.full(sites, 1 / sites), resamples).astype(np.float64)


def articles_needed(budget: float) -> int:
    """Return how many articles with content it takes to promise a loss budget."""
    return math.ceil(1 / budget - 1e-9) - 1


def _just_above(level: float) -> float:
    return round(float(level) + 1e-6, 6)
