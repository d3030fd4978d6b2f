"""What one sees of something that takes its time, and what comes of it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from playground.client import Run, Sweep

Advance = Callable[[int, int | None], None]
"""Is told how much is done, of how much if that is known."""


class Rate(ProgressColumn):
    """So many a second."""

    def __init__(self, unit: str):
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> str:
        speed = task.finished_speed or task.speed
        digits = 0 if speed is None or speed >= 10 else 1
        return "" if speed is None else f"{speed:,.{digits}f} {self._unit}/s"


@contextlib.contextmanager
def bar(unit: str, quiet: bool) -> Iterator[Advance]:
    """A bar with the rate and the time that is left, on the standard error."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), Rate(unit), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task(unit, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def followed(begun: "Run | Sweep", unit: str, done: str, total: str, quiet: bool) -> dict[str, Any]:
    """What it is at its end, with a bar of `done` of `total` until then. An interrupt cancels it."""
    try:
        with bar(unit, quiet) as advance:
            return begun.wait(lambda info: advance(info[done], info[total]))
    except KeyboardInterrupt:
        begun.cancel()
        raise


def numbers(info: dict[str, Any]) -> None:
    """How a run ended."""
    table = Table(f"after {info['step']:,} steps")
    table.add_column("value", justify="right")
    for name, value in info["metrics"].items():
        table.add_row(name, _figure(value))
    _tell(f"{info['name'] or 'Run'} {info['id']}: {_end(info)}", table)


def ranking(info: dict[str, Any]) -> None:
    """The best trials of a sweep."""
    paths = list(info["space"])
    table = Table()
    for name in ("trial", *paths, info["objective"]["metric"]):
        table.add_column(name, justify="right")
    for trial in info["best"]:
        params = [_figure(trial["params"].get(path)) for path in paths]
        table.add_row(str(trial["number"]), *params, _figure(trial["value"]))
    _tell(f"{info['name'] or 'Sweep'} {info['id']}: {_end(info)}, {info['done']} trials", table)


def _tell(title: str, table: Table) -> None:
    console = Console()
    console.print(title, highlight=False, markup=False)
    console.print(table)


def _end(info: dict[str, Any]) -> str:
    reason = info.get("stopped_by") or (info["error"] or {}).get("text")
    return f"{info['state']} ({reason})" if reason else info["state"]


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)
