"""The reference trainer: plain PyTorch with autograd, correct first, on any device."""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from playground.training.batches import Batches, advance
from playground.training.evaluation import (
    Evaluation,
    Metrics,
    all_finite,
    evaluation_of,
    next_stride,
    progress,
)
from playground.training.experiment import Experiment
from playground.training.gradient import Model
from playground.training.state import State


class ReferenceTrainer:
    """`Trainer`, for every config."""

    longest_chunk: ClassVar[int] = 64
    chunk_seconds = 0.002
    stops_by_itself = False

    def __init__(self, experiment: Experiment, state: State):
        self._experiment, self._state = experiment, state
        self._build()

    def _build(self) -> None:
        self._model = Model(self._experiment.network, self._state, self._experiment.trained)
        self._batches = Batches(self._experiment, self._state.seeds)
        self._metrics = Metrics(self._experiment)

    @classmethod
    def can_train(cls, experiment: Experiment, state: State) -> bool:
        return True

    @property
    def state(self) -> State:
        return self._state

    def change(self, experiment: Experiment, state: State) -> None:
        rebuild = state is not self._state or not experiment.same_structure(self._experiment)
        self._experiment, self._state = experiment, state
        if rebuild:
            self._build()

    def step(self, learning_rates: np.ndarray) -> tuple[np.ndarray, bool]:
        state, config, rows = self._state, self._experiment.config, []
        trouble = state.weights.new_zeros(())
        for lr in torch.from_numpy(learning_rates).to(state.weights)[..., None]:  # (R or 1, 1)
            x, y, masks = self._batches.next(state)
            loss, state.grad, _ = self._model.loss_and_grad(
                config, self._experiment.class_weights, x, y, masks
            )
            trouble += loss.sum() * 0  # NaN from the first infinite loss on
            self._model.update(config, state.grad, lr)
            advance(state, self._experiment)
            if state.step % state.stride == 0:
                rows.append(self._rows(state.grad))
                state.stride = next_stride(state.step, max(state.stride, self._metrics.least_stride))
        points = np.array(rows) if rows else np.empty((0, self._experiment.recorded, self._metrics.row_size))
        return points, all_finite(trouble, *state.tensors())

    @torch.no_grad()
    def _rows(self, grad: Tensor) -> list[np.ndarray]:
        """Of each network that is recorded."""
        experiment, where = self._experiment, progress(self._state, self._experiment.count)
        outputs = self._model.activations(experiment.all_x)[-1]
        return [
            self._metrics.row(
                self._state.step, where, self._evaluation(outputs[r], experiment.all_y[0]), grad[r]
            )
            for r in range(experiment.recorded)
        ]

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor | None = None, network: int = 0) -> Evaluation:
        output = self._model.activations(x)[-1][network]
        if y is not None:
            return self._evaluation(output, y[0])
        train_x = self._experiment.train_x
        return evaluation_of(
            self._experiment, output, None, lambda: self._model.activations(train_x)[-1][network]
        )

    def _evaluation(self, output: Tensor, y: Tensor) -> Evaluation:
        """Of outputs (n, units) and targets of the training points, or of them and the test points."""
        return evaluation_of(self._experiment, output, y, lambda: output[: self._experiment.count])

    @torch.no_grad()
    def activations(self, x: Tensor, network: int = 0, units: np.ndarray | None = None) -> np.ndarray:
        found = torch.cat([a[network] for a in self._model.activations(x)], dim=1).T.cpu().numpy()
        return found if units is None else found[units]
