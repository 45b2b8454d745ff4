import pytest

from noisefilter.article import Article
from noisefilter.headline import headline_of, title_index

BODY = [
    "US-backed forces said on Sunday that the battle for the last village had begun in eastern Syria.",
    "The forces have taken forty positions, a spokesman said.",
]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (" date 2019-02-10 US-backed forces enter the village", "US-backed forces enter the village"),
        ("2019/02/10 08:30 US-backed forces enter", "US-backed forces enter"),
        ("Published: 2019-02-10T08:30:00Z US-backed forces enter", "US-backed forces enter"),
        ("Flood closes harbour bridge | Harbour Post", "Flood closes harbour bridge"),
        ("Flood closes harbour bridge – Harbour Post", "Flood closes harbour bridge"),
        ("Flood closes harbour\u00a0bridge", "Flood closes harbour bridge"),
        ("2020 will be the year of the bridge", "2020 will be the year of the bridge"),
        ("Rovers 3 - Albion 2", "Rovers 3 - Albion 2"),
        ("", ""),
    ],
)
def test_a_title_is_freed_of_what_is_glued_to_it(title, expected):
    assert headline_of(title) == expected


@pytest.mark.parametrize(
    "first",
    [
        "US-backed forces begin battle for last Syria village",
        " date 2019-02-10 US-backed forces begin battle for last Syria village",
        "US-BACKED FORCES BEGIN BATTLE FOR VILLAGE",
        "Has the battle for the last village begun?",
    ],
)
def test_a_headline_on_top_is_the_title(first):
    assert title_index(Article.from_text("\n\n".join([first, *BODY]))) == 0


@pytest.mark.parametrize(
    "first",
    [
        "Advertisement",
        "Latest News",
        "© Harbour Images of the battle for the village",
        "Photo: US-backed forces in the village",
        "READ MORE: US-backed forces begin battle for village",
        "By the forces of the Syria village desk",
        "US-backed forces have begun the battle for the village.",
    ],
)
def test_other_first_lines_are_no_title(first):
    assert title_index(Article.from_text("\n\n".join([first, *BODY]))) is None


def test_a_given_title_leaves_no_paragraph_to_be_it():
    headline = "US-backed forces begin battle for last Syria village"
    assert title_index(Article(headline, [headline, *BODY])) is None
    assert title_index(Article("  ", [headline, *BODY])) == 0


def test_without_a_paragraph_there_is_no_title():
    assert title_index(Article(None, [])) is None
