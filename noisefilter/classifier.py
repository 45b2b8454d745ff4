"""Lexical and context features to probabilities: two logistic regressions, one upon the other.

The first reads a paragraph alone (TF-IDF). What it says of the paragraph, and
of the paragraphs around it, then joins the context features, each drawn as a
curve, in the second, which decides. It is stacked generalisation (Wolpert,
*Neural Networks* 5, 1992): the second learns from out-of-fold answers of the
first, so it knows how far to trust it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from noisefilter.article import Article, Label
from noisefilter.context import FEATURES, ArticleParagraph, ContextFeatures, PiecewiseLinear
from noisefilter.lexical import LexicalFeatures

CLASSES = (Label.BOILERPLATE.value, Label.CONTENT.value, Label.OFF_TOPIC.value)
@dataclass(frozen=True, slots=True)
class _Rows:
    """Training samples in an order that depends on nothing but the samples themselves.

    Attributes
    ----------
    samples : list of ArticleParagraph
    labels, weights, natural : ndarray, shape (n_samples,)
    articles : list of Article
        The distinct articles of the samples.
    groups : list of str
        The group of each article.
    starts : ndarray, shape (n_articles + 1,)
        Where each article's paragraphs start when all are laid in a row.
    at : ndarray, shape (n_samples,)
        Where each sample stands in that row.
    """

    samples: list[ArticleParagraph]
    labels: NDArray[np.str_]
    weights: NDArray[np.float64]
    natural: NDArray[np.bool_]
    articles: list[Article]
    groups: list[str]
    starts: NDArray[np.intp]
    at: NDArray[np.intp]

    @classmethod
    def in_order(
        cls,
        samples: Sequence[ArticleParagraph],
        labels: Sequence[str],
        groups: Sequence[str] | None,
        weights: Sequence[float] | None,
        natural: Sequence[bool] | None,
    ) -> "_Rows":
        total = len(samples)
        weights = [1.0] * total if weights is None else weights
        natural = [True] * total if natural is None else natural
        digests: dict[int, str] = {}
        for sample in samples:
            if id(sample.article) not in digests:
                digests[id(sample.article)] = _digest(sample.article)
        keys = [digests[id(sample.article)] for sample in samples]
        groups = keys if groups is None else groups
        order = sorted(
            range(total), key=lambda row: (groups[row], keys[row], samples[row].index, labels[row], natural[row])
        )
        number: dict[tuple[str, str], int] = {}
        articles = []
        for row in order:
            if (groups[row], keys[row]) not in number:
                number[groups[row], keys[row]] = len(articles)
                articles.append(samples[row].article)
        starts = np.cumsum([0, *(len(article.paragraphs) for article in articles)])
        return cls(
            [samples[row] for row in order],
            np.array([str(labels[row]) for row in order]),
            np.array([float(weights[row]) for row in order]),
            np.array([bool(natural[row]) for row in order]),
            articles,
            [group for group, _ in number],
            starts,
            np.array([starts[number[groups[row], keys[row]]] + samples[row].index for row in order]),
        )

    def folds(self, count: int) -> NDArray[np.intp]:
        """Return the fold of each article; a group is never cut, and the folds are as even as that allows."""
        names = sorted(set(self.groups), key=lambda name: hashlib.sha256(name.encode()).digest())
        fold = {name: at % count for at, name in enumerate(names)}
        return np.array([fold[name] for name in self.groups])


def _digest(article: Article) -> str:
    parts = [article.title or "", *(paragraph.text for paragraph in article.paragraphs)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


LEXICAL_VIEW = (
    "boilerplate_alone",
    "off_topic_alone",
    "noise_alone",
    "previous_noise",
    "next_noise",
    "second_previous_noise",
    "second_next_noise",
    "previous_boilerplate",
    "previous_off_topic",
    "article_noise",
)
"""What the first stage says of a paragraph and of those around it, in log-odds against content."""

_MOST = 8.0
_OUTSIDE = -9.0


class NoiseClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Class probabilities of paragraphs in the context of their articles.

    Parameters
    ----------
    lexical_c, context_c : float
        Inverse strength of the L2 penalty of the first and the second regression.
    knots : int
        Knots of the curves of the second stage.
    min_df, max_words, max_characters, shortest, longest
        As in `LexicalFeatures`.
    folds : int
        Folds of the out-of-fold answers of the first stage.
    max_iter : int
        Iterations of the solver (L-BFGS).

    Attributes
    ----------
    classes_ : ndarray of str, shape (3,)
        ``boilerplate``, ``content``, ``off_topic``.
    lexical_, lexical_model_ : LexicalFeatures, LogisticRegression
        The first stage.
    context_, curves_, model_ : ContextFeatures, PiecewiseLinear, LogisticRegression
        The second stage.

    Examples
    --------
    ``NoiseClassifier().fit(samples, labels).predict_proba(samples)``, where a sample is an
    `ArticleParagraph`; see `in_context`.
    """

    def __init__(
        self,
        *,
        lexical_c: float = 8.0,
        context_c: float = 0.05,
        knots: int = 6,
        min_df: int = 2,
        max_words: int = 60_000,
        max_characters: int = 60_000,
        shortest: int = 2,
        longest: int = 4,
        folds: int = 5,
        max_iter: int = 500,
    ) -> None:
        self.lexical_c = lexical_c
        self.context_c = context_c
        self.knots = knots
        self.min_df = min_df
        self.max_words = max_words
        self.max_characters = max_characters
        self.shortest = shortest
        self.longest = longest
        self.folds = folds
        self.max_iter = max_iter

    def fit(
        self,
        X: Sequence[ArticleParagraph],  # noqa: N803
        y: Sequence[str],
        *,
        groups: Sequence[str] | None = None,
        sample_weight: Sequence[float] | None = None,
        natural: Sequence[bool] | None = None,
    ) -> Self:
        """Learn from labelled paragraphs; the order of the rows makes no difference.

        Parameters
        ----------
        X : sequence of ArticleParagraph
        y : sequence of str
            Labels, one a sample.
        groups : sequence of str, optional
            What the first stage's folds keep together (the site); by default the article.
        sample_weight : sequence of float, optional
        natural : sequence of bool, optional
            The samples that the first stage learns from; by default all. A spliced insert is content
            elsewhere, so it says nothing about the paragraph alone.

        Raises
        ------
        ValueError
            If a label is unknown or a class is missing.
        """
        unknown = sorted(set(y) - set(CLASSES))
        if unknown:
            raise ValueError(f"unknown label {unknown[0]!r}: use {', '.join(CLASSES)}")
        missing = [name for name in CLASSES if name not in set(y)]
        if missing:
            raise ValueError(f"no paragraph is labelled {' or '.join(missing)}: the classifier needs all three classes")
        self.classes_ = np.array(CLASSES)
        rows = _Rows.in_order(X, y, groups, sample_weight, natural)
        alone = self._fit_lexical(rows)
        self._fit_context(rows, alone)
        return self

    def _fit_lexical(self, rows: "_Rows") -> list[NDArray[np.float64]]:
        """Fit the first stage; return its out-of-fold log-odds for each article, shape (n_paragraphs, 2)."""
        learners = np.flatnonzero(rows.natural)
        self.lexical_ = LexicalFeatures(
            min_df=self.min_df,
            max_words=self.max_words,
            max_characters=self.max_characters,
            shortest=self.shortest,
            longest=self.longest,
        ).fit([rows.samples[row].text for row in learners])
        texts = [paragraph.text for article in rows.articles for paragraph in article.paragraphs]
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        terms = self.lexical_.transform(list(distinct))[[distinct[text] for text in texts]]
        self.lexical_model_ = self._first_stage(rows, terms, learners)
        alone = np.zeros((len(texts), 2))
        fold_of_text = np.repeat(rows.folds(self.folds), np.diff(rows.starts))
        for fold in range(self.folds):
            held = fold_of_text == fold
            if held.any():
                model = self._first_stage(rows, terms, learners[~held[rows.at[learners]]])
                alone[held] = log_odds(model, terms[held])
        return np.split(alone, rows.starts[1:-1])

    def _fit_context(self, rows: "_Rows", alone: list[NDArray[np.float64]]) -> None:
        natural = [sample for sample, is_natural in zip(rows.samples, rows.natural, strict=True) if is_natural]
        self.context_ = ContextFeatures().fit(natural)
        numbers = np.vstack([self._numbers(article, odds) for article, odds in zip(rows.articles, alone, strict=True)])
        self.curves_ = PiecewiseLinear(self.knots).fit(numbers[rows.at])
        self.model_ = self._regression(self.context_c).fit(
            self.curves_.transform(numbers[rows.at]), rows.labels, rows.weights
        )

    def _first_stage(self, rows: "_Rows", terms: sparse.csr_matrix, learn: NDArray[np.intp]) -> LogisticRegression:
        return self._regression(self.lexical_c).fit(terms[rows.at[learn]], rows.labels[learn], rows.weights[learn])

    def predict_proba(self, X: Sequence[ArticleParagraph]) -> NDArray[np.float64]:  # noqa: N803
        """Return the probabilities of ``classes_``, shape (n_samples, 3)."""
        check_is_fitted(self)
        scored: dict[int, NDArray[np.float64]] = {}
        result = np.empty((len(X), len(CLASSES)))
        for row, sample in enumerate(X):
            key = id(sample.article)
            if key not in scored:
                scored[key] = self.score_article(sample.article)
            result[row] = scored[key][sample.index]
        return result

    def predict(self, X: Sequence[ArticleParagraph]) -> NDArray[np.str_]:  # noqa: N803
        """Return the likeliest class of each sample, shape (n_samples,)."""
        likeliest: NDArray[np.str_] = self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        return likeliest

    def score_article(self, article: Article) -> NDArray[np.float64]:
        """Return the probabilities of every paragraph of one article, shape (n_paragraphs, 3)."""
        check_is_fitted(self)
        if not article.paragraphs:
            return np.empty((0, len(CLASSES)))
        probabilities: NDArray[np.float64] = self.model_.predict_proba(self.curves_.transform(self.numbers(article)))
        return probabilities

    def numbers(self, article: Article) -> NDArray[np.float64]:
        """Return what the second stage sees of each paragraph: lexical view and context, side by side."""
        terms = self.lexical_.transform([paragraph.text for paragraph in article.paragraphs])
        return self._numbers(article, log_odds(self.lexical_model_, terms))

    def get_feature_names_out(self) -> tuple[str, ...]:
        """Return the names of the columns of `numbers`."""
        return LEXICAL_VIEW + FEATURES

    def _numbers(self, article: Article, alone: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack([lexical_view(alone), self.context_.of_article(article)])

    def _regression(self, c: float) -> LogisticRegression:
        return LogisticRegression(C=c, max_iter=self.max_iter, tol=1e-5)


def log_odds(model: LogisticRegression, terms: Any) -> NDArray[np.float64]:
    """Return the first stage's log-odds of boilerplate and of off_topic against content, shape (n, 2)."""
    probabilities = np.clip(model.predict_proba(terms), 1e-6, 1.0)
    column = {name: at for at, name in enumerate(model.classes_)}
    absent = np.full(len(probabilities), 1e-6)
    logs = {name: np.log(probabilities[:, column[name]] if name in column else absent) for name in CLASSES}
    odds = np.column_stack([logs[name] - logs["content"] for name in ("boilerplate", "off_topic")])
    return np.clip(odds, -_MOST, _MOST)


def lexical_view(alone: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for the paragraphs of one article, what the first stage says of each and of those around it.

    Parameters
    ----------
    alone : ndarray, shape (n_paragraphs, 2)
        Log-odds of boilerplate and off_topic against content.

    Returns
    -------
    ndarray, shape (n_paragraphs, len(LEXICAL_VIEW))
    """
    noise = np.logaddexp(alone[:, 0], alone[:, 1])
    shifted = {step: _shifted(noise, step) for step in (1, -1, 2, -2)}
    return np.column_stack(
        [
            alone,
            noise,
            shifted[1],
            shifted[-1],
            shifted[2],
            shifted[-2],
            _shifted(alone[:, 0], 1),
            _shifted(alone[:, 1], 1),
            np.full(len(alone), np.median(noise)),
        ]
    )


def _shifted(values: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    result = np.full(len(values), _OUTSIDE)
    if step > 0:
        result[step:] = values[:-step]
    else:
        result[:step] = values[-step:]
    return result
