"""A worker that is killed: when it is noticed, and when its session trains again."""

from __future__ import annotations

import os
import signal
import time
from statistics import median

from bench.live import Viewer
from bench.report import Table
from tests.e2e.server import serving, worker_of

REPEATS = 5


def killed(viewer: Viewer, server: int) -> tuple[float, float]:
    """Milliseconds from the kill to the notice, and to the first frame with a new step."""
    step = 0
    settled = time.perf_counter() + 1.5
    while time.perf_counter() < settled:
        header, _ = viewer.receive()
        step = header["step"] if header["type"] == "frame" else step
    os.kill(worker_of(server), signal.SIGKILL)
    start = time.perf_counter()
    noticed: float | None = None
    first: int | None = None
    while True:
        header, _ = viewer.receive()
        now = 1000 * (time.perf_counter() - start)
        if header["type"] == "notice" and header["code"] == "notice.worker_restarted":
            noticed = now
        elif header["type"] == "frame" and noticed is not None:
            first = header["step"] if first is None else first
            if header["step"] > first:
                return noticed, now


def measure() -> list[Table]:
    with serving() as (address, server):
        viewer = Viewer(address, {})
        viewer.command("play")
        taken = [killed(viewer, server) for _ in range(REPEATS)]
        viewer.close()
    rows: list[list[str | float | int | None]] = [
        ["until its viewers are told", median(noticed for noticed, _ in taken)],
        ["until the session trains again", median(again for _, again in taken)],
    ]
    return [Table("A worker killed with SIGKILL while it trains", ["", "ms, median"], rows)]
