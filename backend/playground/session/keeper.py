"""Keeps the sessions of a server in its database, so that they outlive it."""

import asyncio
import logging
from collections.abc import Sequence

from playground.messages.events import Notice, NoticeCode
from playground.session.record import Record
from playground.session.session import Session
from playground.storage import sessions, uploads
from playground.storage.errors import StorageFailed
from playground.storage.sessions import Stored
from playground.storage.store import Store

log = logging.getLogger("playground.keeper")

EVERY_SECONDS = 2.0
TOGETHER = 32
"""Sessions that are written in one transaction; answers to commands wait for it."""


class Keeper:
    """What a command did is written before it is answered; weights and curves follow every few seconds.

    Where the database takes nothing, everything goes on. Whoever watches is told, and it is tried again.
    """

    def __init__(self, store: Store):
        self._store = store
        self._records: dict[str, Record] = {}
        self._gone: set[str] = set()
        """Sessions that have ended and are still in the database."""
        self._told = False
        """Whether the viewers know that nothing is written."""

    async def read(self) -> list[Stored]:
        """The sessions that were here before the server started, the oldest first. Raises `StorageFailed`."""
        await self._store.do(uploads.forget_unused)
        names = await self._store.do(sessions.names)
        found = [await self._store.do(sessions.read, name) for name in names]
        return [stored for stored in found if stored]

    async def keep(self, session: Session, stored: Stored | None = None) -> None:
        """From now on, and as it is by now at once; `stored` is what the database has of it."""
        self._gone.discard(session.id)
        self._records[session.id] = Record(session, stored)
        session.answers.keep = lambda: self._keep_what_was_done(session)
        if stored is None:
            await self._write(self._members(session), files=False)

    def forget(self, session: Session) -> None:
        """It has ended."""
        if self._records.pop(session.id, None):
            self._gone.add(session.id)

    def remove(self, name: str) -> None:
        """A session that is only in the database."""
        self._gone.add(name)

    async def run(self) -> None:
        """For as long as the server runs."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.write_all()
            except Exception:  # the next round may do better
                log.exception("sessions could not be written")

    async def write_all(self) -> None:
        """Everything that is not written yet; after a failure, no more is tried."""
        await self.remove_those_gone()
        records = list(self._records.values())
        for start in range(0, len(records), TOGETHER):
            await self._write(records[start : start + TOGETHER], files=True)
            if self._store.failing:
                break
        self._tell()

    async def close(self) -> None:
        """Writes everything for the last time."""
        await self.write_all()
        self._records.clear()

    async def _keep_what_was_done(self, session: Session) -> None:
        """By a command, which sessions in lock-step share."""
        if self._store.failing:  # it is tried again soon, and whoever waits for an answer need not
            return
        await self._write(self._members(session), files=False)
        self._tell()

    def _members(self, session: Session) -> list[Record]:
        """Its own, and those that it goes in lock-step with."""
        known = (self._records.get(member.id) for member in session.lockstep.members)
        return [record for record in known if record]

    async def _write(self, records: Sequence[Record], files: bool) -> None:
        changes = [changes for record in records if (changes := record.changes(files))]
        if not changes:
            return
        try:
            await self._store.do(sessions.write, changes)
        except StorageFailed:
            for record in records:
                record.failed()
        except Exception:  # one that cannot be written must not keep the others from it
            for record in records:
                record.failed()
            if len(records) == 1:
                log.exception("session %s cannot be written", changes[0].id)
            else:
                for record in records:
                    await self._write([record], files)

    async def remove_those_gone(self) -> None:
        """From the database; after a failure it is tried again."""
        gone = list(self._gone)
        if not gone:
            return
        try:
            await self._store.do(sessions.remove, gone)
        except StorageFailed:
            return
        self._gone.difference_update(gone)

    def _tell(self) -> None:
        """Viewers of every session, when the database begins to fail, and when it works again."""
        reason = self._store.failing
        if bool(reason) == self._told:
            return
        self._told = bool(reason)
        notice = (
            Notice.of(NoticeCode.NOT_SAVED, reason=reason) if reason else Notice.of(NoticeCode.SAVED_AGAIN)
        )
        for record in self._records.values():
            record.session.viewers.tell(notice)
