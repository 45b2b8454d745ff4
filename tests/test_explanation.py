import numpy as np
import pytest

import noisefilter as nf
from noisefilter.article import Label
from noisefilter.bundle import from_bytes
from noisefilter.explanation import Weight, explain
from noisefilter.features import CLASSES, SECOND_LOOK
from noisefilter.kernel import why_not
from noisefilter.kinds import FAMILIES, LABEL_OF

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
            assert 0 < len(sizes) <= 6
            assert all(sizes)
    assert {len(entry.features) for entry in explained} == {6}
    assert max(len(entry.terms) for entry in explained) == 6


def test_features_are_those_of_the_paragraph_when_it_was_decided(default_model, cleaned, explained):
    classifier = default_model.classifier
    assert {score.round for score in cleaned.scored} > {0}
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


def _asked(bins, node, end):
    """Return the columns on the way from a node to the leaf `end`, None if it is not below."""
    if bins.feature_[node] < 0:
        return () if node == end else None
    for side in (bins.left_, bins.right_):
        if (below := _asked(bins, side[node], end)) is not None:
            return (bins.feature_[node], *below)
    return None


def _pulls(look, row, towards):
    """Return what moves the log-odds against content, from the classifier's own hats and bins."""
    coef = look.model_.coef_[towards] - look.model_.coef_[CLASSES.index("content")]
    hats = look.curves_.transform(row[None, :])[0]
    owner = [column for column, knots in enumerate(look.curves_.knots_) for _ in knots]
    pulls = np.bincount(owner, (hats - look.curves_.average_) * coef[: len(hats)])
    leaves = np.flatnonzero(look.bins_.feature_ < 0)
    roots = np.searchsorted(look.bins_.roots_, leaves, side="right") - 1
    inside = look.bins_.transform(row[None, :]).toarray()[0]
    for leaf, root, pull in zip(leaves, roots, (inside - look.average_) * coef[len(hats) :], strict=True):
        path = set(_asked(look.bins_, look.bins_.roots_[root], leaf))
        for column in path:
            pulls[column] += pull / len(path)
    return pulls


def _heaviest(names, values, weights):
    rounded = [Weight(*row) for row in zip(names, np.round(values, 4), np.round(weights, 4), strict=True)]
    return sorted((weight for weight in rounded if weight.weight), key=lambda w: (-abs(w.weight), w.name))[:6]


def _alike(found, expected):
    assert [weight.name for weight in found] == [weight.name for weight in expected]
    for part in ("value", "weight"):
        mine, theirs = ([getattr(weight, part) for weight in weights] for weights in (found, expected))
        assert mine == pytest.approx(theirs, abs=1.01e-4)


def test_it_says_what_the_classifier_itself_would_say(default_model, cleaned, explained):
    """Once more with scikit-learn, which the explanation does without."""
    classifier = default_model.classifier
    members = np.array([[LABEL_OF[family].value == name for family in FAMILIES] for name in CLASSES])
    for at, (decision, entry) in enumerate(zip(cleaned.decisions, explained, strict=True)):
        towards = CLASSES.index(Label.BOILERPLATE if decision.label is Label.CONTENT else decision.label)
        seen = cleaned.seen_with(at)
        row = classifier.numbers(seen)[[p.text for p in seen.paragraphs].index(decision.paragraph.text)]
        _alike(entry.features, _heaviest(SECOND_LOOK, row, _pulls(classifier.second_look_, row, towards)))
        terms = classifier.lexical_.transform([decision.paragraph.text])
        shares = classifier.lexical_model_.predict_proba(terms)[0] * members
        shares /= shares.sum(axis=1, keepdims=True)
        direction = (shares[towards] - shares[CLASSES.index("content")]) @ classifier.lexical_model_.coef_
        names = classifier.lexical_.get_feature_names_out()[terms.indices]
        _alike(entry.terms, _heaviest(names, terms.data, terms.data * direction[terms.indices]))


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_both_scorers_lead_to_the_same_explanation(tiny_bundle, labelled):
    kernel, reference = (from_bytes(tiny_bundle, "a.noisefilter", kernel=wanted) for wanted in (True, False))
    for article in [*(entry.article for entry in labelled[:6]), nf.Article(None, ["Статья", "", "\ufeff one’s 🙂"])]:
        ours, theirs = (
            explain(model, nf.NoiseFilter(model, loss_budget=0.3).clean(article)) for model in (kernel, reference)
        )
        for mine, other in zip(ours, theirs, strict=True):
            _alike(mine.features, other.features)
            _alike(mine.terms, other.terms)


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
