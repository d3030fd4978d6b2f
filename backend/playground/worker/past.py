"""Moments of a live run at which it was well, to go back to when training diverges."""

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from time import monotonic

from playground.messages.worker import Earlier
from playground.run.validation import Tables
from playground.training.divergence import Diverged
from playground.training.evaluation import progress
from playground.training.experiment import Experiment
from playground.training.loop import TrainingLoop
from playground.training.state import State
from playground.worker import snapshot

KEPT = 4
CHANGES_APART = 1.0
"""Seconds between two changes that are moments of their own: a drag is one."""
WORSE = 2.0
"""By what factor the loss may be above that of the last moment that was well."""
RATES = [float(f"{digit}e{exponent}") for exponent in range(2, -6, -1) for digit in (5, 2, 1)]
TRIAL_STEPS = 1000
TRIAL_SECONDS = 0.02
"""Other sessions wait for a trial."""


@dataclass(frozen=True)
class Moment:
    """A moment to go back to."""

    earlier: Earlier
    snapshot: bytes

    @classmethod
    def of(cls, experiment: Experiment, state: State, done: int) -> "Moment":
        """After `done` lines of the timeline."""
        config, epoch = experiment.config, progress(state, experiment.count)
        earlier = Earlier(step=state.step, epoch=epoch, samples=state.samples, done=done, config=config)
        return cls(earlier, snapshot.save(config, state))


class Past:
    """The last moments that were well, and the first."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._usual = inf
        self._seen = inf
        self._changed = -inf

    def before_change(self, loop: TrainingLoop, done: int) -> None:
        """Notes the moment before a change, of which there may be many a second."""
        now = monotonic()
        if now - self._changed >= CHANGES_APART:
            self.add(loop, done)
        self._changed = now

    def add(self, loop: TrainingLoop, done: int, moment: Moment | None = None) -> None:
        """Keeps this moment if it is well: its loss has not risen by much, or has stayed where it rose to."""
        loss = _loss(loop)
        if loss <= WORSE * max(self._usual, self._seen):
            self._usual = loss
            first, *last = [*self._moments, moment or Moment.of(loop.experiment, loop.state, done)]
            self._moments = [first, *last[-KEPT:]]
        self._seen = loss

    def well(self) -> Moment | None:
        """The newest that was."""
        return self._moments[-1] if self._moments else None


def rate_from(moment: Moment, rate: float, tables: Tables, device: str) -> float | None:
    """A learning rate below `rate` with which training goes well from this moment on: the one of then, or
    else the one below the highest that does in a trial, for trials are short. None if there is none: the rate
    is not to blame."""
    then = moment.earlier.config.optimizer.lr
    if then < rate:
        return then
    lower = [r for r in RATES if r < rate]
    return next((b for a, b in pairwise(lower) if _trains(moment, a, tables, device)), None)


def _trains(moment: Moment, rate: float, tables: Tables, device: str) -> bool:
    loop = snapshot.load(moment.snapshot, tables, device)
    loss = _loss(loop)
    optimizer = loop.config.optimizer.model_copy(update={"lr": rate})
    loop.change(loop.config.model_copy(update={"optimizer": optimizer}), tables)
    try:
        loop.train(TRIAL_STEPS, monotonic() + TRIAL_SECONDS)
    except Diverged:
        return False
    return _loss(loop) <= loss


def _loss(loop: TrainingLoop) -> float:
    """On the training data; infinite if it is no number."""
    loss = loop.measure()[0].named()["train_loss"]
    return inf if loss is None else loss
