"""A trial of a sweep: a point of its space, its networks of several seeds, and what they made of it."""

import io
import math
import zlib
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from playground.messages.stacks import RowEnd
from playground.run.config import Config
from playground.storage.sweeps import TrialRow
from playground.studies.sweeps.space import Point

TrialState = Literal["running", "complete", "pruned", "diverged", "failed"]
KEPT = (
    "step",
    "epoch",
    *(f"{part}_{m}" for m in ("loss", "accuracy", "mae", "r2") for part in ("train", "test")),
)
"""Columns of a history that a trial keeps."""
BAND = ("median", "low", "high")


@dataclass
class Trial:
    """`config` is none where the point makes no config that fits; `error` says why, as a problem does."""

    number: int
    point: Point
    seeds: tuple[int, ...]
    config: Config | None = None
    state: TrialState = "running"
    value: float | None = None
    rungs: list[float | None] = field(default_factory=list)
    """Its value at each rung that it has come to."""
    columns: tuple[str, ...] = ()
    curves: np.ndarray | None = None
    """Median, least and greatest over the seeds, (3, points, columns); none before it is over."""
    step: int = 0
    started: float | None = None
    ended: float | None = None
    error: dict[str, Any] | None = None
    left_out: list[str] = field(default_factory=list)
    """Paths of the point that the chosen kinds do not have."""
    _last: dict[str, list[float | None]] = field(default_factory=dict)
    _tables: dict[int, np.ndarray] = field(default_factory=dict)
    _ends: dict[int, RowEnd] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.state != "running"

    @property
    def exhausted(self) -> bool:
        """Whether none of its networks goes any further."""
        return len(self._ends) == len(self.seeds) and RowEnd.UNTIL not in self._ends.values()

    def arrived(self, place: int, end: RowEnd, step: int, columns: list[str], table: np.ndarray) -> None:
        """Its network of this place among the seeds has come to where it goes no further."""
        self._ends[place] = end
        self.step = max(self.step, step)
        if not len(table):
            return
        kept = [columns.index(name) for name in KEPT if name in columns]
        self.columns = tuple(columns[index] for index in kept)
        before, later = self._tables.get(place), table[:, kept]
        if before is not None:  # a second worker says it all again
            later = np.concatenate([before, later[later[:, 0] > before[-1, 0]]])
        self._tables[place] = later

    @property
    def at_rung(self) -> bool:
        """Whether all its networks have come to where they go no further."""
        return len(self._ends) == len(self.seeds)

    def go_on(self) -> None:
        """To the next rung."""
        self._ends = {place: end for place, end in self._ends.items() if end is not RowEnd.UNTIL}

    def measured(self, metric: str, maximizes: bool) -> float | None:
        """The median over the seeds of the last that is known; a network that diverged is as bad as can be,
        and so is the trial if half of them did."""
        worst = -math.inf if maximizes else math.inf
        values = [worst] * len(self.seeds)
        for place in range(len(self.seeds)):
            table = self._tables.get(place)
            if self._ends.get(place) in (RowEnd.UNTIL, RowEnd.STOPPED) and table is not None:
                value = float(table[-1, self.columns.index(metric)])
                values[place] = value if math.isfinite(value) else worst
        median = float(np.median(values))
        return median if math.isfinite(median) else None

    def finish(self, pruned: bool, now: float) -> None:
        """It is over: its curves are those of all its seeds in a band."""
        self.value = self.rungs[-1] if self.rungs else None
        self.state = "pruned" if pruned else "diverged" if self.value is None else "complete"
        if self._ends and all(end is RowEnd.FAILED for end in self._ends.values()):
            self.state = "failed"
        self.ended = now
        if self._tables:
            self.curves = band(list(self._tables.values()))
        self._tables = {}

    # --- In the database ----------------------------------------------------------------------------------

    def row(self, sweep: str) -> TrialRow:
        return TrialRow(
            sweep=sweep,
            number=self.number,
            state=self.state,
            params=self.point,
            seeds=list(self.seeds),
            value=self.value,
            metrics={"rungs": self.rungs, "last": self.last(), "left_out": self.left_out},
            step=self.step,
            started=self.started,
            ended=self.ended,
            error=self.error,
        )

    @classmethod
    def of(cls, row: TrialRow) -> "Trial":
        """As it was kept, without its curves."""
        trial = cls(row.number, row.params, tuple(row.seeds), state=row.state, value=row.value, step=row.step)  # pyright: ignore[reportArgumentType]
        trial.rungs, trial.started, trial.ended = row.metrics.get("rungs", []), row.started, row.ended
        trial.error, trial._last = row.error, row.metrics.get("last", {})
        trial.left_out = row.metrics.get("left_out", [])
        return trial

    def last(self) -> dict[str, list[float | None]]:
        """Each metric at its last point: median, least and greatest."""
        if self.curves is not None:
            self._last = {
                name: [_finite(part[-1, index]) for part in self.curves]
                for index, name in enumerate(self.columns)
            }
        return self._last

    def packed(self) -> bytes:
        """Its curves, as the database keeps them."""
        assert self.curves is not None
        written = io.BytesIO()
        np.savez(written, columns=np.array(self.columns), curves=self.curves.astype(np.float32))
        return zlib.compress(written.getvalue())


def unpacked(data: bytes) -> dict[str, dict[str, list[float | None]]]:
    """The curves of `Trial.packed`: for each column its median, least and greatest."""
    with np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False) as found:
        columns, curves = found["columns"].tolist(), found["curves"]
    return named(columns, curves)


def named(columns: list[str], curves: np.ndarray) -> dict[str, dict[str, list[float | None]]]:
    return {
        name: {part: [_finite(value) for value in curves[side, :, index]] for side, part in enumerate(BAND)}
        for index, name in enumerate(columns)
    }


def band(tables: list[np.ndarray]) -> np.ndarray:
    """Median, least and greatest, (3, points, columns), of tables (points, columns): at each point of those
    that have come so far."""
    longest = max(tables, key=len)
    padded = np.full((len(tables), *longest.shape), np.nan)
    for place, table in enumerate(tables):
        padded[place, : len(table)] = table
    padded[:, :, :2] = longest[:, :2]
    hidden = np.ma.masked_invalid(padded)
    parts = [np.ma.median(hidden, axis=0), hidden.min(axis=0), hidden.max(axis=0)]
    return np.stack([np.ma.filled(part.astype(np.float64), np.nan) for part in parts])


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
