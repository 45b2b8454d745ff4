"""The compiled kernel and the numbers of a model: every term is found, what is no model is refused, who scores."""

import random
from dataclasses import replace

import numpy as np
import pytest
from kernel_support import PIECES, assert_alike

import noisefilter as nf
from noisefilter import bundle
from noisefilter.arrays import from_numpy
from noisefilter.article import Article
from noisefilter.errors import ModelError
from noisefilter.features import CLASSES, SECOND_LOOK
from noisefilter.kernel import Native, why_not
from noisefilter.kernel.characters import described, found
from noisefilter.kinds import FAMILIES
from noisefilter.model import Model
from noisefilter.reference import Reference, classifier_of
from noisefilter.text import character_grams, lexical_tokens, normalise
from noisefilter.weights import Weights

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def weights_of_terms(weights, words, grams, shortest=2, longest=4):
    """Return weights of these terms instead, drawn at random."""
    draw = np.random.default_rng(12)
    arrays = {
        "words_idf": draw.uniform(1, 9, len(words)).astype("<f4"),
        "characters_idf": draw.uniform(1, 9, len(grams)).astype("<f4"),
        "lexical_coef": draw.normal(size=(len(FAMILIES), len(words) + len(grams))).astype("<f2"),
    }
    lists = {"words": words, "characters": grams}
    made = Weights(
        {**weights.parameters, "shortest": shortest, "longest": longest},
        {**weights.arrays, **{name: from_numpy(array) for name, array in arrays.items()}},
        {**weights.terms, **{name: "".join(f"{term}\n" for term in terms).encode() for name, terms in lists.items()}},
    )
    made.check()
    return made


@pytest.mark.parametrize(
    ("shortest", "longest", "share", "more_words"),
    [(2, 4, 1, 0), (1, 7, 0.5, 0), (3, 5, 0.3, 300_000)],
    ids=["usual", "of many lengths", "many words"],
)
def test_every_term_is_found_and_no_other(reference, shortest, longest, share, more_words):
    chance = random.Random(11)
    texts = [chance.choice(["", " "]).join(chance.choices(PIECES, k=chance.randrange(25))) for _ in range(1000)]
    texts += [f"A{'b' * size} {'Long' * size}" for size in (20, 21, 22, 23, 24, 25, 63, 64, 253, 254, 255, 256)]
    normal = [normalise(text) for text in texts]
    words = {term for text in normal for term in lexical_tokens(text) if "\n" not in term}
    grams = {gram for text in normal for gram in character_grams(text, shortest, longest)}
    words, grams = ({term for term in sorted(terms) if chance.random() < share} for terms in (words, grams))
    words |= {f"w{number} {number % 7}" for number in range(more_words)}
    weights = weights_of_terms(reference.scorer.weights, sorted(words), sorted(grams), shortest, longest)
    mine = replace(reference, scorer=Native(weights))
    theirs = replace(reference, scorer=Reference(classifier_of(weights), reference.common_words))
    for start in range(0, len(texts), 10):
        assert_alike(Article(None, texts[start : start + 10]), mine, theirs)


@pytest.mark.parametrize(
    ("words", "grams", "why"),
    [
        (["bridge", "road", "bridge"], ["ri"], "listed twice"),
        (["bridge"], ["ri", "ro", "ri"], "listed twice"),
        (["bridge"], ["🙂🙂", "ri", "🙂🙂"], "listed twice"),
        ([], ["ri"], "no terms"),
        (["bridge"], [], "no terms"),
    ],
)
def test_terms_that_make_no_vocabulary_are_refused_as_the_reference_does(reference, words, grams, why):
    weights = weights_of_terms(reference.scorer.weights, words, grams)
    with pytest.raises(ValueError, match=why):
        Native(weights)
    with pytest.raises(ValueError, match=r"(?i)vocabulary"):
        classifier_of(weights)


def test_bytes_in_the_other_order_are_left_to_the_reference(monkeypatch):
    monkeypatch.setattr("sys.byteorder", "big")
    assert "lowest byte first" in why_not()


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
