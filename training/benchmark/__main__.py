"""Hold noisefilter against other systems, on the same paragraphs (``make bench-quality``).

Every system that learns is fitted on the same labels: on all training articles for the sets that are
kept aside, and on the other four fifths of the sites for those that are learnt from too. Its default
threshold is the one at which 1 % content loss is promised (conformal risk control on its own
out-of-fold scores), as ours is.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich import box
from rich.console import Console
from rich.table import Table
from sets import TRAINING, TestSet, test_sets, training_articles
from systems import Alone, Boosted, C4Lines, FastText, JusText, MiniLM, Ours, Shipped, System, Trafilatura

from noisefilter.calibration import Outcomes
from noisefilter.evaluation import average_precision, over_articles, recall_at_loss
from noisefilter.labels import LabelledArticle
from noisefilter.training import _parts, kept_in, load_recipe

RESAMPLES = 200
BUDGET = 0.01


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="make bench-quality", description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmark.json"), help="where the JSON goes")
    parser.add_argument("--cache", type=Path, default=Path(".benchmark"), help="folder where fits are kept")
    parser.add_argument("--only", nargs="*", help="names of systems, or their beginnings")
    options = parser.parse_args()
    named = os.environ.get("NOISEFILTER_DATA")
    folder = Path(named) if named else None
    articles, source_of = training_articles(folder)
    articles = sorted(articles, key=lambda article: (article.site, article.id))
    authored = [article for article in articles if source_of[article.id] == "authored"]
    sets = test_sets(folder, articles, source_of)
    cache, recipe = kept_in(options.cache), load_recipe(TRAINING / "recipe.toml")
    systems: list[tuple[System, list[LabelledArticle]]] = [
        (Shipped(), []),
        (Ours("noisefilter, by site", recipe, cache), articles),
        (Ours("noisefilter, authored corpus alone", recipe, cache), authored),
        (Boosted(recipe, cache), articles),
        (MiniLM(cache), articles),
        (Alone(), articles),
        (FastText(), articles),
        (JusText(), []),
        (C4Lines(), []),
        (Trafilatura(), []),
    ]
    if options.only:
        begun = {
            name: [pair for pair in systems if pair[0].name.lower().startswith(name.lower())] for name in options.only
        }
        unknown = [name for name, some in begun.items() if not some]
        if unknown:
            parser.error(f"no system begins with {unknown[0]!r}: use {'; '.join(one.name for one, _ in systems)}")
        systems = [pair for pair in systems if any(pair in some for some in begun.values())]
    console, results = Console(width=190), {}
    for system, learnt in systems:
        started = time.perf_counter()
        results[system.name] = run(system, learnt, sets, recipe.calibration.folds)
        console.print(f"{system.name}: {time.perf_counter() - started:.0f} s", highlight=False)
    first = systems[0][0].name
    report = []
    for one in sets:
        table = Table(title=f"{one.name}: {len(one.articles)} articles", box=box.SIMPLE_HEAD, title_justify="left")
        for column in ("system", "average precision", "recall at 0.5 %", "recall at 1 %", "off_topic at 1 %"):
            table.add_column(column)
        for column in (
            "noise recall",
            "off_topic recall",
            "content loss",
            "word loss",
            "AP above (paired)",
            "ours at that loss",
            "MB/s",
        ):
            table.add_column(column)
        for name, outcome in results.items():
            if one.name in outcome:
                row = figures(outcome[one.name], results[first].get(one.name))
                report.append({"set": one.name, "system": name, **row})
                table.add_row(name, *(_cell(value) for value in row.values()))
        console.print(table)
    options.output.write_text(json.dumps(report, indent=1) + "\n")
    console.print(f"wrote {options.output}; intervals are 95 %, bootstrap over articles", highlight=False)


def run(system: Any, learnt: Sequence[LabelledArticle], sets: Sequence[TestSet], folds: int) -> dict[str, Any]:
    """Return what a system makes of every set: truth, scores and drops of all paragraphs."""
    ids = {article.id for article in learnt}
    parts = _parts(learnt, folds) if system.learns else []
    in_folds = system.learns and not isinstance(system, Boosted)
    tasks = [[article for other in parts if other is not part for article in other] for part in parts if in_folds]
    if isinstance(system, Ours):  # the same fits as those of `noisefilter train`, side by side
        fitted = Parallel(n_jobs=2)(delayed(system.fit)(task) for task in [*tasks, list(learnt)])
    else:
        fitted = [system.fit(task) for task in [*tasks, list(learnt)]]
    whole, threshold = fitted[-1], 0.5
    held: dict[str, Any] = {}
    if in_folds:
        for model, part in zip(fitted, parts, strict=False):
            held |= {article.id: (model, system.score(model, article)) for article in part}
        threshold = promised(learnt, {name: scores for name, (_, scores) in held.items()})
    elif system.learns:
        threshold = float("nan")
    result = {}
    for one in sets:
        if one.folds and (getattr(system, "knows_folds", False) or (system.learns and not in_folds)):
            continue
        by_fold = one.folds and one.articles[0].id in ids
        models = [held[article.id][0] if by_fold else whole for article in one.articles]
        started = time.perf_counter()
        scores = [held[article.id][1] if by_fold else system.score(whole, article) for article in one.articles]
        seconds = time.perf_counter() - started
        size = sum(len(paragraph.text.encode()) for article in one.articles for paragraph in article.paragraphs)
        result[one.name] = gathered(
            one.articles,
            scores,
            _drops(system, models, one.articles, scores, threshold),
            None if by_fold else size / seconds / 1e6,
        )
        result[one.name]["decided"] = not np.isnan(threshold)
    return result


def promised(articles: Sequence[LabelledArticle], scores: dict[str, np.ndarray]) -> float:
    """Return the threshold that promises the default loss budget, from out-of-fold scores."""
    rows = [
        (float(score), paragraph.label.is_noise, number)
        for number, article in enumerate(articles)
        for score, paragraph in zip(scores[article.id], article.paragraphs, strict=True)
        if paragraph.scored
    ]
    score, noise, article = (np.array(column) for column in zip(*rows, strict=True))
    return Outcomes(score, noise, article, article).budgets([BUDGET], 2).rows[0].threshold


def _drops(system: Any, models: list, articles: list, scores: list, threshold: float) -> list[np.ndarray]:
    if not hasattr(system, "drops"):
        return [score >= threshold for score in scores]
    drops = {}
    for model in {id(model): model for model in models}.values():
        mine = [article for article, other in zip(articles, models, strict=True) if other is model]
        drops |= {article.id: drop for article, drop in zip(mine, system.drops(model, mine, threshold), strict=True)}
    return [drops[article.id] for article in articles]


def gathered(articles: list, scores: list, drops: list, speed: float | None) -> dict[str, Any]:
    """Return truth, scores and drops of all scored paragraphs as arrays."""
    rows = [
        (number, p.label.is_noise, p.label.value == "off_topic", len(p.text.split()), float(score), bool(drop))
        for number, (article, some, gone) in enumerate(zip(articles, scores, drops, strict=True))
        for p, score, drop in zip(article.paragraphs, some, gone, strict=True)
        if p.scored
    ]
    names = ("article", "noise", "off_topic", "words", "score", "drop")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)} | {
        "speed": speed
    }


def figures(outcome: dict[str, Any], ours: dict[str, Any] | None) -> dict[str, Any]:
    """Return the figures of one system on one set, each as value, low, high."""
    noise, score, article = outcome["noise"], outcome["score"], outcome["article"]
    ranked = len(np.unique(score)) > 2
    of_ranks = {
        "average_precision": average_precision,
        "recall_at_0.5": lambda n, p: recall_at_loss(0.005, n, p),
        "recall_at_1": lambda n, p: recall_at_loss(0.01, n, p),
    }
    row: dict[str, Any] = {
        name: _plain(over_articles(measure, noise, score, article, resamples=RESAMPLES)) if ranked else None
        for name, measure in of_ranks.items()
    }
    row["off_topic_at_1"] = _off_topic(outcome) if ranked else None
    drop = outcome["drop"].astype(float)
    known = outcome["decided"]
    for name, chosen, weight in (
        ("noise_recall", noise, None),
        ("off_topic_recall", outcome["off_topic"], None),
        ("content_loss", ~noise, None),
        ("content_word_loss", ~noise, outcome["words"]),
    ):
        row[name] = _share(drop[chosen], article[chosen], None if weight is None else weight[chosen]) if known else None
    row["average_precision_above"] = (
        _paired(ours, outcome) if ranked and ours is not None and ours is not outcome else None
    )
    row["our_recall_at_their_loss"] = None
    if known and ours is not None and ours is not outcome:
        loss = row["content_loss"][0]
        row["our_recall_at_their_loss"] = over_articles(
            lambda n, p: recall_at_loss(loss, n, p), ours["noise"], ours["score"], ours["article"], resamples=RESAMPLES
        )
        row["our_recall_at_their_loss"] = _plain(row["our_recall_at_their_loss"])
    row["megabytes_per_second"] = outcome["speed"]
    return row


def _off_topic(outcome: dict[str, Any]) -> list[float] | None:
    """Return off_topic recall at the threshold where 1 % of the content is lost."""
    if not outcome["off_topic"].any():
        return None
    content = np.sort(outcome["score"][~outcome["noise"]])[::-1]
    found = outcome["score"] > content[int(0.01 * len(content))]
    chosen = outcome["off_topic"]
    return _share(found[chosen].astype(float), outcome["article"][chosen], None)


def _share(values: np.ndarray, article: np.ndarray, weight: np.ndarray | None) -> list[float] | None:
    if not len(values):
        return None
    weight = np.ones(len(values)) if weight is None else weight
    top, bottom = np.bincount(article, values * weight), np.bincount(article, weight)
    present = bottom > 0
    top, bottom = top[present], bottom[present]
    draws = np.random.default_rng(0).multinomial(len(top), np.full(len(top), 1 / len(top)), 1000)
    low, high = np.quantile((draws @ top) / (draws @ bottom), [0.025, 0.975])
    return [float(top.sum() / bottom.sum()), float(low), float(high)]


def _paired(ours: dict[str, Any], theirs: dict[str, Any]) -> list[float]:
    """Return how much our average precision lies above theirs, articles resampled for both alike."""
    both = [
        over_articles(average_precision, one["noise"], one["score"], one["article"], resamples=1).value
        for one in (ours, theirs)
    ]
    rows = [np.flatnonzero(ours["article"] == number) for number in np.unique(ours["article"])]
    chance, differences = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        pick = np.concatenate([rows[at] for at in chance.integers(0, len(rows), len(rows))])
        mine, yours = (average_precision(one["noise"][pick], one["score"][pick]) for one in (ours, theirs))
        differences.append(mine - yours)
    low, high = np.nanquantile(differences, [0.025, 0.975])
    return [both[0] - both[1], float(low), float(high)]


def _plain(figure: Any) -> list[float]:
    return [figure.value, figure.low, figure.high]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value[0]:.3f} ({value[1]:.3f}–{value[2]:.3f})"


if __name__ == "__main__":
    main()
