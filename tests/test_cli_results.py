"""Where results go, in this process: what cannot be timed through the executable."""

from types import SimpleNamespace

from cli_support import CLEAN, NOISE, NOISY

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
    run.texts = lambda _: [SimpleNamespace(notes="", chunk=[(Entry(str(path), str(path), NOISY), Edit(CLEAN, NOISE))])]
    results = Results(run, Inputs([item], [], {}), None, in_place=True, diff=False, note=lambda _: None)
    results.write()
    assert (run.outcome.failed, run.outcome.found) == (1, 0)
    assert path.read_text(encoding="utf-8") == f"{NOISY}One more line.\n"
    assert capsys.readouterr().err.startswith(f"noisefilter: {path}: changed while it was read")
