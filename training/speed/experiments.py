"""What is measured: scoring in memory, files of records, memory, growth, start-up, sameness."""

import compileall
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from measuring import Clock, Ran, alternating, exponents, passes_for, ratios, run, spread
from systems import KERNEL, System
from texts import Corpus, articles_of_size, near_identical, ordinary, read_corpus, size_of, write_jsonl

import noisefilter
from noisefilter.article import Article

BIN = Path(sys.executable).parent
NOISEFILTER = BIN / "noisefilter"
FOUND = (0, 1, 65)
"""Exit codes of a program that did its work: clean, something found, something misspelt."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; megabytes are millions of bytes.

    Attributes
    ----------
    rounds, starts : int
        Rounds of all but start-up, and of that.
    scored, records, same : float
        Megabytes of text that are scored in memory, cleaned as JSON lines, and cleaned in all ways for sameness.
    memory : tuple of float
        Megabytes at which peak memory is looked at.
    growth : tuple of int
        Paragraphs of an article.
    least_seconds : float
        A system is timed for at least so long in each round.
    """

    rounds: int = 5
    scored: float = 1.0
    records: float = 20.0
    memory: tuple[float, ...] = (10.0, 100.0)
    growth: tuple[int, ...] = (10, 100, 1000, 10_000)
    starts: int = 21
    same: float = 1.0
    least_seconds: float = 0.3


FULL = Sizes(memory=(10.0, 100.0, 1000.0))
QUICK = Sizes(rounds=3, scored=0.1, records=2.0, memory=(1.0, 5.0), growth=(10, 100, 1000), starts=5, same=0.1)


@dataclass(slots=True)
class Bench:
    """What all experiments share.

    Attributes
    ----------
    folder : Path
        For files that are made and thrown away.
    cores : list of int
        Those that may be used; the first is the one that all is pinned to.
    """

    sizes: Sizes
    folder: Path
    cores: list[int]
    say: Callable[[str], None]
    corpus: Corpus = field(default_factory=read_corpus)
    clock: Clock = field(default_factory=Clock)

    def command(self, *words: Any, jobs: int = 1, watch: bool = False, **options: Any) -> Ran:
        """Run a program on as many cores as jobs."""
        return run(list(words), cores=self.cores[:jobs], folder=self.folder, watch=watch, **options)

    def made(self, megabytes: float) -> tuple[Path, int]:
        """Return a file of records and the bytes of their texts."""
        path = self.folder / f"{megabytes:g}.jsonl"
        return path, write_jsonl(path, self.corpus, round(megabytes * 1e6))


def scoring(bench: Bench, systems: Sequence[System]) -> dict[str, Any]:
    """Time every system on the same paragraphs in memory."""
    articles = articles_of_size(bench.corpus, round(bench.sizes.scored * 1e6))
    size = sum(map(size_of, articles))
    paragraphs = sum(len(article.paragraphs) for article in articles)
    passes: dict[str, int] = {}
    left_out: dict[str, str] = {}
    for system in systems:
        bench.say(f"loading {system.name}")
        try:
            system.load(bench.corpus)
            system.run(system.prepare(articles[:50]))
            given = system.prepare(articles)
        except Exception as error:  # whatever another project raises, the rest is still measured
            left_out[system.name] = " ".join(str(error).split())[:200] or type(error).__name__
            bench.say(f"left out: {system.name} ({left_out[system.name]})")
            continue
        started = time.perf_counter()
        system.run(given)
        passes[system.name] = passes_for(bench.sizes.least_seconds, time.perf_counter() - started)

    def turn(system: System) -> float:
        total, count = 0.0, passes[system.name]
        for _ in range(count):
            total += bench.clock.seconds(partial(system.run, system.prepare(articles)))
        return total / count

    present = {system.name: system for system in systems if system.name in passes}
    works = {name: (lambda system=system: turn(system)) for name, system in present.items()}
    seconds = alternating(works, bench.sizes.rounds, bench.say)
    rows = {}
    for name, taken in seconds.items():
        rows[name] = {
            "how": present[name].how,
            "seconds": spread(taken),
            "megabytes_per_second": spread(taken).inverse(size / 1e6),
            "paragraphs_per_second": spread(taken).inverse(paragraphs),
            "kernel_is_faster": ratios(taken, seconds[KERNEL]) if KERNEL in seconds else None,
        }
    return {
        "bytes": size,
        "articles": len(articles),
        "paragraphs": paragraphs,
        "systems": rows,
        "left_out": left_out,
        "had_the_core": bench.clock.cpu / bench.clock.wall if bench.clock.wall else None,
    }


def records(bench: Bench) -> dict[str, Any]:
    """Time whole processes from JSON lines to JSON lines, with one job on one core and two on two."""
    path, size = bench.made(bench.sizes.records)
    digests: dict[str, str] = {}
    work: dict[str, list[float]] = {"1": [], "2": []}

    def cleaned(jobs: int) -> float:
        out = bench.folder / f"out-{jobs}.jsonl"
        ran = bench.command(NOISEFILTER, "clean", path, "-o", out, "--jobs", jobs, jobs=jobs)
        digests[f"{jobs} jobs"] = digest_of(out)
        out.unlink()
        work[str(jobs)].append(ran.cpu_seconds)
        return ran.seconds

    possible = (1, 2) if len(bench.cores) > 1 else (1,)
    cleaned(1)
    taken = alternating({str(jobs): (lambda jobs=jobs: cleaned(jobs)) for jobs in possible}, bench.sizes.rounds)
    result = {
        "bytes": size,
        "file_bytes": path.stat().st_size,
        "jobs": {
            jobs: {
                "seconds": spread(seconds),
                "cpu_seconds": spread(work[jobs][-bench.sizes.rounds :]),
                "megabytes_per_second": spread(seconds).inverse(size / 1e6),
            }
            for jobs, seconds in taken.items()
        },
        "speed_up": ratios(taken["1"], taken["2"]) if "2" in taken else None,
        "same": len(set(digests.values())) == 1,
    }
    path.unlink()
    return result


def memory(bench: Bench) -> list[dict[str, Any]]:
    """Return the peak memory of cleaning files of several sizes, with one job and with two."""
    rows = []
    for megabytes in bench.sizes.memory:
        if shutil.disk_usage(bench.folder).free < 3e6 * megabytes:
            bench.say(f"left out: {megabytes:g} MB (no room in {bench.folder}; give another --folder)")
            continue
        bench.say(f"memory at {megabytes:g} MB")
        path, size = bench.made(megabytes)
        for jobs in (1, 2):
            out = bench.folder / "out.jsonl"
            ran = bench.command(NOISEFILTER, "clean", path, "-o", out, "--jobs", jobs, jobs=jobs, watch=True)
            rows.append(
                {
                    "bytes": size,
                    "jobs": jobs,
                    "peak_of_one_process": ran.peak,
                    "peak_of_all": ran.peak if jobs == 1 else ran.peak_together,
                    "seconds": ran.seconds,
                }
            )
            out.unlink()
        path.unlink()
    return rows


def growth(bench: Bench) -> list[dict[str, Any]]:
    """Time cleaning and scoring of an article as its paragraphs grow.

    At each size the same paragraphs are cut into articles of that size, so that only their length differs.
    """
    from noisefilter.bundle import load_model
    from noisefilter.cleaner import NoiseFilter

    cleaner = NoiseFilter(load_model())
    sizes = bench.sizes.growth
    rows = []
    for name, make in (("ordinary text", ordinary), ("near-identical paragraphs", near_identical)):
        texts = make(bench.corpus, sizes[-1])
        cut = {n: [Article("A title", texts[at : at + n]) for at in range(0, len(texts), n)] for n in sizes}

        def clean(some: Sequence[Article]) -> None:
            for article in some:
                cleaner.clean(article)

        def score(some: Sequence[Article]) -> None:
            for article in some:
                cleaner.model.scorer.read(article).probabilities(range(len(article.paragraphs)))

        for what, work in (("scoring", score), ("cleaning", clean)):
            works = {
                str(n): (lambda some=some, work=work: bench.clock.seconds(lambda: work(some)) / len(some))
                for n, some in cut.items()
            }
            alternating(works, 1)
            taken = alternating(works, bench.sizes.rounds)
            spreads = [spread(taken[str(n)]) for n in sizes]
            rows.append(
                {
                    "text": name,
                    "what": what,
                    "paragraphs": list(sizes),
                    "seconds": spreads,
                    "exponents": exponents(sizes, [one.median for one in spreads]),
                }
            )
    return rows


def start_up(bench: Bench) -> dict[str, Any]:
    """Time whole processes that look at one small file.

    Bytecode is there beforehand, as it is where pip installs a wheel: an editable install leaves it to the first run,
    and PYTHONDONTWRITEBYTECODE to every one.
    """
    compileall.compile_dir(Path(noisefilter.__file__).parent, quiet=1)
    article = articles_of_size(bench.corpus, 2000)[0]
    text, code, notebook = (bench.folder / name for name in ("article.txt", "code.py", "notebook.ipynb"))
    text.write_text(article.text + "\n", encoding="utf-8")
    code.write_text('"""A small module."""\n\n\n' + "def add(a, b):\n    return a + b\n", encoding="utf-8")
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": ["1 + 1"],
    }
    notebook.write_text(
        json.dumps({"cells": [cell] * 10, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8"
    )
    commands: dict[str, list[Any]] = {
        "noisefilter check": [NOISEFILTER, "check", text],
        "codespell": [BIN / "codespell", text],
        "ruff check": [BIN / "ruff", "check", code],
        "nbstripout": [BIN / "nbstripout", notebook],
        "Python itself (python -c pass)": [sys.executable, "-c", "pass"],
    }
    left_out = {
        name: f"{words[0].name} is not installed" for name, words in commands.items() if not Path(words[0]).exists()
    }
    for name, reason in left_out.items():
        bench.say(f"left out: {name} ({reason})")
    work: dict[str, list[float]] = {name: [] for name in commands}

    def started(name: str) -> float:
        ran = bench.command(*commands[name], allowed=FOUND)
        work[name].append(ran.cpu_seconds)
        return ran.seconds

    works = {name: partial(started, name) for name in commands if name not in left_out}
    alternating(works, 1)
    taken = alternating(works, bench.sizes.starts)
    programs = {
        name: {"seconds": spread(seconds), "cpu_seconds": spread(work[name][-bench.sizes.starts :])}
        for name, seconds in taken.items()
    }
    return {"bytes": text.stat().st_size, "left_out": left_out, "programs": programs}


def sameness(bench: Bench) -> dict[str, Any]:
    """Tell whether kernel, reference and numbers of jobs write the same bytes."""
    path, size = bench.made(bench.sizes.same)
    digests = {}
    for name, jobs, switch in (
        ("kernel, 1 job", 1, "on"),
        ("kernel, 2 jobs", 2, "on"),
        ("kernel, 3 jobs", 3, "on"),
        ("reference, 1 job", 1, "off"),
        ("reference, 2 jobs", 2, "off"),
    ):
        bench.say(f"output of {name}")
        out = bench.folder / "same.jsonl"
        words = (NOISEFILTER, "clean", path, "-o", out, "--jobs", jobs)
        bench.command(*words, jobs=jobs, environment={"NOISEFILTER_KERNEL": switch})
        digests[name] = digest_of(out)
    changed = digest_of(path) not in digests.values()
    return {"bytes": size, "sha256": digests, "same": len(set(digests.values())) == 1, "something_dropped": changed}


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
