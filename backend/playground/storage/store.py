"""The database of a server: one thread that reads and writes it, so that nobody else waits for a disk."""

import asyncio
import errno
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from playground.i18n import Text, say
from playground.storage.database import WRITTEN, Database, database_of
from playground.storage.errors import StorageFailed, StorageRefused
from playground.storage.migration import migrate

log = logging.getLogger("playground.storage")

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]
"""What is done in one transaction, as the functions in `sessions`, `runs`, `sweeps` and `uploads`."""


class Store:
    """`database` is the path of an SQLite file, or the URL of SQLAlchemy for another database.

    One at a time has it: a second server is refused. Whatever `do` was asked for is done in that order.
    """

    def __init__(self, database: str):
        self.failing: Text | None = None
        """Why the last try was in vain, until something can be written again."""
        self._database: Database = database_of(database)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        self._connection: Connection | None = None
        self._opening = threading.Lock()
        self._open = False

    def open(self) -> None:
        """Takes the database for itself, and brings it to the newest schema. Raises `StorageRefused`.

        Once it is open, this does nothing."""
        with self._opening:
            if not self._open:
                self._thread.submit(self._connect).result()
                self._open = True

    def close(self) -> None:
        """After what has been asked for."""
        with self._opening:
            if self._open:
                self._thread.submit(self._disconnect).result()
                self._open = False

    async def do(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The work in one transaction, in its turn; it is done even if nobody waits for it any longer.

        Raises what the work raises, and `StorageFailed`; then nothing of it was written.
        """
        call = partial(self._run, lambda connection: work(connection, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def do_now(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, for who may wait for it."""
        return self._thread.submit(self._run, lambda connection: work(connection, *args, **kwargs)).result()

    # --- In its thread ------------------------------------------------------------------------------------

    def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            connection = self._connection or self._connect()
            connection.info.pop(WRITTEN, None)
            with connection.begin():
                done = work(connection)
        except IntegrityError:
            raise
        except (DBAPIError, OSError, StorageRefused) as error:
            reason = reason_of(error)
            if self.failing != reason:
                log.error("the database does not take what it should: %s", error)
            self.failing = reason
            if not isinstance(error, DBAPIError) or error.connection_invalidated:
                self._disconnect()
            raise StorageFailed(reason) from error
        if self.failing and WRITTEN in connection.info:  # what can be read may yet not be written
            log.info("the database works again")
            self.failing = None
        return done

    def _connect(self) -> Connection:
        """Raises `StorageRefused`."""
        try:
            self._connection = connection = self._database.connect()
            with connection.begin():
                migrate(connection)
            self._database.prepare(connection)
        except StorageRefused:
            self._disconnect()
            raise
        except (DBAPIError, OSError) as error:
            self._disconnect()
            reason = say("storage.unusable", database=self._database.name, reason=reason_of(error))
            raise StorageRefused(reason) from error
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
        self._database.release()


def reason_of(error: DBAPIError | OSError | StorageRefused) -> Text:
    """Why the database cannot be read or written."""
    if isinstance(error, StorageRefused):
        return error.reason
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    name = getattr(cause, "sqlstate", None)
    number = getattr(cause, "errno", None)
    if code == sqlite3.SQLITE_FULL or name == "53100" or number == errno.ENOSPC:
        return say("storage.full")
    if code == sqlite3.SQLITE_NOTADB:
        return say("storage.no_database")
    if code == sqlite3.SQLITE_READONLY or number in (errno.EACCES, errno.EROFS, errno.EPERM):
        return say("storage.read_only")
    return say("storage.other", error=str(cause))
