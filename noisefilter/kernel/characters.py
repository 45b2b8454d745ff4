"""What Python says of characters and of strange paragraphs: the kernel speaks of the same Unicode by asking it.

Most characters of a news article are plain: normalisation makes the same of them wherever they stand, and case is a
matter of one character. A paragraph of plain characters is cut natively; any other one by the functions of
`noisefilter.text` and `noisefilter.lexical`, the very ones that training uses.
"""

import unicodedata
from typing import NamedTuple

from noisefilter.text import (
    STOP_WORDS,
    character_grams,
    ends_sentence,
    lexical_tokens,
    marks,
    stem,
    straightened,
    word_list,
)

_PLAIN = (range(0x590), range(0x1E00, 0x2C00))
_AMBIGUOUS = "İıΣσς"
"""Characters that other characters turn into by case in ways that depend on where they stand."""

_LONGEST = 3
_FLAGS = (
    (1, str.isalnum),
    (2, str.isdecimal),
    (4, str.isupper),
    (8, str.islower),
    (16, str.isdigit),
    (32, str.isspace),
    (64, lambda character: character == "-" or (character.isascii() and character.isalnum())),
)


def described(character: str) -> tuple[int, int, str] | None:
    """Return flags, lower case and what normalisation makes of a character; None if it is not plain."""
    becomes = character if character.isascii() else straightened(character)
    if len(becomes) > _LONGEST or not all(_plain(part) for part in becomes) or not _within(character):
        return None
    flags = sum(bit for bit, holds in _FLAGS if holds(character))
    lower = character.lower()
    return flags, ord(lower) if len(lower) == 1 else 0, becomes


def _within(character: str) -> bool:
    return any(ord(character) in places for places in _PLAIN) and not unicodedata.combining(character)


def _plain(character: str) -> bool:
    """Tell whether a character of a normalised text is plain."""
    lower = character.lower()
    return (
        _within(character)
        and character not in _AMBIGUOUS
        and (character.isascii() or straightened(character) == character)
        and len(lower) == 1
        and _within(lower)
        and not (character.istitle() and not character.isupper())
    )


class Found(NamedTuple):
    """What the reference reads in one paragraph.

    Attributes
    ----------
    words : list of (str, str, int)
        Each word, its stem, and what it is: 1 a stop word, 2 capitalised, 4 all capitals, 8 a number; added up.
    terms, grams : list of str
        Of words, and of characters.
    ends, starts_lower, quoted, colon : bool
    sentences, digits, marks : int
    """

    words: list[tuple[str, str, int]]
    terms: list[str]
    grams: list[str]
    ends: bool
    starts_lower: bool
    quoted: bool
    colon: bool
    sentences: int
    digits: int
    marks: int


def found(text: str, shortest: int, longest: int, terms: bool) -> Found:
    """Read a normalised paragraph that is not plain, as the reference does; a title's terms are left out."""
    return Found(
        [(word, stem(word), _word(word)) for word in word_list(text)],
        lexical_tokens(text) if terms else [],
        character_grams(text, shortest, longest) if terms else [],
        ends_sentence(text),
        text[:1].islower(),
        '"' in text,
        ":" in text[:40],
        sum(text.count(mark) for mark in ".!?"),
        sum(character.isdigit() for character in text),
        marks(text),
    )


def _word(word: str) -> int:
    return (
        (word.lower() in STOP_WORDS)
        + 2 * word[0].isupper()
        + 4 * (word.isupper() and len(word) > 1)
        + 8 * word[0].isdigit()
    )
