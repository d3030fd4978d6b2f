"""The batched trainer: networks of one shape, each with data and a clock of its own, in one tensor.

A GPU is hardly busy with one of them. All that differs from step to step lies in tensors, the learning rates
too, so that on CUDA many steps are captured once and then launched as one. On the CPU the same steps simply
run.
"""

import weakref
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from playground.randomness import permutation
from playground.training.batched.cuda_graph import CudaGraph
from playground.training.batched.trace import Trace
from playground.training.experiment import Experiment
from playground.training.gradient import Model, dropout_masks, input_noise
from playground.training.state import State

LAUNCH_STEPS = 32
"""Steps in one launch, at most."""
LAUNCH_PRODUCTS = 2**28
"""Multiplications of their forward passes, about: a GPU is done with them in a few milliseconds."""


class Batch(NamedTuple):
    """A mini-batch: how many samples of the epoch are done before it, and how many it takes."""

    start: int
    size: int


class BatchedTrainer:
    """Trains R networks whose experiments differ in nothing but data, seed and learning rate.

    Like `Trainer`, but each network is at a step of its own. They are equally far into their epochs.
    """

    def __init__(self, experiments: Sequence[Experiment], state: State, owner: Tensor):
        """`owner` (R,) says whose experiment is a network's own."""
        self.state = state
        self.grad = torch.zeros_like(state.weights) if state.grad is None else state.grad
        self._experiment = experiments[0]
        self._model = Model(self._experiment.network, state, self._experiment.trained)
        self._x = torch.cat([experiment.all_x for experiment in experiments])
        self._y = torch.cat([experiment.all_y for experiment in experiments])
        self._owner = owner
        weights = [e.class_weights for e in experiments if e.class_weights is not None]
        self._class_weights = torch.cat(weights)[owner] if weights else None
        self._count, self._size = self._experiment.count, self._experiment.config.batch_size
        products = state.weights.numel() * min(self._size, self._count)
        self._longest = max(1, min(LAUNCH_STEPS, LAUNCH_PRODUCTS // products))

        rows, device = len(owner), owner.device
        self._clock = torch.zeros(2, rows, dtype=torch.int64, device=device)
        self._step, self._next_epoch = self._clock
        self._cursor = torch.zeros(1, dtype=torch.int64, device=device)
        self._places = torch.arange(self._count, device=device)
        self._order = self._places.repeat(rows, 1)
        self._learning_rates = torch.zeros(self._longest, rows, 1, device=device)
        self.uses_graphs = device.type == "cuda"
        self.graphs: dict[Hashable, CudaGraph[Trace]] = {}
        """Launches that were captured, by all that they depend on but numbers in tensors."""

    def seek(self, clock: np.ndarray, cursor: int) -> None:
        """Go to these steps and epochs, (2, R), so many samples into each epoch."""
        self._clock.copy_(torch.from_numpy(clock))
        if cursor:
            self._begin_epoch()
            self._cursor.fill_(cursor)

    def next_launch(self, cursor: int, steps: int) -> list[Batch]:
        """As far as one launch goes, or a single step: so there are few launches to capture."""
        epoch = self._experiment.steps_per_epoch
        left = -(-(self._count - cursor) // self._size)
        steps_at_once = self._longest // epoch * epoch or min(self._longest, left)
        if steps_at_once > steps or cursor % (self._size * min(self._longest, epoch)):
            steps_at_once = 1
        launch: list[Batch] = []
        for _ in range(steps_at_once):
            launch.append(Batch(cursor, min(self._size, self._count - cursor)))
            cursor = sum(launch[-1]) % self._count
        return launch

    def step(self, launch: list[Batch], learning_rates: np.ndarray) -> Trace:
        """Train every network, a step for each mini-batch, with learning rates (steps, R)."""
        rates = torch.from_numpy(learning_rates[..., None]).to(self._learning_rates)
        self._learning_rates[: len(launch)].copy_(rates)
        if not self.uses_graphs:
            return self._take(launch)
        shape = tuple((start == 0, size) for start, size in launch)
        if shape not in self.graphs:
            itself = weakref.proxy(self)  # the memory of a stack is free as soon as nobody has it
            self.graphs[shape] = CudaGraph(lambda: itself._take(launch), self._clock.device)
        return self.graphs[shape]()

    def measure(self, trace: Trace, places: Sequence[tuple[int, int]]) -> np.ndarray:
        """What `Metrics.row` holds but for step and epochs, of the networks at these (step, row)."""
        return trace.measure(self._experiment, self._class_weights, self._x, self._y, self._owner, places)

    def _take(self, launch: list[Batch]) -> Trace:
        """This is what is captured: it looks into no tensor, and of the launch it uses no more than where an
        epoch begins and how large the mini-batches are."""
        state, count, config = self.state, len(launch), self._experiment.config
        parts = (state.weights, state.buffers, self.grad)
        kept = [part.new_empty(count, *part.shape) for part in parts]
        steps = self._step + torch.arange(count, device=self._step.device)[:, None]
        most = min(self._size, self._count)
        masks = dropout_masks(self._experiment.network, state.seeds, steps, most)
        noise = input_noise(config, state.seeds, steps, most)
        trouble = torch.zeros_like(state.weights[:, :1])
        for index, (start, size) in enumerate(launch):
            if start == 0:
                self._begin_epoch()
            chosen = self._owner[:, None], self._order.index_select(1, self._cursor + self._places[:size])
            own = [None if mask is None else mask[index, :, :size] for mask in masks]
            x = self._x[chosen] if noise is None else self._x[chosen] + noise[index, :, :size]
            data = self._class_weights, x, self._y[chosen], own
            loss, grad, _ = self._model.loss_and_grad(config, *data)
            trouble += loss.sum(dim=1, keepdim=True) * 0  # NaN from the first infinite loss on
            self._model.update(config, grad, self._learning_rates[index])
            self.grad.copy_(grad)
            self._cursor.add_(size)
            for record, part in zip(kept, parts, strict=True):
                record[index] = part
        self._step.add_(count)
        parts = (trouble, state.weights, state.buffers, *state.slots, state.updates)
        return Trace(*kept, finite=torch.stack([part.sum(dim=1) for part in parts]).sum(dim=0).isfinite())

    def _begin_epoch(self) -> None:
        if self._experiment.config.shuffle:
            self._order.copy_(permutation(self.state.seeds, "shuffle", self._next_epoch, self._count))
        self._next_epoch.add_(1)
        self._cursor.zero_()
