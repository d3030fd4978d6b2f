"""What a frame costs: made from the network, encoded, and on the wire."""

from __future__ import annotations

import time
from statistics import median

import torch

from playground.run import config
from playground.training.compiled import trainer as fused
from playground.messages import protocol
from playground.training.reference import Trainer
from bench.report import Table

NETS = {"4-2 (default)": [4, 2], "6 layers of 8": [8] * 6, "12 layers of 256": [256] * 12}
REPEATS = 30


def cost(kind: type[Trainer], widths: list[int]) -> tuple[float, float, float]:
    """KiB, milliseconds to make and milliseconds to encode."""
    trainer = kind.start(config.parse({"hidden": [{"width": width} for width in widths]}))
    made: list[float] = []
    encoded: list[float] = []
    size = 0
    for _ in range(REPEATS):
        trainer.train(1)
        start = time.perf_counter()
        header, arrays = trainer.frame()
        middle = time.perf_counter()
        size = len(protocol.encode({**header, "frame": 0, "run": 0}, arrays))
        made.append(1000 * (middle - start))
        encoded.append(1000 * (time.perf_counter() - middle))
    return size / 1024, median(made), median(encoded)


def measure() -> list[Table]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    fused.load()
    rows = []
    try:
        for net, widths in NETS.items():
            _, reference, _ = cost(Trainer, widths)
            size, made, encoded = cost(fused.FusedTrainer, widths)
            rows.append([net, size, reference, made, reference / made, encoded])
    finally:
        torch.set_num_threads(threads)
    columns = ["hidden layers", "KiB", "ms, reference", "ms, fused", "ratio", "ms to encode"]
    return [Table("A frame: neuron maps of 20×20, output map of 100×100", columns, rows)]
