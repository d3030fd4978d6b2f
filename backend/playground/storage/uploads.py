"""Uploaded tables in the database: each once, for as long as a session, a run or a sweep uses it."""

from collections.abc import Iterable, Mapping
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from playground.storage.schema import upload_uses, uploads

Owner = Literal["session", "run", "sweep"]


def keep(connection: Connection, owner: Owner, name: str, data: Mapping[str, bytes]) -> None:
    """The session, run or sweep of this id uses these uploads; their ids follow from their bytes."""
    at = upload_uses.c[owner] == name
    used = set(connection.scalars(select(upload_uses.c.upload).where(at)))
    known = set(connection.scalars(select(uploads.c.id).where(uploads.c.id.in_(list(data)))))
    for upload in data.keys() - known:
        connection.execute(insert(uploads).values(id=upload, data=data[upload]))
    for upload in data.keys() - used:
        connection.execute(insert(upload_uses).values({"upload": upload, owner: name}))


def used_by(connection: Connection, owner: Owner, name: str) -> dict[str, bytes]:
    """The uploads that it uses."""
    uses = select(upload_uses.c.upload).where(upload_uses.c[owner] == name)
    wanted = select(uploads.c.id, uploads.c.data).where(uploads.c.id.in_(uses))
    return {row.id: row.data for row in connection.execute(wanted)}


def known(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these ids that are there."""
    return set(connection.scalars(select(uploads.c.id).where(uploads.c.id.in_(list(ids)))))


def forget_unused(connection: Connection) -> None:
    """Removes what nobody uses any more."""
    connection.execute(delete(uploads).where(uploads.c.id.not_in(select(upload_uses.c.upload))))
