"""A live session in the web process: its key, its viewers, its timeline and its history. No maths."""

import asyncio
import hmac
import itertools
import logging
import secrets
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from time import monotonic
from typing import Any

import numpy as np

from playground import limits
from playground.messages import worker as orders
from playground.messages import protocol
from playground.run.config import FieldError, Refused, RunConfig, inverse, merged, parse
from playground.engine.local import Engine
from playground.session.history import EPOCH, STEP, History
from playground.session.labels import label
from playground.messages.worker import Deed, Mail, Report, Size, as_array, pack
from playground.problem import Problem, problem_of
from playground.messages.protocol import (
    AllWeights,
    Amount,
    Arrays,
    Closing,
    Code,
    Command,
    Entry,
    Event,
    OneWeight,
    Role,
    Speed,
    State,
    read_message,
    sent_id,
)
from playground.session.uploads import Shelf
from playground.catalogue.tables import Table
from playground.session.viewer import Presence, Viewer

log = logging.getLogger("playground.session")

REMEMBERED_COMMANDS = 256
COMMANDS_IN_FLIGHT = 64
SAMPLES_EVERY = 0.1
"""Seconds between two deliveries of samples to viewers that get no frames."""
DEFAULT_SPEED = Speed(epochs_per_second=60)
_numbers = itertools.count(1)


class Phase(Enum):
    OPENING = auto()
    LIVE = auto()
    ENDED = auto()


@dataclass(frozen=True)
class Plan:
    """A line of a recorded timeline that is still ahead, and the config as it will be then."""

    deed: Deed
    config: RunConfig


@dataclass(frozen=True)
class Saved:
    """The last snapshot of the worker, taken after `done` lines of the timeline of `run`."""

    run: int
    done: int
    data: bytes


class Session:
    """A run whose timeline is written as you play; `recorded` is one to follow until a change by hand.

    Raises `Refused` for a config or a recorded timeline that does not fit.
    """

    def __init__(self, engine: Engine, shelf: Shelf, raw: dict[str, Any], recorded: Sequence[Entry] = ()):
        tables = shelf.named_in(raw, *(entry.change for entry in recorded))
        config = parse(raw, tables)
        self.id = secrets.token_hex(5)
        self.key = secrets.token_urlsafe(24)
        self.number = next(_numbers)
        self.phase = Phase.OPENING
        self.config = config
        self.problem: dict[str, Any] = {}
        self.run = 1
        self.timeline: list[Entry] = []
        self.step = 0
        self.epoch = 0.0
        self.history = History(self.run)
        self.used = monotonic()
        """When somebody last watched it or asked for it."""
        self._engine = engine
        self._shelf = shelf
        self._tables = tables
        self._first_config = config
        self._timeline_bytes = 0
        self._plans = deque(_plans(config, tables, recorded))
        self._playing = False
        self._speed = DEFAULT_SPEED
        self._diverged: protocol.Diverged | None = None
        self._saved: Saved | None = None
        self._data = b""
        self._last_frame = 0
        self._viewers: list[Viewer] = []
        self._holder: Viewer | None = None
        self._wanted: set[Size] = set()
        self._pictures: dict[Size, tuple[int, bytes]] = {}
        """The newest frame of each size that is watched."""
        self._frame_timer: asyncio.TimerHandle | None = None
        self._sample_timer: asyncio.TimerHandle | None = None
        self._changing = asyncio.Lock()
        self._stepping = asyncio.Lock()
        self._resetting = asyncio.Lock()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._ending: Problem | None = None
        """The answer to everything that is asked of it after its end."""

    async def open(self) -> None:
        """Raises what `Engine.open` does."""
        await self._engine.open(self, self._opened)

    def _opened(self, mail: Mail[Report]) -> None:
        done = _done(mail)
        self.problem = done.problem or {}
        self.phase = Phase.LIVE

    # --- What it is ---------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return State(
            playing=self._playing,
            speed=self._speed,
            step=self.step,
            epoch=self.epoch,
            diverged=self._diverged,
        )

    @property
    def in_use(self) -> bool:
        """Whether somebody watches it, or waits for a command."""
        return bool(self._viewers) or self._commands_waiting() > 0

    def holds(self, key: str) -> bool:
        """Whether this is the session's key."""
        return hmac.compare_digest(key.encode(), self.key.encode())

    async def look(self) -> dict[str, Any]:
        """Everything about this moment, with fresh metrics."""
        metrics = await self._ask(orders.Look(), lambda mail: _done(mail).metrics)
        return {"id": self.id, "run": self.run, **self._described(), "metrics": metrics}

    def _described(self) -> dict[str, Any]:
        return {
            "config": self.config.model_dump(mode="json"),
            "problem": self.problem,
            **self.state.model_dump(mode="json"),
            "timeline": [entry.model_dump(mode="json") for entry in self.timeline],
        }

    async def maps(self, size: int) -> tuple[dict[str, Any], Arrays]:
        """Raw maps and where they were taken; arrays as in `Trainer.maps`."""
        return await self._ask(
            orders.LookAtMaps(size=size), lambda mail: (_done(mail).metrics or {}, mail.arrays)
        )

    async def weights(self) -> list[dict[str, np.ndarray]]:
        """Of each layer, as in `Trainer.weights`."""
        arrays = await self._ask(orders.LookAtWeights(), lambda mail: mail.arrays)
        layers: dict[int, dict[str, np.ndarray]] = {}
        for name, array in arrays.items():
            layer, _, kind = name.partition(".")
            layers.setdefault(int(layer), {})[kind] = array
        return [layers[i] for i in sorted(layers)]

    # --- Commands -----------------------------------------------------------------------------------------

    async def perform_once(self, name: str, command: Command) -> dict[str, Any]:
        """`perform`, but a name that has been heard before gets the answer that it got then."""
        if name not in self._answers:
            self._make_room()
            self._answers[name] = asyncio.ensure_future(self.perform(command))
        return await asyncio.shield(self._answers[name])

    def abandon(self, name: str) -> None:
        """Nobody waits for this command any longer; if it is training, it ends."""
        self._answers[name].cancel()

    def _commands_waiting(self) -> int:
        return sum(not answer.done() for answer in self._answers.values())

    def _make_room(self) -> None:
        if self._commands_waiting() >= COMMANDS_IN_FLIGHT:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{COMMANDS_IN_FLIGHT} commands are waiting for their turn already",
            )
        while len(self._answers) >= REMEMBERED_COMMANDS:
            del self._answers[next(name for name, answer in self._answers.items() if answer.done())]

    async def perform(self, command: Command) -> dict[str, Any]:
        """Does it, and returns the step at which it took effect, and what it did.

        Raises `Refused` or another error that `problem_of` can put into words, with nothing changed.
        """
        self.used = monotonic()
        match command:
            case protocol.Play():
                return await self._set_playing(True)
            case protocol.Pause():
                return await self._set_playing(False)
            case protocol.Reset():
                return await self._reset()
            case protocol.SetSpeed():
                return await self._set_speed(Speed(**command.model_dump(exclude={"type"})))
            case protocol.Step():
                return await self._train(command)
            case protocol.Change(change=change):
                return await self._change(change)
            case protocol.SetWeight():
                return await self._edit(OneWeight(**command.model_dump(exclude={"type"})))
            case protocol.SetWeights(layers=layers):
                return await self._edit(AllWeights(layers=layers))

    async def _set_playing(self, playing: bool) -> dict[str, Any]:
        def settle(mail: Mail[Report]) -> dict[str, Any]:
            self._playing = playing
            if playing:
                self._diverged = None
            return self._moved_on(mail)

        return await self._ask(orders.SetPlaying(playing=playing), settle)

    async def _set_speed(self, speed: Speed) -> dict[str, Any]:
        def settle(mail: Mail[Report]) -> dict[str, Any]:
            self._speed = speed
            return self._moved_on(mail)

        return await self._ask(orders.Pace(speed=speed), settle)

    async def _train(self, amount: Amount) -> dict[str, Any]:
        def settle(mail: Mail[Report]) -> dict[str, Any]:
            done = _done(mail)
            self._diverged = done.diverged
            diverged = done.diverged and done.diverged.model_dump()
            where = {**self._moved_on(mail), "epoch": self.epoch}
            return {**where, "metrics": done.metrics, "diverged": diverged}

        async with self._resetting:
            run = self.run  # the one that is meant, even if a reset comes before its turn
        async with self._stepping:
            # Known while it stands still; then it is right for a second worker too, should the first one die.
            known = amount.steps is not None and not self._playing
            until = self.step + (amount.steps or 0) if known else None
            order = orders.Advance(run=run, steps=amount.steps, epochs=amount.epochs, until=until)
            try:
                return await self._ask(order, settle)
            except asyncio.CancelledError:
                self._engine.tell(self.id, orders.Desist())
                raise

    async def _reset(self) -> dict[str, Any]:
        def settle(mail: Mail[Report]) -> dict[str, Any]:
            self.run += 1
            self.timeline, self._timeline_bytes, self._first_config = [], 0, self.config
            self._plans.clear()
            self._diverged = self._saved = None
            self.history = History(self.run)
            self._pictures.clear()
            self.step = 0
            self._tell(protocol.ResetDone(run=self.run, config=self.config.model_dump(mode="json")))
            for viewer in self._viewers:
                viewer.start_over()
            return self._moved_on(mail)

        async with self._resetting, self._changing:
            return await self._ask(orders.Restart(run=self.run + 1), settle)

    async def _change(self, change: dict[str, Any]) -> dict[str, Any]:
        async with self._changing:
            before, new_tables = self.config, self._shelf.named_in(change)
            after = parse(merged(before, change), {**self._tables, **new_tables})
            if after == before:
                return {"step": self.step, "change": change, "effect": []}
            entry = Entry(step=0, change=change, undo=inverse(before, after), label=label(before, after))
            return await self._apply(entry, after, new_tables)

    async def _edit(self, edit: OneWeight | AllWeights) -> dict[str, Any]:
        async with self._changing:
            entry = Entry(step=0, weights=edit, label="weights edited")
            return await self._apply(entry, self.config, {})

    async def _apply(self, entry: Entry, after: RunConfig, tables: Mapping[str, Table]) -> dict[str, Any]:
        """Has the worker do it, and writes it down."""
        if self._timeline_bytes + len(entry.model_dump_json()) > limits.TIMELINE_BYTES:
            rule = (
                f"the timeline may have {limits.TIMELINE_BYTES // 2**20} MiB, and is full; a reset empties it"
            )
            raise Refused(FieldError("", rule))

        def settle(mail: Mail[Report]) -> dict[str, Any]:
            done = _done(mail)
            self._plans.clear()
            self._tables |= tables
            result = self._moved_on(mail)
            self._write_down(entry, after, done)
            return {**result, "change": entry.change, "effect": done.effect}

        headers, arrays = pack(tables)
        order = orders.Apply(deed=Deed(step=0, change=entry.change, weights=entry.weights), tables=headers)
        return await self._ask(order, settle, arrays)

    def _write_down(self, entry: Entry, after: RunConfig, done: orders.Done | orders.Applied) -> None:
        where = {"step": done.step, "epoch": done.epoch, "effect": done.effect}
        entry = entry.model_copy(update=where)
        self.timeline.append(entry)
        self._timeline_bytes += len(entry.model_dump_json())
        self.config = after
        self.problem = done.problem or self.problem
        self._tell(protocol.Changed(entry=entry, config=after.model_dump(mode="json"), problem=self.problem))

    async def _ask(self, order: orders.Order, settle: Any, arrays: Arrays | None = None) -> Any:
        if self._ending:
            raise self._ending
        try:
            return await self._engine.ask(self.id, order, settle, arrays)
        finally:
            self.used = monotonic()

    def _moved_on(self, mail: Mail[Report]) -> dict[str, Any]:
        """Takes the step of an answer for the present, and tells everybody."""
        done = _done(mail)
        self._see(done.step, done.epoch)
        self._tell_state()
        return {"step": done.step}

    def _see(self, step: int, epoch: float) -> None:
        """The session has got this far, and somebody may know it: a new worker must get there too."""
        if step >= self.step:
            self.step, self.epoch = step, epoch

    # --- The worker's side: a Tenant of the engine ----------------------------------------------------------

    def opening(self) -> tuple[orders.Open, Arrays]:
        saved = self._saved if self._saved and self._saved.run == self.run else None
        done = saved.done if saved else 0
        past = [Deed(step=e.step, change=e.change, weights=e.weights) for e in self.timeline[done:]]
        headers, arrays = pack(self._tables)
        order = orders.Open(
            number=self.number,
            run=self.run,
            config=self._first_config.model_dump(mode="json"),
            deeds=[*past, *(plan.deed for plan in self._plans)],
            done=done,
            until=self.step,
            playing=self._playing,
            speed=self._speed,
            frame=self._last_frame,
            tables=headers,
        )
        return order, {**arrays, "snapshot": as_array(saved.data)} if saved else arrays

    def take(self, report: Mail[Report]) -> None:
        match report.content:
            case orders.Samples(run=run, stride=stride, columns=columns):
                if run == self.run:
                    rows = report.arrays["samples"]
                    self.history.add(stride, tuple(columns), rows)
                    self._see(int(rows[-1, STEP]), float(rows[-1, EPOCH]))
                    self._deliver_samples()
            case orders.Frame() as frame:
                self._deliver_frame(frame, report.arrays["message"].tobytes())
            case orders.Data():
                self._data = report.arrays["message"].tobytes()
                self._tell(self._data)
            case orders.Snapshot(run=run, step=step, epoch=epoch, done=done):
                if run == self.run:
                    self._see(step, epoch)
                    self._saved = Saved(run, done, report.arrays["snapshot"].tobytes())
            case orders.Applied() as applied:
                self._follow(applied)
            case orders.Stopped(diverged=diverged):
                self._playing, self._diverged = False, diverged
                self._tell_state()
            case orders.Broken(detail=detail):
                self._playing = False
                self._tell_state()
                self._tell(
                    protocol.Notice(code=Code.TRAINING_FAILED, detail=f"Training was paused: {detail}")
                )
            case other:
                raise TypeError(f"a session does not take {other.type}")

    def _follow(self, applied: orders.Applied) -> None:
        """The worker has come to a line of the recorded timeline, unless a second worker does it again."""
        if applied.index == len(self.timeline) and self._plans:
            plan = self._plans.popleft()
            self._see(applied.step, applied.epoch)
            before = self.config
            words = "weights edited" if plan.deed.weights else label(before, plan.config)
            undo = inverse(before, plan.config)
            entry = Entry(step=0, change=plan.deed.change, weights=plan.deed.weights, undo=undo, label=words)
            self._write_down(entry, plan.config, applied)

    def orphaned(self) -> None:
        detail = "The worker stopped and is replaced; training goes on from the last snapshot."
        self._tell(protocol.Notice(code=Code.WORKER_RESTARTED, detail=detail))

    def moved(self) -> None:
        self._wanted.clear()
        self._ask_for_frames(fresh=True)

    def end(self, reason: str, code: Code = Code.SESSION_ENDED) -> None:
        """Tells the viewers and lets them go."""
        self.phase = Phase.ENDED
        stopping = code is Code.SHUTDOWN
        status = HTTPStatus.SERVICE_UNAVAILABLE if stopping else HTTPStatus.NOT_FOUND
        self._ending = Problem(status, f"The session has ended: {reason}.")
        closing = Closing.RESTARTING if stopping else Closing.ENDED
        self._tell(protocol.Notice(code=code, detail=f"The session has ended: {reason}."))
        for viewer in self._viewers:
            viewer.leave(closing, code.value)
        for timer in (self._frame_timer, self._sample_timer):
            if timer:
                timer.cancel()

    # --- Viewers ------------------------------------------------------------------------------------------

    def join(self, viewer: Viewer) -> None:
        """`hello`, the data, and from then on everything that happens."""
        if viewer.role is Role.HOLDER:
            self._replace_holder(viewer)
        self._viewers.append(viewer)
        viewer.tell(
            protocol.Hello(
                session=self.id,
                role=viewer.role,
                run=self.run,
                config=self.config.model_dump(mode="json"),
                timeline=self.timeline,
                problem=self.problem,
                state=self.state,
                viewers=len(self._viewers),
            )
        )
        if self._data:
            viewer.tell(self._data)
        self._tell_viewers(but=viewer)
        self._ask_for_frames(fresh=True)

    def leave(self, viewer: Viewer) -> None:
        self.used = monotonic()
        self._viewers.remove(viewer)
        if self._holder is viewer:
            self._holder = None
        self._tell_viewers()

    def _replace_holder(self, viewer: Viewer) -> None:
        """Whoever proves to have the key last is the holder."""
        old, self._holder = self._holder, viewer
        viewer.role = Role.HOLDER
        if old and old is not viewer:
            old.tell(protocol.Replaced())
            old.leave(Closing.REPLACED, "replaced by a newer connection")

    async def hear(self, viewer: Viewer, text: str) -> None:
        """A viewer's message. Whatever is wrong with it is answered, and the session goes on."""
        if viewer.presence is not Presence.HERE:
            return  # a late message of a connection that has been replaced
        name = sent_id(text)
        try:
            name, message = read_message(text)
            match message:
                case protocol.Ack(frame=frame):
                    viewer.acknowledge(frame)
                    self._ask_for_frames()
                case protocol.Watch():
                    viewer.watch(message)
                    self._ask_for_frames(fresh=True)
                    viewer.tell(_acknowledged(name, {"step": self.step}))
                case protocol.Authorize(key=key):
                    self._authorize(viewer, key)
                    viewer.tell(_acknowledged(name, {"step": self.step}))
                case command:
                    self._demand_key(viewer)
                    viewer.tell(_acknowledged(name, await self.perform_once(_named(name), command)))
        except Exception as error:
            viewer.tell(error_event(name, error))

    def _authorize(self, viewer: Viewer, key: str) -> None:
        if not self.holds(key):
            raise Problem(HTTPStatus.FORBIDDEN, "This key does not fit this session.")
        self._replace_holder(viewer)
        viewer.tell(protocol.RoleChanged(role=Role.HOLDER))

    def _demand_key(self, viewer: Viewer) -> None:
        if viewer.role is not Role.HOLDER:
            raise Problem(HTTPStatus.FORBIDDEN, "Only the holder of the session's key may change it.")

    # --- Delivery -----------------------------------------------------------------------------------------

    def _tell(self, event: Event | bytes) -> None:
        for viewer in self._viewers:
            viewer.tell(event)

    def _tell_state(self) -> None:
        self._tell(protocol.StateChanged(**dict(self.state)))

    def _tell_viewers(self, but: Viewer | None = None) -> None:
        for viewer in self._viewers:
            if viewer is not but:
                viewer.tell(protocol.Viewers(count=len(self._viewers)))

    def _ask_for_frames(self, fresh: bool = False) -> None:
        """Gives the viewers that are due what they have not seen, orders a frame of each size that others
        are ready for, and comes back when the next is due."""
        now = monotonic()
        for viewer in self._viewers:
            number, message = self._pictures.get(viewer.size, (0, b""))
            if viewer.open_for_frames and viewer.due <= now and viewer.shown < number:
                viewer.show(number, message)
        open_viewers = [viewer for viewer in self._viewers if viewer.open_for_frames]
        due = {viewer.size for viewer in open_viewers if viewer.due <= now}
        for size in due if fresh else due - self._wanted:
            self._engine.tell(self.id, orders.Want(size=size, fresh=fresh))
            self._wanted.add(size)
        if self._frame_timer:
            self._frame_timer.cancel()
            self._frame_timer = None
        later = [
            viewer.due - now
            for viewer in open_viewers
            if viewer.due > now and viewer.size not in self._wanted
        ]
        if later:
            self._frame_timer = asyncio.get_running_loop().call_later(min(later), self._ask_for_frames)

    def _deliver_frame(self, frame: orders.Frame, message: bytes) -> None:
        self._wanted.discard(frame.size)
        self._last_frame = max(self._last_frame, frame.frame)
        if frame.run == self.run:
            self._see(frame.step, frame.epoch)
            watched = {viewer.size for viewer in self._viewers}
            newest = {**self._pictures, frame.size: (frame.frame, message)}
            self._pictures = {size: picture for size, picture in newest.items() if size in watched}
        self._ask_for_frames()

    def _deliver_samples(self) -> None:
        """Soon, and together with those that come until then."""
        if self._sample_timer is None and self._viewers:
            self._sample_timer = asyncio.get_running_loop().call_later(SAMPLES_EVERY, self._samples_are_due)

    def _samples_are_due(self) -> None:
        self._sample_timer = None
        for viewer in self._viewers:
            viewer.catch_up()


def error_event(name: str | None, error: Exception) -> protocol.Error:
    """What a viewer hears of an error; one that nobody foresaw goes to the log."""
    problem = problem_of(error)
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("a command failed", exc_info=error)
    return protocol.Error(
        id=name,
        status=problem.status.value,
        title=problem.title,
        detail=problem.detail,
        errors=problem.errors,
    )


def _acknowledged(name: str | None, result: dict[str, Any]) -> protocol.Acknowledged:
    return protocol.Acknowledged.model_validate({"id": _named(name), **result})


def _named(name: str | None) -> str:
    if name is None:
        raise Refused(FieldError("id", "a command has an id, a string of 1 to 64 characters"))
    return name


def _done(mail: Mail[Report]) -> orders.Done:
    assert isinstance(mail.content, orders.Done)
    return mail.content


def _plans(config: RunConfig, tables: Mapping[str, Table], recorded: Sequence[Entry]) -> Iterator[Plan]:
    """The recorded timeline, checked line by line against the config that the lines before it leave."""
    last = 0
    for position, entry in enumerate(recorded):
        path = f"timeline.{position}"
        if entry.step < last:
            raise Refused(
                FieldError(f"{path}.step", "the lines of a timeline are in the order of their steps")
            )
        last = entry.step
        try:
            config = parse(merged(config, entry.change), tables)
        except Refused as refusal:
            below = (FieldError(f"{path}.{e.field}", e.message, e.fits, e.suggestion) for e in refusal.errors)
            raise Refused(*below) from None
        yield Plan(Deed(step=entry.step, change=entry.change, weights=entry.weights), config)
