import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from noisefilter.article import Article
from noisefilter.context import ArticleParagraph, ContextFeatures, in_context

HEADLINE = "Harbour bridge to close for six weeks"
BODY = [
    "The harbour bridge will close on Monday for six weeks, the port authority said, after divers found cracks.",
    "The port authority said that two of the eleven piers of the bridge have to be rebuilt before the winter.",
    "Lorries will be sent over the northern ring road while the bridge is closed, the authority said.",
    "Divers of the port last looked at the piers of the bridge in 2011, when no cracks were found.",
]
INSERT = "Flyweight Marisol Costa choked out Petra Lindqvist to defend her title in front of a sold-out arena in Tampa."
ALMOST = INSERT.replace("choked", "knocked")


@pytest.fixture(scope="module")
def fitted(tiny_samples):
    return ContextFeatures().fit([sample for sample, _ in tiny_samples])


def features(fitted, paragraphs, index, title=HEADLINE):
    row = fitted.transform([ArticleParagraph(Article(title, paragraphs), index)])[0]
    return dict(zip(fitted.get_feature_names_out(), row, strict=True))


@pytest.mark.parametrize("copies", [[INSERT], [INSERT, INSERT], [f"“{INSERT}”"], [INSERT.upper()], [ALMOST]])
@pytest.mark.parametrize("name", ["elsewhere", "elsewhere_twice", "cosine_rest", "names_elsewhere", "around"])
def test_near_duplicates_do_not_vouch_for_each_other(fitted, copies, name):
    once = features(fitted, [BODY[0], INSERT, *BODY[1:]], 1)
    pasted = features(fitted, [BODY[0], INSERT, *BODY[1:], *copies], 1)
    assert pasted[name] == pytest.approx(once[name], abs=0.02)


def test_pasting_three_times_in_a_row_hides_no_neighbour(fitted):
    once = features(fitted, [*BODY[:2], INSERT, *BODY[2:]], 2)
    thrice = features(fitted, [*BODY[:2], INSERT, INSERT, INSERT, *BODY[2:]], 3)
    assert thrice["before"] == pytest.approx(once["before"])
    assert thrice["after"] == pytest.approx(once["after"])


@pytest.mark.parametrize("name", ["elsewhere", "cosine_rest", "around"])
def test_the_articles_own_paragraph_is_nearer_than_an_insert(fitted, name):
    paragraphs = [BODY[0], INSERT, *BODY[1:]]
    own = [features(fitted, paragraphs, at)[name] for at in (0, 2, 3, 4)]
    assert features(fitted, paragraphs, 1)[name] < min(own)


def test_the_same_insert_is_at_home_in_an_article_of_its_own(fitted):
    home = [
        "Costa defends her flyweight title in Tampa",
        "Marisol Costa was never in danger against Petra Lindqvist, and the arena in Tampa knew it.",
        INSERT,
        "Lindqvist, who had choked out her last three opponents, said that Costa deserved the title.",
    ]
    here = features(fitted, home, 2, home[0])
    abroad = features(fitted, [BODY[0], INSERT, *BODY[1:]], 1)
    assert here["elsewhere"] > abroad["elsewhere"] + 0.3
    assert here["names_elsewhere"] > abroad["names_elsewhere"]


ARTICLES = st.lists(
    st.one_of(st.sampled_from([*BODY, INSERT, HEADLINE, "", " ", "©", "Статья"]), st.text(max_size=60)), max_size=8
)


@given(ARTICLES, st.none() | st.sampled_from([HEADLINE, "", "©"]))
def test_any_article_has_finite_features(fitted, paragraphs, title):
    table = fitted.transform(in_context([Article(title, paragraphs)]))
    assert table.shape == (len(paragraphs), len(fitted.get_feature_names_out()))
    assert np.isfinite(table).all()


def test_typesetting_makes_no_difference(fitted):
    typeset = [text.replace(" ", "\u00a0", 1).replace("'", "’") + "\u200b" for text in BODY]
    np.testing.assert_array_equal(
        fitted.transform(in_context([Article(HEADLINE, BODY)])),
        fitted.transform(in_context([Article(HEADLINE, typeset)])),
    )


def test_rows_come_in_the_order_of_the_samples(fitted):
    one, other = Article(HEADLINE, BODY), Article(None, [INSERT, HEADLINE])
    samples = in_context([one, other])
    assert [(sample.article, sample.index) for sample in samples[3:5]] == [(one, 3), (other, 0)]
    table = fitted.transform(samples)
    np.testing.assert_array_equal(fitted.transform(samples[::-1]), table[::-1])
    np.testing.assert_array_equal(fitted.transform([ArticleParagraph(other, 1)]), table[-1:])


def test_order_of_training_samples_makes_no_difference(fitted, tiny_samples):
    turned = ContextFeatures().fit([sample for sample, _ in tiny_samples[::-1]])
    assert list(turned.idf_.items()) == list(fitted.idf_.items())
    assert turned.unseen_idf_ == fitted.unseen_idf_


def test_rare_stems_weigh_more_than_common_ones():
    samples = in_context([Article(None, ["bridge flood", "bridge flood", "bridge rain", "bridge rain", "bridge"])])
    fitted = ContextFeatures().fit(samples)
    assert fitted.idf_["bridge"] < fitted.idf_["flood"] < fitted.unseen_idf_


def test_unfitted_is_said():
    with pytest.raises(NotFittedError):
        ContextFeatures().transform(in_context([Article(HEADLINE, BODY)]))
