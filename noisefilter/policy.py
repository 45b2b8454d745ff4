"""Probabilities to decisions: the loss budget, the cap, and what is never dropped."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, overload

from noisefilter.article import Article, Label, Paragraph
from noisefilter.features import CLASSES
from noisefilter.rules import Rules

DEFAULT_LOSS_BUDGET = 0.01
DEFAULT_CAP = 0.5
_LABELS = tuple(Label(name) for name in CLASSES)
_BOILERPLATE, _OFF_TOPIC = _LABELS.index(Label.BOILERPLATE), _LABELS.index(Label.OFF_TOPIC)


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
        return min(shares.get(Label.BOILERPLATE, 0.0) + shares.get(Label.OFF_TOPIC, 0.0), 1.0)


class Scores(Sequence[Scored]):
    """What was scored of the paragraphs of an article, as plain lists; each becomes a `Scored` when it is asked for.

    Attributes
    ----------
    shares : list of tuple of float
        Probabilities in the order of `CLASSES`.
    shields : list of Reason or None
    rounds : list of int
    """

    __slots__ = ("rounds", "shares", "shields")

    def __init__(
        self, shares: list[tuple[float, ...]], shields: list[Reason | None], rounds: list[int] | None = None
    ) -> None:
        self.shares, self.shields, self.rounds = shares, shields, rounds or [0] * len(shares)

    @property
    def noise(self) -> list[float]:
        """The noise probability of each."""
        return [min(shares[_BOILERPLATE] + shares[_OFF_TOPIC], 1.0) for shares in self.shares]

    def renewed(self, indices: Sequence[int], later: "Scores", turn: int) -> "Scores":
        """Return the scores with those of these indices from a later round."""
        new = self[:]
        for at, shares, shield in zip(indices, later.shares, later.shields, strict=True):
            new.shares[at], new.shields[at], new.rounds[at] = shares, shield, turn
        return new

    def __len__(self) -> int:
        return len(self.shares)

    @overload
    def __getitem__(self, index: int) -> Scored: ...
    @overload
    def __getitem__(self, index: slice) -> "Scores": ...
    def __getitem__(self, index: int | slice) -> "Scored | Scores":
        if isinstance(index, slice):
            return Scores(self.shares[index], self.shields[index], self.rounds[index])
        probabilities = dict(zip(_LABELS, self.shares[index], strict=True))
        return Scored(probabilities, self.shields[index], self.rounds[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # the lists may change


class Fate(NamedTuple):
    """What becomes of a paragraph, and why."""

    drop: bool
    reason: Reason


_CONTENT, _NOISE = Fate(False, Reason.CONTENT), Fate(True, Reason.NOISE)


@dataclass(frozen=True, slots=True)
class Decision:
    """Keep or drop one paragraph, and why.

    Attributes
    ----------
    paragraph : Paragraph
    label : Label
        The likeliest label; of a paragraph dropped as noise the likelier kind of noise.
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

    def fates(
        self, texts: Sequence[str], source: str | None, noise: Sequence[float], shields: Sequence[Reason | None]
    ) -> list[Fate]:
        """Return what becomes of each paragraph, the cap aside.

        Parameters
        ----------
        texts : sequence of str
            The paragraphs.
        source : str or None
            Where their article is from.
        noise : sequence of float
            The noise probability of each.
        shields : sequence of Reason or None
            What protects each whatever its probability.
        """
        fates = [
            (_NOISE if shield is None else Fate(False, shield)) if share >= self.threshold else _CONTENT
            for share, shield in zip(noise, shields, strict=True)
        ]
        if self.rules.rules:
            for at, text in enumerate(texts):
                verdict = self.rules.verdict(text, source)
                if verdict is not None:
                    fates[at] = Fate(verdict == "drop", Reason.RULE)
        if _NOISE in fates:
            _leave_something(texts, noise, fates)
        return fates

    def over_cap(self, texts: Sequence[str], fates: Sequence[Fate]) -> bool:
        """Tell whether the model would drop more of the article's words than the cap allows."""
        dropped = sum(_words(text) for text, fate in zip(texts, fates, strict=True) if fate == _NOISE)
        return dropped > 0 and dropped > self.cap * sum(map(_words, texts))

    def capped(self, texts: Sequence[str], fates: Sequence[Fate]) -> list[Fate]:
        """Return the fates with nothing dropped by the model, if they are over the cap."""
        if not self.over_cap(texts, fates):
            return list(fates)
        return [Fate(False, Reason.OVER_CAP) if fate == _NOISE else fate for fate in fates]


def decided(article: Article, scored: Sequence[Scored], fates: Sequence[Fate]) -> tuple[Decision, ...]:
    """Return a decision for each paragraph of an article, of which `fates` are told."""
    return tuple(
        Decision(
            paragraph,
            (_likelier_noise if fate == _NOISE else _likeliest)(score.probabilities),
            score.probabilities,
            score.noise_probability,
            fate.drop,
            fate.reason,
        )
        for paragraph, score, fate in zip(article.paragraphs, scored, fates, strict=True)
    )


def _leave_something(texts: Sequence[str], noise: Sequence[float], fates: list[Fate]) -> None:
    """Keep the least noisy paragraph where all that has words would go, unless the user's own rules say so."""
    if any(not fate.drop and _words(text) for text, fate in zip(texts, fates, strict=True)):
        return
    unruled = [at for at, fate in enumerate(fates) if fate == _NOISE and _words(texts[at])]
    if unruled:
        fates[min(unruled, key=lambda at: (noise[at], at))] = Fate(False, Reason.ONLY_CONTENT)


def _words(text: str) -> int:
    return len(text.split())


def _likeliest(probabilities: Mapping[Label, float]) -> Label:
    return max(probabilities, key=probabilities.__getitem__)


def _likelier_noise(probabilities: Mapping[Label, float]) -> Label:
    return max((label for label in probabilities if label.is_noise), key=lambda label: probabilities[label])
