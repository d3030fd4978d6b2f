"""A server and its worker, killed amid live sessions, and what must be true of these afterwards."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import websockets

from tests.e2e.server import free_port, wait_until_ready, worker_of
from tests.guest import PATIENCE, Guest

CONFIG: dict[str, Any] = {"version": 2, "data": {"kind": "circle"}, "hidden": [{"width": 4}, {"width": 3}]}
CHANGES: list[dict[str, Any]] = [
    {"optimizer": {"kind": "momentum", "lr": 0.01}},
    {"optimizer": {"kind": "adam", "lr": 0.02}},
    {"optimizer": {"lr": 0.005}},
    {"hidden": [{"width": 5}, {"width": 2, "normalization": {"kind": "batchnorm"}}]},
    {"hidden": [{"width": 3, "dropout": 0.2, "activation": {"kind": "relu"}}]},
    {"hidden": [{"width": 4}, {"width": 4}]},
    {"batch_size": 20},
    {"batch_size": 10},
    {"data": {"noise": 0.2}},
    {"l2": 0.001},
]
LOST_SECONDS = 5.0
"""Of training, at most, by a server that is killed."""
NOT_DONE = ("problem.worker_lost", "notice.shutdown")
"""Answers to a command over which the worker died again and again, or the server stopped."""
AWAY = (OSError, httpx.TransportError, websockets.WebSocketException, AssertionError)
"""No answer, or a connection that ended before there was one."""


class Server:
    """One that can be killed, and started again on the same port with the same database."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "PLAYGROUND_PORT": str(self.port),
            "PLAYGROUND_DATABASE": str(folder / "playground.db"),
            "PLAYGROUND_LOG_LEVEL": "warning",
            "PLAYGROUND_WORKERS": "1",
        }
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "playground.cli", "serve"]
        self.process = subprocess.Popen(command, env=self._environment)
        wait_until_ready(self.address, self.process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def kill_worker(self) -> None:
        os.kill(worker_of(self.process.pid), signal.SIGKILL)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


class Visitor:
    """Somebody whose page sends commands again, by their ids, until they are answered."""

    def __init__(self, guest: Guest, name: str):
        self.guest = guest
        self.done: list[tuple[dict[str, Any], dict[str, Any]]] = []
        """Commands, and their answers."""
        self._name = name
        self._numbers = count(1)

    async def commands(self, command: dict[str, Any]) -> None:
        answer = await self._answered(command)
        while answer.get("code") in NOT_DONE:
            answer = await self._answered(command)
        assert answer["type"] == "ack", answer
        self.done.append((command, answer))

    async def _answered(self, command: dict[str, Any]) -> dict[str, Any]:
        numbered = {"id": f"{self._name}-{next(self._numbers)}", **command}
        async with asyncio.timeout(3 * PATIENCE):
            while True:
                try:
                    async with self.guest.watch() as page:
                        return await page.do(**numbered)
                except websockets.InvalidStatus as refused:
                    if refused.response.status_code != 503:
                        raise
                except AWAY:
                    pass
                await asyncio.sleep(0.2)


def random_command(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.5:
        return {"type": "step", "steps": chance.randint(20, 400)}
    return {"type": "change", "change": chance.choice(CHANGES)}


def new_session(client: httpx.Client) -> Guest:
    return Guest(client, client.post("/api/sessions", json={"config": CONFIG}).json())


async def killed(server: Server, deaths: list[str], seed: int) -> list[float]:
    """Kills the `server` or its `worker` at random moments, or has the server `stop`, while two sessions go
    on, one by hand, one that plays; checks that nothing is missing. Returns the seconds until the server
    answered again.

    What was done by hand is done again on the last server, undisturbed, and must come to the same bits.
    """
    chance = random.Random(seed)
    taken = []
    with httpx.Client(base_url=server.address, timeout=PATIENCE) as client:
        playing, by_hand = new_session(client), new_session(client)
        playing.do("POST", "/speed", {"epochs_per_second": 100})
        playing.do("POST", "/play")
        visitor = Visitor(by_hand, "hand")
        over = asyncio.Event()

        async def goes_on() -> None:
            while not over.is_set():
                await visitor.commands(random_command(chance))
                await asyncio.sleep(chance.uniform(0, 0.1))

        going = asyncio.create_task(goes_on())
        for death in deaths:
            await asyncio.sleep(chance.uniform(0.5, 3))
            seen = (await asyncio.to_thread(playing.look))["epoch"]
            if death == "worker":
                server.kill_worker()
            else:
                await asyncio.to_thread(server.kill if death == "server" else server.stop)
                start = time.monotonic()
                await asyncio.to_thread(server.start)
                taken.append(time.monotonic() - start)
            await asyncio.to_thread(is_back, playing, seen, LOST_SECONDS if death == "server" else 0)
        over.set()
        await going
        assert_nothing_is_missing(visitor)
        await assert_same_as_undisturbed(visitor)
    return taken


def is_back(playing: Guest, seen: float, seconds: float) -> None:
    """It plays, and lost what it had trained in the last seconds at most."""
    while (answer := playing.call("GET", "")).status_code == 503:
        time.sleep(0.1)
    told = answer.json()
    assert told["playing"]
    assert told["epoch"] >= seen - seconds * 100
    assert told["speed"] == {"epochs_per_second": 100}


def assert_nothing_is_missing(visitor: Visitor) -> None:
    """Every change that was answered is in the timeline once, at the step of the answer."""
    changes = [answer for command, answer in visitor.done if command["type"] == "change" and answer["effect"]]
    timeline = visitor.guest.look()["timeline"]
    assert [(line["step"], line["change"]) for line in timeline] == [
        (a["step"], a["change"]) for a in changes
    ]


async def assert_same_as_undisturbed(visitor: Visitor) -> None:
    """Steps under way when the server is killed are trained anew in full when they are asked for again, so
    the undisturbed one is trained up to where that led."""
    guest, step = visitor.guest, 0
    twin = Visitor(guest.another(config=CONFIG), "twin")
    for command, answer in visitor.done:
        if command["type"] == "change":
            await twin.commands(command)
        elif more := answer["step"] - step:
            await twin.commands({"type": "step", "steps": more})
        step = answer["step"]
        assert twin.done[-1][1]["step"] == step
    assert twin.guest.do("GET", "/weights") == guest.do("GET", "/weights")
    curves, expected = guest.history(), twin.guest.history()
    assert curves["step"] == expected["step"]
    for name, values in expected.items():
        np.testing.assert_allclose(np.array(curves[name], float), np.array(values, float), rtol=1e-9)
    twin.guest.call("DELETE", "")
