"""Arguments and options that several verbs share."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from noisefilter.records.formats import Form


def _number(share: float) -> float:
    """Return a share that is a number: no comparison with its limits finds one that is not."""
    if math.isnan(share):
        raise typer.BadParameter("nan is not in the range 0.0<=x<=1.0")
    return share


Files = Annotated[
    list[str] | None, typer.Argument(metavar="[FILES…|-]", help="Text or record files, or folders; - is stdin.")
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


class OnError(StrEnum):
    """What becomes of a broken record."""

    KEEP = "keep"
    SKIP = "skip"
    STOP = "stop"


Format = Annotated[
    Form | None,
    typer.Option("--format", help="What the inputs are; by default their names tell, and else they are text."),
]
TextField = Annotated[str, typer.Option("--text-field", metavar="FIELD", help="The field or column of the text.")]
TitleField = Annotated[str, typer.Option("--title-field", metavar="FIELD", help="That of the title, if there is one.")]
IdField = Annotated[
    str, typer.Option("--id-field", metavar="FIELD", help="That of what an article is called, if there is one.")
]
