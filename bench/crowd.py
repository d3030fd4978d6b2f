"""A class: a hundred sessions at the default speed, each watched, on one worker that has one core."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from statistics import median

import httpx
from websockets.asyncio.client import connect

from backend import protocol
from bench.report import Table
from tests.e2e.server import serving, worker_of

SESSIONS = 100
EPOCHS = 60  # a second, of each
STEPS = 25  # an epoch has, with the default data and batch
FRAMES = 10  # a second, for each viewer
SETTLING, SECONDS = 5, 20


class Watcher:
    """Plays a new session and acknowledges its frames."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.frames = 0

    async def create(self, seed: int) -> None:
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
        subprotocols = [protocol.SUBPROTOCOL]
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
                    number = protocol.decode(message)[0]["frame"]
                    await socket.send(json.dumps({"type": "ack", "frame": number}))

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
        first, busy = [await watcher.mark() for watcher in watchers[1:]], cpu_seconds(worker)
        await asyncio.sleep(SECONDS)
        last, used = [await watcher.mark() for watcher in watchers[1:]], cpu_seconds(worker) - busy
        each = (memory(worker) - before) / SESSIONS
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    spans = [(b[0] - a[0], b[1] - a[1], b[2] - a[2]) for a, b in zip(first, last, strict=True)]
    epochs = [steps / STEPS / seconds for steps, _, seconds in spans]
    return epochs, [frames / seconds for _, frames, seconds in spans], each, used / (last[0][2] - first[0][2])


def memory(process: int) -> float:
    """MiB that it shares with no other."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in told if line.startswith("Private_")) / 1024


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure() -> list[Table]:
    cores = sorted(os.sched_getaffinity(0))
    with serving(workers="1", max_sessions=str(SESSIONS + 1)) as (address, server):
        worker = worker_of(server)
        os.sched_setaffinity(worker, cores[:1])
        for process in (server, 0):
            os.sched_setaffinity(process, cores[1:] or cores)
        try:
            epochs, frames, each, share = asyncio.run(crowd(address, worker))
        finally:
            os.sched_setaffinity(0, cores)
    return [
        Table(
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
    ]
