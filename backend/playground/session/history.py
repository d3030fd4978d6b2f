"""The curves of a run, as far as anybody can see them: bounded, sequenced, encoded once for all viewers."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from playground.messages.codec import decode, encode
from playground.messages.headers import MetricsHeader

INDEX, STEP, EPOCH = 0, 1, 2
"""Columns that every batch of samples begins with."""
MEASURED = 3
"""The first column of the metrics."""
MEAN, LOW, HIGH = 0, 1, 2
"""What is kept of each stretch of steps, (3, rows, columns)."""
EARLY = 64
"""A stretch of n steps begins at step n · EARLY at the earliest, so that the first epochs stay as they were.
The page has the same number (`EARLY` in history.ts)."""
FRESH_BATCHES = 1024
"""Batches of rows that are kept to be written; with more, the whole history is."""
LOOSE_BATCHES = 256
"""Batches that wait to become part of the table; with more, they do."""


class History:
    """Rows in order of their index; each stands for the steps since the row before.

    When the stride grows, neighbours are merged: their mean, weighted by steps, their least and their
    greatest value, so that no spike is lost. A column that a row does not have is NaN there.
    """

    def __init__(self, run: int):
        self.run = run
        self.stride = 1
        self.last = -1
        """Index of the newest sample."""
        self._columns: tuple[str, ...] = ()
        self._joined = np.empty((3, 0, 0))
        self._loose: list[tuple[tuple[str, ...], np.ndarray]] = []
        """Columns and rows after those of the table, each row of a stretch of its own: they need no merging,
        and are put behind it when somebody asks for more than the newest."""
        self._end = -1.0
        """Of the stretch of the newest row; infinite where that is not known."""
        self._encoded: dict[int, list[bytes]] = {}
        self._fresh: list[tuple[int, tuple[str, ...], np.ndarray]] | None = None
        """Rows as they came since the last call of `fresh`; None: everything is."""

    def add(self, stride: int, columns: tuple[str, ...], rows: np.ndarray) -> None:
        """Rows (3, k, columns), in order, or (k, columns) where least and greatest are the mean. Known ones,
        computed again after a worker's death, are dropped."""
        if rows.ndim == 2:
            rows = np.broadcast_to(rows, (3, *rows.shape))
        if rows.shape[1] and rows[MEAN, 0, INDEX] <= self.last:
            rows = rows[:, rows[MEAN, :, INDEX] > self.last]
        if not rows.shape[1]:
            return
        self.last = int(rows[MEAN, -1, INDEX])
        if self._fresh is not None:
            self._fresh.append((stride, columns, rows))
            if stride > self.stride or len(self._fresh) > FRESH_BATCHES:
                self._fresh = None
        ends = stretch_ends(rows[MEAN, :, STEP], max(self.stride, stride)).tolist()
        alone = stride <= self.stride and all(a < b for a, b in pairwise([self._end, *ends]))
        if columns != self._columns:
            self._columns = tuple(dict.fromkeys(self._columns + columns))
        self._loose.append((columns, rows))
        self._end = ends[-1]
        self._encoded.clear()
        if not alone:
            self.stride = max(self.stride, stride)
            self._joined = merged(self._table, self.stride)
        elif len(self._loose) > LOOSE_BATCHES:
            self._join()

    @property
    def _table(self) -> np.ndarray:
        """All rows, (3, rows, columns)."""
        if self._loose:
            self._join()
        return self._joined

    def _join(self) -> None:
        known, count = self._joined.shape[1:]
        table = np.full((3, known + sum(r.shape[1] for _, r in self._loose), len(self._columns)), np.nan)
        table[:, :known, :count] = self._joined
        for columns, rows in self._loose:
            here = [self._columns.index(name) for name in columns]
            table[:, known : known + rows.shape[1], here] = rows
            known += rows.shape[1]
        self._joined = table
        self._loose.clear()

    def copy(self, run: int, before: int | None = None) -> "History":
        """The same samples, but for those from index `before` on, as the history of another run."""
        other = History(run)
        other._end = math.inf
        other.stride, other.last, other._columns = self.stride, self.last, self._columns
        other._joined = self._table
        if before is not None and self._columns:
            other.last = min(self.last, before - 1)
            other._joined = self._table[:, self._table[MEAN, :, INDEX] < before]
        return other

    def up_to(self, step: int, run: int) -> "History":
        """The samples up to this step, as the history of another run."""
        other = self.copy(run)
        if self._columns:
            other._joined = self._table[:, self._table[MEAN, :, STEP] <= step]
            other.last = int(other._table[MEAN, -1, INDEX]) if other._table.shape[1] else -1
        return other

    @property
    def epoch(self) -> float:
        """Of the newest sample."""
        return float(self._table[MEAN, -1, EPOCH]) if self._table.shape[1] else 0.0

    def since(self, index: int) -> list[bytes]:
        """Metrics messages with all rows after this index. Viewers in the same state share them."""
        if index >= self.last:
            return []
        if index not in self._encoded:
            newer = self._newest(index)
            if newer is None:
                newer = self._table[:, self._table[MEAN, :, INDEX] > index] if self._columns else self._table
            self._encoded[index] = [self._encode(newer)] if newer.shape[1] else []
        return self._encoded[index]

    def _newest(self, index: int) -> np.ndarray | None:
        """The rows after this index, if all of them are loose."""
        newest: list[np.ndarray] = []
        for columns, rows in reversed(self._loose):
            if columns != self._columns:
                return None
            newest.insert(0, rows)
            if rows[MEAN, 0, INDEX] <= index + 1:
                rows = np.concatenate(newest, axis=1) if len(newest) > 1 else rows
                return rows[:, rows[MEAN, :, INDEX] > index]
        return None

    def series(self, kept: int = MEAN) -> dict[str, list[float | None]]:
        """Every column over all rows; null where a row lacks it. `kept` is `MEAN`, `LOW` or `HIGH`."""
        return {
            name: [None if math.isnan(value) else value for value in self._table[kept, :, column].tolist()]
            for column, name in enumerate(self._columns)
            if kept == MEAN or column >= MEASURED
        }

    def fresh(self, whole: bool = False) -> tuple[bool, bytes] | None:
        """What has come since the last call, for `packed`, and whether it is the whole history."""
        fresh, self._fresh = self._fresh, []
        if whole or fresh is None:
            header = {"type": "history", "stride": self.stride, "last": self.last, "columns": self._columns}
            return True, encode(header, {"table": self._table})
        if not fresh:
            return None
        batches = [{"stride": stride, "columns": columns} for stride, columns, _ in fresh]
        arrays = {str(number): rows for number, (*_, rows) in enumerate(fresh)}
        return False, encode({"type": "samples", "batches": batches}, arrays)

    @classmethod
    def unpacked(cls, parts: Sequence[bytes], run: int) -> "History":
        """The history that `fresh` gave in these parts, of which the first is whole."""
        history = cls(run)
        for part in parts:
            header, arrays = decode(part)
            if header["type"] == "history":
                history.stride, history.last = header["stride"], header["last"]
                history._columns, history._joined = tuple(header["columns"]), arrays["table"]
                history._end = math.inf
            else:
                for number, batch in enumerate(header["batches"]):
                    history.add(batch["stride"], tuple(batch["columns"]), arrays[str(number)])
        return history

    def _encode(self, table: np.ndarray) -> bytes:
        header = MetricsHeader(
            run=self.run,
            stride=self.stride,
            first=int(table[MEAN, 0, INDEX]),
            to=int(table[MEAN, -1, INDEX]),
            columns=self._columns,
        )
        return header.encode({"samples": table[MEAN], "low": table[LOW], "high": table[HIGH]})


def stretch_ends(steps: np.ndarray, stride: int) -> np.ndarray:
    """The last step of the stretch that each step belongs to; rows of one stretch become one."""
    _, exponent = np.frexp((steps - 1) / EARLY)
    length = np.minimum(stride, 2.0 ** np.maximum(exponent - 1, 0))
    return np.ceil(steps / length) * length


def merged(table: np.ndarray, stride: int) -> np.ndarray:
    """The table (3, rows, columns) with one row for each stretch.

    Lengths double one after the other, so that who came early and who comes late hold the same numbers.
    """
    ends = stretch_ends(table[MEAN, :, STEP], stride)
    length = 1
    while length < stride and (ends[1:] == ends[:-1]).any():
        length *= 2
        table = _pairs_merged(table, length)
    return table


def _pairs_merged(table: np.ndarray, length: int) -> np.ndarray:
    while True:
        steps = table[MEAN, :, STEP]
        same = np.diff(stretch_ends(steps, length)) == 0
        same[1:] &= ~same[:-1]  # of three, the first two
        [first] = np.nonzero(same)
        if not len(first):
            return table
        gaps = np.maximum(np.diff(steps, prepend=steps[0] - 1), 1)
        one, two = table[:, first], table[:, first + 1]
        wide, other = gaps[first, None], gaps[first + 1, None]
        both = (wide * one[MEAN] + other * two[MEAN]) / (wide + other)
        both[:, :MEASURED] = two[MEAN, :, :MEASURED]
        alone = np.where(np.isnan(one[MEAN]), two[MEAN], one[MEAN])
        into = [
            np.where(np.isnan(both), alone, both),
            np.fmin(one[LOW], two[LOW]),
            np.fmax(one[HIGH], two[HIGH]),
        ]
        table = table.copy()
        table[:, first + 1] = into
        table = np.delete(table, first, axis=1)
