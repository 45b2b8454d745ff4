import hashlib
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import NotFittedError

from noisefilter.article import Article
from noisefilter.classifier import CLASSES, NoiseClassifier
from noisefilter.context import in_context
from noisefilter.headline import title_index

SETTINGS = {"max_words": 1500, "max_characters": 1500, "folds": 2, "first_rounds": 5, "second_rounds": 15}


@pytest.fixture(scope="module")
def fitted(tiny_samples):
    samples, labels = zip(*tiny_samples, strict=True)
    return NoiseClassifier(**SETTINGS).fit(samples, labels)


def arrays_of(fitted):
    """Return all numbers that a fitted estimator has learnt, in an order of their own."""
    if isinstance(fitted, BaseEstimator):
        fitted = {name: value for name, value in vars(fitted).items() if name.endswith("_")}
    elif hasattr(fitted, "__dict__"):
        fitted = vars(fitted)
    if isinstance(fitted, dict):
        return [array for name in sorted(fitted) for array in arrays_of(fitted[name])]
    if isinstance(fitted, list | tuple):
        return [array for entry in fitted for array in arrays_of(entry)]
    return [np.asarray(fitted)]


def assert_same(one, other):
    ours, theirs = arrays_of(one), arrays_of(other)
    assert len(ours) == len(theirs) > 20
    for mine, yours in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_parameters_follow_the_conventions():
    classifier = NoiseClassifier(knots=4)
    assert classifier.get_params()["knots"] == 4
    assert classifier.set_params(knots=3, lexical_c=2.0) is classifier
    assert clone(classifier).get_params() == classifier.get_params()
    assert is_classifier(classifier)
    with pytest.raises(ValueError, match="Invalid parameter"):
        classifier.set_params(trees=3)


def test_a_clone_is_not_fitted(fitted, tiny_samples):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    for ask in (copy.predict_proba, copy.predict):
        with pytest.raises(NotFittedError):
            ask([tiny_samples[0][0]])
    with pytest.raises(NotFittedError):
        copy.score_article(tiny_samples[0][0].article)


def test_probabilities_sum_to_one(fitted, tiny_samples):
    shares = fitted.predict_proba([sample for sample, _ in tiny_samples])
    assert shares.shape == (len(tiny_samples), 3)
    assert ((shares >= 0) & (shares <= 1)).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_classes_are_sorted_and_predicted(fitted, tiny_samples):
    samples, labels = zip(*tiny_samples, strict=True)
    assert fitted.classes_.tolist() == sorted(CLASSES) == ["boilerplate", "content", "off_topic"]
    predicted = fitted.predict(samples)
    np.testing.assert_array_equal(predicted, fitted.classes_[fitted.predict_proba(samples).argmax(axis=1)])
    assert fitted.score(samples, labels) == (predicted == np.array(labels)).mean()


def test_it_learns_what_it_is_shown(fitted, tiny_samples):
    samples, labels = zip(*tiny_samples, strict=True)
    commonest = max(labels.count(name) for name in CLASSES) / len(labels)
    assert fitted.score(samples, labels) > commonest + 0.1


def test_columns_have_names(fitted, tiny_samples):
    article = tiny_samples[0][0].article
    names = fitted.get_feature_names_out()
    assert len(set(names)) == len(names)
    assert fitted.numbers(article).shape == (len(article.paragraphs), len(names))


@pytest.mark.parametrize("seed", [1, 2])
def test_row_order_makes_no_difference(fitted, tiny_samples, seed):
    shuffled = list(tiny_samples)
    random.Random(seed).shuffle(shuffled)
    samples, labels = zip(*shuffled, strict=True)
    other = NoiseClassifier(**SETTINGS).fit(samples, labels)
    assert_same(other, fitted)


def test_groups_and_weights_follow_their_rows(tiny_samples):
    samples, labels = zip(*tiny_samples[:400], strict=True)
    weights = [1 + at % 3 for at in range(400)]
    groups = [sample.article.source for sample in samples]
    natural = [label != "off_topic" or at % 2 == 0 for at, label in enumerate(labels)]
    straight = NoiseClassifier(**SETTINGS).fit(samples, labels, groups=groups, sample_weight=weights, natural=natural)
    turned = NoiseClassifier(**SETTINGS).fit(
        samples[::-1], labels[::-1], groups=groups[::-1], sample_weight=weights[::-1], natural=natural[::-1]
    )
    unweighted = NoiseClassifier(**SETTINGS).fit(samples, labels, groups=groups, natural=natural)
    assert_same(straight, turned)
    article = samples[0].article
    assert not np.array_equal(straight.score_article(article), unweighted.score_article(article))


def test_rows_are_scored_in_the_order_asked(fitted, tiny_samples):
    samples = [sample for sample, _ in tiny_samples[:60]]
    np.testing.assert_array_equal(fitted.predict_proba(samples[::-1]), fitted.predict_proba(samples)[::-1])
    assert fitted.predict_proba([]).shape == (0, 3)


def test_an_article_without_paragraphs_has_no_rows(fitted):
    assert fitted.score_article(Article("Flood")).shape == (0, 3)


@pytest.mark.parametrize("paragraphs", [[""], ["", " ", "\0"], ["Статья"], ["x" * 50_000], ["\ud800"]])
def test_strange_paragraphs_have_probabilities(fitted, paragraphs):
    shares = fitted.score_article(Article(None, paragraphs))
    assert shares.shape == (len(paragraphs), 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["content", "advert", "off_topic"], "unknown label 'advert': use boilerplate, content, off_topic"),
        (["content", "ambiguous", "off_topic"], "unknown label 'ambiguous'"),
        (["content", "content", "off_topic"], "no paragraph is labelled boilerplate"),
        (["content", "content", "content"], "no paragraph is labelled boilerplate or off_topic"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(labels, message):
    samples = in_context([Article(None, ["The river rose.", "Advertisement", "Costa wins in Tampa"])])
    with pytest.raises(ValueError, match=message):
        NoiseClassifier().fit(samples, labels)


TRAINING = """
import sys
from pathlib import Path
from noisefilter.bundle import to_bytes
from noisefilter.labels import read_labels
from noisefilter.training import load_recipe, train

labels, recipe = map(Path, sys.argv[1:])
sys.stdout.buffer.write(to_bytes(train(read_labels([labels]), load_recipe(recipe))))
"""


def test_hash_seed_makes_no_difference(slice_file, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "[classifier]\nmax_words = 1000\nmax_characters = 1000\nfolds = 2\nfirst_rounds = 5\nsecond_rounds = 15\n"
        "[synthesis]\ncopies = 1\n[calibration]\nfolds = 2\nresamples = 20\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", TRAINING, str(slice_file), str(recipe)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("0", "1")
    ]
    bundles = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert bundles[0][:2] == b"PK"
    assert hashlib.sha256(bundles[0]).hexdigest() == hashlib.sha256(bundles[1]).hexdigest()


def test_a_title_reads_the_same_given_apart_or_as_the_first_paragraph(fitted, labelled):
    compared = 0
    for entry in labelled:
        texts = [paragraph.text for paragraph in entry.paragraphs]
        together = Article(None, [entry.title, *texts])
        if title_index(together) == 0:
            compared += 1
            apart = fitted.score_article(Article(entry.title, texts))
            np.testing.assert_allclose(fitted.score_article(together)[1:], apart, rtol=1e-9)
    assert compared > 10
    np.testing.assert_allclose(
        fitted.score_article(Article(None, ["Bridge to close on Monday"])),
        fitted.score_article(Article(None, ["Bridge to close on Monday", "It will."]))[:1],
    )
