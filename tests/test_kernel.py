"""The compiled kernel against the reference: the same numbers, the same probabilities, the same decisions."""

import os
import pickle
import random
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_support import ARTICLES, assert_alike

import noisefilter as nf
from noisefilter import bundle
from noisefilter.article import Article
from noisefilter.kernel import why_not
from noisefilter.kernel.characters import described
from noisefilter.labels import read_labels
from noisefilter.sources import load_sources, read_source
from noisefilter.text import MAX_LOOKED_AT

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

TRAINING = Path(__file__).parents[1] / "training"
CORPUS = TRAINING / "corpus"
ASSIGNED = [character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(character) != "Cn"]
BASIC = [character for character in ASSIGNED if ord(character) < 0x10000]
PLAIN = [character for character in BASIC if described(character) is not None]


@given(ARTICLES)
@example(Article("  ", ["Harbour bridge to close"]))
@example(Article(None, ["Harbour bridge to close for repairs — The Daily"]))
@example(Article(None, ["Harbour bridge to close for repairs", "It will.", "It will."]))
@example(Article("\u0130\u0301 strange title", ["A strange title", "\u0130\u0301 strange"]))
def test_any_article_has_the_same_numbers_and_probabilities(kernel, reference, article):
    assert_alike(article, kernel, reference)


@given(st.characters())
def test_any_character_in_any_company(kernel, reference, character):
    words = [
        f"a{character}b {character} {character}1 {character}'s",
        f"{character}",
        f"A{character} Photo{character}: x",
    ]
    assert_alike(
        Article(None, [*words, f"x{character}\u0301", f"1{character}2 {character}{character}"]), kernel, reference
    )


COMPANY = "a{0}b {0} {0}'s A{0} x{0}: {0}{0} {0}1"


def paragraphs_of(characters, together, company=COMPANY):
    """Return each character in the company of others, so many to a paragraph."""
    words = [company.format(character) for character in characters]
    return [" ".join(words[start : start + together]) for start in range(0, len(words), together)]


def assert_paragraphs_alike(paragraphs, kernel, reference):
    for start in range(0, len(paragraphs), 40):
        assert_alike(Article("A title of some words", paragraphs[start : start + 40]), kernel, reference)


def test_every_plain_character_has_the_same_numbers(kernel, reference):
    assert len(PLAIN) > 4000
    assert_paragraphs_alike(paragraphs_of(PLAIN, 1), kernel, reference)


def test_every_assigned_character_of_the_basic_plane_in_mixed_paragraphs(kernel, reference):
    assert len(BASIC) > 60_000
    chance = random.Random(6)
    assert_paragraphs_alike(paragraphs_of(chance.sample(BASIC, len(BASIC)), 64, "a{0}b {0} {0}'s"), kernel, reference)


def test_some_characters_of_the_other_planes_in_mixed_paragraphs(kernel, reference):
    chance = random.Random(7)
    others = [character for character in ASSIGNED if not unicodedata.category(character).startswith("Co")][len(BASIC) :]
    mixed = chance.sample(others, 1500) + chance.sample(PLAIN, 1500)
    chance.shuffle(mixed)
    assert_paragraphs_alike(paragraphs_of(mixed, 4), kernel, reference)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 10_000,
        "a" * 3 * MAX_LOOKED_AT,
        "…" * MAX_LOOKED_AT,
        " \u00a0" * MAX_LOOKED_AT + "beyond what is looked at",
        "1 22 333 4,444 " * 2_000,
        "Ж" * 2 * MAX_LOOKED_AT,
        "字" * 2 * MAX_LOOKED_AT,
        "x@" * 15_000,
        "a.b." * 9_000,
        "'" * 30_000,
        "https://" * 4_000,
    ],
    ids=range(11),
)
def test_gigantic_paragraphs(kernel, reference, text):
    assert_alike(Article("A title of some words", [text, "The bridge is closed.", text + "!"]), kernel, reference)


def many(count):
    """Paragraphs of which some come again, some almost, and some stand alone."""
    chance = random.Random(5)
    words = [f"w{number}" for number in range(400)]
    return [
        chance.choice(
            [
                "Sign up for our newsletter",
                f"Item {at} of a long list of things that are all alike but for the number",
                f"SIGN up for our newsletter {at % 7}!",
                " ".join(chance.choices(words, k=chance.randrange(1, 25))).capitalize() + ".",
            ]
        )
        for at in range(count)
    ]


@pytest.mark.parametrize("count", [7, 8, 9, 15, 16, 17, 24, 25, 99, 101, 102, 203, 900])
def test_many_paragraphs(kernel, reference, count):
    """Eight are scored side by side, and those more than a hundred apart are not compared."""
    assert_alike(Article("A title of some words w1 w2", many(count)), kernel, reference)


def test_thousands_of_paragraphs_take_as_many_times_as_long(kernel):
    def seconds(paragraphs):
        start = time.process_time()
        kernel.score(Article(None, paragraphs))
        return time.process_time() - start

    for shape in (many, lambda count: ["Sign up for our newsletter today"] * count):
        kernel.score(Article(None, shape(1000)))
        assert seconds(shape(16_000)) < 5 * 16 * min(seconds(shape(1000)) for _ in range(3))


@pytest.fixture(scope="module")
def articles():
    labelled = read_labels([CORPUS / "train.jsonl"])[::25] + read_labels([CORPUS / "test.jsonl"])[::10]
    return [entry.article for entry in labelled]


def test_articles_of_the_corpus_have_the_same_numbers(kernel, reference, articles):
    for article in articles:
        assert_alike(article, kernel, reference)


def assert_same_decisions(articles, kernel, reference):
    """Return how many paragraphs both drop."""
    mine, theirs = nf.NoiseFilter(kernel), nf.NoiseFilter(reference)
    dropped = 0
    for article in articles:
        one, other = mine.clean(article), theirs.clean(article)
        assert one.text == other.text
        decisions = [[(each.drop, each.reason, each.label) for each in cleaned.decisions] for cleaned in (one, other)]
        assert decisions[0] == decisions[1]
        assert [score.round for score in one.scored] == [score.round for score in other.scored]
        dropped += len(one.dropped)
    return dropped


def test_every_fifth_article_of_the_corpus_gets_the_same_decisions(kernel, reference):
    labelled = read_labels([CORPUS / "train.jsonl"])[::5] + read_labels([CORPUS / "test.jsonl"])[::10]
    assert assert_same_decisions([entry.article for entry in labelled], kernel, reference) > 1000


@pytest.mark.shared
@pytest.mark.skipif(not os.environ.get("NOISEFILTER_DATA"), reason="needs the public sets: set NOISEFILTER_DATA")
def test_every_third_article_of_the_public_training_sets_gets_the_same_decisions(kernel, reference):
    folder = Path(os.environ["NOISEFILTER_DATA"])
    sources = [source for source in load_sources(TRAINING / "sources.toml") if source.use == "train"]
    labelled = [entry for source in sources for entry in read_source(source, folder) or ()]
    assert assert_same_decisions([entry.article for entry in labelled[::3]], kernel, reference) > 1000


@given(st.data())
def test_what_is_left_is_scored_as_an_article_of_its_own(kernel, articles, data):
    article = data.draw(st.sampled_from(articles[:8]))
    alive = sorted(data.draw(st.sets(st.integers(0, len(article.paragraphs) - 1))))
    apart, within = kernel.score(article.subset(alive)), kernel.read(article).score(alive)
    assert [score.shield for score in apart] == [score.shield for score in within]
    for one, other in zip(apart, within, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-9)


def test_threads_do_not_disturb_each_other(articles):
    model = bundle.from_bytes(bundle._read(None), "a fresh model", kernel=True)  # that no character was asked of yet
    expected = [nf.load_model(kernel=True).score(article) for article in articles]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(model.score, articles)) == expected
        reading = model.read(articles[0])
        alive = range(len(articles[0].paragraphs))
        assert set(pool.map(lambda _: tuple(map(str, reading.score(alive))), range(50))) == {
            tuple(map(str, expected[0]))
        }


@pytest.fixture
def hasty():
    """Threads that give way to each other all the time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def scores_of_many_threads(model, article):
    together = Barrier(8)

    def score(_):
        together.wait(60)
        return model.score(article)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(score, range(8)))


@pytest.mark.usefixtures("hasty")
def test_threads_may_meet_the_same_new_characters_at_once(kernel):
    article = Article("A title of some words", paragraphs_of(PLAIN, 64))
    expected = kernel.score(article)
    for _ in range(3):
        fresh = bundle.from_bytes(bundle._read(None), "a fresh model", kernel=True)
        assert scores_of_many_threads(fresh, article) == [expected] * 8


def test_only_strings_are_read(kernel):
    inner = kernel.scorer.kernel
    reading = inner.read(["The bridge is closed."])
    for call in (
        lambda: inner.read([None]),
        lambda: inner.read(["The bridge is closed.", None]),
        lambda: inner.read([b"The bridge is closed."]),
        lambda: inner.read(None),
        lambda: reading.score([0], None, -1),
        lambda: type(reading)(None, ["The bridge is closed."]),
        lambda: type(reading).__new__(type(reading)),
        lambda: type(inner).__new__(type(inner)),
    ):
        with pytest.raises(TypeError):
            call()
    assert len(reading.score([0], "", -1)) == 1


def test_it_can_be_pickled(kernel, articles):
    again = pickle.loads(pickle.dumps(kernel))
    assert again.score(articles[0]) == kernel.score(articles[0])


def test_the_classifier_is_there_when_it_is_asked_for(kernel, reference, articles):
    np.testing.assert_array_equal(
        kernel.classifier.score_article(articles[0]), reference.classifier.score_article(articles[0])
    )
