import ast
import doctest
import enum
import importlib
import inspect
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from textwrap import dedent

import pytest

import noisefilter as nf

TEXT = "Flood closes bridge\n\nThe bridge closed after the flood, police said.\n\nAdvertisement\n"
PACKAGE = Path(nf.__file__).parent


def module_of(path):
    """Return the name under which a file of the package is imported."""
    return ".".join(("noisefilter", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def examples():
    """Return how many examples each module of the package holds, those without any left out."""
    written = {
        module_of(path): len(re.findall(r"^ *>>> ", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    return {name: count for name, count in written.items() if count}


def called():
    """Return what is public and takes parameters of ours: functions, classes and their public methods."""
    found = {}
    for name in nf.__all__:
        what = getattr(nf, name)
        if inspect.isclass(what):
            if issubclass(what, enum.Enum | Exception):
                continue
            methods = {f"{name}.{part}": getattr(what, part) for part in vars(what) if not part.startswith("_")}
            found |= {part: method for part, method in methods.items() if inspect.isroutine(method)}
        found[name] = what
    return {name: what for name, what in found.items() if callable(what)}


def parameters_of(what):
    return set(inspect.signature(what).parameters) - {"self"}


def sections_of(what):
    """Return what each numpydoc section of a docstring names; ``a, b : int`` is two names."""
    _, *parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(what.__doc__), flags=re.MULTILINE)
    return {
        title: {
            name.strip() for line in re.findall(r"^\S.*", body, re.MULTILINE) for name in line.split(" :")[0].split(",")
        }
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def raised_by(what):
    """Return the errors that the code of a function names after ``raise``, or that of making an instance."""
    makers = [vars(what).get(name) for name in ("__init__", "__post_init__")] if inspect.isclass(what) else [what]
    written = [maker for maker in makers if maker and Path(inspect.getfile(maker)).is_file()]
    nodes = [node for maker in written for node in ast.walk(ast.parse(dedent(inspect.getsource(maker))))]
    raised = [node.exc for node in nodes if isinstance(node, ast.Raise) and node.exc]
    return {name for name in (ast.unparse(getattr(error, "func", error)) for error in raised) if name[0].isupper()}


CALLED = called()
EXAMPLES = examples()


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


def test_the_package_and_its_main_classes_are_shown_by_example():
    assert {"noisefilter", "noisefilter.article", "noisefilter.cleaner"} <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert (result.failed, result.attempted) == (0, EXAMPLES[name])


@pytest.mark.parametrize("name", [name for name in CALLED if "." not in name])
def test_every_parameter_of_what_is_public_is_documented(name):
    sections = sections_of(CALLED[name])
    missing = parameters_of(CALLED[name]) - sections.get("Parameters", set()) - sections.get("Attributes", set())
    assert missing == set()


@pytest.mark.parametrize("name", [name for name in CALLED if "Parameters" in sections_of(CALLED[name])])
def test_documented_parameters_are_those_of_the_signature(name):
    assert sections_of(CALLED[name])["Parameters"] == parameters_of(CALLED[name])


@pytest.mark.parametrize("name", CALLED)
def test_every_error_that_public_code_raises_is_documented(name):
    missing = raised_by(CALLED[name]) - sections_of(CALLED[name]).get("Raises", set())
    assert missing == set()
