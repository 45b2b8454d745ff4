"""The command line: one verb a file, heavy imports inside the verbs, exit codes in one place."""

import io
import sys
from typing import Annotated

try:
    import typer

    from noisefilter.cli import check, clean, evaluate, explain, labels, model, train
    from noisefilter.cli.outcome import fail, let_go, open_streams, stoppable
    from noisefilter.errors import NoisefilterError, RunError
except KeyboardInterrupt:
    sys.exit(130)  # Ctrl-C, before anything was begun

app = typer.Typer(
    name="noisefilter",
    help="Find and drop the paragraphs of a scraped article that do not belong to it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing to do, 1 noise found or files changed, 2 usage, 3 some inputs could not be "
    "processed, 4 model missing or damaged, 5 quality floor broken.",
)
app.command("clean")(clean.clean)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(labels.app, name="labels")
app.add_typer(model.app, name="model")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"noisefilter {metadata.version('noisefilter')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None: ...


def main() -> None:
    """Run the command line; what is wrong with the input ends as one line on stderr and an exit code."""
    with stoppable():
        open_streams()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a table of an article's words must not fail on a narrow terminal
        _run()


def _run() -> None:
    try:
        app()
    except NoisefilterError as error:
        sys.exit(fail(error))
    except MemoryError:
        sys.exit(fail(RunError("there is not enough memory: take fewer jobs, or smaller inputs")))
    except OSError as error:  # what no verb expects: a name that is too long, a full stdout under --help
        where = f"{error.filename}: cannot be used" if error.filename is not None else "the system ended the run"
        code = fail(RunError(f"{where} ({error.strerror}): check that the path is valid, and that no disk is full"))
        let_go(sys.stdout)
        sys.exit(code)
