"""The sessions of a server: found by their ids, dropped when nobody cares."""

import asyncio
import logging
from collections.abc import Sequence
from http import HTTPStatus
from time import monotonic
from typing import Any

from playground import limits
from playground.engine.engine import Engine
from playground.errors import Problem
from playground.i18n import Text, say
from playground.messages.events import NoticeCode
from playground.run.run import TimelineEntry
from playground.session.branch import Branch
from playground.session.lockstep import named
from playground.session.past import Past
from playground.session.session import Phase, Session
from playground.session.uploads import Uploads
from playground.settings import Settings

log = logging.getLogger("playground.registry")

RETRY_AFTER = "60"


class Registry:
    def __init__(self, engine: Engine, settings: Settings):
        self.uploads = Uploads()
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

    def _make_room(self) -> None:
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
        return session

    def get(self, session_id: str) -> Session:
        """Raises `Problem` 404."""
        session = self._sessions.get(session_id)
        if session is None or session.phase is not Phase.LIVE:
            raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_session"))
        session.used = monotonic()
        return session

    def drop(self, session: Session, reason: Text, code: NoticeCode = NoticeCode.SESSION_ENDED) -> None:
        """Ends it; whoever waits for a command of it gets an answer."""
        session.end(reason, code)
        self._engine.close(session.id)
        self._sessions.pop(session.id, None)

    def shut_down(self) -> None:
        """Tells everybody who watches or waits that the server stops."""
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


def _in_use(session: Session) -> bool:
    """Whether somebody watches it, or waits for a command."""
    return len(session.viewers) > 0 or session.answers.waiting > 0
