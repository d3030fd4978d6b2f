"""One worker after another: when one dies, the next takes over its sessions and its requests."""

import asyncio
import itertools
import logging
import mmap
import os
import signal
import struct
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playground.engine.engine import SessionClient, Settle
from playground.engine.forkserver import Forkserver
from playground.errors import RequestFailed, ValidationFailed, WorkerLost
from playground.i18n import say
from playground.messages import worker as messages
from playground.messages.codec import Arrays, prefixed
from playground.messages.worker import (
    CURRENT_SESSION_BYTES,
    Envelope,
    Event,
    Request,
    TrainerStatus,
    read_event,
)

log = logging.getLogger("playground.engine")

START_SECONDS = 60.0
"""For the first worker of a forkserver, which has PyTorch to load."""
SILENCE_SECONDS = 30.0
"""A worker that leaves a request unanswered for longer is stuck."""
SUSPECT_TRIES, INNOCENT_TRIES = 2, 5
"""How many workers may die over a request before it is given up; two if its session was the busy one."""
STRIKES = 3
"""A session is closed when so many workers in a row die over it without it getting a step further."""
STRIKES_PER_MINUTE = 10


@dataclass
class Pending:
    """A request on its way, and who waits for the answer."""

    envelope: Envelope[Request]
    settle: Settle
    answer: asyncio.Future[Any]
    since: float = field(default_factory=time.monotonic)
    deaths: int = 0


@dataclass
class Record:
    """How often a worker has died over a session."""

    step: int = -1
    strikes: int = 0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=STRIKES_PER_MINUTE))

    def strike(self, step: int) -> bool:
        """Counts one more death, at this step; whether it is one too many."""
        self.strikes = 1 if step > self.step else self.strikes + 1
        self.step = step
        self.times.append(time.monotonic())
        too_often = len(self.times) == STRIKES_PER_MINUTE and self.times[-1] - self.times[0] < 60
        return self.strikes >= STRIKES or too_often


class WorkerProcess:
    """`clients` are the sessions that it trains."""

    def __init__(self, forkserver: Forkserver, device: str):
        self.clients: dict[str, SessionClient] = {}
        self.pid = 0
        self.device = ""
        """What it trains on, by its name."""
        self.trainer: TrainerStatus | None = None
        self.load: messages.Load | None = None
        """As last told; None if that does not hold any more."""
        self.on_load: Callable[[], None] = lambda: None
        self._forkserver = forkserver
        self._device = device
        self._writer: asyncio.StreamWriter | None = None
        self._pending: dict[int, Pending] = {}
        self._numbers = itertools.count(1)
        self._records: dict[str, Record] = {}
        self._current_session_file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)
        self._current_session_file.truncate(CURRENT_SESSION_BYTES)
        self._current_session = mmap.mmap(self._current_session_file.fileno(), CURRENT_SESSION_BYTES)

    @property
    def serving(self) -> bool:
        return self._writer is not None

    async def live(self) -> None:
        """Start a worker, read its events until it dies, and start the next one."""
        failures = 0
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                try:
                    reader = await self._start()
                except (OSError, EOFError, TimeoutError) as error:
                    failures += 1
                    log.error("the worker does not start: %r", error)
                    self._give_up()
                    await asyncio.sleep(min(5.0, 0.1 * 2**failures))
                    continue
                failures = 0
                self._resume()
                await self._read(reader)
                self._on_worker_exit()
        finally:
            watch.cancel()
            self._give_up()
            if self._writer:
                self._writer.close()
            self._current_session.close()
            self._current_session_file.close()

    async def _start(self) -> asyncio.StreamReader:
        struct.pack_into("<Q", self._current_session, 0, 0)
        sock = self._forkserver.fork(self._device, self._current_session_file.fileno())
        reader, writer = await asyncio.open_unix_connection(sock=sock)
        try:
            async with asyncio.timeout(START_SECONDS):
                hello = await _receive(reader)
        except BaseException:
            writer.close()
            raise
        assert isinstance(hello.content, messages.Ready)
        self.pid, self._writer = hello.content.pid, writer
        self.device = hello.content.kind
        log.info("worker %d trains on %s", self.pid, hello.content.device)
        self._note_trainer(hello.content.trainer)
        return reader

    def _note_trainer(self, status: TrainerStatus) -> None:
        self.trainer = status
        log.info("worker %d, %s trainer: %s", self.pid, status.trainer, status.detail)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                envelope = await _receive(reader)
                try:
                    self._dispatch(envelope)
                except Exception:  # one session's event must not silence the others
                    log.exception("an event could not be handled")

    def _dispatch(self, envelope: Envelope[Event]) -> None:
        if isinstance(envelope.content, messages.TrainerStatus):
            self._note_trainer(envelope.content)
            return
        if isinstance(envelope.content, messages.Load):
            self.load = envelope.content
            self.on_load()
            return
        if envelope.request == 0:
            if client := self.clients.get(envelope.session):
                client.on_event(envelope)
            return
        pending = self._pending.pop(envelope.request, None)
        if pending is None or pending.answer.done():
            return
        match envelope.content:
            case messages.Failed(detail=detail, errors=[]):
                pending.answer.set_exception(RequestFailed(detail))
            case messages.Failed(errors=errors):
                pending.answer.set_exception(ValidationFailed(*errors))
            case _:
                try:
                    pending.answer.set_result(pending.settle(envelope))
                except Exception as error:
                    pending.answer.set_exception(error)

    # --- Requests -----------------------------------------------------------------------------------------

    async def open(self, client: SessionClient, settle: Settle) -> Any:
        def settled(envelope: Envelope[Event]) -> Any:
            self.clients[client.id] = client
            return settle(envelope)

        request, arrays = client.opening()
        return await self.ask(client.id, request, settled, arrays)

    async def hand_over(self, client: SessionClient) -> None:
        """The session is nobody's then, and has its snapshot. Raises `RequestFailed` where it stays, and
        `WorkerLost` as `ask` does."""

        def settled(snapshot: Envelope[Event]) -> None:
            client.on_event(snapshot)
            self.clients.pop(client.id, None)
            self._records.pop(client.id, None)

        await self.ask(client.id, messages.HandOver(), settled, {})

    async def ask(self, session: str, request: Request, settle: Settle, arrays: Arrays) -> Any:
        return await self._ask(session, request, settle, arrays)

    def _ask(self, session: str, request: Request, settle: Settle, arrays: Arrays) -> asyncio.Future[Any]:
        number = next(self._numbers)
        pending = Pending(
            Envelope(request, session, number, arrays), settle, asyncio.get_running_loop().create_future()
        )
        self._pending[number] = pending
        pending.answer.add_done_callback(lambda _: self._pending.pop(number, None))  # it may be cancelled
        self.send(pending.envelope)
        return pending.answer

    def send(self, envelope: Envelope[Request]) -> None:
        """Lost if the worker has just died; what is pending is sent again to the next."""
        if self._writer and not self._writer.is_closing():
            self._writer.write(prefixed(envelope.encode()))

    def close(self, session: str) -> None:
        self.clients.pop(session, None)
        self._records.pop(session, None)
        for number, pending in list(self._pending.items()):
            if pending.envelope.session == session:
                self._fail(number, WorkerLost(say("lost.closed")))
        self.send(Envelope(messages.Close(), session))

    # --- After a death ------------------------------------------------------------------------------------

    def _on_worker_exit(self) -> None:
        """What the death means for sessions and requests; none of them has been told yet."""
        log.warning("worker %d died", self.pid)
        if self._writer:
            self._writer.close()
        self._writer = self.load = None
        suspect = self._suspect()
        for number, pending in list(self._pending.items()):
            pending.deaths += 1
            guilty = suspect is not None and pending.envelope.session == suspect.id
            if pending.deaths >= (SUSPECT_TRIES if guilty else INNOCENT_TRIES):
                self._fail(number, WorkerLost(say("lost.tried")))
        if suspect and self._records.setdefault(suspect.id, Record()).strike(suspect.step):
            self.close(suspect.id)
            suspect.end(say("ending.kills_workers"))
        for client in list(self.clients.values()):
            client.on_worker_lost()

    def _suspect(self) -> SessionClient | None:
        """The session that the worker was busy with when it died."""
        (number,) = struct.unpack_from("<Q", self._current_session, 0)
        return next((client for client in self.clients.values() if client.number == number), None)

    def _resume(self) -> None:
        """Hands the sessions to a new worker, then the requests that the old one left behind."""
        left = list(self._pending.values())
        for client in list(self.clients.values()):
            request, arrays = client.opening()
            answer = self._ask(client.id, request, lambda _: None, arrays)
            answer.add_done_callback(lambda answer, client=client: self._reopened(client, answer))
        for pending in left:
            pending.since = time.monotonic()
            self.send(pending.envelope)

    def _reopened(self, client: SessionClient, answer: asyncio.Future[Any]) -> None:
        if answer.cancelled() or isinstance(answer.exception(), WorkerLost):
            return
        if error := answer.exception():
            self.close(client.id)
            client.end(say("ending.not_restored", error=str(error)))
        else:
            client.on_reopened()

    def _give_up(self) -> None:
        for number in list(self._pending):
            self._fail(number, WorkerLost(say("lost.no_worker")))

    def _fail(self, number: int, error: Exception) -> None:
        pending = self._pending.pop(number)
        if not pending.answer.done():
            pending.answer.set_exception(error)

    async def _watch(self) -> None:
        """Kills a worker that is stuck; what follows is the same as after any other death."""
        while True:
            await asyncio.sleep(SILENCE_SECONDS / 10)
            if self.serving and any(time.monotonic() - since > SILENCE_SECONDS for since in self._silent()):
                log.error("worker %d does not answer", self.pid)
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)

    def _silent(self) -> Iterator[float]:
        """Since when requests wait that are answered at once; training takes its time."""
        return (a.since for a in self._pending.values() if not isinstance(a.envelope.content, messages.Step))


async def _receive(reader: asyncio.StreamReader) -> Envelope[Event]:
    (length,) = struct.unpack("<I", await reader.readexactly(4))
    return read_event(await reader.readexactly(length))
