"""A server and its worker, killed in the middle of a scripted run, which must end as if nothing had been."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import Any

import httpx

from tests.faults import Server

CONFIG = {
    "data": {"kind": "spiral", "samples": 500},
    "hidden": [{"width": 24}, {"width": 24, "dropout": 0.1}],
    "batch_size": 50,
}
CHANGES: list[dict[str, Any]] = [
    {"optimizer": {"kind": "momentum", "lr": 0.01}},
    {"hidden": [{"width": 24}, {"width": 20, "normalization": {"kind": "batchnorm"}}]},
    {"optimizer": {"kind": "adam", "lr": 0.002}},
    {"l2": 0.001},
]
SAME = ("state", "step", "epoch", "stopped_by", "metrics", "marks", "timeline")
PATIENCE = 600.0


def script(steps: int) -> dict[str, Any]:
    """A run of so many steps, with changes on the way and a rule that looks at every epoch."""
    parts = len(CHANGES) + 1
    timeline = [{"step": steps * (n + 1) // parts, "change": change} for n, change in enumerate(CHANGES)]
    return {"config": CONFIG, "steps": steps, "timeline": timeline, "stop": {"patience": 100_000}}


def killed(
    server: Server, deaths: list[str], steps: int, pauses: tuple[float, float], seed: int
) -> list[int]:
    """Kills the `server` or its `worker` after pauses of so many seconds, while a run of so many steps
    goes on; it must end as one that nobody disturbs. Returns the steps at which it was killed."""
    chance = random.Random(seed)
    with httpx.Client(base_url=server.address, timeout=60) as client:
        run = client.post("/api/runs", json=script(steps)).json()
        at = []
        for death in deaths:
            time.sleep(chance.uniform(*pauses))
            at.append(_running(client, run))
            if death == "worker":
                server.kill_worker()
            else:
                server.kill()
                server.start()
        ended = _ended(client, run)
        undisturbed = _ended(client, client.post("/api/runs", json=script(steps)).json())
        assert {name: ended[name] for name in SAME} == {name: undisturbed[name] for name in SAME}
        for what in ("history", "weights"):
            one, other = (
                client.get(f"/api/runs/{each['id']}/{what}").json() for each in (ended, undisturbed)
            )
            assert one == other, what
    return at


def _running(client: httpx.Client, run: dict[str, Any]) -> int:
    """Its step, once it trains."""
    while (now := client.get(f"/api/runs/{run['id']}").json())["state"] in ("queued", "running"):
        if now["step"]:
            break
        time.sleep(0.05)
    assert now["state"] == "running", "it was over before it could be killed: give it more steps"
    return now["step"]


def _ended(client: httpx.Client, run: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            now = client.get(f"/api/runs/{run['id']}").json()
            if now["state"] not in ("queued", "running"):
                assert now["state"] == "done", now["error"]
                return now
        time.sleep(0.1)
    raise TimeoutError(f"the run did not end within {PATIENCE:.0f} s")
