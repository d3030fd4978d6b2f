"""What each entry of the catalogue costs: steps with it, against the same training without."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from bench.report import Cell, Table
from bench.training import answers, compared, kept_to
from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.shortcuts import Shortcut
from playground.run.patch import merge
from playground.run.validation import parse
from playground.training.loop import TrainingLoop

LATER = 16_384
"""The step from which on a point of the history stands for 32 steps or more."""
LAYERS = [{"width": 8}, {"width": 8}]
BASES = {
    "binary": {"data": {"kind": "circle"}, "loss": {"kind": "bce"}},
    "multiclass": {"data": {"kind": "blobs"}, "loss": {"kind": "cross_entropy"}},
    "regression": {"data": {"kind": "plane"}, "loss": {"kind": "mse"}},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "L1": {"l1": 0.001},
    "L2": {"l2": 0.001},
    "clipping by norm": {"clip_norm": 1.0},
    "clipping by value": {"clip_value": 0.1},
    "max-norm": {"max_norm": 2.0},
    "input noise": {"input_noise": 0.1},
    "input dropout": {"input_dropout": 0.2},
    "dropout": {"hidden": [{"width": 8, "dropout": 0.2}] * 2},
    "a frozen layer": {"hidden": [{"width": 8, "frozen": True}, {"width": 8}]},
    "a frozen neuron": {"hidden": [{"width": 8, "frozen_neurons": [0]}, {"width": 8}]},
    "class weights": {"class_weights": {"kind": "balanced"}},
    "label smoothing": {"loss": {"kind": "bce", "label_smoothing": 0.1}},
    "early stopping": {"stopping": {"kind": "early_stopping", "patience": 100_000}},
    "a schedule": {"schedule": {"kind": "exponential_decay", "gamma": 0.99999}},
}


def measure() -> Iterator[Table]:
    with kept_to({0}):
        yield from answers([table])


def table() -> Table:
    rows = [row for option in options() if (row := measured(*option))]
    rows.sort(key=lambda row: row[3] if isinstance(row[3], float) else math.inf)
    return Table(
        "One core, 2-8-8-1, SGD, batch 10: training with each option against training without",
        ["option", "steps/s with it", "steps/s without", "ratio", "trained by"],
        rows,
        "The losses of pairs and triplets are trained by the reference trainer: they see several points at"
        "\nonce, and the kernel takes the loss of each point by itself.",
    )


def options() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, task, and what it adds to the base of that task."""
    for family, key in ((Activation, "activation"), (Normalization, "normalization"), (Shortcut, "shortcut")):
        for cls in members(family):
            first = {} if family is Shortcut else {key: {"kind": cls.name()}}  # a residual needs its width
            layers = [{**LAYERS[0], **first}, {**LAYERS[1], key: {"kind": cls.name()}}]
            yield f"{key} {cls.name()}", "binary", {"hidden": layers}
    for loss in members(Loss):
        yield f"loss {loss.name()}", loss.tasks[0], {"loss": {"kind": loss.name()}}
    for optimizer in members(Optimizer):
        yield f"optimizer {optimizer.name()}", "binary", {"optimizer": {"kind": optimizer.name()}}
    for name, patch in SETTINGS.items():
        yield name, "binary", patch


def measured(name: str, task: str, patch: dict[str, Any]) -> list[Cell] | None:
    base = {"hidden": LAYERS, "optimizer": {"kind": "sgd", "lr": 0.01}, **BASES[task]}
    with_it, without = loop_of(merge(base, patch)), loop_of(base)
    if with_it.config == without.config:
        return None
    trained_by = type(with_it.trainer).__name__.removesuffix("Trainer").lower()
    return [name, *compared(steps_of(with_it), steps_of(without)), trained_by]


def loop_of(raw: dict[str, Any]) -> TrainingLoop:
    loop = TrainingLoop.start(parse(raw))
    loop.state.step, loop.state.stride = LATER, 32
    return loop


def steps_of(loop: TrainingLoop):
    def train(steps: int) -> int:
        loop.train(steps)
        return steps

    return train
