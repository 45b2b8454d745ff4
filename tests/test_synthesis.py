import random
from collections import Counter

import numpy as np
import pytest

from noisefilter.article import Label
from noisefilter.labels import LabelledArticle, LabelledParagraph
from noisefilter.synthesis import Synthesis, synthesise

HOW = Synthesis(copies=3, inserts=3, seed=4)


@pytest.fixture(scope="module")
def made(labelled):
    return synthesise(labelled, HOW)


def host_of(article, labelled):
    return next(entry for entry in labelled if entry.id == article.id.rsplit("~", 1)[0])


def own(article):
    return [paragraph for paragraph in article.paragraphs if paragraph.kind != "spliced"]


def spliced(article):
    return [paragraph for paragraph in article.paragraphs if paragraph.kind == "spliced"]


def article(name, topic="weather", paragraphs=(), title=None):
    content = [LabelledParagraph(f"{name} {at}: {'word ' * 12}end.", Label.CONTENT) for at in range(4)]
    return LabelledArticle(name, title or f"Title of {name}", (*content, *paragraphs), f"site of {name}", topic)


def test_each_article_is_made_so_many_times(made, labelled):
    assert sorted(entry.id for entry in made) == sorted(f"{entry.id}~{n}" for entry in labelled for n in (1, 2, 3))
    assert synthesise(labelled, Synthesis(copies=0)) == []


def test_the_hosts_title_site_and_topic_stay(made, labelled):
    for entry in made:
        host = host_of(entry, labelled)
        assert (entry.title, entry.site, entry.topic) == (host.title, host.site, host.topic)


def test_content_stays_whole_and_in_order(made, labelled):
    for entry in made:
        host = host_of(entry, labelled)
        assert [p for p in own(entry) if not p.label.is_noise] == [p for p in host.paragraphs if not p.label.is_noise]
        left = iter(host.paragraphs)
        assert all(paragraph in left for paragraph in own(entry))


def test_inserts_are_off_topic_and_from_elsewhere(made, labelled):
    for entry in made:
        others = [other for other in labelled if other.id != host_of(entry, labelled).id]
        known = [text for other in others for text in (other.title, *(p.text for p in other.paragraphs))]
        for paragraph in spliced(entry):
            assert paragraph.label is Label.OFF_TOPIC
            assert any(paragraph.text in text for text in known)


def test_an_insert_never_stands_on_top(made, labelled):
    for entry in made:
        if any(not p.label.is_noise for p in host_of(entry, labelled).paragraphs[:1]):
            assert entry.paragraphs[0].kind != "spliced"


def test_inserts_vary_in_number_and_form(made):
    counts = Counter(len(spliced(entry)) for entry in made)
    assert counts[0] > 0
    assert max(counts) >= 3
    words = [len(paragraph.text.split()) for entry in made for paragraph in spliced(entry)]
    assert min(words) < 12 < max(words)


@pytest.mark.parametrize("seed", [1, 2])
def test_order_makes_no_difference(made, labelled, seed):
    shuffled = list(labelled)
    random.Random(seed).shuffle(shuffled)
    assert synthesise(shuffled, HOW) == made


def test_another_seed_makes_other_articles(made, labelled):
    assert synthesise(labelled, Synthesis(copies=3, inserts=3, seed=5)) != made


@pytest.mark.parametrize(
    ("share", "topics"), [(1.0, {"weather"}), (0.0, {"weather", "sport"})], ids=["same topic", "any topic"]
)
def test_donors_follow_the_share_of_the_same_topic(share, topics):
    pool = [article(f"{topic}{at}", topic) for topic in ("weather", "sport") for at in range(5)]
    made = synthesise(pool, Synthesis(copies=20, inserts=2, same_topic=share))
    donors = Counter(
        topic
        for entry in made
        if entry.topic == "weather"
        for paragraph in spliced(entry)
        for topic in ("weather", "sport")
        if topic in paragraph.text
    )
    assert set(donors) == topics


@pytest.mark.parametrize(("thinnest", "thickest", "left"), [(0.0, 0.0, 0), (1.0, 1.0, 6)])
def test_noise_is_thinned_between_the_shares(thinnest, thickest, left):
    noise = [LabelledParagraph(f"Advert {at}", Label.BOILERPLATE, "ad_marker") for at in range(6)]
    made = synthesise([article("a", paragraphs=noise)], Synthesis(thinnest=thinnest, thickest=thickest))
    assert [sum(p.label is Label.BOILERPLATE for p in entry.paragraphs) for entry in made] == [left, left]


@pytest.mark.parametrize(("share", "copies"), [(0.0, {1}), (1.0, {2})])
def test_an_insert_may_be_pasted_twice(share, copies):
    pool = [article("a"), article("b")]
    made = synthesise(pool, Synthesis(copies=30, inserts=1, pasted_twice=share))
    assert {count for entry in made for count in Counter(p.text for p in spliced(entry)).values()} == copies


def test_an_article_without_others_gets_no_insert():
    assert not any(spliced(entry) for entry in synthesise([article("a")], Synthesis(copies=10)))


def test_polls_and_adverts_are_taken_as_they_stand():
    asides = [
        LabelledParagraph("Should the clocks go back? Vote", Label.OFF_TOPIC, "poll"),
        LabelledParagraph("Save 20% on garden chairs", Label.OFF_TOPIC, "ad_or_product"),
    ]
    made = synthesise([article("a"), article("b", paragraphs=asides)], Synthesis(copies=60, inserts=2))
    texts = {paragraph.text for entry in made if entry.id.startswith("a") for paragraph in spliced(entry)}
    assert {aside.text for aside in asides} <= texts
    assert any(text.startswith("Title of") for text in texts)


def test_an_articles_own_aside_is_no_insert_for_it():
    poll = LabelledParagraph("Should the clocks go back? Vote", Label.OFF_TOPIC, "poll")
    how = Synthesis(copies=60, inserts=2, thinnest=0, thickest=0)
    made = synthesise([article("a", paragraphs=[poll]), article("b")], how)
    assert poll.text not in {p.text for entry in made if entry.id.startswith("a") for p in entry.paragraphs}


def test_cleaned_articles_have_no_insert_and_next_to_no_noise(labelled):
    made = synthesise(labelled, Synthesis(copies=6, inserts=3, cleaned=0.5, seed=4))
    without = synthesise(labelled, Synthesis(copies=6, inserts=3, seed=4))

    def plain(articles):
        return np.mean([not spliced(entry) for entry in articles])

    def noise_kept(articles):
        kept = sum(p.label.is_noise for entry in articles for p in own(entry))
        return kept / sum(p.label.is_noise for entry in articles for p in host_of(entry, labelled).paragraphs)

    assert plain(made) > plain(without) + 0.2
    assert noise_kept(made) < 0.75 * noise_kept(without)
    clean = synthesise(labelled, Synthesis(copies=6, inserts=3, cleaned=1.0, seed=4))
    assert plain(clean) == 1
    assert 0 < noise_kept(clean) < 0.15
