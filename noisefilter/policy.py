"""Probabilities to decisions: the loss budget, the cap, and what is never dropped."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from noisefilter.article import Article, Label, Paragraph
from noisefilter.rules import Rules

DEFAULT_LOSS_BUDGET = 0.01
DEFAULT_CAP = 0.5


class Reason(StrEnum):
    """Why a paragraph was kept or dropped."""

    NOISE = "noise"
    CONTENT = "content"
    RULE = "rule"
    TITLE = "title"
    ONLY_CONTENT = "only_content"
    OVER_CAP = "over_cap"
    NO_KNOWN_FEATURE = "no_known_feature"
    OTHER_LANGUAGE = "other_language"


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What one loss budget buys, measured on articles from sites that the model was not trained on.

    Attributes
    ----------
    budget : float
        Content loss that the user accepts, as a share of the content paragraphs.
    threshold : float
        A paragraph with at least this noise probability is dropped.
    loss, loss_low, loss_high : float
        Content loss realised, with its 95 % bootstrap interval over sites.
    recall : float
        Noise recall at this threshold.
    """

    budget: float
    threshold: float
    loss: float
    loss_low: float
    loss_high: float
    recall: float


@dataclass(frozen=True, slots=True)
class LossBudgets:
    """The table from loss budget to threshold, budgets rising."""

    rows: tuple[BudgetRow, ...]

    def threshold(self, budget: float) -> float:
        """Return the threshold of the largest tabulated budget that is not above `budget`.

        Below the smallest budget the threshold is infinite: nothing is dropped.

        Raises
        ------
        ValueError
            If `budget` is not between 0 and 1.
        """
        if not 0 <= budget <= 1:
            raise ValueError(f"loss budget {budget} is not a share between 0 and 1: 0.01 means 1 % of the content")
        fitting = [row.threshold for row in self.rows if row.budget <= budget + 1e-12]
        return fitting[-1] if fitting else math.inf


@dataclass(frozen=True, slots=True)
class Scored:
    """A paragraph's probabilities, and whether something protects it whatever they are.

    Attributes
    ----------
    probabilities : mapping of Label to float
        They sum to 1.
    shield : Reason or None
        ``title``, ``no_known_feature`` or ``other_language``.
    round : int
        The round of cleaning, from 0, in which the paragraph was last looked at.
    """

    probabilities: Mapping[Label, float]
    shield: Reason | None = None
    round: int = 0

    @property
    def noise_probability(self) -> float:
        """Probability that the paragraph is boilerplate or off-topic."""
        shares = self.probabilities
        return min(1.0, shares.get(Label.BOILERPLATE, 0.0) + shares.get(Label.OFF_TOPIC, 0.0))


@dataclass(frozen=True, slots=True)
class Decision:
    """Keep or drop one paragraph, and why.

    Attributes
    ----------
    paragraph : Paragraph
    label : Label
        The likeliest label; of a dropped paragraph the likelier kind of noise.
    probabilities : mapping of Label to float
    noise_probability : float
    drop : bool
    reason : Reason
    """

    paragraph: Paragraph
    label: Label
    probabilities: Mapping[Label, float]
    noise_probability: float
    drop: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class Policy:
    """How probabilities become decisions.

    Attributes
    ----------
    threshold : float
        Noise probability from which a paragraph is dropped.
    cap : float
        Share of an article's words that the model may drop; above it, it drops nothing.
    rules : Rules
        The user's own; they go before all else, and the cap does not count what they drop.
    """

    threshold: float
    cap: float = DEFAULT_CAP
    rules: Rules = field(default_factory=Rules)

    def decide(self, article: Article, scored: Sequence[Scored]) -> tuple[Decision, ...]:
        """Return a decision for each paragraph.

        Parameters
        ----------
        article : Article
        scored : sequence of Scored
            One for each paragraph of the article.
        """
        decisions = [
            self._decide_one(article, paragraph, score)
            for paragraph, score in zip(article.paragraphs, scored, strict=True)
        ]
        return tuple(self._leave_something(decisions))

    def over_cap(self, decisions: Sequence[Decision]) -> bool:
        """Tell whether the model would drop more of the article's words than the cap allows."""
        dropped = sum(_words(decision) for decision in decisions if decision.drop and decision.reason is Reason.NOISE)
        return dropped > 0 and dropped > self.cap * sum(_words(decision) for decision in decisions)

    def capped(self, decisions: Sequence[Decision]) -> tuple[Decision, ...]:
        """Return the decisions with nothing dropped by the model, if they are over the cap."""
        if not self.over_cap(decisions):
            return tuple(decisions)
        return tuple(
            replace(decision, drop=False, reason=Reason.OVER_CAP, label=_likeliest(decision.probabilities))
            if decision.reason is Reason.NOISE
            else decision
            for decision in decisions
        )

    def _decide_one(self, article: Article, paragraph: Paragraph, score: Scored) -> Decision:
        noise = score.noise_probability
        verdict = self.rules.verdict(paragraph.text, article.source)
        if verdict is not None:
            drop, reason = verdict == "drop", Reason.RULE
        elif noise < self.threshold:
            drop, reason = False, Reason.CONTENT
        elif score.shield is not None:
            drop, reason = False, score.shield
        else:
            drop, reason = True, Reason.NOISE
        label = _likelier_noise(score.probabilities) if drop else _likeliest(score.probabilities)
        return Decision(paragraph, label, score.probabilities, noise, drop, reason)

    def _leave_something(self, decisions: list[Decision]) -> list[Decision]:
        """Keep the least noisy paragraph where all that has words would go, unless the user's own rules say so."""
        if not any(decision.reason is Reason.NOISE for decision in decisions):
            return decisions
        worded = [at for at, decision in enumerate(decisions) if _words(decision)]
        unruled = [at for at in worded if decisions[at].reason is Reason.NOISE]
        if unruled and all(decisions[at].drop for at in worded):
            best = min(unruled, key=lambda at: (decisions[at].noise_probability, at))
            label = _likeliest(decisions[best].probabilities)
            decisions[best] = replace(decisions[best], drop=False, reason=Reason.ONLY_CONTENT, label=label)
        return decisions


def _words(decision: Decision) -> int:
    return len(decision.paragraph.text.split())


def _likeliest(probabilities: Mapping[Label, float]) -> Label:
    return max(probabilities, key=probabilities.__getitem__)


def _likelier_noise(probabilities: Mapping[Label, float]) -> Label:
    return max((label for label in probabilities if label.is_noise), key=lambda label: probabilities[label])
