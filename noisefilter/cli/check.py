"""``noisefilter check``: say what would go, write nothing."""

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
)
from noisefilter.cli.outcome import STREAM, Outcome, guarded, write_out
from noisefilter.cli.places import inputs_of
from noisefilter.policy import DEFAULT_CAP, DEFAULT_LOSS_BUDGET


def check(
    files: Files = None,
    loss_budget: LossBudget = DEFAULT_LOSS_BUDGET,
    model: ModelPath = None,
    rules: RulesPath = None,
    cap: Cap = DEFAULT_CAP,
    form: Format = None,
    text_field: TextField = "text",
    title_field: TitleField = "title",
    id_field: IdField = "id",
    jobs: Jobs = 1,
) -> None:
    """List the paragraphs that would be dropped, file:line; exit 1 if there are any."""
    inputs = inputs_of(files or [STREAM], form)
    inputs.tell_left_out()
    from noisefilter.bulk import BatchCleaner
    from noisefilter.cli.cleaning import cleaner_of
    from noisefilter.cli.decisions import findings
    from noisefilter.cli.places import Input
    from noisefilter.cli.run import running, runs_of
    from noisefilter.records.record import Fields

    cleaner = BatchCleaner(cleaner_of(model, loss_budget, cap, rules), describe=findings)
    fields = Fields(text_field, title_field, id_field)
    outcome = Outcome()
    with running(cleaner, inputs.items, fields, outcome, OnError.SKIP, jobs) as run:

        def records(item: Input) -> None:
            with run.records(item) as (_, _, batches):
                for batch in batches:
                    outcome.found += batch.changed
                    write_out(batch.notes)

        for is_text, items in runs_of(inputs.items):
            if not is_text:
                guarded(outcome, lambda item=items[0]: records(item))  # type: ignore[misc]
                continue
            for batch in run.texts(items):
                outcome.found += batch.changed
                write_out(batch.notes)
    raise typer.Exit(outcome.exit_code)
