"""NoiseFilter: article in, cleaned article out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice
from pathlib import Path

from noisefilter.article import Article, Paragraph
from noisefilter.bundle import load_model
from noisefilter.model import Model
from noisefilter.policy import (
    DEFAULT_CAP,
    DEFAULT_LOSS_BUDGET,
    Decision,
    Fate,
    LossBudgets,
    Policy,
    Reason,
    Scores,
    decided,
)
from noisefilter.rules import Rules, load_rules
from noisefilter.workers import AHEAD, Workers

_BATCH = 32 // AHEAD
"""Articles that a worker process gets at once."""


@dataclass(frozen=True)
class CleanedArticle:
    """What became of an article.

    Attributes
    ----------
    article : Article
        As it was given.
    scored : Scores
        What the decisions are made from.
    policy : Policy
    budgets : LossBudgets
        The model's table from loss budget to threshold.
    """

    article: Article
    scored: Scores
    policy: Policy
    budgets: LossBudgets

    @cached_property
    def _texts(self) -> list[str]:
        return [paragraph.text for paragraph in self.article.paragraphs]

    @cached_property
    def _fates(self) -> list[Fate]:
        fates = self.policy.fates(self._texts, self.article.source, self.scored.noise, self.scored.shields)
        return self.policy.capped(self._texts, fates)

    @cached_property
    def _going(self) -> set[int]:
        return {at for at, fate in enumerate(self._fates) if fate.drop}

    @property
    def over_cap(self) -> bool:
        """True if so much was noise that nothing was dropped; look at such an article."""
        return any(fate.reason is Reason.OVER_CAP for fate in self._fates)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """One for each paragraph, in order."""
        return decided(self.article, self.scored, self._fates)

    @cached_property
    def text(self) -> str:
        """The article's text without what was dropped: a subsequence of what was given."""
        return self.article.without(self._going)

    @property
    def kept(self) -> tuple[Paragraph, ...]:
        """The paragraphs that stay."""
        return tuple(paragraph for at, paragraph in enumerate(self.article.paragraphs) if at not in self._going)

    @property
    def dropped(self) -> tuple[Paragraph, ...]:
        """The paragraphs that go."""
        return tuple(self.article.paragraphs[at] for at in sorted(self._going))

    def seen_with(self, index: int) -> Article:
        """Return the article as it was when the paragraph of this index was last looked at."""
        turns = self.scored.rounds
        return self.article.subset([at for at, turn in enumerate(turns) if turn >= turns[index]])

    def rethreshold(self, loss_budget: float) -> "CleanedArticle":
        """Decide again at another loss budget, from the same scores.

        The scores of a paragraph are those of the round in which it was last looked at, when what
        had been dropped was out of its context (see `NoiseFilter.clean`). A fresh cleaning at the other
        budget goes through rounds of its own, so single decisions near the threshold may differ.

        Raises
        ------
        ValueError
            If `loss_budget` is not between 0 and 1.
        """
        policy = replace(self.policy, threshold=self.budgets.threshold(loss_budget))
        return CleanedArticle(self.article, self.scored, policy, self.budgets)


class NoiseFilter:
    """Find and drop the paragraphs that do not belong to their article.

    Parameters
    ----------
    model : Model or path, optional
        By default the model that ships in the package.
    loss_budget : float
        Share of the content paragraphs that you accept to lose.
    cap : float
        Share of an article's words that may be dropped; above it, nothing is.
    rules : Rules or path, optional
        Your own rules (``rules.toml``).

    Raises
    ------
    ValueError
        If `loss_budget` or `cap` is not between 0 and 1.
    TypeError
        If it is no number, or `rules` neither a path nor `Rules`.
    ModelError, RulesError
        If the model or the rules cannot be read.

    Examples
    --------
    >>> import noisefilter as nf
    >>> cleaned = nf.NoiseFilter().clean(nf.Article(paragraphs=["Only this line."]))
    >>> cleaned.text
    'Only this line.'
    """

    def __init__(
        self,
        model: Model | str | Path | None = None,
        loss_budget: float = DEFAULT_LOSS_BUDGET,
        *,
        cap: float = DEFAULT_CAP,
        rules: Rules | str | Path | None = None,
    ) -> None:
        for name, share in (("loss_budget", loss_budget), ("cap", cap)):
            if not isinstance(share, int | float):
                raise TypeError(f"{name} is {share!r}, but it is a number between 0 and 1")
        if not 0 <= cap <= 1:
            raise ValueError(f"cap {cap} is not a share between 0 and 1: 0.5 means half of an article's words")
        self.model = model if isinstance(model, Model) else load_model(model)
        self.loss_budget = loss_budget
        if isinstance(rules, str | Path):
            rules = load_rules(rules)
        if not isinstance(rules, Rules | None):
            raise TypeError("rules is a path or Rules: write Rules([Rule(...), ...])")
        self.policy = Policy(self.model.budgets.threshold(loss_budget), cap, rules or Rules())

    def clean(self, article: str | Article) -> CleanedArticle:
        """Decide every paragraph of an article.

        What is dropped no longer counts as the article's context: the rest is looked at again,
        until a round finds nothing more. So cleaning what was cleaned changes nothing.

        Parameters
        ----------
        article : str or Article
            A text is split into paragraphs as `Article.from_text` does.

        Raises
        ------
        TypeError
            If it is neither.
        """
        if isinstance(article, str):
            article = Article.from_text(article)
        if not isinstance(article, Article):
            raise TypeError(f"clean takes a text or an Article, not {type(article).__name__}")
        reading, texts = self.model.read(article), [paragraph.text for paragraph in article.paragraphs]
        alive = list(range(len(texts)))
        scored = last = reading.score(alive)
        for turn in count(1):
            going = self._goes([texts[at] for at in alive], article.source, last)
            left = [at for at, goes in zip(alive, going, strict=True) if not goes]
            if len(left) == len(alive):
                break
            alive, last = left, reading.score(left)
            scored = scored.renewed(alive, last, turn)
        return CleanedArticle(article, scored, self.policy, self.model.budgets)

    def _goes(self, texts: Sequence[str], source: str | None, scores: Scores) -> list[bool]:
        """Tell which paragraphs no longer count as context: those that go, and noise that only the user's rules keep.

        So a rule that keeps a paragraph has no say in what becomes of others.
        """
        fates = self.policy.fates(texts, source, scores.noise, scores.shields)
        if not self.policy.rules.rules:
            return [fate.drop for fate in fates]
        unruled = replace(self.policy, rules=Rules()).fates(texts, source, scores.noise, scores.shields)
        return [fate.drop or bare.drop for fate, bare in zip(fates, unruled, strict=True)]

    def clean_many(self, articles: Iterable[str | Article], jobs: int = 1) -> Iterator[CleanedArticle]:
        """Clean articles one after the other, in their order.

        Parameters
        ----------
        articles : iterable of str or Article
            Read as needed: with one job one at a time, with more at most 32 ahead for each job.
        jobs : int
            Worker processes; the result does not depend on it.

        Raises
        ------
        ValueError
            If `jobs` is below 1.
        TypeError
            If `articles` is one text; or, when its turn comes, if an article is neither a text nor an Article.
        RunError
            When its turn comes, if a worker process ended before its work was done.
        """
        if isinstance(articles, str):
            raise TypeError("clean_many takes several articles: put one text in a list")
        if jobs < 1:
            raise ValueError(f"jobs is {jobs}, but it is a number of processes, 1 or more")
        return (self.clean(one) for one in articles) if jobs == 1 else self._cleaned_by(jobs, articles)

    def _cleaned_by(self, jobs: int, articles: Iterable[str | Article]) -> Iterator[CleanedArticle]:
        source = iter(articles)
        batches = iter(lambda: list(islice(source, _BATCH)), [])
        with Workers(self._clean_batch, jobs) as workers:
            for cleaned in workers.map(batches):
                yield from cleaned

    def _clean_batch(self, articles: Sequence[str | Article]) -> list[CleanedArticle]:
        return [self.clean(article) for article in articles]


def clean(text: str) -> str:
    """Return a text without the paragraphs that do not belong, by the default model and budget.

    Parameters
    ----------
    text : str

    Raises
    ------
    TypeError
        If it is no text.
    """
    if not isinstance(text, str):
        raise TypeError(f"clean takes a text, not {type(text).__name__}: for an Article use NoiseFilter().clean")
    return NoiseFilter().clean(text).text
