"""Where sessions are trained: what the web process needs of that, and workers of this machine that do it."""

import asyncio
import itertools
import logging
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from playground.messages import worker as orders
from playground.run.config import Refused
from playground.worker.forkserver import DEVICE_BYTES
from playground.messages.worker import Mail, Order, Report, read_report
from playground.messages.protocol import Arrays, prefixed
from playground.worker.loop import TURN_BYTES

log = logging.getLogger("playground.engine")

Settle = Callable[[Mail[Report]], Any]
"""What to do with an answer, at the very moment at which it comes, in order with the other reports."""

START_SECONDS = 60.0
"""For the first worker of a nursery, which has PyTorch to load."""
SILENCE_SECONDS = 30.0
"""A worker that leaves an order unanswered for longer is stuck."""
SUSPECT_TRIES, INNOCENT_TRIES = 2, 5
"""How many workers may die over an order before it is given up; two if its session was the busy one."""
STRIKES = 3
"""A session is closed when so many workers in a row die over it without it getting a step further."""
STRIKES_PER_MINUTE = 10


class WorkerLost(Exception):
    """The order was not carried out: the worker died over it, or cannot be started."""


class OrderFailed(Exception):
    """The worker failed in a way that nobody foresaw; it goes on."""


class Tenant(Protocol):
    """A session, as an engine sees it."""

    id: str
    number: int
    """A number that no other session ever has; not 0."""
    step: int

    def opening(self) -> tuple[orders.Open, Arrays]:
        """All that a worker needs to take the session in, or to go on where the last one died."""
        ...

    def take(self, report: Mail[Report]) -> None:
        """A report that is not an answer."""
        ...

    def orphaned(self) -> None:
        """Its worker has died; the next one will take it in."""
        ...

    def moved(self) -> None:
        """Another worker has taken it in."""
        ...

    def end(self, reason: str) -> None:
        """It cannot go on."""
        ...


class Engine(Protocol):
    """Trains sessions somewhere, and keeps them alive."""

    @property
    def ready(self) -> bool: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def open(self, tenant: Tenant, settle: Settle) -> Any:
        """Raises `Refused`, `OrderFailed`, `WorkerLost`, as `ask` does."""
        ...

    async def ask(self, session: str, order: Order, settle: Settle, arrays: Arrays | None = None) -> Any:
        """What `settle` makes of the answer. What a dying worker leaves undone is given to the next."""
        ...

    def tell(self, session: str, order: Order) -> None:
        """An order without an answer; it may get lost with a worker."""
        ...

    def close(self, session: str) -> None: ...


class LocalEngine:
    """Workers as processes of this machine; a session goes to the one with the fewest."""

    def __init__(self, workers: int = 1, device: str = "auto"):
        nursery = Nursery()
        self._nursery = nursery
        self._workers = [WorkerProcess(nursery, device) for _ in range(workers)]
        self._homes: dict[str, WorkerProcess] = {}
        self._lives: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        return all(worker.serving for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    async def start(self) -> None:
        self._lives = [asyncio.create_task(worker.live()) for worker in self._workers]

    async def stop(self) -> None:
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        self._nursery.close()

    async def open(self, tenant: Tenant, settle: Settle) -> Any:
        home = min(self._workers, key=lambda worker: len(worker.tenants))
        self._homes[tenant.id] = home
        try:
            return await home.open(tenant, settle)
        except BaseException:
            self.close(tenant.id)
            raise

    async def ask(self, session: str, order: Order, settle: Settle, arrays: Arrays | None = None) -> Any:
        home = self._homes.get(session)
        if home is None:
            raise WorkerLost("the session is closed")
        return await home.ask(session, order, settle, arrays or {})

    def tell(self, session: str, order: Order) -> None:
        if home := self._homes.get(session):
            home.send(Mail(order, session))

    def close(self, session: str) -> None:
        if home := self._homes.pop(session, None):
            home.close(session)


class Nursery:
    """The process that forks workers (`backend.nursery`); started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self, device: str, turn: int) -> socket.socket:
        """A new worker's socket. Raises OSError."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with theirs:
            message = device.encode().ljust(DEVICE_BYTES)
            socket.send_fds(self._control, [message], [theirs.fileno(), turn])
        return ours

    def _start(self) -> None:
        self.close()
        self._control, theirs = socket.socketpair()
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            command = [sys.executable, "-m", "playground.worker.forkserver"]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), env={**os.environ, **one_thread})

    def close(self) -> None:
        if self._control:
            self._control.close()
        if self._process:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            self._process.kill()
            self._process.wait()


@dataclass
class Asked:
    """An order on its way, and who waits for the answer."""

    mail: Mail[Order]
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
    """One worker after another: when one dies, the next takes over its sessions and its orders."""

    def __init__(self, nursery: Nursery, device: str):
        self.tenants: dict[str, Tenant] = {}
        self.pid = 0
        self._nursery = nursery
        self._device = device
        self._writer: asyncio.StreamWriter | None = None
        self._asked: dict[int, Asked] = {}
        self._numbers = itertools.count(1)
        self._records: dict[str, Record] = {}
        self._turn_file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)
        self._turn_file.truncate(TURN_BYTES)
        self._turn = mmap.mmap(self._turn_file.fileno(), TURN_BYTES)

    @property
    def serving(self) -> bool:
        return self._writer is not None

    async def live(self) -> None:
        """Start a worker, read its reports until it dies, and start the next one."""
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
                self._bury()
        finally:
            watch.cancel()
            self._give_up()
            if self._writer:
                self._writer.close()
            self._turn.close()
            self._turn_file.close()

    async def _start(self) -> asyncio.StreamReader:
        struct.pack_into("<Q", self._turn, 0, 0)
        sock = self._nursery.fork(self._device, self._turn_file.fileno())
        reader, writer = await asyncio.open_unix_connection(sock=sock)
        try:
            async with asyncio.timeout(START_SECONDS):
                hello = await _receive(reader)
        except BaseException:
            writer.close()
            raise
        assert isinstance(hello.content, orders.Ready)
        self.pid, self._writer = hello.content.pid, writer
        log.info("worker %d trains on %s", self.pid, hello.content.device)
        return reader

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(EOFError, ConnectionError):
            while True:
                mail = await _receive(reader)
                try:
                    self._dispatch(mail)
                except Exception:  # one session's report must not silence the others
                    log.exception("a report could not be taken")

    def _dispatch(self, mail: Mail[Report]) -> None:
        if mail.order == 0:
            if tenant := self.tenants.get(mail.session):
                tenant.take(mail)
            return
        asked = self._asked.pop(mail.order, None)
        if asked is None or asked.answer.done():
            return
        match mail.content:
            case orders.Failed(detail=detail, faults=[]):
                asked.answer.set_exception(OrderFailed(detail))
            case orders.Failed(faults=faults):
                asked.answer.set_exception(Refused(*(fault.error() for fault in faults)))
            case _:
                try:
                    asked.answer.set_result(asked.settle(mail))
                except Exception as error:
                    asked.answer.set_exception(error)

    # --- Orders -------------------------------------------------------------------------------------------

    async def open(self, tenant: Tenant, settle: Settle) -> Any:
        def settled(mail: Mail[Report]) -> Any:
            self.tenants[tenant.id] = tenant
            return settle(mail)

        order, arrays = tenant.opening()
        return await self.ask(tenant.id, order, settled, arrays)

    async def ask(self, session: str, order: Order, settle: Settle, arrays: Arrays) -> Any:
        return await self._ask(session, order, settle, arrays)

    def _ask(self, session: str, order: Order, settle: Settle, arrays: Arrays) -> asyncio.Future[Any]:
        number = next(self._numbers)
        asked = Asked(
            Mail(order, session, number, arrays), settle, asyncio.get_running_loop().create_future()
        )
        self._asked[number] = asked
        asked.answer.add_done_callback(lambda _: self._asked.pop(number, None))  # it may be cancelled
        self.send(asked.mail)
        return asked.answer

    def send(self, mail: Mail[Order]) -> None:
        """Lost if the worker has just died; what was asked is sent again to the next."""
        if self._writer and not self._writer.is_closing():
            self._writer.write(prefixed(mail.encode()))

    def close(self, session: str) -> None:
        self.tenants.pop(session, None)
        self._records.pop(session, None)
        for number, asked in list(self._asked.items()):
            if asked.mail.session == session:
                self._fail(number, WorkerLost("the session was closed"))
        self.send(Mail(orders.Close(), session))

    # --- After a death ------------------------------------------------------------------------------------

    def _bury(self) -> None:
        """What the death means for sessions and orders; none of them has been told yet."""
        log.warning("worker %d died", self.pid)
        if self._writer:
            self._writer.close()
        self._writer = None
        suspect = self._suspect()
        for number, asked in list(self._asked.items()):
            asked.deaths += 1
            guilty = suspect is not None and asked.mail.session == suspect.id
            if asked.deaths >= (SUSPECT_TRIES if guilty else INNOCENT_TRIES):
                self._fail(number, WorkerLost("the worker stopped each time that it tried this"))
        if suspect and self._records.setdefault(suspect.id, Record()).strike(suspect.step):
            self.close(suspect.id)
            suspect.end("training it stopped the worker again and again")
        for tenant in list(self.tenants.values()):
            tenant.orphaned()

    def _suspect(self) -> Tenant | None:
        """The session that the worker was busy with when it died."""
        (number,) = struct.unpack_from("<Q", self._turn, 0)
        return next((tenant for tenant in self.tenants.values() if tenant.number == number), None)

    def _resume(self) -> None:
        """Hands the sessions to a new worker, then the orders that the old one left behind."""
        left = list(self._asked.values())
        for tenant in list(self.tenants.values()):
            order, arrays = tenant.opening()
            answer = self._ask(tenant.id, order, lambda _: None, arrays)
            answer.add_done_callback(lambda answer, tenant=tenant: self._reopened(tenant, answer))
        for asked in left:
            asked.since = time.monotonic()
            self.send(asked.mail)

    def _reopened(self, tenant: Tenant, answer: asyncio.Future[Any]) -> None:
        if answer.cancelled() or isinstance(answer.exception(), WorkerLost):
            return
        if error := answer.exception():
            self.close(tenant.id)
            tenant.end(f"it could not be restored: {error}")
        else:
            tenant.moved()

    def _give_up(self) -> None:
        for number in list(self._asked):
            self._fail(number, WorkerLost("there is no worker"))

    def _fail(self, number: int, error: Exception) -> None:
        asked = self._asked.pop(number)
        if not asked.answer.done():
            asked.answer.set_exception(error)

    async def _watch(self) -> None:
        """Kills a worker that is stuck; what follows is the same as after any other death."""
        while True:
            await asyncio.sleep(SILENCE_SECONDS / 10)
            if self.serving and any(time.monotonic() - since > SILENCE_SECONDS for since in self._silent()):
                log.error("worker %d does not answer", self.pid)
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)

    def _silent(self) -> Iterator[float]:
        """Since when orders wait that are answered at once; training that was asked for takes its time."""
        return (a.since for a in self._asked.values() if not isinstance(a.mail.content, orders.Advance))


async def _receive(reader: asyncio.StreamReader) -> Mail[Report]:
    (length,) = struct.unpack("<I", await reader.readexactly(4))
    return read_report(await reader.readexactly(length))
