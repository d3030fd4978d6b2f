"""What a worker trains unwatched, scripted runs and stacks: it has the time that live sessions leave, in
turn."""

from collections import deque
from math import inf
from time import monotonic
from typing import Protocol

from playground.messages.codec import Arrays
from playground.messages.worker import Request
from playground.worker.pacing import SLICE

SHARE = 0.05
"""Of the time, where live sessions leave none: a session at full speed that somebody forgot stops no run."""


class Unwatched(Protocol):
    """What is trained in the background."""

    session: str
    number: int
    ended: bool

    @property
    def idle(self) -> bool:
        """Whether it waits to be told how to go on."""
        ...

    def open(self, request: int) -> None: ...

    def train(self, deadline: float) -> None:
        """Up to this moment in `monotonic` time, about."""
        ...

    def handle(self, request: Request, number: int, arrays: Arrays, /) -> None: ...

    def fail(self, detail: str) -> None: ...


class Background:
    """A slice for one after the other."""

    def __init__(self) -> None:
        self._runs: deque[Unwatched] = deque()
        self._next = 0.0
        """When the next slice is due even if live sessions leave no time."""

    def add(self, run: Unwatched) -> None:
        self.remove(run.session)
        self._runs.append(run)

    def get(self, session: str) -> Unwatched | None:
        return next((run for run in self._runs if run.session == session), None)

    def remove(self, session: str) -> None:
        self._runs = deque(run for run in self._runs if run.session != session)

    def due(self) -> float:
        """When one may train if nobody else wants to: at once, or never."""
        return inf if all(run.ended or run.idle for run in self._runs) else 0.0

    def turn(self, idle: bool) -> Unwatched | None:
        """Whose turn it is, if it is any's: where no live session has anything to do, or for a small share of
        the time."""
        if not idle and monotonic() < self._next:
            return None
        self._runs = deque(run for run in self._runs if not run.ended)
        for _ in range(len(self._runs)):
            self._runs.rotate(-1)
            if not self._runs[-1].idle:
                return self._runs[-1]
        return None

    def train(self, run: Unwatched) -> None:
        """For a slice."""
        start = monotonic()
        run.train(start + SLICE)
        end = monotonic()
        self._next = end + (end - start) * (1 / SHARE - 1)
