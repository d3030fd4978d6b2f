"""Live runs that are alike, such as those of a class that opened the same link, trained as one stack."""

import logging
from collections import defaultdict
from collections.abc import Hashable, Sequence
from time import monotonic

from playground.worker.live_run import SLICE, LiveRun
from playground.training.batched.stack import Stack, likeness

log = logging.getLogger("playground.worker")

PATIENCE = 0.1
"""Seconds that orders wait while all cohorts train, about. A cohort may take a slice for each of its runs."""
GATHER_EVERY = 1.0
"""Seconds between two new stacks, at least: each records its steps anew."""


class Cohorts:
    def __init__(self) -> None:
        self._next_gathering = 0.0

    def due(self, runs: Sequence[LiveRun]) -> list[list[LiveRun]]:
        """Those that train together now, by stack, all equally far into their epochs."""
        if monotonic() >= self._next_gathering:
            self._gather(runs)
        now, waiting = monotonic(), defaultdict[Stack, list[LiveRun]](list)
        for run in runs:
            if run.stack and run.in_step and run.training_due() <= now:
                waiting[run.stack].append(run)
        return [_furthest(cohort) for cohort in waiting.values()]

    def _gather(self, runs: Sequence[LiveRun]) -> None:
        """Makes the stack that the most are waiting for."""
        alike = defaultdict[Hashable, list[LiveRun]](list)
        for run in runs:
            if run.stack or run.by_epochs:
                alike[likeness(run.trainer)].append(run)
        waiting = [cohort for cohort in alike.values() if not _is_settled(cohort)]
        if waiting:
            cohort = max(waiting, key=lambda cohort: sum(run.stack is None for run in cohort))
            try:
                _stack(cohort)
            except Exception:  # there may be no memory for it
                log.exception("sessions could not be stacked")
                for run in cohort:
                    run.go_alone()
        self._next_gathering = monotonic() + GATHER_EVERY


def _is_settled(cohort: Sequence[LiveRun]) -> bool:
    """Whether they have a stack, and it works mostly for them, not for sessions that left or were closed."""
    stack, *others = {run.stack for run in cohort}
    if others:
        return False
    return len(cohort) > stack.size / 2 if stack else len(cohort) == 1


def _stack(cohort: Sequence[LiveRun]) -> None:
    if len(cohort) > 1:
        stack = Stack([run.trainer for run in cohort])
        for run in cohort:
            run.join(stack)
    elif stack := cohort[0].stack:
        stack.leave(cohort[0].trainer)


def _furthest(cohort: Sequence[LiveRun]) -> list[LiveRun]:
    """They go first: so all of a cohort meet where an epoch begins."""
    cursor = max(run.cursor for run in cohort)
    return [run for run in cohort if run.cursor == cursor]


def train(cohort: Sequence[LiveRun], patience: float) -> None:
    """Runs that `due` spoke of, in so many seconds at most: as many steps as each of them may take."""
    offers = {run: steps for run in cohort if (steps := run.offer())}
    stack = cohort[0].stack
    if not offers or not stack:
        return
    starts = [run.trainer.step for run in offers]
    deadline = monotonic() + min(SLICE * len(offers), patience)
    outcomes = stack.train([run.trainer for run in offers], min(offers.values()), deadline)
    for run, start in zip(offers, starts, strict=True):
        run.took(outcomes[run.trainer], start)
