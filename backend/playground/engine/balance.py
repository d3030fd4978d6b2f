"""Which sessions move to another worker, and how: without losing a step."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from playground.engine.engine import SessionClient
from playground.engine.worker_process import WorkerProcess
from playground.errors import RequestFailed, ValidationFailed, WorkerLost
from playground.i18n import say

log = logging.getLogger("playground.engine")

FULL, ROOM = 0.9, 0.75
"""Share of its time that a worker is busy: from where on others may relieve it, and up to where one may."""
AT_ONCE = 32
REST = 2.0
"""Seconds after which what workers tell of themselves is about the time after a move."""


class Balance:
    """`assignments` are the workers by session; `alone` says whether no other must be beside it."""

    def __init__(
        self,
        workers: Sequence[WorkerProcess],
        assignments: dict[str, WorkerProcess],
        alone: Callable[[str], bool],
    ):
        self._workers = workers
        self._assignments = assignments
        self._alone = alone
        self._moving: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        for worker in workers:
            worker.on_load = self._look

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def settled(self, session: str) -> None:
        """Once it does not move any more."""
        while moving := self._moving.get(session):
            await moving.wait()

    def _look(self) -> None:
        """A worker has told how busy it is."""
        if len(self._workers) < 2 or (self._task and not self._task.done()):
            return
        busy = {worker: worker.load.busy for worker in self._workers if worker.load and worker.serving}
        if len(busy) < len(self._workers):
            return
        full, free = max(busy, key=busy.__getitem__), min(busy, key=busy.__getitem__)
        if busy[full] < FULL or busy[free] > ROOM:
            return
        if chosen := self._chosen(full, (busy[full] - busy[free]) / 2):
            self._task = asyncio.create_task(self._relieve(full, free, chosen))

    def _chosen(self, full: WorkerProcess, share: float) -> list[str]:
        """Sessions that take this share of its time together, at most; so the other does not become full."""
        assert full.load
        chosen: list[str] = []
        for session, own in sorted(full.load.sessions.items(), key=lambda of: -of[1]):
            if own <= share and len(chosen) < AT_ONCE and session in full.clients and self._alone(session):
                chosen.append(session)
                share -= own
        return chosen

    async def _relieve(self, full: WorkerProcess, free: WorkerProcess, sessions: Sequence[str]) -> None:
        for session in sessions:
            await self.move(session, free)
        log.info("%d sessions moved from worker %d to %d", len(sessions), full.pid, free.pid)
        await asyncio.sleep(REST)
        full.load = free.load = None

    async def move(self, session: str, to: WorkerProcess) -> bool:
        """Whether it did: it stays where somebody waits for it. What is asked of it meanwhile waits."""
        worker = self._assignments.get(session)
        client = worker and worker.clients.get(session)
        if worker is None or client is None or worker is to:
            return False
        self._moving[session] = asyncio.Event()
        try:
            await worker.hand_over(client)
            for there in (to, worker):
                if session not in self._assignments:  # it was closed
                    return False
                self._assignments[session] = there
                if await self._opened(client, there):
                    return there is to
            if self._assignments.pop(session, None):
                client.end(say("ending.not_restored", error=say("lost.no_worker").text))
        except (RequestFailed, WorkerLost):  # it stays, or was closed
            pass
        finally:
            self._moving.pop(session).set()
        return False

    async def _opened(self, client: SessionClient, worker: WorkerProcess) -> bool:
        try:
            await worker.open(client, lambda _: None)
        except (RequestFailed, ValidationFailed, WorkerLost) as error:
            if client.id in self._assignments:
                log.error("session %s does not move: %s", client.id, error)
            return False
        if client.id in self._assignments:
            client.on_reopened()
        return True
