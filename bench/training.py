"""How fast the reference trainer is, against the loop that one would write by hand with the same torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import nn

from backend import config
from backend.trainer import Trainer
from bench.report import Table

NETS = {"2-4-2-1": [4, 2], "2-8-8-8-1": [8, 8, 8], "2-64-64-64-1": [64, 64, 64]}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}
REPEATS = 15
SECONDS = 0.25  # of each repeat
FIRST = 1000  # steps of a new run: each of them leaves a point of the history
LATER = 16_384  # steps from which on the history has a point every 32 steps or fewer
RATE = 0.03
BATCH = 10

Steps = Callable[[int], None]


def ours(trainer: Trainer) -> Steps:
    def train(steps: int) -> None:
        done = trainer.step + steps
        while trainer.step < done:
            trainer.train(done - trainer.step)

    return train


def by_hand(widths: list[int], optimizer: str, inputs: torch.Tensor, targets: torch.Tensor) -> Steps:
    """Shuffled mini-batches through an nn.Sequential, and nothing else: no metrics, no history."""
    layers: list[nn.Module] = []
    for before, after in zip([2, *widths], widths, strict=False):
        layers += [nn.Linear(before, after), nn.Tanh()]
    net = nn.Sequential(*layers, nn.Linear(widths[-1], 1))
    loss = nn.BCEWithLogitsLoss()
    update = OPTIMIZERS[optimizer](net.parameters(), lr=RATE)

    def train(steps: int) -> None:
        while True:
            for batch in torch.randperm(len(inputs)).split(BATCH):
                if steps == 0:
                    return
                steps -= 1
                update.zero_grad()
                loss(net(inputs[batch])[:, 0], targets[batch]).backward()
                update.step()

    return train


def rate(train: Steps, steps: int) -> float:
    start = time.perf_counter()
    train(steps)
    return steps / (time.perf_counter() - start)


def compared(widths: list[int], optimizer: str) -> tuple[float, float, float, float]:
    """Steps per second: reference trainer, loop by hand, their ratio, reference trainer at its start."""
    raw: dict[str, Any] = {
        "hidden": [{"width": width} for width in widths],
        "optimizer": {"kind": optimizer, "lr": RATE},
        "batch_size": BATCH,
    }
    run = config.parse(raw)
    first = [rate(ours(Trainer.start(run)), FIRST) for _ in range(3)]
    trainer = Trainer.start(run)
    inputs = torch.as_tensor(trainer.dataset.train_inputs, dtype=torch.float32)[:, :2]
    targets = torch.as_tensor(trainer.dataset.train_targets, dtype=torch.float32)
    a, b = ours(trainer), by_hand(widths, optimizer, inputs, targets)
    a(LATER)
    b(FIRST)
    a_steps, b_steps = int(SECONDS * rate(a, 500)), int(SECONDS * rate(b, 500))
    pairs = [(rate(a, a_steps), rate(b, b_steps)) for _ in range(REPEATS)]
    ratio = median(x / y for x, y in pairs)
    return median(x for x, _ in pairs), median(y for _, y in pairs), ratio, median(first)


def measure() -> list[Table]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = [[net, name, *compared(widths, name)] for net, widths in NETS.items() for name in OPTIMIZERS]
    finally:
        torch.set_num_threads(threads)
    return [
        Table(
            f"Steps per second on one core, batch {BATCH}: reference trainer against a plain torch loop",
            ["net", "optimizer", "reference", "plain loop", "ratio", "reference, first steps"],
            rows,
            "The reference trainer keeps a history, the plain loop none. It has a point for each of the first"
            f" {FIRST} steps,\nand for one in 32 after {LATER:,}: there is the column 'reference'.",
        )
    ]
