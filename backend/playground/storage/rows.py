"""What the tables of the database have in common."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Row, Table, bindparam, delete, insert, select

T = TypeVar("T")


def columns(table: Table, row: type) -> list[Column[Any]]:
    """Those of the table that the dataclass `row` has."""
    return [table.c[field.name] for field in fields(row) if field.name in table.c]


def made(row: type[T], found: Row[Any] | None, **more: Any) -> T | None:
    """The dataclass of a row that was found."""
    return None if found is None else row(**found._mapping, **more)


def put_file(connection: Connection, table: Table, owner: str, name: str, data: bytes) -> None:
    """Bytes of this name that belong to a session or a run, in place of those that were there."""
    put_files(connection, table, [(owner, name, data)])


def put_files(connection: Connection, table: Table, files: Sequence[tuple[str, str, bytes]]) -> None:
    """Owner, name and bytes of each, likewise."""
    if not files:
        return
    at, *_ = table.primary_key.columns
    where = at == bindparam("owner"), table.c.name == bindparam("called")
    names = [{"owner": owner, "called": name} for owner, name, _ in files]
    connection.execute(delete(table).where(*where), names)
    connection.execute(insert(table), [{at.name: o, "name": name, "data": data} for o, name, data in files])


def get_file(connection: Connection, table: Table, owner: str, name: str) -> bytes | None:
    """The bytes of this name, if there are any."""
    at, *_ = table.primary_key.columns
    return connection.scalar(select(table.c.data).where(at == owner, table.c.name == name))
