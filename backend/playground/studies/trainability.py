"""Maps of trainability: learning rate by scale of the initial weights, a network a pixel, from coarse to
fine.

A pixel follows from the config and its place alone: it has the same colour in every map that has it, and a
map that is asked for again is the same.
"""

import asyncio
import itertools
import logging
import math
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground import limits
from playground.catalogue.inits import Constant, Init, Normal, Uniform, WithGain
from playground.catalogue.tables.table import Table
from playground.engine.engine import Engine
from playground.errors import ValidationFailed, WorkerLost, fault
from playground.i18n import Text, say
from playground.messages.codec import Arrays
from playground.messages.stacks import OpenPatch, PatchTrained
from playground.messages.tables import pack
from playground.messages.worker import Envelope, Event
from playground.run.config import Config
from playground.run.validation import Tables, parse
from playground.studies.unwatched import UnwatchedClient

log = logging.getLogger("playground.trainability")

COARSEST = 16
"""Pixels between two networks of the first level, along either side; each level halves it."""
PATCH = 1024
"""Networks that one worker is asked for at a time."""
KEPT = 8
"""Maps that stay in memory."""


def scaled(config: Config, scale: float) -> Config:
    """The config with initial weights of this scale: the gain, or what stands for it.

    Raises `ValidationFailed`, of a scale that does not fit, or where the initial weights have none.
    """
    return parse({**config.model_dump(mode="json"), "init": _init(config.init, scale)})


def scale_field(init: Init) -> str | None:
    """What says how large initial weights are."""
    match init:
        case WithGain():
            return "gain"
        case Uniform():
            return "limit"
        case Normal():
            return "std"
        case Constant():
            return "value"
    return None


def _init(init: Init, scale: float) -> dict[str, Any]:
    field = scale_field(init)
    if field is None:
        rule = say("rule.no_scale", init=init.named())
        raise ValidationFailed(fault("init", rule, suggestion={"init": {"kind": "xavier_normal"}}))
    return {**init.model_dump(mode="json"), field: scale}


@dataclass(frozen=True)
class Plan:
    """What a map is of. Learning rates grow to the right, scales upwards, both by equal ratios."""

    config: Config
    rates: tuple[float, float]
    """From the left edge to the right."""
    scales: tuple[float, float]
    """From the lower edge to the upper."""
    side: int
    """Pixels along a side, a power of two."""
    steps: int
    """That each network trains."""

    def rate(self, column: int) -> float:
        """In the middle of the pixel."""
        return _between(self.rates, (column + 0.5) / self.side)

    def scale(self, row: int) -> float:
        """Rows count from the top."""
        return _between(self.scales, 1 - (row + 0.5) / self.side)

    def at(self, row: int, column: int) -> Config:
        """The config of a pixel."""
        raw = scaled(self.config, self.scale(row)).model_dump(mode="json")
        return parse({**raw, "optimizer": {**raw["optimizer"], "lr": self.rate(column)}})

    def levels(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """How far networks are apart, and the pixels that are new at this distance; the last is 1."""
        apart = min(COARSEST, self.side)
        first = apart
        while apart >= 1:
            places = range(0, self.side, apart)
            new = [
                (row, column)
                for row, column in itertools.product(places, places)
                if apart == first or row % (2 * apart) or column % (2 * apart)
            ]
            yield apart, new
            apart //= 2


def _between(ends: tuple[float, float], share: float) -> float:
    low, high = map(math.log, ends)
    return math.exp(low + (high - low) * share)


class TrainabilityMap:
    """A map that is being made: `measures` (side, side) float32 has what is known, NaN elsewhere."""

    def __init__(self, plan: Plan, tables: dict[str, Table]):
        self.id = secrets.token_hex(6)
        self.plan, self.tables = plan, tables
        self.measures = np.full((plan.side, plan.side), np.nan, np.float32)
        self.apart = plan.side
        """How far the networks that are known are from each other, at least."""
        self.failed: Text | None = None
        self.over = False
        self._news = asyncio.Event()

    @property
    def done(self) -> int:
        """Networks that have been trained."""
        return int(np.isfinite(self.measures).sum())

    async def make(self, engine: Engine, workers: int) -> None:
        try:
            for apart, pixels in self.plan.levels():
                parts = [pixels[start : start + PATCH] for start in range(0, len(pixels), PATCH)]
                running = asyncio.Semaphore(workers)
                await asyncio.gather(*(self._patch(engine, running, part) for part in parts))
                self.apart = apart
                self._tell()
        except (WorkerLost, ValidationFailed) as failure:
            self.failed = say("problem.request_failed", error=str(failure))
        finally:
            self.end()

    def end(self) -> None:
        """No more is trained."""
        self.over = True
        self._tell()

    async def _patch(self, engine: Engine, running: asyncio.Semaphore, pixels: list[tuple[int, int]]) -> None:
        async with running:
            patch = Patch(self.plan, pixels, self.tables, self._found)
            try:
                await engine.open(patch, lambda _: None)
                await patch.done
            finally:
                engine.close(patch.id)

    def _found(self, pixels: list[tuple[int, int]], measures: np.ndarray) -> None:
        for (row, column), measure in zip(pixels, measures, strict=True):
            self.measures[row, column] = measure
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def changes(self) -> AsyncIterator[np.ndarray]:
        """The flat places of pixels that are new, again and again until the map is whole."""
        sent = np.zeros(self.measures.size, dtype=bool)
        while True:
            news, over = self._news, self.over
            known = np.isfinite(self.measures.reshape(-1))
            fresh = np.flatnonzero(known & ~sent)
            sent |= known
            yield fresh
            if over:
                return
            await news.wait()


class Patch(UnwatchedClient):
    """Some pixels of a map. Its `step` counts those that are known."""

    def __init__(self, plan: Plan, pixels: list[tuple[int, int]], tables: dict[str, Table], found: Any):
        super().__init__("patch")
        self._plan, self._pixels, self._tables, self._found = plan, pixels, tables, found

    def opening(self) -> tuple[OpenPatch, Arrays]:
        left = self._pixels[self.step :]
        rows = sorted({row for row, _ in left})
        place = {row: index for index, row in enumerate(rows)}
        headers, arrays = pack(self._tables)
        opening = OpenPatch(
            number=self.number,
            configs=[scaled(self._plan.config, self._plan.scale(row)) for row in rows],
            scales=[place[row] for row, _ in left],
            rates=[self._plan.rate(column) for _, column in left],
            steps=self._plan.steps,
            tables=headers,
        )
        return opening, arrays

    def on_event(self, event: Envelope[Event]) -> None:
        match event.content:
            case PatchTrained(done=done):
                measures = event.arrays["measures"]
                self._found(self._pixels[self.step : self.step + len(measures)], measures)
                self.step += len(measures)
                if done:
                    self.finish()
            case _:
                super().on_event(event)


class TrainabilityMaps:
    """The maps of a server: the last ones that were asked for. A new one of somebody ends their last."""

    def __init__(self, engine: Engine, workers: int):
        self._engine, self._workers = engine, workers
        self._maps: OrderedDict[str, tuple[TrainabilityMap, asyncio.Task[None]]] = OrderedDict()

    def create(self, plan: Plan, tables: Tables, instead_of: str | None = None) -> TrainabilityMap:
        """A map that is begun; the one `instead_of` which it is asked for ends. Raises `ValidationFailed`."""
        check(plan, tables)
        if instead_of:
            self.drop(instead_of)
        made = TrainabilityMap(plan, dict(tables))
        self._maps[made.id] = made, asyncio.create_task(made.make(self._engine, self._workers))
        while len(self._maps) > KEPT:
            self.drop(next(iter(self._maps)))
        return made

    def get(self, name: str) -> TrainabilityMap | None:
        found = self._maps.get(name)
        return found[0] if found else None

    def drop(self, name: str) -> None:
        if found := self._maps.pop(name, None):
            found[1].cancel()

    def shut_down(self) -> None:
        """Whoever looks at one is let go."""
        for made, task in self._maps.values():
            task.cancel()
            made.end()

    async def stop(self) -> None:
        tasks = [task for _, task in self._maps.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def check(plan: Plan, tables: Tables) -> None:
    """Raises `ValidationFailed`, of the fields of the request."""
    for name, (low, high) in (("rates", plan.rates), ("scales", plan.scales)):
        if low >= high:
            raise ValidationFailed(fault(name, say("rule.range_order", low=low, high=high)))
    try:
        for row in (0, plan.side - 1):
            scaled(plan.config, plan.scale(row))
    except ValidationFailed as failed:
        raise ValidationFailed(
            *(e.below("config") if e.field == "init" else fault("scales", _words(e)) for e in failed.errors)
        ) from None
    if plan.side**2 * plan.steps > limits.MAP_STEPS:
        fits = limits.MAP_STEPS // plan.side**2
        raise ValidationFailed(
            fault("steps", say("rule.map_steps", limit=limits.MAP_STEPS, fits=fits), (fits,))
        )


def _words(error: Any) -> Text:
    return say("rule.other", message=error.message)
