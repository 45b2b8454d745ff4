"""``noisefilter labels``: check, count and split labelled articles."""

from pathlib import Path
from typing import Annotated

import typer

from noisefilter.cli.options import AsJson, Labels, number, path_of
from noisefilter.cli.outcome import say, write_out
from noisefilter.cli.places import refuse_overwriting
from noisefilter.errors import ExitCode

app = typer.Typer(help="Labelled articles: check, stats, split.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(labels: Labels) -> None:
    """Check schema, labels, kinds, and that splits share nothing; exit 3 if anything is wrong."""
    from noisefilter.labels import check_labels

    articles, problems = check_labels(labels)
    for problem in problems:
        write_out(f"{problem}\n")
    paragraphs = sum(len(article.paragraphs) for article in articles)
    wrong = "1 problem" if len(problems) == 1 else f"{len(problems) or 'no'} problems"
    say(f"{len(articles)} articles, {paragraphs} paragraphs, {wrong}")
    raise typer.Exit(ExitCode.SOME_FAILED if problems else ExitCode.NOTHING_TO_DO)


@app.command()
def stats(labels: Labels, as_json: AsJson = False) -> None:
    """Count articles, sites, topics, labels and kinds."""
    import json

    from noisefilter.labels import label_stats, read_labels

    table = label_stats(read_labels(labels))
    if as_json:
        write_out(json.dumps(table, ensure_ascii=False, indent=1) + "\n")
        return
    for heading, value in table.items():
        if isinstance(value, dict):
            write_out(f"\n{heading}\n")
            for name, count in value.items():
                write_out(f"  {name:<40} {count:>7}\n")
        else:
            write_out(f"{heading:<42} {value:>7}\n")


@app.command()
def split(
    labels: Labels,
    out: Annotated[
        Path,
        typer.Option("-o", "--output", parser=path_of, metavar="FOLDER", help="Gets train.jsonl and test.jsonl."),
    ],
    test_share: Annotated[
        float, typer.Option("--test-share", min=0.01, max=0.99, callback=number, help="Share of the sites.")
    ] = 0.2,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another split.")] = 0,
) -> None:
    """Split articles into train and test, a site on one side only; the same split every time."""
    from noisefilter.errors import LabelError
    from noisefilter.files import replace_file
    from noisefilter.labels import split_lines

    file_of = {side: out / f"{side}.jsonl" for side in ("train", "test")}
    refuse_overwriting(file_of.values(), labels)
    sides = split_lines(labels, test_share, seed)
    for side, lines in sides.items():
        if not lines:
            raise LabelError(f"no site fell to {side}: try another --seed or --test-share, or label more sites")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for side, lines in sides.items():
            replace_file(file_of[side], "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise LabelError(f"{out}: cannot be written ({error.strerror}): choose another -o") from None
    say(", ".join(f"{name}: {len(lines)} articles" for name, lines in sides.items()))
