"""The curves of a run, as far as anybody can see them: bounded, sequenced, encoded once for all viewers."""

import math
from typing import Any

import numpy as np

from playground.messages.headers import MetricsHeader

INDEX, STEP, EPOCH = 0, 1, 2
"""Columns that every batch of samples begins with."""


class History:
    """Samples in order of their index. When the stride grows, those that it skips are forgotten.

    Batches with other columns (another depth, another task) are kept apart.
    """

    def __init__(self, run: int):
        self.run = run
        self.stride = 1
        self.last = -1
        """Index of the newest sample."""
        self._parts: list[tuple[tuple[str, ...], np.ndarray]] = []
        self._encoded: dict[int, list[bytes]] = {}

    def add(self, stride: int, columns: tuple[str, ...], rows: np.ndarray) -> None:
        """Rows (k, columns), in order. Known ones, computed again after a worker's death, are dropped."""
        rows = rows[rows[:, INDEX] > self.last]
        rows = rows if stride >= self.stride else rows[rows[:, STEP] % self.stride == 0]
        if len(rows):
            self.last = int(rows[-1, INDEX])
            self._parts.append((columns, rows))
            self._encoded.clear()
        if stride > self.stride:
            self.stride = stride
            self._parts = [(names, part[part[:, STEP] % stride == 0]) for names, part in self._parts]
        self._merge()

    def copy(self, run: int, before: int | None = None) -> "History":
        """The same samples, but for those from index `before` on, as the history of another run."""
        other = History(run)
        other.stride, other._parts = self.stride, list(self._parts)
        if before is not None:
            other._parts = [(names, part[part[:, INDEX] < before]) for names, part in self._parts]
        other.last = self.last if before is None else min(self.last, before - 1)
        other._merge()
        return other

    def since(self, index: int) -> list[bytes]:
        """Metrics messages with all samples after this index. Viewers in the same state share them."""
        if index not in self._encoded:
            newer = ((names, part[part[:, INDEX] > index]) for names, part in self._parts)
            self._encoded[index] = [self._encode(names, part) for names, part in newer if len(part)]
        return self._encoded[index]

    def series(self) -> dict[str, list[float | None]]:
        """Every column over all samples; null where a sample lacks it."""
        names = list(dict.fromkeys(name for columns, _ in self._parts for name in columns))
        return {
            name: [value for columns, part in self._parts for value in _column(name, columns, part)]
            for name in names
        }

    def _merge(self) -> None:
        merged: list[tuple[tuple[str, ...], list[np.ndarray]]] = []
        for names, part in self._parts:
            if merged and merged[-1][0] == names:
                merged[-1][1].append(part)
            elif len(part):
                merged.append((names, [part]))
        self._parts = [(names, np.concatenate(parts)) for names, parts in merged]

    def _encode(self, names: tuple[str, ...], part: np.ndarray) -> bytes:
        header = MetricsHeader(
            run=self.run,
            stride=self.stride,
            first=int(part[0, INDEX]),
            to=int(part[-1, INDEX]),
            columns=names,
        )
        return header.encode({"samples": part})


def _column(name: str, columns: tuple[str, ...], part: np.ndarray) -> list[Any]:
    if name not in columns:
        return [None] * len(part)
    values = part[:, columns.index(name)].tolist()
    return (
        [int(v) for v in values]
        if name in ("index", "step")
        else [None if math.isnan(v) else v for v in values]
    )
