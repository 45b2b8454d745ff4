"""The compiled kernel against the reference: the same numbers, the same probabilities, the same decisions."""

import os
import pickle
import random
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import noisefilter as nf
from noisefilter import bundle
from noisefilter.arrays import from_numpy
from noisefilter.article import Article
from noisefilter.errors import ModelError
from noisefilter.features import CLASSES, SECOND_LOOK
from noisefilter.kernel import Native, why_not
from noisefilter.kernel.characters import described, found
from noisefilter.kinds import FAMILIES
from noisefilter.labels import read_labels
from noisefilter.model import Model
from noisefilter.reference import Reference, classifier_of
from noisefilter.sources import load_sources, read_source
from noisefilter.text import MAX_LOOKED_AT, character_grams, lexical_tokens, normalise
from noisefilter.weights import Weights

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

TRAINING = Path(__file__).parents[1] / "training"
CORPUS = TRAINING / "corpus"
ASSIGNED = [character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(character) != "Cn"]
BASIC = [character for character in ASSIGNED if ord(character) < 0x10000]
PLAIN = [character for character in BASIC if described(character) is not None]
PIECES = [
    *"aAzZsSiIkK019_-+.,:;!?'\"()[]{}<>|/\\@#$£€₹%&*=~^`°",
    *" \t\n\r\v\f\x1c\x1f\x00\x02\x85\u00a0\u2003\u2028\u3000",
    *"éÉßñøœŒžıİſKÅµªº²½©®™•·»«›→—–‑−…‘’“”„′″¨´¯",
    *"ΑΣσςωПодж字漢かǅǆﬁ①㎏\u0301\u0308\u200b\u200d\ufeff\u00ad\u061c\u1160\ud800🙂🇬🇧",
    *"https:// HTTP://x www. WWW.a.b a.com x-y.co.uk:8 bbc.news/x".split(),
    *"A.B.C.D.com io.io one.two.three.four.five.org".split(),
    *"me@you.org a.b+c@d-e.f @you #tag x@y @@ ## 9:30 12.45 12:30:45 1:2 123:45".split(),
    *"1/2/2020 31.12.99 2020-1-2 1/2/3rd".split(),
    *"$5 $50 £1,000.50 €9.9m 1,2,3 1984 2024 2124 99 3.5% 007 1st 9am 30pm".split(),
    *"Photo: By READ MORE: Sign up » Share | Related> O'Neill's James' dogs class 's ''s".split(),
    *"don't U.S. Mr. WORD Word wORD".split(),
    *"the The THE of said Monday bridge newsletter Advertisement Copyright".split(),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=6), max_size=30).map("".join) | st.lists(
    st.sampled_from(PIECES), max_size=20
).map(" ".join)
ARTICLES = st.builds(
    Article,
    st.none() | TEXTS,
    st.lists(TEXTS | st.sampled_from(["", "Advertisement", "The bridge is closed."]), max_size=7),
)


@pytest.fixture(scope="module")
def kernel():
    return nf.load_model(kernel=True)


@pytest.fixture(scope="module")
def reference():
    return nf.load_model(kernel=False)


def assert_alike(article, kernel, reference):
    assert isinstance(kernel.scorer, Native)
    assert isinstance(reference.scorer, Reference)
    everything = range(len(article.paragraphs))
    mine, theirs = kernel.scorer.read(article), reference.scorer.read(article)
    assert mine.known == theirs.known
    assert mine.counts == theirs.counts
    if not everything:
        assert mine.probabilities(everything) == []
        return
    seen, expected = np.array(mine.numbers(everything)), reference.classifier.numbers(article)
    far = np.abs(seen - expected) > 1e-9 * (1 + np.abs(expected))
    assert not far.any(), [(SECOND_LOOK[column], int(row)) for row, column in np.argwhere(far)[:5]]
    np.testing.assert_allclose(mine.probabilities(everything), theirs.probabilities(everything), rtol=0, atol=1e-9)


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


@pytest.fixture(scope="module")
def watchful(reference):
    """Weights of which every term of some thousand strange texts has its own, and those texts."""
    chance = random.Random(11)
    texts = [chance.choice(["", " "]).join(chance.choices(PIECES, k=chance.randrange(25))) for _ in range(1500)]
    normal = [normalise(text) for text in texts]
    words = sorted({term for text in normal for term in lexical_tokens(text) if "\n" not in term})
    grams = sorted({gram for text in normal for gram in character_grams(text, 2, 7)})
    draw = np.random.default_rng(12)
    weights = reference.scorer.weights
    arrays = {
        "words_idf": draw.uniform(1, 9, len(words)).astype("<f4"),
        "characters_idf": draw.uniform(1, 9, len(grams)).astype("<f4"),
        "lexical_coef": draw.normal(size=(len(FAMILIES), len(words) + len(grams))).astype("<f2"),
    }
    lists = {"words": words, "characters": grams}
    watchful = Weights(
        {**weights.parameters, "shortest": 2, "longest": 7},
        {**weights.arrays, **{name: from_numpy(array) for name, array in arrays.items()}},
        {**weights.terms, **{name: "".join(f"{term}\n" for term in terms).encode() for name, terms in lists.items()}},
    )
    watchful.check()
    return watchful, texts


def test_every_term_is_found(watchful, reference):
    weights, texts = watchful
    mine = replace(reference, scorer=Native(weights))
    theirs = replace(reference, scorer=Reference(classifier_of(weights), reference.common_words))
    for start in range(0, len(texts), 10):
        assert_alike(Article(None, texts[start : start + 10]), mine, theirs)


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


@pytest.mark.parametrize("count", [99, 101, 102, 203, 900])
def test_many_paragraphs(kernel, reference, count):
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


def test_the_environment_chooses(monkeypatch, tiny_bundle):
    assert isinstance(bundle.from_bytes(tiny_bundle, "a").scorer, Native)
    for off in ("off", "OFF", "0", "no", "False"):
        monkeypatch.setenv("NOISEFILTER_KERNEL", off)
        assert isinstance(bundle.from_bytes(tiny_bundle, "a").scorer, Reference)
    assert isinstance(bundle.from_bytes(tiny_bundle, "a", kernel=True).scorer, Native)
    assert isinstance(nf.load_model().scorer, Reference)


def test_the_bundle_is_the_same_whichever_has_read_it(tiny_bundle):
    assert {bundle.to_bytes(bundle.from_bytes(tiny_bundle, "a", kernel=kernel)) for kernel in (True, False)} == {
        tiny_bundle
    }


def comb(weights, leaves):
    """Return weights whose second look has one tree that asks the same number again and again."""
    nodes = 2 * leaves - 1
    feature = np.full(nodes, -1, dtype=np.int32)
    left, right = np.arange(nodes, dtype=np.int32), np.arange(nodes, dtype=np.int32)
    border = np.zeros(nodes)
    for node in range(0, nodes - 1, 2):
        feature[node], border[node], left[node], right[node] = SECOND_LOOK.index("words"), node / 40, node + 1, node + 2
    coef = np.frombuffer(weights.arrays["second_coef"].data).reshape(3, -1)[
        :, : weights.arrays["second_knots"].shape[0]
    ]
    bins = np.random.default_rng(2).normal(size=(len(CLASSES), leaves))
    changed = {
        "second_bins_feature": feature,
        "second_bins_border": border,
        "second_bins_left": left,
        "second_bins_right": right,
        "second_bins_roots": np.zeros(1, dtype=np.int32),
        "second_bins_average": np.zeros(leaves),
        "second_coef": np.hstack([coef, bins]),
    }
    return replace(weights, arrays={**weights.arrays, **{name: from_numpy(array) for name, array in changed.items()}})


def test_trees_of_many_leaves_are_left_to_the_reference(reference):
    weights = comb(reference.scorer.weights, 64)
    mine = replace(reference, scorer=Native(weights))
    theirs = replace(reference, scorer=Reference(classifier_of(weights), reference.common_words))
    assert_alike(Article(None, [" ".join(["word"] * count) for count in range(40)]), mine, theirs)
    with pytest.raises(RuntimeError, match="more leaves"):
        Native(comb(weights, 65))
    tall = bundle.to_bytes(
        Model(
            theirs.scorer.__class__(classifier_of(comb(weights, 65)), reference.common_words),
            reference.common_words,
            reference.budgets,
            {},
        )
    )
    assert isinstance(bundle.from_bytes(tall, "tall").scorer, Reference)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("words_idf", lambda array: array[:-1]),
        ("characters_idf", lambda array: array[:-1]),
        ("stems_idf", lambda array: array[:-1]),
        ("lexical_coef", lambda array: array[:, :-1]),
        ("lexical_coef", lambda array: np.where(array == array.max(), np.float16("inf"), array)),
        ("lexical_intercept", lambda array: array[:-1]),
        ("first_knots", lambda array: array[::-1]),
        ("first_knots", np.zeros_like),
        ("first_knot_counts", lambda array: array + 1),
        ("first_knot_counts", lambda array: -array),
        ("second_coef", lambda array: array[:, :-1]),
        ("second_coef", lambda array: array * np.nan),
        ("second_intercept", lambda array: array[:-1]),
        ("second_bins_feature", lambda array: array + 500),
        ("second_bins_left", lambda array: array * 0),
        ("second_bins_left", lambda array: array + 100_000),
        ("second_bins_right", lambda array: -1 - array),
        ("second_bins_roots", lambda array: array + 100_000),
        ("second_bins_roots", lambda array: -1 - array),
        ("second_bins_border", lambda array: array[:-1]),
        ("second_bins_border", lambda array: array.astype(np.float32)),
    ],
)
def test_numbers_that_make_no_model_are_refused(reference, name, change):
    weights = reference.scorer.weights
    array = weights.arrays[name]
    changed = np.ascontiguousarray(change(np.frombuffer(array.data, array.kind).reshape(array.shape)))
    with pytest.raises(ValueError, match=r"\w"):
        Native(replace(weights, arrays={**weights.arrays, name: from_numpy(changed)}))


def test_most_characters_of_english_news_are_plain():
    assert all(described(character) is not None for character in map(chr, range(128)))
    for character in "“”‘’–—…•£€é©®™½\u00a0\u00ad\u200b":
        assert described(character) is not None
    for character in "İıΣςσ\u0301\u200d字🙂"[:6]:
        assert described(character) is None


def test_strange_paragraphs_are_read_by_the_reference():
    text = "Σtar's 3 Photos: x"
    assert found(text, 2, 2, terms=True).terms == lexical_tokens(text)
    assert found(text, 2, 2, terms=True).grams == character_grams(text, 2, 2)
    assert found(text, 2, 2, terms=False).grams == []
    assert [word for word, _, _ in found(text, 2, 2, terms=False).words] == ["Σtar's", "3", "Photos", "x"]


def test_a_kernel_that_is_not_there_is_named(monkeypatch, tiny_bundle):
    monkeypatch.setattr("noisefilter.kernel.native", None)
    assert "was not built" in why_not()
    assert isinstance(bundle.from_bytes(tiny_bundle, "a").scorer, Reference)
    with pytest.raises(ModelError, match="was not built"):
        bundle.from_bytes(tiny_bundle, "a", kernel=True)


@pytest.mark.parametrize("name", ["words_idf", "characters_idf"])
def test_terms_without_weight_are_left_as_they_are(tiny_model, name):
    """A row of zeros has no length to be divided by."""
    weights = tiny_model.scorer.weights
    zeros = from_numpy(np.zeros(weights.arrays[name].shape, np.float32))
    changed = replace(weights, arrays={**weights.arrays, name: zeros})
    article = Article("Flood", ["The river rose.", "Advertisement", "The minister said it would fall again."])
    found = Native(changed).read(article).probabilities(range(3))
    np.testing.assert_allclose(found, classifier_of(changed).score_article(article), rtol=0, atol=1e-6)
