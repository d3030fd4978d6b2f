"""A scripted run on a worker: it trains to an end of its own, and nobody watches it."""

import logging
import math
from time import monotonic
from typing import Any

import numpy as np

from playground import limits
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say
from playground.messages import worker as messages
from playground.messages.codec import Arrays, as_array
from playground.messages.events import Divergence, TaskDescription
from playground.messages.tables import unpack
from playground.messages.worker import Request
from playground.run.run import Best, Run
from playground.run.script import NO_RULES, Mark, StoppedBy, Waited, next_mark, weights_hash
from playground.training.divergence import Diverged
from playground.training.evaluation import Samples
from playground.training.loop import TrainingLoop
from playground.training.weights import named_weights
from playground.worker import snapshot
from playground.worker.changes import made
from playground.worker.reports import Send

log = logging.getLogger("playground.worker")

PROGRESS_EVERY = 0.1
SNAPSHOT_EVERY = 1.0
"""Seconds, at least: less is lost with a worker."""
SNAPSHOT_REST = 50.0
"""After a snapshot that cost t, there is none for 50 t."""


class BackgroundRun:
    """What it does at a step follows from config, timeline and rules, and not from when it has its turn: it
    marks, follows its timeline, and looks at the rules when an epoch ends.

    Raises `ValidationFailed` for a config that is none, or epochs that take too many steps.
    """

    idle = False

    def __init__(self, session: str, opening: messages.Open, arrays: Arrays, device: str, send: Send):
        assert opening.background
        self.session = session
        self.number = opening.number
        self.ended = False
        self._plan = opening.background
        self._send = send
        self._tables = unpack(opening.tables, arrays)
        self._done = opening.done
        self._resumed = "snapshot" in arrays
        if self._resumed:
            self.loop = snapshot.load(arrays["snapshot"].tobytes(), self._tables, device)
        else:
            self.loop = TrainingLoop.start(opening.config, self._tables, device)
        self._stops = {entry.step for entry in opening.timeline if entry.best}
        """Early stops after which it went on when it was recorded."""
        self._replay = Run(self.loop.config, tuple(opening.timeline)).replay(self._tables)
        self._next = next(self._replay, None)
        self._marked = frozenset(self._plan.marked)
        least = self._plan.least_loss
        self._waited = Waited(math.inf if least is None else least, self._plan.waited)
        self._next_progress = self._next_snapshot = monotonic()
        if self._last_step > limits.RUN_STEPS:
            per_epoch = self.loop.experiment.steps_per_epoch
            fits = limits.RUN_STEPS // per_epoch
            rule = say("rule.steps_at_once", limit=limits.RUN_STEPS, per_epoch=per_epoch, fits=fits)
            raise ValidationFailed(fault("epochs", rule, (fits,)))
        self._look_ahead()

    def open(self, request: int) -> None:
        """Says where it is; if it begins here, with the untrained network."""
        task = TaskDescription.of(self.loop.experiment.dataset, self.loop.config.loss)
        self._tell(messages.Answer(**self._moment, task=task), request=request)
        if not self._resumed:
            self._samples(self.loop.record())
            self._arrive()

    # --- Training -----------------------------------------------------------------------------------------

    def train(self, deadline: float) -> None:
        """Up to this moment in `monotonic` time, or to the end."""
        while not self.ended:
            steps = self._station - self.loop.state.step
            try:
                self._samples(self.loop.train(steps, deadline))
            except Diverged as diverged:
                self._samples(diverged.samples)
                where = Divergence(
                    step=diverged.step, layer=diverged.layer, rate=None, **diverged.detail.as_detail
                )
                self._mark()
                self._end(diverged=where)
                return
            if self.loop.stopped or self.loop.state.step >= self._station:
                self._arrive()
            if monotonic() >= deadline:
                break
        if not self.ended and monotonic() >= self._next_progress:
            self._tell(messages.Progress(**self._moment, steps=self._last_step))
            self._next_progress = monotonic() + PROGRESS_EVERY

    def _look_ahead(self) -> None:
        """The next step at which something is to be done."""
        experiment, state = self.loop.experiment, self.loop.state
        self._epoch_end = state.step + experiment.steps_left(state.cursor)
        stations = [self._last_step, next_mark(state.step, self._marked)]
        if self._plan.stop != NO_RULES:
            stations.append(self._epoch_end)
        if self._next:
            stations.append(self._next.entry.step)
        self._station = max(state.step + 1, min(stations))

    @property
    def _last_step(self) -> int:
        """Where it ends, as far as one can tell: a change may make epochs longer."""
        if self._plan.steps is not None:
            return self._plan.steps
        experiment, state = self.loop.experiment, self.loop.state
        more = (self._plan.epochs or 0) - state.epoch - 1
        if more < 0:
            return state.step
        return state.step + experiment.steps_left(state.cursor) + more * experiment.steps_per_epoch

    def _arrive(self) -> None:
        """At a step at which something is to be done, or where early stopping has stepped in."""
        stopped_by, step = self._stopped_by(), self.loop.state.step
        if stopped_by is None:
            last = step >= self._last_step
            if not last and (step in self._marked or step == next_mark(step - 1, frozenset())):
                self._mark()
            self._follow_timeline()
            if not last:
                self._look_ahead()
                return
        self._mark()
        self._end(stopped_by)

    def _stopped_by(self) -> StoppedBy | None:
        state = self.loop.state
        if self.loop.stopped:
            self._tell_of_early_stop()
            if state.step not in self._stops:
                return "early_stopping"
        rules = self._plan.stop
        if state.step != self._epoch_end or rules == NO_RULES:
            return None
        metrics = self.loop.measure()[0].named()
        loss, accuracy = _seen(metrics, "loss"), _seen(metrics, "accuracy")
        if loss is not None:
            self._waited = self._waited.after(loss)
        if rules.loss_below is not None and loss is not None and loss < rules.loss_below:
            return "loss_below"
        if rules.accuracy_above is not None and accuracy is not None and accuracy > rules.accuracy_above:
            return "accuracy_above"
        if rules.patience is not None and self._waited.epochs >= rules.patience:
            return "patience"
        return None

    def _tell_of_early_stop(self) -> None:
        """The best weights are back, which is a line of the timeline."""
        seen = self.loop.state.waiting
        assert seen.loss is not None
        best = Best(step=seen.step, epoch=seen.epoch, loss=seen.loss)
        effect = [say("effect.best_restored", waited=seen.waited, epoch=round(best.epoch))]
        self._tell(messages.Applied(index=self._done, effect=effect, best=best, **self._moment))
        self._done += 1

    def _follow_timeline(self) -> None:
        """The lines of this step."""
        while self._next and self._next.entry.step <= self.loop.state.step:
            line, effect = self._next, list[Text]()
            try:
                effect = made(self.loop, line.after, line.entry.weights, self._tables)
            except Exception as error:  # weights of another shape: only now can one know
                if not isinstance(error, ValidationFailed):
                    log.exception("a line of a timeline failed")
                effect = [say("effect.not_done", error=str(error))]
            self._tell(messages.Applied(index=self._done, effect=effect, **self._moment))
            self._done += 1
            self._next = next(self._replay, None)

    def _end(self, stopped_by: StoppedBy | None = None, diverged: Divergence | None = None) -> None:
        self.ended = True
        loop = self.loop
        ended = messages.Ended(
            **self._moment,
            done=self._done,
            metrics=loop.measure()[0].named(),
            stopped_by=stopped_by,
            diverged=diverged,
        )
        weights = named_weights(loop.experiment.network, loop.state)
        self._tell(ended, {"snapshot": as_array(snapshot.save(loop.config, loop.state)), **weights})

    # --- What it tells ------------------------------------------------------------------------------------

    @property
    def _moment(self) -> dict[str, Any]:
        return {"step": self.loop.state.step, "epoch": self.loop.progress}

    def _tell(self, event: messages.Event, arrays: Arrays | None = None, request: int = 0) -> None:
        self._send(event, arrays or {}, request)

    def _mark(self) -> None:
        state = self.loop.state
        digest = weights_hash(state.weights.cpu().numpy(), state.buffers.cpu().numpy())
        self._tell(messages.Marked(mark=Mark(step=state.step, sha256=digest)))

    def _samples(self, samples: Samples) -> None:
        if samples:
            event = messages.Samples(run=1, stride=self.loop.state.stride, columns=list(samples.columns))
            self._tell(event, {"samples": np.ascontiguousarray(samples.table)})

    def snapshot_due(self) -> bool:
        return not self.ended and monotonic() >= self._next_snapshot

    def make_snapshot(self) -> tuple[messages.Snapshot, Arrays]:
        start = monotonic()
        data = snapshot.save(self.loop.config, self.loop.state)
        end = monotonic()
        self._next_snapshot = end + max(SNAPSHOT_EVERY, SNAPSHOT_REST * (end - start))
        event = messages.Snapshot(
            run=1,
            **self._moment,
            done=self._done,
            least_loss=None if math.isinf(self._waited.loss) else self._waited.loss,
            waited=self._waited.epochs,
        )
        return event, {"snapshot": as_array(data)}

    def fail(self, detail: str) -> None:
        """After a failure that nobody foresaw: it is over."""
        self.ended = True
        self._tell(messages.SessionFailed(detail=detail))

    def handle(self, request: Request, number: int, _: Arrays) -> None:
        """Answers a look at it."""
        loop = self.loop
        match request:
            case messages.Cancel():
                if not self.ended:
                    self._mark()
                    self._end()
            case messages.ReadMetrics():
                answer = messages.Answer(**self._moment, metrics=loop.measure()[0].named())
                self._tell(answer, request=number)
            case messages.ReadWeights():
                weights = named_weights(loop.experiment.network, loop.state)
                self._tell(messages.Answer(**self._moment), weights, number)
            case _:
                raise TypeError(f"a scripted run does not take {request.type}")


def _seen(metrics: dict[str, float | None], name: str) -> float | None:
    """Of the test points; where there are none, of the training points."""
    tested = metrics.get(f"test_{name}")
    return metrics.get(f"train_{name}") if tested is None else tested
