"""Training articles made from labelled ones: inserts spliced in, and noise thinned out.

Off-topicness cannot be learnt from paragraphs alone, and articles with real
inserts are few. Splicing a headline, a blurb, a paragraph, a poll or an advert
of one article into another gives labelled inserts without end, half of them
from articles on the same topic, in forms that vary. Thinning keeps the model
from expecting as much noise everywhere as the labelled articles happen to hold.
"""

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from noisefilter.article import Label
from noisefilter.labels import LabelledArticle, LabelledParagraph

FORMS = ("headline", "headline_and_blurb", "headline_and_blurb", "blurb", "paragraph", "poll", "advert")
"""Forms of inserts; a headline with its blurb is the commonest in the wild, so it is drawn twice as often."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“‘A-Z0-9])")
_FEWEST_WORDS = 12
_LEFT = 0.15


@dataclass(frozen=True, slots=True)
class Synthesis:
    """How training articles are made.

    Attributes
    ----------
    copies : int
        Made articles for each labelled one.
    inserts : int
        At most so many inserts in each.
    same_topic : float
        Share of the inserts taken from an article on the same topic.
    pasted_twice : float
        Share of the inserts that come a second time in the same article.
    thinnest, thickest : float
        Between these shares of the article's own noise is kept.
    cleaned : float
        Share of the made articles that get no insert and keep next to none of their noise: articles as they are
        when most of the cleaning is done.
    seed : int
    """

    copies: int = 2
    inserts: int = 2
    same_topic: float = 0.5
    pasted_twice: float = 0.1
    thinnest: float = 0.05
    thickest: float = 0.6
    cleaned: float = 0.0
    seed: int = 0


def synthesise(articles: Sequence[LabelledArticle], how: Synthesis) -> list[LabelledArticle]:
    """Return `how.copies` made articles for each labelled one; the order of `articles` makes no difference.

    Parameters
    ----------
    articles : sequence of LabelledArticle
        Hosts and donors alike: give only training articles.
    how : Synthesis

    Returns
    -------
    list of LabelledArticle
        Ids are the host's with ``~1``, ``~2``, …; spliced paragraphs have the kind ``spliced``.
    """
    pool = sorted(articles, key=lambda article: article.id)
    by_topic: dict[str | None, list[LabelledArticle]] = defaultdict(list)
    for article in pool:
        by_topic[article.topic].append(article)
    asides = {
        form: [
            (article.id, paragraph.text)
            for article in pool
            for paragraph in article.paragraphs
            if paragraph.label is Label.OFF_TOPIC and paragraph.kind == kind
        ]
        for form, kind in (("poll", "poll"), ("advert", "ad_or_product"))
    }
    made = []
    for host in pool:
        for copy in range(1, how.copies + 1):
            chance = random.Random(f"{how.seed}:{host.id}:{copy}")  # noqa: S311
            cleaned = chance.random() < how.cleaned
            paragraphs = _thinned(host, chance, 0.0 if cleaned else how.thinnest, _LEFT if cleaned else how.thickest)
            for _ in range(0 if cleaned else chance.randint(0, how.inserts)):
                near = by_topic[host.topic] if host.topic and chance.random() < how.same_topic else pool
                donor = chance.choice(near)
                if donor.id != host.id:
                    _splice(paragraphs, _insert(host, donor, asides, chance), chance, how)
            made.append(replace(host, id=f"{host.id}~{copy}", paragraphs=tuple(paragraphs)))
    return made


def _thinned(host: LabelledArticle, chance: random.Random, least: float, most: float) -> list[LabelledParagraph]:
    share = chance.uniform(least, most)
    return [paragraph for paragraph in host.paragraphs if not paragraph.label.is_noise or chance.random() < share]


def _insert(
    host: LabelledArticle,
    donor: LabelledArticle,
    asides: Mapping[str, Sequence[tuple[str, str]]],
    chance: random.Random,
) -> list[str]:
    """Return the lines of one insert; none if the donor has no text for the form drawn."""
    form = chance.choice(FORMS)
    foreign = [text for owner, text in asides.get(form, ()) if owner != host.id]
    if foreign:
        return [chance.choice(foreign)]
    body = [
        paragraph.text
        for paragraph in donor.paragraphs
        if paragraph.label is Label.CONTENT and not paragraph.kind and len(paragraph.text.split()) >= _FEWEST_WORDS
    ]
    if form == "headline" or not body:
        return [donor.title] if donor.title else []
    text = chance.choice(body)
    blurb = " ".join(_SENTENCE.split(text)[: chance.randint(1, 2)])
    if form == "headline_and_blurb" and donor.title:
        return [donor.title, blurb]
    return [text] if form == "paragraph" else [blurb]


def _splice(paragraphs: list[LabelledParagraph], lines: list[str], chance: random.Random, how: Synthesis) -> None:
    insert = [LabelledParagraph(line, Label.OFF_TOPIC, "spliced") for line in lines]
    for _ in range(2 if chance.random() < how.pasted_twice else 1):
        at = chance.randint(min(1, len(paragraphs)), len(paragraphs))
        paragraphs[at:at] = insert
