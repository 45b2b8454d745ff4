"""Arguments and options that several verbs share."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from noisefilter.records.formats import Form


def number(share: float) -> float:
    """Return a share that is a number: no comparison with its limits finds one that is not."""
    if math.isnan(share):
        raise typer.BadParameter("nan is no share: give a number")
    return share


def named(file: str) -> str:
    """Return the name of a file as it is; an empty one would be the folder that we are in."""
    if not file:
        raise typer.BadParameter("it is empty: give a path, or see whether a shell variable is unset")
    return file


def path_of(file: str) -> Path:
    """Return the path that an option names."""
    return Path(named(file))


Files = Annotated[
    list[str] | None,
    typer.Argument(parser=named, metavar="[FILES…|-]", help="Text or record files, or folders; - is stdin."),
]
Labels = Annotated[
    list[Path],
    typer.Argument(parser=path_of, metavar="LABELS…", help="Label files: JSON lines of whole articles."),
]
LossBudget = Annotated[
    float,
    typer.Option(
        "--loss-budget", min=0.0, max=1.0, callback=number, help="Share of the content that you accept to lose."
    ),
]
ModelPath = Annotated[
    Path | None,
    typer.Option("--model", parser=path_of, metavar="MODEL", help="A model bundle; by default the one that ships."),
]
RulesPath = Annotated[
    Path | None,
    typer.Option(
        "--rules", parser=path_of, metavar="RULES", help="Your own rules.toml: keep or drop, by literal or pattern."
    ),
]
Cap = Annotated[
    float,
    typer.Option(
        "--cap",
        min=0.0,
        max=1.0,
        callback=number,
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
