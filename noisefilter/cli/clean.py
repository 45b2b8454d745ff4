"""``noisefilter clean``: write articles without their noise."""

from pathlib import Path
from typing import Annotated

import typer

from noisefilter.cli.options import (
    Cap,
    Files,
    Format,
    IdField,
    Jobs,
    LossBudget,
    ModelPath,
    OnError,
    RulesPath,
    TextField,
    TitleField,
    path_of,
)
from noisefilter.cli.outcome import STREAM, Outcome
from noisefilter.cli.places import inputs_of, refuse_no_place
from noisefilter.policy import DEFAULT_CAP, DEFAULT_LOSS_BUDGET
from noisefilter.records.formats import Form


def clean(
    files: Files = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            parser=path_of,
            metavar="OUT",
            help="A file; with several inputs, a folder. Default: stdout.",
        ),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Change the files; exit 1 if any changed.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what would change; write nothing else.")] = False,
    decisions: Annotated[
        Path | None,
        typer.Option("--decisions", parser=path_of, metavar="FILE", help="Write every decision there, as JSON lines."),
    ] = None,
    loss_budget: LossBudget = DEFAULT_LOSS_BUDGET,
    model: ModelPath = None,
    rules: RulesPath = None,
    cap: Cap = DEFAULT_CAP,
    form: Format = None,
    text_field: TextField = "text",
    title_field: TitleField = "title",
    id_field: IdField = "id",
    keep_dropped: Annotated[
        str | None,
        typer.Option("--keep-dropped", metavar="FIELD", help="Put what was removed from a record there, as a list."),
    ] = None,
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="A broken record passes through, is left out, or ends the run.")
    ] = OnError.KEEP,
    jobs: Jobs = 1,
) -> None:
    """Write articles without the paragraphs that do not belong."""
    if sum((out is not None, in_place, diff)) > 1:
        raise typer.BadParameter("use one of -o, --in-place and --diff")
    out = None if out == Path(STREAM) else out
    inputs = inputs_of(files or [STREAM], form, out)
    refuse_no_place(inputs, out, decisions, (model, rules), in_place=in_place, diff=diff)
    if keep_dropped in (text_field, title_field, id_field):
        raise typer.BadParameter(f"--keep-dropped {keep_dropped} is a field that is read: give one of its own")
    if keep_dropped is not None and not keep_dropped.isprintable():
        raise typer.BadParameter(f"--keep-dropped {keep_dropped!r} is no name of a field: give one that can be read")
    if keep_dropped is not None and {item.form for item in inputs.items if item.problem is None} == {Form.TEXT}:
        raise typer.BadParameter("--keep-dropped needs records: text files have no fields, use --decisions")
    inputs.tell_left_out()
    from noisefilter.bulk import BatchCleaner
    from noisefilter.cli.cleaning import cleaner_of
    from noisefilter.cli.decisions import decisions_as_json
    from noisefilter.cli.notes import noting
    from noisefilter.cli.results import Results
    from noisefilter.cli.run import running
    from noisefilter.records.record import Fields

    cleaner = BatchCleaner(
        cleaner_of(model, loss_budget, cap, rules),
        skip=on_error is OnError.SKIP,
        describe=decisions_as_json if decisions is not None else None,
    )
    fields = Fields(text_field, title_field, id_field, keep_dropped)
    outcome = Outcome()
    with (
        running(cleaner, inputs.items, fields, outcome, on_error, jobs, prints=out is None and not in_place) as run,
        noting(decisions, outcome, needed=in_place) as note,
    ):
        Results(run, inputs, out, in_place, diff, note).write()
    raise typer.Exit(outcome.exit_code)
