"""A session that goes on from a moment of a run that was kept."""

from playground.engine.engine import Engine
from playground.session.past import Past
from playground.session.session import Session
from playground.session.uploads import Uploads


class Resumed(Session):
    """Weights, optimizer state, timeline and curves are those of the moment. If it lies before `past.step`, a
    worker trains it up to there first."""

    def __init__(self, engine: Engine, uploads: Uploads, past: Past):
        for table in past.tables.values():
            uploads.put(table)
        super().__init__(engine, uploads, past.run.config.model_dump(mode="json"), tables=past.tables)
        self.run, self.config, self.step = past.run, past.config, past.step
        self.history, self.epoch, self.trail = past.history, past.history.epoch, past.trail
