"""A live session in the web process: a run whose timeline is written as you play. No maths."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from http import HTTPStatus
from time import monotonic
from typing import Any

from playground import limits
from playground.catalogue.tables.table import Table
from playground.engine.engine import Engine, session_numbers
from playground.errors import Problem, ValidationFailed, fault
from playground.i18n import Text, say
from playground.keys import hash_of, id_of, new_key, opens
from playground.messages import commands, events
from playground.messages import worker as messages
from playground.messages.codec import Arrays, as_array
from playground.messages.commands import Command, Speed
from playground.messages.events import (
    ChangeDone,
    Closing,
    Divergence,
    Done,
    Notice,
    NoticeCode,
    Parent,
    Result,
    SessionState,
    StepDone,
    TaskDescription,
)
from playground.messages.tables import pack
from playground.messages.worker import Answer, Envelope, Event, Request
from playground.run.config import Config
from playground.run.patch import inverse, merged
from playground.run.run import Run, TimelineEntry
from playground.run.slices import FIRST_TWO, fitting
from playground.run.validation import parse
from playground.run.weights import AllWeights, OneWeight
from playground.session.answers import Answers
from playground.session.broadcast import Broadcast
from playground.session.checkpoints import Checkpoint, Checkpoints
from playground.session.history import EPOCH, MEAN, STEP, History
from playground.session.labels import label
from playground.session.lockstep import Lockstep
from playground.session.past import Past
from playground.session.trail import Snapshot, Trail, way
from playground.session.uploads import Uploads
from playground.session.viewer import Picture

log = logging.getLogger("playground.session")

DEFAULT_SPEED = Speed(epochs_per_second=15)


class Phase(Enum):
    OPENING = auto()
    LIVE = auto()
    ENDED = auto()


class Session:
    """`recorded` is a timeline to follow until a change by hand; it trains up to `step` at once. Its id
    follows from its key: whoever has the key can make it again under the same address.

    Raises `ValidationFailed` for a config or a recorded timeline that does not fit.
    """

    parent: Parent | None = None
    passing = False
    """Whether it only looks back at a moment of its parent."""

    def __init__(
        self,
        engine: Engine,
        uploads: Uploads,
        raw: dict[str, Any],
        recorded: Sequence[TimelineEntry] = (),
        step: int = 0,
        key: str | None = None,
        tables: Mapping[str, Table] | None = None,
    ):
        tables = {**(tables or {}), **uploads.named_in(raw, *(entry.change for entry in recorded))}
        config = parse(raw, tables)
        self.key = key or new_key()
        self.key_hash = hash_of(self.key)
        self.id = id_of(self.key_hash)
        self.number = next(session_numbers)
        self.instance = secrets.token_hex(4)
        """Another one after the server was restarted."""
        self.phase = Phase.OPENING
        self.run = Run(config)
        """As far as it is written."""
        self.run_number = 1
        """Counts the resets."""
        self.config = config
        self.task: TaskDescription | None = None
        self.step = step
        self.epoch = 0.0
        self.history = History(self.run_number)
        self.used = monotonic()
        """When somebody last watched it or asked for it."""
        self.beside: str | None = None
        """Another session whose worker is to train it."""
        self.family = self.id
        """The session that it comes from, by way of its parents. A family is trained on one worker."""
        self.trail = Trail()
        self.lockstep = Lockstep(self)
        self.answers = Answers(lambda command: self.lockstep.perform(self, command))
        self.viewers = Broadcast(lambda request: engine.tell(self.id, request))
        self._engine = engine
        self._uploads = uploads
        self.tables = tables
        self._timeline_bytes = 0
        self.ahead = deque(Run(config, tuple(recorded)).replay(tables))
        """What is left of the recorded timeline."""
        self._playing, self._speed = False, DEFAULT_SPEED
        self._held: dict[str, float] = {}
        self._axes = FIRST_TWO
        self._diverged: Divergence | None = None
        self._stuck: Divergence | None = None
        self._checkpoints = Checkpoints()
        self.data = b""
        """The data message, once there is one."""
        self._last_frame = 0
        self._changing, self._stepping, self._resetting = (asyncio.Lock() for _ in range(3))
        self._ending: Problem | None = None
        """The answer to everything that is asked of it after its end."""

    async def open(self) -> None:
        """Raises what `Engine.open` does."""

        def settle(answer: Envelope[Event]) -> None:
            self.task = _content(answer).task
            self.phase = Phase.LIVE

        await self._engine.open(self, settle, self.beside)

    # --- What it is ---------------------------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        axes = self._axes.fitting(self.task) if self.task else FIRST_TWO
        return SessionState(
            playing=self._playing,
            speed=self._speed,
            step=self.step,
            epoch=self.epoch,
            diverged=self._diverged,
            held=fitting(self._held, axes, self.task) if self.task else {},
            axes=axes,
            stuck=self._stuck,
            before_reset=self._checkpoints.before_reset,
            before_undo=self._checkpoints.before_undo,
            parent=self.parent,
            passing=self.passing,
            together=self.lockstep.others(self),
        )

    @property
    def present(self) -> Past:
        """This moment; those before it are `before` it."""
        return Past(self.run, self.step, self.history, self.trail, self._checkpoints, self.tables)

    def holds(self, key: str) -> bool:
        """Whether this is the session's key."""
        return opens(key, self.key_hash)

    async def read(
        self,
        request: messages.Look | messages.SetLockstep,
        settle: Callable[[Answer, Arrays], Any] = lambda answer, arrays: (answer, arrays),
    ) -> Any:
        """What the worker answers, or what `settle` makes of it at the very moment."""

        def settled(answer: Envelope[Event]) -> Any:
            self._see(_content(answer).step, _content(answer).epoch)
            return settle(_content(answer), answer.arrays)

        return await self._ask(request, settled)

    # --- Commands -----------------------------------------------------------------------------------------

    async def perform(self, command: Command) -> Result:
        """Does it, and returns the step at which it took effect, and what it did.

        Raises `ValidationFailed` or another error that `problem_of` can put into words, with nothing changed.
        """
        self.used = monotonic()
        match command:
            case commands.Play() | commands.Pause() | commands.SetSpeed() | commands.SetSlice():
                return await self._set_state(command)
            case commands.Reset():
                return await self._reset(command)
            case commands.Restore(checkpoint=number):
                return await self._restore(command, self._checkpoints.get(number))
            case commands.Seek():
                raise Problem(HTTPStatus.CONFLICT, say("problem.not_passing"))
            case commands.Step():
                return await self._step(command)
            case commands.Change():
                return await self._change(command)
            case commands.SetWeight() | commands.SetWeights():
                return await self._set_weights(command)

    async def _set_state(
        self, command: commands.Play | commands.Pause | commands.SetSpeed | commands.SetSlice
    ) -> Done:
        def settle(answer: Envelope[Event]) -> Done:
            match command:
                case commands.SetSpeed():
                    self._speed = Speed(**command.model_dump(exclude={"type"}))
                case commands.SetSlice(held=held, axes=axes):
                    self._held, self._axes = held, axes
                case commands.Play():
                    self._playing, self._diverged = True, None
                case commands.Pause():
                    self._playing = False
            return self._moved_on(answer)

        return await self._ask(command, settle)

    async def _step(self, command: commands.Step) -> StepDone:
        def settle(answer: Envelope[Event]) -> StepDone:
            content = _content(answer)
            self._diverged = content.diverged and self._diverged  # with the way back
            done = self._moved_on(answer)
            metrics = content.metrics or {}
            return StepDone(
                step=done.step,
                epoch=self.epoch,
                metrics=metrics,
                diverged=self._diverged,
                stopped=content.stopped,
            )

        async with self._resetting:
            run = self.run_number  # the one that is meant, even if a reset comes before its turn
        async with self._stepping:
            # Known while it stands still; then it is right for a second worker too, should the first one die.
            known = command.steps is not None and not self._playing
            until = self.step + (command.steps or 0) if known else None
            request = messages.Step(**dict(command), run=run, until=until)
            try:
                return await self._ask(request, settle)
            except asyncio.CancelledError:
                self._engine.tell(self.id, messages.Cancel())
                raise

    async def _reset(self, command: commands.Reset) -> Done:
        def settle(answer: Envelope[Event]) -> Done:
            end = _content(answer).earlier
            self._checkpoints.reset(self._checkpoints.keep(end, answer.arrays, self.run, self.history))
            self.trail = Trail()
            return self._begin(answer, Run(self.config), self.config, History(self.run_number + 1))

        async with self._resetting, self._changing:
            return await self._ask(command, settle)

    async def _restore(self, command: commands.Restore, to: Checkpoint) -> Done:
        """Goes back to a moment; where it was is another to go back to."""

        def settle(answer: Envelope[Event]) -> Done:
            left = _content(answer).earlier
            left = self._checkpoints.keep(left, answer.arrays, self.run, self.history)
            self._checkpoints.went_back(to, left)
            self.trail = self.trail.along(to.run, to.moment.step)
            self.trail.note(Snapshot(to.run, to.moment.step, to.snapshot))
            return self._begin(answer, to.run, to.config, to.history.copy(self.run_number + 1))

        request = messages.Restore(checkpoint=command.checkpoint, done=len(to.run.timeline))
        async with self._resetting, self._changing:
            return await self._ask(request, settle, {"snapshot": as_array(to.snapshot)})

    def _begin(self, answer: Envelope[Event], run: Run, config: Config, history: History) -> Done:
        """The worker goes on with another run."""
        self.run_number += 1
        self.run, self.config, self.history = run, config, history
        self.task = _content(answer).task or self.task
        self._timeline_bytes = sum(len(entry.model_dump_json()) for entry in run.timeline)
        self.ahead.clear()
        self._diverged = self._stuck = None
        self.step = 0
        assert self.task
        self.viewers.tell(
            events.RunBegun(
                run=self.run_number,
                start=run.config,
                config=config,
                timeline=list(run.timeline),
                task=self.task,
            )
        )
        self.viewers.start_over()
        return self._moved_on(answer)

    async def _change(self, command: commands.Change) -> ChangeDone:
        async with self._changing:
            before, tables = self.config, self._uploads.named_in(command.change)
            after = parse(merged(before, command.change), {**self.tables, **tables}, before)
            if after == before:
                return ChangeDone(step=self.step, change=command.change, effect=[])
            headers, arrays = pack(tables)
            request = messages.Change(change=command.change, config=after, tables=headers)
            undo = inverse(before, after)
            entry = TimelineEntry(step=0, change=command.change, undo=undo, label=label(before, after))
            done = await self._record(request, entry, after, arrays)
            self.tables |= tables
            return done

    async def _set_weights(self, command: commands.SetWeight | commands.SetWeights) -> ChangeDone:
        edit = AllWeights if isinstance(command, AllWeights) else OneWeight
        async with self._changing:
            weights = edit(**command.model_dump(exclude={"type"}))
            entry = TimelineEntry(step=0, weights=weights, label=[say("label.weights")])
            return await self._record(command, entry)

    async def _record(
        self,
        request: Request,
        entry: TimelineEntry,
        after: Config | None = None,
        arrays: Arrays | None = None,
    ) -> ChangeDone:
        """Has the worker do it, and writes it down."""
        if self._timeline_bytes + len(entry.model_dump_json()) > limits.TIMELINE_BYTES:
            rule = say("rule.timeline_full", limit=limits.TIMELINE_BYTES // 2**20)
            raise ValidationFailed(fault("", rule))
        before = self.config

        def settle(answer: Envelope[Event]) -> ChangeDone:
            content = _content(answer)
            self.ahead.clear()
            self._checkpoints.changed()
            done = self._moved_on(answer)
            self._write_down(_as_found(entry, before, self.config, after), after or self.config, answer)
            return ChangeDone(step=done.step, change=entry.change, effect=content.effect)

        return await self._ask(request, settle, arrays)

    def _write_down(self, entry: TimelineEntry, after: Config, event: Envelope[Event]) -> None:
        took_effect = event.content
        assert isinstance(took_effect, Answer | messages.Applied)
        where = {"step": took_effect.step, "epoch": took_effect.epoch, "effect": took_effect.effect}
        before = self._checkpoints.keep(took_effect.earlier, event.arrays, self.run, self.history)
        entry = entry.model_copy(update={**where, "checkpoint": before and before.checkpoint})
        self.run = self.run.followed_by(entry)
        self._timeline_bytes += len(entry.model_dump_json())
        self.config = after
        self.task = took_effect.task or self.task
        assert self.task
        self.viewers.tell(events.Changed(entry=entry, config=after, task=self.task))

    async def _ask(
        self, request: Request, settle: Callable[[Envelope[Event]], Any], arrays: Arrays | None = None
    ) -> Any:
        if self._ending:
            raise self._ending
        try:
            return await self._engine.ask(self.id, request, settle, arrays)
        finally:
            self.used = monotonic()

    def _moved_on(self, answer: Envelope[Event]) -> Done:
        """Takes the step of an answer for the present, and tells everybody."""
        content = _content(answer)
        self._see(content.step, content.epoch)
        self.viewers.tell(events.StateChanged(**dict(self.state)))
        return Done(step=content.step)

    def _see(self, step: int, epoch: float) -> None:
        """The session has got this far, and somebody may know it: a new worker must get there too."""
        if step >= self.step:
            self.step, self.epoch = step, epoch

    # --- The worker's side: a SessionClient of the engine ---------------------------------------------------

    def opening(self) -> tuple[messages.Open, Arrays]:
        fields, arrays = way(self.run, self.trail, self.tables, (line.entry for line in self.ahead))
        request = messages.Open(
            **fields,
            number=self.number,
            run=self.run_number,
            until=self.step,
            playing=self._playing,
            speed=self._speed,
            frame=self._last_frame,
            held=self._held,
            axes=self._axes,
            lockstep=self.lockstep.name,
        )
        return request, arrays

    def on_event(self, event: Envelope[Event]) -> None:
        arrays = event.arrays
        match event.content:
            case messages.Samples(run=run, stride=stride, columns=columns):
                if run == self.run_number:
                    rows = arrays["samples"]
                    self.history.add(stride, tuple(columns), rows)
                    self._see(int(rows[MEAN, -1, STEP]), float(rows[MEAN, -1, EPOCH]))
                    self.viewers.send_samples()
            case messages.Frame() as frame:
                self._last_frame = max(self._last_frame, frame.frame)
                picture = None
                if frame.run == self.run_number:
                    self._see(frame.step, frame.epoch)
                    picture = Picture(frame.frame, arrays["frame"].tobytes(), arrays["metrics"].tobytes())
                self.viewers.take_frame(frame.size, picture)
            case messages.Data():
                self.data = arrays["message"].tobytes()
                self.viewers.tell(self.data)
            case messages.Snapshot(run=run, step=step, epoch=epoch, done=done):
                if run == self.run_number:
                    self._see(step, epoch)
                    so_far = Run(self.run.config, self.run.timeline[:done])
                    self.trail.note(Snapshot(so_far, step, arrays["snapshot"].tobytes()))
            case messages.Applied() as applied:
                self._follow(applied, event)
            case messages.Diverged(diverged=diverged, earlier=earlier):
                back = self._checkpoints.keep(earlier, arrays, self.run, self.history)
                self._playing, self._diverged = False, diverged.model_copy(update={"back": back})
                self.viewers.tell(events.StateChanged(**dict(self.state)))
            case messages.Stuck(stuck=stuck, earlier=earlier):
                back = self._checkpoints.keep(earlier, arrays, self.run, self.history)
                self._stuck = stuck and stuck.model_copy(update={"back": back})
                self.viewers.tell(events.StateChanged(**dict(self.state)))
            case messages.SessionFailed(detail=detail):
                self._playing = False
                self.viewers.tell(events.StateChanged(**dict(self.state)))
                self.viewers.tell(Notice.of(NoticeCode.TRAINING_FAILED, error=detail))
            case other:
                raise TypeError(f"a session does not take {other.type}")

    def _follow(self, applied: messages.Applied, event: Envelope[Event]) -> None:
        """The worker has come to a line of the recorded timeline, unless a second worker does it again; or to
        one that it makes itself, an early stop."""
        if applied.paused:
            self._see(applied.step, applied.epoch)
            self._playing = False
            self.viewers.tell(events.StateChanged(**dict(self.state)))
        if applied.index != len(self.run.timeline):
            self.task = applied.task or self.task
            return
        if applied.best and self._timeline_bytes < limits.TIMELINE_BYTES:
            entry = TimelineEntry(step=0, best=applied.best, label=[say("label.early_stop")])
            self._write_down(entry, self.config, event)
        elif not applied.best and self.ahead:
            line = self.ahead.popleft()
            self._see(applied.step, applied.epoch)
            words = [say("label.weights")] if line.entry.weights else label(line.before, line.after)
            undo = inverse(line.before, line.after)
            entry = line.entry.model_copy(update={"undo": undo, "label": words})
            self._write_down(entry, line.after, event)

    def on_worker_lost(self) -> None:
        self.viewers.tell(Notice.of(NoticeCode.WORKER_RESTARTED))

    def on_reopened(self) -> None:
        self.viewers.ask_again()

    def end(self, reason: Text, code: NoticeCode = NoticeCode.SESSION_ENDED) -> None:
        """Tells the viewers and lets them go."""
        self.phase = Phase.ENDED
        self.lockstep.forget(self)
        stopping = code is NoticeCode.SHUTDOWN
        status = HTTPStatus.SERVICE_UNAVAILABLE if stopping else HTTPStatus.NOT_FOUND
        self._ending = Problem(status, say(code, reason=reason))
        self.viewers.tell(Notice.of(code, reason=reason))
        self.viewers.close(Closing.RESTARTING if stopping else Closing.ENDED, code.value)


def _as_found(entry: TimelineEntry, before: Config, found: Config, after: Config | None) -> TimelineEntry:
    """The entry of a change that was made for `before`, and met a config that a recorded line had changed."""
    if after is None or found == before:
        return entry
    undo = inverse(found, after)
    return entry.model_copy(
        update={"change": inverse(after, found), "undo": undo, "label": label(found, after)}
    )


def _content(answer: Envelope[Event]) -> Answer:
    assert isinstance(answer.content, Answer)
    return answer.content
