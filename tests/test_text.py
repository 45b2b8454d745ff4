import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from noisefilter.text import (
    MAX_LOOKED_AT,
    STOP_WORDS,
    ends_sentence,
    lexical_tokens,
    normalise,
    shape,
    stem,
    word_list,
)


@given(st.text())
@example("e\u200b\u0301")
@example("‴")
@example("\ufe32 Getty")
@example("ﬁ\u00adle")
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


@given(st.text())
def test_normalised_text_has_single_blanks_only(text):
    normal = normalise(text)
    assert normal == normal.strip()
    assert not re.search(r"\s\s|[^\S ]", normal)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_keeps_all_but_white_space(text):
    assert normalise(text).split() == text.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zero\u200bwidth\u2060 jo\u200diner", "zerowidth joiner"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\ufeffmark", "mark"),
        ("right\u202eto left\u202c", "rightto left"),
        ("It’s ‘so’ “said” „he‟", 'It\'s \'so\' "said" "he"'),
        ("one\u00a0two\u2003three\u3000four", "one two three four"),
        ("one\u2028two\x85three\x0cfour", "one two three four"),
        ("2019–20 and re‑open", "2019-20 and re-open"),
        ("ﬁnd ＡＢＣ ①", "find ABC 1"),
        ("  Keep CASE: 3.5% (©)!  ", "Keep CASE: 3.5% (©)!"),
        ("half \ud800 surrogate", "half surrogate"),
        ("", ""),
    ],
)
def test_only_typesetting_goes(text, expected):
    assert normalise(text) == expected


def test_composed_and_decomposed_letters_meet():
    assert normalise(unicodedata.normalize("NFD", "café Réunion")) == normalise("café Réunion")


@pytest.mark.parametrize("letter", ["a", "é", "\u00a0x"])
def test_a_very_long_paragraph_is_read_in_part(letter):
    assert 0 < len(normalise(letter * 3 * MAX_LOOKED_AT)) <= MAX_LOOKED_AT


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("LIVE from the harbour", {"UP:live", "live"}),
        ("READ MORE: Five things to do", {"cue:read more", "<cue>", "UP:read", "UP:more"}),
        ("By Ines Okafor | Harbour Post", {"cue:by ines okafor", "<cue>"}),
        ("Watch now 02:35", {"<clock>"}),
        ("1:02:35", {"<clock>"}),
        ("Follow @harbourpost today", {"<handle>", "follow <handle>"}),
        ("#floods", {"<hashtag>"}),
        ("© Harbour Images", {"©", "© harbour"}),
        ("Story at https://example.org/a?b=1", {"<url>"}),
        ("See harbourpost.co.uk for more", {"<url>"}),
        ("Write to desk@harbour.example", {"<mail>"}),
        ("In 2019 it cost $40", {"<year>", "<money>"}),
        ("12/11/2020", {"<date>"}),
        ("[Advertisement]", {"[", "]", "advertisement"}),
        ("Latest News", {"<s> latest", "news </s>", "latest news"}),
    ],
)
def test_what_boilerplate_is_recognised_by_becomes_a_term(text, terms):
    assert terms <= set(lexical_tokens(text))


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("Live from the harbour", "UP:live"),
        ("He said it again: no", "cue:no"),
        ("The minister said on a cold Monday morning in town: no", "<cue>"),
        ("Write to desk@harbour.example", "<handle>"),
        ("A score of 3-2", "<clock>"),
        ("I said A", "UP:a"),
    ],
)
def test_terms_are_not_seen_where_they_are_not(text, absent):
    assert absent not in lexical_tokens(text)


@given(st.text())
def test_any_text_has_terms_without_white_space_at_the_edges(text):
    assert all(term == term.strip() and term for term in lexical_tokens(normalise(text)))


@pytest.mark.parametrize(
    ("token", "expected"), [("river", "xx"), ("River", "Xx"), ("BBC", "XX"), ("I", "X"), ("iPhone", "xX")]
)
def test_shape(token, expected):
    assert shape(token) == expected


@pytest.mark.parametrize(
    "words",
    [("Syria", "Syrian", "Syria's", "SYRIAN"), ("bridge", "bridges", "Bridge's"), ("resident", "residents")],
)
def test_forms_of_a_word_share_a_stem(words):
    assert len({stem(word)[:5] for word in words}) == 1
    assert stem(words[0]) == stem(words[-1]) or stem(words[-1]).startswith(stem(words[0]))


@pytest.mark.parametrize(("one", "other"), [("gas", "ga"), ("glass", "glas"), ("bridge", "border")])
def test_other_words_have_other_stems(one, other):
    assert stem(one) != stem(other)


def test_words_keep_case_and_apostrophes():
    assert word_list("Don't go: BBC's 3 men_and") == ["Don't", "go", "BBC's", "3", "men", "and"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The river rose.", True),
        ('"Did it?"', True),
        ("(It did!)", True),
        ("and then…", True),
        ("Latest News", False),
        ("The following:", False),
        ("", False),
    ],
)
def test_sentence_ends(text, expected):
    assert ends_sentence(text) is expected


def test_stop_words_are_lower_case_words():
    assert {"the", "and", "of", "i'm"} <= STOP_WORDS
    assert all(word == word.lower() for word in STOP_WORDS)
