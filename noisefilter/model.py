"""A trained model: the classifier with all that decisions need besides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noisefilter.article import Article, Label
from noisefilter.classifier import NoiseClassifier
from noisefilter.headline import title_index
from noisefilter.language import CommonWords
from noisefilter.look import CLASSES
from noisefilter.policy import LossBudgets, Reason, Scored


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model with all that decisions need.

    Attributes
    ----------
    classifier : NoiseClassifier
    common_words : CommonWords
    budgets : LossBudgets
    about : mapping
        What the manifest tells besides: language, training data, metrics, recipe.
    card : str
        The model card, Markdown.
    """

    classifier: NoiseClassifier
    common_words: CommonWords
    budgets: LossBudgets
    about: Mapping[str, Any]
    card: str = ""

    def score(self, article: Article) -> tuple[Scored, ...]:
        """Return the probabilities of each paragraph, and what protects it."""
        probabilities = self.classifier.score_article(article)
        foreign = not self.common_words.read_like(article)
        title = title_index(article)
        scored = []
        for index, paragraph in enumerate(article.paragraphs):
            shield = None
            if index == title:
                shield = Reason.TITLE
            elif foreign:
                shield = Reason.OTHER_LANGUAGE
            elif not self.classifier.lexical_.knows(paragraph.text):
                shield = Reason.NO_KNOWN_FEATURE
            shares = {Label(name): float(share) for name, share in zip(CLASSES, probabilities[index], strict=True)}
            scored.append(Scored(shares, shield))
        return tuple(scored)
