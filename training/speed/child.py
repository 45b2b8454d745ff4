"""Start one program, wait for it, and print what it took as JSON: ``python child.py '{"command": [...], ...}'``.

A process of its own, small and without imports of weight: on Linux, the peak memory of a program that was just started
counts that of whoever started it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

PAUSE = 0.02
"""Seconds between two looks at the memory of a family of processes."""


def main() -> None:
    """Do as the argument says: command, cores, environment; `watch` adds up the memory of all its processes."""
    order = json.loads(sys.argv[1])
    if order["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, order["cores"])
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere, (Path(order["folder"]) / "stderr.txt").open("w+b") as said:
        child = subprocess.Popen(  # noqa: S603  # the benchmark's own command
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=nowhere,
            stderr=said,
            env=os.environ | order["environment"],
            cwd=order["folder"],
        )
        together = watch(child) if order["watch"] else None
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        said.seek(max(0, said.seek(0, os.SEEK_END) - 2000))
        told = said.read().decode(errors="replace")
    unit = 1 if sys.platform == "darwin" else 1024
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "code": os.waitstatus_to_exitcode(status),
                "peak": used.ru_maxrss * unit,
                "peak_together": together,
                "stderr": told,
            }
        )
    )


def watch(child: "subprocess.Popen[bytes]") -> int | None:
    """Return the most bytes that a program and those it started had in memory at once; None if that is hidden."""
    most = None
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        now = sum(memory(process) for process in family(child.pid))
        most = max(now, most or 0) or None
        time.sleep(PAUSE)
    return most


def family(first: int) -> list[int]:
    """Return a process and all below it."""
    found = [first]
    for process in found:
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:  # it is gone
            continue
    return found


def memory(process: int) -> int:
    """Return the resident memory of a process, in bytes; what processes share counts for each."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().split("\n"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except OSError:  # it is gone
        pass
    return 0


if __name__ == "__main__":
    main()
