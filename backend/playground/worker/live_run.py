"""A run that is live on a worker: its training loop, what it may train now, and who waits for what."""

import logging
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from playground import limits
from playground.catalogue.tables import Table
from playground.errors import FieldError, ValidationFailed
from playground.messages import worker as messages
from playground.messages.browser import (
    Divergence,
    Pause,
    Play,
    Reset,
    SetSpeed,
    SetWeight,
    SetWeights,
    TaskDescription,
)
from playground.messages.codec import Arrays
from playground.messages.headers import DataHeader, FrameHeader, LayerShape, MetricsHeader
from playground.messages.worker import Envelope, Event, Request, as_array
from playground.run.config import Config
from playground.run.run import Run
from playground.run.weights import AllWeights, OneWeight
from playground.training.divergence import Diverged
from playground.training.evaluation import Samples
from playground.training.loop import TrainingLoop
from playground.training.views import Views, data_view
from playground.training.weights import read_weights, set_weight, set_weights
from playground.worker import snapshot
from playground.worker.frames import FrameSchedule
from playground.worker.pacing import SLICE, Pacing

log = logging.getLogger("playground.worker")

SNAPSHOT_REST = 50.0
"""After a snapshot that cost t, there is none for 50 t, but seldom more than one a second, and at least one
in five."""
SNAPSHOT_EVERY = (1.0, 5.0)

Send = Callable[[Event, Arrays, int], None]
"""Sends an event, with its arrays, as the answer to a request or to none, 0."""


@dataclass(frozen=True)
class Goal:
    """Training asked for at once, at full speed."""

    until: int
    request: int
    """The one to answer when it is reached; 0 while a reopened session catches up with what was seen."""


class LiveRun:
    """Raises `ValidationFailed` for a config that is none."""

    def __init__(self, session: str, opening: messages.Open, arrays: Arrays, device: str, send: Send):
        self.session = session
        self.number = opening.number
        self.inbox: deque[Envelope[Request]] = deque()
        """Requests that wait until a reopened session has caught up."""
        self.pacing = Pacing(opening.speed, opening.playing)
        self.frames = FrameSchedule()
        self._send = send
        self._device = device
        self._tables = messages.unpack(opening.tables, arrays)
        self._run = opening.run
        self._done = opening.done
        self._frame = opening.frame
        if "snapshot" in arrays:
            self.loop = snapshot.load(arrays["snapshot"].tobytes(), self._tables, device)
        else:
            self.loop = TrainingLoop.start(opening.config, self._tables, device)
        self._views = Views(self.loop)
        recorded = Run(self.loop.config, tuple(opening.timeline))
        self._replay = recorded.replay(self._tables)
        self._next = next(self._replay, None)
        behind = opening.until > self.loop.state.step
        self._goal: Goal | None = Goal(opening.until, 0) if behind else None
        self._saved = 0
        self._next_snapshot = monotonic() + SNAPSHOT_EVERY[0]

    def open(self, request: int) -> None:
        """Says where it is, shows its data and first sample, and follows the timeline to this step."""
        self._send(self._whereabouts(problem=self._task()), {}, request)
        self._send_data()
        self._record_the_start()
        self._follow_timeline()

    # --- Time ---------------------------------------------------------------------------------------------

    @property
    def catching_up(self) -> bool:
        return self._goal is not None and self._goal.request == 0

    @property
    def steps_per_epoch(self) -> int:
        return self.loop.experiment.steps_per_epoch

    def training_due(self, least: int = 1) -> float:
        """When it has `least` steps to take, in `monotonic` time; infinity when it is paused."""
        return 0.0 if self._goal else self.pacing.due(self.steps_per_epoch, least)

    def snapshot_due(self) -> float:
        return self._next_snapshot if self._saved != self.frames.version else math.inf

    def allowance(self) -> float:
        """Steps that it may train now."""
        earned = self.pacing.earn(self.steps_per_epoch)
        return self.goal_ahead or earned

    @property
    def goal_ahead(self) -> int:
        """Steps to what was asked for at once; 0 if nothing was."""
        return self._goal.until - self.loop.state.step if self._goal else 0

    def room(self) -> float:
        """Steps up to the next line of the timeline."""
        return self._next.entry.step - self.loop.state.step if self._next else math.inf

    # --- Training -----------------------------------------------------------------------------------------

    def train(self) -> None:
        """One slice: as much as it may train now, and what its timeline says on the way."""
        deadline = monotonic() + SLICE
        until = self.loop.state.step + self.allowance()
        while (start := self.loop.state.step) < until:
            bound = max(self.steps_per_epoch, 1024)  # for full speed; the deadline ends it sooner
            steps = int(min(until - start, self.room(), bound))
            try:
                outcome = self.loop.train(steps, deadline)
            except Diverged as diverged:
                outcome = diverged
            self.trained(outcome, start)
            if isinstance(outcome, Diverged) or monotonic() >= deadline:
                break

    def trained(self, outcome: Samples | Diverged, start: int) -> None:
        """What comes of steps that its loop has taken, from step `start` at most to its next line."""
        self.pacing.spend(self.loop.state.step - start)
        self.frames.changed()
        if isinstance(outcome, Diverged):
            self._send_samples(outcome.samples)
            self._stop(outcome)
        else:
            self._send_samples(outcome)
            self._follow_timeline()
        if self._goal and self.loop.state.step >= self._goal.until:
            self._reach_goal()

    def _stop(self, diverged: Diverged) -> None:
        self.pacing.set(playing=False)
        where = Divergence(step=diverged.step, layer=diverged.layer, detail=diverged.detail)
        self._report(messages.Diverged(diverged=where, epoch=self.loop.progress))
        self._reach_goal(where)

    def _reach_goal(self, diverged: Divergence | None = None) -> None:
        """Training asked for is done, or as far as it goes."""
        goal, self._goal = self._goal, None
        if goal and goal.request:
            metrics = self.loop.measure()[0].named()
            self._send(self._whereabouts(metrics=metrics, diverged=diverged), {}, goal.request)

    def _follow_timeline(self) -> None:
        """The lines of the recorded timeline that this step has come to."""
        while self._next and self._next.entry.step <= self.loop.state.step:
            index, line, self._next = self._done, self._next, None
            try:
                effect, problem = self._take(line.after, line.entry.weights, self._tables)
            except Exception as error:  # weights of another shape: only now can one know
                if not isinstance(error, ValidationFailed):
                    log.exception("a line of a timeline failed")
                effect, problem = [f"not done: {error}"], None
                self._done += 1
            where = {"step": self.loop.state.step, "epoch": self.loop.progress}
            self._report(messages.Applied(index=index, effect=effect, problem=problem, **where))
            if problem:
                self._send_data()
            self._next = next(self._replay, None)

    # --- Requests -----------------------------------------------------------------------------------------

    def handle(self, request: Request, number: int, arrays: Arrays) -> None:
        """Does it, and answers. Raises `ValidationFailed`, with nothing changed."""
        match request:
            case Play() | Pause():
                if isinstance(request, Pause):
                    self._reach_goal()
                self.pacing.set(playing=isinstance(request, Play))
                self._answer(number)
            case SetSpeed():
                self.pacing.set(speed=request)
                self._answer(number)
            case Reset():
                self._reset(number)
            case messages.Step():
                self._step(request, number)
            case messages.Cancel():
                self._reach_goal()
            case messages.Change(config=config, tables=tables):
                self._change(config, None, messages.unpack(tables, arrays), number)
            case SetWeight() | SetWeights():
                self._change(self.loop.config, request, {}, number)
            case messages.ReadMetrics():
                self._answer(number, metrics=self.loop.measure()[0].named())
            case messages.ReadMaps(size=size):
                self._check_maps(size)
                self._send(self._whereabouts(), self._views.raw(size), number)
            case messages.ReadWeights():
                layers = read_weights(self.loop.experiment.network, self.loop.state)
                named = {f"{i}.{name}": a for i, layer in enumerate(layers) for name, a in layer.items()}
                self._send(self._whereabouts(), named, number)
            case _:
                raise TypeError(f"a live run does not take {request.type}")

    def _step(self, request: messages.Step, number: int) -> None:
        per_epoch = self.steps_per_epoch
        steps = request.steps or (request.epochs or 0) * per_epoch
        if steps > limits.TRAIN_STEPS:
            rule = f"{limits.TRAIN_STEPS:,} steps go at once, {per_epoch} in each epoch"
            fits = limits.TRAIN_STEPS // per_epoch
            raise ValidationFailed(FieldError("epochs", f"at most {rule}; {fits:,} epochs fit", (fits,)))
        self._reach_goal()
        here = self.loop.state.step
        until = here if request.run != self._run else request.until or here + steps
        self._goal = Goal(until, number)
        if here >= until:
            self._reach_goal()

    def _reset(self, number: int) -> None:
        """A new run from step 0 with the config of now."""
        self._reach_goal()
        self.loop = TrainingLoop.start(self.loop.config, self._tables, self._device)
        self._views = Views(self.loop)
        self._run, self._done, self._next = self._run + 1, 0, None
        self.pacing.set()
        self.frames.hurry()
        self._answer(number)
        self._send_data()
        self._record_the_start()

    def _change(
        self, after: Config, edit: OneWeight | AllWeights | None, tables: Mapping[str, Table], number: int
    ) -> None:
        effect, problem = self._take(after, edit, {**self._tables, **tables})
        self._next = None
        self._answer(number, effect=effect, problem=problem)
        if problem:
            self._send_data()

    def _take(
        self, after: Config, edit: OneWeight | AllWeights | None, tables: Mapping[str, Table]
    ) -> tuple[list[str], TaskDescription | None]:
        """Makes a change; what it did in sentences, and the task if the data are others now."""
        before = self.loop.experiment
        effect = self.loop.change(after, tables) if edit is None else self._set_weights(edit)
        self._tables = dict(tables)
        self._done += 1
        self.frames.hurry()
        dataset = self.loop.experiment.dataset
        return effect, None if dataset is before.dataset else self._task()

    def _task(self) -> TaskDescription:
        return TaskDescription.of(self.loop.experiment.dataset)

    def _set_weights(self, edit: OneWeight | AllWeights) -> list[str]:
        network, state = self.loop.experiment.network, self.loop.state
        if isinstance(edit, AllWeights):
            set_weights(network, state, [dict(layer) for layer in edit.layers])
            return ["all weights set by hand; the optimizer's state kept"]
        set_weight(network, state, edit)
        what = "a bias" if edit.source is None else "a weight"
        return [f"{what} of layer {edit.layer + 1} set to {edit.value:g}; the optimizer's state kept"]

    def _check_maps(self, size: int) -> None:
        units = self.loop.experiment.network.units
        fits = math.isqrt(limits.MAP_NUMBERS // units)
        if size > fits:
            rule = f"the maps of all units may have {limits.MAP_NUMBERS:,} cells together"
            raise ValidationFailed(
                FieldError("size", f"{rule}; with {units} units a size of {fits} fits", (fits,))
            )

    # --- Events -------------------------------------------------------------------------------------------

    def make_frame(self) -> tuple[messages.Frame, Arrays]:
        """The frame that `frames.due` spoke of, and the metrics of the same moment."""
        start = monotonic()
        size = self.frames.take()
        samples, evaluation = self.loop.measure()
        arrays = self._views.frame(evaluation, size.neurons, size.output)
        self._frame += 1
        where = {"step": self.loop.state.step, "epoch": self.loop.progress}
        layers = tuple(
            LayerShape(inputs=layer.inputs, width=layer.width)
            for layer in self.loop.experiment.network.layers
        )
        header = FrameHeader(frame=self._frame, run=self._run, layers=layers, **where)
        message = {"frame": as_array(header.encode(arrays)), "metrics": self._current(samples)}
        self.frames.rest(monotonic() - start)
        return messages.Frame(size=size, frame=self._frame, run=self._run, **where), message

    def _current(self, samples: Samples) -> Any:
        """The metrics message of this moment, which is no point of the history."""
        header = MetricsHeader(
            run=self._run,
            current=True,
            stride=self.loop.state.stride,
            first=self.loop.state.samples,
            to=self.loop.state.samples,
            columns=samples.columns,
        )
        return as_array(header.encode({"samples": samples.rows}))

    def make_snapshot(self) -> tuple[messages.Snapshot, Arrays]:
        start = monotonic()
        data = snapshot.save(self.loop)
        end = monotonic()
        least, most = SNAPSHOT_EVERY
        self._next_snapshot = end + min(most, max(least, SNAPSHOT_REST * (end - start)))
        self._saved = self.frames.version
        where = {"step": self.loop.state.step, "epoch": self.loop.progress}
        event = messages.Snapshot(run=self._run, done=self._done, **where)
        return event, {"snapshot": as_array(data)}

    def fail(self, detail: str) -> None:
        """After a failure that nobody foresaw: pause, and tell whoever waits."""
        self.pacing.set(playing=False)
        goal, self._goal = self._goal, None
        if goal and goal.request:
            self._send(messages.Failed(detail=detail), {}, goal.request)
        self._report(messages.SessionFailed(detail=detail))

    def _report(self, event: Event, arrays: Arrays | None = None) -> None:
        self._send(event, arrays or {}, 0)

    def _answer(self, number: int, **result: Any) -> None:
        self._send(self._whereabouts(**result), {}, number)

    def _whereabouts(self, **result: Any) -> messages.Answer:
        return messages.Answer(step=self.loop.state.step, epoch=self.loop.progress, **result)

    def _send_data(self) -> None:
        features, arrays = data_view(self.loop.experiment.dataset)
        header = DataHeader(run=self._run, problem=self._task(), features=features)
        self._report(messages.Data(), {"message": as_array(header.encode(arrays))})

    def _record_the_start(self) -> None:
        """The curves begin with the untrained network; a snapshot of step 0 has that behind it."""
        if self.loop.state.samples == 0:
            self._send_samples(self.loop.record())

    def _send_samples(self, samples: Samples) -> None:
        if samples:
            stride, columns = self.loop.state.stride, list(samples.columns)
            event = messages.Samples(run=self._run, stride=stride, columns=columns)
            self._report(event, {"samples": samples.rows})
