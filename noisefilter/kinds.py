"""The kinds of paragraph that the labelling guide knows, and the families in which they read alike."""

from noisefilter.article import Label

KINDS: dict[Label, frozenset[str]] = {
    Label.CONTENT: frozenset(
        """section_label list_item embedded_post interview_line dateline correction study_note affiliation
        rhetorical_question one_liner subject_shift highlight_bullet embed_leadin own_subject""".split()
    ),
    Label.BOILERPLATE: frozenset(
        """duplicate_headline caption photo_credit byline source_copyright ad_marker newsletter site_promo form_chrome
        share_widget media_widget scrape_junk navigation section_header read_more related_cued related_headline
        about_org reader_cta ad_or_product other_story_blurb""".split()
    ),
    Label.OFF_TOPIC: frozenset(
        "other_story_headline other_story_blurb other_story_video poll ad_or_product spliced".split()
    ),
    Label.AMBIGUOUS: frozenset(),
}
"""The kinds of each label, as ``training/LABELLING.md`` describes them."""

OTHER_NAMES = {
    "dup_headline": "duplicate_headline",
    "byline_bio_contact": "byline",
    "author_promo": "site_promo",
    "reference_footer": "read_more",
    "related_video": "related_headline",
    "poll_other_subject": "poll",
}
"""Names that older label files use for our kinds."""

_FAMILIES: dict[Label, dict[str, str]] = {
    Label.CONTENT: {
        "body": "",
        "heading": "section_label",
        "item": "list_item highlight_bullet",
        "post": "embedded_post",
        "line": "interview_line one_liner rhetorical_question embed_leadin",
    },
    Label.BOILERPLATE: {
        "widget": "share_widget media_widget scrape_junk navigation",
        "credit": "caption photo_credit",
        "byline": "byline",
        "source": "source_copyright about_org",
        "cue": "read_more related_cued section_header",
        "headline": "duplicate_headline related_headline other_story_blurb",
        "prompt": "newsletter site_promo form_chrome reader_cta ad_or_product",
        "ad_marker": "ad_marker",
    },
    Label.OFF_TOPIC: {
        "other_headline": "other_story_headline other_story_video",
        "blurb": "other_story_blurb",
        "poll": "poll",
        "advert": "ad_or_product",
    },
}

FAMILIES = tuple(family for families in _FAMILIES.values() for family in families)
"""Kinds that read alike, gathered; the first of each label takes in what has no kind, or no family of its own."""

LABEL_OF = {family: label for label, families in _FAMILIES.items() for family in families}
"""The label of each family."""


def family_of(label: Label, kind: str | None) -> str:
    """Return the family of a labelled paragraph.

    Raises
    ------
    KeyError
        If the label is ambiguous: such a paragraph teaches nothing.
    """
    families = _FAMILIES[label]
    return next((family for family, kinds in families.items() if kind in kinds.split()), next(iter(families)))
