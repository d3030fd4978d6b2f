"""The sessions of a server: found by their ids, dropped when nobody cares."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from time import monotonic, time
from typing import Any

from playground import limits
from playground.engine.engine import Engine
from playground.errors import Problem, WorkerLost
from playground.i18n import Text, say
from playground.messages.events import NoticeCode
from playground.run.run import TimelineEntry
from playground.session.branch import Branch
from playground.session.keeper import Keeper
from playground.session.lockstep import named, regroup
from playground.session.past import Past
from playground.session.resumed import Resumed
from playground.session.returned import Returned
from playground.session.session import Phase, Session
from playground.session.uploads import Uploads
from playground.settings import Settings
from playground.storage.sessions import Stored
from playground.storage.store import Store

log = logging.getLogger("playground.registry")

RETRY_AFTER = "60"
OPENING_TRIES, OPENING_REST = 5, 1.0
"""How often a session that was here before is offered to workers, and the seconds between."""
LAST_WRITING_SECONDS = 3.0
"""What writing may take when the server stops."""


class Registry:
    def __init__(self, engine: Engine, settings: Settings, store: Store):
        self.uploads = Uploads()
        self._keeper = Keeper(store)
        self._returning: asyncio.Task[None] | None = None
        self._stopping = False
        self._engine = engine
        self._settings = settings
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    async def create(
        self,
        raw: dict[str, Any],
        recorded: Sequence[TimelineEntry] = (),
        step: int = 0,
        key: str | None = None,
    ) -> Session:
        """A new session, paused at this step. Raises `ValidationFailed`, or `Problem` where there is no room,
        or where there is a session of this key."""
        self._make_room()
        return await self._open(Session(self._engine, self.uploads, raw, recorded, step, key))

    async def branch(self, original: Session, moment: Past, passing: bool, together: bool) -> Session:
        """A session that goes on from a moment of this one: paused, only to look at it while it is `passing`,
        or in lock-step with it. Raises as `create` does."""
        self._make_room()
        if together:
            original.lockstep.check_room()
            await named(original)
        branch = Branch(self._engine, self.uploads, original, moment, passing)
        if together:
            branch.go_with(original)
        await self._open(branch)
        if together:
            branch.lockstep.tell()
        return branch

    async def resume(self, past: Past) -> Session:
        """A session that goes on from a moment of a run that was kept: paused. Raises as `create` does."""
        self._make_room()
        return await self._open(Resumed(self._engine, self.uploads, past))

    def _refuse_if_stopping(self) -> None:
        """What is looked for is there again after the next start."""
        if self._stopping:
            text = say("notice.shutdown", reason=say("ending.stopping"))
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": "1"})

    def _make_room(self) -> None:
        self._refuse_if_stopping()
        self._forget_the_ended()
        if len(self._sessions) >= self._settings.max_sessions:
            text = say("problem.too_many_sessions", limit=self._settings.max_sessions)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": RETRY_AFTER})

    async def _open(self, session: Session) -> Session:
        if session.id in self._sessions:
            raise Problem(HTTPStatus.CONFLICT, say("problem.session_exists"))
        self._sessions[session.id] = session
        try:
            await session.open()
        except BaseException:
            self._sessions.pop(session.id, None)
            session.lockstep.forget(session)
            raise
        await self._keeper.keep(session)
        return session

    def get(self, session_id: str) -> Session:
        """Raises `Problem` 404, and 503 for a session that will be there in a moment."""
        self._refuse_if_stopping()
        session = self._sessions.get(session_id)
        if session and session.phase is Phase.OPENING:
            text = say("problem.session_opening")
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": "1"})
        if session is None or session.phase is not Phase.LIVE:
            raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_session"))
        session.used = monotonic()
        return session

    def drop(self, session: Session, reason: Text, code: NoticeCode = NoticeCode.SESSION_ENDED) -> None:
        """Ends it; whoever waits for a command of it gets an answer."""
        session.end(reason, code)
        self._engine.close(session.id)
        self._sessions.pop(session.id, None)
        if code is not NoticeCode.SHUTDOWN:
            self._keeper.forget(session)

    async def delete(self, session: Session) -> None:
        """Ends it for good: no server brings it back."""
        self.drop(session, say("ending.deleted"))
        await self._keeper.remove_those_gone()

    async def bring_back(self) -> None:
        """The sessions that were here before the server started: they are found at once, and there for others
        as soon as a worker has them. Raises `StorageFailed`."""
        returned: list[tuple[Session, Stored]] = []
        for stored in await self._keeper.read():
            try:
                returned.append((Returned(self._engine, self.uploads, stored), stored))
            except Exception as error:  # of another version of the playground, which may come back
                log.error("session %s cannot be brought back: %s", stored.row.id, error)
                if time() - stored.row.saved > self._settings.session_idle_seconds:
                    self._keeper.remove(stored.row.id)
        regroup(session for session, _ in returned)
        self._sessions |= {session.id: session for session, _ in returned}
        self._returning = asyncio.create_task(self._open_again(returned))

    async def _open_again(self, returned: Sequence[tuple[Session, Stored]]) -> None:
        """One after the other: over one that kills workers, the others must not be given up."""
        eldest: dict[str, str] = {}
        for session, stored in returned:
            session.beside = eldest.setdefault(session.family, session.id)
            try:
                await self._opened(session)
            except Exception as error:
                log.error("session %s does not come back: %s", session.id, error)
                session.end(say("ending.not_restored", error=str(error)))
                self._sessions.pop(session.id, None)
            else:
                await self._keeper.keep(session, stored)

    async def _opened(self, session: Session) -> None:
        for _ in range(OPENING_TRIES - 1):
            try:
                return await session.open()
            except WorkerLost as error:
                log.warning("session %s is not open yet: %s", session.id, error)
                await asyncio.sleep(OPENING_REST)
        return await session.open()

    async def keep(self) -> None:
        """Writes the sessions down, for as long as the server runs."""
        await self._keeper.run()

    async def shut_down(self) -> None:
        """Writes everything down, and tells everybody who watches or waits that the server stops."""
        self._stopping = True
        if self._returning:
            self._returning.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._keeper.close(), LAST_WRITING_SECONDS)
        for session in list(self._sessions.values()):
            self.drop(session, say("ending.stopping"), NoticeCode.SHUTDOWN)

    async def sweep(self) -> None:
        """Drops sessions that nobody watches or calls, for as long as the server runs."""
        idle = self._settings.session_idle_seconds
        while True:
            await asyncio.sleep(min(60.0, idle / 4))
            self._forget_the_ended()
            for session in list(self._sessions.values()):
                most = min(idle, limits.PASSING_SECONDS) if session.passing else idle
                if not _in_use(session) and monotonic() - session.used > most:
                    log.info("session %s is dropped: idle", session.id)
                    self.drop(session, say("ending.idle"))

    def _forget_the_ended(self) -> None:
        for session in [s for s in self._sessions.values() if s.phase is Phase.ENDED]:
            del self._sessions[session.id]
            self._keeper.forget(session)


def _in_use(session: Session) -> bool:
    """Whether somebody watches it, or waits for a command."""
    return len(session.viewers) > 0 or session.answers.waiting > 0
