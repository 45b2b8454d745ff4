"""Text as every feature sees it: normalised, and cut into tokens.

Nothing here touches what a user gets back. The cleaned article is made of the
original characters; only the features look at the normalised ones.
"""

import re
import unicodedata
from itertools import pairwise

MAX_LOOKED_AT = 20_000
"""Characters of one paragraph that features look at; the rest is never read (nor cut from the output)."""

CHARACTERS_LOOKED_AT = 120
"""Characters at either end of a paragraph that are cut into n-grams."""

_QUOTES = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‚": "'",
        "‛": "'",
        "′": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "‟": '"',
        "″": '"',
        "«": '"',
        "–": "-",
        "‒": "-",
        "−": "-",
        "‐": "-",
        "‑": "-",
    }
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_SPACE = re.compile(r"\s+")

_TOKENS = r"""
    (?P<url>https?://\S+|www\.\S+|\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,3}\.(?:com|org|net|co\.uk|gov|edu|info|tv|news|io|ly|me)\b\S*)
  | (?P<mail>[\w.+-]{1,64}@[\w-]{1,63}\.\w[\w.-]{0,63})
  | (?P<handle>(?<!\w)@\w+)
  | (?P<hashtag>(?<!\w)\#\w+)
  | (?P<clock>\b\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\b)
  | (?P<date>\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b)
  | (?P<number>[$£€₹]?\d[\d,.]*\d|\d)
  | (?P<word>[^\W\d_](?:['\w]*\w)?)
  | (?P<mark>[©®™|•·»›>→*\[\](){}:;?!"…—~#=+_/\\&%-])
  | (?P<other>[^\s\w])
    """  # compiled when it is first used: cleaning with the kernel has no need of it
_SHAPELESS = {"url", "mail", "handle", "hashtag", "clock", "date"}
_CUE = r"^\W{0,3}((?:[\w'&.]+\s){0,3}[\w'&.]+)\s?[:|>»→]"
_SENTENCE_END = re.compile(r"[.!?…][\"')\]]*$")
_STEM = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

SHAPE_TERMS = ("<", "first:", "last:", "whole:")
"""How the terms start that tell only the shape of a paragraph, not a word of it."""

STOP_WORDS = frozenset(
    """a about above after again against all almost also although always am among an and another any are around as at
    back be became because been before being between both but by came can could day days did do does doing done down
    during each either else even ever every few first five for four from further get go going good got had has have
    having he her here hers him his how however i i'm if in into is isn't it it's its itself just know last later
    least less like little long made make many may me might more most much must my near need never new next no nor
    not now of off often on once one only or other our out over own part people per put said same saw say says second
    see seen several shall she should since six so some still such take ten than that that's the their them then
    there these they thing things third this those though three through time to today told too two under until up
    upon us use used very via want was way we week weeks well went were what when where whether which while who whom
    whose why will with within without won't would year years yes yet you your""".split()
)
"""English words that carry no topic."""


def normalise(text: str) -> str:
    """Return `text` with the differences removed that only typesetting makes.

    NFKC, zero-width and control-format characters dropped, curly quotes and
    hyphens straightened, every run of white space (NBSP too) one blank. Case,
    digits and punctuation stay: boilerplate is recognised by them.
    """
    text = text[:MAX_LOOKED_AT]
    if not text.isascii():
        text = straightened(text)
    if len(text) < MAX_LOOKED_AT:  # nothing is to be cut, and this is much faster
        return " ".join(text.split())
    return _SPACE.sub(" ", text)[:MAX_LOOKED_AT].strip()


def straightened(text: str) -> str:
    """Return `text` in NFKC, without invisible characters, quotes and hyphens straight; white space as it is."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).translate(_QUOTES))
    return unicodedata.normalize("NFKC", text)  # what stood around an invisible character may now combine


def shape(token: str) -> str:
    """Return the class of a word by its case: ``xx``, ``Xx``, ``XX`` or ``X``."""
    if token.islower():
        return "xx"
    if token.isupper():
        return "XX" if len(token) > 1 else "X"
    return "Xx" if token[0].isupper() else "xX"


def _number_shape(token: str) -> str:
    digits = re.sub(r"\d", "9", token)
    if re.fullmatch(r"(19|20)\d\d", token):
        return "<year>"
    if digits[0] != "9":
        return "<money>"
    return f"<{digits}>" if len(digits) <= 3 else "<number>"


def lexical_tokens(text: str) -> list[str]:
    """Return the terms of one normalised paragraph: words 1-2 and shapes.

    Words are lower-cased but what case, punctuation and position tell is kept
    in terms of its own: ``<s>`` and ``</s>`` at the ends, ``UP:word`` for
    capitals, ``cue:…`` for what precedes a colon at the start, ``<url>``,
    ``<handle>``, ``<clock>``, number shapes, and the shapes of the first and
    last tokens.
    """
    sequence = ["<s>"]
    shapes = []
    extra = []
    for match in re.finditer(_TOKENS, text, re.VERBOSE | re.IGNORECASE):
        kind = match.lastgroup or "other"
        token = match.group()
        if kind == "word":
            sequence.append(token.lower())
            form = shape(token)
            shapes.append(form)
            if form == "XX":
                extra.append(f"UP:{token.lower()}")
        elif kind == "number":
            sequence.append(_number_shape(token))
            shapes.append("9")
        elif kind in _SHAPELESS:
            sequence.append(f"<{kind}>")
            shapes.append(kind)
        else:
            sequence.append(token)
            shapes.append(token)
    sequence.append("</s>")
    cue = re.match(_CUE, text)
    if cue:
        extra.append(f"cue:{cue.group(1).lower()}")
        extra.append("<cue>")
    extra += [f"first:{' '.join(shapes[:size])}" for size in (1, 2, 3, 4) if len(shapes) >= size]
    extra += [f"last:{' '.join(shapes[-size:])}" for size in (1, 2, 3) if len(shapes) >= size]
    if len(shapes) <= 8:
        extra.append(f"whole:{' '.join(shapes)}")
    pairs = [f"{left} {right}" for left, right in pairwise(sequence)]
    return sequence[1:-1] + pairs + extra


def character_grams(text: str, shortest: int, longest: int) -> list[str]:
    """Return the n-grams of characters at both ends of a normalised paragraph, case kept.

    Boilerplate shows at the edges (a cue, a credit, a sign-off), so only the
    first and the last 120 characters are cut up. ``\\x02`` and ``\\x03`` mark
    the ends.
    """
    if len(text) <= 2 * CHARACTERS_LOOKED_AT:
        stretches = [f"\x02{text}\x03"]
    else:
        stretches = [f"\x02{text[:CHARACTERS_LOOKED_AT]}", f"{text[-CHARACTERS_LOOKED_AT:]}\x03"]
    return [
        stretch[start : start + size]
        for stretch in stretches
        for size in range(shortest, longest + 1)
        for start in range(len(stretch) - size + 1)
    ]


def stem(word: str) -> str:
    """Return the crude stem under which a word is looked for elsewhere in its article.

    The possessive goes, then a plural's s, then all but the first six letters: enough that
    "Syria", "Syrian" and "Syria's" meet, cheap enough for one pass.
    """
    word = word.lower().removesuffix("'s")
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:6]


def word_list(text: str) -> list[str]:
    """Return the words and numbers of a normalised paragraph, case kept."""
    return _STEM.findall(text)


def ends_sentence(text: str) -> bool:
    """Tell whether a normalised paragraph ends as a sentence does."""
    return _SENTENCE_END.search(text) is not None


def marks(text: str) -> int:
    """Count the characters that are neither letters nor digits, white space, or the marks of plain prose."""
    return sum(not (c.isalnum() or c.isspace() or c in ".,'\"-") for c in text)
