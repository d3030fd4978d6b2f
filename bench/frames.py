"""What a frame costs: made from the network, encoded, and on the wire."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import mean, median

import torch

from bench.report import Table
from playground.messages import codec
from playground.run.selection import Selection, Size
from playground.run.validation import parse
from playground.training.compiled import loading
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TrainingLoop
from playground.training.reference import ReferenceTrainer
from playground.training.trainer import Trainer
from playground.training.views import Views
from playground.worker.reports import Reports

NETS = {
    "4-2 (default)": [4, 2],
    "6 layers of 8": [8] * 6,
    "3 layers of 64": [64] * 3,
    "12 layers of 256": [256] * 12,
}
REPEATS = 30
DRAWN = 11
"""Neurons of a layer that there is room for on the page."""
RATE = 30


def loop_of(kind: type[Trainer], widths: list[int]) -> TrainingLoop:
    return TrainingLoop.start(parse({"hidden": [{"width": width} for width in widths]}), trainers=[kind])


def drawn(widths: list[int]) -> Selection:
    """What the page draws of such a network, with its output."""
    return Selection((*(tuple(range(min(width, DRAWN))) for width in widths), (0,)))


def cost(kind: type[Trainer], widths: list[int]) -> tuple[float, float, float]:
    """Of all there is: KiB, milliseconds to make and milliseconds to encode."""
    loop = loop_of(kind, widths)
    views = Views(loop)
    made: list[float] = []
    encoded: list[float] = []
    size = 0
    for _ in range(REPEATS):
        loop.train(1)
        start = time.thread_time()
        arrays = views.frame(loop.measure()[1])
        middle = time.thread_time()
        size = len(codec.encode({"type": "frame", "frame": 0, "run": 0}, arrays))
        made.append(1000 * (middle - start))
        encoded.append(1000 * (time.thread_time() - middle))
    return size / 1024, median(made), median(encoded)


def watched(widths: list[int], moving: bool) -> tuple[float, float, float]:
    """Of what the page draws, as a worker makes it: KiB, and milliseconds with the encoding, in the middle
    and on average at `RATE` frames a second."""
    loop = loop_of(CompiledTrainer, widths)
    reports = Reports(lambda *sent: None, loop, 1, 0, Views(loop))
    taken: list[float] = []
    size = 0
    for due in ticks():
        loop.train(1)
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.thread_time()
        _, arrays = reports.frame(Size(20, 100, selected=True), drawn(widths), moving)
        taken.append(1000 * (time.thread_time() - start))
        size = arrays["frame"].size
    return size / 1024, median(taken), mean(taken)


def ticks() -> Iterator[float]:
    start = time.perf_counter()
    for frame in range(3 * REPEATS):
        yield start + frame / RATE


def measure() -> list[Table]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    loading.load()
    whole, page = [], []
    try:
        for net, widths in NETS.items():
            _, reference, _ = cost(ReferenceTrainer, widths)
            size, made, encoded = cost(CompiledTrainer, widths)
            whole.append([net, size, reference, made, reference / made, encoded])
            still, moving = (watched(widths, moves) for moves in (False, True))
            page.append([net, *still, *moving])
    finally:
        torch.set_num_threads(threads)
    columns = ["hidden layers", "KiB", "ms, reference", "ms, compiled", "ratio", "ms to encode"]
    all_of_it = Table("A frame of everything: neuron maps of 20×20, output map of 100×100", columns, whole)
    sides = [f"{what}, {how}" for how in ("still", "training") for what in ("KiB", "ms", "ms on average")]
    note = (
        "Milliseconds of the processor. Of a large network some frames look at the points, or at the states"
        "\nof all units, for those that follow: so there is a middle and an average."
    )
    of_page = Table("A frame of what the page draws, with its metrics", ["hidden layers", *sides], page, note)
    return [all_of_it, of_page]
