import pytest

from noisefilter.article import Article
from noisefilter.headline import headline_of, title_index, topmost_title

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
        "Share prices fall as the battle for the village begins",
        "Photo of a lost climber found in a Syria village",
        "Click here to vote: the app that changed a village",
        "Related deaths: why families ask for an inquiry",
        "Home secretary resigns over the battle for the village",
        "Source of the poisoning traced to a mine",
        "By popular demand: the hotdish of the village",
        "Topics that divide the last Syria village",
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
        "12 March 2020",
        "Monday, 3 February 2020, 10 am GMT",
        "Share this article with friends",
        "Related stories from the village",
        "Source: Harbour Agency and others",
        "Updated on Sunday in the evening",
        "Follow us for more of the village",
        "Read the full story of the village",
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


HEADLINE = "US-backed forces begin battle for last Syria village"


@pytest.mark.parametrize(
    "above",
    [
        [],
        ["Latest News"],
        ["12 March 2020"],
        ["Home > News > Politics", "By Jane Doe", "Published: 3 May 2021"],
        ["", "Share", "Advertisement", "Sign up for our newsletter", "© Harbour Images", "News"],
    ],
)
def test_the_title_may_stand_under_a_few_lines_of_furniture(above):
    assert topmost_title([*above, HEADLINE, *BODY], None) == len(above)
    assert topmost_title([*above, HEADLINE, *BODY], HEADLINE) is None


@pytest.mark.parametrize("above", [[BODY[1]], ["News"] * 7, ["The forces have taken forty positions."]])
def test_under_body_text_or_much_else_it_is_no_title(above):
    assert topmost_title([*above, HEADLINE, *BODY], None) is None
