"""A session that moves to another worker, and whoever watches it or asks something of it meanwhile."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from playground.engine.worker_process import WorkerProcess
from playground.messages.worker import Load
from tests.conftest import Running, Serve
from tests.guest import PATIENCE, Guest

CONFIG = {"hidden": [{"width": 4, "dropout": 0.2}, {"width": 2}], "optimizer": {"kind": "adam", "lr": 0.01}}


@pytest.fixture(scope="module")
def two(serve: Serve) -> Iterator[Running]:
    """A server with two workers."""
    with serve(workers=2) as running:
        yield running


@pytest.fixture
def client(two: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=two.address, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def guest(client: httpx.Client) -> Guest:
    guest = Guest(client, client.post("/api/sessions", json={"config": CONFIG}).json())
    guest.do("POST", "/step", {"steps": 130})
    guest.do("PATCH", "/config", {"l2": 0.001})
    guest.do("POST", "/step", {"steps": 75})
    return guest


def workers(two: Running, guest: Guest) -> tuple[WorkerProcess, WorkerProcess]:
    """Its own, and the other one."""
    own = two.engine._assignments[guest.id]
    [other] = [worker for worker in two.engine._workers if worker is not own]
    return own, other


async def move(two: Running, guest: Guest) -> bool:
    """To the other worker; whether it did."""
    _, other = workers(two, guest)
    moving = two.engine._balance.move(guest.id, other)
    loop = two.engine._lives[0].get_loop()
    return await asyncio.wait_for(
        asyncio.wrap_future(asyncio.run_coroutine_threadsafe(moving, loop)), PATIENCE
    )


def seen_of(guest: Guest) -> tuple[Any, ...]:
    """All but the gradients of the last step, which nobody computes again before the next."""
    look = guest.look()
    metrics = {name: value for name, value in look.pop("metrics").items() if "grad" not in name}
    return look, metrics, guest.history(), guest.do("GET", "/weights")


async def test_a_session_that_moves_stays_what_it_is(two: Running, guest: Guest) -> None:
    twin = guest.another(config=CONFIG)
    async with guest.watch() as page:
        await page.until(lambda: page.frames)
        before = seen_of(guest)
        _, other = workers(two, guest)
        assert await move(two, guest)
        assert workers(two, guest)[0] is other
        assert seen_of(guest) == before
        seen = len(page.frames)
        guest.do("POST", "/step", {"steps": 90})
        await page.until(lambda: any(header["step"] == 295 for header, _ in page.frames[seen:]))
        assert not [event for event in page.events if event["type"] in ("notice", "run")]
        assert page.closed is None
    twin.do("POST", "/step", {"steps": 130})
    twin.do("PATCH", "/config", {"l2": 0.001})
    twin.do("POST", "/step", {"steps": 165})
    assert twin.do("GET", "/weights") == guest.do("GET", "/weights")
    assert twin.history() == guest.history()


async def test_who_watches_misses_nothing_of_a_session_that_plays_and_moves(
    two: Running, guest: Guest
) -> None:
    async with guest.watch() as page:
        await page.do(type="speed", epochs_per_second=40)
        await page.do(type="play")
        for _ in range(2):
            step = guest.look()["step"]
            assert await move(two, guest)
            await page.until(lambda step=step: page.frames and page.frames[-1][0]["step"] > step)
        await page.do(type="pause")
        last = guest.look()["step"]
        await page.until(lambda: page.samples and page.frames[-1][0]["step"] == last)
        steps = guest.history()["step"]
        await page.until(lambda: len(page.samples) >= len(steps))
        assert [row[0] for row in page.samples.values()] == steps
        assert not page.repeated


async def test_where_somebody_waits_for_it_a_session_stays(two: Running, guest: Guest) -> None:
    asked = asyncio.create_task(asyncio.to_thread(guest.do, "POST", "/step", {"steps": 300_000}))
    while not two.engine._assignments[guest.id]._pending:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    moved = await move(two, guest)
    assert (await asyncio.wait_for(asked, PATIENCE))["step"] == 300_205
    assert not moved


async def test_what_is_asked_during_a_move_is_done_after_it(two: Running, guest: Guest) -> None:
    _, other = workers(two, guest)
    os.kill(other.pid, signal.SIGSTOP)
    try:
        moving = asyncio.create_task(move(two, guest))
        await _under_way(two, guest)
        asked = asyncio.create_task(asyncio.to_thread(guest.do, "POST", "/step", {"steps": 10}))
        await asyncio.sleep(0.05)
    finally:
        os.kill(other.pid, signal.SIGCONT)
    assert await moving
    assert (await asyncio.wait_for(asked, PATIENCE))["step"] == 215


@pytest.mark.parametrize("which", ["its own", "the other"])
async def test_a_worker_that_dies_during_a_move_loses_nothing(two: Running, guest: Guest, which: str) -> None:
    weights, history = guest.do("GET", "/weights"), guest.history()
    worker = workers(two, guest)[which == "the other"]
    os.kill(worker.pid, signal.SIGSTOP)
    moving = asyncio.create_task(move(two, guest))
    await _under_way(two, guest)
    os.kill(worker.pid, signal.SIGKILL)
    await moving
    assert (guest.do("GET", "/weights"), guest.history()) == (weights, history)
    assert guest.look()["step"] == 205


async def test_what_is_deleted_during_a_move_is_deleted(two: Running, guest: Guest) -> None:
    _, other = workers(two, guest)
    os.kill(other.pid, signal.SIGSTOP)
    try:
        moving = asyncio.create_task(move(two, guest))
        await _under_way(two, guest)
        deleted = await asyncio.to_thread(guest.call, "DELETE", "")
        assert deleted.is_success
    finally:
        os.kill(other.pid, signal.SIGCONT)
    assert not await moving
    assert (await asyncio.to_thread(guest.call, "GET", "")).status_code == 404
    assert guest.id not in two.engine._assignments
    assert not any(guest.id in worker.clients for worker in two.engine._workers)


async def _under_way(two: Running, guest: Guest) -> None:
    """A move that cannot go on, as one worker has been stopped, has come as far as that."""
    while guest.id not in two.engine._balance._moving:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.2)


async def test_from_a_full_worker_sessions_move_to_one_with_room_and_relatives_stay_together(
    two: Running, guest: Guest
) -> None:
    own, other = workers(two, guest)
    branch = guest.do("POST", "/branch", {"step": 100})
    alone = guest.another(config=CONFIG)
    while two.engine._assignments[alone.id] is not own:
        alone.call("DELETE", "")
        guest.another(config=CONFIG)  # on the other one
        alone = guest.another(config=CONFIG)
    own.load = Load(busy=1.0, sessions={guest.id: 0.2, branch["id"]: 0.1, alone.id: 0.1})
    other.load = Load(busy=0.1, sessions={})
    two.engine._lives[0].get_loop().call_soon_threadsafe(two.engine._balance._look)
    async with asyncio.timeout(PATIENCE):
        while two.engine._assignments[alone.id] is not other:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert two.engine._assignments[guest.id] is two.engine._assignments[branch["id"]] is own
