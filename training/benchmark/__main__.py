"""Compare noisefilter with other systems, on the same paragraphs (``make bench-quality``).

Every system that learns is fitted on the same labels: on all training articles for the sets that are
kept aside, and on the other four fifths of the sites for those that are learnt from too. Its default
threshold is the one at which 1 % content loss is promised (conformal risk control on its own
out-of-fold scores), much as ours is.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory, Parallel, delayed
from numpy.typing import NDArray
from rich.console import Console
from rich.markdown import Markdown
from sets import TRAINING, TestSet, test_sets, training_articles
from systems import Alone, Boosted, C4Lines, FastText, JusText, MiniLM, Ours, Shipped, System, Trafilatura
from tables import BY_SITE, FEW, markdown

from noisefilter.bundle import load_model
from noisefilter.calibration import Outcomes
from noisefilter.evaluation import RESAMPLES, _figure, _resamples, average_precision, realise, recall_at_loss
from noisefilter.labels import LabelledArticle
from noisefilter.training import Recipe, _parts, kept_in, load_recipe

BUDGET = 0.01

Outcome = Mapping[str, Any]
"""What a system made of the scored paragraphs of a set.

Arrays of shape (n_paragraphs,): ``article`` (number of its article), ``noise``, ``off_topic`` (truth), ``words``,
``score`` (noise score), ``drop`` (whether its default point drops it); and ``decided``, whether it has such a point.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="make bench-quality", description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmark.json"), help="where the JSON goes")
    parser.add_argument("--markdown", type=Path, help="where the tables go as Markdown too")
    parser.add_argument("--cache", type=Path, default=Path(".benchmark"), help="folder where fits are kept")
    parser.add_argument("--only", nargs="*", help="names of systems, or their beginnings")
    parser.add_argument("--budgets", action="store_true", help="only what loss budgets came to on sets kept aside")
    options = parser.parse_args(arguments)
    named = os.environ.get("NOISEFILTER_DATA")
    folder = Path(named) if named else None
    articles, source_of = training_articles(folder)
    articles = sorted(articles, key=lambda article: (article.site, article.id))
    authored = [article for article in articles if source_of[article.id] == "authored"]
    sets = test_sets(folder, articles, source_of)
    if options.budgets:
        Console(width=220).print(Markdown(budgets(sets)))
        return
    recipe = load_recipe(TRAINING / "recipe.toml")
    systems = all_systems(recipe, kept_in(options.cache), articles, authored)
    if options.only:
        unknown = [name for name in options.only if not any(_begins(system, name) for system, _ in systems)]
        if unknown:
            parser.error(f"no system begins with {unknown[0]!r}: use {'; '.join(one.name for one, _ in systems)}")
        systems = [pair for pair in systems if any(_begins(pair[0], name) for name in options.only)]
    console, outcomes = Console(width=220), {}
    for system, learnt in systems:
        started = time.perf_counter()
        outcomes[system.name] = run(system, learnt, sets, recipe.calibration.folds)
        console.print(f"{system.name}: {time.perf_counter() - started:.0f} s", highlight=False)
    results = report(outcomes, {one.name: one.folds for one in sets})
    tables = markdown(results)
    console.print(Markdown(tables))
    options.output.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(tables, encoding="utf-8")
    for path in filter(None, (options.output, options.markdown)):
        console.print(f"wrote {path}", highlight=False)


def all_systems(
    recipe: Recipe, cache: Memory, articles: list[LabelledArticle], authored: list[LabelledArticle]
) -> list[tuple[System, list[LabelledArticle]]]:
    """Return the systems, each with what it learns from."""
    return [
        (Shipped(), []),
        (Ours(BY_SITE, recipe, cache), articles),
        (Ours("noisefilter, authored corpus alone", recipe, cache), authored),
        (Boosted(recipe, cache), articles),
        (MiniLM(cache), articles),
        (Alone(), articles),
        (FastText(), articles),
        (JusText(), []),
        (C4Lines(), []),
        (Trafilatura(), []),
    ]


def budgets(sets: Sequence[TestSet]) -> str:
    """Return as Markdown what each loss budget of the shipped model came to on the sets that are kept aside."""
    lines = ["| set | promised loss | realised | noise recall |", "|---|--:|--:|--:|"]
    model = load_model()
    for one in sets:
        if one.folds or len(one.articles) < FEW:
            continue
        for row in realise([(model, one.articles)]):
            shown = [f"{f.value:.2%} ({f.low:.2%} – {f.high:.2%})" for f in (row.loss, row.recall)]
            lines.append(f"| {one.name} | {row.budget:.2%} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _begins(system: System, name: str) -> bool:
    return system.name.lower().startswith(name.lower())


def run(system: Any, learnt: Sequence[LabelledArticle], sets: Sequence[TestSet], folds: int) -> dict[str, Outcome]:
    """Return what a system makes of every set."""
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
        if not counts_on(system.name, one.folds):
            continue
        by_fold = one.folds and one.articles[0].id in ids
        models = [held[article.id][0] if by_fold else whole for article in one.articles]
        scores = [held[article.id][1] if by_fold else system.score(whole, article) for article in one.articles]
        drops = _drops(system, models, one.articles, scores, threshold)
        result[one.name] = gathered(one.articles, scores, drops, decided=not np.isnan(threshold))
    return result


def counts_on(system: str, by_site: bool) -> bool:
    """Return whether a system counts on sets of that kind: refitted on all sites, ours is the model that ships."""
    return by_site or system != BY_SITE


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


def _drops(
    system: Any, models: list[Any], articles: Sequence[LabelledArticle], scores: list[Any], threshold: float
) -> list[Any]:
    if not hasattr(system, "drops"):
        return [score >= threshold for score in scores]
    drops: dict[str, Any] = {}
    for model in {id(model): model for model in models}.values():
        mine = [article for article, other in zip(articles, models, strict=True) if other is model]
        drops |= {article.id: drop for article, drop in zip(mine, system.drops(model, mine, threshold), strict=True)}
    return [drops[article.id] for article in articles]


def gathered(
    articles: Sequence[LabelledArticle], scores: Sequence[Any], drops: Sequence[Any], *, decided: bool
) -> Outcome:
    """Return truth, scores and drops of all scored paragraphs as arrays."""
    rows = [
        (number, p.label.is_noise, p.label.value == "off_topic", len(p.text.split()), float(score), bool(drop))
        for number, (article, some, gone) in enumerate(zip(articles, scores, drops, strict=True))
        for p, score, drop in zip(article.paragraphs, some, gone, strict=True)
        if p.scored
    ]
    names = ("article", "noise", "off_topic", "words", "score", "drop")
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return {**dict(zip(names, columns, strict=True)), "decided": decided}


@dataclass(frozen=True)
class Sampled:
    """A figure on a set, and on each resample of its articles; the same resamples for all systems."""

    value: float
    samples: NDArray[np.float64]

    def __sub__(self, other: "Sampled") -> "Sampled":
        return Sampled(self.value - other.value, self.samples - other.samples)

    def plain(self) -> list[float | None] | None:
        """Return value, low and high of the 95 % interval, for JSON; None where there is nothing to measure."""
        if math.isnan(self.value):
            return None
        figure = _figure(self.value, list(self.samples))
        return [self.value, *(None if math.isnan(end) else end for end in (figure.low, figure.high))]


Measure = Callable[[Outcome], float]

OF_RANKS: dict[str, Measure] = {
    "average_precision": lambda one: average_precision(one["noise"], one["score"]),
    "recall_at_0.5": lambda one: recall_at_loss(0.005, one["noise"], one["score"]),
    "recall_at_1": lambda one: recall_at_loss(0.01, one["noise"], one["score"]),
    "off_topic_at_1": lambda one: _off_topic_recall_at_loss(0.01, one),
}
OF_DEFAULT: dict[str, Measure] = {
    "noise_recall": lambda one: _share(one["drop"], one["noise"]),
    "off_topic_recall": lambda one: _share(one["drop"], one["off_topic"]),
    "content_loss": lambda one: _share(one["drop"], ~one["noise"]),
    "content_word_loss": lambda one: _share(one["drop"], ~one["noise"] * one["words"]),
}
COMPARED = ("average_precision", "recall_at_0.5", "recall_at_1")
AT_A_SHARE = ("recall_at_0.5", "recall_at_1", "off_topic_at_1")


def report(outcomes: Mapping[str, Mapping[str, Outcome]], sets: Mapping[str, bool]) -> list[dict[str, Any]]:
    """Return all figures and paired differences, a row for each set and system, as plain values for JSON.

    Parameters
    ----------
    outcomes : mapping of str to mapping of str to Outcome
        What `run` gave, by the name of the system and that of the set.
    sets : mapping of str to bool
        Names of the sets in the order of the report, and whether each is learnt from too, by site.

    Returns
    -------
    list of dict
        Figures are [value, low, high]. ``ours_above`` says how far ours lies above the system, ``ours`` which
        of our systems that is, or None if it was not run.

    Raises
    ------
    ValueError
        If systems were not held against the same paragraphs.
    """
    rows = []
    for name, by_site in sets.items():
        of_set = {
            system: found[name] for system, found in outcomes.items() if name in found and counts_on(system, by_site)
        }
        rows += [{"set": name, **row} for row in _rows_of_set(name, of_set, BY_SITE if by_site else Shipped.name)]
    return rows


def _rows_of_set(name: str, outcomes: Mapping[str, Outcome], our_name: str) -> list[dict[str, Any]]:
    if not outcomes:
        return []
    first = next(iter(outcomes.values()))
    for system, outcome in outcomes.items():
        if not all(np.array_equal(outcome[column], first[column]) for column in ("article", "noise", "off_topic")):
            raise ValueError(f"{name}: {system} was held against other paragraphs: run it again")
    picks = resamples_of(first["article"])
    figures = {system: measured(outcome, picks) for system, outcome in outcomes.items()}
    ours = outcomes.get(our_name)
    rows = []
    for system, outcome in outcomes.items():
        row = {"system": system, "ours": our_name if ours else None, **counted(outcome)}
        row |= {key: _plain(figures[system].get(key)) for key in (*OF_RANKS, *OF_DEFAULT)}
        other = ours is not None and ours is not outcome and bool(picks)
        rows.append(row | compared(ours if other else None, figures.get(our_name, {}), figures[system], picks))
    return rows


def resamples_of(article: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the rows of each resample of the articles; none where the articles are few."""
    rows = [np.flatnonzero(article == number) for number in np.unique(article)]
    if len(rows) < FEW:
        return []
    return [np.concatenate([rows[at] for at in pick]) for pick in _resamples(len(rows), 0)[:RESAMPLES]]


def counted(outcome: Outcome) -> dict[str, Any]:
    """Return how many articles there are, and how many paragraphs of noise and of content with those dropped."""
    counts: dict[str, Any] = {"articles": len(np.unique(outcome["article"]))}
    for name, chosen in (("noise", outcome["noise"]), ("content", ~outcome["noise"])):
        counts[name] = int(chosen.sum())
        counts[f"{name}_dropped"] = int(outcome["drop"][chosen].sum()) if outcome["decided"] else None
    return counts


def measured(outcome: Outcome, picks: Sequence[NDArray[np.intp]]) -> dict[str, Sampled]:
    """Return the figures that a system has on a set: those of ranks if it ranks, those of its default point."""
    ranks = OF_RANKS if len(np.unique(outcome["score"])) > 2 else {}
    measures = {**ranks, **(OF_DEFAULT if outcome["decided"] else {})}
    if not picks:
        measures = {name: measure for name, measure in measures.items() if name not in AT_A_SHARE}
    names = ("noise", "off_topic", "words", "score", "drop")
    samples = []
    for pick in picks:
        part = {name: outcome[name][pick] for name in names}
        samples.append([measure(part) for measure in measures.values()])
    columns = np.array(samples, dtype=float).reshape(len(picks), len(measures)).T
    return {
        name: Sampled(measure(outcome), column)
        for (name, measure), column in zip(measures.items(), columns, strict=True)
    }


def compared(
    our_outcome: Outcome | None,
    ours: Mapping[str, Sampled],
    theirs: Mapping[str, Sampled],
    picks: Sequence[NDArray[np.intp]],
) -> dict[str, Any]:
    """Return how far ours lies above a system; None for what cannot be compared."""
    above: dict[str, Any] = dict.fromkeys((*COMPARED, "recall_at_their_loss"))
    at_their_loss = None
    if our_outcome is not None:
        above |= {name: (ours[name] - theirs[name]).plain() for name in COMPARED if name in ours and name in theirs}
        if "content_loss" in theirs:
            at_their_loss = recall_at_losses(theirs["content_loss"], our_outcome, picks)
            above["recall_at_their_loss"] = (at_their_loss - theirs["noise_recall"]).plain()
    return {"our_recall_at_their_loss": _plain(at_their_loss), "ours_above": above}


def recall_at_losses(losses: Sampled, outcome: Outcome, picks: Sequence[NDArray[np.intp]]) -> Sampled:
    """Return recall at a loss, in each resample at the loss there."""
    noise, score = outcome["noise"], outcome["score"]
    samples = [recall_at_loss(loss, noise[pick], score[pick]) for loss, pick in zip(losses.samples, picks, strict=True)]
    return Sampled(recall_at_loss(losses.value, noise, score), np.array(samples))


def _off_topic_recall_at_loss(loss: float, outcome: Outcome) -> float:
    chosen = outcome["off_topic"] | ~outcome["noise"]
    return recall_at_loss(loss, outcome["off_topic"][chosen], outcome["score"][chosen])


def _share(values: NDArray[np.bool_], weights: NDArray[Any]) -> float:
    total = weights.sum()
    return float((values * weights).sum() / total) if total else float("nan")


def _plain(figure: Sampled | None) -> list[float | None] | None:
    return None if figure is None else figure.plain()


if __name__ == "__main__":
    main()
