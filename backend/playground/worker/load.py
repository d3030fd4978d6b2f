"""How busy a worker is, and with what: the engine moves sessions from one that is full."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from playground.messages.worker import Load

EVERY = 1.0
"""Seconds between two reports."""


class Meter:
    """Time that is not spared is spent on live sessions."""

    def __init__(self) -> None:
        self._begin = monotonic()
        self._spared = 0.0
        self._spent: dict[str, float] = {}
        self._told = False

    @contextmanager
    def spared(self) -> Iterator[None]:
        """Waiting, or what is trained in the background."""
        start = monotonic()
        yield
        self._spared += monotonic() - start

    def spend(self, session: str, seconds: float) -> None:
        self._spent[session] = self._spent.get(session, 0.0) + seconds

    def due(self) -> float:
        """When there is something to tell, in `monotonic` time; infinity while nothing trains."""
        return self._begin + EVERY if self._spent or self._told else float("inf")

    def report(self) -> Load:
        """Of the time since the last one."""
        now = monotonic()
        seconds = max(now - self._begin, EVERY)
        shares = {session: spent / seconds for session, spent in self._spent.items()}
        busy = max(0.0, 1 - self._spared / seconds) if shares else 0.0
        self._begin, self._spared, self._spent, self._told = now, 0.0, {}, bool(shares)
        return Load(busy=busy, sessions=shares)
