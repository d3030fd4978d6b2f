"""A worker: one process, one thread, many sessions. It knows time slices and orders, and no more."""

import logging
import mmap
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import torch

from playground.worker import batching as cohorts
from playground.training.compiled import trainer as fused
from playground.messages import worker as orders
from playground.worker.batching import Cohorts
from playground.run.config import Refused
from playground.worker.channel import Line
from playground.worker.live_run import LiveRun
from playground.messages.worker import Mail, Order, Report, as_array
from playground.messages.protocol import Arrays, FieldProblem

log = logging.getLogger("playground.worker")

TURN_BYTES = mmap.PAGESIZE


class Worker:
    """Serves until the other end of the socket is gone.

    `turn` is memory that outlives the process: whose turn it is (the session's number, 0 for nobody's), so
    that the engine can tell which session a dead worker was busy with.

    With `together`, sessions that are alike train as one: on a GPU many cost little more than one.
    """

    def __init__(self, line: Line, device: str, turn: mmap.mmap, together: bool = False):
        self._line = line
        self._device = device
        self._turn = turn
        self._runs: dict[str, LiveRun] = {}
        self._cohorts = Cohorts() if together else None
        self._cohorts_rest = 0.0

    def serve(self) -> None:
        self._line.post(Mail(orders.Ready(pid=os.getpid(), device=self._device)))
        while True:
            self._obey(self._line.exchange(self._idle_time()))
            self._train_together()
            for run in list(self._runs.values()):
                if self._give_turn(run):
                    self._obey(self._line.exchange(0))
                    if monotonic() >= self._cohorts_rest:
                        self._train_together()

    def _idle_time(self) -> float | None:
        """Seconds until a session has something to do; None when none has."""
        due = [min(run.training_due(), run.frame_due(), run.snapshot_due()) for run in self._runs.values()]
        nearest = min(due, default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - monotonic())

    def _train_together(self) -> None:
        """A slice for all that train with others; then, for as long, it is the turn of each by itself."""
        if not self._cohorts:
            return
        start = monotonic()
        due = self._cohorts.due(list(self._runs.values()))
        for cohort in due:
            with self._blaming(*cohort):
                cohorts.train(cohort, cohorts.PATIENCE / len(due))
            for run in cohort:
                with self._blaming(run):
                    self._read_inbox(run)
        end = monotonic()
        self._cohorts_rest = end + (end - start)

    def _give_turn(self, run: LiveRun) -> bool:
        """Trains it for a slice, then makes what is due. Whether there was anything to do."""
        busy = False
        with self._blaming(run):
            if run.training_due() <= monotonic() and not run.in_step:
                run.train()
                busy = True
            self._read_inbox(run)
            if run.frame_due() <= monotonic():
                frame, message = run.make_frame()
                mail = Mail(frame, run.session, arrays={"message": as_array(message)})
                self._line.show((run.session, frame.size), mail)
                busy = True
            if run.snapshot_due() <= monotonic():
                state, data = run.make_snapshot()
                self._line.show(
                    (run.session, "snapshot"), Mail(state, run.session, arrays={"snapshot": as_array(data)})
                )
                busy = True
        return busy

    def _read_inbox(self, run: LiveRun) -> None:
        while run.inbox and not run.catching_up:
            self._answer(run, run.inbox.popleft())

    def _obey(self, mails: list[Mail[Order]]) -> None:
        for mail in mails:
            run = self._runs.get(mail.session)
            match mail.content:
                case orders.Open() as opening:
                    self._open(mail, opening)
                case orders.Close():
                    self._runs.pop(mail.session, None)
                case orders.Want(size=size, fresh=fresh):
                    if run:
                        run.want(size, fresh)
                case _ if run is None:
                    self._post(mail, orders.Failed(detail="the worker has no such session"))
                case _ if run.catching_up:
                    run.inbox.append(mail)
                case _:
                    with self._blaming(run):
                        self._answer(run, mail)

    def _open(self, mail: Mail[Order], opening: orders.Open) -> None:
        def post(report: Report, arrays: Arrays, order: int) -> None:
            self._line.post(Mail(report, mail.session, order, arrays))

        self._blame(opening.number)
        try:
            run = LiveRun(mail.session, opening, mail.arrays, self._device, post)
            run.open(mail.order)
            self._runs[mail.session] = run
        except Refused as refusal:
            self._refuse(mail, refusal)
        except Exception as error:  # the other sessions must go on
            log.exception("a session could not be opened")
            self._post(mail, orders.Failed(detail=_words(error)))
        finally:
            self._blame(0)

    def _answer(self, run: LiveRun, mail: Mail[Order]) -> None:
        try:
            run.obey(mail.content, mail.order, mail.arrays)
        except Refused as refusal:
            self._refuse(mail, refusal)
        except Exception as error:
            self._post(mail, orders.Failed(detail=_words(error)))
            raise

    def _refuse(self, mail: Mail[Order], refusal: Refused) -> None:
        faults = [FieldProblem.of(error) for error in refusal.errors]
        self._post(mail, orders.Failed(detail=str(refusal), faults=faults))

    def _post(self, mail: Mail[Order], answer: Report) -> None:
        self._line.post(Mail(answer, mail.session, mail.order))

    @contextmanager
    def _blaming(self, *runs: LiveRun) -> Iterator[None]:
        """Sessions that fail are paused; one that takes the process down can be told by `turn`. Of several at
        once nobody is named: an innocent one might be locked out."""
        self._blame(runs[0].number if len(runs) == 1 else 0)
        try:
            yield
        except Exception as error:
            log.exception("a session failed")
            for run in runs:
                run.halt(_words(error))
        finally:
            self._blame(0)

    def _blame(self, number: int) -> None:
        struct.pack_into("<Q", self._turn, 0, number)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def work(sock: socket.socket, turn: mmap.mmap, device: str) -> None:
    """The whole life of a worker."""
    torch.set_num_threads(1)
    fused.load_when_compiled()
    with suppress(EOFError):  # the server is gone, and so is the need for a worker
        chosen = _chosen(device)
        Worker(Line(sock), chosen, turn, together=chosen.startswith("cuda")).serve()


def _chosen(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
