"""Measure how fast noisefilter is, against others and in itself (``make bench-speed``)."""

import argparse
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments import FULL, QUICK, Bench, Sizes, growth, memory, records, sameness, scoring, start_up
from machine import machine, versions
from measuring import cores, pin
from report import markdown, plain, sheets, show
from rich.console import Console
from systems import all_systems
from targets import targets

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
QUICK_NOTE = "This was a quick run on little text, to see that all works: take no figure from it."
LOUD_NOTE = "The machine was not quiet: other work ran beside, see the load before and the share of the core."
BENCHMARKS = Path(__file__).parents[2] / "BENCHMARKS.md"
PARTS: dict[str, Callable[[Bench], Any]] = {
    "scoring": lambda bench: scoring(bench, all_systems()),
    "growth": growth,
    "start_up": start_up,
    "sameness": sameness,
    "records": records,
    "memory": memory,
}


def main() -> None:
    """Run the benchmark."""
    options = arguments()
    for name in ONE_THREAD:
        os.environ[name] = "1"
    warnings.simplefilter("ignore")  # of other projects, about themselves
    console = Console(width=200 if not sys.stdout.isatty() else None)
    chosen = cores()
    results: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(
            [package for system in all_systems() for package in system.packages] + ["codespell", "ruff", "nbstripout"]
        ),
    }
    sizes = QUICK if options.quick else FULL if options.full else Sizes()
    if options.memory:
        sizes = replace(sizes, memory=tuple(options.memory))
    if options.rounds:
        sizes = replace(sizes, rounds=options.rounds)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="noisefilter-speed-") as folder:

        def say(message: str) -> None:
            print(f"bench-speed: {message}", file=sys.stderr, flush=True)

        bench = Bench(sizes, Path(folder), chosen, say)
        pin(chosen[:1])
        for name in options.only or PARTS:
            say(f"measuring {name.replace('_', '-')}")
            results[name] = PARTS[name](bench)
    made = sheets(results)
    show(console, made)
    results["targets"] = [{**plain(row), "verdict": row.verdict} for row in targets(results)]
    options.output.write_text(json.dumps(plain(results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    written = [options.output]
    report = options.report or (None if options.quick or options.only else BENCHMARKS)
    if report:
        notes = [QUICK_NOTE] * options.quick + [LOUD_NOTE] * disturbed(results)
        report.write_text(markdown(made, " ".join(notes)), encoding="utf-8")
        written.append(report)
    console.print(f"wrote {' and '.join(map(str, written))}", highlight=False)


def disturbed(results: dict[str, Any]) -> bool:
    """Tell whether other work ran beside what was measured."""
    share = results.get("scoring", {}).get("had_the_core")
    return (results["machine"]["load before"] or 0) >= 1 or (share is not None and share < 0.97)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench-speed", description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("speed.json"), help="where the JSON goes")
    parser.add_argument(
        "--report",
        type=Path,
        help="where the Markdown goes; by default BENCHMARKS.md, and nowhere of a part or --quick",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="little text, few rounds: to see that all works")
    size.add_argument(
        "--full", action="store_true", help="peak memory at 1 GB as well, which takes longer than the rest"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts alone")
    parser.add_argument("--rounds", type=int, help="rounds of all but start-up")
    parser.add_argument("--memory", type=float, nargs="+", metavar="MB", help="sizes at which memory is looked at")
    parser.add_argument("--folder", type=Path, help="where files are made: three times the largest size")
    return parser.parse_args()


if __name__ == "__main__":
    main()
