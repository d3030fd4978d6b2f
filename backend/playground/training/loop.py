"""The training loop: a stack that trains, by whichever trainer can, with its history and its live changes."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Self

import numpy as np
import torch

from playground.catalogue.schedules import ReduceOnPlateau
from playground.i18n import Text
from playground.run.config import Config
from playground.run.validation import Tables
from playground.training import evaluation, stopping
from playground.training.divergence import Diverged, cause, step_until_divergence
from playground.training.ensemble import combined
from playground.training.evaluation import Evaluation, Metrics, Samples
from playground.training.experiment import Experiment
from playground.training.network import initialise
from playground.training.reference import ReferenceTrainer
from playground.training.schedule import forget, learning_rates, rates_of, steps_to_look
from playground.training.state import State
from playground.training.surgery import transfer
from playground.training.trainer import Trainer

TRAINERS: list[type[Trainer]] = [ReferenceTrainer]
"""The first that can train an experiment does. `compiled.loading.load` puts the compiled one in front."""


class TrainingLoop:
    """What is trained, and how far it is. `trainers` are those to choose from."""

    def __init__(self, experiment: Experiment, state: State, trainers: Sequence[type[Trainer]] = TRAINERS):
        self._trainers = trainers
        self._chunk = 1
        self.experiment = experiment
        self.metrics = Metrics(experiment)
        self.trainer = self._fitting(experiment, state)(experiment, state)

    @classmethod
    def start(
        cls,
        config: Config,
        tables: Tables | None = None,
        device: str = "cpu",
        seeds: tuple[int, ...] | None = None,
        trainers: Sequence[type[Trainer]] = TRAINERS,
        beside: Self | None = None,
    ) -> Self:
        """A new run on `device`; with seeds, a stack of one network a seed, in the place of the config's. It
        shares with the loop `beside` it what both have alike, as their data, and its pace."""
        if beside is None:
            experiment = Experiment.of(config, config.dataset(tables or {}), device)
        else:
            experiment = beside.experiment.changed(config, tables or {})
        seed_tensor = torch.tensor(seeds or config.seeds, dtype=torch.int64, device=device)
        weights, buffers = initialise(experiment.network, config, seed_tensor)
        state = State.fresh(seed_tensor, weights, buffers, len(config.optimizer.slots))
        loop = cls(experiment, state, trainers)
        if beside is not None:
            loop._chunk = beside._chunk
        return loop

    @property
    def state(self) -> State:
        return self.trainer.state

    @property
    def config(self) -> Config:
        return self.experiment.config

    @property
    def progress(self) -> float:
        """Epochs done, with the part of the current one."""
        return evaluation.progress(self.state, self.experiment.count)

    def train(self, steps: int, deadline: float | None = None) -> Samples:
        """Train up to `steps` steps and return the points of the history that they left.

        Returns early once time.monotonic() passes `deadline`, and at an early stop. Raises `Diverged`. What
        is trained does not depend on the deadline, only how far.
        """
        self._use_the_fastest()
        self.go_on()
        samples = self.add_to_history(np.empty(0))
        while steps > 0:
            began = time.monotonic()
            count = int(min(steps, self._chunk, self.steps_to_look))
            step = self.state.step
            samples += self._train_chunk(count, samples)
            self.look()
            steps -= self.state.step - step
            now = time.monotonic()
            self._pace(now - began)
            if self.stopped or (deadline is not None and now >= deadline):
                break
        return samples

    def _train_chunk(self, steps: int, so_far: Samples) -> Samples:
        before = replace(self.state, grad=None).copy()  # to go back to; this is done often
        rates = learning_rates(self.config, before, steps)
        rows, finite = self.trainer.step(rates)
        if finite:
            return self.add_to_history(rows)
        outcome = self.stop_before_divergence(before, rates)
        if isinstance(outcome, Diverged):
            outcome.samples = so_far + outcome.samples
            raise outcome
        return outcome

    @property
    def steps_to_look(self) -> float:
        """Most steps that may be taken before `look`."""
        scheduled = steps_to_look(self.config, self.state)
        if self.trainer.stops_by_itself:
            return scheduled
        return min(scheduled, stopping.steps_to_epoch(self.experiment, self.state))

    def look(self) -> None:
        """Shows who watches a loss, of the first network, what it wants to see: a schedule that of the
        training points, early stopping that of the test points. Where that ends the training, the best
        weights are taken back."""
        schedule, state, experiment = self.config.schedule, self.state, self.experiment
        if isinstance(schedule, ReduceOnPlateau) and state.step % schedule.interval == 0:
            losses = self.trainer.evaluate(experiment.train_x, experiment.train_y).loss
            state.watch = schedule.look(state.watch, float(losses.mean(dtype=np.float64)))
        epoch_ended = state.cursor == 0 and not self.trainer.stops_by_itself
        if epoch_ended and stopping.rule_of(experiment):
            losses = self.trainer.evaluate(experiment.all_x, experiment.all_y).loss[experiment.count :]
            stopping.look(experiment, state, float(losses.mean(dtype=np.float64)))
        if self.stopped:
            stopping.take_back(state)

    @property
    def stopped(self) -> bool:
        """Whether early stopping has just ended the training: `train` goes on."""
        return self.state.waiting.over

    def go_on(self) -> None:
        """After an early stop."""
        self.state.waiting = self.state.waiting.going_on()

    def stop_before_divergence(self, before: State, rates: np.ndarray) -> Samples | Diverged:
        """Take the steps from `before` on, which did not end finite, once more, up to the one that diverges.

        There may be none, if it was another trainer that took them: it rounds differently.
        """
        end = before.step + len(rates)
        samples = self.add_to_history(step_until_divergence(self.trainer, self.experiment, before, rates))
        if self.state.step == end or self.stopped:
            return samples
        return Diverged(self.state.step + 1, *cause(self.experiment, self.state), samples)

    def add_to_history(self, rows: np.ndarray) -> Samples:
        """The points that rows as `Metrics.row` gives them are, counted."""
        samples = self._samples(rows)
        self.state.samples += len(samples)
        return samples

    def _samples(self, rows: np.ndarray) -> Samples:
        return self.metrics.samples(rows, self.state.samples, partial(rates_of, self.config, self.state))

    def _pace(self, seconds: float) -> None:
        if seconds < self.trainer.chunk_seconds / 2:
            self._chunk = min(self.trainer.longest_chunk, self._chunk * 2)
        elif seconds > self.trainer.chunk_seconds:
            self._chunk = max(1, self._chunk // 2)

    def _use_the_fastest(self) -> None:
        fitting = self._fitting(self.experiment, self.state)
        if type(self.trainer) is not fitting:
            self.trainer = fitting(self.experiment, self.state)
            self._chunk = 1

    def _fitting(self, experiment: Experiment, state: State) -> type[Trainer]:
        return next(trainer for trainer in self._trainers if trainer.can_train(experiment, state))

    def measure(self) -> tuple[Samples, Evaluation]:
        """The metrics of this moment, not counted as a point of the history, and what the networks answer at
        all points: one, or several together."""
        x, y, grad = self.experiment.all_x, self.experiment.all_y, self.state.grad
        evaluated = [self.trainer.evaluate(x, y, r) for r in range(self.experiment.recorded)]
        rows = [
            self.metrics.row(self.state.step, self.progress, one, None if grad is None else grad[r])
            for r, one in enumerate(evaluated)
        ]
        together = evaluated[0] if len(rows) == 1 else combined(self.trainer, self.experiment, x)[0]
        return self._samples(np.array(rows)[None]), together

    def record(self) -> Samples:
        """Add the metrics of this moment to the history; training does so by itself, but for step 0."""
        samples, _ = self.measure()
        self.state.samples += 1
        self.state.stride = evaluation.next_stride(
            self.state.step, max(self.state.stride, self.metrics.least_stride)
        )
        return samples

    def change(self, config: Config, tables: Tables | None = None) -> list[Text]:
        """Go on with another config, live, and say what that did. Nothing happens if it is refused."""
        before, state = self.experiment, self.state
        experiment = before.changed(config, tables or {})
        state, effects = transfer(before, experiment, state)
        forget(before.config, config, state)
        stopping.forget(before, experiment, state)
        # As far into the epoch as before, so that no curve runs backwards.
        state.cursor = math.ceil(state.cursor * experiment.count / before.count)
        self.adopt(experiment, state)
        return effects

    def adopt(self, experiment: Experiment, state: State) -> None:
        """Go on with this experiment and this state."""
        same_metrics = (
            experiment.dataset is self.experiment.dataset
            and experiment.network is self.experiment.network
            and experiment.task == self.experiment.task
        )
        self.experiment = experiment
        if not same_metrics:
            self.metrics = Metrics(experiment)
        fitting = self._fitting(experiment, state)
        if type(self.trainer) is fitting:
            self.trainer.change(experiment, state)
        else:
            self.trainer = fitting(experiment, state)
