"""What the options on model, loss budget, cap and rules come to."""

import math
from pathlib import Path

from noisefilter.cleaner import NoiseFilter
from noisefilter.cli.outcome import say


def cleaner_of(model: Path | None, loss_budget: float, cap: float, rules: Path | None) -> NoiseFilter:
    """Return what cleans by these options; say so where so small a budget is promised by none of its thresholds.

    Raises
    ------
    ModelError, RulesError
        As `NoiseFilter` does.
    """
    cleaner = NoiseFilter(model, loss_budget, cap=cap, rules=rules)
    if loss_budget > 0 and math.isinf(cleaner.policy.threshold):
        least = cleaner.model.budgets.rows[0].budget
        say(
            f"the smallest loss budget that this model promises is {least:g}: at {loss_budget:g} it drops nothing but "
            "what your rules say"
        )
    return cleaner
