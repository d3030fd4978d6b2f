"""Live runs that are alike, such as those of a class that opened the same link, trained as one stack."""

import logging
from collections import defaultdict
from collections.abc import Hashable, Sequence
from time import monotonic

from playground.training.batched.stack import Stack, batch_key
from playground.worker.live_run import LiveRun
from playground.worker.pacing import SLICE

log = logging.getLogger("playground.worker")

LATENCY = 0.1
"""Seconds that requests wait while all stacks train, about. A stack may take a slice for each of its runs."""
GATHER_EVERY = 1.0
"""Seconds between two new stacks, at least: each records its steps anew."""
SMOOTH = 5.0
"""Epochs a second from which on whole epochs at a time are no jerk to the eye; at least one in
`pacing.DEBT`."""


class Member:
    """A run that may train with others, whole epochs at a time."""

    def __init__(self, run: LiveRun):
        self.run = run
        self.alone = False
        """After a failure: what failed together might fail so again."""
        self._stack: Stack | None = None

    @property
    def stack(self) -> Stack | None:
        """In which it has a place."""
        if self._stack and self.run.loop not in self._stack:  # after a change, or a reset
            self._stack.leave(self.run.loop)
            self._stack = None
        return self._stack

    def join(self, stack: Stack | None) -> None:
        self._stack = stack

    def leave(self) -> None:
        """For good."""
        self._stack, self.alone = None, True

    @property
    def by_epochs(self) -> bool:
        """Whether it trains so much that it may train whole epochs at a time."""
        per_epoch = self.run.steps_per_epoch
        config = self.run.loop.config
        # A stack has no samples that wait; several networks are a stack by themselves.
        if self.alone or self.run.lockstep or config.carry_remainder or config.replicas > 1:
            return False
        if self.run.steps_to_goal:
            return self.run.steps_to_goal >= per_epoch
        return self.run.pacing.rate(per_epoch) >= SMOOTH * per_epoch

    @property
    def in_stack(self) -> bool:
        """Whether it trains with the others of its stack next, up to where an epoch begins."""
        return self.stack is not None and self.by_epochs and self.steps_to_epoch <= self.run.steps_to_entry()

    @property
    def steps_to_epoch(self) -> int:
        experiment, cursor = self.run.loop.experiment, self.run.loop.state.cursor
        return -(-(experiment.count - cursor % experiment.count) // experiment.config.batch_size)

    def training_due(self) -> float:
        return self.run.training_due(self.steps_to_epoch if self.in_stack else 1)

    def offer(self) -> int:
        """Steps that it may train now: to the end of its epoch, or whole ones; 0 for not yet."""
        whole = self.steps_to_epoch
        steps = int(min(self.run.earn_steps(), self.run.steps_to_entry(), max(whole, 1024)))
        return min(steps // whole, 1 if self.run.loop.state.cursor else steps) * whole


class Batching:
    """Which runs of a worker train together."""

    def __init__(self) -> None:
        self._members: dict[LiveRun, Member] = {}
        self._next_gathering = 0.0

    def member(self, run: LiveRun) -> Member:
        return self._members.setdefault(run, Member(run))

    def due(self, runs: Sequence[LiveRun]) -> list[list[Member]]:
        """Those that train together now, by stack, all equally far into their epochs."""
        self._members = {run: self.member(run) for run in runs}
        if monotonic() >= self._next_gathering:
            self._gather()
        now, waiting = monotonic(), defaultdict[Stack, list[Member]](list)
        for member in self._members.values():
            if member.in_stack and member.training_due() <= now and (stack := member.stack):
                waiting[stack].append(member)
        return [_furthest(batch) for batch in waiting.values()]

    def _gather(self) -> None:
        """Makes the stack that the most are waiting for."""
        alike = defaultdict[Hashable, list[Member]](list)
        for member in self._members.values():
            if member.stack or member.by_epochs:
                alike[batch_key(member.run.loop)].append(member)
        waiting = [batch for batch in alike.values() if not _is_settled(batch)]
        if waiting:
            batch = max(waiting, key=lambda batch: sum(member.stack is None for member in batch))
            try:
                _stack(batch)
            except Exception:  # there may be no memory for it
                log.exception("sessions could not be stacked")
                for member in batch:
                    member.leave()
        self._next_gathering = monotonic() + GATHER_EVERY


def _is_settled(batch: Sequence[Member]) -> bool:
    """Whether they have a stack, and it works mostly for them, not for sessions that left or were closed."""
    stack, *others = {member.stack for member in batch}
    if others:
        return False
    return len(batch) > stack.size / 2 if stack else len(batch) == 1


def _stack(batch: Sequence[Member]) -> None:
    if len(batch) > 1:
        stack = Stack([member.run.loop for member in batch])
        for member in batch:
            member.join(stack)
    elif stack := batch[0].stack:
        stack.leave(batch[0].run.loop)


def _furthest(batch: Sequence[Member]) -> list[Member]:
    """They go first: so all of a batch meet where an epoch begins."""
    cursor = max(member.run.loop.state.cursor for member in batch)
    return [member for member in batch if member.run.loop.state.cursor == cursor]


def train(batch: Sequence[Member], seconds: float) -> None:
    """Runs that `due` spoke of, in so many seconds at most: as many steps as each of them may take."""
    offers = {member: steps for member in batch if (steps := member.offer())}
    stack = batch[0].stack
    if not offers or not stack:
        return
    starts = [member.run.loop.state.step for member in offers]
    deadline = monotonic() + min(SLICE * len(offers), seconds)
    loops = [member.run.loop for member in offers]
    outcomes = stack.train(loops, min(offers.values()), deadline)
    for member, start in zip(offers, starts, strict=True):
        member.run.trained(outcomes[member.run.loop], start)
