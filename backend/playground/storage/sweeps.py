"""Sweeps and their trials in the database. Each function is work for `Store.do`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from playground.storage import rows
from playground.storage.schema import sweeps, trials


@dataclass(kw_only=True)
class SweepRow:
    """`spec` is what was asked for. Times are seconds since 1970."""

    id: str
    key_hash: str
    state: str
    created: float
    spec: dict[str, Any]
    name: str = ""
    note: str = ""
    started: float | None = None
    ended: float | None = None
    error: dict[str, Any] | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None


@dataclass(kw_only=True)
class TrialRow:
    """A trial without its curves."""

    sweep: str
    number: int
    state: str
    params: dict[str, Any]
    seeds: list[int] = field(default_factory=list)
    value: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    started: float | None = None
    ended: float | None = None
    error: dict[str, Any] | None = None


COLUMNS = rows.columns(sweeps, SweepRow)
TRIAL_COLUMNS = rows.columns(trials, TrialRow)


def add(connection: Connection, sweep: SweepRow) -> None:
    connection.execute(insert(sweeps).values(asdict(sweep)))


def get(connection: Connection, sweep: str) -> SweepRow | None:
    return rows.made(SweepRow, connection.execute(select(*COLUMNS).where(sweeps.c.id == sweep)).first())


def of_request(connection: Connection, idempotency_key: str) -> SweepRow | None:
    """The sweep that a request with this key made."""
    wanted = select(*COLUMNS).where(sweeps.c.idempotency_key == idempotency_key)
    return rows.made(SweepRow, connection.execute(wanted).first())


def change(connection: Connection, sweep: str, **values: Any) -> None:
    """Sets these columns."""
    connection.execute(update(sweeps).where(sweeps.c.id == sweep).values(values))


def remove(connection: Connection, sweep: str) -> None:
    """With its trials."""
    connection.execute(delete(sweeps).where(sweeps.c.id == sweep))


def find(connection: Connection, states: Sequence[str] | None = None) -> list[SweepRow]:
    """All of these states, or all; the newest first."""
    wanted = select(*COLUMNS).order_by(sweeps.c.created.desc(), sweeps.c.id.desc())
    if states is not None:
        wanted = wanted.where(sweeps.c.state.in_(states))
    return [SweepRow(**row._mapping) for row in connection.execute(wanted)]


def put_trials(connection: Connection, changed: Iterable[TrialRow]) -> None:
    """Adds them, or takes them in place of those of the same numbers, whose curves stay."""
    for trial in changed:
        values = asdict(trial)
        at = (trials.c.sweep == trial.sweep) & (trials.c.number == trial.number)
        if not connection.execute(update(trials).where(at).values(values)).rowcount:
            connection.execute(insert(trials).values(values))


def put_curves(connection: Connection, sweep: str, curves: dict[int, bytes]) -> None:
    """The curves of trials that there are, by number."""
    for number, data in curves.items():
        at = (trials.c.sweep == sweep) & (trials.c.number == number)
        connection.execute(update(trials).where(at).values(curves=data))


def get_curves(connection: Connection, sweep: str, number: int) -> bytes | None:
    at = (trials.c.sweep == sweep) & (trials.c.number == number)
    return connection.scalar(select(trials.c.curves).where(at))


def get_trials(connection: Connection, sweep: str) -> list[TrialRow]:
    """In order of their numbers."""
    wanted = select(*TRIAL_COLUMNS).where(trials.c.sweep == sweep).order_by(trials.c.number)
    return [TrialRow(**row._mapping) for row in connection.execute(wanted)]
