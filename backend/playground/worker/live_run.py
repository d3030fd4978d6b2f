"""A run that is live on a worker: its trainer, what it may train now, and who waits for what."""

import logging
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from playground import limits
from playground.messages import worker as orders
from playground.training import snapshot
from playground.run.config import FieldError, Refused, merged, parse
from playground.training.compiled.trainer import FusedTrainer
from playground.messages.worker import Deed, Mail, Order, Report, Size, as_array
from playground.messages.protocol import AllWeights, Arrays, OneWeight, encode
from playground.training.batched.stack import Stack
from playground.catalogue.tables import Table
from playground.training.reference import Diverged, Samples

log = logging.getLogger("playground.worker")

SLICE = 0.004
"""Seconds that a session trains before it is another's turn."""
DEBT = 0.25
"""Seconds that a session may be behind its speed; more is forgotten, or it would never catch up."""
SMOOTH = 5.0
"""Epochs a second from which on whole epochs at a time are no jerk to the eye; at least one in DEBT."""
FRAME_REST = 3.0
"""Frames take at most a quarter of the time: after one that cost t, there is none for 3 t."""
SNAPSHOT_REST = 50.0
"""Likewise for snapshots, but seldom more than one a second, and at least one in five."""
SNAPSHOT_EVERY = (1.0, 5.0)

Post = Callable[[Report, Arrays, int], None]


@dataclass(frozen=True)
class Goal:
    """Training asked for at once, at full speed."""

    until: int
    order: int
    """The order to answer when it is reached; 0 while a reopened session catches up with what was seen."""


class LiveRun:
    """Raises `Refused` for a config or a timeline that is none."""

    def __init__(self, session: str, opening: orders.Open, arrays: Arrays, device: str, post: Post):
        self.session = session
        self.number = opening.number
        self.inbox: deque[Mail[Order]] = deque()
        """Orders that wait until a reopened session has caught up."""
        self._post = post
        self._device = device
        self._stack: Stack | None = None
        self._alone = False
        self._tables = orders.unpack(opening.tables, arrays)
        self._run = opening.run
        self._done = opening.done
        self._ahead = deque(opening.deeds)
        self._playing = opening.playing
        self._speed = opening.speed
        self._frame = opening.frame
        if "snapshot" in arrays:
            self.trainer = snapshot.load(arrays["snapshot"].tobytes(), self._tables, device)
        else:
            self.trainer = FusedTrainer.start(parse(opening.config, self._tables), self._tables, device)

        self._goal: Goal | None = Goal(opening.until, 0) if opening.until > self.trainer.step else None
        self._credit = 0.0
        self._clock = monotonic()
        self._version = 1
        self._wanted: dict[Size, bool] = {}
        self._shown: dict[Size, int] = {}
        self._next_frame = 0.0
        self._saved = 0
        self._next_snapshot = self._clock + SNAPSHOT_EVERY[0]

    def open(self, order: int) -> None:
        """Says where it is, shows its data and first sample, and does what the timeline says for now."""
        problem = self._picture()[0]["problem"]
        self._post(self._whereabouts(problem=problem), {}, order)
        self._show_data()
        self._record_the_start()
        self._do_what_is_due()

    # --- Time ---------------------------------------------------------------------------------------------

    @property
    def catching_up(self) -> bool:
        return self._goal is not None and self._goal.order == 0

    def training_due(self) -> float:
        """When it wants to train next, in `monotonic` time; infinity when it is paused."""
        if self._goal:
            return 0.0
        if not self._playing:
            return math.inf
        rate, least = self._rate(), self._steps_to_epoch() if self.in_step else 1
        if rate == math.inf or self._credit >= least:
            return 0.0
        return self._clock + max((least - self._credit) / rate, SLICE)

    def frame_due(self) -> float:
        return self._next_frame if self._ready_size() else math.inf

    def snapshot_due(self) -> float:
        return self._next_snapshot if self._saved != self._version else math.inf

    def _rate(self) -> float:
        return self._speed.steps(self.trainer.steps_per_epoch)

    def _allowance(self) -> float:
        """Steps that it may train now."""
        now = monotonic()
        elapsed, self._clock = now - self._clock, now
        if self._goal:
            return self._goal.until - self.trainer.step
        rate = self._rate()
        if rate == math.inf:
            return math.inf
        self._credit = min(self._credit + elapsed * rate, max(1.0, DEBT * rate))
        return math.floor(self._credit)

    # --- Training -----------------------------------------------------------------------------------------

    def train(self) -> None:
        """One slice: as much as it may train now, and what its timeline says on the way."""
        deadline = monotonic() + SLICE
        until = self.trainer.step + self._allowance()
        while (start := self.trainer.step) < until:
            stride = self.trainer.steps_per_epoch  # a bound for full speed; the deadline ends it sooner
            steps = int(min(until - start, self._room(), max(stride, 1024)))
            try:
                outcome = self.trainer.train(steps, deadline)
            except Diverged as diverged:
                outcome = diverged
            self.took(outcome, start)
            if isinstance(outcome, Diverged) or monotonic() >= deadline:
                break

    def took(self, outcome: Samples | Diverged, start: int) -> None:
        """What comes of steps that its trainer has taken, from step `start` at most to its next line."""
        self._credit = max(0.0, self._credit - (self.trainer.step - start))
        self._version += 1
        if isinstance(outcome, Diverged):
            self._report_samples(outcome.samples)
            self._stop(outcome)
        else:
            self._report_samples(outcome)
            self._do_what_is_due()
        if self._goal and self.trainer.step >= self._goal.until:
            self._reach_goal()

    def _room(self) -> float:
        """Steps up to the next line of the timeline."""
        return self._ahead[0].step - self.trainer.step if self._ahead else math.inf

    def _stop(self, diverged: Diverged) -> None:
        self._playing = False
        where = orders.Diverged(step=diverged.step, layer=diverged.layer, detail=diverged.detail)
        self._report(orders.Stopped(diverged=where, epoch=self.trainer.progress))
        self._reach_goal(where)

    def _reach_goal(self, diverged: orders.Diverged | None = None) -> None:
        """Training asked for is done, or as far as it goes."""
        goal, self._goal = self._goal, None
        if goal and goal.order:
            self._post(self._whereabouts(metrics=self.trainer.metrics(), diverged=diverged), {}, goal.order)

    # --- Training with others -----------------------------------------------------------------------------

    @property
    def stack(self) -> Stack | None:
        """In which it has a place."""
        if self._stack and self.trainer not in self._stack:  # after a change, or a restart
            self._stack = None
        return self._stack

    def join(self, stack: Stack) -> None:
        self._stack = stack

    def go_alone(self) -> None:
        """From now on, after a failure: what failed together might fail so again."""
        self._stack, self._alone = None, True

    @property
    def cursor(self) -> int:
        return self.trainer.state.cursor

    @property
    def by_epochs(self) -> bool:
        """Whether it trains so much that it may train whole epochs at a time."""
        per_epoch = self.trainer.steps_per_epoch
        if self._alone:
            return False
        if self._goal:
            return self._goal.until - self.trainer.step >= per_epoch
        return self._playing and self._rate() >= SMOOTH * per_epoch

    @property
    def in_step(self) -> bool:
        """Whether it trains with the others of its stack next, up to where an epoch begins."""
        return self.stack is not None and self.by_epochs and self._steps_to_epoch() <= self._room()

    def _steps_to_epoch(self) -> int:
        points = len(self.trainer.dataset.train_inputs)
        return math.ceil((points - self.cursor % points) / self.trainer.config.batch_size)

    def offer(self) -> int:
        """Steps that it may train now: to the end of its epoch, or whole ones; 0 for not yet."""
        whole = self._steps_to_epoch()
        steps = int(min(self._allowance(), self._room(), max(whole, 1024)))
        return min(steps // whole, 1 if self.cursor else steps) * whole

    # --- Orders -------------------------------------------------------------------------------------------

    def obey(self, order: Order, number: int, arrays: Arrays) -> None:
        """Does it, and answers. Raises `Refused`, with nothing changed."""
        match order:
            case orders.SetPlaying(playing=playing):
                self._set_playing(playing)
                self._answer(number)
            case orders.Pace(speed=speed):
                self._speed, self._credit, self._clock = speed, 0.0, monotonic()
                self._answer(number)
            case orders.Restart(run=run):
                self._restart(run, number)
            case orders.Advance():
                self._advance(order, number)
            case orders.Desist():
                self._reach_goal()
            case orders.Apply(deed=deed, tables=tables):
                self._ahead.clear()
                effect, problem = self._do(deed, orders.unpack(tables, arrays))
                self._post(self._whereabouts(effect=effect, problem=problem), {}, number)
                if problem:
                    self._show_data()
            case orders.Look():
                self._post(self._whereabouts(metrics=self.trainer.metrics()), {}, number)
            case orders.LookAtMaps(size=size):
                self._check_maps(size)
                header, maps = self.trainer.maps(size)
                self._post(self._whereabouts(metrics=header), maps, number)
            case orders.LookAtWeights():
                named = {
                    f"{i}.{name}": a
                    for i, layer in enumerate(self.trainer.weights())
                    for name, a in layer.items()
                }
                self._post(self._whereabouts(), named, number)
            case _:
                raise TypeError(f"a live run does not take {order.type}")

    def _set_playing(self, playing: bool) -> None:
        if not playing:
            self._reach_goal()
        self._playing, self._credit, self._clock = playing, 0.0, monotonic()

    def _restart(self, run: int, number: int) -> None:
        self._reach_goal()
        self.trainer = FusedTrainer.start(self.trainer.config, self._tables, self._device)
        self._run, self._done, self._credit = run, 0, 0.0
        self._ahead.clear()
        self._touch()
        self._answer(number)
        self._show_data()
        self._record_the_start()

    def _advance(self, order: orders.Advance, number: int) -> None:
        per_epoch = self.trainer.steps_per_epoch
        steps = order.steps or (order.epochs or 0) * per_epoch
        if steps > limits.TRAIN_STEPS:
            rule = f"{limits.TRAIN_STEPS:,} steps go at once, {per_epoch} in each epoch"
            fits = limits.TRAIN_STEPS // per_epoch
            raise Refused(FieldError("epochs", f"at most {rule}; {fits:,} epochs fit", (fits,)))
        self._reach_goal()
        until = self.trainer.step if order.run != self._run else order.until or self.trainer.step + steps
        self._goal = Goal(until, number)
        if self.trainer.step >= until:
            self._reach_goal()

    def _check_maps(self, size: int) -> None:
        units = sum(layer.width for layer in self.trainer.network.layers)
        fits = math.isqrt(limits.MAP_NUMBERS // units)
        if size > fits:
            rule = f"the maps of all units may have {limits.MAP_NUMBERS:,} cells together"
            raise Refused(FieldError("size", f"{rule}; with {units} units a size of {fits} fits", (fits,)))

    # --- The timeline -------------------------------------------------------------------------------------

    def _do_what_is_due(self) -> None:
        while self._ahead and self._ahead[0].step <= self.trainer.step:
            index, deed = self._done, self._ahead.popleft()
            try:
                effect, problem = self._do(deed, {})
            except Exception as error:  # weights of another shape: only now can one know
                if not isinstance(error, Refused):
                    log.exception("a line of a timeline failed")
                effect, problem = [f"not done: {error}"], None
                self._done += 1
            where = {"step": self.trainer.step, "epoch": self.trainer.progress}
            self._report(orders.Applied(index=index, effect=effect, problem=problem, **where))
            if problem:
                self._show_data()

    def _do(self, deed: Deed, tables: Mapping[str, Table]) -> tuple[list[str], dict[str, Any] | None]:
        """What it did in sentences, and the problem if the data are others now."""
        before = self.trainer.config
        if deed.weights is not None:
            effect = self._set_weights(deed.weights)
        else:
            tables = {**self._tables, **tables}
            effect = self.trainer.change(parse(merged(before, deed.change), tables), tables)
            self._tables = tables
        self._done += 1
        self._touch()
        after = self.trainer.config
        same = (before.data, before.seed) == (after.data, after.seed)
        return effect, None if same else self._picture()[0]["problem"]

    def _set_weights(self, edit: OneWeight | AllWeights) -> list[str]:
        if isinstance(edit, AllWeights):
            self.trainer.set_weights([dict(layer) for layer in edit.layers])
            return ["all weights set by hand; the optimizer's state kept"]
        self.trainer.set_weight(edit.layer, edit.source, edit.unit, edit.value)
        what = "a bias" if edit.source is None else "a weight"
        return [f"{what} of layer {edit.layer + 1} set to {edit.value:g}; the optimizer's state kept"]

    def _touch(self) -> None:
        """The next frame shows something that people have just asked for: it goes out at once."""
        self._version += 1
        self._next_frame = 0.0
        self._wanted = dict.fromkeys(self._wanted, True)

    # --- Reports ------------------------------------------------------------------------------------------

    def want(self, size: Size, fresh: bool) -> None:
        self._wanted[size] = fresh or self._wanted.get(size, False)

    def _ready_size(self) -> Size | None:
        """A size that somebody waits for and that would show something new."""
        for size, fresh in self._wanted.items():
            if fresh or self._shown.get(size) != self._version:
                return size
        return None

    def make_frame(self) -> tuple[orders.Frame, bytes]:
        """The frame that `frame_due` spoke of: what it is, and the message for the browser."""
        size = self._ready_size()
        assert size is not None
        start = monotonic()
        header, arrays = self.trainer.frame(size.neurons, size.output)
        self._frame += 1
        message = encode({"type": "frame", "frame": self._frame, "run": self._run, **header}, arrays)
        end = monotonic()
        self._next_frame = end + FRAME_REST * (end - start)
        self._shown[size] = self._version
        del self._wanted[size]
        where = {"step": self.trainer.step, "epoch": self.trainer.progress}
        return orders.Frame(size=size, frame=self._frame, run=self._run, **where), message

    def make_snapshot(self) -> tuple[orders.Snapshot, bytes]:
        start = monotonic()
        data = snapshot.save(self.trainer)
        end = monotonic()
        least, most = SNAPSHOT_EVERY
        self._next_snapshot = end + min(most, max(least, SNAPSHOT_REST * (end - start)))
        self._saved = self._version
        where = {"step": self.trainer.step, "epoch": self.trainer.progress}
        return orders.Snapshot(run=self._run, done=self._done, **where), data

    def halt(self, detail: str) -> None:
        """After a failure that nobody foresaw: pause, and tell whoever waits."""
        self._playing = False
        self.go_alone()
        goal, self._goal = self._goal, None
        if goal and goal.order:
            self._post(orders.Failed(detail=detail), {}, goal.order)
        self._report(orders.Broken(detail=detail))

    def _report(self, report: Report, arrays: Arrays | None = None) -> None:
        self._post(report, arrays or {}, 0)

    def _answer(self, number: int) -> None:
        self._post(self._whereabouts(), {}, number)

    def _whereabouts(self, **result: Any) -> orders.Done:
        return orders.Done(step=self.trainer.step, epoch=self.trainer.progress, **result)

    def _picture(self) -> tuple[dict[str, Any], Arrays]:
        return self.trainer.picture()

    def _show_data(self) -> None:
        header, arrays = self._picture()
        message = encode({"type": "data", "run": self._run, **header}, arrays)
        self._report(orders.Data(), {"message": as_array(message)})

    def _record_the_start(self) -> None:
        """The curves begin with the untrained network; a snapshot of step 0 has that behind it."""
        if self.trainer.state.samples == 0:
            self._report_samples(self.trainer.record())

    def _report_samples(self, samples: Samples | None) -> None:
        if samples:
            header = orders.Samples(
                run=self._run, stride=self.trainer.state.stride, columns=list(samples.columns)
            )
            self._report(header, {"samples": samples.rows})
