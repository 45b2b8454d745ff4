"""``noisefilter evaluate``: figures of a model on labelled articles."""

import json
from pathlib import Path
from typing import Annotated

import typer

from noisefilter.cli.options import AsJson, Cap, Jobs, Labels, LossBudget, ModelPath, RulesPath, path_of
from noisefilter.cli.outcome import tables, write_out
from noisefilter.policy import DEFAULT_CAP, DEFAULT_LOSS_BUDGET


def evaluate(
    labels: Labels,
    model: ModelPath = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare", parser=path_of, metavar="OTHER_MODEL", help="Show how much the model differs from this one."
        ),
    ] = None,
    as_json: AsJson = False,
    loss_budget: LossBudget = DEFAULT_LOSS_BUDGET,
    rules: RulesPath = None,
    cap: Cap = DEFAULT_CAP,
    jobs: Jobs = 1,
) -> None:
    """Print noise recall, content loss and more, with intervals, and the worst mistakes."""
    from noisefilter import evaluation
    from noisefilter.cli.cleaning import cleaner_of
    from noisefilter.cli.figures import show_evaluation, show_figures
    from noisefilter.labels import read_labels

    articles = read_labels(labels)
    cleaner = cleaner_of(model, loss_budget, cap, rules)
    differences = None
    result = evaluation.evaluate(cleaner, articles, jobs=jobs)
    if compare is not None:
        other = cleaner_of(compare, loss_budget, cap, rules)
        differences = evaluation.compare(cleaner, other, articles, jobs=jobs)
    if as_json:
        table = result.to_dict()
        if differences is not None:
            table["differences"] = evaluation.plain_figures(differences)
        write_out(json.dumps(table, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
        return
    with tables(200) as console:
        show_evaluation(result, ", ".join(path.name for path in labels), console)
        if differences is not None:
            show_figures(f"difference to {compare} (above 0: the first is higher)", differences, console)
