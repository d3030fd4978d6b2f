"""One browser that looks at a session: what it wants, what it has, and what it is owed."""

import asyncio
from collections import deque
from enum import Enum, auto
from time import monotonic
from typing import NamedTuple, Protocol

from playground import limits
from playground.messages.commands import Watch
from playground.messages.events import Closing, Role
from playground.run.selection import Selection, Size
from playground.session.history import History

OWED_BYTES = 16 * 1024 * 1024
"""Events waiting for a viewer that reads nothing; beyond that it is better off with a new connection."""
BURST_SECONDS = 2.0


class Socket(Protocol):
    """What a viewer needs of a websocket."""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Picture(NamedTuple):
    """A frame, ready to send, and the metrics of the same moment, which go before it."""

    number: int
    frame: bytes
    metrics: bytes


class Presence(Enum):
    """A viewer that has left hears nothing more, and what it still says is ignored."""

    HERE = auto()
    LEAVING = auto()
    GONE = auto()


class Viewer:
    """`since` is the index of the last sample that it has."""

    def __init__(self, socket: Socket, role: Role, since: int = -1):
        self.role = role
        self.presence = Presence.HERE
        self.size = Size(neurons=20, output=100)
        self.selection: Selection | None = None
        """The neurons that it draws, if not all."""
        self.due = 0.0
        """When it may get its next frame, in `monotonic` time."""
        self.shown = 0
        """Number of the last frame of this size that it was given."""
        self._socket = socket
        self._since = since
        self._rate = 30.0
        self._events: deque[str | bytes] = deque()
        self._owed = 0
        self._frame: Picture | None = None
        self._unacked: deque[int] = deque()
        self._wake = asyncio.Event()
        self._closing: tuple[Closing, str] | None = None
        self._tokens = float(limits.MESSAGES_PER_SECOND) * BURST_SECONDS
        self._heard = monotonic()

    # --- What it gets -------------------------------------------------------------------------------------

    @property
    def open_for_frames(self) -> bool:
        """Whether it could take a frame once it is due: it looks, and has drawn most of what it got."""
        undrawn = len(self._unacked) + (self._frame is not None)
        return self.presence is Presence.HERE and self._rate > 0 and undrawn < limits.UNACKED_FRAMES

    def tell(self, data: str | bytes) -> None:
        """An encoded event, or a binary message that takes its place among them."""
        if self.presence is not Presence.HERE:
            return
        self._events.append(data)
        self._owed += len(data)
        if self._owed > OWED_BYTES:
            self._events.clear()
            self.leave(Closing.OVERLOADED, "this connection is too slow")
        self._wake.set()

    def show(self, picture: Picture, beat: float = 0.0) -> None:
        """A frame; if it cannot be sent before the next one comes, it is skipped. A viewer that is on time
        stays so; the others are due with whoever has the same rate and `beat`, in `monotonic` time."""
        self._frame = picture
        self.shown = picture.number
        now, pause = monotonic(), 1 / self._rate
        self.due += pause
        if self.due <= now:
            self.due = now - (now - beat) % pause
        self._wake.set()

    def catch_up(self) -> None:
        """There are new samples."""
        self._wake.set()

    def start_over(self) -> None:
        """A new run: what it has seen counts no longer."""
        self._since = -1
        self._frame = None
        self.shown = 0

    def leave(self, code: Closing, reason: str) -> None:
        """It gets what it has been told so far, then its socket is closed."""
        if self.presence is Presence.HERE:
            self.presence = Presence.LEAVING
            self._closing = (code, reason)
            self._wake.set()

    # --- What it says -------------------------------------------------------------------------------------

    def acknowledge(self, frame: int) -> None:
        """It has drawn this frame and all before it."""
        if frame in self._unacked:
            while self._unacked.popleft() != frame:
                pass

    @property
    def watches(self) -> bool:
        return self._rate > 0

    def watch(self, wish: Watch) -> None:
        self._rate = wish.rate
        self.selection = wish.selection
        size = Size(wish.neurons, wish.output, selected=self.selection is not None)
        self.due = 0.0
        if size != self.size:
            self.size = size
            self._frame = None
            self.shown = 0

    def too_loud(self) -> bool:
        """Counts a message; whether there have been more than its share."""
        now = monotonic()
        share = limits.MESSAGES_PER_SECOND
        self._tokens = min(share * BURST_SECONDS, self._tokens + (now - self._heard) * share)
        self._heard = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False

    # --- Writing ------------------------------------------------------------------------------------------

    async def write(self, history: "HistoryOf") -> None:
        """Sends until it leaves: events first, then the samples that it lacks, then the newest frame."""
        while self.presence is not Presence.GONE:
            await self._wake.wait()
            self._wake.clear()
            await self._send_events()
            if self._closing:
                self.presence = Presence.GONE
                await self._socket.close(*self._closing)
                return
            frame = self._frame  # taken first, so that no sample of before it comes after it
            await self._send_samples(history())
            await self._send_frame(frame)

    async def _send_events(self) -> None:
        while self._events:
            data = self._events.popleft()
            self._owed -= len(data)
            if isinstance(data, bytes):
                await self._socket.send_bytes(data)
            else:
                await self._socket.send_text(data)

    async def _send_samples(self, history: History) -> None:
        batches = history.since(self._since)
        self._since = history.last if batches else self._since
        for batch in batches:
            await self._socket.send_bytes(batch)

    async def _send_frame(self, frame: Picture | None) -> None:
        if frame is not None and frame is self._frame:
            self._frame = None
            self._unacked.append(frame.number)
            await self._socket.send_bytes(frame.metrics)
            await self._socket.send_bytes(frame.frame)


class HistoryOf(Protocol):
    """The history of the session at this moment; a reset begins another."""

    def __call__(self) -> History: ...
