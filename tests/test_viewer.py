"""What a viewer is owed, whatever its connection does."""

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from playground import limits
from playground.messages.codec import decode
from playground.messages.commands import Watch
from playground.messages.events import Closing, Notice, NoticeCode, Role
from playground.session import viewer
from playground.session.history import History
from playground.session.viewer import Picture, Presence, Viewer

COLUMNS = ("index", "step", "epoch", "train_loss")


class Wire:
    """A connection that can be held up."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.closed: int | None = None
        self.free = asyncio.Event()
        self.free.set()

    async def send_text(self, data: str) -> None:
        await self.free.wait()
        self.sent.append(json.loads(data)["type"])

    async def send_bytes(self, data: bytes) -> None:
        await self.free.wait()
        self.sent.append(data if data[:4] != b"NNPG" else decode(data)[0]["to"])

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed = code


class Seat:
    """A viewer with its connection and the history of its session."""

    def __init__(self, since: int = -1) -> None:
        self.wire = Wire()
        self.viewer = Viewer(self.wire, Role.VIEWER, since)
        self.history = History(run=1)
        self.writing = asyncio.create_task(self.viewer.write(lambda: self.history))

    def sample(self, index: int) -> None:
        self.history.add(1, COLUMNS, np.array([[index, index, 0.0, 0.5]]))

    async def settle(self) -> list[Any]:
        for _ in range(10):
            await asyncio.sleep(0)
        return self.wire.sent


def picture(number: int) -> Picture:
    return Picture(number, f"frame {number}".encode(), f"metrics {number}".encode())


def notice() -> str:
    return Notice.of(NoticeCode.WORKER_RESTARTED).encoded()


async def test_events_come_first_then_samples_then_the_frame_with_its_metrics() -> None:
    seat = Seat()
    seat.sample(0)
    seat.viewer.show(picture(1))
    seat.viewer.tell(notice())
    assert await seat.settle() == ["notice", 0, b"metrics 1", b"frame 1"]


async def test_a_slow_viewer_skips_pictures_but_no_sample_and_no_event() -> None:
    seat = Seat()
    seat.wire.free.clear()
    seat.viewer.tell(notice())
    await seat.settle()
    for number in range(1, 4):
        seat.sample(number - 1)
        seat.viewer.show(picture(number))
        seat.viewer.tell(notice())
        await seat.settle()
    seat.wire.free.set()
    assert await seat.settle() == [*["notice"] * 4, 2, b"metrics 3", b"frame 3"]


async def test_no_sample_of_before_a_frame_comes_after_it() -> None:
    seat = Seat()
    seat.wire.free.clear()
    seat.sample(0)
    seat.viewer.show(picture(1))
    await seat.settle()  # held up in the middle of the first sample
    seat.sample(1)
    seat.viewer.show(picture(2))
    seat.wire.free.set()
    assert await seat.settle() == [0, 1, b"metrics 2", b"frame 2"]


async def test_a_viewer_is_full_with_three_frames_that_it_has_not_drawn() -> None:
    seat = Seat()
    for number in range(1, limits.UNACKED_FRAMES + 1):
        assert seat.viewer.open_for_frames
        seat.viewer.show(picture(number))
        await seat.settle()
    assert not seat.viewer.open_for_frames
    seat.viewer.acknowledge(99)  # a frame that it never got
    assert not seat.viewer.open_for_frames
    seat.viewer.acknowledge(2)
    assert seat.viewer.open_for_frames


async def test_frames_come_at_the_rate_that_the_viewer_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(viewer, "monotonic", lambda: now[-1])
    seat = Seat()
    seat.viewer.watch(Watch(rate=10))
    assert seat.viewer.due <= now[-1]
    seat.viewer.show(picture(1), beat=100.0)
    now.append(100.05)
    seat.viewer.show(picture(2), beat=100.0)
    assert seat.viewer.due == pytest.approx(100.1)  # it does not drift with delays


async def test_a_viewer_that_has_left_hears_nothing_more() -> None:
    seat = Seat()
    seat.viewer.tell(notice())
    seat.viewer.leave(Closing.REPLACED, "")
    seat.viewer.tell(notice())
    assert await seat.settle() == ["notice"]
    assert seat.wire.closed == 4001
    assert seat.viewer.presence is Presence.GONE


async def test_a_viewer_that_reads_nothing_is_let_go_before_it_costs_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewer, "OWED_BYTES", 1000)
    seat = Seat()
    seat.wire.free.clear()
    for _ in range(20):
        seat.viewer.tell(notice())
    assert seat.viewer.presence is Presence.LEAVING
    seat.wire.free.set()
    await seat.settle()
    assert seat.wire.closed == 1013


async def test_a_new_run_begins_with_its_first_sample() -> None:
    seat = Seat(since=7)
    seat.history = History(run=2)
    seat.viewer.start_over()
    seat.sample(0)
    seat.viewer.catch_up()
    assert await seat.settle() == [0]
