"""TF-IDF of words and of character n-grams: what a paragraph says, and how it is written."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from noisefilter.text import SHAPE_TERMS, character_grams, lexical_tokens, normalise

_FEWEST_LETTERS = 2


def _has_letters(term: str) -> bool:
    return sum(map(str.isalpha, term)) >= _FEWEST_LETTERS


class LexicalFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """TF-IDF of word and character terms, each block of unit length.

    Parameters
    ----------
    min_df : int
        A term must stand in at least so many paragraphs of the training data.
    max_words, max_characters : int
        The most frequent so many terms of each kind are kept.
    shortest, longest : int
        Lengths of the character n-grams.

    Attributes
    ----------
    words_, characters_ : TfidfVectorizer
        The fitted vectorisers; their columns stand side by side, words first.
    """

    def __init__(
        self,
        *,
        min_df: int = 2,
        max_words: int = 60_000,
        max_characters: int = 60_000,
        shortest: int = 2,
        longest: int = 4,
    ) -> None:
        self.min_df = min_df
        self.max_words = max_words
        self.max_characters = max_characters
        self.shortest = shortest
        self.longest = longest

    def fit(self, texts: Sequence[str], y: Any = None) -> Self:
        """Learn the vocabulary and the document frequencies of `texts`, a sequence of str."""
        normal = [normalise(text) for text in texts]
        self.words_ = self._vectoriser(self._words, self.max_words).fit(normal)
        self.characters_ = self._vectoriser(self._characters, self.max_characters).fit(normal)
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return the terms of `texts` as a sparse matrix, shape (n_texts, n_terms), float64."""
        check_is_fitted(self)
        normal = [normalise(text) for text in texts]
        terms: sparse.csr_matrix = sparse.hstack(
            [self.words_.transform(normal), self.characters_.transform(normal)], format="csr"
        )
        return terms

    def knows(self, text: str) -> bool:
        """Tell whether a paragraph has a term of the vocabulary that holds letters, besides what its shape gives."""
        normal = normalise(text)
        words = (term for term in lexical_tokens(normal) if not term.startswith(SHAPE_TERMS))
        return any(term in self.words_.vocabulary_ and _has_letters(term) for term in words) or any(
            gram in self.characters_.vocabulary_ and _has_letters(gram) for gram in self._characters(normal)
        )

    def restore(
        self, words: Sequence[str], words_idf: np.ndarray, characters: Sequence[str], characters_idf: np.ndarray
    ) -> Self:
        """Become fitted from a vocabulary and its inverse document frequencies, columns in this order."""
        self.words_ = self._restored(self._words, words, words_idf)
        self.characters_ = self._restored(self._characters, characters, characters_idf)
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the terms in the order of the columns; those of characters start with ``…``."""
        check_is_fitted(self)
        characters = [f"…{term}" for term in self.characters_.get_feature_names_out()]
        return np.asarray([*self.words_.get_feature_names_out(), *characters], dtype=object)

    def _vectoriser(self, analyzer: Any, most: int) -> TfidfVectorizer:
        return TfidfVectorizer(
            analyzer=analyzer, min_df=self.min_df, max_features=most, sublinear_tf=True, dtype=np.float64
        )

    def _restored(self, analyzer: Any, terms: Sequence[str], idf: np.ndarray) -> TfidfVectorizer:
        vectoriser = self._vectoriser(analyzer, len(terms))
        vectoriser.set_params(vocabulary={term: at for at, term in enumerate(terms)})
        vectoriser.idf_ = np.asarray(idf, dtype=np.float64)
        return vectoriser

    def _words(self, text: str) -> list[str]:
        return lexical_tokens(text)

    def _characters(self, text: str) -> list[str]:
        return character_grams(text, self.shortest, self.longest)
