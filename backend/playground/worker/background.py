"""The scripted runs of a worker: they have the time that live sessions leave, in turn."""

from collections import deque
from math import inf
from time import monotonic

from playground.worker.background_run import BackgroundRun
from playground.worker.pacing import SLICE

SHARE = 0.05
"""Of the time, where live sessions leave none: a session at full speed that somebody forgot stops no run."""


class Background:
    """A slice for one after the other."""

    def __init__(self) -> None:
        self._runs: deque[BackgroundRun] = deque()
        self._next = 0.0
        """When the next slice is due even if live sessions leave no time."""

    def add(self, run: BackgroundRun) -> None:
        self.remove(run.session)
        self._runs.append(run)

    def get(self, session: str) -> BackgroundRun | None:
        return next((run for run in self._runs if run.session == session), None)

    def remove(self, session: str) -> None:
        self._runs = deque(run for run in self._runs if run.session != session)

    def due(self) -> float:
        """When one may train if nobody else wants to: at once, or never."""
        return inf if all(run.ended for run in self._runs) else 0.0

    def turn(self, idle: bool) -> BackgroundRun | None:
        """Whose turn it is, if it is any's: where no live session has anything to do, or for a small share of
        the time."""
        if not idle and monotonic() < self._next:
            return None
        self._runs = deque(run for run in self._runs if not run.ended)
        if not self._runs:
            return None
        self._runs.rotate(-1)
        return self._runs[-1]

    def train(self, run: BackgroundRun) -> None:
        """For a slice."""
        start = monotonic()
        run.train(start + SLICE)
        end = monotonic()
        self._next = end + (end - start) * (1 / SHARE - 1)
