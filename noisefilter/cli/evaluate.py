"""``noisefilter evaluate``: figures of a model on labelled articles."""

import json
from pathlib import Path
from typing import Annotated

import typer

from noisefilter.cli.options import AsJson, Cap, Jobs, Labels, LossBudget, ModelPath, path_of
from noisefilter.cli.outcome import tables, write_out


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
    loss_budget: LossBudget = 0.01,
    cap: Cap = 0.5,
    jobs: Jobs = 1,
) -> None:
    """Print noise recall, content loss and more, with intervals, and the worst mistakes."""
    from noisefilter import evaluation
    from noisefilter.cleaner import NoiseFilter
    from noisefilter.cli.figures import any_text, show_evaluation, show_figures
    from noisefilter.labels import read_labels

    articles = read_labels(labels)
    cleaner = NoiseFilter(model, loss_budget, cap=cap)
    differences = None
    with any_text():
        result = evaluation.evaluate(cleaner, articles, jobs=jobs)
        if compare is not None:
            differences = evaluation.compare(cleaner, NoiseFilter(compare, loss_budget, cap=cap), articles, jobs=jobs)
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
