import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisefilter.article import Article, Label
from noisefilter.policy import BudgetRow, Fate, LossBudgets, Policy, Reason, Scored, decided
from noisefilter.rules import Rule, Rules

BUDGETS = LossBudgets(
    (
        BudgetRow(0.001, 0.95, 0.001, 0.0, 0.002, 0.4),
        BudgetRow(0.01, 0.8, 0.01, 0.005, 0.02, 0.7),
        BudgetRow(0.05, 0.5, 0.05, 0.03, 0.07, 0.9),
    )
)


def scored(noise, shield=None, off_topic=0.25):
    """Return a score of this noise probability, `off_topic` being its share of off_topic."""
    shares = {
        Label.BOILERPLATE: noise * (1 - off_topic),
        Label.CONTENT: 1 - noise,
        Label.OFF_TOPIC: noise * off_topic,
    }
    return Scored(shares, shield)


def decide(probabilities, *, threshold=0.8, texts=None, rules=(), cap=0.5, source=None):
    texts = texts or [f"Paragraph number {at}." for at in range(len(probabilities))]
    entries = [entry if isinstance(entry, Scored) else scored(entry) for entry in probabilities]
    policy = Policy(threshold, cap, Rules(tuple(rules)))
    noise, shields = [entry.noise_probability for entry in entries], [entry.shield for entry in entries]
    fates = policy.fates(texts, source, noise, shields)
    return policy, decided(Article(None, texts, source=source), entries, fates)


def texts_of(decisions):
    return [decision.paragraph.text for decision in decisions]


def fates_of(decisions):
    return [Fate(decision.drop, decision.reason) for decision in decisions]


@pytest.mark.parametrize(
    ("budget", "threshold"),
    [
        (0, math.inf),
        (0.0009, math.inf),
        (0.001, 0.95),
        (0.0099, 0.95),
        (0.01, 0.8),
        (0.1 * 0.1, 0.8),
        (0.049, 0.8),
        (0.05, 0.5),
        (1, 0.5),
    ],
)
def test_a_budget_is_rounded_down_to_the_table(budget, threshold):
    assert BUDGETS.threshold(budget) == threshold


@pytest.mark.parametrize("budget", [-0.001, 1.001, 50, math.nan, math.inf])
def test_a_budget_that_is_no_share_is_refused(budget):
    with pytest.raises(ValueError, match=r"not a share between 0 and 1: 0\.01 means 1 %"):
        BUDGETS.threshold(budget)


def test_an_empty_table_drops_nothing():
    assert LossBudgets(()).threshold(1) == math.inf


def test_noise_probability_adds_both_kinds():
    shares = {Label.BOILERPLATE: 0.25, Label.CONTENT: 0.25, Label.OFF_TOPIC: 0.5}
    assert Scored(shares).noise_probability == 0.75
    rounded_up = {Label.BOILERPLATE: 0.7, Label.CONTENT: 0.0, Label.OFF_TOPIC: 0.3 + 1e-12}
    assert Scored(rounded_up).noise_probability == 1


@pytest.mark.parametrize(
    ("entry", "drop", "label", "reason"),
    [
        (scored(0.1), False, Label.CONTENT, Reason.CONTENT),
        (scored(0.79), False, Label.BOILERPLATE, Reason.CONTENT),
        (scored(0.8), True, Label.BOILERPLATE, Reason.NOISE),
        (scored(0.9, off_topic=0.9), True, Label.OFF_TOPIC, Reason.NOISE),
        (scored(0.9, Reason.TITLE), False, Label.BOILERPLATE, Reason.TITLE),
        (scored(0.9, Reason.OTHER_LANGUAGE), False, Label.BOILERPLATE, Reason.OTHER_LANGUAGE),
        (scored(0.9, Reason.NO_KNOWN_FEATURE), False, Label.BOILERPLATE, Reason.NO_KNOWN_FEATURE),
        (scored(0.1, Reason.TITLE), False, Label.CONTENT, Reason.CONTENT),
    ],
)
def test_one_decision(entry, drop, label, reason):
    _, (decision, _) = decide([entry, 0.0])
    assert (decision.drop, decision.label, decision.reason) == (drop, label, reason)
    assert decision.noise_probability == entry.noise_probability
    assert decision.paragraph.text == "Paragraph number 0."


def test_what_has_no_probability_stays():
    """A number that is none must not pass for certainty."""
    _, decisions = decide([math.nan, 0.1, 0.95, 0.0])
    assert [decision.drop for decision in decisions] == [False, False, True, False]


def test_a_dropped_paragraph_has_a_label_of_noise():
    _, (decision, _) = decide([0.45, 0.0], threshold=0.4)
    assert (decision.drop, decision.label) == (True, Label.BOILERPLATE)


@pytest.mark.parametrize(
    ("probabilities", "kept"),
    [([0.99, 0.95, 0.97], [1]), ([0.9, 0.9], [0]), ([0.9], [0]), ([0.9, 0.1], [1])],
)
def test_the_only_content_stays(probabilities, kept):
    _, decisions = decide(probabilities)
    assert [at for at, decision in enumerate(decisions) if not decision.drop] == kept
    if min(probabilities) >= 0.8:
        assert decisions[kept[0]].reason is Reason.ONLY_CONTENT


def test_a_blank_paragraph_is_not_the_only_content():
    _, decisions = decide([0.81, 0.99], texts=["", "Latest News"])
    assert [decision.drop for decision in decisions] == [True, False]


@pytest.mark.parametrize(
    ("words", "cap", "over"),
    [
        ((5, 5), 0.5, False),
        ((6, 5), 0.5, True),
        ((1, 99), 0.0, True),
        ((99, 1), 1.0, False),
        ((3, 7), 0.3, False),
        ((4, 7), 0.3, True),
    ],
)
def test_above_the_cap_nothing_is_dropped(words, cap, over):
    policy, decisions = decide([0.9, 0.1], texts=["word " * count for count in words], cap=cap)
    assert policy.over_cap(texts_of(decisions), fates_of(decisions)) is over
    capped = policy.capped(texts_of(decisions), fates_of(decisions))
    assert [fate.drop for fate in capped] == [not over, False]
    assert capped[0].reason is (Reason.OVER_CAP if over else Reason.NOISE)
    assert capped[1] == Fate(False, Reason.CONTENT)


def test_what_a_rule_drops_does_not_count_for_the_cap():
    rules = [Rule("drop", literal="a b c d e f g h")]
    policy, decisions = decide([0.1, 0.9, 0.1], texts=["a b c d e f g h", "x", "y z"], rules=rules)
    assert not policy.over_cap(texts_of(decisions), fates_of(decisions))
    assert [fate.drop for fate in policy.capped(texts_of(decisions), fates_of(decisions))] == [True, True, False]


def test_over_the_cap_rules_still_drop():
    policy, decisions = decide(
        [0.1, 0.9, 0.1], texts=["Gone.", "a b c d", "y z"], rules=[Rule("drop", literal="Gone.")]
    )
    assert policy.over_cap(texts_of(decisions), fates_of(decisions))
    assert [fate.drop for fate in policy.capped(texts_of(decisions), fates_of(decisions))] == [True, False, False]


@pytest.mark.parametrize(
    ("entry", "action", "drop"),
    [
        (scored(0.99), "keep", False),
        (scored(0.01), "drop", True),
        (scored(0.99, Reason.OTHER_LANGUAGE), "drop", True),
        (scored(0.99, Reason.TITLE), "drop", True),
    ],
)
def test_a_rule_goes_before_the_model_and_says_nothing_of_the_label(entry, action, drop):
    _, (decision, _) = decide([entry, 0.0], rules=[Rule(action, pattern=re.compile("number 0"))])
    assert (decision.drop, decision.reason) == (drop, Reason.RULE)
    assert decision.label is max(entry.probabilities, key=entry.probabilities.get)


def test_a_rule_asks_for_the_source():
    rule = Rule("drop", pattern=re.compile("0"), source="*.example.com")
    assert decide([0.1, 0.1], rules=[rule], source="news.example.com")[1][0].drop
    assert not decide([0.1, 0.1], rules=[rule], source="example.org")[1][0].drop
    assert not decide([0.1, 0.1], rules=[rule])[1][0].drop


def test_one_score_for_each_paragraph():
    with pytest.raises(ValueError, match="zip"):
        decide([0.1], texts=["One.", "Two."])


def test_an_article_without_paragraphs_has_no_decisions():
    policy, decisions = decide([], texts=[])
    assert decisions == ()
    assert policy.capped([], fates_of(decisions)) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_a_lower_threshold_drops_no_less(probabilities, one, other):
    low, high = sorted((one, other))
    few = [decision.drop for decision in decide(probabilities, threshold=high)[1]]
    many = [decision.drop for decision in decide(probabilities, threshold=low)[1]]
    assert all(more or not less for less, more in zip(few, many, strict=True))
    assert not all(many)
