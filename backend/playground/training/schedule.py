"""The learning rate of each step. It is an input of a step, so that a change of it rebuilds nothing."""

import numpy as np

from playground.run.config import Config


def learning_rates(config: Config, step: int, steps: int) -> np.ndarray:
    """The rates of so many steps from `step` on, (steps, 1)."""
    return np.full((steps, 1), config.optimizer.lr)
