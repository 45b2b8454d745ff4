"""The title of an article: what of it is a headline, and which paragraph it is when nobody says."""

import re

from noisefilter.article import Article
from noisefilter.text import STOP_WORDS, ends_sentence, normalise, stem, word_list

_METADATA = re.compile(
    r"^(?:(?:date|published|posted|updated|title|headline)\W{0,2}\s*)?"
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?Z?)?)\s+",
    re.IGNORECASE,
)
_SITE_NAME = re.compile(r"\s+(?:\||-|—|::|»)\s+[^|]{2,40}$")
_NOT_A_HEADLINE = re.compile(
    r"^(?:by|photo|image|updated|published|posted|share|sign up|subscribe|advertisement|home|read more)\b"
    r"|[©|>»]|https?:",
    re.IGNORECASE,
)
_FEWEST_WORDS, _MOST_WORDS = 3, 30
_SHARED_WITH_BODY = 0.34


def headline_of(title: str) -> str:
    """Return a title normalised, without a date glued to its front or a site's name to its end."""
    text = _METADATA.sub("", normalise(title))
    bare = _SITE_NAME.sub("", text)
    return bare if len(bare.split()) >= _FEWEST_WORDS else text


def title_index(article: Article) -> int | None:
    """Return which paragraph is the title, or None.

    None where the article has a title of its own: then a paragraph that
    repeats it is a repetition. Otherwise the first paragraph, if it reads like
    a headline of what follows: short, no full stop, no cue of boilerplate, and
    at least a third of its words come again below.
    """
    if article.title and article.title.strip():
        return None
    if len(article.paragraphs) < 2:
        return None
    headline = headline_of(article.paragraphs[0].text)
    words = word_list(headline)
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS:
        return None
    if (ends_sentence(headline) and headline.endswith(".")) or _NOT_A_HEADLINE.search(headline):
        return None
    wanted = {stem(word) for word in words if word.lower() not in STOP_WORDS}
    below = {stem(word) for later in article.paragraphs[1:] for word in word_list(normalise(later.text))}
    return 0 if wanted and len(wanted & below) >= _SHARED_WITH_BODY * len(wanted) else None
