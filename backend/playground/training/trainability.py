"""Whether and how fast networks learn that differ in learning rate and in the scale of their first weights.

The border between those that do and those that do not is a fractal (Sohl-Dickstein, The boundary of neural
network trainability is fractal, arXiv 2402.06184).
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from playground.catalogue.stopping import NoStopping
from playground.run.config import Config
from playground.run.validation import Tables
from playground.training.experiment import Experiment
from playground.training.loop import TRAINERS
from playground.training.network import initialise
from playground.training.state import State
from playground.training.trainer import Trainer

POINTS = 32
"""Losses of each network that the measure is made of, about."""
GROUP = 32
"""Networks that train together."""
LOSS = 2
"""Where a row of the history has the sum of the training losses."""
SLICE = 0.002
"""Seconds that a call of a trainer takes, about."""


def measure(losses: np.ndarray) -> np.ndarray:
    """How networks have learned, (R,) float32, of their training losses (points, R), the first of them before
    training.

    With losses as shares of the first: one has learned if the last quarter of its points is below 1 in the
    mean; its measure is the mean of its losses, no larger than 1, and the smaller, the faster it learned.
    Else its measure is minus the mean of 1 / loss, of losses no smaller than 1, and the nearer to 0, the
    sooner it blew up (as in section 2.2 of arXiv 2402.06184, where both are sums).
    """
    with np.errstate(all="ignore"):
        shares = losses / losses[0]
    shares = np.where(np.isfinite(shares), shares, np.inf)
    learned = shares[-max(1, len(shares) // 4) :].mean(axis=0) < 1
    fast, late = np.minimum(shares, 1).mean(axis=0), (1 / np.maximum(shares, 1)).mean(axis=0)
    return np.where(learned, fast, -late).astype(np.float32)


class Patch:
    """Networks number by number: `rates` has the learning rate of each, `scales` which of the `starts`,
    configs that differ in the initial weights, it starts from."""

    def __init__(
        self,
        starts: Sequence[Config],
        scales: Sequence[int],
        rates: Sequence[float],
        steps: int,
        tables: Tables | None = None,
        device: str = "cpu",
        trainers: Sequence[type[Trainer]] = TRAINERS,
    ):
        config = starts[0]
        self._trainers = trainers
        dataset = config.dataset(tables or {})
        nothing = {"test_inputs": dataset.test_inputs[:0], "test_targets": dataset.test_targets[:0]}
        self._alone = Experiment.of(config, replace(dataset, **nothing), device)
        self._scales, self._rates, self._steps = scales, np.array(rates), steps
        self._factors = config.schedule.factors(np.arange(steps))
        self._seed = torch.tensor([config.seed], dtype=torch.int64, device=device)
        self._starts = [initialise(self._alone.network, start, self._seed) for start in starts]
        self._firsts: dict[int, float] = {}
        self._done = 0
        self._chunk = 1
        self._training = self._groups()

    def train(self, deadline: float | None = None) -> tuple[int, np.ndarray, bool]:
        """Up to the deadline, or to the end: the number of the first network that has come to its end since
        the last call, the measures of those, and whether all have."""
        first, measures = self._done, []
        for found in self._training:
            if found is not None:
                measures.append(found)
                self._done += len(found)
            if deadline is not None and time.monotonic() >= deadline:
                break
        empty = np.empty(0, np.float32)
        return first, np.concatenate([empty, *measures]), self._done == len(self._rates)

    def _groups(self) -> Iterator[np.ndarray | None]:
        """Trains the networks, `GROUP` at a time, and pauses often; the measures of each group."""
        for first in range(0, len(self._rates), GROUP):
            yield from self._group(np.arange(first, min(first + GROUP, len(self._rates))))

    def _group(self, members: np.ndarray) -> Iterator[np.ndarray | None]:
        count = len(members)
        config = self._alone.config.model_copy(update={"replicas": count, "stopping": NoStopping()})
        experiment = self._alone.changed(config, {})
        weights, buffers = (
            torch.cat([self._starts[self._scales[member]][part] for member in members]) for part in (0, 1)
        )
        state = State.fresh(self._seed.repeat(count), weights, buffers, len(config.optimizer.slots))
        state.stride = max(1, self._steps // POINTS)
        fitting = next(trainer for trainer in self._trainers if trainer.can_train(experiment, state))
        trainer = fitting(experiment, state)
        losses = [np.array([[self._first_loss(trainer, r, self._scales[m]) for r, m in enumerate(members)]])]
        rates = self._factors[:, None] * self._rates[members]
        while state.step < self._steps:
            begin = time.monotonic()
            points, _ = trainer.step(rates[state.step : state.step + self._chunk])
            losses.append(points[..., LOSS])
            self._pace(time.monotonic() - begin)
            yield None
        yield measure(np.concatenate(losses))

    def _first_loss(self, trainer: Trainer, network: int, scale: int) -> float:
        """Before training, summed over the training points; of each scale it is found once."""
        if scale not in self._firsts:
            x, y = self._alone.train_x, self._alone.train_y
            losses = trainer.evaluate(x, y, network).loss
            self._firsts[scale] = float(losses.sum(dtype=np.float64))
        return self._firsts[scale]

    def _pace(self, seconds: float) -> None:
        if seconds < SLICE / 2:
            self._chunk *= 2
        elif seconds > SLICE:
            self._chunk = max(1, self._chunk // 2)
