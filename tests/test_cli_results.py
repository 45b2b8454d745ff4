"""Where results go: over nothing that is read, and over no text that has changed since."""

from io import BytesIO
from types import SimpleNamespace

import pytest
from cli_support import CLEAN, NOISE, NOISY, files_in, noisefilter

from noisefilter.cli.notes import Notes
from noisefilter.cli.options import OnError
from noisefilter.cli.outcome import Outcome
from noisefilter.cli.places import Input, Inputs
from noisefilter.cli.results import Results
from noisefilter.records.formats import Form
from noisefilter.records.record import Edit, Entry


def test_a_text_that_changed_since_it_was_read_stays_as_it_is(tmp_path, capsys):
    path = tmp_path / "a.txt"
    path.write_text(f"{NOISY}One more line.\n", encoding="utf-8")
    item = Input(str(path), Form.TEXT, "a.txt")
    run = SimpleNamespace(outcome=Outcome(), on_error=OnError.KEEP)
    batch = SimpleNamespace(notes="", changed=1, chunk=[(Entry(str(path), str(path), NOISY), Edit(CLEAN, NOISE))])
    run.texts = lambda _: [batch]
    notes = Notes(None, run.outcome, BytesIO())
    Results(run, Inputs([item], [], {}), None, in_place=True, diff=False, notes=notes).write()
    assert (run.outcome.failed, run.outcome.found) == (1, 0)
    assert path.read_text(encoding="utf-8") == f"{NOISY}One more line.\n"
    assert capsys.readouterr().err.startswith(f"noisefilter: {path}: changed while it was read")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["clean", "a.txt", "--model", "m.noisefilter", "-o", "m.noisefilter"], "m.noisefilter"),
        (["clean", "a.txt", "--rules", "r.toml", "-o", "sub/../r.toml"], "sub/../r.toml"),
        (["clean", "a.txt", "--rules", "r.toml", "--decisions", "link.toml", "-o", "x.txt"], "link.toml"),
        (["clean", "a.txt", "--rules", "r.toml", "--decisions", "r.toml"], "r.toml"),
        (["clean", "a.txt", "--rules", "sub/a.txt", "-o", "sub"], "sub/a.txt"),
        (["clean", "--in-place", "sub", "--rules", "sub/a.txt"], "sub/a.txt"),
        (["clean", "a.txt", "-o", "."], "a.txt"),
        (["clean", "a.txt", "-o", "sub/../a.txt"], "sub/../a.txt"),
        (["train", "train.jsonl", "-o", "./train.jsonl"], "train.jsonl"),
        (["train", "x.jsonl", "--test", "y.jsonl", "--test", "train.jsonl", "-o", "train.jsonl"], "train.jsonl"),
        (["train", "x.jsonl", "--recipe", "r.toml", "-o", "link.toml"], "link.toml"),
        (["labels", "split", "train.jsonl", "-o", "."], "train.jsonl"),
        (["labels", "split", "x.jsonl", "sub/test.jsonl", "-o", "sub"], "sub/test.jsonl"),
        (["model", "export", "-o", "./m.noisefilter", "m.noisefilter"], "m.noisefilter"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_read_is_not_overwritten(tmp_path, arguments, named):
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "m.noisefilter", "r.toml", "train.jsonl", "sub/a.txt", "sub/test.jsonl"):
        (tmp_path / name).write_text(NOISY, encoding="utf-8")
    (tmp_path / "link.toml").symlink_to("r.toml")
    before = files_in(tmp_path)
    run = noisefilter(*arguments, cwd=tmp_path, code=2)
    assert run.stdout == ""
    assert f" {named} is an input" in run.messages[-1]
    assert files_in(tmp_path) == before
    assert (tmp_path / "link.toml").is_symlink()
