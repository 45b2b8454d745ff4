import doctest
import importlib
import pkgutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import noisefilter as nf

TEXT = "Flood closes bridge\n\nThe bridge closed after the flood, police said.\n\nAdvertisement\n"
MODULES = [
    f"noisefilter.{module.name}"
    for module in pkgutil.iter_modules(nf.__path__)
    if module.name not in ("cli", "kernel", "integrations")
]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_text_is_cleaned_in_one_call():
    assert nf.clean(TEXT) == "Flood closes bridge\n\nThe bridge closed after the flood, police said.\n"


def test_a_cleaned_article_tells_what_was_promised():
    cleaned = nf.NoiseFilter(model=None, loss_budget=0.01).clean(TEXT)
    assert isinstance(cleaned, nf.CleanedArticle)
    assert cleaned.text == nf.clean(TEXT)
    assert [p.text for p in cleaned.kept] == TEXT.split("\n\n")[:2]
    assert [p.text for p in cleaned.dropped] == ["Advertisement"]
    decision = cleaned.decisions[2]
    assert isinstance(decision, nf.Decision)
    paragraph = decision.paragraph
    assert (paragraph.text, TEXT[paragraph.start : paragraph.end]) == ("Advertisement", "Advertisement")
    assert (decision.label, decision.drop, decision.reason) == ("boilerplate", True, "noise")
    assert set(decision.probabilities) == {"content", "boilerplate", "off_topic"}
    assert sum(decision.probabilities.values()) == pytest.approx(1)
    noise = decision.probabilities["boilerplate"] + decision.probabilities["off_topic"]
    assert decision.noise_probability == pytest.approx(noise)
    assert cleaned.rethreshold(loss_budget=0).text == TEXT


def test_an_article_has_one_decision_for_each_given_paragraph():
    article = nf.Article(title="Flood closes bridge", paragraphs=["The bridge closed.\nPolice said so.", "", "Share"])
    cleaned = nf.NoiseFilter().clean(article)
    assert [decision.paragraph.text for decision in cleaned.decisions] == [p.text for p in article.paragraphs]


def test_many_are_an_iterator():
    many = nf.NoiseFilter().clean_many([TEXT, TEXT], jobs=1)
    assert iter(many) is many
    assert [cleaned.text for cleaned in many] == [nf.clean(TEXT)] * 2


def test_the_default_model_is_loaded_once():
    assert nf.load_model() is nf.load_model()
    assert isinstance(nf.load_model(), nf.Model)
    assert nf.NoiseFilter().model is nf.load_model()


@pytest.mark.parametrize("name", nf.__all__)
def test_every_public_name_is_there_and_described(name):
    assert getattr(nf, name).__doc__
    assert getattr(nf, name).__module__.startswith("noisefilter.")
    assert name in dir(nf)


def test_names_of_the_issue_are_public():
    assert {"clean", "load_model", "NoiseFilter", "Article", "CleanedArticle", "Model"} <= set(nf.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'scrub'"):
        nf.scrub  # noqa: B018


def test_the_version_is_that_of_the_package():
    assert nf.__version__ == metadata.version("noisefilter")


def test_errors_of_the_package_are_one_family():
    with pytest.raises(nf.NoisefilterError):
        nf.load_model("missing.noisefilter")
    with pytest.raises(nf.NoisefilterError):
        nf.load_rules(Path("missing.toml"))


def test_results_do_not_change():
    cleaned = nf.NoiseFilter().clean(TEXT)
    for result, name in ((cleaned, "decisions"), (cleaned.decisions[0], "drop"), (cleaned.kept[0], "text")):
        with pytest.raises(AttributeError):
            setattr(result, name, None)


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, noisefilter; print(sorted({'numpy', 'scipy', 'sklearn', 'pandas', 'joblib'} & set(sys.modules)))"
    )
    assert run(code).stdout == "[]\n"


def test_star_import_brings_the_public_names():
    result = run("from noisefilter import *; print(clean.__name__, Article.__name__, load_model.__name__)")
    assert result.stdout == "clean Article load_model\n"


@pytest.mark.parametrize("name", ["noisefilter", *MODULES])
def test_examples_in_docstrings_hold(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0
