"""The compiled trainer: the numbers of the reference trainer, from one numba kernel, on a CPU."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from playground.training.compiled import kernel
from playground.training.compiled.layout import Layout, arrays_of, waiting_array, waiting_of
from playground.training.evaluation import Evaluation
from playground.training.experiment import Experiment
from playground.training.state import State

PIECES = 16
"""Parts of a stack for each core: whichever is done with one takes the next."""
KEPT = 4
"""Sets of points that are kept as the kernel reads them, of those last asked for."""


class CompiledTrainer:
    """`Trainer`, for components that have compiled maths."""

    longest_chunk: ClassVar[int] = 32768

    def __init__(self, experiment: Experiment, state: State):
        self._experiment, self._state = experiment, state
        self._build()

    @classmethod
    def can_train(cls, experiment: Experiment, state: State) -> bool:
        config = experiment.config
        layers = experiment.network.layers
        components = [c for layer in layers for c in (layer.activation, layer.normalization)]
        return (
            state.weights.device.type == "cpu"
            and state.slots.is_contiguous()  # not so for some rows of a larger stack
            and all(type(c).is_compiled() for c in (*components, config.loss, config.optimizer))
        )

    @property
    def state(self) -> State:
        return self._state

    def change(self, experiment: Experiment, state: State) -> None:
        rebuild = state is not self._state or not experiment.same_structure(self._experiment)
        self._experiment, self._state = experiment, state
        if rebuild:
            self._build()
        else:
            self._layout.set_numbers(experiment)

    def _build(self) -> None:
        state, experiment = self._state, self._experiment
        self._grad = torch.zeros_like(state.weights)
        self._layout = Layout(experiment, state.seeds)
        self._arrays = arrays_of(state, self._grad)
        self._packed: dict[tuple[int, int], tuple[Tensor, Tensor | None, kernel.Points]] = {}
        # Cores that share a stack wait for the last at the end of each chunk; a session is one network.
        self.chunk_seconds = 0.002 if len(state.seeds) == experiment.recorded else 0.2
        self.stops_by_itself = len(state.seeds) == 1

    def step(self, learning_rates: np.ndarray) -> tuple[np.ndarray, bool]:
        experiment, state, steps = self._experiment, self._state, len(learning_rates)
        rates = np.ascontiguousarray(
            learning_rates
        )  # for arrays with gaps, the kernel would be compiled anew
        kept = steps // state.stride + 1
        rows = np.empty((experiment.recorded, kept, kernel.ROW + len(experiment.network.layers)))
        self._arrays.waiting[:] = waiting_array(state.waiting)
        start = np.array([state.step, state.epoch, state.cursor, state.stride])
        features, target = experiment.train_x[0].numpy(), self._columns(experiment.train_y)
        points = self._points(experiment.all_x, experiment.all_y)
        row = max(experiment.batch_size + experiment.carried, kernel.BLOCK)

        def train(first: int, last: int) -> tuple[int, bool, np.ndarray]:
            clock, scratch = start.copy(), self._layout.scratch(row, experiment.count)
            data = features, target, self._arrays, scratch, points, rows
            return *kernel.train(self._layout.net, clock, rates, first, last, *data), clock

        networks, threads = len(state.weights), 1 if experiment.recorded > 1 else cores()
        pieces = min(networks, threads * PIECES) if threads > 1 else 1
        # Neighbours in memory share a cache line, so cores that work at the same time are kept far apart.
        order = sorted(range(pieces), key=lambda piece: piece * threads % pieces)
        firsts = [networks * piece // pieces for piece in order]
        lasts = [networks * (piece + 1) // pieces for piece in order]
        outcomes = list((map if pieces == 1 else pool().map)(train, firsts, lasts))
        recorded, _, end = outcomes[0]
        state.step, state.epoch, state.cursor, state.stride = end.tolist()
        state.grad = self._grad if steps else state.grad
        state.waiting = waiting_of(self._arrays.waiting)
        return rows[:, :recorded].swapaxes(0, 1), all(finite for _, finite, _ in outcomes)

    def evaluate(self, x: Tensor, y: Tensor | None = None, network: int = 0) -> Evaluation:
        points, n = self._points(x, y), x.shape[1]
        scratch = self._layout.scratch(kernel.BLOCK)
        kernel.evaluate_points(self._layout.net, *self._of(network), scratch, points)
        planes = points.prediction.reshape(self._targets, -1)[:, :n].copy()
        prediction = planes[0] if self._targets == 1 else planes.T
        return Evaluation(points.loss[:n].copy(), prediction, points.confidence[:n].copy())

    def activations(self, x: Tensor, network: int = 0, units: np.ndarray | None = None) -> np.ndarray:
        points = self._points(x)
        units = np.arange(self._layout.units) if units is None else units
        values = np.empty((len(units), len(points.loss)), np.float32)
        scratch = self._layout.scratch(kernel.BLOCK)
        kernel.unit_values(self._layout.net, *self._of(network), scratch, points, units, values.reshape(-1))
        return values[:, : x.shape[1]]

    def _of(self, network: int) -> tuple[np.ndarray, np.ndarray]:
        """Its weights and buffers."""
        return self._arrays.weights[network], self._arrays.buffers[network]

    @property
    def _targets(self) -> int:
        return self._experiment.dataset.task.targets

    def _columns(self, y: Tensor) -> np.ndarray:
        """Targets (1, n) or (1, n, targets) as (n, targets)."""
        return y[0].numpy().reshape(-1, self._targets)

    def _points(self, x: Tensor, y: Tensor | None = None) -> kernel.Points:
        """Features (1, n, inputs) and targets (1, n) or (1, n, targets) as the kernel reads them."""
        key = id(x), id(y)
        packed = self._packed.pop(key, None)
        if packed is None:  # kept with x and y themselves, so that their ids are not those of others
            target = None if y is None else self._columns(y)
            packed = x, y, kernel.Points.of(x[0].numpy(), target, self._targets)
        self._packed[key] = packed
        while len(self._packed) > KEPT:
            del self._packed[next(iter(self._packed))]
        return packed[2]


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool() -> ThreadPoolExecutor:
    """Threads for the other cores; made when a stack first needs them, so after any fork."""
    return ThreadPoolExecutor(cores())
