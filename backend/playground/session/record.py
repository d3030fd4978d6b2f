"""What the database has of a session, and what has come since."""

from collections.abc import Mapping
from time import monotonic, time
from typing import Any

from playground.catalogue.tables.table import Table
from playground.messages.codec import as_array, decode, encode
from playground.messages.events import Moment
from playground.messages.tables import save_tables
from playground.run.config import Config
from playground.run.run import Run, TimelineEntry
from playground.run.validation import parse
from playground.session.answers import REMEMBERED
from playground.session.checkpoints import Checkpoint
from playground.session.history import History
from playground.session.session import Session
from playground.session.trail import Snapshot
from playground.storage.sessions import Changes, SessionRow, Stored

SNAPSHOT_BYTES_PER_SECOND = 500_000
SNAPSHOT_EVERY = (1.0, 20.0)
"""Seconds between two snapshots that are written, by their size. Those of large networks are rare: the steps
since the last one are trained again."""
HISTORY_PARTS = 40
"""Parts of a history after which it is written anew, in one."""
CHECKPOINTS = 8
"""The last moments that one can go back to after the server was restarted."""

SNAPSHOT, HISTORY, CHECKPOINT = "snapshot", "history", "checkpoint"


class Record:
    """All of it is written at first, when another run begins, and after a failure; then what is new."""

    def __init__(self, session: Session, stored: Stored | None = None):
        self.session = session
        self._created = stored.row.created if stored else time()
        self._whole = True
        self._run = session.run_number
        self._lines = 0
        self._answers = 0
        self._parts = 0
        self._values: dict[str, Any] = {}
        """Columns of its row that change, as they were written."""
        self._dumped: tuple[Config | None, dict[str, Any]] = None, {}
        self._snapshot: Snapshot | None = None
        self._snapshot_due = 0.0
        self._checkpoints: set[int] = set()
        self._uploads: set[str] = set()

    def failed(self) -> None:
        """What was to be written last was not."""
        self._whole = True

    def changes(self, files: bool) -> Changes | None:
        """What is new, for `sessions.write`; without `files` only what a command brings. The next call is
        about what comes from now on. None where there is nothing, or while the session only looks back."""
        session = self.session
        if session.passing:
            return None
        whole = self._whole = self._whole or session.run_number != self._run
        if whole:
            self._forget()
        changes = Changes(id=session.id)
        values = {"config": self._config(), "state": self._state()}
        changes.values = {name: value for name, value in values.items() if value != self._values.get(name)}
        if whole:
            changes.row = SessionRow(
                id=session.id,
                key_hash=session.key_hash,
                created=self._created,
                saved=time(),
                start=session.run.config.model_dump(mode="json"),
                ahead=[line.entry.model_dump(mode="json") for line in session.ahead],
                **values,
            )
        changes.first, changes.lines = self._lines, self._new_lines()
        changes.answers = self._new_answers()
        changes.uploads = save_tables(self._new_uploads())
        self._add_checkpoints(changes)
        if files or whole:
            self._add_files(changes)
            changes.forgotten = max(0, self._answers - REMEMBERED)
        self._values, self._whole = values, False
        new = (changes.row, changes.values, changes.lines, changes.answers, changes.files, changes.gone)
        if not any(new):
            return None
        changes.values["saved"] = time()
        return changes

    def _config(self) -> dict[str, Any]:
        known, written = self._dumped
        if known is not self.session.config:
            known, written = self._dumped = self.session.config, self.session.config.model_dump(mode="json")
        return written

    def _state(self) -> dict[str, Any]:
        session, moments = self.session, self.session.present.checkpoints
        return {
            **session.state.model_dump(mode="json"),
            "run": session.run_number,
            "family": session.family,
            "lockstep": session.lockstep.name,
            "ahead": len(session.ahead),
            "undone": [moment.model_dump(mode="json") for moment in moments.undone],
            "checkpoint": moments.last,
        }

    def _forget(self) -> None:
        """Nothing of it is in the database, or it is another run."""
        self._values, self._run = {}, self.session.run_number
        self._lines = self._answers = self._parts = 0
        self._snapshot, self._snapshot_due = None, 0.0
        self._checkpoints, self._uploads = set(), set()

    def _new_lines(self) -> list[dict[str, Any]]:
        timeline = self.session.run.timeline
        new = [entry.model_dump(mode="json") for entry in timeline[self._lines :]]
        self._lines = len(timeline)
        return new

    def _new_answers(self) -> dict[str, tuple[int, dict[str, Any]]]:
        new = {
            name: (number, result.model_dump(mode="json"))
            for name, (number, result) in self.session.answers.given.items()
            if number > self._answers
        }
        self._answers = max((number for number, _ in new.values()), default=self._answers)
        return new

    def _new_uploads(self) -> dict[str, Table]:
        tables = self.session.present.tables
        new = {name: table for name, table in tables.items() if name not in self._uploads}
        self._uploads |= set(new)
        return new

    def _add_files(self, changes: Changes) -> None:
        session = self.session
        if part := session.history.fresh(whole=self._parts == 0 or self._parts > HISTORY_PARTS):
            whole, data = part
            if whole:
                changes.gone += [_part(number) for number in range(self._parts)]
                self._parts = 0
            changes.files[_part(self._parts)] = data
            self._parts += 1
        last = session.trail.last
        if last and last is not self._snapshot and monotonic() >= self._snapshot_due:
            least, most = SNAPSHOT_EVERY
            rest = min(most, max(least, len(last.data) / SNAPSHOT_BYTES_PER_SECOND))
            self._snapshot, self._snapshot_due = last, monotonic() + rest
            header = {"type": SNAPSHOT, "step": last.step, "lines": len(last.run.timeline)}
            changes.files[SNAPSHOT] = encode(header, {"data": as_array(last.data)})

    def _add_checkpoints(self, changes: Changes) -> None:
        """With the command that they lead back from: once it is answered, one can go back."""
        kept = self.session.present.checkpoints.newest(CHECKPOINTS)
        changes.gone += [f"{CHECKPOINT}.{number}" for number in self._checkpoints - kept.keys()]
        for number in kept.keys() - self._checkpoints:
            changes.files[f"{CHECKPOINT}.{number}"] = _packed_checkpoint(kept[number])
        self._checkpoints = set(kept)


def _part(number: int) -> str:
    return f"{HISTORY}.{number:04}"


def history_of(stored: Stored) -> History:
    """The curves that were written."""
    parts = [data for name, data in sorted(stored.files.items()) if name.startswith(f"{HISTORY}.")]
    return History.unpacked(parts, stored.row.state["run"])


def snapshot_of(stored: Stored, run: Run) -> Snapshot | None:
    """The last snapshot of this run that was written."""
    if SNAPSHOT not in stored.files:
        return None
    header, arrays = decode(stored.files[SNAPSHOT])
    return Snapshot(
        Run(run.config, run.timeline[: header["lines"]]), header["step"], arrays["data"].tobytes()
    )


def checkpoints_of(stored: Stored, tables: Mapping[str, Table]) -> list[Checkpoint]:
    """The moments to go back to that were written, in order."""
    packed = (data for name, data in stored.files.items() if name.startswith(f"{CHECKPOINT}."))
    found = [_unpacked_checkpoint(data, tables) for data in packed]
    return sorted(found, key=lambda checkpoint: checkpoint.moment.checkpoint)


def _packed_checkpoint(checkpoint: Checkpoint) -> bytes:
    header = {
        "type": CHECKPOINT,
        "moment": checkpoint.moment.model_dump(mode="json"),
        "start": checkpoint.run.config.model_dump(mode="json"),
        "timeline": [entry.model_dump(mode="json") for entry in checkpoint.run.timeline],
        "config": checkpoint.config.model_dump(mode="json"),
        "before_reset": checkpoint.before_reset and checkpoint.before_reset.model_dump(mode="json"),
    }
    _, history = checkpoint.history.copy(checkpoint.history.run).fresh() or (True, b"")
    return encode(header, {"snapshot": as_array(checkpoint.snapshot), "history": as_array(history)})


def _unpacked_checkpoint(data: bytes, tables: Mapping[str, Table]) -> Checkpoint:
    header, arrays = decode(data)
    timeline = tuple(TimelineEntry.model_validate(entry) for entry in header["timeline"])
    before_reset = header["before_reset"]
    return Checkpoint(
        Moment.model_validate(header["moment"]),
        Run(parse(header["start"], tables), timeline),
        parse(header["config"], tables),
        History.unpacked([arrays["history"].tobytes()], 0),
        arrays["snapshot"].tobytes(),
        before_reset and Moment.model_validate(before_reset),
    )
