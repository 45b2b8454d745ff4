"""``noisefilter clean``: write articles without their noise."""

import difflib
import errno
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from noisefilter.cli.options import Cap, Files, LossBudget, ModelPath, RulesPath
from noisefilter.cli.outcome import STREAM, Outcome, each_text, guarded, name_of, say, to_bytes, write_out
from noisefilter.errors import InputError

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def clean(
    files: Files = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="A file; with several inputs, a folder. Default: stdout."),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Change the files; exit 1 if any changed.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what would change; write nothing else.")] = False,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", metavar="FILE", help="Write every decision there, as JSON lines.")
    ] = None,
    loss_budget: LossBudget = 0.01,
    model: ModelPath = None,
    rules: RulesPath = None,
    cap: Cap = 0.5,
) -> None:
    """Write articles without the paragraphs that do not belong."""
    if sum((out is not None, in_place, diff)) > 1:
        raise typer.BadParameter("use one of -o, --in-place and --diff")
    out = _none_if_stream(out)
    files = files or [STREAM]
    _refuse_no_place(files, out, decisions, in_place=in_place)

    from noisefilter.article import Article
    from noisefilter.cleaner import NoiseFilter
    from noisefilter.cli.decisions import decision_rows

    cleaner = NoiseFilter(model, loss_budget, cap=cap, rules=rules)
    outcome = Outcome()
    rows: list[str] = []

    def one(file: str, text: str) -> None:
        cleaned = cleaner.clean(Article.from_text(text, source=file))
        if cleaned.over_cap:
            say(
                f"{name_of(file)}: more than {cap:.0%} of its words look like noise, so nothing was dropped: "
                "look at it, or raise --cap"
            )
        rows.extend(json.dumps(row, ensure_ascii=False) for row in decision_rows(name_of(file), cleaned))
        changed = cleaned.text != text
        if in_place:
            if changed:
                _write(Path(file), cleaned.text)
                outcome.found += 1
                say(f"{file}: dropped {len(cleaned.dropped)} of {len(cleaned.decisions)} paragraphs")
        elif diff:
            write_out(_unified(file, text, cleaned.text))
        elif out is not None:
            _write(_target(out, file), cleaned.text)
        else:
            write_out(cleaned.text)

    for file, text in each_text(files, outcome):
        guarded(outcome, lambda file=file, text=text: one(file, text))  # type: ignore[misc]
    if decisions is not None:
        guarded(outcome, lambda: _write(decisions, "".join(f"{row}\n" for row in rows)))
    raise typer.Exit(outcome.exit_code)


def _none_if_stream(out: Path | None) -> Path | None:
    return None if out == Path(STREAM) else out


def _target(out: Path, file: str) -> Path:
    """Return where the result of one input goes: into `out` if that is a folder."""
    return out / ("stdin.txt" if file == STREAM else Path(file).name) if out.is_dir() else out


def _refuse_no_place(files: list[str], out: Path | None, decisions: Path | None, *, in_place: bool) -> None:
    """Raise a usage error if not everything has a place of its own to be written to."""
    if decisions == Path(STREAM):
        raise typer.BadParameter("--decisions - would mix with the articles on stdout: give a file")
    if in_place and decisions is not None:  # files must not change where what went cannot be told
        place = decisions if decisions.exists() else decisions.parent
        if not os.access(place, os.W_OK) or decisions.is_dir():
            raise typer.BadParameter(f"--decisions {decisions} cannot be written: choose another file")
    if in_place and STREAM in files:
        raise typer.BadParameter("--in-place needs files: stdin has no place to write to")
    if out is None or len(files) == 1:
        return
    if not out.is_dir():
        raise typer.BadParameter(f"{out} is not a folder: with several inputs, give -o an existing folder")
    name, inputs = Counter(Path(file).name for file in files).most_common(1)[0]
    if inputs > 1:
        raise typer.BadParameter(f"{inputs} inputs would go to {out / name}: clean them into different folders")


def _write(path: Path, text: str) -> None:
    from noisefilter.files import replace_file

    try:
        if path.exists() and not os.access(path, os.W_OK):  # a rename would not ask
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        replace_file(path, to_bytes(text))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}), nothing was changed: check that its folder exists, "
            "has room, and may be written to"
        ) from None


def _unified(file: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        _LINE.findall(before), _LINE.findall(after), f"a/{name_of(file)}", f"b/{name_of(file)}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
