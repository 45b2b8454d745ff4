"""Arguments and options that several verbs share."""

import math
from pathlib import Path
from typing import Annotated

import typer


def _number(share: float) -> float:
    """Return a share that is a number: no comparison with its limits finds one that is not."""
    if math.isnan(share):
        raise typer.BadParameter("nan is not in the range 0.0<=x<=1.0")
    return share


Files = Annotated[
    list[str] | None, typer.Argument(metavar="[FILES…|-]", help="Plain text files, one article each; - is stdin.")
]
Labels = Annotated[list[Path], typer.Argument(metavar="LABELS…", help="Label files: JSON lines of whole articles.")]
LossBudget = Annotated[
    float,
    typer.Option(
        "--loss-budget", min=0.0, max=1.0, callback=_number, help="Share of the content that you accept to lose."
    ),
]
ModelPath = Annotated[
    Path | None, typer.Option("--model", metavar="MODEL", help="A model bundle; by default the one that ships.")
]
RulesPath = Annotated[
    Path | None,
    typer.Option("--rules", metavar="RULES", help="Your own rules.toml: keep or drop, by literal or pattern."),
]
Cap = Annotated[
    float,
    typer.Option(
        "--cap",
        min=0.0,
        max=1.0,
        callback=_number,
        help="Share of an article's words that may go; above it, nothing does.",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes; the result does not depend on it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
