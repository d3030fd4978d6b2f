"""A live session becomes a run."""

import time
from dataclasses import dataclass, replace

import numpy as np
from safetensors.numpy import save as as_safetensors

from playground.messages import worker as messages
from playground.messages.codec import Arrays, decode
from playground.run.run_file import MadeOn
from playground.run.script import Mark, weights_hash
from playground.run.validation import Tables
from playground.session.session import Session
from playground.storage.runs import RunRow
from playground.studies.runs.scripted_run import packed_history


@dataclass(frozen=True)
class Saved:
    """A session at this moment, as a run that has ended; without an id and a key."""

    row: RunRow
    files: dict[str, bytes]
    tables: Tables

    def called(self, run: str, key_hash: str, **labels: object) -> RunRow:
        """The row of a run of this id."""
        return replace(self.row, id=run, key_hash=key_hash, **labels)


async def saved(session: Session, made_on: MadeOn) -> Saved:
    """Config, timeline, weights and curves of the session, all of one moment."""

    def settle(answer: messages.Answer, arrays: Arrays) -> Saved:
        return _of(session, answer, arrays, made_on)

    return await session.read(messages.ReadMoment(), settle)


def _of(session: Session, answer: messages.Answer, arrays: Arrays, made_on: MadeOn) -> Saved:
    now = answer.earlier
    assert now
    snapshot = arrays["earlier"].tobytes()
    weights = {name: np.array(array) for name, array in arrays.items() if name != "earlier"}
    _, state = decode(snapshot)
    mark = Mark(step=now.step, sha256=weights_hash(state["weights"], state["buffers"]))
    present, moment = session.present, time.time()
    lines = present.run.timeline[: now.done]
    row = RunRow(
        id="",
        key_hash="",
        state="done",
        created=moment,
        started=moment,
        ended=moment,
        config=present.run.config.model_dump(mode="json"),
        timeline=[line.model_dump(mode="json") for line in lines],
        steps=now.step,
        step=now.step,
        epoch=now.epoch,
        metrics=answer.metrics or {},
        marks=[mark.model_dump(mode="json")],
        parent={"session": session.id, "step": now.step},
        resume={"done": len(lines), "applied": len(lines), "made_on": made_on.model_dump()},
    )
    history = present.history.copy(1, before=now.samples)
    files = {"snapshot": snapshot, "history": packed_history(history), "weights": as_safetensors(weights)}
    return Saved(row, files, present.tables)
