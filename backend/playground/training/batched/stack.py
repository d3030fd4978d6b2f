"""Networks that differ in nothing but seed and points, trained as one, for a GPU is hardly busy with one.

Trainers that are stacked share one state, in which each has rows of its own: it shows, saves and edits
itself as before. All that changes from step to step lies in tensors, so that on CUDA many steps are recorded
once and then launched as one. On the CPU the same steps simply run.
"""

import time
import weakref
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from playground.training.network import State, thinned
from playground.randomness import permutation
from playground.training.batched.cuda_graph import Recording
from playground.training.batched.trace import Trail
from playground.training.reference import Diverged, Samples, Trainer

LAUNCH_STEPS = 32
"""Steps in one launch, at most."""
LAUNCH_PRODUCTS = 2**28
"""Multiplications of their forward passes, about: a GPU is done with them in a few milliseconds."""

Walk = list[tuple[int, int]]
"""For each step how many samples of the epoch are done before it, and how many it takes."""


def likeness(trainer: Trainer) -> Hashable:
    """Trainers with the same one can be stacked: nothing but their seeds and points differs."""
    config = trainer.config.model_copy(update={"seed": 0, "data": None})
    data, device = trainer.dataset, trainer.state.weights.device
    counts = len(data.train_inputs), len(data.test_inputs)
    return config, data.problem.kind, data.problem.classes, counts, device


class Stack:
    """Trainers that may be at any step. One has left as soon as it has a state of its own: by `leave`, after
    a change, or when it diverges. Its rows stay behind."""

    def __init__(self, trainers: Sequence[Trainer]):
        if len({likeness(trainer) for trainer in trainers}) != 1:
            raise ValueError("trainers in a stack differ in nothing but seeds and points")
        first, states = trainers[0], [trainer.state for trainer in trainers]
        whole = State(
            seeds=torch.cat([state.seeds for state in states]),
            weights=torch.cat([state.weights for state in states]),
            buffers=torch.cat([state.buffers for state in states]),
            # The slots of a network are neighbours, as in a state of its own.
            slots=torch.cat([state.slots.transpose(0, 1) for state in states]).transpose(0, 1),
            updates=torch.cat([state.updates for state in states]),
        )
        self._whole = Trainer(first.config, first.dataset, whole)
        self._n, self._batch = len(first.dataset.train_inputs), first.config.batch_size
        products = whole.weights.numel() * min(self._batch, self._n)
        self._most = max(1, min(LAUNCH_STEPS, LAUNCH_PRODUCTS // products))
        self._x = torch.cat([trainer._all_x for trainer in trainers])
        self._y = torch.cat([trainer._all_y for trainer in trainers])
        self._grad = torch.zeros_like(whole.weights)

        counts, device = [len(state.seeds) for state in states], whole.weights.device
        ends = accumulate(counts)
        self._rows = {
            t: slice(end - count, end) for t, count, end in zip(trainers, counts, ends, strict=True)
        }
        owners = torch.arange(len(trainers)).repeat_interleave(torch.tensor(counts))
        self._owner = owners[:, None].to(device)
        self._clock = torch.zeros(2, sum(counts), dtype=torch.int64, device=device)
        self._step, self._next_epoch = self._clock
        self._cursor = torch.zeros(1, dtype=torch.int64, device=device)
        self._places = torch.arange(self._n, device=device)
        self._order = self._places.repeat(sum(counts), 1)
        self._records = device.type == "cuda"
        self._recordings: dict[Hashable, Recording[Trail]] = {}

        self._given = {trainer: self._part(whole, trainer) for trainer in trainers}
        for trainer, state in self._given.items():
            trainer._adopt(state)
            if trainer._grad is not None:
                trainer._grad = self._grad[self._rows[trainer]].copy_(trainer._grad)

    @property
    def members(self) -> list[Trainer]:
        return [trainer for trainer in self._given if trainer in self]

    def __contains__(self, trainer: Trainer) -> bool:
        return self._given.get(trainer) is trainer.state

    @property
    def size(self) -> int:
        """Trainers that it was made of, with those that have left since."""
        return len(self._given)

    def leave(self, trainer: Trainer) -> None:
        trainer._adopt(trainer.state.copy())

    def _part(self, whole: State, trainer: Trainer) -> State:
        """The trainer's own rows, a view."""
        rows = self._rows[trainer]
        return replace(
            trainer.state,
            seeds=whole.seeds[rows],
            weights=whole.weights[rows],
            buffers=whole.buffers[rows],
            slots=whole.slots[:, rows],
            updates=whole.updates[rows],
        )

    def train(
        self, trainers: Sequence[Trainer], steps: int, deadline: float | None = None
    ) -> dict[Trainer, Samples | Diverged]:
        """Train some members as `Trainer.train` would train each; the others rest.

        They must be equally far into their epochs. A member that diverges stops and leaves, alone.
        """
        resting = self._set_out(trainers)
        going = {trainer: trainer._no_samples for trainer in trainers}
        stopped: dict[Trainer, Samples | Diverged] = {}
        while steps > 0 and going:
            walk = self._walk(next(iter(going)).state.cursor, steps)
            before, grad = self._whole.state.copy(), self._grad.clone()
            trail = self._launch(walk)
            parts = [*self._whole.state.tensors(), self._grad]
            for now, then in zip(parts, [*before.tensors(), grad], strict=True):
                now.copy_(torch.where(resting, then, now))
            finite = trail.finite.cpu().numpy()
            lost = [] if finite.all() else [t for t in going if not finite[self._rows[t]].all()]
            for trainer in lost:
                samples, own = going.pop(trainer), self._part(before, trainer).copy()
                try:
                    stopped[trainer] = trainer._find_divergence(own, len(walk), samples)
                except Diverged as diverged:
                    stopped[trainer] = diverged
            for trainer, samples in self._record(list(going), walk, trail):
                going[trainer] += samples
            steps -= len(walk)
            if deadline is not None and time.monotonic() >= deadline:
                break
        return going | stopped

    def _set_out(self, trainers: Sequence[Trainer]) -> Tensor:
        """Tell the device where its networks are; which of them rest, (R, 1)."""
        clock = np.zeros(self._clock.shape, dtype=np.int64)
        resting = np.ones(self._owner.shape, dtype=bool)
        for trainer in trainers:
            rows, state = self._rows[trainer], trainer.state
            if state is not self._given[trainer]:
                raise ValueError("this trainer has left the stack")
            if state.cursor >= self._n:  # the data became fewer
                state.epoch, state.cursor = state.epoch + 1, 0
            if state.cursor != trainers[0].state.cursor:
                raise ValueError("these trainers are not equally far into their epochs")
            clock[:, rows] = [[state.step], [state.epoch]]
            resting[rows] = False
            trainer._grad = self._grad[rows]
        self._clock.copy_(torch.from_numpy(clock))
        if trainers[0].state.cursor:
            self._shuffle()
            self._cursor.fill_(trainers[0].state.cursor)
        return torch.from_numpy(resting).to(self._clock.device)

    def _walk(self, cursor: int, steps: int) -> Walk:
        """As far as one launch goes, or a single step: so there are few walks to record."""
        epoch = -(-self._n // self._batch)
        count = self._most // epoch * epoch or min(self._most, -(-(self._n - cursor) // self._batch))
        if count > steps or cursor % (self._batch * min(self._most, epoch)):
            count = 1
        walk: Walk = []
        for _ in range(count):
            walk.append((cursor, min(self._batch, self._n - cursor)))
            cursor = sum(walk[-1]) % self._n
        return walk

    def _launch(self, walk: Walk) -> Trail:
        if not self._records:
            return self._take(walk)
        alike = tuple((start == 0, size) for start, size in walk)
        if alike not in self._recordings:
            itself = weakref.proxy(self)  # the memory of a stack is free as soon as nobody has it
            self._recordings[alike] = Recording(lambda: itself._take(walk), self._clock.device)
        return self._recordings[alike]()

    def _take(self, walk: Walk) -> Trail:
        """Train every network. This is what is recorded: it looks into no tensor, and of the walk it uses no
        more than where an epoch begins and how large the mini-batches are."""
        whole, state, count = self._whole, self._whole.state, len(walk)
        parts = (state.weights, state.buffers, self._grad)
        trail = [part.new_empty(count, *part.shape) for part in parts]
        masks = whole._draw_masks(self._step + torch.arange(count, device=self._step.device)[:, None])
        for index, (start, size) in enumerate(walk):
            if start == 0:
                self._shuffle()
            chosen = self._owner, self._order.index_select(1, self._cursor + self._places[:size])
            own = [None if mask is None else mask[index, :, :size] for mask in masks]
            whole._loss, grad, _ = whole._gradient(self._x[chosen], self._y[chosen], own)
            whole._update(grad)
            self._grad.copy_(grad)
            self._cursor.add_(size)
            for kept, part in zip(trail, parts, strict=True):
                kept[index] = part
        self._step.add_(count)
        parts = (whole._loss, state.weights, state.buffers, *state.slots, state.updates)
        return Trail(*trail, finite=torch.stack([part.sum(dim=1) for part in parts]).sum(dim=0).isfinite())

    def _shuffle(self) -> None:
        """Begin an epoch."""
        if self._whole.config.shuffle:
            seeds = self._whole.state.seeds
            self._order.copy_(permutation(seeds, "shuffle", self._next_epoch, self._n))
        self._next_epoch.add_(1)
        self._cursor.zero_()

    def _record(
        self, trainers: Sequence[Trainer], walk: Walk, trail: Trail
    ) -> Iterator[tuple[Trainer, Samples]]:
        """Take the trainers' counters to the end of the walk; the points of the history on its way."""
        ends = np.array(walk).sum(axis=1)
        epochs, cursors = np.cumsum(ends == self._n), ends % self._n
        due = {trainer: list(_due(trainer, len(walk))) for trainer in trainers}
        places = [(index, self._rows[trainer].start) for trainer in due for index in due[trainer]]
        measured = (
            trail.measure(self._whole, self._x, self._y, self._owner[:, 0], places) if places else np.empty(0)
        )
        for trainer, indices in due.items():
            state = trainer.state
            if indices:
                own, measured = measured[: len(indices)], measured[len(indices) :]
                steps = state.step + 1 + np.array(indices)
                progress = state.epoch + epochs[indices] + cursors[indices] / self._n
                samples = trainer._sample(np.column_stack([steps, progress, own]))
                state.samples += len(samples)
                yield trainer, samples
            state.step += len(walk)
            state.epoch, state.cursor = state.epoch + int(epochs[-1]), int(cursors[-1])


def _due(trainer: Trainer, steps: int) -> Iterator[int]:
    """Which of the next steps leave a point of the history, from 0. The stride grows as they do."""
    state = trainer.state
    step = state.step + state.stride - state.step % state.stride
    while step <= state.step + steps:
        yield step - state.step - 1
        state.stride = thinned(step, max(state.stride, trainer._least_stride))
        step += state.stride - step % state.stride
