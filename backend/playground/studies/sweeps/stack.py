"""A stack of networks of one shape, as an engine sees it: a session that nobody watches."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from playground.catalogue.tables.table import Table
from playground.engine.engine import Engine
from playground.messages.codec import Arrays
from playground.messages.stacks import GoOn, OpenStack, RowEnd, RowTrained, StackRow
from playground.messages.tables import pack
from playground.messages.worker import Envelope, Event
from playground.run.config import Config
from playground.studies.sweeps.spec import SweepSpec
from playground.studies.unwatched import UnwatchedClient

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


class Stack(UnwatchedClient):
    """`arrived` hears of each row that has come to where it goes no further."""

    def __init__(
        self,
        engine: Engine,
        spec: SweepSpec,
        rows: Sequence[StackRow],
        tables: dict[str, Table],
        arrived: Arrived,
    ):
        super().__init__("stack")
        self._engine, self._spec, self._tables, self._arrived = engine, spec, tables, arrived
        self._rows = {row.row: row for row in rows}
        """Those that may go on."""
        self._awaited: set[int] = set()
        self._until = 0
        self._opened = False

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
        self.done = asyncio.get_running_loop().create_future()
        if self._opened:
            request = GoOn(until=until, dropped=list(dropped))
            await self._engine.ask(self.id, request, lambda _: None)
        else:
            await self._engine.open(self, lambda _: None)
            self._opened = True
        await self.done

    def close(self) -> None:
        self._engine.close(self.id)
        if not self.done.done():
            self.done.cancel()

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
                self.step += 1  # how often a row has arrived
                self._awaited.remove(row)
                if trained.end is not RowEnd.UNTIL:
                    del self._rows[row]
                self._arrived(row, trained, event.arrays.get("samples", np.empty((0, 0))))
                if not self._awaited:
                    self.finish()
            case _:
                super().on_event(event)


def split(rows: Sequence[StackRow], parts: int) -> list[list[StackRow]]:
    """Into stacks of one shape, each of them into so many parts, one for each worker."""
    shapes: dict[str, list[StackRow]] = {}
    for row in rows:
        shapes.setdefault(shape_of(row.config), []).append(row)
    return [part for group in shapes.values() for part in (group[i::parts] for i in range(parts)) if part]
