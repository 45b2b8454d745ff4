"""The names of all numbers that the two looks see, in the order of their columns.

They stand apart from what computes them, the reference or the compiled kernel, so that neither need be imported to
know them.
"""

from noisefilter.article import Label
from noisefilter.kinds import FAMILIES

REACH = 100
"""Paragraphs further apart are not compared one by one, only by what the whole article holds: time stays linear."""

CLASSES = (Label.BOILERPLATE.value, Label.CONTENT.value, Label.OFF_TOPIC.value)
"""The classes in the order of the columns."""

ANSWERS = (
    "boilerplate",
    "off_topic",
    "noise",
    "noise_1_before",
    "noise_2_before",
    "noise_3_before",
    "noise_1_after",
    "noise_2_after",
    "noise_3_after",
    "boilerplate_before",
    "off_topic_before",
    "boilerplate_after",
    "off_topic_after",
    "noise_nearby",
    "noise_both_sides",
    "noise_of_article",
    "noisy_share",
)
"""What one stage says of a paragraph and of those around it, in log-odds against content (the last is a share)."""

WORDING = tuple(
    f"reads_as:{family}{where}" for where in ("", "_before", "_after", "_in_article") for family in FAMILIES
)
"""What the wording of a paragraph, and of those beside it, reads as: log-probability of each family of kinds."""

FEATURES = (
    "elsewhere",
    "elsewhere_twice",
    "cosine_rest",
    "cosine_nearest",
    "before",
    "after",
    "around",
    "title_covered",
    "title_covers",
    "title_like",
    "names_elsewhere",
    "names_new",
    "numbers_new",
    "elsewhere_relative",
    "cosine_relative",
    "around_relative",
    "names_relative",
    "words_relative",
    "position",
    "from_start",
    "from_end",
    "article_length",
    "words",
    "sentences",
    "ends_sentence",
    "starts_lower",
    "capitalised",
    "capitals",
    "digits",
    "marks",
    "quoted",
    "colon",
    "stop_words",
    "unknown_words",
    "repeats_before",
    "repeats_after",
    "previous_words",
    "next_words",
    "previous_ends",
    "next_ends",
    "short_run",
    "long_below",
)
"""Names of the context features, in the order of the columns."""

DISTANCES = (0, 1, 2)
"""How far away others must stand to vouch: more than so many paragraphs."""

_MEASURES = ("vouched", "words_vouched", "words_alone", "names_vouched", "names_alone", "names_known")
_ABSOLUTE = (
    *(f"{measure}_beyond_{distance}" for distance in DISTANCES for measure in _MEASURES),
    "cosine_trusted",
    "around_trusted",
)
_RELATIVE = tuple(f"{name}_relative" for name in _ABSOLUTE)
_TELLING = ("vouched_beyond_0", "vouched_beyond_2", "cosine_trusted", "around_trusted")
BY_LENGTH = (*_TELLING, *(f"{name}_relative" for name in _TELLING))
"""The relations that stand apart for long and for short paragraphs."""

RELATIONS = (
    *_ABSOLUTE,
    *_RELATIVE,
    *(f"{name}_if_long" for name in BY_LENGTH),
    *(f"{name}_if_short" for name in BY_LENGTH),
)
"""How the trusted others vouch: each measure as it is, less its median over the article, and the most telling ones
once more for long and for short paragraphs apart: of a short line nobody expects to hold the article's words."""

PASTED = (
    "unvouched_off_topic_before",
    "unvouched_off_topic_after",
    "unvouched_noise_before",
    "unvouched_noise_after",
    "unlike_off_topic_before",
    "unvouched_long_off_topic_nearby",
)
"""How a paragraph looks like part of what was pasted beside it."""

FIRST_LOOK = (*(f"alone:{name}" for name in ANSWERS), *WORDING, *FEATURES, *RELATIONS)
SECOND_LOOK = (*FIRST_LOOK, *(f"first_look:{name}" for name in ANSWERS), *PASTED)
"""Names of the columns that the two looks see."""

GRADES_PER_UNIT = 1e9
"""Numbers and the borders of bins are compared to nine decimals (in the kernel, ``GRADES``)."""
