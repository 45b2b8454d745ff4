"""The parts of `make bench-quality` that fit nothing: its sums and its tables, on made-up systems and sets."""

import contextlib
import gzip
import hashlib
import importlib.util
import io
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from noisefilter.article import Label
from noisefilter.errors import LabelError
from noisefilter.evaluation import BUDGETS, average_precision, over_articles, recall_at_loss
from noisefilter.labels import LabelledArticle, LabelledParagraph

FOLDER = Path(__file__).parent.parent / "training" / "benchmark"
RESAMPLES = 40
ASIDE, LEARNT, FIVE = "kept aside", "learnt (by site)", "five"


@pytest.fixture(scope="module")
def bench():
    """Return the modules of the benchmark; other folders have modules of the same names."""
    with pytest.MonkeyPatch.context() as patch:
        modules = {}
        for name in ("systems", "sets", "tables", "__main__"):
            spec = importlib.util.spec_from_file_location(f"bench_quality_{name}", FOLDER / f"{name}.py")
            modules[name] = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, spec.name, modules[name])
            if name != "__main__":
                patch.setitem(sys.modules, name, modules[name])
            spec.loader.exec_module(modules[name])
        patch.setattr(modules["__main__"], "RESAMPLES", RESAMPLES)
        yield SimpleNamespace(main=modules["__main__"], sets=modules["sets"], systems=modules["systems"])


class Toy:
    """A system that knows the label and errs by chance, the less the better it is."""

    def __init__(self, name, error, *, learns=False, knows_folds=False, ranks=True):
        self.name, self.error, self.learns, self.knows_folds, self.ranks = name, error, learns, knows_folds, ranks

    def fit(self, articles):
        return len(articles)

    def score(self, fitted, article):
        chance = random.Random(f"{self.name} {article.id}")
        scores = [0.25 + 0.5 * p.label.is_noise + chance.gauss(0, self.error) for p in article.paragraphs]
        return np.array(scores if self.ranks else [score > 0.5 for score in scores], dtype=float)


def made_up(name, count):
    """Return labelled articles of about ten paragraphs each."""
    chance, articles = random.Random(name), []
    labels = [Label.CONTENT] * 6 + [Label.BOILERPLATE] * 2 + [Label.OFF_TOPIC, Label.AMBIGUOUS]
    for number in range(count):
        chosen = [Label.CONTENT, *chance.choices(labels, k=chance.randint(6, 14))]
        paragraphs = tuple(LabelledParagraph("word " * chance.randint(1, 9), label) for label in chosen)
        articles.append(LabelledArticle(f"{name}{number}", "title", paragraphs, site=f"site{number % 9}"))
    return articles


@pytest.fixture
def run_main(bench, monkeypatch, tmp_path):
    """Return what runs the program on toys and returns its JSON, its Markdown and what it printed."""
    main, learnt = bench.main, sorted(made_up("learnt", 105), key=lambda article: (article.site, article.id))
    sets = [
        bench.sets.TestSet(ASIDE, made_up("aside", 60)),
        bench.sets.TestSet(LEARNT, learnt, folds=True),
        bench.sets.TestSet(FIVE, made_up("five", 5)),
    ]
    systems = [
        (Toy("rules", 0.2, ranks=False), []),
        (Toy(bench.systems.Shipped.name, 0.1, knows_folds=True), []),
        (Toy(main.BY_SITE, 0.12, learns=True), learnt),
        (Toy("worse", 0.25, learns=True), learnt),
    ]
    monkeypatch.setattr(main, "training_articles", lambda _: (learnt, {article.id: "authored" for article in learnt}))
    monkeypatch.setattr(main, "test_sets", lambda *_: sets)
    monkeypatch.setattr(main, "all_systems", lambda *_: systems)

    def ran(*arguments, name="first"):
        output, tables, said = tmp_path / f"{name}.json", tmp_path / f"{name}.md", io.StringIO()
        paths = ["-o", str(output), "--markdown", str(tables), "--cache", str(tmp_path / "cache")]
        with contextlib.redirect_stdout(said):
            main.main([*paths, *arguments])
        rows = {(row["set"], row["system"]): row for row in json.loads(output.read_text())}
        return SimpleNamespace(rows=rows, tables=tables.read_text(), said=said.getvalue(), json=output.read_bytes())

    return ran


@pytest.fixture
def ran(run_main):
    return run_main()


def lines_of(tables, *starts):
    """Return the cells of all lines of the tables that begin so."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in tables.split("\n")]
    return [line for line in lines if line[: len(starts)] == list(starts)]


def an_outcome(seed, articles=40, error=0.25, each=12):
    """Return what a system made of a set: the same truth for each seed."""
    truth, chance = np.random.default_rng(99), np.random.default_rng(seed)
    off_topic, boilerplate = (truth.random(articles * each) < share for share in (0.2, 0.2))
    noise = off_topic | boilerplate
    score = 0.25 + 0.5 * noise + chance.normal(0, error, len(noise))
    return {
        "article": np.repeat(np.arange(articles), each),
        "noise": noise,
        "off_topic": off_topic,
        "words": truth.integers(1, 50, len(noise)),
        "score": score,
        "drop": score > 0.6,
        "decided": True,
    }


def row_of(bench, outcomes, system="other", name=ASIDE, by_site=False):
    rows = bench.main.report({each: {name: outcome} for each, outcome in outcomes.items()}, {name: by_site})
    return next(row for row in rows if row["system"] == system)


def bootstrapped(measure, outcome):
    """Return value, low and high of a measure of rows, by the bootstrap of the package."""
    figure = over_articles(
        lambda _, rows: measure(rows),
        outcome["noise"],
        np.arange(len(outcome["noise"])),
        outcome["article"],
        resamples=RESAMPLES,
    )
    return pytest.approx([figure.value, figure.low, figure.high])


def test_the_threshold_for_off_topic_is_found_again_in_every_resample(bench):
    outcome = an_outcome(1)
    noise, off_topic, score = (outcome[name] for name in ("noise", "off_topic", "score"))

    def at_one_percent(rows):
        content = np.sort(score[rows][~noise[rows]])[::-1]
        return float(np.mean(score[rows][off_topic[rows]] > content[int(0.01 * len(content) + 1e-9)]))

    assert row_of(bench, {"other": outcome})["off_topic_at_1"] == bootstrapped(at_one_percent, outcome)


def test_what_varies_with_the_threshold_alone_has_an_interval(bench):
    outcome = an_outcome(1, articles=30, each=12)
    in_article = np.linspace(0.55, 0.95, 6)  # the same in each, so at any one threshold each resample has one recall
    outcome["off_topic"] = outcome["noise"] = np.tile(np.arange(12) < 6, 30)
    outcome["score"] = np.where(outcome["noise"], np.tile(in_article, 60), (outcome["article"] - 20) / 10)
    value, low, high = row_of(bench, {"other": outcome})["off_topic_at_1"]
    assert value == low == pytest.approx(1 / 6)
    assert high > 0.3


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("average_precision", average_precision),
        ("recall_at_0.5", lambda noise, score: recall_at_loss(0.005, noise, score)),
        ("recall_at_1", lambda noise, score: recall_at_loss(0.01, noise, score)),
    ],
)
def test_differences_are_paired(bench, name, measure):
    ours, theirs = an_outcome(1, error=0.2), an_outcome(2)
    noise = ours["noise"]
    above = row_of(bench, {bench.systems.Shipped.name: ours, "other": theirs})["ours_above"]
    assert above[name] == bootstrapped(
        lambda rows: measure(noise[rows], ours["score"][rows]) - measure(noise[rows], theirs["score"][rows]), ours
    )


def test_recall_at_the_loss_of_the_other_is_paired(bench):
    ours, theirs = an_outcome(1, error=0.2), an_outcome(2)
    noise, drop = theirs["noise"], theirs["drop"]

    def at_their_loss(rows):
        return recall_at_loss(np.mean(drop[rows][~noise[rows]]), noise[rows], ours["score"][rows])

    row = row_of(bench, {bench.systems.Shipped.name: ours, "other": theirs})
    assert row["our_recall_at_their_loss"] == bootstrapped(at_their_loss, ours)
    assert row["ours_above"]["recall_at_their_loss"] == bootstrapped(
        lambda rows: at_their_loss(rows) - np.mean(drop[rows][noise[rows]]), ours
    )


def test_a_system_that_is_as_ours_differs_nowhere(bench):
    above = row_of(bench, {bench.systems.Shipped.name: an_outcome(1), "other": an_outcome(1)})["ours_above"]
    assert above["average_precision"] == above["recall_at_0.5"] == above["recall_at_1"] == [0, 0, 0]


def test_what_a_system_does_not_have_is_not_compared(bench):
    unranked = an_outcome(2)
    unranked["score"] = unranked["drop"].astype(float)
    row = row_of(bench, {bench.systems.Shipped.name: an_outcome(1), "other": unranked})
    assert row["ours_above"]["average_precision"] is row["average_precision"] is None
    assert row["ours_above"]["recall_at_their_loss"] is not None
    undecided = row_of(bench, {bench.systems.Shipped.name: an_outcome(1), "other": an_outcome(2) | {"decided": False}})
    assert undecided["ours_above"]["recall_at_their_loss"] is undecided["noise_recall"] is None
    assert undecided["ours_above"]["average_precision"] is not None


def test_figures_of_the_default_point(bench):
    outcome = an_outcome(1)
    noise, drop, words = outcome["noise"], outcome["drop"], outcome["words"]
    row = row_of(bench, {"other": outcome})
    assert row["noise_recall"] == bootstrapped(lambda rows: np.mean(drop[rows][noise[rows]]), outcome)
    lost = words[~noise & drop].sum() / words[~noise].sum()
    assert row["content_word_loss"][0] == pytest.approx(lost)


def test_systems_must_be_held_against_the_same_paragraphs(bench):
    with pytest.raises(ValueError, match="kept aside: other was held against other paragraphs"):
        row_of(bench, {"one": an_outcome(1), "other": an_outcome(1, articles=39)})


def test_sets_learnt_by_site_are_compared_with_ours_by_site(bench, ran):
    row = ran.rows[LEARNT, "worse"]
    assert row["ours"] == bench.main.BY_SITE
    assert all(difference[0] > 0 for difference in row["ours_above"].values())
    assert (LEARNT, bench.systems.Shipped.name) not in ran.rows
    assert ran.rows[ASIDE, "worse"]["ours"] == bench.systems.Shipped.name
    assert (ASIDE, bench.main.BY_SITE) not in ran.rows


@pytest.mark.parametrize("only", [("worse", "rules"), ("rules",)])
def test_without_ours_nothing_is_compared(run_main, only):
    ran = run_main("--only", *only)
    assert ran.rows
    for row in ran.rows.values():
        assert row["ours"] is row["our_recall_at_their_loss"] is None
        assert set(row["ours_above"].values()) == {None}
    for name in only:
        assert lines_of(ran.tables, ASIDE, name)[1] == [ASIDE, name, *"–––––"]


def test_ours_is_found_wherever_it_stands(bench, run_main):
    ours = bench.systems.Shipped.name
    ran = run_main("--only", "rules", "noisefilter, AS")
    assert ran.rows[ASIDE, "rules"]["ours"] == ours
    assert ran.rows[ASIDE, "rules"]["ours_above"]["recall_at_their_loss"][0] > 0
    assert set(ran.rows[ASIDE, ours]["ours_above"].values()) == {None}
    assert ran.rows[LEARNT, "rules"]["ours"] is None


def test_unknown_systems_are_refused(run_main, capsys):
    with pytest.raises(SystemExit):
        run_main("--only", "nothing")
    assert "no system begins with 'nothing'" in capsys.readouterr().err


def test_few_articles_have_counts_and_no_intervals(bench, ran):
    ours = bench.systems.Shipped.name
    row = ran.rows[FIVE, ours]
    assert row["articles"] == 5
    assert row["average_precision"][1:] == [None, None]
    assert row["recall_at_0.5"] is row["recall_at_1"] is row["off_topic_at_1"] is None
    assert set(ran.rows[FIVE, "rules"]["ours_above"].values()) == {None}
    found, lost = (f"{row[f'{name}_dropped']} of {row[name]}" for name in ("noise", "content"))
    assert lines_of(ran.tables, FIVE, ours) == [[FIVE, ours, f"{row['average_precision'][0]:.2f}", found, lost]]
    assert lines_of(ran.tables, FIVE, "rules")[0][2] == "–"


def test_the_table_has_a_line_for_each_system_and_set(bench, ran):
    by_site, shipped = bench.main.BY_SITE, bench.systems.Shipped.name
    expected = [(ASIDE, name) for name in ("rules", shipped, "worse")]
    expected += [(LEARNT, name) for name in ("rules", by_site, "worse")]
    expected += [(FIVE, name) for name in ("rules", shipped, "worse")]
    assert list(ran.rows) == expected
    for pair in expected:
        is_compared = pair[0] != FIVE and pair[1] not in {by_site, shipped}
        assert len(lines_of(ran.tables, *pair)) == 1 + is_compared


def test_tables_hold_figures_differences_and_intervals(ran):
    row = ran.rows[ASIDE, "worse"]
    figures, differences = lines_of(ran.tables, ASIDE, "worse")
    value, low, high = row["average_precision"]
    assert figures[2] == f"{value:.2f} ({low:.2f}–{high:.2f})"
    value, low, high = (100 * end for end in row["content_loss"])
    assert figures[8] == f"{value:.1f} % ({low:.1f}–{high:.1f})"
    value, low, high = row["ours_above"]["recall_at_1"]
    assert differences[4] == f"{value:+.3f} ({low:+.3f} to {high:+.3f})".replace("-", "−")
    for table in ran.tables.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.split("\n") if line.startswith("|")}) == 1


def test_tables_are_printed_too(ran):
    said = " ".join(ran.said.split())
    assert all(cell in said for line in lines_of(ran.tables, FIVE) for cell in line)
    assert "wrote" in said


def test_speeds_are_left_to_their_own_benchmark(ran):
    assert "`make bench-speed`" in ran.tables
    assert "MB/s" not in ran.tables + ran.said
    assert not any("megabytes_per_second" in row for row in ran.rows.values())


def test_a_second_run_gives_the_same(run_main):
    first, second = run_main(), run_main(name="second")
    assert first.json == second.json
    assert first.tables == second.tables


def test_the_report_can_be_made_from_stored_outcomes(bench):
    outcomes = {bench.systems.Shipped.name: {ASIDE: an_outcome(1)}, "other": {ASIDE: an_outcome(2) | {"speed": 1.0}}}
    rows = bench.main.report(outcomes, {ASIDE: False, "not run": False})
    assert [(row["set"], row["system"]) for row in rows] == [(ASIDE, name) for name in outcomes]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


@pytest.fixture
def clean_set(bench, monkeypatch, tmp_path):
    """Return a folder with a set of clean articles and a registry that knows it."""
    rows = [
        {"id": str(at), "title": f"T{at}", "topic": "ab"[at % 2], "paragraphs": [f"P{at} {n}." for n in range(7)]}
        for at in range(8)
    ]
    data = gzip.compress("\n".join(map(json.dumps, rows)).encode(), mtime=0)
    (tmp_path / "clean_toy.jsonl.gz").write_bytes(data)
    entry = {"name": "clean_toy", "origin": "", "licence": "", "file": "clean_toy.jsonl.gz", "use": "clean"}
    entry["sha256"] = hashlib.sha256(data).hexdigest()
    lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
    (tmp_path / "sources.toml").write_text("\n".join(["[[source]]", *lines]))
    monkeypatch.setattr(bench.sets, "TRAINING", tmp_path)
    return tmp_path


def test_clean_articles_have_inserts_of_two_kinds(bench, clean_set):
    sets = bench.sets.test_sets(clean_set, [], {})
    assert [one.name for one in sets[1:]] == ["clean_toy, same-topic donors", "clean_toy, cross-topic donors"]
    assert all(any(p.label is Label.OFF_TOPIC for p in article.paragraphs) for article in sets[1].articles)


def test_clean_articles_of_another_digest_are_refused(bench, clean_set):
    path = clean_set / "clean_toy.jsonl.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(LabelError, match=r"clean_toy.*not the file that the registry of sources knows"):
        bench.sets.test_sets(clean_set, [], {})


def test_clean_articles_that_are_absent_are_left_out(bench, clean_set, capsys):
    (clean_set / "clean_toy.jsonl.gz").unlink()
    assert [one.name for one in bench.sets.test_sets(clean_set, [], {})] == ["authored test"]
    assert "left out: inserts in clean_toy (no clean_toy.jsonl.gz" in capsys.readouterr().out


def test_the_registry_pins_the_clean_articles(bench):
    sources = bench.sets.load_sources(FOLDER.parent / "sources.toml")
    assert [source.name for source in sources if source.use == "clean"] == ["clean_bbc"]


def test_budgets_are_told_of_sets_kept_aside(bench, labelled):
    many = list(labelled)[:24]
    kept, learnt = (bench.sets.TestSet(name, many, folds) for name, folds in (("kept", False), ("learnt", True)))
    few = bench.sets.TestSet("few", many[:3], False)
    head, _, *rows = bench.main.budgets([kept, learnt, few]).split("\n")[:-1]
    assert head == "| set | promised loss | realised | noise recall |"
    assert [row.split(" | ")[:2] for row in rows] == [["| kept", f"{share:.2%}"] for share in BUDGETS]
    found = [float(row.split(" | ")[3].split("%")[0]) for row in rows]
    assert found == sorted(found)
    assert found[0] < found[-1]
