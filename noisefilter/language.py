"""Is an article in the language that the model was trained on? When not, nothing is dropped."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from noisefilter.article import Article
from noisefilter.text import normalise, word_list

_HOW_MANY = 150
_FEWEST_WORDS = 20
_LENIENCE = 0.4


@dataclass(frozen=True, slots=True)
class CommonWords:
    """The commonest words of the training articles, and how much of a text they make up at least.

    Every language spends a good third of its words on the same hundred or so (articles, pronouns,
    prepositions); a text in another language hardly meets them.

    Attributes
    ----------
    words : frozenset of str
        Lower-case.
    floor : float
        A text of 20 words or more with a smaller share of them is in another language.
    """

    words: frozenset[str]
    floor: float

    @classmethod
    def learn(cls, articles: Iterable[Article]) -> "CommonWords":
        """Count the words of `articles`; the floor is 0.4 of the share in an ordinary one of them."""
        texts = [_words(article) for article in articles]
        count: Counter[str] = Counter()
        for words in texts:
            count.update(set(words))
        ranked = sorted((word for word in count if word.isalpha()), key=lambda word: (-count[word], word))
        common = frozenset(ranked[:_HOW_MANY])
        shares = sorted(_share(words, common) for words in texts if words)
        return cls(common, _LENIENCE * shares[len(shares) // 2] if shares else 0.0)

    def read_like(self, article: Article) -> bool:
        """Tell whether the article may be in the model's language; true where there is too little to tell."""
        counts = [self.count(paragraph.text) for paragraph in article.paragraphs]
        return self.enough(sum(words for words, _ in counts), sum(common for _, common in counts))

    def count(self, text: str) -> tuple[int, int]:
        """Return how many words a paragraph has, and how many of them are common."""
        words = [word.lower() for word in word_list(normalise(text))]
        return len(words), sum(word in self.words for word in words)

    def enough(self, words: int, common: int) -> bool:
        """Tell whether a text with so many words, so many of them common, may be in the model's language."""
        return words < _FEWEST_WORDS or common / words >= self.floor


def _words(article: Article) -> list[str]:
    return [word.lower() for paragraph in article.paragraphs for word in word_list(normalise(paragraph.text))]


def _share(words: list[str], common: frozenset[str]) -> float:
    return sum(word in common for word in words) / len(words)
