"""The title of an article: what of it is a headline, and which paragraph it is when nobody says."""

import re

from noisefilter.article import Article
from noisefilter.text import normalise, word_list

_METADATA = re.compile(
    r"^(?:(?:date|published|posted|updated|title|headline)\W{0,2}\s*)?"
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?Z?)?)\s+",
    re.IGNORECASE,
)
_SITE_NAME = re.compile(r"\s+(?:\||-|—|::|»)\s+[^|]{2,40}$")
_FURNITURE = re.compile(
    r"^(?:by|photo|image|picture|updated|published|posted|share|follow|sign (?:up|in)|log in|subscribe|home|read"
    r"|related|see also|advertisement|sponsored|click|download|copyright|source|filed under|tags?|topics?)\b"
    r"|[©|>»@]|https?:|\b\d{1,2}[:.]\d{2}\b|\bmin(?:ute)? read\b",
    re.IGNORECASE,
)
_FEWEST_WORDS, _MOST_WORDS = 3, 30


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
    furniture is recognised by. The rest of the article has no say, so the
    title stays the title whatever else is dropped.
    """
    if not article.paragraphs or not is_title(article.paragraphs[0].text, article.title):
        return None
    return 0


def is_title(first: str, title: str | None) -> bool:
    """Tell whether the first paragraph is the title of an article with this title or none; see `title_index`."""
    if title and title.strip():
        return False
    headline = headline_of(first)
    if not _FEWEST_WORDS <= len(word_list(headline)) <= _MOST_WORDS:
        return False
    return not headline.rstrip("\"')]").endswith((".", ":", ",", ";")) and not _FURNITURE.search(headline)
