"""A figure that was published, and ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from playground.run.validation import parse
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.evaluation import Evaluation
from playground.training.loop import TrainingLoop


class Result(NamedTuple):
    experiment: str
    source: str
    figure: str
    theirs: float | str
    ours: float | str | None
    """The median, where there are several networks."""
    least: float | None = None
    greatest: float | None = None
    networks: int = 1


def over_seeds(
    experiment: str, source: str, figure: str, theirs: float | str, each: Sequence[float]
) -> Result:
    """With the median of what `each` network gives, and its least and greatest; of none, nothing."""
    if not len(each):
        return Result(experiment, source, figure, theirs, None)
    return Result(experiment, source, figure, theirs, float(np.median(each)), min(each), max(each), len(each))


def stack(config: dict, networks: int) -> TrainingLoop:
    """So many networks, each from a seed of its own, on the points of seed 0."""
    return TrainingLoop.start(parse(config), seeds=tuple(range(networks)), trainers=[CompiledTrainer])


def answers(loop: TrainingLoop) -> list[Evaluation]:
    """Of every network at all training points."""
    experiment = loop.experiment
    return [
        loop.trainer.evaluate(experiment.train_x, experiment.train_y, network)
        for network in range(len(loop.state.seeds))
    ]


def within(loop: TrainingLoop, tolerance: float) -> np.ndarray:
    """Which networks answer all training points that closely, (R,): of classes 0 and 1, a tolerance of 0.4
    is the 40-20-40 criterion of Fahlman (1988)."""
    targets = loop.experiment.targets[: loop.experiment.count]
    return np.array([np.abs(one.prediction - targets).max() < tolerance for one in answers(loop)])


def steps_until(loop: TrainingLoop, tolerance: float, most: int, every: int) -> list[float]:
    """Steps after which each network is `within` for the first time; those that never are have none."""
    taken = np.full(len(loop.state.seeds), np.inf)
    while loop.state.step < most and np.isinf(taken).any():
        loop.train(every)
        taken = np.where(np.isinf(taken) & within(loop, tolerance), loop.state.step, taken)
    return taken[np.isfinite(taken)].tolist()
