"""Seconds from play until the spiral is learned, at the default speed, with a viewer of every frame."""

from __future__ import annotations

import time
from statistics import median

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
GOAL = 0.95
SEEDS = range(5)
PATIENCE = 60


def seconds_to_goal(address: str, seed: int) -> float | None:
    viewer = Viewer(address, {**CONFIG, "seed": seed}, rate=60)
    try:
        start = time.perf_counter()
        viewer.command("play")
        while (passed := time.perf_counter() - start) < PATIENCE:
            header, arrays = viewer.receive()
            if header["type"] == "metrics":
                column = header["columns"].index("test_accuracy")
                if np.any(arrays["samples"][:, column] > GOAL):
                    return passed
            elif header["type"] == "frame" and header["test_accuracy"] > GOAL:
                return passed
        return None
    finally:
        viewer.close()


def measure() -> list[Table]:
    with serving() as (address, _):
        taken = [seconds_to_goal(address, seed) for seed in SEEDS]
    rows: list[list[str | float | int | None]] = [[f"seed {s}", t] for s, t in zip(SEEDS, taken, strict=True)]
    rows.append(["median", median(PATIENCE if t is None else t for t in taken)])
    return [Table("Spiral, 8-8 tanh, Adam 0.03: seconds from play to 95 % test accuracy", ["", "s"], rows)]
