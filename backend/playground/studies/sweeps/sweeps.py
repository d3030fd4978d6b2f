"""The sweeps of a server: those that run, and those that the database keeps."""

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection

from playground import limits
from playground.catalogue.tables.table import Table, from_arrays, to_arrays
from playground.engine.engine import Engine
from playground.errors import Problem, ValidationFailed, fault
from playground.i18n import say
from playground.keys import hash_of, id_of, new_key, opens
from playground.messages.codec import decode, encode
from playground.run.config import Config
from playground.run.validation import Tables, parse
from playground.session.uploads import Uploads
from playground.storage import sweeps as stored
from playground.storage import uploads as stored_uploads
from playground.storage.store import Store
from playground.studies.sweeps.sampling import grid_points, importances
from playground.studies.sweeps.space import at_point, check, usual
from playground.studies.sweeps.spec import SweepSpec
from playground.studies.sweeps.sweep import Sweep
from playground.studies.sweeps.trial import Trial, named, unpacked

log = logging.getLogger("playground.sweeps")

AT_ONCE = 4
"""Sweeps that run side by side; the others wait their turn."""


class Sweeps:
    def __init__(self, engine: Engine, store: Store, uploads: Uploads, workers: int):
        self._engine, self._store, self._uploads, self._workers = engine, store, uploads, workers
        self._running: dict[str, tuple[Sweep, asyncio.Task[None]]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._importances: dict[str, tuple[int, dict[str, float]]] = {}

    async def start(self) -> None:
        """Goes on with those that were not at their end when the server was."""
        for row in reversed(await self._store.do(stored.find, ["queued", "running"])):
            self._begin(await self._read(row))

    def shut_down(self) -> None:
        """Whoever follows one is let go."""
        for sweep, _ in self._running.values():
            sweep.leave()

    async def stop(self) -> None:
        """They go on with the next start."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create(self, spec: SweepSpec, key: str | None = None) -> tuple[Sweep, str]:
        """A sweep that has begun, and its key. Raises `ValidationFailed`."""
        tables = self._uploads.named_in(spec.config)
        base, space = prepared(spec, tables)
        if len(await self._store.do(stored.find)) >= limits.SWEEPS:
            raise Problem(HTTPStatus.CONFLICT, say("problem.too_many_sweeps", limit=limits.SWEEPS))
        key = key or new_key()
        digest = hash_of(key)
        whole = spec.model_copy(update={"config": base.model_dump(mode="json"), "space": space})
        row = stored.SweepRow(
            id=id_of(digest),
            key_hash=digest,
            state="queued",
            created=time.time(),
            spec=whole.model_dump(mode="json"),
            name=spec.name,
            note=spec.note,
        )
        await self._store.do(_add, row, tables)
        sweep = Sweep(row, base, space, tables)
        self._begin(sweep)
        return sweep, key

    def _begin(self, sweep: Sweep) -> None:
        async def run() -> None:
            async with self._turns:
                await sweep.run(self._engine, self._store, self._workers)
            self._running.pop(sweep.id, None)

        self._running[sweep.id] = sweep, asyncio.create_task(run())

    async def all(self) -> list[Sweep]:
        """The newest first, without their trials where they do not run."""
        rows = await self._store.do(stored.find)
        return [self._live(row.id) or await self._read(row, trials=False) for row in rows]

    async def get(self, sweep: str) -> Sweep:
        """Raises `Problem` 404."""
        if live := self._live(sweep):
            return live
        row = await self._store.do(stored.get, sweep)
        if row is None:
            raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_sweep"))
        return await self._read(row)

    def _live(self, sweep: str) -> Sweep | None:
        found = self._running.get(sweep)
        return found[0] if found else None

    async def _read(self, row: stored.SweepRow, trials: bool = True) -> Sweep:
        spec = SweepSpec.model_validate(row.spec)
        data = await self._store.do(stored_uploads.used_by, "sweep", row.id)
        tables = {name: _unpacked(table) for name, table in data.items()}
        known = [Trial.of(t) for t in await self._store.do(stored.get_trials, row.id)] if trials else []
        sweep = Sweep(row, parse(spec.config, tables), spec.space, tables, known)
        if sweep.over:
            sweep.trials = known
        return sweep

    def holds(self, sweep: Sweep, key: str) -> bool:
        """Whether this is its key."""
        return opens(key, sweep.row.key_hash)

    async def remove(self, sweep: Sweep) -> None:
        """Cancels it, and what it has found stays; one that is over goes."""
        if found := self._running.pop(sweep.id, None):
            found[1].cancel()
            await asyncio.gather(found[1], return_exceptions=True)
            await sweep.save(self._store)
            ended = {"state": "cancelled", "ended": time.time()}
            await self._store.do(stored.change, sweep.id, **ended)
            sweep.now(**ended)
        else:
            self._importances.pop(sweep.id, None)
            await self._store.do(_remove, sweep.id)

    async def curves(self, sweep: Sweep) -> dict[int, dict[str, dict[str, list[float | None]]]]:
        """Of the trials that are over, by number: for each column its median, least and greatest."""
        read = await self._store.do(_curves, sweep.id)
        found = {number: unpacked(data) for number, data in read.items()}
        for trial in sweep.trials:  # those that are not written down yet
            if trial.curves is not None and trial.number not in found:
                found[trial.number] = named(list(trial.columns), trial.curves)
        return found

    async def importances(self, sweep: Sweep) -> dict[str, float]:
        """How much each axis matters, as far as one can tell."""
        done = sweep.done
        known = self._importances.get(sweep.id)
        if known is None or known[0] != done:
            told = [trial for trial in sweep.trials if trial.state == "complete"]
            known = done, await asyncio.to_thread(importances, sweep.spec, sweep.space, sweep.base, told)
            self._importances[sweep.id] = known
        return known[1]

    def config_of(self, sweep: Sweep, number: int) -> tuple[Config, Trial]:
        """The config of a trial, with all its networks at once. Raises `Problem`."""
        if not 0 <= number < len(sweep.trials):
            raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_trial"))
        trial = sweep.trials[number]
        try:
            config = at_point(sweep.base, trial.point, sweep.tables)
            raw = config.model_copy(update={"replicas": len(trial.seeds)}).model_dump(mode="json")
            return parse(raw, sweep.tables), trial
        except ValidationFailed as failed:
            text = say("problem.trial_invalid")
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, failed.errors) from None

    def share_tables(self, sweep: Sweep) -> None:
        """A session may be opened that names them."""
        for table in sweep.tables.values():
            self._uploads.put(table)


def prepared(spec: SweepSpec, tables: Tables) -> tuple[Config, dict[str, Any]]:
    """The config and the space of a sweep, whole. Raises `ValidationFailed`, of the fields of the request."""
    try:
        base = parse(spec.config, tables)
    except ValidationFailed as failed:
        raise ValidationFailed(*(error.below("config") for error in failed.errors)) from None
    base = base.model_copy(update={"replicas": 1})
    space = spec.space or usual(base)
    check(base, space, tables)
    if spec.sampler == "grid" and (points := grid_points(spec, space, base)) > limits.SWEEP_GRID:
        rule = say("rule.sweep_grid", limit=limits.SWEEP_GRID, points=points)
        raise ValidationFailed(fault("space", rule))
    answer = base.loss.posed(base.data.task(tables)).answer
    measured = (
        ("mae", "r2")
        if answer == "regression" and base.data.task(tables).kind == "regression"
        else ("accuracy",)
    )
    parts = ("train", "test") if base.data.is_tested else ("train",)
    fits = tuple(f"{part}_{name}" for name in ("loss", *measured) for part in parts)
    if spec.objective.metric not in fits:
        rule = say("rule.sweep_metric", metric=spec.objective.metric, fits=fits)
        raise ValidationFailed(fault("objective.metric", rule, fits, {"objective": {"metric": fits[0]}}))
    count = len(base.dataset(tables).train_inputs)
    per_epoch = math.ceil(count / min(base.batch_size, count)) if spec.by_epochs else 1
    steps = spec.trials * spec.seeds * spec.length * per_epoch
    if steps > limits.SWEEP_STEPS:
        rule = say("rule.sweep_steps", limit=limits.SWEEP_STEPS, steps=steps)
        raise ValidationFailed(fault("trials", rule))
    return base, space


def _add(connection: Connection, row: stored.SweepRow, tables: Mapping[str, Table]) -> None:
    stored.add(connection, row)
    stored_uploads.keep(connection, "sweep", row.id, {name: _packed(table) for name, table in tables.items()})


def _remove(connection: Connection, sweep: str) -> None:
    stored.remove(connection, sweep)
    stored_uploads.forget_unused(connection)


def _curves(connection: Connection, sweep: str) -> dict[int, bytes]:
    numbers = [trial.number for trial in stored.get_trials(connection, sweep)]
    found = {number: stored.get_curves(connection, sweep, number) for number in numbers}
    return {number: data for number, data in found.items() if data is not None}


def _packed(table: Table) -> bytes:
    header, arrays = to_arrays(table)
    return encode(header, arrays)


def _unpacked(data: bytes) -> Table:
    return from_arrays(*decode(data))
