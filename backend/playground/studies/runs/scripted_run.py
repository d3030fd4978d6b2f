"""A scripted run that waits for a worker or trains on one: what is known of it, as its worker tells it."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import numpy as np
from safetensors.numpy import save as as_safetensors

from playground.catalogue.tables.table import Table
from playground.engine.engine import session_numbers
from playground.i18n import Text, say
from playground.messages import worker as messages
from playground.messages.codec import Arrays, as_array
from playground.messages.events import Divergence
from playground.messages.tables import pack
from playground.messages.worker import Background, Envelope, Event
from playground.run.run import TimelineEntry
from playground.run.run_file import MadeOn
from playground.run.script import StopRules, marked_lines
from playground.run.validation import parse
from playground.session.history import MEAN, MEASURED, History
from playground.storage.runs import RunRow

RUN_NUMBER = 1
ENDS = ("done", "failed", "cancelled")
"""The states in which nothing more happens."""


class ScriptedRun:
    """A `SessionClient` of the engine. `row` is what is known; `changed` is called when there is something to
    be written, with True where it cannot wait."""

    def __init__(
        self,
        row: RunRow,
        tables: Mapping[str, Table],
        changed: Callable[["ScriptedRun", bool], None],
        snapshot: bytes | None = None,
        history: History | None = None,
    ):
        self.id = row.id
        self.number = next(session_numbers)
        self.row = row
        self.owner = ""
        """Who asked for it: none of them has to wait until all runs of another have been trained."""
        self.tables = tables
        self.history = history or History(RUN_NUMBER)
        self.timeline = [TimelineEntry.model_validate(line, strict=False) for line in row.timeline]
        self.snapshot = snapshot
        self.weights: Arrays = {}
        """Those of the end."""
        self.cancelling = False
        self._made_on: Callable[[], MadeOn] | None = None
        self.closing = False
        """The server stops; it goes on with the next one."""
        self._changed = changed
        self._watchers: set[asyncio.Event] = set()

    # --- What it is ---------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        return self.row.step

    @property
    def ended(self) -> bool:
        return self.row.state in ENDS

    @property
    def applied(self) -> int:
        """Lines of the timeline that have taken effect."""
        return self.row.resume.get("applied", 0)

    async def watched(self) -> AsyncGenerator[None]:
        """One after each change that somebody may want to know of, until it has ended or the server stops."""
        told = asyncio.Event()
        told.set()
        self._watchers.add(told)
        try:
            while True:
                await told.wait()
                told.clear()
                yield
                if self.ended or self.closing:
                    return
        finally:
            self._watchers.discard(told)

    def tell(self) -> None:
        """Whoever watches looks at it."""
        for told in self._watchers:
            told.set()

    def files(self) -> dict[str, bytes]:
        """What is kept of it beside its row."""
        files = {"history": packed_history(self.history)}
        if self.snapshot:
            files["snapshot"] = self.snapshot
        if self.weights:
            files["weights"] = as_safetensors({name: array.copy() for name, array in self.weights.items()})
        return files

    # --- What becomes of it -------------------------------------------------------------------------------

    def begin(self, made_on: Callable[[], MadeOn]) -> None:
        """A worker has it; what trains is known when it has ended, for the kernel may have to be compiled."""
        self._made_on = made_on
        self.row.state = "running"
        self.row.started = self.row.started or time.time()
        self._note(at_once=True)

    def cancel(self) -> None:
        """It ends where it is, if it had not begun."""
        self.cancelling = True
        if self.row.state == "queued":
            self._finish("cancelled")

    def fail(self, reason: Text) -> None:
        self._finish("failed", reason)

    # --- A SessionClient of the engine --------------------------------------------------------------------

    def opening(self) -> tuple[messages.Open, Arrays]:
        """Raises `ValidationFailed`."""
        resume = self.row.resume if self.snapshot else {}
        done = resume.get("done", 0)
        headers, arrays = pack(self.tables)
        plan = Background(
            steps=None if self.row.epochs else self.row.steps,
            epochs=self.row.epochs,
            stop=StopRules.model_validate(self.row.stop or {}),
            marked=sorted(marked_lines(self.timeline)),
            least_loss=resume.get("least_loss"),
            waited=resume.get("waited", 0),
        )
        request = messages.Open(
            number=self.number,
            run=RUN_NUMBER,
            config=parse(self.row.config, self.tables),
            timeline=self.timeline[done:],
            done=done,
            background=plan,
            tables=headers,
        )
        return request, {**arrays, "snapshot": as_array(self.snapshot)} if self.snapshot else arrays

    def on_event(self, event: Envelope[Event]) -> None:
        arrays = event.arrays
        if self.ended:
            return
        match event.content:
            case messages.Samples(stride=stride, columns=columns):
                rows = arrays["samples"]
                self.history.add(stride, tuple(columns), rows)
                self.row.metrics = _metrics(columns, rows[MEAN, -1])
            case messages.Applied() as applied:
                self._apply(applied)
            case messages.Marked(mark=mark):
                others = [known for known in self.row.marks if known["step"] != mark.step]
                others.append(mark.model_dump(mode="json"))
                self.row.marks = sorted(others, key=lambda known: known["step"])
            case messages.Progress(step=step, epoch=epoch, steps=steps):
                self.row.step, self.row.epoch, self.row.steps = step, epoch, steps
                self.tell()
            case messages.Snapshot() as saved:
                self.snapshot = arrays["snapshot"].tobytes()
                self.row.resume = {
                    **self.row.resume,
                    "done": saved.done,
                    "least_loss": saved.least_loss,
                    "waited": saved.waited,
                }
                self._note()
            case messages.Ended() as ended:
                self._end(ended, arrays)
            case messages.SessionFailed(detail=detail):
                self.fail(say("run.failed", error=detail))
            case other:
                raise TypeError(f"a scripted run does not take {other.type}")

    def on_worker_lost(self) -> None:
        """The next one goes on from the snapshot."""

    def on_reopened(self) -> None:
        self._note()

    def end(self, reason: Text) -> None:
        self.fail(reason)

    # --- What its worker has told -------------------------------------------------------------------------

    def _apply(self, applied: messages.Applied) -> None:
        """Line `index` of the timeline has taken effect; it may be an early stop that nobody wrote down."""
        index = applied.index
        where = {"step": applied.step, "epoch": applied.epoch, "effect": applied.effect}
        if applied.best and not (index < len(self.timeline) and self.timeline[index].best):
            line = TimelineEntry(step=applied.step, best=applied.best, label=[say("label.early_stop")])
            self.timeline.insert(index, line)
        self.timeline[index] = self.timeline[index].model_copy(update=where)
        self.row.timeline = [line.model_dump(mode="json") for line in self.timeline]
        self.row.resume = {**self.row.resume, "applied": max(self.applied, index + 1)}
        self._note()
        self.tell()

    def _end(self, ended: messages.Ended, arrays: Arrays) -> None:
        row = self.row
        row.step, row.epoch, row.metrics = ended.step, ended.epoch, ended.metrics
        row.stopped_by = ended.stopped_by
        self.snapshot = arrays["snapshot"].tobytes()
        self.weights = {name: array for name, array in arrays.items() if name != "snapshot"}
        made_on = self._made_on and self._made_on().model_dump()
        row.resume = {"done": ended.done, "applied": ended.done, "made_on": made_on}
        if ended.diverged:
            self._finish("failed", _explained(ended.diverged))
        else:
            self._finish("cancelled" if self.cancelling else "done")

    def _finish(self, state: str, error: Text | None = None) -> None:
        self.row.state, self.row.ended = state, time.time()
        self.row.error = error and error.model_dump(mode="json")
        self._note(at_once=True)
        self.tell()

    def _note(self, at_once: bool = False) -> None:
        self._changed(self, at_once)


def _metrics(columns: Sequence[str], row: np.ndarray) -> dict[str, float | None]:
    """Of a sample (columns,), by name."""
    measured = zip(columns[MEASURED:], row[MEASURED:].tolist(), strict=True)
    return {name: None if math.isnan(value) else value for name, value in measured}


def _explained(diverged: Divergence) -> Text:
    said = {"code": diverged.code, "values": diverged.values, "text": diverged.detail}
    return say("run.diverged", step=diverged.step, reason=Text.model_validate(said))


def packed_history(history: History) -> bytes:
    """As it is kept: `History.unpacked` reads it."""
    packed = history.fresh(whole=True)
    assert packed
    return packed[1]


def progress(row: RunRow) -> float:
    """The share of a run that is done, as far as one can tell."""
    if row.state == "done":
        return 1.0
    return min(1.0, row.step / row.steps) if row.steps else 0.0


def known(row: RunRow) -> dict[str, Any]:
    """The columns of its row that its training changes."""
    names = (
        "state",
        "step",
        "epoch",
        "steps",
        "metrics",
        "marks",
        "resume",
        "timeline",
        "stopped_by",
        "error",
    )
    return {name: getattr(row, name) for name in (*names, "started", "ended")}
