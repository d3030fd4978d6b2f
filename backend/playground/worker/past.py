"""Moments of a live run at which it was well, to go back to when training diverges or learns no more."""

from itertools import pairwise
from math import inf
from time import monotonic

from playground.i18n import Text
from playground.messages.events import Divergence
from playground.run.validation import Tables
from playground.training.divergence import NO_GRADIENT, Diverged, stuck
from playground.training.loop import TrainingLoop
from playground.worker import snapshot
from playground.worker.reports import Reports
from playground.worker.snapshot import Moment

KEPT = 4
CHANGES_APART = 1.0
"""Seconds between two changes that are moments of their own: a drag is one."""
WORSE = 2.0
"""By what factor the loss may be above that of the last moment that was well."""
WELL_FITTED = 0.99
"""Share of the variance that a regression explains, for which it is not called stuck."""
RATES = [float(f"{digit}e{exponent}") for exponent in range(2, -6, -1) for digit in (5, 2, 1)]
TRIAL_STEPS = 1000
TRIAL_SECONDS = 0.02
"""Other sessions wait for a trial."""


class Past:
    """The last moments that were well, and the first; and whether the network can still learn."""

    def __init__(self, reports: Reports, device: str):
        self._reports = reports
        self._device = device
        self._moments: list[Moment] = []
        self._usual = self._seen = inf
        self._changed = -inf
        self._stuck = False

    def before_change(self, loop: TrainingLoop, done: int, tables: Tables) -> None:
        """Notes the moment before a change, of which there may be many a second."""
        now = monotonic()
        if now - self._changed >= CHANGES_APART:
            self.note(loop, tables, Moment.of(loop.experiment, loop.state, done))
        self._changed = now

    def forget(self) -> None:
        """The losses so far tell nothing of those to come."""
        self._moments = []
        self._usual = self._seen = inf

    def note(self, loop: TrainingLoop, tables: Tables, moment: Moment) -> None:
        """Keeps the moment if all is well: the network can learn, and its loss has not risen by much, or has
        stayed where it rose to. Tells when it can learn no more, and when it can again."""
        metrics = loop.measure()[0].named()
        loss = _loss(metrics)
        found = None if _may_learn(loop, metrics) else stuck(loop.experiment, loop.state)
        if not found and loss <= WORSE * max(self._usual, self._seen):
            self._usual = loss
            first, *last = [*self._moments, moment]
            self._moments = [first, *last[-KEPT:]]
        self._seen = loss
        if found and not self._stuck:
            where = self._explained(loop, loop.state.step, *found, tables)
            self._reports.stuck(where, self._well)
        elif self._stuck and not found:
            self._reports.stuck(None, None)
        self._stuck = found is not None

    def diverged(self, loop: TrainingLoop, diverged: Diverged, tables: Tables) -> Divergence:
        """Tells of it, with the way back."""
        where = self._explained(loop, diverged.step, diverged.layer, diverged.detail, tables)
        self._reports.diverged(where, self._well)
        return where

    @property
    def _well(self) -> Moment | None:
        return self._moments[-1] if self._moments else None

    def _explained(
        self, loop: TrainingLoop, step: int, layer: int, detail: Text, tables: Tables
    ) -> Divergence:
        well, rate = self._well, loop.config.optimizer.lr
        lower = rate_from(well, rate, tables, self._device) if well else None
        return Divergence(step=step, layer=layer, rate=lower, **detail.as_detail)


def _may_learn(loop: TrainingLoop, metrics: dict[str, float | None]) -> bool:
    """Whether nothing hints that it cannot, or it need not."""
    solved = metrics.get("train_accuracy") == 1 or (metrics.get("train_r2") or 0) > WELL_FITTED
    if solved:
        return True
    norms = [metrics[f"grad_norm.{layer}"] or 0 for layer in range(len(loop.config.hidden))]
    penalised = loop.config.l1 or loop.config.l2  # they have gradients of their own
    return not penalised and any(norm > NO_GRADIENT for norm in norms)


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
    before = _loss(loop.measure()[0].named())
    optimizer = loop.config.optimizer.model_copy(update={"lr": rate})
    loop.change(loop.config.model_copy(update={"optimizer": optimizer}), tables)
    try:
        loop.train(TRIAL_STEPS, monotonic() + TRIAL_SECONDS)
    except Diverged:
        return False
    return _loss(loop.measure()[0].named()) <= before and not stuck(loop.experiment, loop.state)


def _loss(metrics: dict[str, float | None]) -> float:
    """On the training data; infinite if it is no number."""
    loss = metrics["train_loss"]
    return inf if loss is None else loss
