"""A worker: one process, one thread, many sessions. It knows time slices and requests, and no more."""

import logging
import mmap
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from playground.errors import ValidationFailed
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.worker import Envelope, Event, Request, TrainerStatus
from playground.worker import batching
from playground.worker.background import Background, Unwatched
from playground.worker.background_run import BackgroundRun
from playground.worker.batching import Batching
from playground.worker.channel import Channel
from playground.worker.device import kind_of
from playground.worker.live_run import LiveRun
from playground.worker.load import Meter
from playground.worker.lockstep import Locksteps, frame_due
from playground.worker.stack_run import PatchRun, StackRun

log = logging.getLogger("playground.worker")

STATUS_SECONDS = 1.0
"""How often a worker looks whether the kernel has been compiled, at least."""


def _only_pytorch() -> TrainerStatus:
    return TrainerStatus(trainer="reference", detail="PyTorch trains")


class Worker:
    """Serves until the other end of the channel is gone.

    `current_session` is memory that outlives the process: the number of the session that has its turn, 0 for
    none, so that the engine can tell which one a dead worker was busy with.

    With `batched`, sessions that are alike train as one: on a GPU many cost little more than one.
    """

    def __init__(
        self,
        channel: Channel,
        device: str,
        current_session: mmap.mmap,
        batched: bool = False,
        trainer_status: Callable[[], TrainerStatus] = _only_pytorch,
    ):
        self._channel = channel
        self._device = device
        self._current_session = current_session
        self._runs: dict[str, LiveRun] = {}
        self._locksteps = Locksteps()
        self._background = Background()
        self._batching = Batching() if batched else None
        self._next_batches = 0.0
        self._meter = Meter()
        self._trainer_status = trainer_status
        self._trainer = trainer_status()

    def serve(self) -> None:
        kind = kind_of(self._device)
        ready = messages.Ready(pid=os.getpid(), device=self._device, kind=kind, trainer=self._trainer)
        self._channel.send(Envelope(ready))
        while True:
            self._note_trainer()
            with self._meter.spared():
                envelopes = self._channel.exchange(self._idle_time())
            self._handle(envelopes)
            self._train_batches()
            for run in list(self._runs.values()):
                if self._give_turn(run):
                    self._handle(self._channel.exchange(0))
                    if monotonic() >= self._next_batches:
                        self._train_batches()
            with self._meter.spared():
                self._train_background()
            if self._meter.due() <= monotonic():
                self._channel.send(Envelope(self._meter.report()))

    def _note_trainer(self) -> None:
        if (status := self._trainer_status()) != self._trainer:
            self._trainer = status
            self._channel.send(Envelope(status))

    def _idle_time(self) -> float | None:
        """Seconds until there is something to do; None when there is nothing."""
        # What the reference trainer began, the kernel would not end with the same bits: so runs wait for it.
        compiling = self._trainer.trainer == "compiling"
        others = monotonic() + STATUS_SECONDS if compiling else self._background.due()
        nearest = min(self._live_due(), others, self._meter.due())
        return None if nearest == float("inf") else max(0.0, nearest - monotonic())

    def _live_due(self) -> float:
        """When a live session has something to do, in `monotonic` time; infinity when none has."""
        due = [
            min(self._training_due(run), frame_due(run), run.snapshot_due()) for run in self._runs.values()
        ]
        return min(due, default=float("inf"))

    def _training_due(self, run: LiveRun) -> float:
        return self._batching.member(run).training_due() if self._batching else run.training_due()

    def _train_batches(self) -> None:
        """A slice for all that train with others; then, for as long, it is the turn of each by itself."""
        if not self._batching:
            return
        start = monotonic()
        due = self._batching.due(list(self._runs.values()))
        for batch in due:
            with self._guarded(*(member.run for member in batch)):
                batching.train(batch, batching.LATENCY / len(due))
            for member in batch:
                with self._guarded(member.run):
                    self._read_inbox(member.run)
        end = monotonic()
        self._next_batches = end + (end - start)

    def _give_turn(self, run: LiveRun) -> bool:
        """Trains it for a slice, then makes what is due. Whether there was anything to do."""
        busy, start = False, monotonic()
        with self._guarded(run):
            in_stack = self._batching is not None and self._batching.member(run).in_stack
            if not in_stack and run.training_due() <= monotonic():
                run.train()
                busy = True
            self._read_inbox(run)
            if frame_due(run) <= monotonic():
                frame, arrays = run.make_frame()
                self._send_latest(run, frame.size, frame, arrays)
                busy = True
            if run.snapshot_due() <= monotonic():
                self._send_latest(run, "snapshot", *run.make_snapshot())
                busy = True
        if busy:
            self._meter.spend(run.session, monotonic() - start)
        return busy

    def _train_background(self) -> None:
        """A slice for a scripted run or a stack, if it may have one."""
        if self._trainer.trainer == "compiling":
            return
        if run := self._background.turn(self._live_due() > monotonic()):
            with self._guarded(run):
                self._background.train(run)
                if isinstance(run, BackgroundRun) and run.snapshot_due():
                    self._send_latest(run, "snapshot", *run.make_snapshot())

    def _send_latest(self, run: LiveRun | BackgroundRun, slot: object, event: Event, arrays: Arrays) -> None:
        self._channel.send_latest((run.session, slot), Envelope(event, run.session, arrays=arrays))

    def _read_inbox(self, run: LiveRun) -> None:
        while run.inbox and not run.catching_up:
            self._answer(run, run.inbox.popleft())

    def _handle(self, envelopes: list[Envelope[Request]]) -> None:
        for envelope in envelopes:
            run = self._runs.get(envelope.session)
            match envelope.content:
                case messages.Open() | messages.OpenStack() | messages.OpenPatch() as opening:
                    self._open(envelope, opening)
                case messages.Close():
                    if closed := self._runs.pop(envelope.session, None):
                        self._locksteps.put(closed, "")
                    self._background.remove(envelope.session)
                case _ if scripted := self._background.get(envelope.session):
                    with self._guarded(scripted):
                        self._answer(scripted, envelope)
                case messages.SendFrame(size=size, fresh=fresh, selection=selection):
                    if run:
                        run.frames.want(size, fresh, selection)
                case messages.HandOver():
                    self._hand_over(envelope, run)
                case _ if run is None:
                    self._send(envelope, messages.Failed(detail="the worker has no such session"))
                case _ if run.catching_up and not isinstance(envelope.content, messages.Seek):
                    run.inbox.append(envelope)
                case _:
                    with self._guarded(run):
                        self._answer(run, envelope)

    def _hand_over(self, envelope: Envelope[Request], run: LiveRun | None) -> None:
        if run is None or run.steps_to_goal or run.inbox or run.lockstep or self._batching:
            self._send(envelope, messages.Failed(detail="the session stays"))
            return
        with self._guarded(run):
            snapshot, arrays = run.make_snapshot()
            del self._runs[envelope.session]
            self._channel.send(Envelope(snapshot, envelope.session, envelope.request, arrays))

    def _open(self, envelope: Envelope[Request], opening: messages.Opening) -> None:
        def send(event: Event, arrays: Arrays, request: int) -> None:
            self._channel.send(Envelope(event, envelope.session, request, arrays))

        self._note_session(opening.number)
        try:
            run: LiveRun | Unwatched
            rest = envelope.arrays, self._device, send
            match opening:
                case messages.OpenStack():
                    run = StackRun(envelope.session, opening, *rest)
                case messages.OpenPatch():
                    run = PatchRun(envelope.session, opening, *rest)
                case messages.Open(background=None):
                    run = LiveRun(envelope.session, opening, *rest)
                case messages.Open():
                    run = BackgroundRun(envelope.session, opening, *rest)
            run.open(envelope.request)
            if isinstance(run, LiveRun):
                self._runs[envelope.session] = run
                self._locksteps.put(run, opening.lockstep if isinstance(opening, messages.Open) else "")
            else:
                self._background.add(run)
        except ValidationFailed as failed:
            self._send(envelope, messages.Failed(detail=str(failed), errors=list(failed.errors)))
        except Exception as error:  # the other sessions must go on
            log.exception("a session could not be opened")
            self._send(envelope, messages.Failed(detail=_words(error)))
        finally:
            self._note_session(0)

    def _answer(self, run: LiveRun | Unwatched, envelope: Envelope[Request]) -> None:
        if isinstance(run, LiveRun) and isinstance(envelope.content, messages.SetLockstep):
            self._locksteps.put(run, envelope.content.name)
        try:
            run.handle(envelope.content, envelope.request, envelope.arrays)
        except ValidationFailed as failed:
            self._send(envelope, messages.Failed(detail=str(failed), errors=list(failed.errors)))
        except Exception as error:
            self._send(envelope, messages.Failed(detail=_words(error)))
            raise

    def _send(self, envelope: Envelope[Request], answer: Event) -> None:
        self._channel.send(Envelope(answer, envelope.session, envelope.request))

    @contextmanager
    def _guarded(self, *runs: LiveRun | Unwatched) -> Iterator[None]:
        """Sessions that fail are paused. Of several at once none is noted as the current one: an innocent
        one might be locked out."""
        self._note_session(runs[0].number if len(runs) == 1 else 0)
        try:
            yield
        except Exception as error:
            log.exception("a session failed")
            for run in runs:
                if self._batching and isinstance(run, LiveRun):
                    self._batching.member(run).leave()
                run.fail(_words(error))
        finally:
            self._note_session(0)

    def _note_session(self, number: int) -> None:
        struct.pack_into("<Q", self._current_session, 0, number)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
