"""What must answer at once imports nothing heavy; version and shell completion."""

import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import EXECUTABLE, noisefilter

from noisefilter.kernel import why_not

FIXTURE = Path(__file__).parents[1] / "fixtures" / "war_report_awards_insert.txt"
needs_kernel = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
HEAVY = {"numpy", "orjson", "pyarrow", "zstandard", "pandas", "scipy", "sklearn", "joblib", "rich"}
VERBS = [
    [],
    *([verb] for verb in ("clean", "check", "explain", "train", "evaluate", "labels", "model")),
    *(["labels", verb] for verb in ("check", "stats", "split")),
    *(["model", verb] for verb in ("info", "verify", "export")),
]


def imported(*arguments, code=0, stdin=""):
    """Run the command line in a process of its own; return its modules, and what they are part of at the top."""
    script = (
        "import atexit, sys; from noisefilter.cli import main; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    modules = set(done.stderr.split())
    return modules | {name.split(".")[0] for name in modules}


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_imports_nothing_heavy(verb):
    modules = imported(*verb, "--help")
    assert "typer" in modules
    assert not modules & HEAVY


@needs_kernel
def test_cleaning_with_the_kernel_imports_nothing_heavy():
    modules = imported("clean", stdin="One line.")
    assert "noisefilter.workers" in modules
    assert not modules & (HEAVY | {"noisefilter.processes", "concurrent.futures"})


@needs_kernel
def test_checking_with_the_kernel_imports_nothing_heavy():
    assert not imported("check", str(FIXTURE), code=1) & HEAVY


@needs_kernel
def test_explaining_with_the_kernel_imports_no_scikit_learn():
    modules = imported("explain", str(FIXTURE))
    assert modules & HEAVY == {"numpy", "rich"}


def test_the_reference_does_import_them(monkeypatch):
    monkeypatch.setenv("NOISEFILTER_KERNEL", "off")
    assert imported("clean", stdin="One line.") >= {"numpy", "sklearn"}


def test_reading_records_imports_no_library_of_other_formats():
    script = (
        "import sys, noisefilter.records.formats, noisefilter.records.jsonl, noisefilter.records.delimited; "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = {name.split(".")[0] for name in done.stdout.split()}
    assert "orjson" in modules
    assert not modules & (HEAVY - {"orjson"})


def test_usage_errors_import_nothing_heavy():
    assert not imported("clean", "--in-place", code=2) & HEAVY


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_is_on_stdout(verb):
    run = noisefilter(*verb, "--help")
    assert run.stdout.startswith(f"Usage: {' '.join(['noisefilter', *verb])} ")
    assert run.stderr == ""


def test_help_of_the_program_names_every_exit_code():
    text = " ".join(noisefilter("-h").stdout.split())
    for code in ("0 nothing to do", "1 noise found", "2 usage", "3 some inputs", "4 model", "5 quality floor"):
        assert code in text


def test_version():
    from importlib import metadata

    assert noisefilter("--version").stdout == f"noisefilter {metadata.version('noisefilter')}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cl"], ["clean"]),
        (["labels", ""], ["check", "stats", "split"]),
        (["model", "v"], ["verify"]),
        (["clean", "--lo"], ["--loss-budget"]),
    ],
    ids=" ".join,
)
def test_bash_completes_verbs_and_options(words, expected):
    script = (
        f'source <(_NOISEFILTER_COMPLETE=source_bash "$0"); COMP_WORDS=("$0" {" ".join(map(repr, words))}); '
        f'COMP_CWORD={len(words)}; _noisefilter_completion "$0"; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script, EXECUTABLE], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (expected, "")
