"""A run that is live on a worker: its training loop, what it may train now, and who waits for what."""

import logging
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic

from playground import limits
from playground.catalogue.tables.table import Table
from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.commands import Pause, Play, Reset, SetSlice, SetSpeed, SetWeight, SetWeights
from playground.messages.events import Divergence
from playground.messages.worker import Envelope, Request
from playground.run.config import Config
from playground.run.run import Best, Run
from playground.run.weights import AllWeights, OneWeight
from playground.training.divergence import Diverged
from playground.training.evaluation import Samples
from playground.training.insight.optimizer import quantities_of
from playground.training.insight.units import looked_inside
from playground.training.loop import TrainingLoop
from playground.training.surgery import loses
from playground.training.views import Views
from playground.training.weights import named_weights
from playground.worker import snapshot
from playground.worker.changes import made
from playground.worker.frames import FrameSchedule
from playground.worker.lockstep import Lockstep, halt
from playground.worker.pacing import SLICE, Pacing
from playground.worker.past import Past
from playground.worker.reports import Reports, Send, Taken
from playground.worker.snapshot import Moment

log = logging.getLogger("playground.worker")

SNAPSHOT_REST = 50.0
"""After a snapshot that cost t, there is none for 50 t, but seldom more than one a second, and at least one
in five."""
SNAPSHOT_EVERY = (1.0, 5.0)


@dataclass(frozen=True)
class Goal:
    """Training asked for at once, at full speed."""

    until: int
    request: int = 0
    """The one to answer when it is reached; 0 for what has been trained before."""


class LiveRun:
    """One session on a worker: it trains by its speed, or at once to a goal, and follows its timeline.

    Raises `ValidationFailed` for a config that is none.
    """

    def __init__(self, session: str, opening: messages.Open, arrays: Arrays, device: str, send: Send):
        self.session = session
        self.number = opening.number
        self.inbox: deque[Envelope[Request]] = deque()
        """Requests that wait until a reopened session has caught up."""
        self.pacing = Pacing(opening.speed, opening.playing)
        self.lockstep: Lockstep | None = None
        self.halted = False
        """Whether it cannot go on with the others of its lock-step, until it is asked to."""
        self.frames = FrameSchedule()
        self._device = device
        self._come_to(opening, arrays)
        views = Views(self.loop, opening.held, opening.axes)
        self._reports = Reports(send, self.loop, opening.run, opening.frame, views)
        self._past = Past(self._reports, device)
        self._saved = 0
        self._next_snapshot = monotonic() + SNAPSHOT_EVERY[0]

    def _come_to(self, way: messages.Way, arrays: Arrays) -> None:
        """From the snapshot or the config on, along the timeline, to the step."""
        self._tables, self._done = messages.unpack(way.tables, arrays), way.done
        if "snapshot" in arrays:
            self.loop = snapshot.load(arrays["snapshot"].tobytes(), self._tables, self._device)
        else:
            self.loop = TrainingLoop.start(way.config, self._tables, self._device)
        recorded = Run(self.loop.config, tuple(way.timeline))
        self._replay = recorded.replay(self._tables)
        self._next = next(self._replay, None)
        self._goal = Goal(way.until) if way.until > self.loop.state.step else None

    def open(self, request: int) -> None:
        """Says where it is, shows its data and first sample, and follows the timeline to this step."""
        self._reports.answer(request, task=self._reports.task)
        self._reports.data()
        self._start()
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
        if self._goal:
            return 0.0
        if self.lockstep:
            return self.lockstep.due(self, least)
        return self.pacing.due(self.steps_per_epoch, least)

    def snapshot_due(self) -> float:
        return self._next_snapshot if self._saved != self.frames.version else math.inf

    def earn_steps(self) -> float:
        """Steps that it may take now; asking moves the clock of its speed on."""
        earned = self.lockstep.earn(self) if self.lockstep else self.pacing.earn(self.steps_per_epoch)
        return self.steps_to_goal or earned

    @property
    def steps_to_goal(self) -> int:
        """Steps to what was asked for at once; 0 if nothing was."""
        return self._goal.until - self.loop.state.step if self._goal else 0

    def steps_to_entry(self) -> float:
        """Steps up to the next entry of the recorded timeline."""
        return self._next.entry.step - self.loop.state.step if self._next else math.inf

    # --- Training -----------------------------------------------------------------------------------------

    def train(self) -> None:
        """One slice: as much as it may train now, and what its timeline says on the way."""
        deadline = monotonic() + SLICE
        until = self.loop.state.step + self.earn_steps()
        while (start := self.loop.state.step) < until:
            bound = max(self.steps_per_epoch, 1024)  # for full speed; the deadline ends it sooner
            steps = int(min(until - start, self.steps_to_entry(), bound))
            try:
                outcome = self.loop.train(steps, deadline)
            except Diverged as diverged:
                outcome = diverged
            self.trained(outcome, start)
            over = isinstance(outcome, Diverged) or (self.loop.stopped and not self.catching_up)
            if over or monotonic() >= deadline:
                break

    def trained(self, outcome: Samples | Diverged, start: int) -> None:
        """What comes of steps that its loop has taken, from step `start` at most to its next line."""
        if self.lockstep:
            self.lockstep.spend(self, self.loop.state.step - start)
        else:
            self.pacing.spend(self.loop.state.step - start)
        self.frames.changed()
        if isinstance(outcome, Diverged):
            self._reports.samples(outcome.samples)
            halt(self)
            self._reach_goal(self._past.diverged(self.loop, outcome, self._tables))
        else:
            self._reports.samples(outcome)
            if self.loop.stopped:
                self._stop_early()
            self._follow_timeline()
        if self._goal and self.loop.state.step >= self._goal.until:
            self._reach_goal()

    def _stop_early(self) -> None:
        """The best weights are back, which is a line of the timeline, and it pauses; but not where it catches
        up with a run that went on."""
        seen = self.loop.state.waiting
        assert seen.loss is not None
        best = Best(step=seen.step, epoch=seen.epoch, loss=seen.loss)
        paused = not (self.catching_up and self.steps_to_goal > 0)
        self._reports.stopped_early(self._done, best, seen.waited, paused)
        self._done += 1
        if paused:
            halt(self)
            self._reach_goal(stopped=best)

    def _reach_goal(self, diverged: Divergence | None = None, stopped: Best | None = None) -> None:
        """Training asked for is done, or as far as it goes."""
        goal, self._goal = self._goal, None
        self._reports.settle()
        if goal and goal.request:
            self._reports.metrics(goal.request, diverged=diverged, stopped=stopped)

    def _follow_timeline(self) -> None:
        """The lines of the recorded timeline that this step has come to."""
        while self._next and self._next.entry.step <= self.loop.state.step:
            index, line, self._next = self._done, self._next, None
            try:
                taken = self._take(line.after, line.entry.weights, self._tables)
            except Exception as error:  # weights of another shape: only now can one know
                if not isinstance(error, ValidationFailed):
                    log.exception("a line of a timeline failed")
                taken = Taken([say("effect.not_done", error=str(error))])
                self._done += 1
            self._reports.applied(index, taken)
            self._reports.other_data()
            self._next = next(self._replay, None)

    # --- Requests -----------------------------------------------------------------------------------------

    def handle(self, request: Request, number: int, arrays: Arrays) -> None:
        """Does it, and answers. Raises `ValidationFailed`, with nothing changed."""
        match request:
            case Play() | Pause():
                if isinstance(request, Pause):
                    self._reach_goal()
                    self._reports.settle()
                    self.frames.changed()
                self.pacing.set(playing=isinstance(request, Play))
                self.halted = self.halted and isinstance(request, Pause)
                self._reports.answer(number)
            case SetSpeed():
                self.pacing.set(speed=request)
                self._reports.answer(number)
            case SetSlice(held=held, axes=axes):
                turned = self._reports.show(held, axes)
                self.frames.hurry()
                self._reports.answer(number)
                if turned:
                    self._reports.data()
            case Reset():
                self._begin(TrainingLoop.start(self.loop.config, self._tables, self._device), 0, number)
            case messages.Restore(done=done):
                data = arrays["snapshot"].tobytes()
                self._begin(snapshot.load(data, self._tables, self._device), done, number)
            case messages.SetLockstep():
                self._reports.answer(number)
            case messages.Seek():
                self._come_to(request, arrays)
                self._reports.next_run(self.loop)
                self._past = Past(self._reports, self._device)
                self.frames.hurry()
                self.open(number)
            case messages.Step():
                self._step(request, number)
            case messages.Cancel():
                self._reach_goal()
            case messages.Change(config=config, tables=tables):
                self._change(config, None, messages.unpack(tables, arrays), number)
            case SetWeight() | SetWeights():
                self._change(self.loop.config, request, {}, number)
            case messages.ReadMetrics():
                self._reports.metrics(number)
            case messages.ReadScoreCurves():
                self._reports.score_curves(number)
            case messages.ReadMaps(size=size, axes=axes):
                self._reports.maps(number, size, axes)
            case messages.ReadOptimizer(weight=weight):
                self._reports.answer(number, quantities_of(self.loop.experiment, self.loop.state, weight))
            case messages.ReadUnits():
                self._reports.answer(number, looked_inside(self.loop))
            case messages.ReadWeights():
                self._reports.answer(number, named_weights(self.loop.experiment.network, self.loop.state))
            case messages.ReadMoment():
                self._reports.moment(number, Moment.of(self.loop.experiment, self.loop.state, self._done))
            case _:
                raise TypeError(f"a live run does not take {request.type}")

    def _step(self, request: messages.Step, number: int) -> None:
        per_epoch = self.steps_per_epoch
        steps = request.steps or (request.epochs or 0) * per_epoch
        if steps > limits.TRAIN_STEPS:
            fits = limits.TRAIN_STEPS // per_epoch
            rule = say("rule.steps_at_once", limit=limits.TRAIN_STEPS, per_epoch=per_epoch, fits=fits)
            raise ValidationFailed(fault("epochs", rule, (fits,)))
        self._reach_goal()
        self.halted = False
        here = self.loop.state.step
        until = here if request.run != self._reports.run else request.until or here + steps
        self._goal = Goal(until, number)
        if here >= until:
            self._reach_goal()

    def _begin(self, loop: TrainingLoop, done: int, number: int) -> None:
        """Another run, which has come to where `loop` is, after `done` lines of its timeline."""
        end = Moment.of(self.loop.experiment, self.loop.state, self._done)
        self._reach_goal()
        self.loop, self._past = loop, Past(self._reports, self._device)
        self._reports.next_run(self.loop)
        self._done, self._next = done, None
        self.pacing.set()
        self.frames.hurry()
        self._reports.taken(number, Taken([], self._reports.task, end))
        self._reports.data()
        self._start()

    def _change(
        self, after: Config, edit: OneWeight | AllWeights | None, tables: Mapping[str, Table], number: int
    ) -> None:
        taken = self._take(after, edit, {**self._tables, **tables})
        self._next = None
        self._reports.taken(number, taken)
        self._reports.other_data()

    def _take(self, after: Config, edit: OneWeight | AllWeights | None, tables: Mapping[str, Table]) -> Taken:
        """Makes a change, and says what came of it."""
        self._past.before_change(self.loop, self._done, self._tables)
        old, done, state = self.loop.experiment, self._done, replace(self.loop.state)
        if isinstance(edit, AllWeights):  # they are set in place
            state = state.copy()
        effect = made(self.loop, after, edit, tables)
        self._tables = dict(tables)
        self._done += 1
        self._reports.settle()
        self.frames.hurry()
        now = self.loop.experiment
        if now.dataset is not old.dataset or now.config.loss != old.config.loss:
            self._past.forget()
            self._note()
        lost = isinstance(edit, AllWeights) or loses(old, now, state)
        same_task = now.dataset is old.dataset and now.task == old.task
        task = None if same_task else self._reports.task
        return Taken(effect, task, Moment.of(old, state, done) if lost else None)

    # --- Events -------------------------------------------------------------------------------------------

    def make_frame(self) -> tuple[messages.Frame, Arrays]:
        """The frame that `frames.due` spoke of."""
        start = monotonic()
        size = self.frames.take()
        moving = bool(self._goal) or (not self.halted and self.pacing.blurs(self.steps_per_epoch))
        frame = self._reports.frame(size, self.frames.selection(size), moving)
        self.frames.rest(monotonic() - start)
        return frame

    def make_snapshot(self) -> tuple[messages.Snapshot, Arrays]:
        start = monotonic()
        moment = self._note()
        made = self._reports.snapshot(moment.snapshot, self._done)
        end = monotonic()
        least, most = SNAPSHOT_EVERY
        self._next_snapshot = end + min(most, max(least, SNAPSHOT_REST * (end - start)))
        self._saved = self.frames.version
        return made

    def fail(self, detail: str) -> None:
        """After a failure that nobody foresaw: pause, and tell whoever waits."""
        halt(self)
        goal, self._goal = self._goal, None
        self._reports.failed(goal.request if goal else 0, detail)

    def _start(self) -> None:
        """The curves begin with the untrained network; a snapshot of step 0 has that behind it."""
        if self.loop.state.samples == 0:
            self._reports.samples(self.loop.record())
        self._note()

    def _note(self) -> Moment:
        """This moment, which is kept if all is well."""
        moment = Moment.of(self.loop.experiment, self.loop.state, self._done)
        self._past.note(self.loop, self._tables, moment)
        return moment
