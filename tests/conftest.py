import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import noisefilter as nf
from noisefilter.bundle import to_bytes
from noisefilter.context import in_context
from noisefilter.labels import read_labels
from noisefilter.synthesis import Synthesis
from noisefilter.training import Calibration, Recipe, train

pytest.register_assert_rewrite("bundle_support")
settings.register_profile(
    "fixed",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("fixed")

CORPUS = Path(__file__).parent.parent / "training" / "corpus"

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell in the background ignores would be handed on
if hasattr(signal, "SIGHUP"):  # as nohup does
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def corpus_files():
    return [CORPUS / "train.jsonl", CORPUS / "test.jsonl"]


@pytest.fixture(scope="session")
def corpus(corpus_files):
    return read_labels(corpus_files)


@pytest.fixture(scope="session")
def default_model():
    return nf.load_model()


@pytest.fixture(scope="session")
def cleaner(default_model):
    return nf.NoiseFilter(default_model)


@pytest.fixture(scope="session")
def slice_file(tmp_path_factory, corpus_files):
    """Two articles of each of twelve sites, as a label file."""
    lines = [line for line in corpus_files[0].read_text(encoding="utf-8").split("\n") if line]
    by_site = {}
    for line, article in zip(lines, read_labels(corpus_files[:1]), strict=True):
        by_site.setdefault(article.site, []).append(line)
    path = tmp_path_factory.mktemp("labels") / "slice.jsonl"
    chosen = [line for site in sorted(by_site)[:12] for line in by_site[site][:2]]
    path.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def labelled(slice_file):
    return read_labels([slice_file])


@pytest.fixture(scope="session")
def tiny_recipe():
    return Recipe(
        classifier={"max_words": 1500, "max_characters": 1500, "folds": 2, "first_rounds": 5, "second_rounds": 15},
        synthesis=Synthesis(copies=1),
        calibration=Calibration(folds=3, resamples=50),
    )


@pytest.fixture(scope="session")
def tiny_model(labelled, tiny_recipe):
    return train(labelled, tiny_recipe)


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model):
    return to_bytes(tiny_model)


@pytest.fixture(scope="session")
def tiny_samples(labelled):
    """Samples and labels of the slice, as the classifier is given them."""
    articles = [entry.article for entry in labelled]
    labels = [paragraph.label.value for entry in labelled for paragraph in entry.paragraphs]
    pairs = zip(in_context(articles), labels, strict=True)
    return [(sample, label) for sample, label in pairs if label != "ambiguous"]


@pytest.fixture(scope="session")
def corners():
    """Numbers of which only two together tell the class."""
    chance = np.random.default_rng(3)
    numbers = chance.normal(size=(2000, 5))
    labels = np.where((numbers[:, 0] > 0) == (numbers[:, 3] > 0), "content", "boilerplate")
    labels[chance.integers(0, 2000, 300)] = "off_topic"
    return numbers, labels, chance.uniform(0.5, 2, 2000)


@pytest.fixture(scope="session")
def kernel():
    return nf.load_model(kernel=True)


@pytest.fixture(scope="session")
def reference():
    return nf.load_model(kernel=False)
