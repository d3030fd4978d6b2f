"""Experiments that others have published, run again: ours against theirs, with the spread over seeds."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from bench.published import deep_linear, deep_sigmoid, edge_of_stability, two_spirals, xor
from bench.report import Cell, Table
from playground.training.compiled import loading

EXPERIMENTS = (two_spirals, xor, deep_linear, edge_of_stability, deep_sigmoid)


def measure() -> Iterator[Table]:
    torch.set_num_threads(1)
    loading.load()
    rows: list[list[Cell]] = []
    for experiment in EXPERIMENTS:
        rows += [list(result) for result in experiment.reproduce()]
    notes = (experiment.__doc__ or "" for experiment in EXPERIMENTS)
    yield Table(
        "Published results, theirs and ours",
        ["experiment", "source", "figure", "theirs", "ours", "least", "greatest", "networks"],
        rows,
        "\n" + "\n".join(note.strip() for note in notes),
    )
