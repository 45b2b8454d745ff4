"""The title of an article: what of it is a headline, and which paragraph it is when nobody says."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from noisefilter.article import Article
from noisefilter.text import MAX_LOOKED_AT, normalise, word_list

_METADATA = re.compile(
    r"^(?:(?:date|published|posted|updated|title|headline)\W{0,2}\s*)?"
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?Z?)?)\s+",
    re.IGNORECASE,
)
_SITE_NAME = re.compile(r"\s+(?:\||-|—|::|»)\s+[^|]{2,40}$")
_FURNITURE = re.compile(
    r"^(?:"
    r"by\b(?!.*:)|(?:sign (?:up|in)|log in|subscribe|see also|advertisement|sponsored|filed under)\b"
    r"|(?:photo|image|picture|source|related|share|home|copyright|tags?|topics?|updated|published|posted)"
    r"\s*(?:[:|/>-]|by\b|\d|$)"
    r"|(?:photo|image|picture) (?:credit|courtesy|gallery)|related (?:articles|content|coverage|links|news|posts"
    r"|reading|stories|topics|videos?)\b|share (?:this|on|via|with|the (?:article|story|post))\b|home (?:news|page)\b"
    r"|follow (?:us|on|the topics)\b|follow @|click (?:here|to)\b(?!.*:)|download (?:our|now|the app)\b"
    r"|read (?:also|more|next|our|this|the full)\b|(?:published|updated|posted) (?:on|at)\b"
    r")|[©|>»@]|https?:|\b\d{1,2}[:.]\d{2}\b|\bmin(?:ute)? read\b",
    re.IGNORECASE,
)
_CALENDAR = frozenset(
    """january february march april may june july august september october november december jan feb mar apr jun jul
    aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs
    fri sat sun st nd rd th am pm gmt utc bst est edt cet ist""".split()
)
_FEWEST_WORDS, _MOST_WORDS = 3, 30
_ABOVE = 6
_LONGEST_FURNITURE = 12


def headline_of(title: str) -> str:
    """Return a title normalised, without a date glued to its front or a site's name to its end."""
    text = _METADATA.sub("", normalise(title))
    bare = _SITE_NAME.sub("", text)
    return bare if len(bare.split()) >= _FEWEST_WORDS else text


def title_index(article: Article) -> int | None:
    """Return which paragraph is the title, or None.

    None where the article has a title of its own: then a paragraph that
    repeats it is a repetition. Otherwise the first paragraph, if it has the
    form of a headline: 3 to 30 words, no full stop, colon, comma or semicolon at the end, nothing that
    furniture is recognised by, more than a date. The rest of the article has no say, so the
    title stays the title whatever else is dropped.
    """
    if not article.paragraphs or not is_title(article.paragraphs[0].text, article.title):
        return None
    return 0


def topmost_title(texts: Iterable[str], title: str | None) -> int | None:
    """Return which of an article's paragraphs is its title, also under a few lines of furniture, or None.

    A date, a byline or a section's name may stand above the headline. What is read as the title is the first
    paragraph alone (see `title_index`); this one is not to be dropped either.
    """
    if _has_title(title):
        return None
    for at, text in enumerate(islice(texts, _ABOVE + 1)):
        if is_title(text, title):
            return at
        if not _is_furniture(normalise(text)):
            return None
    return None


def is_title(first: str, title: str | None) -> bool:
    """Tell whether the first paragraph is the title of an article with this title or none; see `title_index`."""
    return not _has_title(title) and _is_headline(first[:MAX_LOOKED_AT])


@lru_cache(maxsize=2)  # asked of the same paragraph when an article is scored, and when it is decided
def _is_headline(text: str) -> bool:
    headline = headline_of(text)
    if not _FEWEST_WORDS <= len(word_list(headline)) <= _MOST_WORDS or _is_date(headline):
        return False
    return not headline.rstrip("\"')]").endswith((".", ":", ",", ";")) and not _FURNITURE.search(headline)


def _has_title(title: str | None) -> bool:
    return title is not None and title.strip() != ""


def _is_furniture(text: str) -> bool:
    words = len(word_list(text))
    return words < _FEWEST_WORDS or (words <= _LONGEST_FURNITURE and (_is_date(text) or bool(_FURNITURE.search(text))))


def _is_date(text: str) -> bool:
    return all(word[0].isdigit() or word.lower() in _CALENDAR for word in word_list(text))
