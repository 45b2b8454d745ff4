"""``noisefilter model``: look at a model bundle, verify it, export it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from noisefilter.cli.options import AsJson, path_of
from noisefilter.cli.outcome import say, write_out
from noisefilter.cli.places import refuse_overwriting

app = typer.Typer(help="Look at a model bundle: info, verify, export.", no_args_is_help=True, rich_markup_mode=None)

Bundle = Annotated[
    Path | None,
    typer.Argument(parser=path_of, metavar="[MODEL]", help="A model bundle; by default the one that ships."),
]


@app.command()
def info(model: Bundle = None, as_json: AsJson = False) -> None:
    """Print the model card, or with --json the manifest; say on stderr what scores with it."""
    from noisefilter.bundle import load_model, read_manifest
    from noisefilter.kernel import Native, why_not

    if as_json:
        write_out(json.dumps(read_manifest(model), ensure_ascii=False, indent=1) + "\n")
    else:
        loaded = load_model(model)
        write_out(loaded.card)
        if isinstance(loaded.scorer, Native):
            say("the compiled kernel scores with this model")
        else:
            reason = why_not() or "the kernel takes no trees or curves as large as its"
            say(f"the reference scores with this model, slower, with the same decisions: {reason}")


@app.command()
def verify(model: Bundle = None) -> None:
    """Check digests, shapes and the self-test; exit 4 if the model is damaged, foreign or of another format."""
    from noisefilter.bundle import load_model

    load_model(model)
    write_out(f"{model or 'the default model'}: whole, and its self-test passes\n")


@app.command()
def export(
    out: Annotated[Path, typer.Option("-o", "--output", parser=path_of, metavar="FILE", help="Where the pickle goes.")],
    model: Bundle = None,
) -> None:
    """Write the fitted scikit-learn classifier as a joblib pickle, for your own use."""
    refuse_overwriting([out], [model])
    from noisefilter.bundle import export_pipeline, load_model

    export_pipeline(load_model(model, kernel=False), out)
    say(
        f"wrote {out}: a pickle runs code when it is loaded and fits only this scikit-learn; "
        "load it nowhere else, and pass on the bundle instead"
    )
