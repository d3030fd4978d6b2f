"""A scripted run whose worker and server are killed twenty times: whether it ends as if nothing had been."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from bench.report import Table
from tests.faults import Server
from tests.killed_runs import killed

KILLS = 20
STEPS = 3_000_000
PAUSES = (0.5, 4.0)


def measure() -> list[Table]:
    deaths = random.Random(0).choices(["worker", "server"], k=KILLS)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        start = time.perf_counter()
        try:
            steps = killed(server, deaths, STEPS, PAUSES, seed=0)
        finally:
            server.stop()
    rows: list[list[str | float | int | None]] = [
        ["of its worker", deaths.count("worker")],
        ["of the whole server", deaths.count("server")],
        ["first, at step", min(steps)],
        ["last, at step", max(steps)],
        ["seconds, with the same run undisturbed", time.perf_counter() - start],
    ]
    title = (
        f"A run of {STEPS:,} steps, killed with SIGKILL: the same weights, marks and curves as undisturbed"
    )
    return [Table(title, ["", "kills"], rows)]
