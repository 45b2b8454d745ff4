"""What was aimed at, and whether it was reached: each figure as measured, nothing rounded in our favour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from systems import C4, GOPHER, GOPHER_ALONE, KERNEL, REFERENCE, FastText, JusText, PlainPipeline, Trafilatura

OTHERS = (FastText.name, JusText.name, Trafilatura.name, C4, GOPHER, GOPHER_ALONE)
NEAR_LINEAR = 1.1
"""Most that an exponent of growth may be; it should be near linear."""


@dataclass(frozen=True, slots=True)
class Target:
    """One aim and what came of it; `met` is None where it was not measured."""

    what: str
    aim: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """What the table says."""
        return {True: "met", False: "not met", None: "not measured"}[self.met]


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Return every target with what the results say of it; medians count."""
    found: list[Target] = []

    def held(what: str, value: float | None, least: float, unit: str) -> None:
        aim = f"at least {least:g}{unit}"
        if value is None:
            found.append(Target(what, aim, "–", None))
        else:
            found.append(Target(what, aim, f"{value:.3f}{unit}", value >= least))

    def capped(what: str, value: float | None, most: float, unit: str) -> None:
        aim = f"at most {most:g}{unit}"
        if value is None:
            found.append(Target(what, aim, "–", None))
        else:
            found.append(Target(what, aim, f"{value:.3f}{unit}", value <= most))

    systems = results.get("scoring", {}).get("systems", {})
    faster = {
        name: row["kernel_is_faster"].median for name, row in systems.items() if row["kernel_is_faster"] is not None
    }
    kernel = systems.get(KERNEL)
    speed = kernel["megabytes_per_second"].median if kernel else None
    held(
        "kernel against the scikit-learn pipeline of the same features (our reference)", faster.get(REFERENCE), 30, "×"
    )
    held("kernel against a plain Pipeline, lexical features alone", faster.get(PlainPipeline.name), 30, "×")
    held("kernel, scoring", speed, 25, " MB/s")
    for name in OTHERS:
        value = faster.get(name)
        found.append(
            Target(
                f"kernel against {name}",
                "faster",
                "–" if value is None else f"{value:.2f}×",
                None if value is None else value > 1,
            )
        )
    jobs = results.get("records", {}).get("jobs", {})
    held(
        "JSONL to JSONL, whole process, 1 job",
        jobs["1"]["megabytes_per_second"].median if "1" in jobs else None,
        20,
        " MB/s",
    )
    speed_up = results.get("records", {}).get("speed_up")
    held("two jobs against one", speed_up.median if speed_up else None, 1.8, "×")
    rows = results.get("memory", [])
    for count in (1, 2):
        of_jobs = [row for row in rows if row["jobs"] == count and row["peak_of_all"] is not None]
        largest = max((row["bytes"] for row in of_jobs), default=0)
        name = f"peak memory at 1 GB, {count} job{'s, all processes together' if count > 1 else ''}"
        peak = max((row["peak_of_all"] for row in of_jobs), default=0)
        capped(name, peak / 1e6 if largest >= 1e9 else None, 200, " MB")
    started = results.get("start_up", {}).get("programs", {}).get("noisefilter check")
    capped("start-up of noisefilter check", started["seconds"].median * 1e3 if started else None, 150, " ms")
    worst = [power for row in results.get("growth", []) for power in row["exponents"]]
    capped("largest exponent as an article's paragraphs grow", max(worst, default=None), NEAR_LINEAR, "")
    same = results.get("sameness", {}).get("same")
    again = results.get("records", {}).get("same")
    both = None if same is None else bool(same and again is not False)
    told = {True: "yes", False: "no", None: "–"}[both]
    found.append(Target("outputs of kernel, reference and all numbers of jobs", "byte-identical", told, both))
    return found
