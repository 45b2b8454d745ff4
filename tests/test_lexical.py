import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from noisefilter.lexical import LexicalFeatures
from noisefilter.text import CHARACTERS_LOOKED_AT, character_grams


@pytest.fixture(scope="module")
def texts(tiny_samples):
    return [sample.text for sample, _ in tiny_samples[:300]]


@pytest.fixture(scope="module")
def fitted(texts):
    return LexicalFeatures(max_words=800, max_characters=900).fit(texts)


@given(st.text(max_size=CHARACTERS_LOOKED_AT), st.integers(1, 4), st.integers(0, 3))
def test_grams_are_all_stretches_of_the_marked_text(text, shortest, more):
    marked = f"\x02{text}\x03"
    grams = character_grams(text, shortest, shortest + more)
    assert all(gram in marked and shortest <= len(gram) <= shortest + more for gram in grams)
    assert len(grams) == sum(max(0, len(marked) - size + 1) for size in range(shortest, shortest + more + 1))


def test_only_the_edges_of_a_long_text_are_cut_up():
    middle = "q" * CHARACTERS_LOOKED_AT
    grams = character_grams("a" * CHARACTERS_LOOKED_AT + middle + "b" * CHARACTERS_LOOKED_AT, 2, 4)
    assert {"\x02a", "b\x03", "aaaa", "bbbb"} <= set(grams)
    assert not any("q" in gram for gram in grams)


def test_each_block_has_unit_length(fitted, texts):
    table = fitted.transform(texts)
    words = len(fitted.words_.vocabulary_)
    for block in (table[:, :words], table[:, words:]):
        squares = np.asarray(block.multiply(block).sum(axis=1)).ravel()
        np.testing.assert_allclose(squares[squares > 0], 1)
        assert (squares > 0).mean() > 0.9


def test_columns_have_names_words_first(fitted, texts):
    names = fitted.get_feature_names_out()
    assert fitted.transform(texts[:3]).shape == (3, len(names))
    assert len(names) == len(fitted.words_.vocabulary_) + len(fitted.characters_.vocabulary_)
    assert len(fitted.words_.vocabulary_) <= 800
    assert len(fitted.characters_.vocabulary_) <= 900
    assert all(name.startswith("…") for name in names[len(fitted.words_.vocabulary_) :])


def test_typesetting_makes_no_difference(fitted):
    plain = fitted.transform(["READ MORE: the minister's bridge"])
    typeset = fitted.transform(["\ufeff READ\u00a0MORE:  the minister’s\u200b bridge "])
    assert (plain != typeset).nnz == 0
    assert plain.nnz


def test_restored_features_give_the_same_table(fitted, texts):
    words, characters = fitted.words_, fitted.characters_
    restored = clone(fitted).restore(
        words.get_feature_names_out().tolist(), words.idf_, characters.get_feature_names_out().tolist(), characters.idf_
    )
    assert (fitted.transform(texts) != restored.transform(texts)).nnz == 0
    assert restored.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()


def test_order_of_texts_makes_no_difference(fitted, texts):
    turned = clone(fitted).fit(texts[::-1])
    assert turned.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()
    assert (turned.transform(texts) != fitted.transform(texts)).nnz == 0


def test_settings_survive_a_clone(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert copy.set_params(min_df=7).min_df == 7
    with pytest.raises(NotFittedError):
        copy.transform(["The river rose."])


def test_min_df_leaves_out_rare_terms():
    names = LexicalFeatures(min_df=2).fit(["flood rose", "flood fell"]).get_feature_names_out()
    assert "flood" in names
    assert "rose" not in names


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("The minister said on Monday", True),
        ("Sign up for our newsletter", True),
        ("", False),
        ("   ", False),
        ("Подпишитесь", False),
        ("Подпишитесь на нашу рассылку", False),
        ("Новости дня.", False),
        ("Статья, новости, погода!", False),
        ("这是新闻，今天。", False),
        ("これは「新聞」です。", False),
        ("نشرة الأخبار، اليوم.", False),
    ],
)
def test_a_script_never_seen_is_not_known(default_model, text, known):
    assert default_model.classifier.lexical_.knows(text) is known
