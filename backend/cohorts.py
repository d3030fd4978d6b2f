"""Live runs that are alike, such as those of a class that opened the same link, trained as one stack."""

import logging
from collections import defaultdict
from collections.abc import Hashable, Sequence
from time import monotonic

from backend.liverun import SLICE, LiveRun
from backend.stack import Stack, likeness

log = logging.getLogger("playground.worker")

PATIENCE = 0.1
"""Seconds that orders wait for a cohort, about; it may take a slice for each of its runs, but no longer."""
GATHER_EVERY = 1.0
"""Seconds between two looks at who is alike, at least: a new stack records its steps anew."""
GATHER_REST = 10.0
"""Stacking takes at most about a tenth of the time."""


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
        start = monotonic()
        alike = defaultdict[Hashable, list[LiveRun]](list)
        for run in runs:
            if run.stack or run.by_epochs:
                alike[likeness(run.trainer)].append(run)
        for cohort in alike.values():
            try:
                _stack(cohort)
            except Exception:  # there may be no memory for it
                log.exception("sessions could not be stacked")
                for run in cohort:
                    run.go_alone()
        end = monotonic()
        self._next_gathering = end + max(GATHER_EVERY, GATHER_REST * (end - start))


def _furthest(cohort: Sequence[LiveRun]) -> list[LiveRun]:
    """They go first: so all of a cohort meet where an epoch begins."""
    cursor = max(run.cursor for run in cohort)
    return [run for run in cohort if run.cursor == cursor]


def _stack(cohort: Sequence[LiveRun]) -> None:
    """Makes a stack of these unless they have one. Rows of sessions that were closed go when it is remade."""
    stack, *others = {run.stack for run in cohort}
    if len(cohort) == 1:
        if stack:
            stack.leave(cohort[0].trainer)
    elif others or not stack or len(cohort) <= stack.size / 2:
        stack = Stack([run.trainer for run in cohort])
        for run in cohort:
            run.join(stack)


def train(cohort: Sequence[LiveRun]) -> None:
    """One slice of runs that `due` spoke of: as many steps as each of them may take."""
    offers = {run: steps for run in cohort if (steps := run.offer())}
    stack = cohort[0].stack
    if not offers or not stack:
        return
    starts = [run.trainer.step for run in offers]
    deadline = monotonic() + min(SLICE * len(offers), PATIENCE)
    outcomes = stack.train([run.trainer for run in offers], min(offers.values()), deadline)
    for run, start in zip(offers, starts, strict=True):
        run.took(outcomes[run.trainer], start)
