import pytest

from noisefilter.article import Label
from noisefilter.kinds import FAMILIES, KINDS, LABEL_OF, OTHER_NAMES, family_of

WITHOUT_A_FAMILY = {
    "dateline",
    "correction",
    "study_note",
    "affiliation",
    "subject_shift",
    "own_subject",
    "spliced",
}


def test_every_family_has_one_label():
    assert set(LABEL_OF) == set(FAMILIES)
    assert len(FAMILIES) == len(set(FAMILIES)) == 17
    assert Label.AMBIGUOUS not in LABEL_OF.values()


@pytest.mark.parametrize(("label", "kind"), [(label, kind) for label in Label for kind in sorted(KINDS[label])])
def test_a_kind_is_in_a_family_of_its_label(label, kind):
    family = family_of(label, kind)
    assert LABEL_OF[family] is label
    first = next(name for name in FAMILIES if LABEL_OF[name] is label)
    assert (family == first) == (kind in WITHOUT_A_FAMILY or kind in FIRST_OF[label])


FIRST_OF = {
    Label.CONTENT: set(),
    Label.BOILERPLATE: {"share_widget", "media_widget", "scrape_junk", "navigation"},
    Label.OFF_TOPIC: {"other_story_headline", "other_story_video"},
}


@pytest.mark.parametrize(
    ("label", "kind", "family"),
    [
        ("content", None, "body"),
        ("content", "list_item", "item"),
        ("boilerplate", None, "widget"),
        ("boilerplate", "other_story_blurb", "headline"),
        ("off_topic", "other_story_blurb", "blurb"),
        ("off_topic", "a kind of somebody else's", "other_headline"),
    ],
)
def test_the_family_of_a_paragraph(label, kind, family):
    assert family_of(Label(label), kind) == family


def test_an_ambiguous_paragraph_has_none():
    with pytest.raises(KeyError):
        family_of(Label.AMBIGUOUS, None)


def test_other_names_are_of_known_kinds():
    known = set().union(*KINDS.values())
    assert set(OTHER_NAMES.values()) <= known
    assert not set(OTHER_NAMES) & known
