"""Live runs that take the same steps at the same time: one clock, and whoever is behind is waited for."""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING

from playground.worker.pacing import Pacing

if TYPE_CHECKING:
    from playground.worker.live_run import LiveRun


class Locksteps:
    """By name, those of a worker."""

    def __init__(self) -> None:
        self._named: dict[str, Lockstep] = {}

    def put(self, run: LiveRun, name: str) -> None:
        """Where it goes from now on; by itself without a name."""
        if run.lockstep:
            run.lockstep.leave(run)
            run.pacing = Pacing(run.pacing.speed, run.pacing.playing)
        run.lockstep = self._named.setdefault(name, Lockstep(run.pacing)) if name else None
        if run.lockstep:
            run.lockstep.join(run)
            run.pacing = run.lockstep.pacing
        self._named = {name: one for name, one in self._named.items() if one.used}


class Lockstep:
    """The first of those in motion leads, by the pacing of all; the others follow to where it is. Nobody goes
    on before all are there, and have shown it."""

    def __init__(self, pacing: Pacing):
        self.pacing = pacing
        self._members: list[LiveRun] = []

    def join(self, run: LiveRun) -> None:
        self._members.append(run)

    def leave(self, run: LiveRun) -> None:
        if run in self._members:
            self._members.remove(run)

    def due(self, run: LiveRun, least: int) -> float:
        """When this one has `least` steps to take, in `monotonic` time."""
        if self.behind(run):
            return 0.0
        if run.halted or run is not self._leader or not self.level or self._to_be_shown:
            return math.inf
        return self.pacing.due(run.steps_per_epoch, least)

    def earn(self, run: LiveRun) -> float:
        """Steps that it may take now."""
        if behind := self.behind(run):
            return behind
        if run is self._leader and self.level:
            return self.pacing.earn(run.steps_per_epoch)
        return 0

    def spend(self, run: LiveRun, steps: int) -> None:
        if run is self._leader:
            self.pacing.spend(steps)

    def behind(self, run: LiveRun) -> int:
        """Steps up to where the furthest is."""
        return 0 if run.halted else max(self._steps) - run.loop.state.step

    @property
    def used(self) -> bool:
        return bool(self._members)

    @property
    def _moving(self) -> list[LiveRun]:
        return [run for run in self._members if not run.halted]

    @property
    def _leader(self) -> LiveRun | None:
        return next(iter(self._moving), None)

    @property
    def _steps(self) -> set[int]:
        return {run.loop.state.step for run in self._moving} or {0}

    @property
    def level(self) -> bool:
        """Whether all are at one step."""
        return len(self._steps) == 1

    @property
    def _to_be_shown(self) -> bool:
        """Whether a frame of this step is on its way."""
        return any(run.frames.due() <= monotonic() for run in self._moving)


def halt(run: LiveRun) -> None:
    """It pauses by itself; the others of its lock-step go on."""
    run.halted = True
    if not run.lockstep:
        run.pacing.set(playing=False)


def frame_due(run: LiveRun) -> float:
    """When to make its next frame; those in lock-step show themselves where all are at one step."""
    return math.inf if run.lockstep and not run.lockstep.level else run.frames.due()
