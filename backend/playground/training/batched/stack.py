"""Training loops whose networks differ in nothing but seed, data and learning rate, trained as one.

Loops that are stacked share one state, in which each has rows of its own: it shows, saves and edits itself as
before.
"""

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from playground.training.batched.trace import Trace
from playground.training.batched.trainer import Batch, BatchedTrainer
from playground.training.divergence import Diverged
from playground.training.evaluation import Samples, next_stride
from playground.training.loop import TrainingLoop
from playground.training.schedule import learning_rates
from playground.training.state import State


def batch_key(loop: TrainingLoop) -> Hashable:
    """Loops with the same one can be stacked: nothing but seed, data and learning rate differs. One with a
    loss of pairs or triplets has one of its own, and is left to the trainer of single loops."""
    if loop.experiment.partners is not None:
        return id(loop)
    config, dataset = loop.config, loop.experiment.dataset
    optimizer = config.optimizer.model_copy(update={"lr": None})
    counts = len(dataset.train_inputs), len(dataset.test_inputs)
    return (
        config.model_copy(update={"seed": 0, "data": None, "optimizer": optimizer}),
        *(dataset.task.kind, dataset.task.classes, dataset.task.targets, counts, loop.experiment.device),
    )


class Stack:
    """Loops that may be at any step. One has left as soon as it has a state or data of its own, or differs in
    more than a member may: by `leave`, after a change, or when it diverges. Its rows stay behind."""

    def __init__(self, loops: Sequence[TrainingLoop]):
        self._key, *others = {batch_key(loop) for loop in loops}
        if others:
            raise ValueError("loops in a stack differ in nothing but seed, data and learning rate")
        states = [loop.state for loop in loops]
        whole = _stacked(states)
        counts = [len(state.seeds) for state in states]
        device = whole.weights.device
        owner = torch.arange(len(loops)).repeat_interleave(torch.tensor(counts)).to(device)
        self.trainer = BatchedTrainer([loop.experiment for loop in loops], whole, owner)
        self._count = loops[0].experiment.count
        self._rows = {
            loop: slice(end - count, end)
            for loop, count, end in zip(loops, counts, accumulate(counts), strict=True)
        }
        self._experiments = {loop: loop.experiment for loop in loops}
        self._states = {loop: self._part(whole, loop) for loop in loops}
        for loop, state in self._states.items():
            loop.adopt(loop.experiment, state)

    @property
    def members(self) -> list[TrainingLoop]:
        return [loop for loop in self._states if loop in self]

    def __contains__(self, loop: TrainingLoop) -> bool:
        return self._states.get(loop) is loop.state and self._fits(loop)

    def _fits(self, loop: TrainingLoop) -> bool:
        joined_with, now = self._experiments[loop], loop.experiment
        if now is joined_with:
            return True
        return now.all_x is joined_with.all_x and batch_key(loop) == self._key

    @property
    def size(self) -> int:
        """Loops that it was made of, with those that have left since."""
        return len(self._states)

    def leave(self, loop: TrainingLoop) -> None:
        """Give the loop a state of its own, if its state is still a part of the whole."""
        if self._states.get(loop) is loop.state:
            loop.adopt(loop.experiment, loop.state.copy())

    def _part(self, whole: State, loop: TrainingLoop) -> State:
        """The loop's own rows, views, with its counters."""
        rows = self._rows[loop]
        return replace(
            loop.state,
            seeds=whole.seeds[rows],
            weights=whole.weights[rows],
            buffers=whole.buffers[rows],
            slots=whole.slots[:, rows],
            updates=whole.updates[rows],
            pruned=whole.pruned[rows],
            grad=None if loop.state.grad is None or whole.grad is None else whole.grad[rows],
        )

    def train(
        self, loops: Sequence[TrainingLoop], steps: int, deadline: float | None = None
    ) -> Mapping[TrainingLoop, Samples | Diverged]:
        """Train some members as `TrainingLoop.train` would train each; the others rest.

        They must be equally far into their epochs. A member that diverges stops and leaves, alone. Where one
        stops early, the others wait too.
        """
        resting = self._seek(loops)
        for loop in loops:
            loop.go_on()
        training = {loop: _no_samples(loop) for loop in loops}
        stopped: dict[TrainingLoop, Samples | Diverged] = {}
        while steps > 0 and training:
            most = int(min(steps, *(loop.steps_to_look for loop in training)))
            launch = self.trainer.next_launch(next(iter(training)).state.cursor, most)
            before = self.trainer.state.copy()
            rates = self._learning_rates(list(training), len(launch))
            trace = self.trainer.step(launch, rates)
            self._restore(resting, before)
            finite = trace.finite.cpu().numpy()
            lost = [] if finite.all() else [t for t in training if not finite[self._rows[t]].all()]
            for loop in lost:
                samples = training.pop(loop)
                stopped[loop] = self._stop(loop, before, rates, samples)
            for loop, samples in self._record(list(training), launch, trace):
                training[loop] += samples
            for loop in training:
                loop.look()
            steps -= len(launch)
            stopped_early = any(loop.stopped for loop in training)
            if stopped_early or (deadline is not None and time.monotonic() >= deadline):
                break
        return training | stopped

    def _seek(self, loops: Sequence[TrainingLoop]) -> Tensor:
        """Tell the trainer where its networks are; which of them rest, (R, 1)."""
        state = self.trainer.state
        clock = np.zeros((2, len(state.seeds)), dtype=np.int64)
        resting = torch.ones(len(state.seeds), 1, dtype=torch.bool)
        for loop in loops:
            if loop not in self:
                raise ValueError("this loop has left the stack")
            rows, own = self._rows[loop], loop.state
            if own.cursor >= self._count:  # the data became fewer
                own.epoch, own.cursor = own.epoch + 1, 0
            if own.cursor != loops[0].state.cursor:
                raise ValueError("these loops are not equally far into their epochs")
            clock[:, rows] = [[own.step], [own.epoch]]
            resting[rows] = False
            own.grad = self.trainer.grad[rows]
        self.trainer.seek(clock, loops[0].state.cursor)
        return resting.to(state.weights.device)

    def _learning_rates(self, loops: Sequence[TrainingLoop], steps: int) -> np.ndarray:
        """Of each step and network, (steps, R); those that rest get none."""
        rates = np.zeros((steps, len(self.trainer.state.seeds)))
        for loop in loops:
            rates[:, self._rows[loop]] = learning_rates(loop.config, loop.state, steps)
        return rates

    def _restore(self, resting: Tensor, before: State) -> None:
        now = self.trainer.state
        for part, old in zip((*now.tensors(), now.grad), (*before.tensors(), before.grad), strict=True):
            if part is not None and old is not None:
                part.copy_(torch.where(resting, old, part))

    def _stop(
        self, loop: TrainingLoop, before: State, rates: np.ndarray, so_far: Samples
    ) -> Samples | Diverged:
        """The loop leaves with the state before the steps in which it diverged, and takes them alone."""
        own = self._part(before, loop).copy()
        outcome = loop.stop_before_divergence(own, rates[:, self._rows[loop]])
        if isinstance(outcome, Diverged):
            outcome.samples = so_far + outcome.samples
            return outcome
        loop.look()
        return so_far + outcome

    def _record(
        self, loops: Sequence[TrainingLoop], launch: Sequence[Batch], trace: Trace
    ) -> Iterator[tuple[TrainingLoop, Samples]]:
        """Take the loops' counters to the end of the launch; the points of the history on its way."""
        ends = np.array(launch).sum(axis=1)
        epochs, cursors = np.cumsum(ends == self._count), ends % self._count
        due = {loop: list(_due(loop, len(launch))) for loop in loops}
        places = [(index, self._rows[loop].start) for loop in due for index in due[loop]]
        measured = self.trainer.measure(trace, places) if places else np.empty(0)
        for loop, indices in due.items():
            state = loop.state
            if indices:
                own, measured = measured[: len(indices)], measured[len(indices) :]
                steps = state.step + 1 + np.array(indices)
                progress = state.epoch + epochs[indices] + cursors[indices] / self._count
                yield loop, loop.add_to_history(np.column_stack([steps, progress, own])[:, None])
            state.step += len(launch)
            state.epoch, state.cursor = state.epoch + int(epochs[-1]), int(cursors[-1])


def _stacked(states: Sequence[State]) -> State:
    return State(
        seeds=torch.cat([state.seeds for state in states]),
        weights=torch.cat([state.weights for state in states]),
        buffers=torch.cat([state.buffers for state in states]),
        # The slots of a network are neighbours, as in a state of its own.
        slots=torch.cat([state.slots.transpose(0, 1) for state in states]).transpose(0, 1),
        updates=torch.cat([state.updates for state in states]),
        pruned=torch.cat([state.pruned for state in states]),
        grad=torch.cat([torch.zeros_like(s.weights) if s.grad is None else s.grad for s in states]),
    )


def _no_samples(loop: TrainingLoop) -> Samples:
    return loop.add_to_history(np.empty(0))


def _due(loop: TrainingLoop, steps: int) -> Iterator[int]:
    """Which of the next steps leave a point of the history, from 0. The stride grows as they do."""
    state = loop.state
    step = state.step + state.stride - state.step % state.stride
    while step <= state.step + steps:
        yield step - state.step - 1
        state.stride = next_stride(step, max(state.stride, loop.metrics.least_stride))
        step += state.stride - step % state.stride
