"""A stack of networks of one shape, as an engine sees it: a session that nobody watches."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from playground.catalogue.tables.table import Table
from playground.engine.engine import Engine, session_numbers
from playground.errors import WorkerLost
from playground.i18n import Text, say
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.stacks import GoOn, OpenStack, RowEnd, RowTrained, StackRow
from playground.messages.worker import Envelope, Event, pack
from playground.run.config import Config
from playground.studies.sweeps.spec import SweepSpec

ROW_FIELDS = ("seed", "batch_size")
"""Whole numbers that may differ between the rows of a stack, as all broken ones may."""

Arrived = Callable[[int, RowTrained, np.ndarray], None]
"""Of a row, its table (points, columns) since the last time."""


def shape_of(config: Config) -> str:
    """What is left of a config without its numbers: configs of one shape train as one stack."""

    def blank(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: blank(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [blank(item) for item in value]
        return None if isinstance(value, float) or name in ROW_FIELDS else value

    return repr(blank(config.model_dump(mode="json")))


class Stack:
    """`arrived` hears of each row that has come to where it goes no further."""

    def __init__(
        self,
        engine: Engine,
        spec: SweepSpec,
        rows: Sequence[StackRow],
        tables: dict[str, Table],
        arrived: Arrived,
    ):
        self.id = f"stack-{secrets.token_hex(8)}"
        self.number = next(session_numbers)
        self.step = 0
        """How often a row has arrived: a worker that dies over a stack got further with it, or did not."""
        self._engine, self._spec, self._tables, self._arrived = engine, spec, tables, arrived
        self._rows = {row.row: row for row in rows}
        """Those that may go on."""
        self._awaited: set[int] = set()
        self._until = 0
        self._opened = False
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def rows(self) -> list[int]:
        return list(self._rows)

    async def train(self, until: int, dropped: Sequence[int] = ()) -> None:
        """All rows up to here, but for those that are dropped. Raises `WorkerLost`, `RequestFailed`."""
        for row in dropped:
            self._rows.pop(row, None)
        self._until, self._awaited = until, set(self._rows)
        if not self._awaited:
            return
        self._done = asyncio.get_running_loop().create_future()
        if self._opened:
            request = GoOn(until=until, dropped=list(dropped))
            await self._engine.ask(self.id, request, lambda _: None)
        else:
            await self._engine.open(self, lambda _: None)
            self._opened = True
        await self._done

    def close(self) -> None:
        self._engine.close(self.id)
        if not self._done.done():
            self._done.cancel()

    # --- A SessionClient of the engine --------------------------------------------------------------------

    def opening(self) -> tuple[OpenStack, Arrays]:
        headers, arrays = pack(self._tables)
        opening = OpenStack(
            number=self.number,
            rows=list(self._rows.values()),
            by_epochs=self._spec.by_epochs,
            every=self._spec.every,
            until=self._until,
            tables=headers,
        )
        return opening, arrays

    def on_event(self, event: Envelope[Event]) -> None:
        match event.content:
            case RowTrained(row=row) as trained if row in self._awaited:
                self.step += 1
                self._awaited.remove(row)
                if trained.end is not RowEnd.UNTIL:
                    del self._rows[row]
                self._arrived(row, trained, event.arrays.get("samples", np.empty((0, 0))))
                if not self._awaited and not self._done.done():
                    self._done.set_result(None)
            case messages.SessionFailed(detail=detail):
                self.end(say("problem.request_failed", error=detail))

    def on_worker_lost(self) -> None:
        """The next one begins anew, and comes to the same numbers."""

    def on_reopened(self) -> None:
        """Nobody watches."""

    def end(self, reason: Text) -> None:
        if not self._done.done():
            self._done.set_exception(WorkerLost(reason))


def split(rows: Sequence[StackRow], parts: int) -> list[list[StackRow]]:
    """Into stacks of one shape, each of them into so many parts, one for each worker."""
    shapes: dict[str, list[StackRow]] = {}
    for row in rows:
        shapes.setdefault(shape_of(row.config), []).append(row)
    return [part for group in shapes.values() for part in (group[i::parts] for i in range(parts)) if part]
