from itertools import islice, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import noisefilter as nf
from noisefilter.article import Article, Label
from noisefilter.bundle import save_model
from noisefilter.headline import is_title, title_index
from noisefilter.model import Model, ReadArticle
from noisefilter.policy import Reason
from noisefilter.rules import Rule, Rules
from noisefilter.text import normalise

BRIDGE = """Harbour bridge to close for six weeks

The harbour bridge will close on Monday for six weeks, the port authority said, after divers found cracks in two piers.

Advertisement

Lorries will be sent over the northern ring road. “We know what that means for the villages,” said the port's director.

Sign up for our newsletter

Divers of the port authority last looked at the bridge in 2011, when no cracks were found in any of its piers.
"""
EXACT = settings(max_examples=40)


@pytest.fixture(scope="module")
def pools(corpus):
    entries = corpus[::7]
    paragraphs = [p for entry in entries for p in entry.paragraphs]
    return {
        "titles": [entry.title for entry in entries],
        "content": [p.text for p in paragraphs if not p.label.is_noise],
        "noise": [p.text for p in paragraphs if p.label.is_noise],
        "bodies": [[p.text for p in entry.paragraphs] for entry in entries],
    }


@st.composite
def recipes(draw):
    """Draw how a text is put together from the corpus, as numbers that index its pools."""
    number = st.integers(0, 10**6)
    return {
        "body": draw(number),
        "title": draw(st.booleans()),
        "extra": draw(st.lists(st.tuples(st.sampled_from(["titles", "content", "noise"]), number, number), max_size=8)),
        "cut": draw(st.integers(1, 30)),
        "separator": draw(st.sampled_from(["\n", "\n\n", "\r\n", "\r\n\r\n", "\n\n\n"])),
        "mark": draw(st.booleans()),
        "end": draw(st.sampled_from(["", "\n", "\n\n"])),
    }


def assembled(recipe, pools):
    at = recipe["body"] % len(pools["bodies"])
    texts = pools["bodies"][at][: recipe["cut"]]
    for pool, number, place in recipe["extra"]:
        texts = [*texts]
        texts.insert(place % (len(texts) + 1), pools[pool][number % len(pools[pool])])
    if recipe["title"]:
        texts = [pools["titles"][at], *texts]
    return "\ufeff" * recipe["mark"] + recipe["separator"].join(texts) + recipe["end"]


def is_subsequence(part, whole):
    left = iter(whole)
    return all(piece in left for piece in part)


@EXACT
@given(recipes())
def test_cleaned_text_is_what_was_given_less_what_was_dropped(cleaner, pools, recipe):
    text = assembled(recipe, pools)
    cleaned = cleaner.clean(text)
    assert is_subsequence(cleaned.text.encode(), text.encode())
    at = 0
    for paragraph in cleaned.kept:
        at = cleaned.text.index(paragraph.text, at) + len(paragraph.text)
    assert len(cleaned.kept) + len(cleaned.dropped) == len(cleaned.article.paragraphs) == len(cleaned.decisions)
    assert [decision.paragraph for decision in cleaned.decisions] == list(cleaned.article.paragraphs)
    if not cleaned.dropped:
        assert cleaned.text == text


@EXACT
@given(recipes(), st.sampled_from([0.01, 0.05]))
def test_cleaning_twice_changes_nothing(default_model, pools, recipe, budget):
    cleaner = nf.NoiseFilter(default_model, budget)
    once = cleaner.clean(assembled(recipe, pools))
    twice = cleaner.clean(once.text)
    assert twice.text == once.text
    assert twice.dropped == ()


@EXACT
@given(recipes())
def test_the_same_text_gets_the_same_decisions(default_model, pools, recipe):
    text = assembled(recipe, pools)
    assert nf.NoiseFilter(default_model).clean(text).decisions == nf.NoiseFilter(default_model).clean(text).decisions


@EXACT
@given(recipes(), st.sampled_from([0, 0.001, 0.01, 0.05]), st.sampled_from([0.3, 0.5, 1.0]))
def test_rethresholding_at_the_same_budget_changes_nothing(default_model, pools, recipe, budget, cap):
    cleaned = nf.NoiseFilter(default_model, budget, cap=cap).clean(assembled(recipe, pools))
    again = cleaned.rethreshold(loss_budget=budget)
    assert again.decisions == cleaned.decisions
    assert (again.text, again.over_cap) == (cleaned.text, cleaned.over_cap)


@EXACT
@given(recipes())
def test_a_larger_budget_drops_no_less(default_model, pools, recipe):
    cleaned = nf.NoiseFilter(default_model, cap=1).clean(assembled(recipe, pools))
    smaller = set()
    for budget in (0, 0.0005, 0.002, 0.01, 0.03, 0.1, 1):
        larger = set(cleaned.rethreshold(loss_budget=budget).dropped)
        assert smaller <= larger
        smaller = larger
    assert cleaned.rethreshold(0).dropped == ()


def test_rethresholding_scores_nothing_again(default_model, monkeypatch):
    def scored(*_):
        raise AssertionError("scored once more")

    cleaner = nf.NoiseFilter(default_model, cap=1)
    cleaned = cleaner.clean(BRIDGE)
    monkeypatch.setattr(type(default_model.scorer), "read", scored)
    with pytest.raises(AssertionError, match="scored once more"):
        cleaner.clean(BRIDGE)
    monkeypatch.setattr(Model, "read", scored)
    monkeypatch.setattr(ReadArticle, "score", scored)
    again = cleaned.rethreshold(0.002)
    assert again.scored == cleaned.scored
    assert [decision.probabilities for decision in again.decisions] == [
        decision.probabilities for decision in cleaned.decisions
    ]
    assert cleaned.rethreshold(0).text == BRIDGE != cleaned.text
    with pytest.raises(ValueError, match="not a share"):
        cleaned.rethreshold(loss_budget=2)


def test_an_advert_goes_and_the_article_stays(cleaner):
    cleaned = cleaner.clean(BRIDGE)
    assert [p.text for p in cleaned.dropped] == ["Advertisement", "Sign up for our newsletter"]
    assert cleaned.text == BRIDGE.replace("Advertisement\n\n", "").replace("Sign up for our newsletter\n\n", "")


def test_a_clean_article_is_given_back_as_it_is(cleaner):
    clean = cleaner.clean(BRIDGE).text.replace("\n\n", "\r\n\r\n")
    assert cleaner.clean(clean).text == clean


@pytest.mark.parametrize("paragraphs", [[], [""], ["", "The river rose.", "", "Latest News", " "]])
def test_each_given_paragraph_gets_one_decision(cleaner, paragraphs):
    cleaned = cleaner.clean(Article("Flood", paragraphs))
    assert [decision.paragraph.text for decision in cleaned.decisions] == paragraphs


@pytest.mark.parametrize("text", ["Advertisement", "© Getty Images", "Sign up for our newsletter\n", "Latest News\n\n"])
def test_the_only_paragraph_is_never_dropped(default_model, text):
    cleaned = nf.NoiseFilter(default_model, 1, cap=1).clean(text)
    assert cleaned.text == text
    assert not cleaned.decisions[0].drop


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", " \r\n "])
def test_nothing_comes_out_of_nothing(cleaner, text):
    cleaned = cleaner.clean(text)
    assert (cleaned.text, cleaned.decisions, cleaned.over_cap) == (text, (), False)


def test_a_title_on_top_is_never_dropped(cleaner, corpus):
    dropped = []
    for entry in corpus[::4]:
        cleaned = cleaner.clean("\n\n".join([entry.title, *(p.text for p in entry.paragraphs)]))
        which = title_index(cleaned.article)
        if which is not None and cleaned.decisions[which].drop:
            dropped.append(entry.id)
    assert dropped == []


def test_the_title_stays_when_the_eager_drop_what_it_speaks_of(default_model):
    cleaned = nf.NoiseFilter(default_model, 1, cap=1).clean(BRIDGE)
    assert cleaned.kept[0].text == "Harbour bridge to close for six weeks"
    assert cleaned.decisions[0].reason in (Reason.TITLE, Reason.CONTENT)


def test_above_the_cap_the_article_is_reported_whole(default_model):
    noise = ["Sign up for our newsletter", "READ MORE: Five things to do in town this weekend", "Advertisement"]
    text = "\n\n".join([BRIDGE.split("\n\n")[1], *noise * 4])
    cleaned = nf.NoiseFilter(default_model).clean(text)
    assert cleaned.over_cap
    assert cleaned.text == text
    assert Reason.OVER_CAP in {decision.reason for decision in cleaned.decisions}
    assert not nf.NoiseFilter(default_model, cap=1).clean(text).over_cap


def test_rules_go_before_the_model(default_model, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rule]]\naction = "keep"\nliteral = "Advertisement"\n[[rule]]\naction = "drop"\npattern = "^Lorries"\n'
    )
    for rules in (path, str(path), nf.load_rules(path)):
        cleaned = nf.NoiseFilter(default_model, rules=rules).clean(BRIDGE)
        assert [p.text[:7] for p in cleaned.dropped] == ["Lorries", "Sign up"]
        assert [d.reason for d in cleaned.decisions].count(Reason.RULE) == 2


def test_a_rule_that_keeps_has_no_say_in_what_becomes_of_others(default_model, corpus):
    for entry in corpus[:60]:
        article = Article(entry.title, [p.text for p in entry.paragraphs], source=entry.site)
        plain = nf.NoiseFilter(default_model).clean(article)
        if not plain.dropped:
            continue
        kept = plain.dropped[0].text
        ruled = nf.NoiseFilter(default_model, rules=Rules([Rule("keep", literal=kept)])).clean(article)
        assert [p.text for p in ruled.dropped] == [
            p.text for p in plain.dropped if normalise(p.text) != normalise(kept)
        ]


@pytest.mark.parametrize("above", [["Latest News"], ["12 March 2020"], ["Home > News", "By Jane Doe", "Advertisement"]])
def test_a_title_under_furniture_is_never_dropped(cleaner, corpus, above):
    lost = []
    for entry in corpus[::4]:
        titled = Article(None, [*above, entry.title, *(p.text for p in entry.paragraphs)])
        if is_title(entry.title, None) and cleaner.clean(titled).decisions[len(above)].drop:
            lost.append(entry.title)
    assert lost == []


def test_what_only_a_rule_drops_is_not_called_noise(default_model):
    rules = Rules([Rule("drop", pattern="^Lorries")])
    decision = next(d for d in nf.NoiseFilter(default_model, rules=rules).clean(BRIDGE).decisions if d.reason == "rule")
    assert (decision.drop, decision.label) == (True, Label.CONTENT)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nf.NoiseFilter(loss_budget="0.01"), "loss_budget is '0.01', but it is a number"),
        (lambda: nf.NoiseFilter(cap=None), "cap is None"),
        (lambda: nf.NoiseFilter(rules=[Rule("keep", literal="x")]), "rules is a path or Rules"),
        (lambda: Rules(Rule("keep", literal="x")), "rules is a sequence of Rule"),
        (lambda: nf.NoiseFilter().clean_many("one text"), "takes several articles"),
        (lambda: nf.clean(Article(None, ["x"])), "takes a text, not Article"),
        (lambda: Article.from_text(3), "text is a string"),
        (lambda: Article.from_text("x", title=3), "text is a string, title and source"),
    ],
)
def test_what_is_of_another_type_is_told_at_once(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_at_budget_zero_only_rules_drop(default_model):
    rules = Rules((Rule("drop", literal="Advertisement"),))
    cleaned = nf.NoiseFilter(default_model, loss_budget=0, rules=rules).clean(BRIDGE)
    assert [p.text for p in cleaned.dropped] == ["Advertisement"]


def test_a_paragraph_is_shown_with_those_that_were_left(default_model):
    rules = Rules((Rule("drop", literal="Advertisement"),))
    cleaned = nf.NoiseFilter(default_model, loss_budget=0, rules=rules).clean(BRIDGE)
    first, advert = cleaned.seen_with(0), cleaned.seen_with(2)
    assert [p.text for p in advert.paragraphs] == [p.text for p in cleaned.article.paragraphs]
    assert [p.text for p in first.paragraphs] == [p.text for p in cleaned.kept]


@pytest.mark.parametrize(("name", "value"), [("cap", -0.1), ("cap", 1.5), ("loss_budget", -1), ("loss_budget", 50)])
def test_settings_that_are_no_share_are_refused(default_model, name, value):
    with pytest.raises(ValueError, match="not a share between 0 and 1"):
        nf.NoiseFilter(default_model, **{name: value})


def test_a_model_may_be_a_path(tiny_model, tmp_path):
    saved = save_model(tiny_model, tmp_path / "a.noisefilter")
    for path in (tmp_path / "a.noisefilter", str(tmp_path / "a.noisefilter")):
        assert nf.NoiseFilter(path).clean(BRIDGE).decisions == nf.NoiseFilter(saved).clean(BRIDGE).decisions


def test_many_are_cleaned_in_order_by_any_number_of_jobs(cleaner, corpus):
    articles = [entry.article for entry in corpus[:70]] + [BRIDGE, "", Article("Flood", [])]
    single = list(cleaner.clean_many(articles))
    assert [cleaned.article for cleaned in single[:70]] == articles[:70]
    assert [cleaned.decisions for cleaned in single] == [cleaner.clean(article).decisions for article in articles]
    double = list(cleaner.clean_many(iter(articles), jobs=2))
    assert [(c.article, c.decisions, c.text, c.over_cap) for c in double] == [
        (c.article, c.decisions, c.text, c.over_cap) for c in single
    ]


def test_articles_are_read_as_far_as_needed(cleaner):
    endless = cleaner.clean_many(repeat(BRIDGE))
    assert {cleaned.text for cleaned in islice(endless, 3)} == {nf.clean(BRIDGE)}
    assert list(cleaner.clean_many([], jobs=2)) == []


def test_at_most_32_articles_are_read_ahead_for_each_job(cleaner):
    taken = 0

    def articles():
        nonlocal taken
        for _ in range(200):
            taken += 1
            yield "Rain fell."

    for done, _ in enumerate(cleaner.clean_many(articles(), jobs=2)):
        assert taken - done <= 64
    assert taken == 200


def test_no_jobs_are_refused_at_once(cleaner):
    with pytest.raises(ValueError, match="jobs is 0, but it is a number of processes, 1 or more"):
        cleaner.clean_many([], jobs=0)
