"""A moment of a session's run, for another session to go on from."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from playground.catalogue.tables.table import Table
from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.run.config import Config
from playground.run.run import Run
from playground.session.checkpoints import Checkpoints
from playground.session.history import History
from playground.session.trail import Trail


@dataclass(frozen=True)
class Past:
    """A session as it was at `step`: what it had written, and what lies on the way there."""

    run: Run
    step: int
    history: History
    trail: Trail
    checkpoints: Checkpoints
    tables: Mapping[str, Table]

    @property
    def config(self) -> Config:
        """Of the moment."""
        saved = self.trail.last
        config, done = (saved.config(self.tables), len(saved.run.timeline)) if saved else (self.run.config, 0)
        for line in Run(config, self.run.timeline[done:]).replay(self.tables):
            config = line.after
        return config

    def before(self, step: int | None = None, lines: int | None = None) -> "Past":
        """Likewise of an earlier step: after so many lines of the timeline, or all up to the step.

        Raises `ValidationFailed` for a moment that was none of this run.
        """
        step = self.step if step is None else step
        if step > self.step:
            raise ValidationFailed(fault("step", say("rule.no_moment", last=self.step), (self.step,)))
        steps = [entry.step for entry in self.run.timeline]
        fewest, most = bisect_left(steps, step), bisect_right(steps, step)
        lines = most if lines is None else lines
        if not fewest <= lines <= most:
            raise ValidationFailed(fault("lines", say("rule.no_lines", step=step, fewest=fewest, most=most)))
        run = Run(self.run.config, self.run.timeline[:lines])
        return Past(
            run,
            step,
            self.history.up_to(step, 1),
            self.trail.along(run, step),
            self.checkpoints.named_in(run),
            self.tables,
        )
