"""Scripted runs in the database. Each function is work for `Store.do`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from playground.storage import rows
from playground.storage.schema import run_files, run_tags, runs

SORTS = ("created", "started", "ended", "name", "state", "step")
"""Columns that a list can be in order of."""


@dataclass(kw_only=True)
class RunRow:
    """A run without its bytes. Times are seconds since 1970, and None before they come."""

    id: str
    key_hash: str
    state: str
    created: float
    config: dict[str, Any]
    steps: int | None = None
    """It ends at this step, or at this epoch; both are known only as far as they were asked for or found."""
    epochs: int | None = None
    timeline: list[dict[str, Any]] = field(default_factory=list)
    stop: dict[str, Any] | None = None
    stopped_by: str | None = None
    name: str = ""
    note: str = ""
    tags: list[str] = field(default_factory=list)
    step: int = 0
    epoch: float = 0.0
    metrics: dict[str, Any] = field(default_factory=dict)
    marks: list[dict[str, Any]] = field(default_factory=list)
    resume: dict[str, Any] = field(default_factory=dict)
    """What belongs to its snapshot."""
    parent: dict[str, Any] | None = None
    started: float | None = None
    ended: float | None = None
    error: dict[str, Any] | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None


COLUMNS = rows.columns(runs, RunRow)


def add(connection: Connection, run: RunRow) -> None:
    values = asdict(run)
    tags = values.pop("tags")
    connection.execute(insert(runs).values(values))
    _set_tags(connection, run.id, tags)


def get(connection: Connection, run: str) -> RunRow | None:
    found = connection.execute(select(*COLUMNS).where(runs.c.id == run)).first()
    return rows.made(RunRow, found, tags=_tags(connection, [run]).get(run, []))


def of_request(connection: Connection, idempotency_key: str) -> RunRow | None:
    """The run that a request with this key made."""
    found = connection.scalar(select(runs.c.id).where(runs.c.idempotency_key == idempotency_key))
    return get(connection, found) if found else None


def change(connection: Connection, run: str, **values: Any) -> bool:
    """Sets these columns, and `tags`. Whether there is such a run."""
    tags = values.pop("tags", None)
    if tags is not None:
        _set_tags(connection, run, tags)
    if values:
        return connection.execute(update(runs).where(runs.c.id == run).values(values)).rowcount > 0
    return connection.scalar(select(runs.c.id).where(runs.c.id == run)) is not None


def save(connection: Connection, run: str, values: dict[str, Any], files: Mapping[str, bytes]) -> None:
    """How far it is; nothing, if it has been removed."""
    if change(connection, run, **values):
        for name, data in files.items():
            put_file(connection, run, name, data)


def remove(connection: Connection, run: str) -> None:
    connection.execute(delete(runs).where(runs.c.id == run))


def in_states(connection: Connection, states: Sequence[str]) -> list[RunRow]:
    """The oldest first."""
    wanted = select(*COLUMNS).where(runs.c.state.in_(states)).order_by(runs.c.created, runs.c.id)
    return _with_tags(connection, connection.execute(wanted).all())


def find(
    connection: Connection,
    *,
    state: str | None = None,
    tag: str | None = None,
    words: str | None = None,
    sort: str = "-created",
    after: tuple[Any, str] | None = None,
    limit: int = 50,
) -> list[RunRow]:
    """Runs in this order, `-` for the greatest first; `after` is the sorted value and the id of the last one
    that is known. Without a value comes last. `words` are looked for in name, note and tags."""
    column = runs.c[sort.removeprefix("-")]
    falling = sort.startswith("-")
    wanted = select(*COLUMNS)
    if state:
        wanted = wanted.where(runs.c.state == state)
    if tag:
        wanted = wanted.where(runs.c.id.in_(select(run_tags.c.run).where(run_tags.c.tag == tag)))
    if words:
        wanted = wanted.where(_mentions(words))
    if after:
        value, run = after
        later = (runs.c.id < run) if falling else (runs.c.id > run)
        if value is None:
            wanted = wanted.where(and_(column.is_(None), later))
        else:
            beyond = (column < value) if falling else (column > value)
            wanted = wanted.where(or_(beyond, and_(column == value, later), column.is_(None)))
    order = (column.desc(), runs.c.id.desc()) if falling else (column, runs.c.id)
    wanted = wanted.order_by(column.is_(None), *order).limit(limit)
    return _with_tags(connection, connection.execute(wanted).all())


def put_file(connection: Connection, run: str, name: str, data: bytes) -> None:
    """Its `snapshot`, `history` or `weights`."""
    rows.put_file(connection, run_files, run, name, data)


def get_file(connection: Connection, run: str, name: str) -> bytes | None:
    return rows.get_file(connection, run_files, run, name)


def _mentions(words: str) -> ColumnElement[bool]:
    like = {"autoescape": True}
    words = words.lower()
    tagged = select(run_tags.c.run).where(func.lower(run_tags.c.tag).contains(words, **like))
    return or_(
        func.lower(runs.c.name).contains(words, **like),
        func.lower(runs.c.note).contains(words, **like),
        runs.c.id.in_(tagged),
    )


def _with_tags(connection: Connection, found: Iterable[Any]) -> list[RunRow]:
    found = list(found)
    tags = _tags(connection, [row.id for row in found])
    return [RunRow(**row._mapping, tags=tags.get(row.id, [])) for row in found]


def _tags(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    wanted = select(run_tags.c.run, run_tags.c.tag).where(run_tags.c.run.in_(ids)).order_by(run_tags.c.tag)
    for run, tag in connection.execute(wanted):
        tags.setdefault(run, []).append(tag)
    return tags


def _set_tags(connection: Connection, run: str, tags: Iterable[str]) -> None:
    connection.execute(delete(run_tags).where(run_tags.c.run == run))
    if unique := dict.fromkeys(tags):
        connection.execute(insert(run_tags), [{"run": run, "tag": tag} for tag in unique])
