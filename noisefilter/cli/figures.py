"""Figures of an evaluation as tables for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from noisefilter.evaluation import Evaluation, Figure

_SOURCES_SHOWN = 25


def show_figures(title: str, figures: "Mapping[str, Figure]", console: Console) -> None:
    """Print figures with their intervals."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, figure in figures.items():
        interval = "" if figure.low != figure.low else f"{figure.low:.4f} – {figure.high:.4f}"
        value = "none to measure" if figure.value != figure.value else f"{figure.value:.4f}"
        table.add_row(name.replace("_", " ").replace("off topic", "off_topic"), value, interval)
    console.print(table)


def show_evaluation(evaluation: "Evaluation", title: str, console: Console) -> None:
    """Print all of an evaluation: figures, tables, worst mistakes."""
    show_figures(
        f"{title}: {evaluation.articles} articles, {evaluation.paragraphs} paragraphs", evaluation.figures, console
    )
    if evaluation.over_cap:
        console.print(f"{evaluation.over_cap} articles are over the cap, nothing was dropped from them")
    for name in ("by_label", "by_kind", "by_source"):
        frame = getattr(evaluation, name)
        shown = frame.head(_SOURCES_SHOWN) if name == "by_source" else frame
        _show_frame(name.replace("_", " "), shown, console)
        if len(frame) > len(shown):
            console.print(f"… and {len(frame) - _SOURCES_SHOWN} more (see --json)")
    columns = ["source", "article", "index", "kind", "noise_probability", "reason", "text"]
    _show_frame("noise that was kept, worst first", evaluation.missed[columns], console)
    _show_frame(
        "content that was dropped or came nearest to it", evaluation.lost[["label", *columns[:-1], "text"]], console
    )


def _show_frame(title: str, frame: "pd.DataFrame", console: Console) -> None:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for column in frame.columns:
        table.add_column(str(column).replace("_", " "), overflow="fold")
    for _, row in frame.iterrows():
        table.add_row(*(Text(_cell(value)) for value in row))
    console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
