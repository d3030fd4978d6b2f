"""The learning rate of each step. It is an input of a step, so that a change of it rebuilds nothing."""

import numpy as np

from playground.run.config import Config


def learning_rates(config: Config, step: int, steps: int) -> np.ndarray:
    """The rates of so many steps from `step` on, (steps, 1)."""
    return rates_of(config, np.arange(step, step + steps))[:, None]


def rates_of(config: Config, steps: np.ndarray) -> np.ndarray:
    """The rate of each of these steps of the run, which count from 0."""
    return config.optimizer.lr * config.schedule.factors(steps)
