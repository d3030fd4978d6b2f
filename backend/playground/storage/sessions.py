"""Live sessions in the database. Each function is work for `Store.do`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from playground.storage import rows, uploads
from playground.storage.schema import session_answers, session_files, session_lines, sessions


@dataclass(kw_only=True)
class SessionRow:
    """A session without its timeline, answers and bytes. `start` is the config that its run began with,
    `config` that of now, `ahead` the recorded lines that it was to follow. Times are seconds since 1970."""

    id: str
    key_hash: str
    created: float
    saved: float
    start: dict[str, Any]
    config: dict[str, Any]
    ahead: list[dict[str, Any]]
    state: dict[str, Any]


@dataclass(kw_only=True)
class Changes:
    """What has come to a session since it was last written; with a `row`, all that there is of it."""

    id: str
    row: SessionRow | None = None
    values: dict[str, Any] = field(default_factory=dict)
    """Columns of its row that have changed."""
    first: int = 0
    """Number of the first of the `lines`."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    """By the id of the command: its number, and the answer."""
    forgotten: int = 0
    """Answers of commands up to this number are no longer needed."""
    files: dict[str, bytes] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    """Names of files that it has no more."""
    uploads: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """A session, whole."""

    row: SessionRow
    lines: list[dict[str, Any]]
    answers: dict[str, tuple[int, dict[str, Any]]]
    files: Mapping[str, bytes]
    uploads: Mapping[str, bytes]


def write(connection: Connection, changed: Sequence[Changes]) -> None:
    """Of different sessions."""
    for changes in changed:
        _write(connection, changes)
    _update(connection, [changes for changes in changed if changes.values and not changes.row])
    files = [(changes.id, name, data) for changes in changed for name, data in changes.files.items()]
    rows.put_files(connection, session_files, files)


def _update(connection: Connection, changed: Sequence[Changes]) -> None:
    """Those of which the same columns have changed in one statement."""
    together: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for changes in changed:
        values = {f"new_{name}": value for name, value in changes.values.items()}
        together.setdefault(tuple(changes.values), []).append({"at": changes.id, **values})
    for columns, parameters in together.items():
        values = {name: bindparam(f"new_{name}", type_=sessions.c[name].type) for name in columns}
        connection.execute(
            update(sessions).where(sessions.c.id == bindparam("at")).values(values), parameters
        )


def _write(connection: Connection, changes: Changes) -> None:
    name = changes.id
    if changes.row:
        remove(connection, [name])
        connection.execute(insert(sessions).values(asdict(changes.row)))
    if changes.lines:
        lines = [
            {"session": name, "number": number, "entry": entry}
            for number, entry in enumerate(changes.lines, changes.first)
        ]
        connection.execute(insert(session_lines), lines)
    if changes.answers:
        answers = [
            {"session": name, "name": command, "number": number, "answer": answer}
            for command, (number, answer) in changes.answers.items()
        ]
        connection.execute(insert(session_answers), answers)
    if changes.forgotten:
        old = session_answers.c.number <= changes.forgotten
        connection.execute(delete(session_answers).where(session_answers.c.session == name, old))
    if changes.gone:
        old = session_files.c.name.in_(changes.gone)
        connection.execute(delete(session_files).where(session_files.c.session == name, old))
    if changes.uploads:
        uploads.keep(connection, "session", name, changes.uploads)


def remove(connection: Connection, gone: Sequence[str]) -> None:
    """The sessions of these ids, with all that is theirs."""
    connection.execute(delete(sessions).where(sessions.c.id.in_(gone)))


def names(connection: Connection) -> list[str]:
    """The ids of all sessions, the oldest first."""
    return list(connection.scalars(select(sessions.c.id).order_by(sessions.c.created, sessions.c.id)))


def read(connection: Connection, session: str) -> Stored | None:
    """A session, whole, if there is one of this id."""
    columns = rows.columns(sessions, SessionRow)
    row = rows.made(SessionRow, connection.execute(select(*columns).where(sessions.c.id == session)).first())
    if row is None:
        return None
    entries = select(session_lines.c.entry).where(session_lines.c.session == session)
    answers = select(session_answers).where(session_answers.c.session == session)
    files = select(session_files).where(session_files.c.session == session)
    return Stored(
        row,
        list(connection.scalars(entries.order_by(session_lines.c.number))),
        {
            found.name: (found.number, found.answer)
            for found in connection.execute(answers.order_by(session_answers.c.number))
        },
        {found.name: found.data for found in connection.execute(files)},
        uploads.used_by(connection, "session", session),
    )
