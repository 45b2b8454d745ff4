"""How far a run is, on stderr, where somebody looks at it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(slots=True)
class Gauge:
    """Shows bytes, rate, time left and records; nothing if there is no bar.

    Attributes
    ----------
    before : int
        Bytes of the inputs that are done.
    records : int
    """

    bar: "Progress | None" = None
    task: "TaskID | None" = None
    before: int = 0
    records: int = 0

    def show(self, position: int, records: int) -> None:
        """Tell where in the present input the run is, and how many more records are done."""
        self.records += records
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=self.before + position, records=self.records)


@contextmanager
def gauge(total: int | None, *, wanted: bool) -> Iterator[Gauge]:
    """Show a bar while the block runs, if it is wanted and stderr is a terminal.

    Parameters
    ----------
    total : int or None
        Bytes of all inputs; without it there is a rate and no time left.
    wanted : bool
    """
    if not wanted or not sys.stderr.isatty():
        yield Gauge()
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TextColumn("{task.fields[records]:,} records"),
        progress.TextColumn("left" if total is not None else "taken"),
        progress.TimeRemainingColumn() if total is not None else progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as bar:
        yield Gauge(bar, bar.add_task("", total=total, records=0))
