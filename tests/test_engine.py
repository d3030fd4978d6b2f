"""Workers on this machine: where sessions go, and what their deaths mean."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.messages import worker as orders
from playground.run.config import Refused, RunConfig
from playground.engine.local import LocalEngine, Record, WorkerLost
from playground.messages.worker import Mail, Report
from playground.messages.protocol import Arrays, Speed


class Lodger:
    """A session that knows no more than an engine must know."""

    def __init__(self, number: int, config: dict[str, Any] | None = None):
        self.id = f"lodger-{number}"
        self.number = number
        self.step = 0
        self.ended: str | None = None
        self.moves = 0
        self.deaths: list[int] = []
        """After how many moves each of its workers died."""
        self.config = config or RunConfig().model_dump(mode="json")
        self.playing = False

    def opening(self) -> tuple[orders.Open, Arrays]:
        speed = Speed(max=True)
        return orders.Open(
            number=self.number, run=1, config=self.config, speed=speed, until=self.step, playing=self.playing
        ), {}

    def take(self, report: Mail[Report]) -> None:
        match report.content:
            case orders.Snapshot(step=step):
                self.step = max(self.step, step)

    def orphaned(self) -> None:
        self.deaths.append(self.moves)

    def moved(self) -> None:
        self.moves += 1

    def end(self, reason: str) -> None:
        self.ended = reason


def content(mail: Mail[Report]) -> Any:
    return mail.content


@pytest.fixture
async def engine() -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(workers=2, device="cpu")
    await engine.start()
    yield engine
    await engine.stop()


async def test_sessions_are_spread_over_the_workers_and_share_them_fairly(engine: LocalEngine) -> None:
    lodgers = [Lodger(number) for number in range(1, 9)]
    for lodger in lodgers:
        lodger.playing = True
        await engine.open(lodger, content)
    assert [len(worker.tenants) for worker in engine._workers] == [4, 4]
    assert len(set(engine.pids)) == 2

    async def steps() -> list[int]:
        return [(await engine.ask(lodger.id, orders.Look(), content)).step for lodger in lodgers]

    before, many = await steps(), 50_000  # for some thousand are one turn
    while min(trained := [b - a for a, b in zip(before, await steps(), strict=True)]) < many:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    for group in (trained[::2], trained[1::2]):  # those of one worker
        assert min(group) > sum(group) / len(group) / 2


async def test_an_order_that_is_refused_is_refused_to_whoever_asked(engine: LocalEngine) -> None:
    with pytest.raises(Refused) as refusal:
        await engine.open(Lodger(1, {"batch_size": 0}), content)
    assert refusal.value.errors[0].field == "batch_size"
    lodger = Lodger(2)
    await engine.open(lodger, content)
    magic = orders.Apply(deed=orders.Deed(step=0, change={"optimizer": {"kind": "magic"}}))
    with pytest.raises(Refused, match="optimizer"):
        await engine.ask(lodger.id, magic, content)
    assert (await engine.ask(lodger.id, orders.Look(), content)).step == 0


async def test_an_order_over_which_workers_die_is_given_up_and_the_session_lives(engine: LocalEngine) -> None:
    lodger = Lodger(1)
    await engine.open(lodger, content)
    home = engine._homes[lodger.id]

    def die(mail: Mail[Report]) -> None:
        raise AssertionError("it should never be answered")

    os.kill(home.pid, signal.SIGSTOP)  # so that the order cannot be answered before the worker dies
    order = asyncio.create_task(engine.ask(lodger.id, orders.Advance(run=1, steps=10**6), die))
    for _ in range(2):
        pid = home.pid
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)
        home._turn[:8] = lodger.number.to_bytes(8, "little")
        os.kill(pid, signal.SIGKILL)
        while home.pid == pid:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(WorkerLost, match="each time"):
        await order
    assert (await engine.ask(lodger.id, orders.Look(), content)).step == 0
    assert lodger.ended is None


async def test_a_death_is_told_before_the_next_worker_is_there(engine: LocalEngine) -> None:
    lodger = Lodger(1)
    await engine.open(lodger, content)
    os.kill(engine.pids[0], signal.SIGKILL)
    assert (await engine.ask(lodger.id, orders.Look(), content)).step == 0
    assert lodger.deaths == [0]
    assert lodger.moves == 1


async def test_nobody_waits_for_an_engine_that_has_stopped(engine: LocalEngine) -> None:
    lodger = Lodger(1)
    await engine.open(lodger, content)
    order = asyncio.create_task(engine.ask(lodger.id, orders.Advance(run=1, steps=10**6), content))
    await asyncio.sleep(0)
    await engine.stop()
    with pytest.raises(WorkerLost):
        await order


def test_a_session_may_meet_deaths_as_long_as_it_gets_on() -> None:
    record = Record()
    assert not any(record.strike(step) for step in (10, 20, 30, 40, 50))
    assert [record.strike(step) for step in (50, 50)] == [False, True]
