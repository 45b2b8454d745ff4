"""``noisefilter train``: labelled articles to a model bundle."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisefilter.cli.options import Jobs, Labels, path_of
from noisefilter.cli.outcome import say, tables
from noisefilter.cli.places import refuse_overwriting

if TYPE_CHECKING:
    from noisefilter.labels import LabelledArticle
    from noisefilter.sources import Source
    from noisefilter.training import Recipe


def train(
    labels: Labels,
    out: Annotated[
        Path, typer.Option("-o", "--output", parser=path_of, metavar="MODEL", help="Where the model bundle goes.")
    ],
    test: Annotated[
        list[Path] | None,
        typer.Option("--test", parser=path_of, metavar="LABELS", help="Label files to test on; never trained on."),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe", parser=path_of, metavar="RECIPE", help="A recipe.toml; by default the built-in settings."
        ),
    ] = None,
    jobs: Jobs = 1,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", parser=path_of, metavar="FOLDER", help="Keep fits here and do none twice."),
    ] = None,
) -> None:
    """Train a model, find its thresholds, test it, and write the bundle with its card."""
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is not a folder: make it, or choose another -o")
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder: give -o a file, for example {out / 'my.noisefilter'}")
    refuse_overwriting([out], [*labels, *(test or []), recipe])
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from noisefilter.bundle import from_bytes, save_model, to_bytes
    from noisefilter.calibration import articles_needed
    from noisefilter.card import write_card
    from noisefilter.cleaner import NoiseFilter
    from noisefilter.cli.figures import show_figures
    from noisefilter.evaluation import evaluate, plain_figures, realise
    from noisefilter.labels import refuse_overlap
    from noisefilter.policy import DEFAULT_LOSS_BUDGET
    from noisefilter.training import Recipe, load_recipe, train_in_folds

    settings = load_recipe(recipe) if recipe else Recipe()
    data = _gathered(labels, test or [], settings)
    articles, tests = data.articles, data.tests
    for name, held in tests.items():
        refuse_overlap(articles, held, name)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("fitting", total=None)
        trained = train_in_folds(
            articles,
            settings,
            jobs=jobs,
            cache=cache,
            progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            sources=data.about,
            uncalibrated=data.uncalibrated,
        )
    model = from_bytes(to_bytes(trained.model), "the new model")
    folds_as_saved = [(from_bytes(to_bytes(fold), "a fold"), part) for fold, part in trained.folds]
    results = {name: evaluate(NoiseFilter(model), held, jobs=jobs) for name, held in tests.items()}
    realised = {name: realise([(model, held)], jobs=jobs) for name, held in tests.items()}
    for name in dict.fromkeys(data.set_of.values()):
        folds = [(fold, [one for one in part if data.set_of[one.id] == name]) for fold, part in folds_as_saved]
        realised[f"{name}, by site"] = realise(folds, jobs=jobs)
    metrics = {name: plain_figures(result.figures) for name, result in results.items()}
    model = replace(model, card=write_card(model, results, realised), about={**model.about, "metrics": metrics})
    save_model(model, out)
    with tables(200) as out_console:
        for name, result in results.items():
            title = f"{name}: {result.articles} articles, {result.paragraphs} paragraphs"
            show_figures(title, result.figures, out_console)
    smallest = model.budgets.rows[0].budget
    if smallest > DEFAULT_LOSS_BUDGET:
        say(
            f"the smallest loss budget that {model.about['calibrated_on']} articles can promise is {smallest:g}; "
            f"at the default of {DEFAULT_LOSS_BUDGET:g} this model drops nothing: label at least "
            f"{articles_needed(DEFAULT_LOSS_BUDGET)} articles, or clean with --loss-budget {smallest:g}"
        )
    say(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)")


@dataclass
class _Data:
    """What there is to learn from and to test on.

    Attributes
    ----------
    articles : list of LabelledArticle
    set_of : dict of str to str
        The set of each of them, by its id.
    uncalibrated : set of str
        Ids of those that no thresholds are found on.
    about : list of dict
        What the manifest says of each set.
    tests : dict of str to list of LabelledArticle
    """

    articles: "list[LabelledArticle]" = field(default_factory=list)
    set_of: dict[str, str] = field(default_factory=dict)
    uncalibrated: set[str] = field(default_factory=set)
    about: list[dict[str, Any]] = field(default_factory=list)
    tests: "dict[str, list[LabelledArticle]]" = field(default_factory=dict)

    def learn(self, name: str, articles: "list[LabelledArticle]", about: dict[str, Any]) -> None:
        self.articles += articles
        self.set_of |= {article.id: name for article in articles}
        self.about.append(about)


def _gathered(labels: list[Path], test: list[Path], settings: "Recipe") -> _Data:
    from noisefilter.labels import read_labels

    data = _Data(tests={path.name: read_labels([path]) for path in test})
    if len(data.tests) < len(test):
        raise typer.BadParameter("two --test files have the same name: rename one")
    for path in labels:
        found = read_labels([path])
        data.learn(path.name, found, _described(path, found))
    for source, found in _public(settings):
        if source.use == "evaluate":
            data.tests[source.name] = found
            continue
        data.learn(source.name, found, _public_described(source, found))
        if not source.calibrate:
            data.uncalibrated |= {article.id for article in found}
    return data


def _public(settings: "Recipe") -> Iterator[tuple["Source", "list[LabelledArticle]"]]:
    """Read the public sets of the recipe that have labels for our classes; say which are left out."""
    from noisefilter.sources import load_sources, read_source

    folder = os.environ.get("NOISEFILTER_DATA")
    for source in load_sources(settings.sources) if settings.sources else ():
        if not source.labelled:
            continue
        found = read_source(source, Path(folder)) if folder else None
        if found is None:
            say(f"left out: {source.name} (no {source.file} in {folder or 'NOISEFILTER_DATA, which is not set'})")
        else:
            yield source, found


def _public_described(source: "Source", articles: "list[LabelledArticle]") -> dict[str, Any]:
    return {
        "name": source.name,
        "articles": len(articles),
        "licence": source.licence,
        "sha256": source.sha256,
        "attribution": source.attribution,
        "annotations": {path.name: _digest(path) for path in source.annotations},
    }


def _described(path: Path, articles: "list[LabelledArticle]") -> dict[str, Any]:
    from noisefilter.labels import licence_of

    return {"name": path.name, "articles": len(articles), "licence": licence_of(path), "sha256": _digest(path)}


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
