"""A trained model: what scores, with all that decisions need besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from noisefilter.article import Article
from noisefilter.headline import topmost_title
from noisefilter.language import CommonWords
from noisefilter.policy import LossBudgets, Reason, Scores
from noisefilter.weights import Weights

if TYPE_CHECKING:
    from noisefilter.classifier import NoiseClassifier


class Reading(Protocol):
    """One article as a scorer reads it, once, however often its paragraphs are scored."""

    @property
    def known(self) -> Sequence[bool]:
        """Whether each paragraph has a term of the vocabulary."""

    @property
    def counts(self) -> Sequence[tuple[int, int]]:
        """How many words each paragraph has, and how many of them are common."""

    def probabilities(self, alive: Sequence[int]) -> Sequence[tuple[float, ...]]:
        """Return the probabilities of the paragraphs of these indices as an article of its own."""

    def numbers(self, alive: Sequence[int]) -> Sequence[Sequence[float]]:
        """Return what the second look sees of these paragraphs, in the order of `SECOND_LOOK`."""


class Scorer(Protocol):
    """Turns articles into probabilities: the compiled kernel or the reference."""

    @property
    def weights(self) -> Weights:
        """What it has learnt, as plain numbers."""

    @property
    def classifier(self) -> "NoiseClassifier":
        """The scikit-learn classifier of these weights; imported when it is first asked for."""

    def read(self, article: Article) -> Reading:
        """Read an article's paragraphs."""


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model with all that decisions need.

    Attributes
    ----------
    scorer : Scorer
    common_words : CommonWords
    budgets : LossBudgets
    about : mapping
        What the manifest tells besides: language, training data, metrics, recipe.
    card : str
        The model card, Markdown.
    """

    scorer: Scorer
    common_words: CommonWords
    budgets: LossBudgets
    about: Mapping[str, Any]
    card: str = ""

    @property
    def classifier(self) -> "NoiseClassifier":
        """The scikit-learn classifier with this model's weights."""
        return self.scorer.classifier

    def read(self, article: Article) -> "ReadArticle":
        """Read an article, to score it, or parts of it, afterwards."""
        return ReadArticle(self, article)

    def score(self, article: Article) -> Scores:
        """Return the probabilities of each paragraph, and what protects it."""
        return self.read(article).score(range(len(article.paragraphs)))


class ReadArticle:
    """An article that a model has read."""

    def __init__(self, model: Model, article: Article) -> None:
        self._model = model
        self._article = article
        self._reading = model.scorer.read(article)

    def score(self, alive: Sequence[int]) -> Scores:
        """Return what `Model.score` does of the article that has only the paragraphs of these indices, rising."""
        if not alive:
            return Scores([], [])
        reading = self._reading
        words = sum([reading.counts[at][0] for at in alive])
        common = sum([reading.counts[at][1] for at in alive])
        shields: list[Reason | None] = [None if reading.known[at] else Reason.NO_KNOWN_FEATURE for at in alive]
        if not self._model.common_words.enough(words, common):
            shields = [Reason.OTHER_LANGUAGE] * len(alive)
        title = self._title(alive)
        if title is not None:
            shields[title] = Reason.TITLE
        return Scores(list(reading.probabilities(alive)), shields)

    def _title(self, alive: Sequence[int]) -> int | None:
        return topmost_title((self._article.paragraphs[at].text for at in alive), self._article.title)
