"""The rows of the course, each a topic with a check of its numbers."""

from collections.abc import Callable

from playground.run.config import Config
from playground.run.validation import parse

ROWS: dict[str, tuple[str, Callable[[], None]]] = {}
"""By name: what it is about, and its check."""
XOR_POINTS = {"data": {"kind": "xor_points"}, "batch_size": 4, "loss": {"kind": "mse"}}


def row(name: str, topic: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers a check."""

    def register(check: Callable[[], None]) -> Callable[[], None]:
        ROWS[name] = topic, check
        return check

    return register


def points(*rows: tuple[float, float, float], classes: int = 0, **config: object) -> Config:
    """A config with these points, in one batch."""
    data = {"kind": "points", "points": [list(one) for one in rows], "test_points": [], "classes": classes}
    return parse({"data": data, "batch_size": len(rows), "loss": {"kind": "mse"}, **config})
