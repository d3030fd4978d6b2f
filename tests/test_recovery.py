"""Workers that die, connections that break: in the end everybody has what the server has."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from playground.engine.worker_process import STRIKES
from playground.run.run import Run, TimelineEntry
from playground.run.validation import parse
from playground.training.loop import TrainingLoop
from tests.conftest import Running, Serve
from tests.guest import PATIENCE, Guest, Watching
from tests.loops import COMPILED, start, weights

NewSession = Callable[..., Guest]
CHANGES: list[dict[str, Any]] = [
    {"optimizer": {"kind": "momentum", "lr": 0.01}},
    {"optimizer": {"kind": "adam", "lr": 0.02}},
    {"hidden": [{"width": 5}, {"width": 2, "normalization": {"kind": "batchnorm"}}]},
    {"hidden": [{"width": 3, "dropout": 0.2, "activation": {"kind": "relu"}}]},
    {"batch_size": 20},
    {"data": {"noise": 0.2}},
    {"loss": {"kind": "hinge"}},
    {"loss": {"kind": "bce"}},
]


@pytest.fixture(scope="module")
def fragile(serve: Serve) -> Iterator[Running]:
    """A server of its own: here workers die."""
    with serve() as running:
        yield running


@pytest.fixture
def guest(fragile: Running) -> Iterator[Guest]:
    with httpx.Client(base_url=fragile.address, timeout=PATIENCE) as client:
        guest = Guest(client, client.post("/api/sessions").json())
        yield guest
        guest.call("DELETE", "")


def undisturbed(guest: Guest) -> TrainingLoop:
    """The same run, in one go and without a server."""
    looked = guest.look()
    loop = start(parse(guest.created["config"]), COMPILED)
    run = Run(loop.config, tuple(TimelineEntry(**entry) for entry in looked["timeline"]))
    for line in run.replay({}):
        loop.train(line.entry.step - loop.state.step)
        loop.change(line.after)
    loop.train(looked["step"] - loop.state.step)
    return loop


def assert_same_weights(guest: Guest, loop: TrainingLoop) -> None:
    """Bit for bit."""
    for layer, expected in zip(guest.do("GET", "/weights")["layers"], weights(loop), strict=True):
        assert set(layer) == set(expected)
        for name, values in layer.items():
            np.testing.assert_array_equal(np.float32(values), expected[name])


async def test_a_session_goes_on_when_its_worker_is_killed(fragile: Running, guest: Guest) -> None:
    async with guest.watch() as page:
        await page.do(type="play")
        await page.until(lambda: len(page.samples) > 60)
        await page.do(type="change", change=CHANGES[0])
        killed, seen = fragile.worker, max(page.samples)
        fragile.kill_worker()
        await page.event("notice", code="notice.worker_restarted")
        await page.until(lambda: max(page.samples) > seen + 60)
        await page.do(type="change", change=CHANGES[2])
        await page.until(lambda: max(page.samples) > seen + 120)
        stopped = (await page.do(type="pause"))["step"]
        await page.until(lambda: page.frames[-1][0]["step"] == stopped)
        assert fragile.worker != killed
        assert page.repeated == []
        assert sum(event["type"] == "notice" for event in page.events) == 1
        expected = guest.history()
        assert sorted(page.samples) == expected["index"]
        assert [row[0] for _, row in sorted(page.samples.items())] == expected["step"]
        assert [row[2] for _, row in sorted(page.samples.items())] == expected["train_loss"]
    looked = guest.look()
    assert [entry["change"] for entry in looked["timeline"]] == [CHANGES[0], CHANGES[2]]
    assert_same_weights(guest, undisturbed(guest))


def test_what_was_set_is_still_set_after_a_death(fragile: Running, guest: Guest) -> None:
    guest.do("POST", "/speed", {"steps_per_second": 5})
    guest.do("POST", "/step", {"steps": 30})
    guest.do("PATCH", "/config", {"seed": 5})
    guest.do("POST", "/reset")
    guest.do("POST", "/step", {"steps": 12})
    before = guest.look()
    weights = guest.do("GET", "/weights")
    fragile.kill_worker()
    assert guest.look() == before
    assert guest.do("GET", "/weights") == weights


async def test_a_command_in_flight_is_carried_out_by_the_next_worker(fragile: Running, guest: Guest) -> None:
    guest.do("POST", "/step", {"steps": 10})
    async with guest.watch() as page:
        await page.event("hello")
        long = asyncio.create_task(page.do(type="step", steps=600))
        await page.until(lambda: max(page.samples, default=0) > 100)
        fragile.kill_worker()
        change = await page.do(type="change", change=CHANGES[4])
        assert change["type"] == "ack"
        assert (await long)["step"] == 610
    assert_same_weights(guest, undisturbed(guest))


def test_a_worker_is_replaced_for_all_its_sessions(fragile: Running, guest: Guest) -> None:
    guests = [guest, guest.another(), guest.another()]
    for number, each in enumerate(guests):
        each.do("POST", "/step", {"steps": 10 + number})
    fragile.kill_worker()
    assert [each.look()["step"] for each in guests] == [10, 11, 12]


def test_a_recorded_timeline_is_followed_across_a_death(fragile: Running, guest: Guest) -> None:
    recorded = [{"step": 40, "change": CHANGES[0]}, {"step": 300, "change": CHANGES[4]}]
    again = guest.another(timeline=recorded)
    again.do("POST", "/step", {"steps": 100})
    fragile.kill_worker()
    again.do("POST", "/step", {"steps": 250})
    assert [entry["step"] for entry in again.look()["timeline"]] == [40, 300]
    assert_same_weights(again, undisturbed(again))


def test_a_session_that_kills_every_worker_is_closed_and_the_others_live(
    fragile: Running, guest: Guest
) -> None:
    guest.do("POST", "/step", {"steps": 5})
    deadly = guest.another()
    for _ in range(STRIKES):
        fragile.kill_worker(training=deadly.id)
        assert guest.look()["step"] == 5
    assert deadly.call("GET", "").status_code == 404
    assert guest.do("POST", "/step", {"steps": 5})["step"] == 10


# --- Whatever order of disconnects, kills and delays ------------------------------------------------------


class Life(RuleBasedStateMachine):
    """A holder that commands and drops its connection, a server whose worker is killed."""

    server: Running

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.client = httpx.Client(base_url=self.server.address, timeout=PATIENCE)
        self.guest = Guest(self.client, self.client.post("/api/sessions").json())
        self.stack: AsyncExitStack | None = None
        self.page: Watching | None = None
        self.rows: dict[int, np.ndarray] = {}
        self.run = 1
        self.kills = 0

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize()
    def begin(self) -> None:
        self.connect()
        self.command({"type": "speed", "max": True})

    def command(self, message: dict[str, Any]) -> None:
        """Over the websocket if there is one."""
        if self.page:
            answer = self.wait(self.page.do(**message))
            assert answer["type"] == "ack", answer

    @precondition(lambda self: self.page is None)
    @rule()
    def connect(self) -> None:
        async def join() -> None:
            self.stack = AsyncExitStack()
            since = max(self.rows, default=-1)
            self.page = await self.stack.enter_async_context(self.guest.watch(since=since, run=self.run))
            hello = await self.page.event("hello")
            if hello["run"] != self.run:
                self.rows, self.run = {}, hello["run"]
            self.page.remember(self.rows)

        self.wait(join())

    @precondition(lambda self: self.page is not None)
    @rule()
    def disconnect(self) -> None:
        assert self.page
        assert self.stack
        self.wait(self.stack.aclose())
        self.rows = self.page.rows
        for event in self.page.events:
            self.run = event["run"] if event["type"] == "run" else self.run
        assert self.page.repeated == []
        self.page = None

    @rule()
    def play(self) -> None:
        self.command({"type": "play"})

    @rule()
    def pause(self) -> None:
        self.command({"type": "pause"})

    @rule(steps=st.integers(1, 60))
    def step(self, steps: int) -> None:
        self.command({"type": "step", "steps": steps})

    @rule(change=st.sampled_from(CHANGES))
    def change(self, change: dict[str, Any]) -> None:
        self.command({"type": "change", "change": change})

    @rule()
    def reset(self) -> None:
        self.command({"type": "reset"})

    @precondition(lambda self: self.kills < 3)
    @rule()
    def kill(self) -> None:
        self.kills += 1
        with suppress(ProcessLookupError):  # it may be dead already
            os.kill(self.server.worker, signal.SIGKILL)

    @rule(seconds=st.sampled_from([0.01, 0.1]))
    def delay(self, seconds: float) -> None:
        self.wait(asyncio.sleep(seconds))

    @precondition(lambda self: self.page is not None)
    @rule(
        text=st.sampled_from(["", "[]", '{"type": "nothing"}', json.dumps({"type": "ack", "frame": 10**6})])
    )
    def say_nonsense(self, text: str) -> None:
        assert self.page
        self.wait(self.page.socket.send(text))

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            if self.stack:
                self.wait(self.stack.aclose())
            self.guest.call("DELETE", "")
            self.client.close()
            self.loop.close()

    def compare(self) -> None:
        if self.page is None:
            self.connect()
        page = self.page
        assert page
        stopped = self.wait(page.do(type="pause"))["step"]
        history = self.guest.history()
        self.wait(page.until(lambda: max(page.samples, default=-1) == (history["index"] or [-1])[-1]))
        weights = [
            np.asarray(layer["weight"], np.float32) for layer in self.guest.do("GET", "/weights")["layers"]
        ]
        self.wait(page.until(lambda: page.frames and shows(page.frames[-1], stopped, weights)))
        assert sorted(page.samples) == history["index"]
        assert [row[0] for _, row in sorted(page.samples.items())] == history["step"]
        assert [row[2] for _, row in sorted(page.samples.items())] == history["train_loss"]
        loss = [row[:, 3].tolist() for _, row in sorted(page.rows.items())]
        assert [row[1] for row in loss] == self.guest.bands("low")["train_loss"]
        assert [row[2] for row in loss] == self.guest.bands("high")["train_loss"]
        looked = self.guest.look()
        if looked["run"] == 1:
            assert_same_weights(self.guest, undisturbed(self.guest))


def shows(
    frame: tuple[dict[str, Any], dict[str, np.ndarray]], step: int, weights: Sequence[np.ndarray]
) -> bool:
    """Whether a frame is of this step and these weights, bit for bit."""
    header, arrays = frame
    return header["step"] == step and all(
        np.array_equal(arrays.get(f"weight.{position}", np.zeros(0)), weight)
        for position, weight in enumerate(weights)
    )


def test_whatever_happens_in_the_end_the_viewer_has_what_the_server_has(fragile: Running) -> None:
    Life.server = fragile
    # To make a failed life shorter would take minutes.
    lived = settings(max_examples=8, stateful_step_count=20, deadline=None, phases=[Phase.generate])
    run_state_machine_as_test(Life, settings=lived)
