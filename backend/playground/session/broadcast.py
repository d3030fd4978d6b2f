"""The viewers of a session: an event is encoded once for all, and each gets frames at its own rate."""

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator
from random import random
from time import monotonic

from playground.messages import events
from playground.messages.commands import Watch
from playground.messages.events import Closing, Event, Role
from playground.messages.worker import SendFrame
from playground.run.selection import Selection, Size, union
from playground.session.viewer import Picture, Viewer

SAMPLES_EVERY = 0.1
"""Seconds between two deliveries of samples to viewers that get frames seldom, or none."""
TICK = 0.001
"""uvloop rounds to milliseconds: a timer that rings too early would ring again and again until it is time."""
COUNT_EVERY = 0.1
"""Seconds between two reports of how many are watching."""

AskForFrame = Callable[[SendFrame], None]
"""Asks the worker for a frame."""


class Broadcast:
    def __init__(self, ask_for_frame: AskForFrame):
        self._ask_for_frame = ask_for_frame
        self._viewers: list[Viewer] = []
        self._holder: Viewer | None = None
        self._wanted: set[Size] = set()
        """Sizes that the worker has been asked for."""
        self._newest: dict[Size, Picture] = {}
        """Of each size that is watched."""
        self._beat = random()
        """Viewers of one rate get their frames at the same moments, which are others in other sessions."""
        self._selections: dict[Size, Selection] = {}
        """What all who watch a size draw together, as far as it is known."""
        self._told: dict[Size, Selection] = {}
        """What the worker knows of that."""
        self._frame_timer: asyncio.TimerHandle | None = None
        self._next_due = math.inf
        """When that rings."""
        self._sample_timer: asyncio.TimerHandle | None = None
        self._count_timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._viewers)

    def __iter__(self) -> Iterator[Viewer]:
        return iter(self._viewers)

    def join(self, viewer: Viewer) -> None:
        if viewer.role is Role.HOLDER:
            self.set_holder(viewer)
        self._viewers.append(viewer)
        self._tell_count()

    def leave(self, viewer: Viewer) -> None:
        self._viewers.remove(viewer)
        self._selections.clear()
        if self._holder is viewer:
            self._holder = None
        self._tell_count()

    def set_holder(self, viewer: Viewer) -> None:
        """Whoever proves to have the key last is the holder."""
        old, self._holder = self._holder, viewer
        viewer.role = Role.HOLDER
        if old and old is not viewer:
            old.tell(events.Replaced().encoded())
            old.leave(Closing.REPLACED, "replaced by a newer connection")

    def watch(self, viewer: Viewer, wish: Watch) -> None:
        """From now on it sees what it asks for."""
        viewer.watch(wish)
        self._selections.clear()
        size = viewer.size
        other = size.selected and viewer.watches and self._selection(size) != self._told.get(size)
        if other:  # the newest frame may lack what it draws
            self._ask(size, fresh=True)
        self.send_frames(fresh=not other)

    def tell(self, event: Event | bytes) -> None:
        data = event if isinstance(event, bytes) else event.encoded()
        for viewer in self._viewers:
            viewer.tell(data)

    def _tell_count(self) -> None:
        """Soon, and once for all who come until then: a thousand would tell each other a million times."""
        if self._count_timer is None:
            self._count_timer = asyncio.get_running_loop().call_later(COUNT_EVERY, self._count_is_due)

    def _count_is_due(self) -> None:
        self._count_timer = None
        self.tell(events.Viewers(count=len(self._viewers)))

    def send_frames(self, fresh: bool = False) -> None:
        """Gives the viewers that are due what they have not seen, asks for a frame of each size that others
        are ready for, and comes back when the next is due. A viewer that has not drawn what it got is passed
        over: it skips frames."""
        self._come_back(math.inf)
        self._offer(self._viewers, fresh)

    def send_frame(self, viewer: Viewer) -> None:
        """The same for one viewer, which may be ready now: a thousand others are not looked at."""
        self._offer((viewer,))

    def _offer(self, viewers: Iterable[Viewer], fresh: bool = False) -> None:
        now, due, next_due = monotonic(), set[Size](), math.inf
        for viewer in viewers:
            if not viewer.open_for_frames:
                continue
            if viewer.due <= now:
                picture = self._newest.get(viewer.size)
                if not picture or viewer.shown >= picture.number:
                    due.add(viewer.size)
                    continue
                viewer.show(picture, self._beat)
                if not viewer.open_for_frames:
                    continue
                if viewer.due <= now:
                    due.add(viewer.size)
            if viewer.due > now and viewer.size not in self._wanted:
                next_due = min(next_due, viewer.due)
        for size in due if fresh else due - self._wanted:
            self._ask(size, fresh)
        if next_due < self._next_due:
            self._come_back(next_due)

    def _come_back(self, due: float) -> None:
        """When the next viewer is due, in `monotonic` time; infinity: not by itself."""
        self._next_due = due
        if self._frame_timer:
            self._frame_timer.cancel()
        later = asyncio.get_running_loop().call_later
        wait = due - monotonic() + TICK
        self._frame_timer = later(wait, self.send_frames) if due < math.inf else None

    def _ask(self, size: Size, fresh: bool) -> None:
        selection = self._selection(size) if size.selected else None
        news = None if selection == self._told.get(size) else selection
        if news is not None:
            self._told[size] = news
        self._ask_for_frame(SendFrame(size=size, fresh=fresh, selection=news))
        self._wanted.add(size)

    def _selection(self, size: Size) -> Selection:
        """Each gets what any of them draws, so that a frame is encoded once for all."""
        if size not in self._selections:
            drawn = (v.selection for v in self._viewers if v.size == size and v.watches)
            self._selections[size] = union(selection for selection in drawn if selection is not None)
        return self._selections[size]

    def take_frame(self, size: Size, picture: Picture | None) -> None:
        """A frame that was asked for; none if it is of a run that has ended."""
        self._wanted.discard(size)
        if picture:
            watched = {viewer.size for viewer in self._viewers}
            newest = {**self._newest, size: picture}
            self._newest = {size: picture for size, picture in newest.items() if size in watched}
        self.send_frames()

    def ask_again(self) -> None:
        """What the last worker was asked for is lost."""
        self._wanted.clear()
        self._told.clear()
        self.send_frames(fresh=True)

    def send_samples(self) -> None:
        """Soon, and together with those that come until then."""
        if self._sample_timer is None and self._viewers:
            self._sample_timer = asyncio.get_running_loop().call_later(SAMPLES_EVERY, self._samples_are_due)

    def _samples_are_due(self) -> None:
        self._sample_timer = None
        now = monotonic()
        for viewer in self._viewers:
            if abs(viewer.due - now) <= SAMPLES_EVERY:
                self.send_samples()  # a frame is about to bring them; if not, the next time
            else:
                viewer.catch_up()

    def start_over(self) -> None:
        """A new run: nothing of the last one is shown any more."""
        self._newest.clear()
        for viewer in self._viewers:
            viewer.start_over()

    def close(self, code: Closing, reason: str) -> None:
        """Lets the viewers go, after what they have been told."""
        for viewer in self._viewers:
            viewer.leave(code, reason)
        for timer in (self._frame_timer, self._sample_timer, self._count_timer):
            if timer:
                timer.cancel()
