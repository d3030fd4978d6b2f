"""Sessions that were here before the server started."""

from pydantic import TypeAdapter

from playground.engine.engine import Engine
from playground.messages.events import ChangeDone, Done, Moment, Result, SessionState, StepDone
from playground.messages.tables import load_tables
from playground.run.run import Run, TimelineEntry
from playground.run.validation import parse
from playground.session.checkpoints import Checkpoints
from playground.session.record import checkpoints_of, history_of, snapshot_of
from playground.session.session import Session
from playground.session.trail import Trail
from playground.session.uploads import Uploads
from playground.storage.sessions import Stored

_result: TypeAdapter[Result] = TypeAdapter(ChangeDone | StepDone | Done)


class Returned(Session):
    """As it was when it was last written: config, timeline, recorded lines ahead, weights, curves, speed,
    what the maps hold, whether it plays, its parent, the answers to its last commands. A worker trains it
    again up to the step that it had.

    Of the moments to go back to it has the last few. Of the snapshots along its run it has the last one: what
    is looked at further back is trained again from the start. Uploads that it does not use are gone.

    Raises `ValidationFailed` where this version of the playground does not know what it is made of.
    """

    def __init__(self, engine: Engine, uploads: Uploads, stored: Stored):
        row, tables = stored.row, load_tables(stored.uploads)
        left = row.ahead[len(row.ahead) - row.state["ahead"] :]
        ahead = [TimelineEntry.model_validate(entry) for entry in left]
        super().__init__(engine, uploads, row.config, ahead, tables=tables)
        for table in tables.values():
            uploads.put(table)
        self.key, self.key_hash, self.id = "", row.key_hash, row.id
        timeline = tuple(TimelineEntry.model_validate(entry) for entry in stored.lines)
        self.run, self.run_number = Run(parse(row.start, tables), timeline), row.state["run"]
        self._timeline_bytes = sum(len(entry.model_dump_json()) for entry in timeline)
        self.lockstep.name = row.state["lockstep"]
        self.history, self.family = history_of(stored), row.state["family"]
        if snapshot := snapshot_of(stored, self.run):
            self.trail = Trail([snapshot])
        state = SessionState(**{name: row.state[name] for name in SessionState.model_fields})
        self.step, self.epoch, self.parent = state.step, state.epoch, state.parent
        self._playing, self._speed, self._held, self._axes = (
            state.playing,
            state.speed,
            state.held,
            state.axes,
        )
        self._diverged, self._stuck = state.diverged, state.stuck
        self._checkpoints = Checkpoints(
            checkpoints_of(stored, tables),
            state.before_reset,
            [Moment(**moment) for moment in row.state["undone"]],
            row.state["checkpoint"],
        )
        answers = stored.answers.items()
        self.answers.remember(
            {name: (number, _result.validate_python(said)) for name, (number, said) in answers}
        )
