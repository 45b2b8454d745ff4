import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisefilter.article import Article
from noisefilter.context import ContextFeatures
from noisefilter.relations import RELATIONS, relations

BODY = [
    "The harbour bridge will close on Monday for six weeks, the port authority said, after divers found cracks.",
    "The port authority said that two of the eleven piers of the bridge have to be rebuilt before the winter.",
    "Lorries will be sent over the northern ring road while the bridge is closed, the authority said.",
    "Divers of the port last looked at the piers of the bridge in 2011, when no cracks were found.",
]
HEADLINE = "Costa chokes out Lindqvist to keep her flyweight title in Tampa"
BLURB = "Flyweight Marisol Costa choked out Petra Lindqvist to keep her title in front of a sold-out arena in Tampa."
BRIEF = "Marisol Costa keeps flyweight title in Tampa"
ABSOLUTE = [name for name in RELATIONS if "_relative" not in name]


@pytest.fixture(scope="module")
def fitted(tiny_samples):
    return ContextFeatures().fit([sample for sample, _ in tiny_samples])


def related(fitted, paragraphs, trust=None):
    trust = np.ones(len(paragraphs)) if trust is None else np.asarray(trust)
    return relations(fitted.read(Article("Harbour bridge to close for six weeks", paragraphs)), trust)


def measured(fitted, name, others, trust=1):
    """Return one measure of an insert below the body, with the same others beside it and far away."""
    story, doubt = [*BODY, told_of(name)], [trust] * len(others)
    table = related(fitted, [*others, *story, *others], [*doubt, *[1] * len(story), *doubt])
    return table[len(others) + len(BODY), RELATIONS.index(name)]


def told_of(name):
    """Return an insert of the length that a measure speaks of."""
    return BRIEF if name.endswith("_if_short") else BLURB


@pytest.mark.parametrize("copies", [["{}"], ["{}", "{}"], ["“{}”"], ["{} tonight"]])
@pytest.mark.parametrize("name", ABSOLUTE)
def test_near_duplicates_do_not_vouch_for_each_other(fitted, copies, name):
    pasted = measured(fitted, name, [copy.format(told_of(name)) for copy in copies])
    assert pasted == pytest.approx(measured(fitted, name, []), abs=0.02)


@pytest.mark.parametrize("name", ABSOLUTE)
def test_what_is_not_trusted_does_not_vouch(fitted, name):
    alone = measured(fitted, name, ["Latest News"], trust=0)
    assert measured(fitted, name, [HEADLINE], trust=0) == pytest.approx(alone)
    assert abs(measured(fitted, name, [HEADLINE], trust=1) - alone) > 0.1


def test_a_trusted_headline_vouches_for_its_blurb(fitted):
    insert = [*BODY[:2], HEADLINE, BLURB, *BODY[2:]]
    trusted, doubted = (related(fitted, insert, [1, 1, trust, 0.5, 1, 1])[3] for trust in (1, 0))
    assert trusted[RELATIONS.index("vouched_beyond_0")] > doubted[RELATIONS.index("vouched_beyond_0")] + 0.2
    assert trusted[RELATIONS.index("vouched_beyond_1")] == doubted[RELATIONS.index("vouched_beyond_1")]


KNOWN = st.sampled_from([*BODY, BLURB, HEADLINE, "", "©", "Статья"])
TEXTS = st.lists(KNOWN | st.text(max_size=40), max_size=7)


@given(TEXTS, st.data())
def test_any_article_has_finite_relations(fitted, paragraphs, data):
    trust = [data.draw(st.floats(0, 1)) for _ in paragraphs]
    table = related(fitted, paragraphs, trust)
    assert table.shape == (len(paragraphs), len(RELATIONS))
    assert np.isfinite(table).all()
