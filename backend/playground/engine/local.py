"""Workers as processes of this machine."""

import asyncio
from typing import Any

from playground.engine.balance import Balance
from playground.engine.engine import SessionClient, Settle
from playground.engine.forkserver import Forkserver
from playground.engine.worker_process import WorkerProcess
from playground.errors import WorkerLost
from playground.i18n import say
from playground.messages.codec import Arrays
from playground.messages.worker import Envelope, Request, TrainerStatus
from playground.run.run_file import MadeOn


class LocalEngine:
    """Workers as processes of this machine; a session goes to the one with the fewest, or
    beside another. From one that is full they move to one that has room."""

    def __init__(self, workers: int = 1, device: str = "auto"):
        forkserver = Forkserver()
        self._forkserver = forkserver
        self._workers = [WorkerProcess(forkserver, device) for _ in range(workers)]
        self._assignments: dict[str, WorkerProcess] = {}
        self._families: dict[str, str] = {}
        """Of each session that was opened beside another, and of that one: a name that they share."""
        self._balance = Balance(self._workers, self._assignments, self._alone)
        self._lives: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        return all(worker.serving for worker in self._workers)

    @property
    def trainer(self) -> TrainerStatus:
        statuses = [worker.trainer for worker in self._workers if worker.trainer]
        return next(
            (status for status in statuses if status.trainer in ("compiling", "reference")), statuses[0]
        )

    @property
    def made_on(self) -> MadeOn:
        return MadeOn(device=self._workers[0].device, trainer=self.trainer.trainer)

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    async def start(self) -> None:
        self._lives = [asyncio.create_task(worker.live()) for worker in self._workers]

    async def stop(self) -> None:
        await self._balance.stop()
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        self._forkserver.close()

    async def open(self, client: SessionClient, settle: Settle, beside: str | None = None) -> Any:
        if beside:
            await self._balance.settled(beside)
            self._families[client.id] = self._families.setdefault(beside, beside)
        fewest = min(self._workers, key=lambda worker: len(worker.clients))
        worker = self._assignments.get(beside or "", fewest)
        self._assignments[client.id] = worker
        try:
            return await worker.open(client, settle)
        except BaseException:
            self.close(client.id)
            raise

    async def ask(self, session: str, request: Request, settle: Settle, arrays: Arrays | None = None) -> Any:
        await self._balance.settled(session)
        worker = self._assignments.get(session)
        if worker is None:
            raise WorkerLost(say("lost.closed"))
        return await worker.ask(session, request, settle, arrays or {})

    def tell(self, session: str, request: Request) -> None:
        if worker := self._assignments.get(session):
            worker.send(Envelope(request, session))

    def _alone(self, session: str) -> bool:
        family = self._families.get(session)
        return family is None or list(self._families.values()).count(family) == 1

    def close(self, session: str) -> None:
        self._families.pop(session, None)
        if worker := self._assignments.pop(session, None):
            worker.close(session)
