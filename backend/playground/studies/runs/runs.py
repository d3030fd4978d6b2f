"""The scripted runs of a server: asked for, trained in turn, kept in its database, found again."""

import asyncio
import base64
import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from playground.engine.engine import Engine
from playground.errors import Problem, RequestFailed, ValidationFailed, WorkerLost, fault
from playground.i18n import Text, say
from playground.keys import hash_of, id_of, new_key
from playground.messages import worker as messages
from playground.messages.tables import load_tables, save_tables
from playground.run.config import Config
from playground.run.patch import inverse
from playground.run.run import Run, TimelineEntry
from playground.run.script import StopRules
from playground.run.validation import Tables
from playground.session.history import History
from playground.session.labels import label
from playground.settings import Settings
from playground.storage import runs as rows
from playground.storage import uploads
from playground.storage.errors import StorageFailed
from playground.storage.runs import RunRow
from playground.storage.store import Store
from playground.studies.runs.saved import Saved
from playground.studies.runs.scripted_run import RUN_NUMBER, ScriptedRun, known

log = logging.getLogger("playground.runs")

WRITE_EVERY = 2.0
"""Seconds of training that a server that is killed loses, about."""
TRY_AGAIN = 2.0
"""Seconds after which a worker or a database that failed is asked again."""
CANCEL_SECONDS = 10.0
RETRY_AFTER = "60"


@dataclass
class Wanted:
    """A run that somebody asks for, checked."""

    run: Run
    tables: Tables
    steps: int | None = None
    epochs: int | None = None
    stop: StopRules = field(default_factory=StopRules)
    name: str = ""
    tags: Sequence[str] = ()
    note: str = ""
    parent: dict[str, Any] | None = None


class Runs:
    """At most `runs_at_once` a worker train at a time, the oldest of whoever has the fewest first."""

    def __init__(self, engine: Engine, store: Store, settings: Settings):
        self._engine = engine
        self._store = store
        self._settings = settings
        self._active: dict[str, ScriptedRun] = {}
        """Those that wait or train, and those whose end is not written yet."""
        self._training: set[str] = set()
        self._unsaved: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def start(self) -> None:
        """Goes on with those that a server before this one left."""
        self._closing = False
        for row in await self._store.do(rows.in_states, ["running", "queued"]):
            tables = await self.tables(row.id)
            snapshot = await self._store.do(rows.get_file, row.id, "snapshot")
            kept = await self._store.do(rows.get_file, row.id, "history")
            history = History.unpacked([kept], RUN_NUMBER) if kept else None
            row.state = "queued"
            self._active[row.id] = ScriptedRun(row, tables, self._changed, snapshot, history)
        self._fill()

    def shut_down(self) -> None:
        """Whoever waits for a run is let go; the runs go on with the next server."""
        self._closing = True
        for run in self._active.values():
            run.closing = True
            run.tell()

    async def stop(self) -> None:
        """After the engine: nothing is written any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- Asking for one -----------------------------------------------------------------------------------

    async def create(
        self, wanted: Wanted, owner: str = "", request: tuple[str, str] | None = None
    ) -> tuple[RunRow, str]:
        """A run that waits for its turn, and its key. `request` is a key to ask for it once, and the hash of
        what is asked.

        Raises `Problem` where too many wait, and `ValidationFailed` where another was asked for by this key.
        """
        key = key_of(request)
        if request and (asked := await self._store.do(rows.of_request, request[0])):
            return await self._same(asked, request), key
        if len(self._waiting) >= self._settings.max_runs_waiting:
            text = say("problem.too_many_runs", limit=self._settings.max_runs_waiting)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": RETRY_AFTER})
        row = _row(wanted, key)
        row.idempotency_key, row.request_hash = request or (None, None)
        if asked := await self._store.do(_add, row, wanted.tables):
            assert request
            return await self._same(asked, request), key
        run = ScriptedRun(row, wanted.tables, self._changed)
        run.owner = owner
        self._active[row.id] = run
        self._fill()
        return row, key

    async def _same(self, asked: RunRow, request: tuple[str, str]) -> RunRow:
        if asked.request_hash != request[1]:
            raise ValidationFailed(fault("Idempotency-Key", say("rule.idempotency_key")))
        return await self.get(asked.id)

    async def keep(self, made: Saved, labels: dict[str, Any]) -> tuple[RunRow, str]:
        """What a session has come to, and the key of that run."""
        key = key_of(None)
        row = made.called(id_of(hash_of(key)), hash_of(key), **labels)
        await self._store.do(_add, row, made.tables, made.files)
        return row, key

    # --- Finding them -------------------------------------------------------------------------------------

    def active(self, run: str) -> ScriptedRun | None:
        """The run, if it waits or trains."""
        return self._active.get(run)

    async def get(self, run: str) -> RunRow:
        """Raises `Problem` 404."""
        if active := self._active.get(run):
            return active.row
        row = await self._store.do(rows.get, run)
        if row is None:
            raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_run"))
        return row

    async def find(
        self, cursor: str | None, sort: str, limit: int, **wanted: str | None
    ) -> tuple[list[RunRow], str | None]:
        """A page of them, and where the next begins. Raises `ValidationFailed` for a cursor that is none."""
        after = _read_cursor(cursor, sort) if cursor else None
        found = await self._store.do(rows.find, sort=sort, after=after, limit=limit + 1, **wanted)
        column = sort.removeprefix("-")
        page = found[:limit]
        following = _cursor(sort, getattr(page[-1], column), page[-1].id) if len(found) > limit else None
        return [self._active[row.id].row if row.id in self._active else row for row in page], following

    async def history(self, run: str) -> History:
        """Its curves so far. Raises `Problem` 404."""
        if active := self._active.get(run):
            return active.history
        await self.get(run)
        kept = await self._store.do(rows.get_file, run, "history")
        return History.unpacked([kept], RUN_NUMBER) if kept else History(RUN_NUMBER)

    async def file(self, run: str, name: str) -> bytes | None:
        """Its `weights` as safetensors, or its `snapshot`, as far as they are kept."""
        if active := self._active.get(run):
            return active.files().get(name)
        return await self._store.do(rows.get_file, run, name)

    async def tables(self, run: str) -> dict[str, Any]:
        """The uploaded tables that it uses."""
        return load_tables(await self._store.do(uploads.used_by, "run", run))

    async def look(self, run: str, request: messages.Look) -> tuple[messages.Answer, Any] | None:
        """What a worker says of one that trains there; None where none does."""
        if run not in self._training:
            return None

        def settle(answer: messages.Envelope[messages.Event]) -> Any:
            return answer.content, answer.arrays

        with suppress(WorkerLost):
            return await self._engine.ask(run, request, settle)
        return None

    async def ended(self, run: str, seconds: float) -> None:
        """Once it has, or after so many seconds."""
        if active := self._active.get(run):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for _ in active.watched():
                        pass

    # --- Changing them ------------------------------------------------------------------------------------

    async def rename(self, run: str, **values: Any) -> RunRow:
        """Another name, other tags, another note."""
        row = await self.get(run)
        await self._store.do(rows.change, run, **values)
        for name, value in values.items():
            setattr(row, name, value)
        return row

    async def remove(self, run: str) -> None:
        """It is cancelled; or it is gone, if it had ended."""
        active = self._active.get(run)
        if active and not active.ended:
            active.cancel()
            self._engine.tell(run, messages.Cancel())
            await self.ended(run, CANCEL_SECONDS)
        else:
            self._active.pop(run, None)
            await self._store.do(rows.remove, run)

    # --- Training -----------------------------------------------------------------------------------------

    @property
    def _waiting(self) -> list[ScriptedRun]:
        queued = (run for run in self._active.values() if run.row.state == "queued")
        return [run for run in queued if run.id not in self._training]

    def _fill(self) -> None:
        """Begins as many as may train."""
        most = self._settings.runs_at_once * self._settings.worker_count
        while len(self._training) < most and not self._closing:
            if not (waiting := self._waiting):
                return
            busy = Counter(self._active[run].owner for run in self._training if run in self._active)
            run = min(waiting, key=lambda run: (run.snapshot is None, busy[run.owner], run.row.created))
            self._training.add(run.id)
            self._spawn(self._train(run))

    async def _train(self, run: ScriptedRun) -> None:
        try:
            await self._engine.open(run, lambda _: run.begin(lambda: self._engine.made_on))
        except ValidationFailed as failed:
            first = failed.errors[0]
            rule = Text.model_validate({"code": first.code, "values": first.values, "text": first.message})
            run.fail(say("run.refused", field=first.field, rule=rule))
        except RequestFailed as failed:
            run.fail(say("run.failed", error=str(failed)))
        except WorkerLost:
            if not self._closing:
                await asyncio.sleep(TRY_AGAIN)
                self._training.discard(run.id)
                self._fill()
        if run.ended:
            self._let_go(run)

    def _changed(self, run: ScriptedRun, at_once: bool) -> None:
        """There is something to be written."""
        if run.cancelling and not run.ended:
            self._engine.tell(run.id, messages.Cancel())
        if run.ended:
            self._let_go(run)
        if run.id not in self._unsaved:
            self._unsaved[run.id] = asyncio.Event()
            self._spawn(self._write(run, self._unsaved[run.id]))
        if at_once:
            self._unsaved[run.id].set()

    def _let_go(self, run: ScriptedRun) -> None:
        if run.id in self._training:
            self._training.discard(run.id)
            self._engine.close(run.id)
            self._fill()

    async def _write(self, run: ScriptedRun, urgent: asyncio.Event) -> None:
        """Writes it down soon, with what else comes until then; until the database takes it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(urgent.wait(), WRITE_EVERY)
        del self._unsaved[run.id]
        while True:
            try:
                await self._store.do(rows.save, run.id, known(run.row), run.files())
                break
            except StorageFailed:
                await asyncio.sleep(TRY_AGAIN)
        if run.ended and run.id not in self._unsaved:
            self._active.pop(run.id, None)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def key_of(request: tuple[str, str] | None) -> str:
    """The key of a run: who asks for it again with the same request gets the same."""
    if request is None:
        return new_key()
    digest = hashlib.sha256("\0".join(("a run", *request)).encode()).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def _row(wanted: Wanted, key: str) -> RunRow:
    """Raises `ValidationFailed` for a timeline that does not fit."""
    return RunRow(
        id=id_of(hash_of(key)),
        key_hash=hash_of(key),
        state="queued",
        created=time.time(),
        config=wanted.run.config.model_dump(mode="json"),
        timeline=[entry.model_dump(mode="json") for entry in wanted.run.timeline],
        steps=wanted.steps,
        epochs=wanted.epochs,
        stop=wanted.stop.model_dump(mode="json"),
        name=wanted.name,
        tags=list(wanted.tags),
        note=wanted.note,
        parent=wanted.parent,
    )


def labelled(config: Config, timeline: Sequence[TimelineEntry], tables: Tables) -> Run:
    """The run, with words for each line of its timeline. Raises `ValidationFailed`, naming the line."""
    lines = []
    replayed = Run(config, tuple(timeline)).replay(tables)
    for entry in timeline:
        if not entry.best:
            line = next(replayed)
            words = [say("label.weights")] if entry.weights else label(line.before, line.after)
            entry = entry.model_copy(update={"label": words, "undo": inverse(line.before, line.after)})
        lines.append(entry)
    return Run(config, tuple(lines))


def _add(
    connection: Any, row: RunRow, tables: Tables, files: dict[str, bytes] | None = None
) -> RunRow | None:
    """Writes it down, unless there is one that was asked for by the same key: that one."""
    if row.idempotency_key and (asked := rows.of_request(connection, row.idempotency_key)):
        return asked
    rows.add(connection, row)
    uploads.keep(connection, "run", row.id, save_tables(tables))
    for name, data in (files or {}).items():
        rows.put_file(connection, row.id, name, data)
    return None


def _cursor(sort: str, value: Any, run: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, value, run]).encode()).decode()


def _read_cursor(cursor: str, sort: str) -> tuple[Any, str]:
    try:
        made_for, value, run = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError):
        made_for = run = value = None
    plain = value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))
    if made_for != sort or not isinstance(run, str) or not plain:
        raise ValidationFailed(fault("cursor", say("rule.cursor")))
    return value, run
