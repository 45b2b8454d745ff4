"""Hold the default model against its quality floors (``make eval``), or pin them anew.

Reads ``floors.toml``. Sets of public data are looked for in the folder that NOISEFILTER_DATA names; where they are
absent this is said, and the authored sets alone decide. Exit code 5 if a figure is below its floor.

``python training/floors.py pin`` measures and raises the floors; with ``--reason`` it may also lower them, and the
reason is kept in the file.
"""

import argparse
import hashlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit
from rich import box
from rich.console import Console
from rich.table import Table

from noisefilter import NoiseFilter, NoisefilterError
from noisefilter.errors import FloorError
from noisefilter.evaluation import Evaluation, evaluate
from noisefilter.labels import read_labels

HERE = Path(__file__).parent
FLOORS = HERE / "floors.toml"
SLACK = {"at_least": -0.01, "at_most": 0.001}
"""How far from the figure measured a floor is pinned: machines and library versions move single decisions."""


def main() -> int:
    """Check the floors, or pin them."""
    parser = argparse.ArgumentParser(prog="floors", description="Hold the default model against its quality floors.")
    parser.add_argument("what", nargs="?", choices=["check", "pin"], default="check")
    parser.add_argument("--reason", help="why floors may be lowered (pin)")
    options = parser.parse_args()
    document = tomlkit.parse(FLOORS.read_text(encoding="utf-8"))
    console = Console(width=120)
    if options.what == "pin":
        return pin(document, options.reason, console)
    if document["recipe_sha256"] != recipe_digest():
        raise FloorError(
            "the recipe or its labels changed since the floors were pinned: make train, then pin them anew"
        )
    return check(document, console)


def check(document: Any, console: Console) -> int:
    """Evaluate every set that is there and print figures beside floors."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("set", "figure", "value", "95 % interval", "floor", ""):
        table.add_column(column, justify="left" if column in ("set", "figure", "") else "right")
    broken = []
    for entry, result in _measured(document, console):
        for bound, name, floor in _floors(entry):
            figure = result.figures[name]
            holds = not math.isnan(figure.value) and _within(figure.value, bound, floor)
            if not holds:
                broken.append(f"{name} on {entry['name']} ({figure.value:.4f}, {bound.replace('_', ' ')} {floor})")
            interval = f"{figure.low:.4f} – {figure.high:.4f}"
            verdict = "holds" if holds else "BROKEN"
            table.add_row(
                entry["name"], name, f"{figure.value:.4f}", interval, f"{bound.replace('_', ' ')} {floor}", verdict
            )
    console.print(table)
    if broken:
        raise FloorError(f"below its floor: {', '.join(broken)}")
    return 0


def pin(document: Any, reason: str | None, console: Console) -> int:
    """Set every floor just below what is measured; lower none without a reason."""
    lowered = []
    for entry, result in _measured(document, console, any_digest=True):
        entry["sha256"] = hashlib.sha256(_path_of(entry).read_bytes()).hexdigest()
        for bound, name, floor in list(_floors(entry)):
            pinned = round(min(1.0, max(0.0, result.figures[name].value + SLACK[bound])), 3)
            if result.figures[name].value in (0.0, 1.0):
                pinned = result.figures[name].value
            if not _within(pinned, bound, floor):
                lowered.append(f"{name} on {entry['name']} from {floor} to {pinned}")
            entry[bound][name] = pinned
    if lowered and not reason:
        raise FloorError(f"this would lower {'; '.join(lowered)}: say why with --reason, or make the model better")
    if lowered:
        document.setdefault("lowered", tomlkit.array().multiline(True)).append(f"{'; '.join(lowered)}: {reason}")
    document["recipe_sha256"] = recipe_digest()
    FLOORS.write_text(tomlkit.dumps(document), encoding="utf-8")
    console.print(f"pinned {FLOORS.name}", highlight=False)
    return 0


def recipe_digest() -> str:
    """Return the digest of all in the repository that decides the default model."""
    files = [HERE / "recipe.toml", HERE / "sources.toml", HERE / "corpus" / "train.jsonl"]
    digest = hashlib.sha256()
    for path in [*files, *sorted((HERE / "annotations").glob("*.jsonl"))]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _measured(document: Any, console: Console, *, any_digest: bool = False) -> Iterator[tuple[Any, Evaluation]]:
    cleaner = NoiseFilter()
    for entry in document["set"]:
        path = _path_of(entry)
        if path is None or not path.is_file():
            console.print(f"left out: {entry['name']} (no {entry['public']}; set NOISEFILTER_DATA)", highlight=False)
            continue
        if not any_digest and hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            raise FloorError(f"{path}: is not the data that the floors were measured on: pin them anew")
        yield entry, evaluate(cleaner, read_labels([path]), jobs=2)


def _floors(entry: Any) -> Iterator[tuple[str, str, float]]:
    for bound in SLACK:
        for name, floor in entry.get(bound, {}).items():
            yield bound, name, float(floor)


def _within(value: float, bound: str, floor: float) -> bool:
    return value >= floor if bound == "at_least" else value <= floor


def _path_of(entry: Any) -> Path | None:
    if "path" in entry:
        return HERE / entry["path"]
    folder = os.environ.get("NOISEFILTER_DATA")
    return Path(folder) / entry["public"] if folder else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoisefilterError as error:
        print(f"floors: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
