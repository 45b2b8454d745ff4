"""How good a model is on labelled articles: figures with intervals, and the worst mistakes.

Paragraphs labelled ambiguous, and those whose second label lies across keep and drop, are left
out of every figure. Intervals are 95 % percentile bootstrap intervals over articles (Efron &
Tibshirani, *An Introduction to the Bootstrap*, 1993, ch. 13): paragraphs of one article are not
independent.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from noisefilter.cleaner import NoiseFilter
from noisefilter.labels import LabelledArticle
from noisefilter.model import Model

RESAMPLES = 1000
RANKED_RESAMPLES = 300
"""Bootstrap resamples for ratios, and for measures of a ranking, which take longer."""

BUDGETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05)
"""The loss budgets for which realised loss is held against promised loss."""

_WORST = 10


def _any_text() -> pd.option_context:
    """Return a decorator under which tables take any text: pyarrow's takes no lone surrogate, which JSON can hold."""
    return pd.option_context("mode.string_storage", "python")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; NaN where there is nothing to measure."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """All that was measured.

    Attributes
    ----------
    figures : mapping of str to Figure
        ``noise_recall``, ``boilerplate_recall``, ``off_topic_recall``, ``content_loss`` (paragraphs),
        ``content_word_loss``, ``precision``, ``average_precision``.
    by_label, by_kind, by_source : DataFrame
        Paragraphs, how many were dropped, and their share with its interval; by source, noise recall and
        content loss.
    missed, lost : DataFrame
        The ten worst mistakes each way: noise that was kept, content that was dropped or came nearest to it.
    articles, paragraphs, over_cap : int
    """

    figures: Mapping[str, Figure]
    by_label: pd.DataFrame
    by_kind: pd.DataFrame
    by_source: pd.DataFrame
    missed: pd.DataFrame
    lost: pd.DataFrame
    articles: int
    paragraphs: int
    over_cap: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON; what could not be measured is None."""
        tables = {
            name: getattr(self, name).to_dict("records")
            for name in ("by_label", "by_kind", "by_source", "missed", "lost")
        }
        counts = {name: getattr(self, name) for name in ("articles", "paragraphs", "over_cap")}
        return {**counts, "figures": plain_figures(self.figures), **tables}


@_any_text()
def evaluate(cleaner: NoiseFilter, articles: Sequence[LabelledArticle], *, jobs: int = 1, seed: int = 0) -> Evaluation:
    """Clean labelled articles and hold the decisions against the labels.

    Raises
    ------
    ValueError
        If there are no articles.
    """
    if not articles:
        raise ValueError("there are no articles to evaluate on: give some that are labelled")
    table, over_cap = decide_all(cleaner, articles, jobs=jobs)
    scored = table[table.scored]
    noise = scored[scored.noise]
    content = scored[~scored.noise]
    columns = ["source", "article", "index", "label", "kind", "noise_probability", "reason", "text"]
    missed = noise[~noise["drop"]].sort_values(["noise_probability", "article", "index"])
    lost = content.sort_values(["drop", "noise_probability", "article", "index"], ascending=[False, False, True, True])
    return Evaluation(
        figures=_figures(scored, seed),
        by_label=_shares(scored, ["label"], seed),
        by_kind=_shares(scored, ["label", "kind"], seed),
        by_source=_by_source(scored, seed),
        missed=missed[columns].head(_WORST).reset_index(drop=True),
        lost=lost[columns].head(_WORST).reset_index(drop=True),
        articles=len(articles),
        paragraphs=len(scored),
        over_cap=over_cap,
    )


def plain_figures(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
    """Return figures as plain values, for JSON."""
    parts = ("value", "low", "high")
    return {name: {part: _plain(getattr(figure, part)) for part in parts} for name, figure in figures.items()}


@_any_text()
def decide_all(cleaner: NoiseFilter, articles: Sequence[LabelledArticle], *, jobs: int = 1) -> tuple[pd.DataFrame, int]:
    """Return one row a paragraph (label, decision, probability, words), and how many articles were over the cap."""
    rows = []
    over_cap = 0
    for number, (labelled, cleaned) in enumerate(
        zip(articles, cleaner.clean_many((labelled.article for labelled in articles), jobs=jobs), strict=True)
    ):
        over_cap += cleaned.over_cap
        for index, (paragraph, decision) in enumerate(zip(labelled.paragraphs, cleaned.decisions, strict=True)):
            rows.append(
                {
                    "number": number,
                    "source": labelled.site,
                    "article": labelled.id,
                    "index": index,
                    "label": paragraph.label.value,
                    "kind": paragraph.kind or "",
                    "scored": paragraph.scored,
                    "noise": paragraph.label.is_noise,
                    "drop": decision.drop,
                    "reason": decision.reason.value,
                    "noise_probability": decision.noise_probability,
                    "words": len(paragraph.text.split()),
                    "text": paragraph.text[:200],
                }
            )
    return pd.DataFrame(rows), over_cap


@dataclass(frozen=True, slots=True)
class Realised:
    """What one loss budget came to on labelled articles.

    Attributes
    ----------
    budget : float
        The loss that was promised.
    loss : Figure
        The mean over articles of the share of content paragraphs dropped: what the budget speaks of.
    recall : Figure
        Noise recall.
    """

    budget: float
    loss: Figure
    recall: Figure


@_any_text()
def realise(
    tested: Sequence[tuple[Model, Sequence[LabelledArticle]]],
    budgets: Sequence[float] = BUDGETS,
    *,
    jobs: int = 1,
    seed: int = 0,
) -> list[Realised]:
    """Clean labelled articles at each loss budget and return what it came to.

    Parameters
    ----------
    tested : sequence of (Model, sequence of LabelledArticle)
        Each model with the articles that it is held against, all of them one set; several models are those of
        the folds.
    budgets : sequence of float
    jobs, seed : int
    """
    rows = []
    for budget in budgets:
        tables = [
            decide_all(NoiseFilter(model, budget), articles, jobs=jobs)[0] for model, articles in tested if articles
        ]
        table = pd.concat(tables, keys=range(len(tables)), names=["part"]).reset_index("part")
        counts = _counts(table[table.scored], ["part", "number"])
        counts["loss"] = (counts["content_dropped"] / counts["content"].where(counts["content"] > 0)).fillna(0.0)
        counts["articles"] = (counts["content"] > 0).astype(float)
        picks = _resamples(len(counts), seed)
        rows.append(
            Realised(
                budget,
                *(_ratio_figure(counts, *pair, picks) for pair in (("loss", "articles"), ("noise_dropped", "noise"))),
            )
        )
    return rows


@_any_text()
def compare(
    cleaner: NoiseFilter, other: NoiseFilter, articles: Sequence[LabelledArticle], *, jobs: int = 1, seed: int = 0
) -> dict[str, Figure]:
    """Return how much the figures of `cleaner` lie above those of `other`, paired over articles."""
    ours, theirs = (decide_all(one, articles, jobs=jobs)[0] for one in (cleaner, other))
    ours, theirs = ours[ours.scored], theirs[theirs.scored]
    mine, yours = _counts(ours), _counts(theirs)
    result = {}
    for name, (top, bottom) in _RATIOS.items():
        difference = _ratio(mine, top, bottom) - _ratio(yours, top, bottom)
        samples = [
            _ratio(mine.iloc[pick], top, bottom) - _ratio(yours.iloc[pick], top, bottom)
            for pick in _resamples(len(mine), seed)
        ]
        result[name] = _figure(difference, samples)
    return result


_RATIOS = {
    "noise_recall": ("noise_dropped", "noise"),
    "boilerplate_recall": ("boilerplate_dropped", "boilerplate"),
    "off_topic_recall": ("off_topic_dropped", "off_topic"),
    "content_loss": ("content_dropped", "content"),
    "content_word_loss": ("content_words_dropped", "content_words"),
    "precision": ("noise_dropped", "dropped"),
}


def _counts(scored: pd.DataFrame, article: Sequence[str] = ("number",)) -> pd.DataFrame:
    """Return, for each article (what tells them apart), the counts that the ratios are made of."""
    drop = scored["drop"].astype(float)
    content = (~scored.noise).astype(float)
    columns: dict[str, pd.Series] = {
        "noise": scored.noise.astype(float),
        "content": content,
        "dropped": drop,
        "noise_dropped": scored.noise * drop,
        "content_dropped": content * drop,
        "content_words": content * scored.words,
        "content_words_dropped": content * scored.words * drop,
    }
    for label in ("boilerplate", "off_topic"):
        columns[label] = (scored.label == label).astype(float)
        columns[f"{label}_dropped"] = columns[label] * drop
    return pd.DataFrame(columns).groupby([scored[name] for name in article]).sum()


def _figures(scored: pd.DataFrame, seed: int) -> dict[str, Figure]:
    counts = _counts(scored)
    picks = _resamples(len(counts), seed)
    figures = {name: _ratio_figure(counts, top, bottom, picks) for name, (top, bottom) in _RATIOS.items()}
    noise, probability = scored.noise.to_numpy(), scored.noise_probability.to_numpy()
    figures["average_precision"] = over_articles(average_precision, noise, probability, scored.number.to_numpy(), seed)
    return figures


def _ratio_figure(counts: pd.DataFrame, top: str, bottom: str, picks: Sequence[NDArray[np.intp]]) -> Figure:
    above, below = counts[top].to_numpy(), counts[bottom].to_numpy()
    return _figure(_ratio(counts, top, bottom), [_divide(above[pick].sum(), below[pick].sum()) for pick in picks])


def over_articles(
    measure: Callable[[NDArray[np.bool_], NDArray[np.float64]], float],
    noise: NDArray[np.bool_],
    probability: NDArray[np.float64],
    article: NDArray[Any],
    seed: int = 0,
    resamples: int = RANKED_RESAMPLES,
) -> Figure:
    """Return a measure of a ranking with its interval, articles resampled.

    Parameters
    ----------
    measure : callable
        Takes truth and noise probability of the paragraphs.
    noise, probability, article : ndarray, shape (n_paragraphs,)
        Truth, noise probability, and which article it is from.
    seed, resamples : int
    """
    rows = list(pd.Series(article).groupby(article).indices.values())
    samples = []
    for pick in _resamples(len(rows), seed)[:resamples]:
        chosen = np.concatenate([rows[number] for number in pick])
        samples.append(measure(noise[chosen], probability[chosen]))
    return _figure(measure(noise, probability), samples)


def recall_at_loss(loss: float, noise: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the share of noise ranked above all but this share of the content; NaN if there is none of either."""
    content = np.sort(probability[~noise])[::-1]
    if not noise.any() or not len(content):
        return float("nan")
    affordable = int(loss * len(content) + 1e-9)
    return float(np.mean(probability[noise] > content[affordable])) if affordable < len(content) else 1.0


def average_precision(noise: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the area under precision and recall of noise; NaN if there is none."""
    return float(average_precision_score(noise, probability)) if noise.any() else float("nan")


def _shares(scored: pd.DataFrame, columns: list[str], seed: int) -> pd.DataFrame:
    """Return, for each label or kind, how many of its paragraphs were dropped, and the share with its interval."""
    rows = []
    for names, part in scored.groupby(columns):
        low, high = _interval(part, seed)
        counts = {"paragraphs": len(part), "dropped": int(part["drop"].sum()), "share": float(part["drop"].mean())}
        rows.append(dict(zip(columns, names, strict=True)) | counts | {"low": low, "high": high})
    return pd.DataFrame(rows, columns=[*columns, "paragraphs", "dropped", "share", "low", "high"])


def _by_source(scored: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return noise recall and content loss of each source with their intervals; None where there is nothing."""
    rows = []
    for source, part in scored.groupby("source"):
        row: dict[str, Any] = {"source": source}
        for counted, dropped, share, chosen in (
            ("noise", "found", "noise_recall", part[part.noise]),
            ("content", "lost", "content_loss", part[~part.noise]),
        ):
            low, high = _interval(chosen, seed) if len(chosen) else (None, None)
            row |= {counted: len(chosen), dropped: int(chosen["drop"].sum())}
            row |= {share: float(chosen["drop"].mean()) if len(chosen) else None}
            row |= {f"{share}_low": low, f"{share}_high": high}
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def _interval(part: pd.DataFrame, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the share of paragraphs dropped, by resampling the articles that have any."""
    counts = part.groupby("number")["drop"].agg(["sum", "size"]).to_numpy(dtype=float)
    draws = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
    dropped, total = (draws @ counts).T
    low, high = np.quantile(dropped / total, [0.025, 0.975])
    return float(low), float(high)


def _ratio(counts: pd.DataFrame, top: str, bottom: str) -> float:
    return _divide(float(counts[top].sum()), float(counts[bottom].sum()))


def _divide(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom else float("nan")


def _resamples(articles: int, seed: int) -> list[NDArray[np.intp]]:
    generator = np.random.default_rng(seed)
    return [generator.integers(0, articles, articles) for _ in range(RESAMPLES)] if articles else []


def _figure(value: float, samples: Sequence[float]) -> Figure:
    usable = np.array([sample for sample in samples if not math.isnan(sample)])
    if math.isnan(value) or not len(usable):
        return Figure(value, float("nan"), float("nan"))
    low, high = np.quantile(usable, [0.025, 0.975])
    return Figure(value, float(low), float(high))


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
