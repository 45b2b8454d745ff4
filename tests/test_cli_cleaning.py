"""What model, loss budget, cap, rules and format come to on the command line."""

import gzip
import json

import pytest
from cli_support import CLEAN, NOISY, noisefilter

TWO = "".join(json.dumps({"id": name, "text": NOISY}) + "\n" for name in "ab")


@pytest.mark.parametrize("verb", ["check", "clean", "explain"])
def test_a_budget_that_the_model_does_not_promise_is_told(tmp_path, verb):
    (tmp_path / "a.txt").write_text(NOISY, encoding="utf-8")
    run = noisefilter(verb, "a.txt", "--loss-budget", "0.0001", cwd=tmp_path)
    assert run.messages == [
        "noisefilter: the smallest loss budget that this model promises is 0.001: at 0.0001 it drops nothing but what "
        "your rules say"
    ]
    assert "noise probability of inf" not in run.stdout


@pytest.mark.parametrize("arguments", [["check"], ["clean"], ["clean", "-o", "out.txt"]], ids=" ".join)
@pytest.mark.parametrize("name", ["-", "articles.data"])
def test_json_lines_of_which_nobody_told_are_not_cleaned_as_an_article(tmp_path, arguments, name):
    (tmp_path / "articles.data").write_text(TWO, encoding="utf-8")
    run = noisefilter(*arguments, name, stdin=TWO.encode(), cwd=tmp_path, code=3)
    shown = "<stdin>" if name == "-" else name
    assert run.messages[0].startswith(
        f"noisefilter: {shown}: its lines are JSON: clean and check take them with --format"
    )
    assert run.stdout == ""
    assert not (tmp_path / "out.txt").exists()


def test_told_what_they_are_they_are_cleaned(tmp_path):
    run = noisefilter("clean", "--format", "jsonl", stdin=TWO.encode(), cwd=tmp_path)
    assert [json.loads(line)["text"] for line in run.stdout.split("\n")[:-1]] == [CLEAN, CLEAN]
    assert noisefilter("clean", "--format", "text", stdin=TWO.encode(), cwd=tmp_path).messages == []


def test_texts_on_stdout_are_not_glued_together(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(CLEAN.rstrip("\n"), encoding="utf-8")
    assert noisefilter("clean", "a.txt", "b.txt", cwd=tmp_path).stdout == CLEAN.rstrip("\n") + "\n" + CLEAN.rstrip("\n")


@pytest.mark.parametrize(
    "named", ["articles/a.txt", "./articles/a.txt", "sub/../articles/a.txt", "{here}/articles/a.txt"]
)
def test_a_rule_on_a_source_sees_a_file_from_the_current_folder(tmp_path, named):
    for folder in ("articles", "sub"):
        (tmp_path / folder).mkdir()
    (tmp_path / "articles/a.txt").write_text(CLEAN, encoding="utf-8")
    (tmp_path / "r.toml").write_text('[[rule]]\naction = "drop"\npattern = "."\nsource = "articles/*"\n')
    file = named.format(here=tmp_path)
    run = noisefilter("check", file, "--rules", "r.toml", cwd=tmp_path, code=1)
    assert all(": rule " in line for line in run.stdout.split("\n")[:-1])
    assert run.stdout.startswith(f"{file}:1: rule 0.")


def test_explain_takes_no_json_lines_either():
    run = noisefilter("explain", "-", stdin=TWO.encode(), code=3)
    assert run.messages[0].startswith("noisefilter: <stdin>: its lines are JSON: clean and check take them")


def test_explain_takes_no_json(tmp_path):
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    run = noisefilter("explain", "a.json", cwd=tmp_path, code=3)
    assert run.messages == ["noisefilter: a.json: explain takes plain text: give the article's text alone"]


def test_evaluate_goes_by_the_rules(tmp_path):
    article = {
        "id": "a",
        "site_style": "s",
        "title": "Flood",
        "paragraphs": [{"text": text, "label": "content"} for text in CLEAN.split("\n\n") if text.strip()],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(article) + "\n", encoding="utf-8")
    (tmp_path / "r.toml").write_text('[[rule]]\naction = "drop"\npattern = "."\n')
    table = json.loads(noisefilter("evaluate", "a.jsonl", "--rules", "r.toml", "--json", cwd=tmp_path).stdout)
    assert table["figures"]["content_loss"]["value"] == 1


def test_what_is_longer_than_any_article_is_refused_before_memory_is_full(tmp_path):
    with gzip.open(tmp_path / "zeros.txt.gz", "wb") as stream:
        for _ in range(30):
            stream.write(b"The bridge is closed.\n" * 50_000)
    run = noisefilter("check", "zeros.txt.gz", cwd=tmp_path, code=3)
    assert run.messages[0].startswith("noisefilter: zeros.txt.gz: is over 4,000,000 bytes, longer than any article")
    (tmp_path / "most.txt").write_bytes(b"The bridge is closed.\n" * 180_000)
    assert "longer than" not in str(noisefilter("check", "most.txt", "--cap", "0", cwd=tmp_path).messages)
