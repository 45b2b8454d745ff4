"""The figures of the benchmark as Markdown, as they stand in the README."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from systems import Shipped

BY_SITE = "noisefilter, by site"
FEW = 20
"""A set of fewer articles has neither intervals nor recall at a share of its content: figures are points and counts."""

ABOUT_FIGURES = """\
Average precision and recall at a fixed loss rank paragraphs by a single round of scoring; the default point is what
cleaning drops. In brackets 95 % intervals, bootstrap over articles, with thresholds found again in every resample. How
fast each is, `make bench-speed` measures."""
ABOUT_DIFFERENCES = f"""\
Ours minus the system, paired: both on the same resamples of articles. *Ours at that loss* is our recall where we lose
as much content as the default point of the system does; the last column is its difference to the recall of that point.
Ours is *{BY_SITE}* on the sets that are learnt by site too, and *{Shipped.name}* on the others."""
ABOUT_COUNTS = f"""\
Sets of fewer than {FEW} articles: paragraphs that the default point drops, without intervals."""


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the tables of a report as Markdown, as they stand in the README."""
    many = [row for row in rows if row["articles"] >= FEW]
    few = [row for row in rows if row["articles"] < FEW]
    others = [row for row in many if row["system"] != row["ours"]]
    parts = ((ABOUT_FIGURES, FIGURES, many), (ABOUT_DIFFERENCES, DIFFERENCES, others), (ABOUT_COUNTS, COUNTS, few))
    return "\n".join(f"{about}\n\n{_table(columns, some)}" for about, columns, some in parts if some)


def _table(columns: Mapping[str, Callable[[Mapping[str, Any]], str]], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [["set", "system", *columns]]
    lines += [[row["set"], row["system"], *(cell(row) for cell in columns.values())] for row in rows]
    head, *body = (f"| {' | '.join(line)} |\n" for line in lines)
    return "".join([head, f"|---|---|{'--:|' * len(columns)}\n", *body])


def _figure_cell(
    values: Sequence[float | None] | None, form: str, to: str = "–", unit: str = "", times: int = 1
) -> str:
    """Return a figure as text, with its interval if it has one."""
    if values is None:
        return "–"
    value, *ends = ("" if end is None else form.format(round(times * end, 6) + 0.0) for end in values)
    return f"{value}{unit}" + (f" ({to.join(ends)})" if all(ends) else "")


def _cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _figure_cell(row[name], "{:.2f}")


def _percent_cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _figure_cell(row[name], "{:.1f}", unit=" %", times=100)


def _above_cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _figure_cell(row["ours_above"][name], "{:+.3f}", to=" to ").replace("-", "−")


def _count_cell(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: "–" if row[f"{name}_dropped"] is None else f"{row[f'{name}_dropped']} of {row[name]}"


FIGURES = {
    "average precision": _cell("average_precision"),
    "recall at 0.5 %": _cell("recall_at_0.5"),
    "recall at 1 %": _cell("recall_at_1"),
    "off_topic at 1 %": _cell("off_topic_at_1"),
    "noise recall, default": _cell("noise_recall"),
    "off_topic recall, default": _cell("off_topic_recall"),
    "content loss, default": _percent_cell("content_loss"),
    "word loss, default": _percent_cell("content_word_loss"),
}
DIFFERENCES = {
    "average precision": _above_cell("average_precision"),
    "recall at 0.5 %": _above_cell("recall_at_0.5"),
    "recall at 1 %": _above_cell("recall_at_1"),
    "ours at that loss": _cell("our_recall_at_their_loss"),
    "recall at that loss": _above_cell("recall_at_their_loss"),
}
COUNTS = {
    "average precision": _cell("average_precision"),
    "noise dropped": _count_cell("noise"),
    "content dropped": _count_cell("content"),
}
