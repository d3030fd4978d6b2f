"""What a trainer is. The reference, the compiled and the batched one stand side by side behind it."""

from typing import ClassVar, Protocol

import numpy as np
from torch import Tensor

from playground.training.evaluation import Evaluation
from playground.training.experiment import Experiment
from playground.training.state import State


class Trainer(Protocol):
    """Trains a stack of R networks of one shape: tensors in, tensors out."""

    longest_chunk: ClassVar[int]
    """Most steps in one call of `step`; after it, the caller looks at the clock."""
    chunk_seconds: float
    """Likewise, the time that a call should take, about."""

    stops_by_itself: bool
    """Whether `step` looks at the test loss for early stopping, and ends where that does. Else whoever calls
    it looks, see `TrainingLoop.look`."""

    def __init__(self, experiment: Experiment, state: State): ...

    @classmethod
    def can_train(cls, experiment: Experiment, state: State) -> bool: ...

    @property
    def state(self) -> State:
        """All that training changes. Between two calls its numbers may be edited in place."""
        ...

    def step(self, learning_rates: np.ndarray) -> tuple[np.ndarray, bool]:
        """Take a step for each row of learning rates, (steps, R) or (steps, 1), up to an early stop.

        Returns the points of the history that the networks of `Experiment.recorded` left, as `Metrics.row`,
        (points, networks, …), and whether all losses were finite, and the state still is.
        """
        ...

    def evaluate(self, x: Tensor, y: Tensor | None = None, network: int = 0) -> Evaluation:
        """One network at features x (1, n, inputs) with targets y (1, n) or (1, n, targets)."""
        ...

    def activations(self, x: Tensor, network: int = 0, units: np.ndarray | None = None) -> np.ndarray:
        """Evaluated activations of every unit of one network, layer by layer, (units, n) float32; or of those
        `units` of that order, int64."""
        ...

    def change(self, experiment: Experiment, state: State) -> None:
        """Go on with another experiment, and the state that belongs to it."""
        ...
