"""Hold the default model against its quality floors (``make eval``).

Reads ``floors.toml``. Sets of public data are looked for in the folder that NOISEFILTER_DATA
names, or in ``../shared/data`` beside the repository; where they are absent this is said, and the
authored test split alone decides. Exit code 5 if a figure is below its floor.
"""

import hashlib
import math
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from noisefilter import NoiseFilter, NoisefilterError
from noisefilter.errors import FloorError
from noisefilter.evaluation import Evaluation, evaluate
from noisefilter.labels import read_labels

HERE = Path(__file__).parent
DATA = Path(os.environ.get("NOISEFILTER_DATA", HERE.parent.parent / "shared" / "data"))


def main() -> int:
    """Evaluate every set that is there and print figures beside floors."""
    console = Console(width=120)
    entries = tomllib.loads((HERE / "floors.toml").read_text())["set"]
    cleaner = NoiseFilter()
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("set", "figure", "value", "95 % interval", "floor", ""):
        table.add_column(column, justify="left" if column in ("set", "figure", "") else "right")
    broken = []
    for entry in entries:
        path = _path_of(entry)
        if not path.is_file():
            console.print(
                f"left out: {entry['name']} (no {path.name} in {DATA}; set NOISEFILTER_DATA)", highlight=False
            )
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            raise FloorError(f"{path}: is not the data that the floors were measured on: measure and pin them anew")
        broken += _rows(table, entry, evaluate(cleaner, read_labels([path]), jobs=2))
    console.print(table)
    if broken:
        raise FloorError(f"below its floor: {', '.join(broken)}")
    return 0


def _path_of(entry: dict[str, Any]) -> Path:
    return DATA / entry["public"] if "public" in entry else HERE / entry["path"]


def _rows(table: Table, entry: dict[str, Any], result: Evaluation) -> list[str]:
    """Add a row for each floor of a set; return what is below it."""
    broken = []
    for bound, floors in (("at least", entry.get("at_least", {})), ("at most", entry.get("at_most", {}))):
        for name, floor in floors.items():
            figure = result.figures[name]
            holds = figure.value >= floor if bound == "at least" else figure.value <= floor
            if not holds or math.isnan(figure.value):
                broken.append(f"{name} on {entry['name']} ({figure.value:.4f}, {bound} {floor})")
            table.add_row(
                entry["name"],
                name,
                f"{figure.value:.4f}",
                f"{figure.low:.4f} – {figure.high:.4f}",
                f"{bound} {floor}",
                "holds" if holds else "BROKEN",
            )
    return broken


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoisefilterError as error:
        print(f"floors: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
