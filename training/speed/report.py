"""The results as tables, for the terminal and for BENCHMARKS.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from measuring import Spread
from rich import box
from rich.console import Console
from rich.table import Table
from targets import Target, targets

INTRODUCTION = """\
# Benchmarks

Written by `make bench-speed`; not edited by hand. Text is made from the authored corpus by
`training/speed/texts.py`: whole articles in which one paragraph in ten comes from another article, the same ones for
the same seed. The shipped model learnt from that corpus, so it knows more of these words than of another site's.

All that is compared took turns in one run, round by round, so that a drift of the machine hits all alike. Every figure
is the median of its rounds, with the least and the most in brackets. One job is pinned to one core, two jobs to two. MB
is a million bytes of text in UTF-8 (paragraphs alone, no markup), s, ms and µs are time on the wall."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a heading and a few words."""

    title: str
    words: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def figure(value: Spread | None, digits: int = 3) -> str:
    """Return a spread as text: median (least – most), so many digits that count."""
    if value is None:
        return "–"
    return f"{_short(value.median, digits)} ({_short(value.least, digits)} – {_short(value.most, digits)})"


def _short(value: float, digits: int = 3) -> str:
    places = max(0, digits - len(str(int(abs(value)))) if abs(value) >= 1 else digits - 1)
    return f"{value:,.{places}f}"


def _time(value: Spread) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if value.median * factor >= 1:
            return f"{figure(value.times(factor))} {unit}"
    return f"{figure(value.times(1e6))} µs"


def sheets(results: Mapping[str, Any]) -> list[Sheet]:
    """Return all tables that the results have figures for, targets last."""
    made = [Sheet("Machine and versions", "", ("what", "is"), _about(results))]
    for name, make in (
        ("scoring", _scoring),
        ("records", _records),
        ("memory", _memory),
        ("growth", _growth),
        ("start_up", _start_up),
        ("sameness", _sameness),
    ):
        if results.get(name):
            made.append(make(results[name]))
    return [*made, _targets(targets(results))]


def _about(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    both = {**results["machine"], **results["versions"]}
    return [(name, str(value)) for name, value in both.items() if value is not None]


def _scoring(part: Mapping[str, Any]) -> Sheet:
    words = (
        f"Paragraphs in memory, one core, one thread: {part['paragraphs']:,} paragraphs of {part['articles']:,} "
        f"articles, {part['bytes'] / 1e6:.2f} MB. Every system is loaded and warmed first, and what it takes (HTML, "
        "documents, lists) is made beforehand; neither is timed. Not all answer the same question: noisefilter gives "
        "probabilities for every paragraph in its article, fastText and the plain Pipeline for a paragraph alone, "
        "extractors and filters keep or drop. The kernel is faster by the ratio of times in the same round."
    )
    if part["had_the_core"] is not None:
        words += f" This process had the core for {part['had_the_core']:.1%} of the time that was measured."
    rows = [
        (
            name,
            figure(row["megabytes_per_second"]),
            figure(row["paragraphs_per_second"]),
            figure(row["kernel_is_faster"]),
            row["how"],
        )
        for name, row in part["systems"].items()
    ]
    rows += [(name, "left out", "", "", reason) for name, reason in part["left_out"].items()]
    return Sheet(
        "Scoring", words, ("system", "MB of text per second", "paragraphs per second", "kernel is faster", "how"), rows
    )


def _records(part: Mapping[str, Any]) -> Sheet:
    words = (
        f"`noisefilter clean in.jsonl -o out.jsonl`, the whole process with its start: {part['bytes'] / 1e6:.1f} MB "
        f"of text in a file of {part['file_bytes'] / 1e6:.1f} MB."
    )
    rows = [
        (
            f"{jobs} job{'s' if jobs != '1' else ''}",
            _time(row["seconds"]),
            _time(row["cpu_seconds"]),
            figure(row["megabytes_per_second"]),
        )
        for jobs, row in part["jobs"].items()
    ]
    rows.append(
        ("two jobs are faster", f"{figure(part['speed_up'])}×" if part["speed_up"] else "one core only", "", "")
    )
    return Sheet(
        "JSONL to JSONL", words, ("jobs", "time", "time at work, all processes", "MB of text per second"), rows
    )


def _memory(part: Sequence[Mapping[str, Any]]) -> Sheet:
    words = (
        "Cleaning JSONL to JSONL. With one job, the system's own count of the process's peak (`ru_maxrss`); with two, "
        "the most that the process and its workers had in memory at once, seen fifty times a second, where pages that "
        "they share count for each. One run each."
    )
    rows = [
        (
            f"{row['bytes'] / 1e6:,.0f} MB",
            str(row["jobs"]),
            "–" if row["peak_of_all"] is None else f"{row['peak_of_all'] / 1e6:.1f} MB",
            f"{row['peak_of_one_process'] / 1e6:.1f} MB",
        )
        for row in part
    ]
    return Sheet("Peak memory", words, ("text", "jobs", "all processes", "largest process"), rows)


def _growth(part: Sequence[Mapping[str, Any]]) -> Sheet:
    words = (
        "Time of one article, in memory, by its number of paragraphs. At each size the same paragraphs are cut into "
        "articles of that size. Cleaning takes as many rounds as the article asks for. The exponent is the power of "
        "the number of paragraphs that time grew with since the size before: 1 is linear, 2 quadratic."
    )
    rows = []
    for row in part:
        powers = ["", *(f"{power:.2f}" for power in row["exponents"])]
        for count, taken, power in zip(row["paragraphs"], row["seconds"], powers, strict=True):
            rows.append((row["text"], row["what"], f"{count:,}", _time(taken), _time(taken.times(1 / count)), power))
    return Sheet(
        "Growth", words, ("text", "work", "paragraphs", "time per article", "time per paragraph", "exponent"), rows
    )


def _start_up(part: Mapping[str, Any]) -> Sheet:
    words = (
        f"Whole processes on one small file (the article has {part['bytes']:,} bytes), warm disk, one core: codespell "
        "reads the same article, ruff a module of five lines (its cache is warm), nbstripout a notebook of ten cells. "
        "Bytecode is there beforehand, as where pip installs a wheel."
    )
    rows = [
        (name, _time(row["seconds"]), _time(row["cpu_seconds"]), str(row["seconds"].rounds))
        for name, row in part["programs"].items()
    ]
    rows += [(name, "left out", "", reason) for name, reason in part["left_out"].items()]
    return Sheet("Start-up", words, ("program", "time", "time at work", "rounds"), rows)


def _sameness(part: Mapping[str, Any]) -> Sheet:
    dropped = "" if part["something_dropped"] else " Nothing was dropped from it, so this shows little."
    words = f"SHA-256 of what `noisefilter clean` writes for {part['bytes'] / 1e6:.2f} MB of text.{dropped}"
    rows = [(name, digest[:16]) for name, digest in part["sha256"].items()]
    return Sheet("The same output", words, ("with", "begins"), rows)


def _targets(found: Sequence[Target]) -> Sheet:
    words = "What is aimed at, against the medians above; ratios are medians of the rounds' own ratios."
    rows = [(target.what, target.aim, target.measured, target.verdict) for target in found]
    return Sheet("Targets", words, ("target", "aim", "measured", "verdict"), rows)


def show(console: Console, made: Sequence[Sheet]) -> None:
    """Print tables."""
    for sheet in made:
        table = Table(title=sheet.title, caption=sheet.words or None, box=box.SIMPLE_HEAD)
        table.title_justify = table.caption_justify = "left"
        for column in sheet.columns:
            table.add_column(column)
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table, highlight=False, markup=False)


def markdown(made: Sequence[Sheet], note: str = "") -> str:
    """Return tables as a Markdown document."""
    parts = [INTRODUCTION + (f"\n\n{note}" if note else "")]
    for sheet in made:
        head = [f"| {' | '.join(sheet.columns)} |", f"|{'---|' * len(sheet.columns)}"]
        body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in sheet.rows]
        parts.append(
            "\n\n".join(part for part in (f"## {sheet.title}", sheet.words, "\n".join([*head, *body])) if part)
        )
    return "\n\n".join(parts) + "\n"


def plain(value: Any) -> Any:
    """Return results as JSON takes them."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
