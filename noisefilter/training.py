"""Recipe and labelled articles to a model: fit, calibrate out of fold, write the card."""

import hashlib
import math
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory, Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from noisefilter.article import Article, Label
from noisefilter.calibration import Outcomes, articles_needed
from noisefilter.classifier import NoiseClassifier
from noisefilter.context import in_context
from noisefilter.errors import LabelError, RecipeError
from noisefilter.features import CLASSES
from noisefilter.labels import LabelledArticle
from noisefilter.language import CommonWords
from noisefilter.model import Model
from noisefilter.policy import LossBudgets
from noisefilter.reference import Reference
from noisefilter.synthesis import Synthesis, synthesise

_LIKELY = 0.5

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How thresholds are found.

    Attributes
    ----------
    folds : int
        Out-of-fold parts; a site is in one of them.
    budgets : tuple of float
        Loss budgets of the table.
    resamples : int
        Bootstrap resamples (over sites) for the interval of the realised loss.
    """

    folds: int = 5
    budgets: tuple[float, ...] = (0.001, 0.002, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1)
    resamples: int = 1000


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a model besides the labelled articles.

    Attributes
    ----------
    classifier : mapping
        Parameters of `NoiseClassifier`.
    synthesis : Synthesis
    calibration : Calibration
    language : str
    sources : Path or None
        The registry of public sets that join the training where they are present.
    long_articles : float
        A paragraph weighs its article's length to minus this power: at 0 paragraphs count alike, at 1 articles do.
    """

    classifier: Mapping[str, Any] = field(default_factory=dict)
    synthesis: Synthesis = field(default_factory=Synthesis)
    calibration: Calibration = field(default_factory=Calibration)
    language: str = "en"
    long_articles: float = 0.5
    sources: Path | None = None


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from TOML.

    Raises
    ------
    RecipeError
        If it cannot be read or names a setting that does not exist.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror}): check its path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not TOML ({error}): correct it") from None
    known = {
        "classifier": set(NoiseClassifier().get_params()),
        "synthesis": {entry.name for entry in fields(Synthesis)},
        "calibration": {entry.name for entry in fields(Calibration)},
    }
    names = [entry.name for entry in fields(Recipe)]
    for name, value in table.items():
        if name not in names:
            raise RecipeError(f"{path}: unknown setting {name!r}: use {', '.join(names)}")
        if name in known and not isinstance(value, dict):
            raise RecipeError(f"{path}: {name} is not a table: write [{name}] and its settings below")
        for setting in sorted(set(value) - known[name]) if name in known else ():
            raise RecipeError(f"{path}: unknown setting {name}.{setting}: use {', '.join(sorted(known[name]))}")
    try:
        _check_types(table)
        default, calibration = Recipe(), dict(table.get("calibration", {}))
        if "budgets" in calibration:
            calibration["budgets"] = tuple(sorted(map(float, calibration["budgets"])))
        return Recipe(
            classifier=dict(table.get("classifier", {})),
            synthesis=Synthesis(**table.get("synthesis", {})),
            calibration=Calibration(**calibration),
            language=table.get("language", default.language),
            long_articles=float(table.get("long_articles", default.long_articles)),
            sources=path.parent / table["sources"] if "sources" in table else None,
        )
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{path}: {error}: correct the value") from None


def _check_types(table: Mapping[str, Any]) -> None:
    """Raise a ValueError if a setting is not of its default's type."""
    defaults = {
        "classifier": NoiseClassifier().get_params(),
        "synthesis": asdict(Synthesis()),
        "calibration": {name: value for name, value in asdict(Calibration()).items() if name != "budgets"},
    }
    for name, settings in defaults.items():
        for setting, default in settings.items():
            value = table.get(name, {}).get(setting, default)
            if not _is_number(value) or (isinstance(default, int) and not isinstance(value, int)) or value < 0:
                raise ValueError(f"{name}.{setting} is {value!r}, but it is a number like {default}")
    for name in ("classifier", "calibration"):
        if table.get(name, {}).get("folds", 2) < 2:
            raise ValueError(f"{name}.folds is below 2")
    budgets = table.get("calibration", {}).get("budgets", [1.0])
    if not isinstance(budgets, list) or not budgets or not all(_is_number(b) and 0 < b <= 1 for b in budgets):
        raise ValueError("calibration.budgets is not a list of shares between 0 and 1, for example [0.01, 0.02]")
    for name in ("language", "sources"):
        if not isinstance(table.get(name, ""), str):
            raise ValueError(f"{name} is {table[name]!r}, but it is a string")
    long_articles = table.get("long_articles", Recipe().long_articles)
    if not _is_number(long_articles) or not 0 <= long_articles <= 1:
        raise ValueError(f"long_articles is {long_articles!r}, but it is a number between 0 and 1")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Trained:
    """A model, and what tells how it does on its own training articles.

    Attributes
    ----------
    model : Model
    folds : sequence of (Model, sequence of LabelledArticle)
        For each part of the sites, its articles and a model that knows nothing of them: fitted on the other
        parts, its thresholds found on the other parts.
    """

    model: Model
    folds: Sequence[tuple[Model, Sequence[LabelledArticle]]]


def train(articles: Sequence[LabelledArticle], recipe: Recipe | None = None, **options: Any) -> Model:
    """Return the model of `train_in_folds`, which tells the parameters."""
    return train_in_folds(articles, recipe, **options).model


def train_in_folds(
    articles: Sequence[LabelledArticle],
    recipe: Recipe | None = None,
    *,
    jobs: int = 1,
    cache: Path | None = None,
    progress: Progress | None = None,
    sources: Sequence[Mapping[str, Any]] = (),
    uncalibrated: Collection[str] = (),
) -> Trained:
    """Fit a model and find its thresholds on articles from sites that the fit did not see.

    Parameters
    ----------
    articles : sequence of LabelledArticle
        Their order makes no difference.
    recipe : Recipe, optional
    jobs : int
        Processes; the result does not depend on it.
    cache : path, optional
        Folder where fits are kept (joblib), so that the same one is not done twice.
    progress : callable
    sources : sequence of mapping
        What the manifest says of the training data.
    uncalibrated : collection of str
        Ids of articles that are learnt from, but are not of the kind that a loss budget is promised for.

    Raises
    ------
    LabelError
        If a class is missing, or there are too few sites to calibrate on.
    """
    recipe = recipe or Recipe()
    articles = sorted(articles, key=lambda article: (article.site, article.id))
    present = {paragraph.label for article in articles for paragraph in article.paragraphs}
    missing = [label for label in (Label.CONTENT, Label.BOILERPLATE, Label.OFF_TOPIC) if label not in present]
    if missing:
        raise LabelError(f"no paragraph is labelled {' or '.join(missing)}: label some, all three classes are needed")
    parts = _parts(articles, recipe.calibration.folds)
    fit = kept_in(cache).cache(_fit) if cache else _fit
    tasks = [[article for other in parts if other is not part for article in other] for part in parts]
    tasks.append(list(articles))
    for task in tasks:
        labels = {paragraph.label for article in task for paragraph in article.paragraphs}
        if not {Label.CONTENT, Label.BOILERPLATE, Label.OFF_TOPIC} <= labels:
            raise LabelError(
                "the sites are too few to calibrate on: label more sites, each class on two or more of them"
            )
    _refuse_too_few(parts, uncalibrated, max(recipe.calibration.budgets))
    fitted = []
    if progress:
        progress("fitting", 0, len(tasks))
    settings = recipe.classifier, recipe.synthesis, recipe.long_articles
    for classifier in Parallel(n_jobs=jobs, return_as="generator")(delayed(fit)(task, *settings) for task in tasks):
        fitted.append(classifier)
        if progress:
            progress("fitting", len(fitted), len(tasks))
    answers = [
        _answers(classifier, [article for article in part if article.id not in uncalibrated])
        for classifier, part in zip(fitted, parts, strict=False)
    ]
    budgets = _calibrate(answers, recipe)
    about = {
        "language": recipe.language,
        "recipe": _plain(asdict(replace(recipe, sources=None))),
        "training_data": list(sources),
        "training_digest": _digest(articles),
        "articles": len(articles),
        "calibrated_on": sum(map(len, answers)),
        "paragraphs": sum(len(article.paragraphs) for article in articles),
        "sites": len({article.site for article in articles}),
    }
    folds = []
    for at, part in enumerate(parts):
        common = CommonWords.learn(article.article for article in tasks[at])
        found = _calibrate([*answers[:at], *answers[at + 1 :]], recipe, resamples=1)
        folds.append((Model(Reference(fitted[at], common), common, found, about), part))
    common = CommonWords.learn(article.article for article in articles)
    return Trained(Model(Reference(fitted[-1], common), common, budgets, about), folds)


def kept_in(folder: Path) -> Memory:
    """Return what keeps fits in a folder: each state of this package's code has its own, since it fits differently."""
    code = b"\0".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return Memory(folder / hashlib.sha256(code).hexdigest()[:16], verbose=0)


def _fit(
    articles: Sequence[LabelledArticle], parameters: Mapping[str, Any], synthesis: Synthesis, long_articles: float
) -> NoiseClassifier:
    """Fit the classifier on labelled articles and on those made from them."""
    made = synthesise(articles, synthesis)
    samples, labels, kinds, groups, weights, natural = [], [], [], [], [], []
    sizes = [len(article.paragraphs) for article in (*articles, *made)]
    usual = float(np.mean(sizes))
    for at, labelled in enumerate((*articles, *made)):
        for sample, paragraph in zip(in_context([labelled.article]), labelled.paragraphs, strict=True):
            if paragraph.label is Label.AMBIGUOUS:
                continue
            samples.append(sample)
            labels.append(paragraph.label.value)
            kinds.append(paragraph.kind)
            groups.append(labelled.site)
            weights.append((usual / len(labelled.paragraphs)) ** long_articles)
            natural.append(at < len(articles))
    try:
        with threadpool_limits(limits=1):
            return NoiseClassifier(**parameters).fit(
                samples, labels, kinds=kinds, groups=groups, sample_weight=weights, natural=natural
            )
    except ValueError as error:
        what = " ".join(str(error).split())[:160]
        raise LabelError(f"too few labels for this recipe ({what}): label articles of more sites") from None


def _parts(articles: Sequence[LabelledArticle], count: int) -> list[list[LabelledArticle]]:
    """Return the articles in parts of about the same size; a site is in one of them."""
    sites = sorted(
        {article.site for article in articles},
        key=lambda site: hashlib.sha256(site.encode("utf-8", "surrogatepass")).digest(),
    )
    part = {site: at % count for at, site in enumerate(sites)}
    parts = [[article for article in articles if part[article.site] == at] for at in range(count)]
    if len(sites) < 2:
        raise LabelError(
            "all articles are from one site: label articles of at least two sites (site_style, domain or source)"
        )
    return [articles_of for articles_of in parts if articles_of]


def _refuse_too_few(parts: Sequence[Sequence[LabelledArticle]], uncalibrated: Collection[str], budget: float) -> None:
    """Raise a LabelError if thresholds for `budget` cannot be found where any one of the parts is left out."""
    found = [
        sum(
            article.id not in uncalibrated and any(p.scored and not p.label.is_noise for p in article.paragraphs)
            for article in part
        )
        for part in parts
    ]
    needed, fewest = articles_needed(budget), sum(found) - max(found)
    if fewest < needed:
        raise LabelError(
            f"too few articles to promise a loss budget of {budget:g}: {needed} must be left when a part of the sites "
            f"is set aside, and {fewest} are: label more articles, of more sites"
        )


@dataclass(frozen=True)
class _Answer:
    """What a classifier says of one article from a site that it has not seen; arrays of shape (n_scored,)."""

    site: str
    noise_probability: NDArray[np.float64]
    is_noise: NDArray[np.bool_]


def _answers(classifier: NoiseClassifier, articles: Sequence[LabelledArticle]) -> list[_Answer]:
    result = []
    for labelled in articles:
        scored = np.array([paragraph.scored for paragraph in labelled.paragraphs], dtype=bool)
        truth = np.array([paragraph.label.is_noise for paragraph in labelled.paragraphs], dtype=bool)
        shares = _highest_noise(classifier, labelled.article)
        result.append(_Answer(labelled.site, shares[scored], truth[scored]))
    return result


def _calibrate(answers: Sequence[Sequence[_Answer]], recipe: Recipe, resamples: int | None = None) -> LossBudgets:
    """Find the threshold of each budget from the answers of classifiers that did not see the article's site."""
    rows = [answer for part in answers for answer in part]
    if not rows:
        return LossBudgets(())
    sites: dict[str, int] = {}
    site = [sites.setdefault(row.site, len(sites)) for row in rows]
    sizes = [len(row.is_noise) for row in rows]
    outcomes = Outcomes(
        np.concatenate([row.noise_probability for row in rows]),
        np.concatenate([row.is_noise for row in rows]),
        np.repeat(np.arange(len(rows)), sizes),
        np.repeat(site, sizes),
    )
    return outcomes.budgets(recipe.calibration.budgets, resamples or recipe.calibration.resamples)


def _highest_noise(classifier: NoiseClassifier, article: Article) -> NDArray[np.float64]:
    """Return the noise probability of each paragraph, shape (n_paragraphs,): as it stands, or when most noise is gone.

    Cleaning looks again at what it leaves, so the higher of the two is what a paragraph has to survive.
    """
    content = CLASSES.index(Label.CONTENT.value)
    shares: NDArray[np.float64] = 1 - classifier.score_article(article)[:, content]
    left = np.flatnonzero(shares < _LIKELY)
    shares[left] = np.maximum(shares[left], 1 - classifier.score_article(article.subset(left.tolist()))[:, content])
    return shares


def _digest(articles: Sequence[LabelledArticle]) -> str:
    digest = hashlib.sha256()
    for article in articles:
        digest.update(repr((article.id, article.title, article.site, article.topic, article.paragraphs)).encode())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
