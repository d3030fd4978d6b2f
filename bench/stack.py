"""What a stack costs: the steps that many networks take together, against those of one."""

from __future__ import annotations

import time
from statistics import median

import torch

from bench.report import Cell, Table
from playground.run.validation import parse
from playground.training.batched.stack import Stack
from playground.training.loop import TrainingLoop
from playground.training.reference import ReferenceTrainer

NETS = {"2-4-2-1": [4, 2], "2-8-8-8-1": [8, 8, 8]}
NETWORKS = (1, 32, 1000)
REPEATS = 9
SECONDS = 0.5  # of each repeat, about
LATER = 16_384  # steps from which on the history has a point every 32 steps or fewer


def rate(widths: list[int], networks: int, device: str) -> float:
    """Steps per second of all networks together, each with a seed of its own."""
    config = parse({"hidden": [{"width": width} for width in widths]})
    seeds = tuple(range(networks))
    loop = TrainingLoop.start(config, device=device, seeds=seeds, trainers=[ReferenceTrainer])
    loop.state.step, loop.state.stride = LATER, 32
    stack, epoch = Stack([loop]), loop.experiment.steps_per_epoch
    steps = 10 * epoch
    stack.train([loop], steps)  # warms up, and records
    rates: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        stack.train([loop], steps)
        rates.append(steps / (time.perf_counter() - start))
        steps = epoch * max(1, int(SECONDS * rates[-1] / epoch))
    return median(rates)


def measure() -> list[Table]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows: list[list[Cell]] = []
    try:
        for net, widths in NETS.items():
            rates = [rate(widths, networks, device) for networks in NETWORKS]
            for networks, steps in zip(NETWORKS, rates, strict=True):
                rows.append([net, networks, steps, steps / rates[0], networks * steps / rates[0]])
    finally:
        torch.set_num_threads(threads)
    where = (
        f"one {torch.cuda.get_device_name()}" if device == "cuda" else "one core of the CPU, plain PyTorch"
    )
    columns = ["net", "networks", "steps/s", "to one network's", "networks' steps to one network's"]
    return [Table(f"A stack of networks, batch 10, on {where}", columns, rows)]
