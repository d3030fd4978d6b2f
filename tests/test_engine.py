"""Workers on this machine: where sessions go, and what their deaths mean."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.catalogue.datasets import Csv
from playground.engine.local import LocalEngine
from playground.engine.worker_process import Record
from playground.errors import ValidationFailed, WorkerLost
from playground.i18n import Text
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.commands import SetWeight, Speed
from playground.messages.worker import Envelope, Event, ReadMetrics, Step
from playground.run.config import Config


class Client:
    """A session that knows no more than an engine must know."""

    def __init__(self, number: int, config: Config | None = None):
        self.id = f"client-{number}"
        self.number = number
        self.step = 0
        self.ended: str | None = None
        self.reopened = 0
        self.deaths: list[int] = []
        """After how many reopenings each of its workers died."""
        self.config = config or Config()
        self.playing = False

    def opening(self) -> tuple[messages.Open, Arrays]:
        speed = Speed(max=True)
        return messages.Open(
            number=self.number, run=1, config=self.config, speed=speed, until=self.step, playing=self.playing
        ), {}

    def on_event(self, event: Envelope[Event]) -> None:
        match event.content:
            case messages.Snapshot(step=step):
                self.step = max(self.step, step)

    def on_worker_lost(self) -> None:
        self.deaths.append(self.reopened)

    def on_reopened(self) -> None:
        self.reopened += 1

    def end(self, reason: Text) -> None:
        self.ended = reason.text


def content(answer: Envelope[Event]) -> Any:
    return answer.content


@pytest.fixture
async def engine() -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(workers=2, device="cpu")
    await engine.start()
    yield engine
    await engine.stop()


async def test_sessions_are_spread_over_the_workers_and_share_them_fairly(engine: LocalEngine) -> None:
    clients = [Client(number) for number in range(1, 9)]
    for client in clients:
        client.playing = True
        await engine.open(client, content)
    assert [len(worker.clients) for worker in engine._workers] == [4, 4]
    assert len(set(engine.pids)) == 2

    async def steps() -> list[int]:
        return [(await engine.ask(client.id, ReadMetrics(), content)).step for client in clients]

    before, many = await steps(), 50_000  # for some thousand are one turn
    while min(trained := [b - a for a, b in zip(before, await steps(), strict=True)]) < many:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    for group in (trained[::2], trained[1::2]):  # those of one worker
        assert min(group) > sum(group) / len(group) / 2


async def test_a_request_that_is_refused_is_refused_to_whoever_asked(engine: LocalEngine) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        await engine.open(Client(1, Config(data=Csv(id="nothing"))), content)
    assert refusal.value.errors[0].field == "id"
    client = Client(2)
    await engine.open(client, content)
    nowhere = SetWeight(layer=9, source=0, unit=0, value=1)
    with pytest.raises(ValidationFailed, match="layer"):
        await engine.ask(client.id, nowhere, content)
    assert (await engine.ask(client.id, ReadMetrics(), content)).step == 0


async def test_a_request_over_which_workers_die_is_given_up_but_not_the_session(
    engine: LocalEngine,
) -> None:
    client = Client(1)
    await engine.open(client, content)
    assigned = engine._assignments[client.id]

    def die(answer: Envelope[Event]) -> None:
        raise AssertionError("it should never be answered")

    os.kill(assigned.pid, signal.SIGSTOP)  # so that the request cannot be answered before the worker dies
    request = asyncio.create_task(engine.ask(client.id, Step(run=1, steps=10**6), die))
    for _ in range(2):
        pid = assigned.pid
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)
        assigned._current_session[:8] = client.number.to_bytes(8, "little")
        os.kill(pid, signal.SIGKILL)
        while assigned.pid == pid:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(WorkerLost, match="each time"):
        await request
    assert (await engine.ask(client.id, ReadMetrics(), content)).step == 0
    assert client.ended is None


async def test_a_death_is_told_before_the_next_worker_is_there(engine: LocalEngine) -> None:
    client = Client(1)
    await engine.open(client, content)
    os.kill(engine.pids[0], signal.SIGKILL)
    assert (await engine.ask(client.id, ReadMetrics(), content)).step == 0
    assert client.deaths == [0]
    assert client.reopened == 1


async def test_nobody_waits_for_an_engine_that_has_stopped(engine: LocalEngine) -> None:
    client = Client(1)
    await engine.open(client, content)
    request = asyncio.create_task(engine.ask(client.id, Step(run=1, steps=10**6), content))
    await asyncio.sleep(0)
    await engine.stop()
    with pytest.raises(WorkerLost):
        await request


def test_a_session_may_meet_deaths_as_long_as_it_gets_on() -> None:
    record = Record()
    assert not any(record.strike(step) for step in (10, 20, 30, 40, 50))
    assert [record.strike(step) for step in (50, 50)] == [False, True]
