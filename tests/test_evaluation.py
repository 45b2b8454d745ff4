import json
import math
import re

import numpy as np
import pytest

import noisefilter as nf
from noisefilter.article import Label
from noisefilter.evaluation import (
    average_precision,
    compare,
    decide_all,
    evaluate,
    over_articles,
    realise,
    recall_at_loss,
)
from noisefilter.labels import LabelledArticle, LabelledParagraph
from noisefilter.rules import Rule, Rules

DROPPED = Rules((Rule("drop", pattern=re.compile(r"\(out\)")),))


def paragraph(text, label, kind=None, alt=None):
    return LabelledParagraph(text, Label(label), kind, alt and Label(alt))


ARTICLES = [
    LabelledArticle(
        "one",
        "Flood",
        (
            paragraph("The river rose on Monday night", "content"),
            paragraph("Four words are (out)", "content", "list_item"),
            paragraph("Advertisement (out)", "boilerplate", "ad_marker"),
            paragraph("Latest News", "boilerplate", "section_header"),
            paragraph("Costa beats Lindqvist (out)", "off_topic", "other_story_headline"),
            paragraph("Nobody knows (out)", "ambiguous"),
            paragraph("Perhaps a caption (out)", "content", None, "boilerplate"),
        ),
        "post",
    ),
    LabelledArticle(
        "two",
        None,
        (
            paragraph("Two words", "content"),
            paragraph("Three more words", "content"),
            paragraph("Vote in our poll (out)", "off_topic", "poll", "boilerplate"),
            paragraph("Sign up (out)", "boilerplate", "newsletter"),
        ),
        "courier",
    ),
]
EXPECTED = {
    "noise_recall": 4 / 5,
    "boilerplate_recall": 2 / 3,
    "off_topic_recall": 2 / 2,
    "content_loss": 1 / 4,
    "content_word_loss": 4 / 15,
    "precision": 4 / 5,
}


@pytest.fixture(scope="module")
def ruled(tiny_model):
    """Return a cleaner whose decisions are known: it drops what says so, and nothing else."""
    return nf.NoiseFilter(tiny_model, loss_budget=0, rules=DROPPED)


@pytest.fixture(scope="module")
def idle(tiny_model):
    return nf.NoiseFilter(tiny_model, loss_budget=0)


@pytest.fixture(scope="module")
def evaluation(ruled):
    return evaluate(ruled, ARTICLES)


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_are_those_counted_by_hand(evaluation, name):
    figure = evaluation.figures[name]
    assert figure.value == pytest.approx(EXPECTED[name])
    assert figure.low <= figure.value <= figure.high


def test_average_precision_is_the_mean_precision_at_each_noise(evaluation, ruled):
    table, _ = decide_all(ruled, ARTICLES)
    ranked = table[table.scored].sort_values("noise_probability", ascending=False).noise.tolist()
    assert len(set(table[table.scored].noise_probability)) == len(ranked)
    found = [sum(ranked[: at + 1]) / (at + 1) for at, noise in enumerate(ranked) if noise]
    assert evaluation.figures["average_precision"].value == pytest.approx(sum(found) / 5)


def test_what_is_ambiguous_is_left_out(evaluation):
    assert (evaluation.articles, evaluation.paragraphs, evaluation.over_cap) == (2, 9, 0)
    assert not evaluation.lost.text.str.contains("caption|Nobody").any()


def test_tables_count_by_label_kind_and_source(evaluation):
    by_label = evaluation.by_label.set_index("label")
    assert by_label.paragraphs.to_dict() == {"boilerplate": 3, "content": 4, "off_topic": 2}
    assert by_label.dropped.to_dict() == {"boilerplate": 2, "content": 1, "off_topic": 2}
    by_kind = evaluation.by_kind.set_index(["label", "kind"])
    assert by_kind.loc[("content", "list_item"), "share"] == 1
    assert by_kind.loc[("boilerplate", "section_header"), "share"] == 0
    by_source = evaluation.by_source.set_index("source")
    assert by_source.loc["post", ["noise", "found", "content", "lost"]].tolist() == [3, 2, 2, 1]
    assert by_source.loc["courier", ["noise_recall", "content_loss"]].tolist() == [1, 0]


def test_the_worst_mistakes_come_first(evaluation):
    assert evaluation.missed.text.tolist() == ["Latest News"]
    assert evaluation.lost.text[0] == "Four words are (out)"
    rest = evaluation.lost.noise_probability.tolist()[1:]
    assert rest == sorted(rest, reverse=True)


def test_worst_mistakes_are_ten_at_most(idle, labelled):
    evaluation = evaluate(idle, labelled)
    assert len(evaluation.missed) == len(evaluation.lost) == 10
    assert evaluation.figures["noise_recall"].value == 0
    kept_noise = decide_all(idle, labelled)[0].query("scored and noise").noise_probability
    assert evaluation.missed.noise_probability.tolist() == sorted(kept_noise)[:10]


def test_figures_and_intervals_are_the_same_every_time(ruled, evaluation):
    assert evaluate(ruled, ARTICLES).to_dict() == evaluation.to_dict()


def test_another_seed_moves_only_the_intervals(tiny_model, labelled):
    short = nf.NoiseFilter(tiny_model, loss_budget=0, rules=Rules((Rule("drop", pattern=re.compile("^.{0,40}$")),)))
    one, other = (evaluate(short, labelled, seed=seed).figures for seed in (0, 1))
    assert {name: one[name].value for name in one} == {name: other[name].value for name in other}
    assert one != other
    assert all(
        one[name].low < one[name].value < one[name].high for name in ("noise_recall", "content_loss", "precision")
    )


def test_one_article_gives_no_width(ruled):
    figures = evaluate(ruled, ARTICLES[:1]).figures
    assert all(figure.low == figure.value == figure.high for figure in figures.values())


def test_the_result_is_plain_json(evaluation):
    plain = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert plain["figures"]["content_loss"]["value"] == 0.25
    assert plain["paragraphs"] == 9
    assert plain["missed"][0]["text"] == "Latest News"


def test_what_cannot_be_measured_is_none(ruled):
    clean = LabelledArticle("three", None, (paragraph("The river rose", "content"),), "post")
    evaluation = evaluate(ruled, [clean])
    assert math.isnan(evaluation.figures["noise_recall"].value)
    assert evaluation.figures["content_loss"].value == 0
    plain = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert plain["figures"]["noise_recall"] == {"value": None, "low": None, "high": None}
    assert plain["figures"]["average_precision"]["value"] is None
    assert plain["by_source"][0]["noise_recall"] is None


def test_a_source_without_noise_beside_one_with_noise_is_still_plain(ruled):
    clean = LabelledArticle("three", None, (paragraph("The river rose", "content"),), "gazette")
    plain = json.loads(json.dumps(evaluate(ruled, [*ARTICLES, clean]).to_dict(), allow_nan=False))
    rows = {row["source"]: row for row in plain["by_source"]}
    assert rows["gazette"]["noise_recall"] is None
    assert rows["post"]["noise_recall"] == 2 / 3


def test_with_nothing_but_ambiguous_paragraphs_nothing_is_measured(ruled):
    vague = LabelledArticle("three", None, (paragraph("Nobody knows", "ambiguous"),), "post")
    evaluation = evaluate(ruled, [vague])
    assert evaluation.paragraphs == 0
    assert all(math.isnan(figure.value) for figure in evaluation.figures.values())


def test_articles_over_the_cap_are_counted(tiny_model):
    cleaner = nf.NoiseFilter(tiny_model, loss_budget=0.1, cap=0)
    articles = [ARTICLES[0]] * 3
    _, over = decide_all(cleaner, articles)
    assert over == 3 * cleaner.clean(ARTICLES[0].article).over_cap
    assert evaluate(cleaner, articles).over_cap == over


def test_a_model_is_no_better_than_itself(cleaner, labelled):
    for figure in compare(cleaner, cleaner, labelled).values():
        assert (figure.value, figure.low, figure.high) == (0, 0, 0)


def test_a_comparison_is_the_difference_of_the_figures(ruled, idle):
    gains, losses = compare(ruled, idle, ARTICLES), compare(idle, ruled, ARTICLES)
    assert gains["noise_recall"].value == pytest.approx(4 / 5)
    assert gains["content_loss"].value == pytest.approx(1 / 4)
    assert losses["content_loss"].value == pytest.approx(-1 / 4)
    assert (losses["content_loss"].low, losses["content_loss"].high) == pytest.approx(
        (-gains["content_loss"].high, -gains["content_loss"].low)
    )
    assert gains["noise_recall"].low <= 4 / 5 <= gains["noise_recall"].high


def test_jobs_make_no_difference(ruled, evaluation):
    assert evaluate(ruled, ARTICLES, jobs=2).to_dict() == evaluation.to_dict()


def test_recall_at_a_fixed_loss():
    noise = np.array([True, True, True, False, False, False, False])
    ranked = np.array([0.9, 0.6, 0.3, 0.7, 0.4, 0.2, 0.1])
    assert recall_at_loss(0.0, noise, ranked) == 1 / 3
    assert recall_at_loss(0.25, noise, ranked) == 2 / 3
    assert recall_at_loss(0.24, noise, ranked) == 1 / 3
    assert recall_at_loss(0.5, noise, ranked) == 1
    assert recall_at_loss(1.0, noise, ranked) == 1
    assert math.isnan(recall_at_loss(0.1, noise[3:], ranked[3:]))


def test_content_tied_with_noise_counts_against_it():
    assert recall_at_loss(0.0, np.array([True, False]), np.array([0.5, 0.5])) == 0


def test_the_interval_of_a_ranking_is_drawn_over_articles():
    noise = np.tile([True, False, False], 40)
    score = np.where(noise, 0.6, np.tile([0.0, 0.5, 0.7], 40))
    article = np.repeat(np.arange(40), 3)
    figure = over_articles(average_precision, noise, score, article)
    assert figure.low <= figure.value <= figure.high
    alike = over_articles(average_precision, noise, score, article, resamples=50)
    assert alike.value == figure.value == average_precision(noise, score)
    assert math.isnan(over_articles(average_precision, noise[:0], score[:0], article[:0]).value)


def test_realised_loss_is_the_same_in_parts(tiny_model, labelled):
    whole = realise([(tiny_model, labelled)], budgets=(0.1, 0.3))
    parts = [(tiny_model, labelled[:2]), (tiny_model, []), (tiny_model, labelled[2:])]
    assert realise(parts, budgets=(0.1, 0.3)) == whole


def test_realised_loss_is_the_mean_over_articles(tiny_model, labelled):
    rows = realise([(tiny_model, labelled)], budgets=(0.01, 0.1, 0.3))
    assert [row.budget for row in rows] == [0.01, 0.1, 0.3]
    table, _ = decide_all(nf.NoiseFilter(tiny_model, 0.1), labelled)
    content = table[table.scored & ~table.noise]
    assert rows[1].loss.value == pytest.approx(content.groupby("number")["drop"].mean().mean())
    assert rows[1].recall.value == pytest.approx(table[table.scored & table.noise]["drop"].mean())
    assert rows[0].loss.value <= rows[1].loss.value <= rows[2].loss.value
    assert rows[1].recall.value > 0
