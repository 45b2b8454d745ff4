"""Hold the default model against its quality floors (``make eval``), or pin them anew.

Reads ``floors.toml``. Sets of public data are looked for in the folder that NOISEFILTER_DATA names; where they are
absent this is said, and the authored sets alone decide. Exit code 5 if a figure is below its floor, or if the model is
not the one that ``make train`` would make of the recipe, the corpus and the registry of public sets.

``python training/floors.py pin`` measures and raises the floors, and needs all the sets for it; with ``--reason`` it
may also lower them, and the reason is kept in the file.
"""

import argparse
import hashlib
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import tomlkit
from rich import box
from rich.console import Console
from rich.table import Table

from noisefilter.bundle import load_model
from noisefilter.cleaner import NoiseFilter
from noisefilter.cli.train import _digest, _public_described
from noisefilter.errors import FloorError, NoisefilterError
from noisefilter.evaluation import Evaluation, evaluate
from noisefilter.labels import read_labels
from noisefilter.sources import Source, load_sources, read_source
from noisefilter.training import _plain, load_recipe

HERE = Path(__file__).parent
FLOORS = HERE / "floors.toml"
RECIPE = HERE / "recipe.toml"
REGISTRY = HERE / "sources.toml"
PIN = "pin them anew (python training/floors.py pin)"
SLACK = {"at_least": -0.01, "at_most": 0.001}
"""How far from the figure measured a floor is pinned: machines and library versions move single decisions."""


def main() -> int:
    """Check the floors, or pin them."""
    parser = argparse.ArgumentParser(prog="floors", description="Hold the default model against its quality floors.")
    parser.add_argument("what", nargs="?", choices=["check", "pin"], default="check")
    parser.add_argument("--reason", help="why floors may be lowered (pin)")
    parser.add_argument("--model", type=Path, help="a bundle to take in place of the default model")
    options = parser.parse_args()
    document = tomlkit.parse(FLOORS.read_text(encoding="utf-8"))
    console = Console(width=120)
    model = load_model(options.model)
    differ = differences(model.about)
    if differ:
        raise FloorError(f"the model was made of something else than is here: {', '.join(differ)}: run `make train`")
    cleaner = NoiseFilter(model)
    if options.what == "pin":
        return pin(document, cleaner, options.reason, console)
    if document["recipe_sha256"] != recipe_digest():
        raise FloorError(f"the recipe or its labels changed since the floors were pinned: {PIN}")
    return check(document, cleaner, console)


def check(document: Any, cleaner: NoiseFilter, console: Console) -> int:
    """Evaluate every set that is there and print figures beside floors."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("set", "figure", "value", "95 % interval", "floor", ""):
        table.add_column(column, justify="left" if column in ("set", "figure", "") else "right")
    broken = []
    for entry, _, result in _measured(document, cleaner, console):
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


def pin(document: Any, cleaner: NoiseFilter, reason: str | None, console: Console) -> int:
    """Set every floor just below what is measured; lower none without a reason."""
    absent = [entry["public"] for entry in document["set"] if _path_of(entry) is None]
    if absent:
        where = os.environ.get("NOISEFILTER_DATA") or "NOISEFILTER_DATA, which is not set"
        raise FloorError(f"no {', '.join(absent)} in {where}: floors are pinned on all sets, so set it to their folder")
    lowered = []
    for entry, path, result in _measured(document, cleaner, console, any_digest=True):
        entry["sha256"] = _digest(path)
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


def differences(about: Mapping[str, Any]) -> list[str]:
    """Return what differs between what a model's manifest says it was made of, and what is here."""
    here = _settings(_plain(asdict(replace(load_recipe(RECIPE), sources=None))))
    found = [f"recipe.toml ({name})" for name in _unlike(here, _settings(about.get("recipe", {})))]
    learnt = {entry["name"]: entry for entry in about.get("training_data", ())}
    sources = [source for source in load_sources(REGISTRY) if source.use == "train"]
    found += _differing_data(learnt, sources)
    uncalibrated = {source.name for source in sources if not source.calibrate}
    calibrated = sum(entry["articles"] for name, entry in learnt.items() if name not in uncalibrated)
    if not found and about.get("calibrated_on") != calibrated:
        found.append("sources.toml (calibrate)")
    return found


def _differing_data(learnt: Mapping[str, Any], sources: Sequence[Source]) -> list[str]:
    """Return what differs between the sets that a model learnt from and those that are here to learn from."""
    sets = {"train.jsonl": {"sha256": _digest(HERE / "corpus" / "train.jsonl")}}
    sets |= {source.name: _described(source) for source in sources}
    found = []
    for name in sorted(learnt.keys() | sets):
        if name not in learnt:
            found.append(f"{name} (not learnt from: NOISEFILTER_DATA has to name its folder)")
        elif name not in sets:
            found.append(f"{name} (learnt from, but not registered to train on)")
        else:
            known = {field: learnt[name].get(field) for field in sets[name]}
            found += [f"{name} ({field})" for field in _unlike(sets[name], known)]
    return found


def _described(source: Source) -> dict[str, Any]:
    """Return what the manifest says of a public set; how many articles it has is known only where it is there."""
    folder = os.environ.get("NOISEFILTER_DATA")
    articles = read_source(source, Path(folder)) if folder else None
    entry = _public_described(source, articles or [])
    return {field: value for field, value in entry.items() if field != "articles" or articles is not None}


def _settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's settings, those of its tables under ``table.setting``."""
    result: dict[str, Any] = {}
    for name, value in recipe.items():
        result |= {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, Mapping) else {name: value}
    return result


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def recipe_digest() -> str:
    """Return the digest of all in the repository that decides the default model."""
    files = [RECIPE, REGISTRY, HERE / "corpus" / "train.jsonl"]
    digest = hashlib.sha256()
    for path in [*files, *sorted((HERE / "annotations").glob("*.jsonl"))]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _measured(
    document: Any, cleaner: NoiseFilter, console: Console, *, any_digest: bool = False
) -> Iterator[tuple[Any, Path, Evaluation]]:
    for entry in document["set"]:
        path = _path_of(entry)
        if path is None:
            console.print(f"left out: {entry['name']} (no {entry['public']}; set NOISEFILTER_DATA)", highlight=False)
            continue
        if not any_digest and _digest(path) != entry["sha256"]:
            raise FloorError(f"{path}: is not the data that the floors were measured on: {PIN}")
        yield entry, path, evaluate(cleaner, read_labels([path]), jobs=2)


def _floors(entry: Any) -> Iterator[tuple[str, str, float]]:
    for bound in SLACK:
        for name, floor in entry.get(bound, {}).items():
            yield bound, name, float(floor)


def _within(value: float, bound: str, floor: float) -> bool:
    return value >= floor if bound == "at_least" else value <= floor


def _path_of(entry: Any) -> Path | None:
    """Return the file of a set, or None for a public one that is not there."""
    if "path" in entry:
        return Path(HERE, entry["path"])
    folder = os.environ.get("NOISEFILTER_DATA")
    path = Path(folder) / entry["public"] if folder else None
    return path if path and path.is_file() else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoisefilterError as error:
        print(f"floors: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
