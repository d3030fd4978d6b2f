"""Seconds from play until the spiral is learned, with a viewer of every frame."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np

from bench.live import Viewer
from bench.report import Table
from tests.e2e.server import serving

CONFIG = {
    "data": {"kind": "spiral"},
    "features": ["x1", "x2", "sin(x1)", "sin(x2)"],
    "hidden": [{"width": 8}, {"width": 8}],
    "optimizer": {"kind": "adam", "lr": 0.03},
}
SPEEDS = {"at 60 epochs/s": {"epochs_per_second": 60}, "at full speed": {"max": True}}
GOAL = 0.95
SEEDS = range(5)
PATIENCE = 60


def seconds_to_goal(address: str, seed: int, speed: dict[str, Any]) -> float | None:
    viewer = Viewer(address, {**CONFIG, "seed": seed}, rate=60)
    try:
        viewer.command("speed", **speed)
        start = time.perf_counter()
        viewer.command("play")
        while (passed := time.perf_counter() - start) < PATIENCE:
            header, arrays = viewer.receive()
            if header["type"] == "metrics":
                column = header["columns"].index("test_accuracy")
                if np.any(arrays["samples"][:, column] > GOAL):
                    return passed
        return None
    finally:
        viewer.close()


def measure() -> list[Table]:
    with serving() as (address, _):
        taken = [[seconds_to_goal(address, seed, speed) for speed in SPEEDS.values()] for seed in SEEDS]
    rows: list[list[str | float | int | None]] = [
        [f"seed {s}", *t] for s, t in zip(SEEDS, taken, strict=True)
    ]
    medians = [median(PATIENCE if t is None else t for t in column) for column in zip(*taken, strict=True)]
    rows.append(["median", *medians])
    columns = ["", *(f"s {name}" for name in SPEEDS)]
    return [Table("Spiral, 8-8 tanh, Adam 0.03: seconds from play to 95 % test accuracy", columns, rows)]
