"""Lexical and context features to probabilities: three logistic regressions, each upon the one before.

The first reads a paragraph alone (TF-IDF) and says what it reads as: a byline,
a cue, the answer of a poll, the item of a list. What it says of the paragraph,
and of the paragraphs around it, joins the context features in the second, the
first look at the article. The second look is the same again with what the
first look said: now it is known which paragraphs are likely content, so only
those vouch for others. It is stacked generalisation (Wolpert, *Neural
Networks* 5, 1992): each learns from out-of-fold answers of the one before, so
it knows how far to trust them.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from noisefilter.article import Article, Label
from noisefilter.context import ArticleParagraph, ArticleReading, ContextFeatures
from noisefilter.features import CLASSES, FEATURES, SECOND_LOOK
from noisefilter.headline import title_index
from noisefilter.kinds import FAMILIES, family_of
from noisefilter.lexical import LexicalFeatures
from noisefilter.look import Look, answers, by_class, odds_of, wording
from noisefilter.relations import pasted, relations


@dataclass(frozen=True, slots=True)
class _Rows:
    """Training samples in an order that depends on nothing but the samples themselves.

    Attributes
    ----------
    samples : list of ArticleParagraph
    labels, families, weights, natural : ndarray, shape (n_samples,)
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
    families: NDArray[np.str_]
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
        kinds: Sequence[str | None] | None,
        groups: Sequence[str] | None,
        weights: Sequence[float] | None,
        natural: Sequence[bool] | None,
    ) -> "_Rows":
        total = len(samples)
        kinds = [None] * total if kinds is None else kinds
        families = [family_of(Label(label), kind) for label, kind in zip(labels, kinds, strict=True)]
        weights = [1.0] * total if weights is None else weights
        natural = [True] * total if natural is None else natural
        digests: dict[int, str] = {}
        for sample in samples:
            if id(sample.article) not in digests:
                digests[id(sample.article)] = _digest(sample.article)
        keys = [digests[id(sample.article)] for sample in samples]
        groups = keys if groups is None else groups
        order = sorted(
            range(total),
            key=lambda row: (groups[row], keys[row], samples[row].index, families[row], natural[row], weights[row]),
        )
        number: dict[tuple[str, str], int] = {}
        articles: list[Article] = []
        for row in order:
            if (groups[row], keys[row]) not in number:
                number[groups[row], keys[row]] = len(articles)
                articles.append(samples[row].article)
        starts = np.cumsum([0, *(len(article.paragraphs) for article in articles)])
        return cls(
            [samples[row] for row in order],
            np.array([str(labels[row]) for row in order]),
            np.array([families[row] for row in order]),
            np.array([float(weights[row]) for row in order]),
            np.array([bool(natural[row]) for row in order]),
            articles,
            [group for group, _ in number],
            starts,
            np.array([starts[number[groups[row], keys[row]]] + samples[row].index for row in order]),
        )

    def folds(self, count: int) -> NDArray[np.intp]:
        """Return the fold of each article; a group is never cut, and the folds are as even as that allows."""
        names = sorted(set(self.groups), key=_hashed)
        fold = {name: at % count for at, name in enumerate(names)}
        return np.array([fold[name] for name in self.groups])


def _digest(article: Article) -> str:
    parts = [article.title or "", *(paragraph.text for paragraph in article.paragraphs)]
    return _hashed("\0".join(parts))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_NEVER = -50.0


class NoiseClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Class probabilities of paragraphs in the context of their articles.

    Parameters
    ----------
    lexical_c, first_c, second_c : float
        Inverse strength of the L2 penalty of the lexical regression and of the two looks.
    knots : int
        Knots of the curves.
    first_rounds, second_rounds, leaves : int
        Of the bins that the two looks are drawn over, as in `BoostedBins`.
    min_df, max_words, max_characters, shortest, longest
        As in `LexicalFeatures`.
    folds : int
        Folds of the out-of-fold answers that each stage learns from.
    max_iter : int
        Iterations of the solver (L-BFGS).
    lexical_iter : int
        Iterations for the regression on terms, which is stopped before it converges.

    Attributes
    ----------
    classes_ : ndarray of str, shape (3,)
        ``boilerplate``, ``content``, ``off_topic``.
    lexical_, lexical_model_ : LexicalFeatures, LogisticRegression
        The paragraph alone; the regression's classes are `FAMILIES`.
    context_ : ContextFeatures
    first_look_, second_look_ : Look
        The paragraph in its article.

    Examples
    --------
    ``NoiseClassifier().fit(samples, labels).predict_proba(samples)``, where a sample is an
    `ArticleParagraph`; see `in_context`.
    """

    def __init__(
        self,
        *,
        lexical_c: float = 8.0,
        first_c: float = 0.006,
        second_c: float = 0.004,
        knots: int = 6,
        first_rounds: int = 60,
        second_rounds: int = 100,
        leaves: int = 16,
        min_df: int = 2,
        max_words: int = 60_000,
        max_characters: int = 60_000,
        shortest: int = 2,
        longest: int = 4,
        folds: int = 5,
        max_iter: int = 500,
        lexical_iter: int = 60,
    ) -> None:
        self.lexical_c = lexical_c
        self.first_c = first_c
        self.second_c = second_c
        self.knots = knots
        self.first_rounds = first_rounds
        self.second_rounds = second_rounds
        self.leaves = leaves
        self.min_df = min_df
        self.max_words = max_words
        self.max_characters = max_characters
        self.shortest = shortest
        self.longest = longest
        self.folds = folds
        self.max_iter = max_iter
        self.lexical_iter = lexical_iter

    def fit(
        self,
        X: Sequence[ArticleParagraph],  # noqa: N803
        y: Sequence[str],
        *,
        kinds: Sequence[str | None] | None = None,
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
        kinds : sequence of str or None, optional
            The finer class of each sample, as in `noisefilter.kinds`; the first stage tells them apart.
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
        rows = _Rows.in_order(X, y, kinds, groups, sample_weight, natural)
        shares_alone = self._fit_lexical(rows)
        self.context_ = ContextFeatures().fit([rows.samples[row] for row in np.flatnonzero(rows.natural)])
        readings = [self.context_.read(article) for article in rows.articles]
        tables = [reading.table() for reading in readings]
        alone = [odds_of(by_class(shares)) for shares in shares_alone]
        views = [_view(shares) for shares in shares_alone]
        first = list(map(_first_numbers, readings, tables, views, alone))
        self.first_look_, shares = self._fit_first_look(rows, np.vstack(first))
        second = np.vstack(list(map(_second_numbers, readings, tables, views, shares)))
        self.second_look_ = self.second_look().fit(second[rows.at], rows.labels, rows.weights)
        return self

    def _fit_lexical(self, rows: "_Rows") -> list[NDArray[np.float64]]:
        """Fit the first stage; return its out-of-fold answers for each article, shape (n_paragraphs, len(FAMILIES))."""
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
        terms = self.lexical_.transform(list(distinct)).astype(np.float32)
        place = np.array([distinct[text] for text in texts])
        self.lexical_model_ = self._first_stage(rows, terms, place, learners)
        alone = np.zeros((len(texts), len(FAMILIES)))
        fold_of_text = np.repeat(rows.folds(self.folds), np.diff(rows.starts))
        for fold in range(self.folds):
            held = fold_of_text == fold
            if held.any():
                model = self._first_stage(rows, terms, place, learners[~held[rows.at[learners]]])
                alone[held] = model.predict_proba(terms[place[held]])
        return np.split(alone, rows.starts[1:-1])

    def _fit_first_look(self, rows: "_Rows", table: NDArray[np.float64]) -> tuple[Look, list[NDArray[np.float64]]]:
        """Fit the first look; return it and its out-of-fold probabilities for each article."""
        look = self.first_look().fit(table[rows.at], rows.labels, rows.weights)
        shares = np.zeros((len(table), len(CLASSES)))
        fold_of_text = np.repeat(rows.folds(self.folds), np.diff(rows.starts))
        for fold in range(self.folds):
            held = fold_of_text == fold
            learn = np.flatnonzero(~held[rows.at])
            if held.any():
                model = self.first_look().fit(table[rows.at[learn]], rows.labels[learn], rows.weights[learn])
                shares[held] = model.predict_proba(table[held])
        return look, np.split(shares, rows.starts[1:-1])

    def first_look(self) -> Look:
        """Return a first look that is not fitted."""
        return self._look(self.first_c, self.first_rounds)

    def second_look(self) -> Look:
        """Return a second look that is not fitted."""
        return self._look(self.second_c, self.second_rounds)

    def _look(self, c: float, rounds: int) -> Look:
        return Look(c=c, knots=self.knots, rounds=rounds, leaves=self.leaves, max_iter=self.max_iter)

    def _first_stage(
        self, rows: "_Rows", terms: sparse.csr_matrix, place: NDArray[np.intp], learn: NDArray[np.intp]
    ) -> LogisticRegression:
        """Fit the regression on terms; a family that none of the samples has gets next to no probability."""
        model = LogisticRegression(C=self.lexical_c, max_iter=self.lexical_iter, tol=1e-4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
            model.fit(terms[place[rows.at[learn]]], rows.families[learn], rows.weights[learn])
        known = [FAMILIES.index(family) for family in model.classes_]
        coef = np.zeros((len(FAMILIES), terms.shape[1]))
        intercept = np.full(len(FAMILIES), _NEVER)
        coef[known] = model.coef_.astype(np.float16)  # what a bundle keeps of it
        intercept[known] = model.intercept_
        return regression(FAMILIES, coef, intercept)

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
        probabilities = self.predict_proba(X)
        likeliest: NDArray[np.str_] = self.classes_[np.argmax(probabilities, axis=1)]
        return likeliest

    def score_article(self, article: Article) -> NDArray[np.float64]:
        """Return the probabilities of every paragraph of one article, shape (n_paragraphs, 3)."""
        check_is_fitted(self)
        if not article.paragraphs:
            return np.empty((0, len(CLASSES)))
        return self.second_look_.predict_proba(self.numbers(article))

    def numbers(self, article: Article) -> NDArray[np.float64]:
        """Return what the second look sees of each paragraph, shape (n_paragraphs, len(SECOND_LOOK)).

        A title that stands as the first paragraph is taken for what it is, so that an article reads the same
        whether its title is given apart or not. (It is never dropped; its own row is that of the line alone.)
        """
        if title_index(article) is None or len(article.paragraphs) == 1:
            return self._numbers(article)
        title, *rest = [paragraph.text for paragraph in article.paragraphs]
        return np.vstack([self._numbers(Article(None, [title])), self._numbers(Article(title, rest))])

    def _numbers(self, article: Article) -> NDArray[np.float64]:
        shares_alone = self.lexical_model_.predict_proba(
            self.lexical_.transform([paragraph.text for paragraph in article.paragraphs])
        )
        alone, view = odds_of(by_class(shares_alone)), _view(shares_alone)
        reading = self.context_.read(article)
        table = reading.table()
        shares = self.first_look_.predict_proba(_first_numbers(reading, table, view, alone))
        return _second_numbers(reading, table, view, shares)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns of `numbers`."""
        return np.asarray(SECOND_LOOK, dtype=object)


def regression(
    classes: Sequence[str], coef: NDArray[np.floating[Any]], intercept: NDArray[np.float64]
) -> LogisticRegression:
    """Return a fitted regression made of its numbers, `coef` of shape (n_classes, n_features)."""
    model = LogisticRegression()
    model.classes_ = np.array(classes)
    model.coef_ = coef.astype(np.float64)
    model.intercept_ = intercept.astype(np.float64)
    model.n_features_in_ = coef.shape[1]
    return model


def _view(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the first stage says of an article's paragraphs, one by one and of each other."""
    return np.hstack([answers(odds_of(by_class(shares))), wording(shares)])


def _first_numbers(
    reading: ArticleReading, table: NDArray[np.float64], view: NDArray[np.float64], alone: NDArray[np.float64]
) -> NDArray[np.float64]:
    trust = 1 / (1 + np.exp(alone).sum(axis=1))
    return np.hstack([view, table, relations(reading, trust)])


def _second_numbers(
    reading: ArticleReading, table: NDArray[np.float64], view: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    trust = shares[:, CLASSES.index("content")]
    odds = odds_of(shares)
    relation = relations(reading, trust)
    together = pasted(relation, odds, table[:, FEATURES.index("words")])
    return np.hstack([view, table, relation, answers(odds), together])
