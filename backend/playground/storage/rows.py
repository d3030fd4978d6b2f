"""What the tables of the database have in common."""

from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Row, Table, delete, insert, select

T = TypeVar("T")


def columns(table: Table, row: type) -> list[Column[Any]]:
    """Those of the table that the dataclass `row` has."""
    return [table.c[field.name] for field in fields(row) if field.name in table.c]


def made(row: type[T], found: Row[Any] | None, **more: Any) -> T | None:
    """The dataclass of a row that was found."""
    return None if found is None else row(**found._mapping, **more)


def put_file(connection: Connection, table: Table, owner: str, name: str, data: bytes) -> None:
    """Bytes of this name that belong to a session or a run, in place of those that were there."""
    at, *_ = table.primary_key.columns
    connection.execute(delete(table).where(at == owner, table.c.name == name))
    connection.execute(insert(table).values({at.name: owner, "name": name, "data": data}))


def get_file(connection: Connection, table: Table, owner: str, name: str) -> bytes | None:
    """The bytes of this name, if there are any."""
    at, *_ = table.primary_key.columns
    return connection.scalar(select(table.c.data).where(at == owner, table.c.name == name))
