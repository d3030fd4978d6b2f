"""A sweep that runs: it asks for points, has stacks of them trained, and tells what came of them."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch

from playground.catalogue.tables.table import Table
from playground.engine.engine import Engine
from playground.errors import ValidationFailed, problem_of
from playground.messages.stacks import RowTrained, StackRow
from playground.run.config import Config
from playground.storage import sweeps as stored
from playground.storage.store import Store
from playground.studies.sweeps.sampling import AT_ONCE, Sampling, grid_points
from playground.studies.sweeps.space import Point, applies, at_point
from playground.studies.sweeps.spec import Space, SweepSpec
from playground.studies.sweeps.stack import Stack, split
from playground.studies.sweeps.trial import Trial

log = logging.getLogger("playground.sweeps")

T = TypeVar("T")
SAVE_SECONDS = 0.25
"""How often trials that are over are written down."""


class Sweep:
    """What it comes to follows from what it was asked for, whenever and however often it was interrupted:
    points are asked for and values told in the order of the trials, and trials that are known are not
    trained again.
    """

    def __init__(
        self,
        row: stored.SweepRow,
        base: Config,
        space: Space,
        tables: dict[str, Table],
        known: Iterable[Trial] = (),
    ):
        self.id = row.id
        self.row = row
        self.spec = SweepSpec.model_validate(row.spec)
        self.base, self.space, self.tables = base, space, tables
        self.planned = self.spec.trials
        """Trials, of which a grid has one for each point at most."""
        if self.spec.sampler == "grid":
            self.planned = min(self.planned, grid_points(self.spec, space, base))
        self.trials: list[Trial] = []
        """In order of their numbers, as far as they have been asked for."""
        self.watchers: set[Watcher] = set()
        self.leaving = False
        """Whether the server stops: whoever follows is let go."""
        self._known = {trial.number: trial for trial in known if trial.over}
        self._unsaved: dict[int, Trial] = {}

    @property
    def done(self) -> int:
        """Trials that are over."""
        return sum(trial.over for trial in self.trials)

    @property
    def over(self) -> bool:
        return self.row.state in ("done", "failed", "cancelled")

    # --- Running ------------------------------------------------------------------------------------------

    async def run(self, engine: Engine, store: Store, workers: int) -> None:
        """To its end, unless it is cancelled."""
        await self._set(store, state="running", started=self.row.started or time.time())
        saving = asyncio.create_task(self._keep_saving(store))
        thread = ThreadPoolExecutor(1, "sampler", _one_thread)
        state, error = "done", None
        try:
            await self._drive(engine, workers, thread)
        except Exception as failure:
            log.exception("sweep %s failed", self.id)
            state, error = "failed", problem_of(failure).text.model_dump(mode="json")
        finally:
            saving.cancel()
            thread.shutdown(wait=False, cancel_futures=True)
        await self.save(store)
        await self._set(store, state=state, error=error, ended=time.time())

    async def _drive(self, engine: Engine, workers: int, thread: ThreadPoolExecutor) -> None:
        async def think(work: Callable[..., T], *args: Any) -> T:
            return await asyncio.get_running_loop().run_in_executor(thread, work, *args)

        sampling = await think(Sampling, self.spec, self.space, self.base)
        while (asked := len(self.trials)) < self.planned:
            points = await think(sampling.ask, min(AT_ONCE[self.spec.sampler], self.planned - asked))
            batch = [self._trial(asked + index, point) for index, point in enumerate(points)]
            self.trials += batch
            self._changed(batch)
            stacks = self._stacks(engine, workers, batch)
            try:
                for rung, until in enumerate(self.spec.rungs, 1):
                    await asyncio.gather(*(stack.train(until, self._dropped(stack)) for stack in stacks))
                    await think(self._look, sampling, batch, rung)
                    self._changed(batch)
            finally:
                for stack in stacks:
                    stack.close()
            await think(_tell, sampling, batch)

    def _trial(self, number: int, point: Point) -> Trial:
        if (known := self._known.get(number)) and known.point == point:
            return known
        seeds = tuple(range(self.base.seed, self.base.seed + self.spec.seeds))
        trial = Trial(number, point, seeds, started=time.time())
        try:
            config = trial.config = at_point(self.base, point, self.tables)
            trial.left_out = [path for path in point if not applies(config, path)]
        except ValidationFailed as failed:
            trial.state, trial.ended = "failed", time.time()
            trial.error = problem_of(failed).text.model_dump(mode="json")
        return trial

    def _stacks(self, engine: Engine, workers: int, batch: Sequence[Trial]) -> list[Stack]:
        count = self.spec.seeds
        rows = [
            StackRow(row=trial.number * count + place, config=trial.config, seed=seed)
            for trial in batch
            if not trial.over and trial.config
            for place, seed in enumerate(trial.seeds)
        ]
        return [Stack(engine, self.spec, part, self.tables, self._arrived) for part in split(rows, workers)]

    def _arrived(self, row: int, trained: RowTrained, table: np.ndarray) -> None:
        number, place = divmod(row, self.spec.seeds)
        trial = self.trials[number]
        trial.arrived(place, trained.end, trained.step, trained.columns, table)
        if len(self.spec.rungs) == 1 and trial.at_rung:
            self._measure(trial)
            trial.finish(pruned=False, now=time.time())
            self._changed([trial])

    def _measure(self, trial: Trial) -> None:
        objective = self.spec.objective
        trial.rungs.append(trial.measured(objective.metric, objective.maximizes))

    def _look(self, sampling: Sampling, batch: Sequence[Trial], rung: int) -> None:
        """At all trials of a batch that have come to a rung, in order: whose value is not worth going on with
        goes no further."""
        last = rung == len(self.spec.rungs)
        for trial in batch:
            if not trial.over:
                self._measure(trial)
            if len(trial.rungs) < rung:
                continue
            gives_up = not last and sampling.gives_up(trial.number, rung, trial.rungs[rung - 1])
            if not trial.over:
                if gives_up or last or trial.exhausted:
                    trial.finish(gives_up, time.time())
                else:
                    trial.go_on()

    def _dropped(self, stack: Stack) -> list[int]:
        return [row for row in stack.rows if self.trials[row // self.spec.seeds].over]

    # --- What others see and the database keeps -----------------------------------------------------------

    def _changed(self, trials: Iterable[Trial]) -> None:
        numbers = {trial.number: trial for trial in trials}
        self._unsaved |= numbers
        for watcher in self.watchers:
            watcher.tell(numbers)

    async def _keep_saving(self, store: Store) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self.save(store)
            except Exception:
                log.exception("trials of sweep %s could not be kept; they are tried again", self.id)

    async def save(self, store: Store) -> None:
        changed, self._unsaved = self._unsaved, {}
        rows = [trial.row(self.id) for trial in changed.values()]
        curves = {number: t.packed() for number, t in changed.items() if t.over and t.curves is not None}

        def write(connection: Any) -> None:
            stored.put_trials(connection, rows)
            stored.put_curves(connection, self.id, curves)

        try:
            if rows:
                await store.do(write)
        except BaseException:
            self._unsaved = changed | self._unsaved
            raise

    async def _set(self, store: Store, **values: Any) -> None:
        await store.do(stored.change, self.id, **values)
        self.now(**values)

    def leave(self) -> None:
        """The server stops; the sweep goes on with the next one."""
        self.leaving = True
        self.now()

    def now(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.row, name, value)
        for watcher in self.watchers:
            watcher.tell({})


class Watcher:
    """Who follows a sweep: what has changed since they last looked."""

    def __init__(self, sweep: Sweep):
        self._sweep = sweep
        self._numbers: dict[int, Trial] = {trial.number: trial for trial in sweep.trials}
        self._news = asyncio.Event()
        self._news.set()
        sweep.watchers.add(self)

    def tell(self, numbers: Mapping[int, Trial]) -> None:
        self._numbers |= numbers
        self._news.set()

    async def changed(self) -> list[Trial]:
        """Trials that have changed, once something has."""
        await self._news.wait()
        self._news.clear()
        changed, self._numbers = self._numbers, {}
        return list(changed.values())

    def leave(self) -> None:
        self._sweep.watchers.discard(self)


def _tell(sampling: Sampling, batch: Sequence[Trial]) -> None:
    for trial in batch:
        pruned, failed = trial.state == "pruned", trial.state == "failed"
        sampling.tell(trial.number, trial.value, pruned, failed)


def _one_thread() -> None:
    """A sampler's matrices are small: more threads only wait for one another."""
    torch.set_num_threads(1)
