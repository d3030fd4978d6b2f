"""How fast a session at full speed trains while somebody watches, through server, worker and socket."""

from __future__ import annotations

import time
from statistics import median

from bench.frames import drawn
from bench.live import Viewer
from bench.report import Table
from tests.e2e.server import serving

NETS = {
    "4-2 (default)": [4, 2],
    "6 layers of 8": [8] * 6,
    "3 layers of 64": [64] * 3,
    "12 layers of 256": [256] * 12,
}
STEPS = 25  # an epoch has
RATE = 30
PAIRS = 5
SECONDS = 1.5  # of a window


def speeds(address: str, widths: list[int]) -> list[tuple[float, float, float]]:
    """Epochs/s alone, epochs/s watched and frames/s, of pairs of windows one after the other: so whatever
    else the machine does meets both. The viewer draws what the page does."""
    units = [list(layer) for layer in drawn(widths).units]
    viewer = Viewer(address, {"hidden": [{"width": width} for width in widths]}, 0, units)
    try:
        viewer.command("speed", max=True)
        viewer.command("play")
        drain(viewer, 1.0)  # past the first steps, which all leave a point of the history
        pairs = []
        for _ in range(PAIRS):
            alone, _ = window(viewer, 0, units)
            pairs.append((alone, *window(viewer, RATE, units)))
        return pairs
    finally:
        viewer.close()


def window(viewer: Viewer, rate: int, units: list[list[int]]) -> tuple[float, float]:
    """Epochs/s and frames/s."""
    viewer.command("watch", rate=rate, neurons=20, output=100, units=units)
    drain(viewer, 0.2)
    step, start = viewer.step(), time.perf_counter()
    frames = drain(viewer, SECONDS)
    steps, seconds = viewer.step() - step, time.perf_counter() - start
    return steps / STEPS / seconds, frames / seconds


def drain(viewer: Viewer, seconds: float) -> int:
    """Takes what comes for so long; the number of frames."""
    frames, until = 0, time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        try:
            frames += viewer.receive(left)[0]["type"] == "frame"
        except TimeoutError:
            break
    return frames


def measure() -> list[Table]:
    rows = []
    with serving() as (address, _):
        for net, widths in NETS.items():
            pairs = speeds(address, widths)
            alone, epochs, frames = (median(column) for column in zip(*pairs, strict=True))
            ratios = [watched / alone for alone, watched, _ in pairs]
            rows.append([net, alone, epochs, median(ratios), frames])
    columns = ["hidden layers", "epochs/s alone", "epochs/s watched", "ratio", "frames/s"]
    return [
        Table(f"A session at full speed, watched at {RATE} frames/s: medians of {PAIRS} pairs", columns, rows)
    ]
