"""A class: a hundred sessions at 60 epochs/s, each watched, on one worker that has one core."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from websockets.asyncio.client import connect

from bench.report import Cell, Table
from playground.messages.commands import SUBPROTOCOL
from tests.e2e.server import serving, worker_of

SESSIONS = 100
EPOCHS = 60  # a second, of each
STEPS = 25  # an epoch has, with the default data and batch
FRAMES = 10  # a second, for each viewer
SETTLING, SECONDS = 5, 20
CROWDS = (100, 200, 400, 600, 800)  # sessions that nobody watches
ENOUGH = 0.95  # of its speed
SPECTATORS = 1000  # of one session
CALM_EPOCHS = 15  # a second, where the web process is asked about and not the worker


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

    async def watch(self, epochs: int = EPOCHS) -> None:
        commands = [{"type": "speed", "epochs_per_second": epochs}, {"type": "play"}]
        await self._look(commands, self._authorization)

    async def look_on(self, other: Watcher) -> None:
        """At another's session, without its key."""
        self._path = other._path
        await self._look([], {})

    async def _look(self, commands: list[dict[str, Any]], authorization: dict[str, str]) -> None:
        address = f"{self._client.base_url}".replace("http", "ws").rstrip("/") + f"{self._path}/live"
        subprotocols = [SUBPROTOCOL]
        async with connect(
            address,
            subprotocols=subprotocols,  # pyright: ignore[reportArgumentType]
            additional_headers=authorization,
            compression=None,
            max_size=None,
        ) as socket:
            wish = {"type": "watch", "rate": FRAMES, "neurons": 20, "output": 100}
            for number, command in enumerate([wish, *commands]):
                await socket.send(json.dumps({"id": f"c{number}", **command}))
            async for message in socket:
                if isinstance(message, bytes) and (number := frame_number(message)) is not None:
                    self.frames += 1
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


def frame_number(message: bytes) -> int | None:
    """Of a frame; its arrays are not looked at."""
    (length,) = struct.unpack_from("<I", message, 4)
    header = json.loads(message[8 : 8 + length])
    return header["frame"] if header["type"] == "frame" else None


async def shares(watchers: list[Watcher], server: int) -> tuple[float, float, float, float]:
    """Frames/s of the viewers, the least and the median; cores that the web process and this one use."""
    frames = [watcher.frames for watcher in watchers]
    busy, own, began = cpu_seconds(server), cpu_seconds(os.getpid()), time.perf_counter()
    await asyncio.sleep(SECONDS)
    seconds = time.perf_counter() - began
    rates = [(watcher.frames - n) / seconds for watcher, n in zip(watchers, frames, strict=True)]
    used = [(cpu_seconds(p) - was) / seconds for p, was in ((server, busy), (os.getpid(), own))]
    return min(rates), median(rates), used[0], used[1]


async def web_process(address: str, server: int, sessions: int, spectators: int) -> list[Cell]:
    """A row of its table: so many sessions with their holders, and spectators of the first."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        holders = [Watcher(client) for _ in range(sessions)]
        for seed, watcher in enumerate(holders):
            await watcher.create(seed)
        watching = [asyncio.create_task(watcher.watch(CALM_EPOCHS)) for watcher in holders]
        others = [Watcher(client) for _ in range(spectators)]
        for other in others:
            watching.append(asyncio.create_task(other.look_on(holders[0])))
            await asyncio.sleep(0.003)
        await asyncio.sleep(SETTLING)
        found = await shares([*holders, *others], server)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return [sessions, sessions + spectators, *found]


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


def web_table() -> Table:
    rows: list[list[Cell]] = []
    for sessions, spectators in ((SESSIONS, 0), (1, SPECTATORS)):
        with serving(workers="1", max_sessions=str(SESSIONS)) as (address, server):
            rows.append(asyncio.run(web_process(address, server, sessions, spectators)))
    return Table(
        f"What viewers at {FRAMES} frames/s cost the web process; sessions at {CALM_EPOCHS} epochs/s",
        ["sessions", "viewers", "least frames/s", "median", "cores of the web process", "of the viewers"],
        rows,
        "Goal: 0.4 of a core for a hundred sessions. The viewers are another process.",
    )


def measure() -> Iterator[Table]:
    yield web_table()
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
