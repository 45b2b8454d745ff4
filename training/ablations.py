"""What each part of the recipe is worth: ``python training/ablations.py [NAME ...]``.

Every variant is fitted on three fifths of the training sites and held against the recipe as it stands on the other two
fifths: the difference of average precision and of noise recall where 1 % of the content is lost, with 95 % intervals
(paired bootstrap over articles). The authored test split and the sets that are only for evaluation have no part in it.
A fit takes some ten minutes; fits are kept in ``--cache`` under the name of the variant (empty it after you change
what one is), and ``--jobs`` of them run side by side.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmark.sets import TRAINING, training_articles
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.pipeline import make_pipeline

from noisefilter import classifier as stages
from noisefilter import training
from noisefilter.article import Label
from noisefilter.classifier import NoiseClassifier
from noisefilter.evaluation import average_precision, recall_at_loss
from noisefilter.features import CLASSES, PASTED, RELATIONS, SECOND_LOOK, WORDING
from noisefilter.labels import LabelledArticle
from noisefilter.lexical import LexicalFeatures
from noisefilter.look import Look
from noisefilter.sources import load_sources
from noisefilter.text import SHAPE_TERMS, lexical_tokens
from noisefilter.training import Recipe, load_recipe

LEARNT = 3
"""Of the recipe's five parts of sites, so many are learnt from; the others are tested on."""
RESAMPLES = 200
UNLIKELY = 0.02
CONTENT = CLASSES.index("content")
Articles = list[LabelledArticle]


@dataclass(frozen=True)
class Variant:
    """What is changed of the recipe, or of what it learns from.

    Attributes
    ----------
    settings : dict
        Parameters of the classifier.
    synthesis : dict
    hidden : callable
        Tells of a column's name whether the looks are kept from seeing it.
    lexical : type
        Stands in for `LexicalFeatures`.
    articles : callable
        What is learnt from, of the training articles, given the set of each and a way to score unseen sites.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    synthesis: dict[str, Any] = field(default_factory=dict)
    long_articles: float | None = None
    hidden: Callable[[str], bool] | None = None
    lexical: type[LexicalFeatures] = LexicalFeatures
    articles: Callable[[Articles, dict[str, str], Any], Articles] = lambda articles, *_: articles


class Hashed(LexicalFeatures):
    """Terms hashed into a table, no vocabulary kept."""

    bits = 18

    def _vectoriser(self, analyzer: Any, most: int) -> Any:
        table = HashingVectorizer(analyzer=analyzer, n_features=2**self.bits, norm=None, alternate_sign=False)
        return make_pipeline(table, TfidfTransformer(sublinear_tf=True))


class HashedSmall(Hashed):
    """The same into 65,536 rows."""

    bits = 16


class Shapeless(LexicalFeatures):
    """Words and pairs of words in lower case, without what case, cues and position tell."""

    def _words(self, text: str) -> list[str]:
        return [term for term in lexical_tokens(text) if not term.startswith((*SHAPE_TERMS, "UP:", "cue:"))]


class Blinkered(Look):
    """A look that does not see some of the columns."""

    hidden: tuple[int, ...] = ()

    def _seen(self, numbers: np.ndarray) -> np.ndarray:
        numbers = numbers.copy()
        numbers[:, [at for at in self.hidden if at < numbers.shape[1]]] = 0.0
        return numbers

    def fit(self, numbers: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Any:
        return super().fit(self._seen(numbers), labels, weights)

    def predict_proba(self, numbers: np.ndarray) -> np.ndarray:
        return super().predict_proba(self._seen(numbers))


class BlinkeredClassifier(NoiseClassifier):
    """Both looks blinkered alike."""

    hidden: tuple[int, ...] = ()

    def _blinkered(self, look: Look) -> Look:
        result = Blinkered(**look.get_params())
        result.hidden = type(self).hidden
        return result

    def first_look(self) -> Look:
        return self._blinkered(super().first_look())

    def second_look(self) -> Look:
        return self._blinkered(super().second_look())


def only(*names: str) -> Callable[..., Articles]:
    """Return a choice of the articles of these sets."""
    return lambda articles, source_of, _: [one for one in articles if source_of[one.id].startswith(names)]


def twice(*names: str) -> Callable[..., Articles]:
    """Return a choice in which the articles of these sets come twice."""
    return lambda articles, source_of, _: [
        *articles,
        *(replace(one, id=f"{one.id}+") for one in articles if source_of[one.id].startswith(names)),
    ]


def half(articles: Articles, *_: Any) -> Articles:
    """Return the articles of every other site."""
    return training._parts(articles, 2)[0]


def doubtful_left_out(articles: Articles, _: dict[str, str], unseen: Any) -> Articles:
    """Return the articles with labels taken away that a model of other sites holds for all but impossible."""
    scores = unseen(articles)
    result = []
    for one in articles:
        paragraphs = [
            paragraph
            if paragraph.label is Label.AMBIGUOUS or share[CLASSES.index(paragraph.label.value)] >= UNLIKELY
            else replace(paragraph, label=Label.AMBIGUOUS, kind=None)
            for paragraph, share in zip(one.paragraphs, scores[one.id], strict=True)
        ]
        result.append(replace(one, paragraphs=tuple(paragraphs)))
    return result


def hard_ones_twice(articles: Articles, _: dict[str, str], unseen: Any) -> Articles:
    """Return the articles, those twice whose content looks most like noise to a model of other sites."""
    scores = unseen(articles)

    def worst(one: LabelledArticle) -> float:
        content = [paragraph.label is Label.CONTENT for paragraph in one.paragraphs]
        return float(max((1 - scores[one.id][content, CONTENT]), default=0.0))

    hard = sorted(articles, key=lambda one: (-worst(one), one.id))[: len(articles) // 5]
    return [*articles, *(replace(one, id=f"{one.id}+") for one in hard)]


BESIDE = ("before", "after", "nearby", "both_sides", "previous", "next_")
VARIANTS: dict[str, Variant] = {
    "curves without bins": Variant({"first_rounds": 0, "second_rounds": 0, "first_c": 0.02, "second_c": 0.02}),
    "bins in the second look alone": Variant({"first_rounds": 0, "first_c": 0.02}),
    "half as many bins": Variant({"first_rounds": 30, "second_rounds": 50}),
    "no families of kinds": Variant(hidden=lambda name: name in WORDING),
    "nothing of the first look": Variant(hidden=lambda name: name.startswith("first_look:") or name in PASTED),
    "nothing of the neighbours": Variant(hidden=lambda name: any(part in name for part in BESIDE)),
    "no vouching": Variant(hidden=lambda name: name in (*RELATIONS, *PASTED)),
    "no names or numbers": Variant(hidden=lambda name: name.startswith(("names_", "numbers_"))),
    "words without shapes": Variant(lexical=Shapeless),
    "characters 2-3": Variant({"longest": 3}),
    "characters 2-5": Variant({"longest": 5}),
    "characters 3-4": Variant({"shortest": 3}),
    "characters 4": Variant({"shortest": 4}),
    "20,000 terms of each kind": Variant({"max_words": 20_000, "max_characters": 20_000}),
    "hashed, 2^18 rows": Variant(lexical=Hashed),
    "hashed, 2^16 rows": Variant(lexical=HashedSmall),
    "no made articles": Variant(synthesis={"copies": 0}),
    "no cleaned articles": Variant(synthesis={"cleaned": 0.0}),
    "inserts of other topics alone": Variant(synthesis={"same_topic": 0.0}),
    "paragraphs weigh alike": Variant(long_articles=0.0),
    "articles weigh alike": Variant(long_articles=1.0),
    "half the articles": Variant(articles=half),
    "authored alone": Variant(articles=only("authored")),
    "without the authored": Variant(articles=only("andy", "wcxb")),
    "without wcxb": Variant(articles=only("authored", "andy")),
    "public pages twice": Variant(articles=twice("andy", "wcxb")),
    "doubtful labels left out": Variant(articles=doubtful_left_out),
    "hard articles twice": Variant(articles=hard_ones_twice),
}


def main() -> None:
    """Fit the variants named (by default all) and print what each is worth, as Markdown."""
    parser = argparse.ArgumentParser(prog="ablations", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"of: {'; '.join(VARIANTS)}")
    parser.add_argument("--cache", type=Path, default=Path(".benchmark"), help="folder where fits are kept")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(VARIANTS))
    if unknown:
        parser.error(f"unknown variant {unknown[0]!r}: use {'; '.join(VARIANTS)}")
    folder = os.environ.get("NOISEFILTER_DATA")
    articles, source_of = training_articles(Path(folder) if folder else None)
    say_what_is_left_out(source_of)
    articles = sorted(articles, key=lambda article: (article.site, article.id))
    recipe = load_recipe(TRAINING / "recipe.toml")
    parts = training._parts(articles, recipe.calibration.folds)
    learnt, held = ([one for part in some for one in part] for some in (parts[:LEARNT], parts[LEARNT:]))
    scores = training.kept_in(options.cache).cache(scored)
    names = [None, *(options.names or VARIANTS)]
    results = Parallel(n_jobs=options.jobs, return_as="generator")(
        delayed(scores)(name, learnt, held, source_of, recipe) for name in names
    )
    base = next(results)
    print(f"Fitted on {len(learnt)} articles, tested on {len(held)} from other sites.\n")
    header = ["variant", *(f"{name}: {figure}" for name in ("authored", "andy", "wcxb") for figure in ("AP", "R1"))]
    print("|".join(["", *header, ""]), "|".join(["", "---", *["--:"] * (len(header) - 1), ""]), sep="\n")
    print("|".join(["", "the recipe", *_cells(base, None, held, source_of), ""]))
    for name, result in zip(names[1:], results, strict=True):
        print("|".join(["", str(name), *_cells(result, base, held, source_of), ""]), flush=True)


def say_what_is_left_out(source_of: dict[str, str]) -> None:
    """Name on stderr the public sets that would be learnt from, but are not there."""
    found = set(source_of.values())
    for source in load_sources(TRAINING / "sources.toml"):
        if source.use == "train" and source.name not in found:
            print(f"left out: {source.name} (no {source.file}; set NOISEFILTER_DATA)", file=sys.stderr)


def scored(
    name: str | None, learnt: Articles, held: Articles, source_of: dict[str, str], recipe: Recipe
) -> list[np.ndarray]:
    """Fit a variant and return the noise probability of each paragraph of the articles held aside."""
    variant = VARIANTS[name] if name else Variant()

    def unseen(articles: Articles) -> dict[str, np.ndarray]:
        halves = training._parts(articles, 2)
        models = [_fitted(Variant(), half, recipe) for half in halves]
        return {
            one.id: model.score_article(one.article)
            for model, half in zip(reversed(models), halves, strict=True)
            for one in half
        }

    model = _fitted(variant, variant.articles(learnt, source_of, unseen), recipe)
    return [1 - model.score_article(one.article)[:, CONTENT] for one in held]


def _fitted(variant: Variant, articles: Sequence[LabelledArticle], recipe: Recipe) -> NoiseClassifier:
    """Fit a variant; its parts stand in for ours meanwhile, so it runs in a process of its own."""
    hidden = variant.hidden
    BlinkeredClassifier.hidden = tuple(at for at, name in enumerate(SECOND_LOOK) if hidden and hidden(name))
    before = training.NoiseClassifier, stages.LexicalFeatures
    training.NoiseClassifier, stages.LexicalFeatures = BlinkeredClassifier, variant.lexical
    try:
        return training._fit(
            list(articles),
            {**recipe.classifier, **variant.settings},
            replace(recipe.synthesis, **variant.synthesis),
            recipe.long_articles if variant.long_articles is None else variant.long_articles,
        )
    finally:
        training.NoiseClassifier, stages.LexicalFeatures = before


def _cells(
    result: list[np.ndarray], base: list[np.ndarray] | None, held: Articles, source_of: dict[str, str]
) -> list[str]:
    """Return average precision and recall at 1 % loss on each set, or how they differ from the recipe's."""
    cells = []
    for name in ("authored", "andy", "wcxb"):
        chosen = [at for at, one in enumerate(held) if source_of[one.id].startswith(name)]
        if not chosen:
            cells += ["–", "–"]
            continue
        truth = [np.array([p.label.is_noise for p in held[at].paragraphs if p.scored]) for at in chosen]
        scored_ones = [np.array([p.scored for p in held[at].paragraphs]) for at in chosen]
        ours = [result[at][keep] for at, keep in zip(chosen, scored_ones, strict=True)]
        theirs = [base[at][keep] for at, keep in zip(chosen, scored_ones, strict=True)] if base else None
        chance = np.random.default_rng(0)
        picks = [np.arange(len(chosen)), *(chance.integers(0, len(chosen), len(chosen)) for _ in range(RESAMPLES))]
        for measure in (average_precision, lambda n, p: recall_at_loss(0.01, n, p)):
            values = [_measured(measure, truth, ours, pick) for pick in picks]
            if theirs is None:
                low, high = np.quantile(values[1:], [0.025, 0.975])
                cells.append(f"{values[0]:.3f} ({low:.3f}–{high:.3f})")
            else:
                values = [value - _measured(measure, truth, theirs, p) for value, p in zip(values, picks, strict=True)]
                low, high = np.quantile(values[1:], [0.025, 0.975])
                cells.append(f"{values[0]:+.3f} ({low:+.3f} to {high:+.3f})")
    return cells


def _measured(measure: Any, truth: list[np.ndarray], shares: list[np.ndarray], pick: np.ndarray) -> float:
    return float(measure(np.concatenate([truth[at] for at in pick]), np.concatenate([shares[at] for at in pick])))


if __name__ == "__main__":
    main()
