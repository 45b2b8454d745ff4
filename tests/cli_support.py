"""What the end-to-end tests share: the real executable, articles with plain noise, and small label files."""

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXECUTABLE = Path(sys.executable).parent / "noisefilter"
CORPUS = ROOT / "training" / "corpus"
TIMEOUT = 300

NOISE = ("Sign up for our newsletter", "READ MORE: Five things to do in town this weekend", "© Getty Images")
BODY = (
    "The harbour bridge will close on Monday for six weeks, after engineers found cracks in two of its eleven piers.",
    "Lorries will be sent over the northern ring road while the bridge is closed, the port authority said.",
    "“We know what that means for the villages along the ring road,” said the director of the port authority.",
    "The piers of the harbour bridge were last inspected eleven years ago, the port authority said.",
)
TITLE = "Harbour bridge to close for repairs"
CLEAN = "".join(f"{paragraph}\n\n" for paragraph in (TITLE, *BODY))
NOISY = "".join(
    f"{paragraph}\n\n" for paragraph in (TITLE, BODY[0], NOISE[0], BODY[1], NOISE[1], BODY[2], NOISE[2], BODY[3])
)
"""`NOISY` cleaned is `CLEAN`; its noise stands on lines 5, 9 and 13."""

FAST_RECIPE = """\
[classifier]
folds = 2
first_rounds = 5
second_rounds = 15
max_words = 1500
max_characters = 1500

[synthesis]
copies = 1

[calibration]
folds = 2
resamples = 50
"""

_DROP_FROM_BOUNDING_SET = 24
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the executable came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[str]:
        """The lines on stderr."""
        return self.stderr.split("\n")[:-1]


def noisefilter(*arguments, stdin=b"", cwd=None, code=0, env=None, **more) -> Run:
    """Run the executable and hold its exit code against `code`; a traceback is never right."""
    done = subprocess.run(
        [EXECUTABLE, *map(str, arguments)],
        input=None if "stdin" in more else stdin,
        capture_output=True,
        cwd=cwd,
        env=plain_environment(env or {}),
        timeout=TIMEOUT,
        check=False,
        **more,
    )
    run = Run(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in run.stderr, run.stderr
    assert run.code == code, (run.code, run.stdout[-2000:], run.stderr[-2000:])
    return run


def plain_environment(more):
    """Return the environment without what changes how programs print."""
    left_out = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING"}
    return {name: value for name, value in os.environ.items() if name not in left_out} | more


def obey_permissions():
    """Make a process of root's ask for permission like any other; for `preexec_fn`."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in _OVERRIDES:
            if libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "cannot drop a capability")


def files_in(folder):
    """Return the content of every file below a folder by its name, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def write_labels(path, articles):
    """Write articles as JSON lines."""
    path.write_text("".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles), encoding="utf-8")
    return path


def labelled(identifier, *paragraphs, **fields):
    """Return a labelled article as a row; a paragraph is (text, label) or (text, label, kind)."""
    names = ("text", "label", "kind")
    rows = [dict(zip(names, paragraph, strict=False)) for paragraph in paragraphs]
    return {"id": identifier, "title": TITLE, "site_style": f"site-{identifier}", "paragraphs": rows, **fields}


GOOD_ARTICLE = labelled(
    "good", (BODY[0], "content"), (NOISE[0], "boilerplate", "newsletter"), (BODY[1], "content"), topic="transport"
)


def slice_of_corpus(path, name, sites, articles_each):
    """Write the first articles of the first sites of a corpus file."""
    by_site = {}
    for line in (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
        by_site.setdefault(json.loads(line)["site_style"], []).append(line)
    lines = [line for site in sorted(by_site)[:sites] for line in by_site[site][:articles_each]]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
