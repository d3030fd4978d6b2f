"""How an SQLite file or another database is reached, and kept from a second server."""

import fcntl
import json
import shutil
import time
from abc import ABC, abstractmethod
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from playground import limits
from playground.i18n import say
from playground.storage.errors import StorageRefused

BUSY_SECONDS = 10.0
"""How long to wait for a program that looks into the file meanwhile."""
LOCK_SECONDS = 3.0
"""How long to wait for a server that is about to end."""
WRITTEN = "written"
"""In `Connection.info`: whether something was written."""
POSTGRES_LOCK = 0x706C617967726F75
"""The advisory lock of a server of this kind, in its database."""


class Database(ABC):
    """One database, and the lock that says whose it is."""

    name: str
    """For people: without a password."""

    def __init__(self, url: URL):
        # NaN is no JSON: SQLite would take it, and PostgreSQL would not.
        dumps = partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        self._engine: Engine = create_engine(url, poolclass=NullPool, json_serializer=dumps)
        event.listen(self._engine, "after_cursor_execute", _note_writing)

    @abstractmethod
    def connect(self) -> Connection:
        """With the lock. Raises `StorageRefused` where another server has it."""

    @abstractmethod
    def prepare(self, connection: Connection) -> None:
        """Once its schema is the newest."""

    @abstractmethod
    def release(self) -> None:
        """Lets another server have it, once its connection is closed."""


def database_of(name: str) -> Database:
    """The database of this path or URL. Raises `StorageRefused` for a URL that is none."""
    if "://" not in name:
        return Sqlite(Path(name))
    try:
        url = make_url(name)
    except ArgumentError as error:
        raise StorageRefused(say("storage.no_url", error=str(error))) from error
    match url.get_backend_name():
        case "sqlite" if url.database:
            return Sqlite(Path(url.database))
        case "postgresql" | "postgres":
            return Postgres(url.set(drivername="postgresql+psycopg"))
        case other:
            raise StorageRefused(say("storage.unknown_kind", kind=other))


class Sqlite(Database):
    """A file, with its write-ahead log and a lock file beside it."""

    def __init__(self, path: Path):
        super().__init__(URL.create("sqlite", database=str(path)))
        self.name = str(path)
        self._path = path
        self._lock: IO[bytes] | None = None
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    def connect(self) -> Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._lock:
            self._lock = self._locked()
        if shutil.disk_usage(self._path.parent).free < limits.DATABASE_FREE_BYTES:
            raise StorageRefused(say("storage.unusable", database=self.name, reason=say("storage.full")))
        return self._engine.connect()

    def prepare(self, connection: Connection) -> None:
        # After a migration: it may make a table anew, and what refers to it must stay.
        connection.connection.cursor().execute("PRAGMA foreign_keys = ON")

    def release(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def _locked(self) -> IO[bytes]:
        lock = self._path.with_name(f"{self._path.name}.lock").open("ab")
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    lock.close()
                    raise StorageRefused(say("storage.in_use", database=self.name)) from error
                time.sleep(0.1)
            else:
                return lock


class Postgres(Database):
    """A database of a PostgreSQL server; the lock belongs to the connection."""

    def __init__(self, url: URL):
        if not find_spec("psycopg"):
            raise StorageRefused(say("storage.no_psycopg"))
        super().__init__(url)
        self.name = url.render_as_string(hide_password=True)

    def connect(self) -> Connection:
        connection = self._engine.connect()
        deadline = time.monotonic() + LOCK_SECONDS
        with connection.begin():
            while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": POSTGRES_LOCK}):
                if time.monotonic() > deadline:
                    connection.close()
                    raise StorageRefused(say("storage.in_use", database=self.name))
                time.sleep(0.1)
        return connection

    def prepare(self, connection: Connection) -> None:
        pass

    def release(self) -> None:
        pass


def _note_writing(
    connection: Connection, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    if context.isinsert or context.isupdate or context.isdelete:
        connection.info[WRITTEN] = True


def _on_connect(connection: Any, _: Any) -> None:
    # Transactions are begun by us: sqlite3 itself would end one before a change of the schema.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
