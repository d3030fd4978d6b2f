"""A class: a hundred sessions at 60 epochs/s, each watched, on one worker that has one core."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
from websockets.asyncio.client import connect

from bench.report import Cell, Table
from playground.messages.codec import decode
from playground.messages.commands import SUBPROTOCOL
from tests.e2e.server import serving, worker_of

SESSIONS = 100
EPOCHS = 60  # a second, of each
STEPS = 25  # an epoch has, with the default data and batch
FRAMES = 10  # a second, for each viewer
SETTLING, SECONDS = 5, 20
CROWDS = (100, 200, 400, 600, 800)  # sessions that nobody watches
ENOUGH = 0.95  # of its speed


class Watcher:
    """Plays a new session and acknowledges its frames."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.frames = 0

    async def create(self, seed: int) -> None:
        """A paused session."""
        made = (
            (await self._client.post("/api/sessions", json={"config": {"seed": seed}}))
            .raise_for_status()
            .json()
        )
        self._path, self._authorization = (
            f"/api/sessions/{made['id']}",
            {"Authorization": f"Bearer {made['key']}"},
        )

    async def watch(self) -> None:
        address = f"{self._client.base_url}".replace("http", "ws").rstrip("/") + f"{self._path}/live"
        subprotocols = [SUBPROTOCOL]
        async with connect(
            address,
            subprotocols=subprotocols,  # pyright: ignore[reportArgumentType]
            additional_headers=self._authorization,
            compression=None,
            max_size=None,
        ) as socket:
            commands = [
                {"type": "watch", "rate": FRAMES, "neurons": 20, "output": 100},
                {"type": "speed", "epochs_per_second": EPOCHS},
                {"type": "play"},
            ]
            for number, command in enumerate(commands):
                await socket.send(json.dumps({"id": f"c{number}", **command}))
            async for message in socket:
                if isinstance(message, bytes) and b'"type":"frame"' in message[:40]:
                    self.frames += 1
                    number = decode(message)[0]["frame"]
                    await socket.send(json.dumps({"type": "ack", "frame": number}))

    async def play(self) -> None:
        """At its speed, with nobody watching."""
        body = {"epochs_per_second": EPOCHS}
        answer = await self._client.post(f"{self._path}/speed", json=body, headers=self._authorization)
        answer.raise_for_status()
        (await self._client.post(f"{self._path}/play", headers=self._authorization)).raise_for_status()

    async def mark(self) -> tuple[int, int, float]:
        told = (await self._client.get(self._path)).raise_for_status().json()
        return told["step"], self.frames, time.perf_counter()


async def crowd(address: str, worker: int) -> tuple[list[float], list[float], float, float]:
    """Speed of each session in epochs/s and frames/s, MiB of the worker a session, share of its core used."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        watchers = [Watcher(client) for _ in range(SESSIONS + 1)]
        await watchers[0].create(0)
        before = memory(worker)
        for seed, watcher in enumerate(watchers[1:]):
            await watcher.create(seed)
        watching = [asyncio.create_task(watcher.watch()) for watcher in watchers[1:]]
        await asyncio.sleep(SETTLING)
        first = [await watcher.mark() for watcher in watchers[1:]]
        began, busy = time.perf_counter(), cpu_seconds(worker)
        await asyncio.sleep(SECONDS)
        share = (cpu_seconds(worker) - busy) / (time.perf_counter() - began)
        last = [await watcher.mark() for watcher in watchers[1:]]
        each = (memory(worker) - before) / SESSIONS
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    spans = [(b[0] - a[0], b[1] - a[1], b[2] - a[2]) for a, b in zip(first, last, strict=True)]
    epochs = [steps / STEPS / seconds for steps, _, seconds in spans]
    return epochs, [frames / seconds for _, frames, seconds in spans], each, share


async def unwatched(address: str) -> list[list[Cell]]:
    """Rows of: sessions that play with nobody watching, and the share of their speed that they keep."""
    rows: list[list[Cell]] = []
    watchers: list[Watcher] = []
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for count in CROWDS:
            while len(watchers) < count:
                watchers.append(Watcher(client))
                await watchers[-1].create(len(watchers))
                await watchers[-1].play()
            await asyncio.sleep(SETTLING)
            first = [await watcher.mark() for watcher in watchers]
            await asyncio.sleep(SETTLING)
            last = [await watcher.mark() for watcher in watchers]
            goal = EPOCHS * STEPS
            shares = [(b[0] - a[0]) / (b[2] - a[2]) / goal for a, b in zip(first, last, strict=True)]
            rows.append([count, min(shares), median(shares)])
            if median(shares) < ENOUGH:
                break
    return rows


def memory(process: int) -> float:
    """MiB that it shares with no other."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in told if line.startswith("Private_")) / 1024


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def one_core_each(sessions: int) -> Iterator[tuple[str, int]]:
    """A server, and its worker, which has a core of its own; server and viewers have the others."""
    cores = sorted(os.sched_getaffinity(0))
    with serving(workers="1", max_sessions=str(sessions)) as (address, server):
        worker = worker_of(server)
        os.sched_setaffinity(worker, cores[:1])
        try:
            for process in (server, 0):
                os.sched_setaffinity(process, cores[1:] or cores)
            yield address, worker
        finally:
            os.sched_setaffinity(0, cores)


def measure() -> Iterator[Table]:
    with one_core_each(SESSIONS + 1) as (address, worker):
        epochs, frames, each, share = asyncio.run(crowd(address, worker))
    yield Table(
        f"{SESSIONS} sessions of the default network at {EPOCHS} epochs/s, each with a viewer at {FRAMES}"
        " frames/s; one worker on one core",
        ["", "least", "median", "most", "goal"],
        [
            ["epochs/s of a session", min(epochs), median(epochs), max(epochs), EPOCHS],
            ["frames/s of a viewer", min(frames), median(frames), max(frames), FRAMES],
            ["MiB of the worker a session", None, each, None, 2.0],
            ["share of the core that the worker uses", None, share, None, None],
        ],
        "Server and viewers have the other cores.",
    )
    with one_core_each(CROWDS[-1]) as (address, _):
        rows = asyncio.run(unwatched(address))
    columns = ["sessions", "least share of their speed", "median"]
    yield Table(f"Sessions at {EPOCHS} epochs/s that nobody watches; one worker on one core", columns, rows)
