import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

import noisefilter as nf
from noisefilter import training
from noisefilter.article import Label
from noisefilter.bundle import to_bytes
from noisefilter.card import write_card
from noisefilter.errors import ExitCode, LabelError, RecipeError
from noisefilter.evaluation import Figure, Realised, evaluate
from noisefilter.synthesis import Synthesis
from noisefilter.training import Calibration, Recipe, load_recipe, train, train_in_folds


@pytest.fixture
def recipe_of(tmp_path):
    def load(text):
        path = tmp_path / "recipe.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_recipe(path)

    return load


def test_order_and_jobs_make_no_difference(tiny_model, labelled, tiny_recipe):
    shuffled = list(labelled)
    random.Random(3).shuffle(shuffled)
    assert to_bytes(train(shuffled, tiny_recipe, jobs=2)) == to_bytes(tiny_model)


def test_a_cached_fit_is_the_same_fit(tiny_model, labelled, tiny_recipe, tmp_path):
    first = to_bytes(train(labelled, tiny_recipe, cache=tmp_path / "cache"))
    assert any((tmp_path / "cache").rglob("output.pkl"))
    assert to_bytes(train(labelled, tiny_recipe, cache=tmp_path / "cache")) == first == to_bytes(tiny_model)


def test_folds_know_nothing_of_their_own_articles(labelled, tiny_recipe, tiny_model):
    folds = train_in_folds(labelled, tiny_recipe).folds
    assert sorted(one.id for _, part in folds for one in part) == sorted(one.id for one in labelled)
    for fold, part in folds:
        sites = {one.site for one in part}
        others = [one for one in labelled if one.site not in sites]
        alone = training._fit(
            sorted(others, key=lambda one: (one.site, one.id)),
            tiny_recipe.classifier,
            tiny_recipe.synthesis,
            tiny_recipe.long_articles,
        )
        article = part[0].article
        assert np.array_equal(fold.classifier.score_article(article), alone.score_article(article))
        assert not np.array_equal(fold.classifier.score_article(article), tiny_model.classifier.score_article(article))
        assert fold.budgets.rows[-1].recall != tiny_model.budgets.rows[-1].recall


def test_progress_is_told(labelled, tiny_recipe):
    steps = []
    train(labelled, tiny_recipe, progress=lambda *step: steps.append(step))
    assert steps == [("fitting", done, 4) for done in range(5)]


def test_the_model_tells_what_it_was_trained_on(tiny_model, labelled):
    assert tiny_model.about["language"] == "en"
    assert tiny_model.about["articles"] == len(labelled)
    assert tiny_model.about["sites"] == len({entry.site for entry in labelled})
    assert tiny_model.about["paragraphs"] == sum(len(entry.paragraphs) for entry in labelled)
    assert tiny_model.about["recipe"]["synthesis"]["copies"] == 1


def test_the_digest_follows_the_labels(tiny_model, labelled, tiny_recipe):
    first = labelled[0]
    flipped = replace(first.paragraphs[0], label=Label.BOILERPLATE, kind=None)
    changed = [replace(first, paragraphs=(flipped, *first.paragraphs[1:])), *labelled[1:]]
    assert train(changed, tiny_recipe).about["training_digest"] != tiny_model.about["training_digest"]


@pytest.mark.parametrize("which", ["tiny_model", "default_model"])
def test_a_larger_budget_loses_and_finds_more(request, which):
    rows = request.getfixturevalue(which).budgets.rows
    assert [row.budget for row in rows] == sorted({row.budget for row in rows})
    for row in rows:
        assert row.loss <= row.budget
        assert row.loss_low <= row.loss <= row.loss_high
        assert row.threshold > 0
    for smaller, larger in itertools.pairwise(rows):
        assert larger.threshold <= smaller.threshold
        assert larger.recall >= smaller.recall
        assert larger.loss >= smaller.loss
    assert rows[-1].recall > rows[0].recall


def test_the_default_model_has_the_default_budget(default_model):
    assert 0.01 in [row.budget for row in default_model.budgets.rows]


def test_articles_weigh_alike_where_the_recipe_says_so(labelled, tiny_recipe, tiny_model):
    other = train(labelled, replace(tiny_recipe, long_articles=1.0))
    article = labelled[0].article
    assert not np.array_equal(other.classifier.score_article(article), tiny_model.classifier.score_article(article))


def without(labelled, *gone):
    return [replace(entry, paragraphs=tuple(p for p in entry.paragraphs if p.label not in gone)) for entry in labelled]


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ([Label.OFF_TOPIC], "no paragraph is labelled off_topic: label some"),
        ([Label.CONTENT], "no paragraph is labelled content"),
        ([Label.BOILERPLATE, Label.OFF_TOPIC], "no paragraph is labelled boilerplate or off_topic"),
    ],
)
def test_a_missing_class_is_named(labelled, tiny_recipe, gone, message):
    with pytest.raises(LabelError, match=message):
        train(without(labelled, *gone), tiny_recipe)


def test_one_site_is_too_few(labelled, tiny_recipe):
    with pytest.raises(LabelError, match="all articles are from one site"):
        train([replace(entry, site="post") for entry in labelled], tiny_recipe)


def test_a_class_of_one_site_alone_is_too_little(labelled, tiny_recipe):
    bare = without(labelled[1:], Label.OFF_TOPIC)
    host = next(entry for entry in labelled if any(p.label is Label.OFF_TOPIC for p in entry.paragraphs))
    with pytest.raises(LabelError, match="the sites are too few to calibrate on"):
        train([*[entry for entry in bare if entry.id != host.id], host], tiny_recipe)


def test_too_few_articles_are_told_before_the_fits(labelled, tiny_recipe, monkeypatch):
    monkeypatch.setattr(training, "_fit", None)
    few = [replace(entry, site=f"site {at % 5}") for at, entry in enumerate(labelled[:10])]
    budgets = replace(tiny_recipe.calibration, folds=5, budgets=(0.01, 0.1))
    with pytest.raises(LabelError, match=r"a loss budget of 0\.1: 9 must be left .* and \d are: label more articles"):
        train(few, replace(tiny_recipe, calibration=budgets))
    uncalibrated = [entry.id for entry in labelled]
    with pytest.raises(LabelError, match="and 0 are"):
        train(labelled, tiny_recipe, uncalibrated=uncalibrated)


def test_a_recipe_is_read(recipe_of):
    recipe = recipe_of(
        'language = "sv"\nlong_articles = 1\n[classifier]\nknots = 4\n[synthesis]\ncopies = 3\nsame_topic = 0.25\n'
        "[calibration]\nfolds = 3\nbudgets = [0.05, 0.01]\n"
    )
    assert recipe == Recipe(
        classifier={"knots": 4},
        synthesis=Synthesis(copies=3, same_topic=0.25),
        calibration=Calibration(folds=3, budgets=(0.01, 0.05)),
        language="sv",
        long_articles=1.0,
    )
    assert recipe_of("") == Recipe()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "unknown setting 'colour': use classifier, synthesis, calibration, language, long_articles"),
        ("[classifier]\ntrees = 3", "unknown setting classifier.trees: use "),
        ("[synthesis]\ncopy = 3", "unknown setting synthesis.copy: use cleaned, copies"),
        ("[calibration]\nfold = 3", "unknown setting calibration.fold: use budgets"),
        ("synthesis = 3", "synthesis is not a table: write [synthesis]"),
        ("classifier = true", "classifier is not a table: write [classifier]"),
        ("[[calibration]]\nfolds = 3", "calibration is not a table: write [calibration]"),
        ("[calibration]\nfolds = 1", "calibration.folds is below 2"),
        ("[classifier]\nfolds = 0", "classifier.folds is below 2"),
        ("language = 3", "language is 3, but it is a string"),
        ("sources = 3", "sources is 3, but it is a string"),
        ("long_articles = 'all'", "but it is a number between 0 and 1"),
        ("[calibration]\nbudgets = 0.1", "calibration.budgets is not a list of shares between 0 and 1, for example"),
        ("[calibration]\nbudgets = ['few']", "calibration.budgets is not a list of shares between 0 and 1"),
        ("[classifier", "not TOML"),
        (b"language = '\xff'", "not TOML"),
    ],
)
def test_a_malformed_recipe_is_named(recipe_of, text, message):
    with pytest.raises(RecipeError) as caught:
        recipe_of(text)
    assert "recipe.toml: " in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_recipe_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(RecipeError, match=r"cannot be read .* check its path"):
            load_recipe(path)


def test_the_card_tells_figures_data_and_limits(tiny_model, labelled):
    source = {"name": "slice.jsonl", "articles": 24, "licence": "CC0-1.0", "sha256": "ab" * 32}
    about = {**tiny_model.about, "training_data": [source]}
    measured = evaluate(nf.NoiseFilter(tiny_model), labelled[:4])
    realised = [
        Realised(0.01, Figure(0.002, 0.001, 0.004), Figure(0.6, 0.5, 0.7)),
        Realised(0.05, Figure(0.061, 0.05, 0.07), Figure(0.9, 0.8, 0.95)),
    ]
    card = write_card(replace(tiny_model, about=about), {"four articles": measured}, {"four articles": realised})
    assert card.startswith("# Model card\n")
    assert "- `slice.jsonl`: 24 articles, CC0-1.0, sha256 `abababababababab`" in card
    assert card.count("| noise recall") == 3
    assert f"| content loss (paragraphs) | {measured.figures['content_loss'].value:.3f} |" in card
    assert f"| 10.00% | {tiny_model.budgets.threshold(0.1):.4f} |" in card
    assert "| 1.00% | 0.20% | 0.10% – 0.40% | 60.0% | 50.0% – 70.0% |" in card
    assert "    bar [1.0, 5.0]\n    line [0.2, 6.1]\n" in card
    assert "## On four articles (never trained on)" in card
    assert "## Limits" in card


@pytest.mark.parametrize(
    "text",
    [
        *("long_articles = nan", "long_articles = -3", "long_articles = true", "[classifier]\nlexical_c = nan"),
        *("[classifier]\nfirst_c = inf", "[calibration]\nbudgets = [true]", "[calibration]\nbudgets = ['x']"),
        "[calibration]\nbudgets = [nan]",
    ],
)
def test_a_setting_that_is_no_number_is_refused(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"recipe.toml: .*(number|shares).*: correct the value"):
        load_recipe(path)
