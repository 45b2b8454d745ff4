"""From answers on unseen sites to thresholds that keep a loss budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisefilter.policy import BudgetRow, LossBudgets

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What out-of-fold classifiers said of labelled paragraphs.

    Attributes
    ----------
    probability : ndarray of float, shape (n_paragraphs,)
        Noise probability.
    noise : ndarray of bool, shape (n_paragraphs,)
        The truth.
    site : ndarray of int, shape (n_paragraphs,)
        Number of the site, from 0.
    """

    probability: NDArray[np.float64]
    noise: NDArray[np.bool_]
    site: NDArray[np.intp]

    def budgets(self, budgets: Sequence[float], resamples: int) -> LossBudgets:
        """Return the table from loss budget to threshold.

        A budget's threshold is the lowest at which the content loss stays within the budget in 95 % of
        the bootstrap resamples over sites (one-sided percentile bound; Efron & Tibshirani, *An
        Introduction to the Bootstrap*, 1993, ch. 13). Sites are resampled, not paragraphs: the next
        article will come from a site that nobody has seen.

        Parameters
        ----------
        budgets : sequence of float
            Rising.
        resamples : int
        """
        draws = self._draws(resamples)
        levels = np.unique(self.probability[~self.noise])
        return LossBudgets(tuple(self._row(budget, levels, draws) for budget in budgets))

    def _row(self, budget: float, levels: NDArray[np.float64], draws: NDArray[np.float64]) -> BudgetRow:
        low, high = 0, len(levels)  # the loss falls as the threshold rises: bisect
        while low < high:
            middle = (low + high) // 2
            if np.quantile(self._losses(_just_above(levels[middle]), draws), _CONFIDENCE) <= budget:
                high = middle
            else:
                low = middle + 1
        threshold = _just_above(levels[min(low, len(levels) - 1)])
        lost = (self.probability >= threshold) & ~self.noise
        interval = np.quantile(self._losses(threshold, draws), [0.025, 0.975])
        return BudgetRow(
            budget=budget,
            threshold=threshold,
            loss=round(float(lost.sum() / (~self.noise).sum()), 6),
            loss_low=round(float(interval[0]), 6),
            loss_high=round(float(interval[1]), 6),
            recall=round(float(np.mean(self.probability[self.noise] >= threshold)), 6),
        )

    def _losses(self, threshold: float, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the content loss in each resample, shape (n_resamples,)."""
        content = np.bincount(self.site, ~self.noise, draws.shape[1])
        lost = np.bincount(self.site, (self.probability >= threshold) & ~self.noise, draws.shape[1])
        losses: NDArray[np.float64] = draws @ lost / np.maximum(draws @ content, 1)
        return losses

    def _draws(self, resamples: int) -> NDArray[np.float64]:
        """Return how often each site is drawn in each resample, shape (n_resamples, n_sites)."""
        sites = int(self.site.max()) + 1
        return np.random.default_rng(0).multinomial(sites, np.full(sites, 1 / sites), resamples).astype(np.float64)


def _just_above(level: float) -> float:
    return round(float(level) + 1e-6, 6)
