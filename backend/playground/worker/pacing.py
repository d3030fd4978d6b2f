"""How fast a live run trains: it earns steps as time passes, and spends them."""

import math
from time import monotonic

from playground.messages.commands import Speed

SLICE = 0.004
"""Seconds that a session trains before it is another's turn."""
SLOW_MOTION = 10.0
"""Steps a second, at most, of which one sees each."""
DEBT = 0.25
"""Seconds that a session may be behind its speed; more is forgotten, or it would never catch up."""


class Pacing:
    """Steps are earned as time passes, spent as they are taken, and forgotten when they are too many."""

    def __init__(self, speed: Speed, playing: bool):
        self.speed = speed
        self.playing = playing
        self._credit = 0.0
        self._clock = monotonic()

    def set(self, speed: Speed | None = None, playing: bool | None = None) -> None:
        """From now on; what has been earned is forgotten."""
        self.speed = speed or self.speed
        self.playing = self.playing if playing is None else playing
        self._credit, self._clock = 0.0, monotonic()

    def rate(self, steps_per_epoch: int) -> float:
        """Steps per second; infinite at full speed, 0 when paused."""
        return self.speed.steps(steps_per_epoch) if self.playing else 0.0

    def blurs(self, steps_per_epoch: int) -> bool:
        """Whether it is so fast that nobody can look closely at one step."""
        return self.rate(steps_per_epoch) > SLOW_MOTION

    def due(self, steps_per_epoch: int, least: int) -> float:
        """When `least` steps will have been earned, in `monotonic` time."""
        rate = self.rate(steps_per_epoch)
        if rate == 0:
            return math.inf
        if rate == math.inf or self._credit >= least:
            return 0.0
        return self._clock + max((least - self._credit) / rate, SLICE)

    def earn(self, steps_per_epoch: int) -> float:
        """Steps that it may take now."""
        now = monotonic()
        elapsed, self._clock = now - self._clock, now
        rate = self.rate(steps_per_epoch)
        if rate == math.inf:
            return math.inf
        self._credit = min(self._credit + elapsed * rate, max(1.0, DEBT * rate))
        return math.floor(self._credit)

    def spend(self, steps: int) -> None:
        self._credit = max(0.0, self._credit - steps)
