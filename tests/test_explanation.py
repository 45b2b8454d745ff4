import numpy as np
import pytest

import noisefilter as nf
from noisefilter.explanation import explain

TEXT = """Harbour bridge to close for six weeks

The harbour bridge will close on Monday for six weeks, the port authority said, after divers found cracks in two piers.

Sign up for our newsletter

Lorries will be sent over the northern ring road. “We know what that means for the villages,” said the port's director.

Advertisement

Divers of the port authority last looked at the bridge in 2011, when no cracks were found in any of its piers.
"""


@pytest.fixture(scope="module")
def cleaned(cleaner):
    return cleaner.clean(TEXT)


@pytest.fixture(scope="module")
def explained(default_model, cleaned):
    return explain(default_model, cleaned)


def test_every_decision_is_explained(cleaned, explained):
    assert len(explained) == len(cleaned.decisions) == 6
    assert all(entry.features and entry.terms for entry in explained)


def test_the_heaviest_come_first_and_few(explained):
    for entry in explained:
        for weights in (entry.features, entry.terms):
            sizes = [abs(weight.weight) for weight in weights]
            assert sizes == sorted(sizes, reverse=True)
            assert 0 < len(sizes) <= 10
            assert all(sizes)


def test_features_are_those_of_the_paragraph_when_it_was_decided(default_model, cleaned, explained):
    classifier = default_model.classifier
    assert cleaned.dropped
    for at, entry in enumerate(explained):
        seen = cleaned.seen_with(at)
        place = [p.text for p in seen.paragraphs].index(cleaned.article.paragraphs[at].text)
        values = dict(zip(classifier.get_feature_names_out(), classifier.numbers(seen)[place], strict=True))
        for weight in entry.features:
            assert weight.value == pytest.approx(values[weight.name], abs=1e-4)


def test_terms_are_terms_of_the_paragraph(default_model, cleaned, explained):
    lexical = default_model.classifier.lexical_
    names = lexical.get_feature_names_out()
    for decision, entry in zip(cleaned.decisions, explained, strict=True):
        row = lexical.transform([decision.paragraph.text])
        values = dict(zip(names[row.indices], row.data, strict=True))
        for weight in entry.terms:
            assert weight.value == pytest.approx(values[weight.name], abs=1e-4)


def test_what_speaks_against_a_cue_line_is_positive(cleaned, explained):
    for at in (2, 4):
        assert cleaned.decisions[at].drop
        assert np.sum([weight.weight for weight in explained[at].terms]) > 0


def test_the_same_decision_has_the_same_explanation(default_model, cleaned, explained):
    assert explain(default_model, cleaned) == explained


@pytest.mark.parametrize("text", ["", "Статья", "\n"])
def test_what_has_no_known_term_is_explained_all_the_same(default_model, cleaner, text):
    cleaned = cleaner.clean(text)
    explained = explain(default_model, cleaned)
    assert len(explained) == len(cleaned.decisions)
    assert all(entry.features for entry in explained)


def test_an_empty_paragraph_has_no_terms(default_model, cleaner):
    entry, _ = explain(default_model, cleaner.clean(nf.Article(None, ["", "The river rose."])))
    assert entry.terms == ()
