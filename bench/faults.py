"""Twenty deaths at random moments of a server or its worker, with live sessions on it: is anything missing?

Raises AssertionError if so.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from statistics import median

from bench.report import Table
from tests.faults import Server, killed

DEATHS = 20


def measure() -> list[Table]:
    seed = random.randrange(10_000)
    print(f"seed {seed}", flush=True)
    deaths = random.Random(seed).choices(["server", "worker"], k=DEATHS)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            taken = asyncio.run(killed(server, deaths, seed))
        finally:
            server.stop()
    rows: list[list[str | float | int | None]] = [
        ["deaths of the server", deaths.count("server")],
        ["deaths of its worker", deaths.count("worker")],
        ["seconds until a killed server is ready again, median", median(taken)],
        ["most", max(taken)],
    ]
    return [Table("Killed with SIGKILL at random moments; nothing is missing", ["", ""], rows)]
