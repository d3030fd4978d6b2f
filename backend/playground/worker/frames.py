"""Which frames of a live run are asked for, and when the next is made."""

import math
from time import monotonic

from playground.run.selection import Selection, Size

REST = 3.0
"""Frames take at most a quarter of the time: after one that cost t, there is none for 3 t. What only some of
them look at, as the states of all units, has a bound of its own: of two in a row the cheaper one counts."""


class FrameSchedule:
    """A frame is made when somebody asked for its size and there is something new to see."""

    def __init__(self) -> None:
        self._version = 1
        self._wanted: dict[Size, bool] = {}
        self._shown: dict[Size, int] = {}
        self._selections: dict[Size, Selection] = {}
        self._next = 0.0
        self._last = math.inf

    @property
    def version(self) -> int:
        """Grows with everything that can be seen."""
        return self._version

    def want(self, size: Size, fresh: bool, selection: Selection | None = None) -> None:
        """`fresh`: even if it shows nothing new. A `selection` is what is drawn from now on."""
        if selection is not None and selection != self._selections.get(size):
            self._selections[size] = selection
            self._shown.pop(size, None)
        self._wanted[size] = fresh or self._wanted.get(size, False)

    def changed(self) -> None:
        self._version += 1

    def hurry(self) -> None:
        """The next frame shows something that people have just asked for: it goes out at once."""
        self.changed()
        self._next = 0.0
        self._wanted = dict.fromkeys(self._wanted, True)

    def due(self) -> float:
        """When to make the next frame, in `monotonic` time; infinity when none is asked for."""
        return self._next if self._ready() else math.inf

    def take(self) -> Size:
        """The size that `due` spoke of; it counts as shown."""
        size = self._ready()
        assert size is not None
        self._shown[size] = self._version
        del self._wanted[size]
        return size

    def selection(self, size: Size) -> Selection | None:
        """What is drawn in frames of this size; None for all there is."""
        return self._selections.get(size, Selection()) if size.selected else None

    def rest(self, seconds: float) -> None:
        """The frame took so long."""
        self._next = monotonic() + REST * min(seconds, self._last)
        self._last = seconds

    def _ready(self) -> Size | None:
        for size, fresh in self._wanted.items():
            if fresh or self._shown.get(size) != self._version:
                return size
        return None
