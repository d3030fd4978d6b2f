"""Sixteen sessions at full speed on one worker: is it fair, and does it still answer?"""

from __future__ import annotations

import time
from statistics import median

from bench.live import Viewer
from bench.report import Table
from tests.e2e.server import serving

SESSIONS = 16
SECONDS = 8
ROUNDS = 4


def measure() -> list[Table]:
    with serving(workers="1") as (address, _):
        viewers = [Viewer(address, {"seed": seed}, rate=0) for seed in range(SESSIONS)]
        for viewer in viewers:
            viewer.command("speed", max=True)
            viewer.command("play")
        time.sleep(2)
        before = [(viewer.step(), time.perf_counter()) for viewer in viewers]
        time.sleep(SECONDS)
        after = [(viewer.step(), time.perf_counter()) for viewer in viewers]
        rates = [(s1 - s0) / (t1 - t0) for (s0, t0), (s1, t1) in zip(before, after, strict=True)]
        answers = [
            viewer.command("change", change={"optimizer": {"lr": 0.01 * (1 + turn)}})
            for turn in range(ROUNDS)
            for viewer in viewers
        ]
        for viewer in viewers:
            viewer.close()
    shares = [rate * SESSIONS / sum(rates) for rate in rates]
    answers.sort()
    return [
        Table(
            f"{SESSIONS} sessions at full speed on one worker",
            ["", "least", "median", "most"],
            [
                ["share of the steps, 1 is fair", min(shares), median(shares), max(shares)],
                ["steps/s of a session", min(rates), median(rates), max(rates)],
                ["ms until a change is answered", answers[0], median(answers), answers[-1]],
            ],
        )
    ]
