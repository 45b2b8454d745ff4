"""What machine it was, and which versions were compared."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    return {
        "processor": _line_of("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads that share core 0": _threads(),
        "memory": _memory(),
        "system": f"{_system()}, kernel {platform.release().split('-')[0]}, {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "commit": _commit(),
        "load before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each package; what is not installed is left out."""
    found = {}
    for name in sorted(set(packages)):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _line_of(file: str, name: str) -> str | None:
    try:
        for line in Path(file).read_text(encoding="utf-8").split("\n"):
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return None


def _memory() -> str | None:
    told = _line_of("/proc/meminfo", "MemTotal")
    return f"{int(told.split()[0]) * 1024 / 1e9:.1f} GB" if told else None


def _threads() -> str | None:
    """Tell which cores share one: two jobs on such a pair are no faster than the pair."""
    try:
        return Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _commit() -> str | None:
    """Return which state of the repository is measured; `+` if files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(  # noqa: S603  # git
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {sys.platform}"
