"""What is read from one paragraph before it is held against the others."""

import math
from collections import Counter
from collections.abc import Mapping

from noisefilter.text import STOP_WORDS, ends_sentence, stem, word_list


class Reading:
    """The words of one normalised paragraph: stems with their weights, names, numbers, shape.

    Whatever is summed is summed in the order of the text, never in that of a set: the last bit of a
    sum must not depend on the hash seed.

    Attributes
    ----------
    text : str
    words : list of str
    ends : bool
        Whether it ends as a sentence does.
    weights : dict of str to float
        TF-IDF of each stem that carries a topic.
    idf : dict of str to float
    mass, norm : float
        Sum of the IDF, length of the TF-IDF vector.
    stems : frozenset of str
    names : tuple of str
        Stems of words capitalised in mid-sentence.
    numbers : set of str
    capitalised : list of str
    unknown : float
        Share of the stems that the training data does not hold.
    """

    __slots__ = (
        "capitalised",
        "ends",
        "idf",
        "mass",
        "names",
        "norm",
        "numbers",
        "stems",
        "text",
        "unknown",
        "weights",
        "words",
    )

    def __init__(self, text: str, idf: Mapping[str, float], unseen_idf: float) -> None:
        self.text = text
        self.words = word_list(text)
        self.ends = ends_sentence(text)
        counts = Counter(stem(word) for word in self.words if word.lower() not in STOP_WORDS)
        self.idf = {term: idf.get(term, unseen_idf) for term in counts}
        self.weights = {term: (1 + math.log(n)) * self.idf[term] for term, n in counts.items()}
        self.stems = frozenset(self.weights)
        self.mass = sum(self.idf.values())
        self.norm = math.sqrt(sum(weight * weight for weight in self.weights.values()))
        self.unknown = sum(term not in idf for term in self.stems) / max(1, len(self.stems))
        self.numbers = {word for word in self.words if word[0].isdigit()}
        self.capitalised = [word for word in self.words if word[0].isupper()]
        inside = self.capitalised[1:] if self.words and self.words[0][0].isupper() else self.capitalised
        self.names = tuple(term for term in dict.fromkeys(map(stem, inside)) if term in self.stems)

    def share_in(self, others: frozenset[str] | set[str]) -> float:
        """Return the share of the IDF mass whose stems are among `others`; a half if there is none."""
        return sum(value for term, value in self.idf.items() if term in others) / self.mass if self.mass else 0.5

    def cosine(self, weights: Mapping[str, float], norm: float) -> float:
        """Return the cosine to another TF-IDF vector."""
        if not self.norm or norm <= 0:
            return 0.0
        return sum(weight * weights.get(term, 0.0) for term, weight in self.weights.items()) / (self.norm * norm)

    def jaccard(self, other: "Reading") -> float:
        """Return the share of all stems of the two that both hold."""
        together = len(self.stems | other.stems)
        return len(self.stems & other.stems) / together if together else float(self.text == other.text)
