"""How fast a session at full speed trains while somebody watches, through server, worker and socket."""

from __future__ import annotations

import time

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
SECONDS = 4


def speed(address: str, widths: list[int], rate: int) -> tuple[float, float]:
    """Epochs/s and frames/s, where somebody draws what the page does."""
    units = [list(layer) for layer in drawn(widths).units]
    viewer = Viewer(address, {"hidden": [{"width": width} for width in widths]}, rate, units)
    try:
        viewer.command("speed", max=True)
        viewer.command("play")
        drain(viewer, 1.0)  # past the first steps, which all leave a point of the history
        step, start = viewer.step(), time.perf_counter()
        frames = drain(viewer, SECONDS)
        steps, seconds = viewer.step() - step, time.perf_counter() - start
    finally:
        viewer.close()
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
            alone, _ = speed(address, widths, 0)
            epochs, frames = speed(address, widths, RATE)
            rows.append([net, alone, epochs, epochs / alone, frames])
    columns = ["hidden layers", "epochs/s alone", "epochs/s watched", "ratio", "frames/s"]
    return [Table(f"A session at full speed, watched at {RATE} frames/s", columns, rows)]
