"""What a frame costs: made from the network, encoded, and on the wire."""

from __future__ import annotations

import time
from statistics import median

import torch

from bench.report import Table
from playground.messages import codec
from playground.run.validation import parse
from playground.training.compiled import loading
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TrainingLoop
from playground.training.reference import ReferenceTrainer
from playground.training.trainer import Trainer
from playground.training.views import Views

NETS = {"4-2 (default)": [4, 2], "6 layers of 8": [8] * 6, "12 layers of 256": [256] * 12}
REPEATS = 30


def cost(kind: type[Trainer], widths: list[int]) -> tuple[float, float, float]:
    """KiB, milliseconds to make and milliseconds to encode."""
    config = parse({"hidden": [{"width": width} for width in widths]})
    loop = TrainingLoop.start(config, trainers=[kind])
    views = Views(loop)
    made: list[float] = []
    encoded: list[float] = []
    size = 0
    for _ in range(REPEATS):
        loop.train(1)
        start = time.perf_counter()
        arrays = views.frame(loop.measure()[1])
        middle = time.perf_counter()
        size = len(codec.encode({"type": "frame", "frame": 0, "run": 0}, arrays))
        made.append(1000 * (middle - start))
        encoded.append(1000 * (time.perf_counter() - middle))
    return size / 1024, median(made), median(encoded)


def measure() -> list[Table]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    loading.load()
    rows = []
    try:
        for net, widths in NETS.items():
            _, reference, _ = cost(ReferenceTrainer, widths)
            size, made, encoded = cost(CompiledTrainer, widths)
            rows.append([net, size, reference, made, reference / made, encoded])
    finally:
        torch.set_num_threads(threads)
    columns = ["hidden layers", "KiB", "ms, reference", "ms, compiled", "ratio", "ms to encode"]
    return [Table("A frame: neuron maps of 20×20, output map of 100×100", columns, rows)]
