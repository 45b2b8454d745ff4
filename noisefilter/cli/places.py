"""Which files are read, and where the result of each goes."""

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer

from noisefilter.cli.outcome import STREAM, say
from noisefilter.records.formats import ENDINGS, Form, form_of
from noisefilter.records.streams import packing_problem

_NO_FORMAT = "their names tell no format"
_DEVICE = "they are pipes or devices"
_LINK = "they are links to folders: name those too"


@dataclass(frozen=True, slots=True)
class Input:
    """A file that is read, or one that cannot be.

    Attributes
    ----------
    file : str
        Its path, or ``-``.
    form : Form
    inside : str
        What it is called in a folder of results.
    found : bool
        True if it was found in a folder, not named itself.
    problem : str or None
        Why it cannot be read, where that is known before it is opened.
    guessed : bool
        True if nothing told the format: neither its name nor the user.
    """

    file: str
    form: Form
    inside: str
    found: bool = False
    problem: str | None = None
    guessed: bool = False


@dataclass(slots=True)
class Inputs:
    """All inputs in their order.

    Attributes
    ----------
    items : list of Input
    folders : list of str
        The folders that were named.
    left_out : dict of str to Counter of str
        How many files of each folder are not looked at, by the reason.
    """

    items: list[Input]
    folders: list[str]
    left_out: dict[str, Counter[str]]

    def tell_left_out(self) -> None:
        """Say how many files were not looked at."""
        for folder, reasons in self.left_out.items():
            for reason, count in reasons.items():
                say(f"{folder}: {count} {'file was' if count == 1 else 'files were'} left out: {reason}")


def inputs_of(files: list[str], form: Form | None, out: Path | None = None) -> Inputs:
    """Return the inputs that were named, and those in the folders that were.

    Parameters
    ----------
    files : list of str
    form : Form or None
        The format of what was named; None is what its name tells, or else text.
    out : Path, optional
        Tells the format of stdin by its name.
    """
    inputs = Inputs([], [], {})
    for file in files:
        if file != STREAM and _is_folder(file):
            inputs.folders.append(file)
            _look_into(file, inputs)
        else:
            told = form or form_of(str(out or "") if file == STREAM else file)
            problem = _json_problem(file) if told is None else None
            guessed = form is None and (file == STREAM or told is None)
            told = told or Form.TEXT
            name = f"stdin.{'txt' if told is Form.TEXT else told}" if file == STREAM else Path(file).name
            inputs.items.append(Input(file, told, name, problem=problem, guessed=guessed))
    return inputs


def _json_problem(file: str) -> str | None:
    """Return what is wrong with a file that is called JSON: it would be read as text, which it is not."""
    if not file.lower().removesuffix(".gz").removesuffix(".zst").endswith(".json"):
        return None
    return f"{file}: is it JSON lines? then say --format jsonl"


def _is_folder(file: str) -> bool:
    try:
        return Path(file).is_dir()
    except OSError:  # a name that is too long: whoever opens it will tell
        return False


def _is_device(file: str) -> bool:
    try:
        return not stat.S_ISREG(Path(file).stat().st_mode)
    except OSError:
        return False


def _look_into(folder: str, inputs: Inputs) -> None:
    before = len(inputs.items)
    left_out: Counter[str] = Counter()

    def unread(error: OSError) -> None:
        problem = f"{error.filename}: cannot be read ({error.strerror}): check its permissions"
        inputs.items.append(Input(str(error.filename), Form.TEXT, "", found=True, problem=problem))

    for here, folders, names in os.walk(folder, onerror=unread):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        left_out.update(_LINK for name in folders if Path(here, name).is_symlink())
        for name in sorted(names):
            if name.startswith("."):
                continue
            path = os.path.join(here, name)  # noqa: PTH118  # as it was named: Path would take a leading ./ off
            form = form_of(name)
            if form is None:
                left_out[_NO_FORMAT] += 1
            elif _is_device(path):  # a pipe that nobody writes to would be waited on for ever
                left_out[_DEVICE] += 1
            else:
                inputs.items.append(Input(path, form, os.path.relpath(path, folder), found=True))
    if len(inputs.items) == before:
        problem = f"{folder}: no file in it ends in {', '.join(ENDINGS)}: name the files, and give --format"
        inputs.items.append(Input(folder, Form.TEXT, "", found=True, problem=problem))
    elif left_out:
        inputs.left_out[folder] = left_out


def target_of(out: Path, item: Input, folders: list[str]) -> Path:
    """Return where the result of one input goes: into `out` if that is a folder, or folders were named."""
    return out / item.inside if folders or out.is_dir() else out


def refuse_no_place(
    inputs: Inputs,
    out: Path | None,
    decisions: Path | None,
    settings: Iterable[Path | None] = (),
    *,
    in_place: bool,
    diff: bool,
) -> None:
    """Raise a usage error if not everything has a place of its own to be written to.

    Parameters
    ----------
    inputs : Inputs
    out, decisions : Path or None
    settings : iterable of Path or None
        What else is read: model, rules.
    in_place, diff : bool
    """
    items = [item for item in inputs.items if item.problem is None]
    _refuse_decisions(decisions, in_place=in_place)
    if in_place and any(item.file == STREAM for item in items):
        raise typer.BadParameter("--in-place needs files: stdin has no place to write to")
    odd = next((item.file for item in items if in_place and _is_device(item.file)), None)
    if odd is not None:
        raise typer.BadParameter(f"--in-place needs files: {odd} is a pipe or a device")
    records = [item for item in items if item.form is not Form.TEXT]
    if diff and records:
        raise typer.BadParameter(f"--diff shows text files: for {records[0].file} use check, or --decisions")
    if out is None:
        if not (in_place or diff):
            _refuse_mixed_stream(items)
        targets: list[tuple[Input, Path]] = []
    else:
        several = len(inputs.items) > 1 or inputs.folders
        if several and not out.is_dir() and (not inputs.folders or out.exists()):
            raise typer.BadParameter(f"{out} is not a folder: with several inputs, give -o an existing folder")
        targets = [(item, target_of(out, item, inputs.folders)) for item in items]
        _refuse_targets(inputs, out, targets)
    if decisions is not None:
        taken = {_real(path) for _, path in targets}
        taken |= {_real(item.file) for item in items if item.file != STREAM}
        if _real(decisions) in taken:
            raise typer.BadParameter(f"--decisions {decisions} is an input or a result: give another file")
    written = [Path(item.file) for item in items] if in_place else [path for _, path in targets]
    written = [*written, decisions] if decisions else written
    for problem in filter(None, (packing_problem(str(path)) for path in written)):
        raise typer.BadParameter(problem)
    refuse_overwriting(written, settings)


def refuse_overwriting(written: Iterable[Path], read: Iterable[Path | None]) -> None:
    """Raise a usage error if a file that is to be written is one that is read, by whatever path."""
    taken = {_real(path) for path in read if path is not None}
    for path in written:
        if _real(path) in taken and path.is_file():
            raise typer.BadParameter(f"{path} is an input and would be overwritten: choose another file")


def _refuse_decisions(decisions: Path | None, *, in_place: bool) -> None:
    if decisions == Path(STREAM):
        raise typer.BadParameter("--decisions - would mix with the articles on stdout: give a file")
    if in_place and decisions is not None:  # files must not change where what went cannot be told
        place = decisions if decisions.exists() else decisions.parent
        if not os.access(place, os.W_OK) or decisions.is_dir():
            raise typer.BadParameter(f"--decisions {decisions} cannot be written: choose another file")


def _refuse_mixed_stream(items: list[Input]) -> None:
    forms = {item.form for item in items}
    if len(items) > 1 and forms not in ({Form.TEXT}, {Form.JSONL}):
        raise typer.BadParameter("only text, or only JSON lines, can be joined on stdout: give -o a folder")


def _refuse_targets(inputs: Inputs, out: Path, targets: list[tuple[Input, Path]]) -> None:
    for folder in inputs.folders:
        if Path(_real(out)).is_relative_to(_real(folder)):
            raise typer.BadParameter(f"{out} is in {folder}, which is read: choose a folder beside it, or --in-place")
    for path, count in Counter(path for _, path in targets).most_common(1):
        if count > 1:
            raise typer.BadParameter(f"{count} inputs would go to {path}: clean them into different folders")
    read = {_real(item.file) for item, _ in targets if item.file != STREAM}
    for item, path in targets:
        if _real(path) in read and Path(_real(path)).is_file():
            raise typer.BadParameter(f"{path} is an input: choose another -o, or --in-place")
        told = form_of(path.name)
        if told is not None and told is not item.form:
            raise typer.BadParameter(
                f"{path} would be {told} by its name and {item.file} is {item.form}: formats are not converted"
            )


def _real(path: Path | str) -> str:
    return os.path.realpath(path)
