"""The learning rate of each step. It is an input of a step, so that a change of it rebuilds nothing."""

import math

import numpy as np

from playground.catalogue.schedules import ReduceOnPlateau, Watch
from playground.run.config import Config
from playground.training.state import State

MEASURED_ON = ("loss", "class_weights", "data", "augmentation", "seed", "init")
"""Fields that decide what a loss is of; a loss from before a change of one says nothing."""


def learning_rates(config: Config, state: State, steps: int) -> np.ndarray:
    """The rates of the next so many steps, (steps, 1); no more than `steps_to_look`."""
    return rates_of(config, state, np.arange(state.step, state.step + steps))[:, None]


def rates_of(config: Config, state: State, steps: np.ndarray) -> np.ndarray:
    """The rate of each of these steps of the run, which count from 0, since the last look."""
    return config.optimizer.lr * state.watch.factor * config.schedule.factors(steps)


def steps_to_look(config: Config, state: State) -> float:
    """After so many steps the schedule wants to know the training loss; infinity where it never does."""
    if not isinstance(config.schedule, ReduceOnPlateau):
        return math.inf
    return config.schedule.interval - state.step % config.schedule.interval


def forget(before: Config, after: Config, state: State) -> None:
    """What was seen does not hold for another schedule, nor the best loss for other data or another loss."""
    if before.schedule.kind != after.schedule.kind:
        state.watch = Watch()
    elif any(getattr(before, name) != getattr(after, name) for name in MEASURED_ON):
        state.watch = Watch(factor=state.watch.factor)
