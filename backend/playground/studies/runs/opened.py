"""A run becomes a live session."""

from playground import limits
from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.run.run import Run, TimelineEntry
from playground.run.validation import Tables, parse
from playground.session.checkpoints import Checkpoints
from playground.session.past import Past
from playground.session.registry import Registry
from playground.session.session import Session
from playground.session.trail import Snapshot, Trail
from playground.storage.runs import RunRow
from playground.studies.runs.runs import Runs
from playground.studies.runs.scripted_run import ENDS


async def opened(runs: Runs, registry: Registry, row: RunRow, step: int | None) -> Session:
    """A session at this step of it, or at its end; it is trained up to there where it was never kept.

    Raises `ValidationFailed` where that takes too many steps.
    """
    tables = await runs.tables(row.id)
    lines = [TimelineEntry.model_validate(line, strict=False) for line in row.timeline]
    snapshot = await runs.file(row.id, "snapshot")
    kept = snapshot is not None and row.state in ENDS and (step is None or step >= row.step)
    step = row.step if step is None else step
    behind = step - row.step if kept else step
    if behind > limits.TRAIN_STEPS:
        raise ValidationFailed(fault("step", say("rule.run_replay", limit=limits.TRAIN_STEPS)))
    if not kept:
        for table in tables.values():
            registry.uploads.put(table)
        return await registry.create(row.config, lines, step)
    assert snapshot is not None
    return await registry.resume(await _end(runs, row, lines[: row.resume["done"]], snapshot, tables, step))


async def _end(
    runs: Runs, row: RunRow, lines: list[TimelineEntry], snapshot: bytes, tables: Tables, step: int
) -> Past:
    """Where the run ended, to be trained on from there up to this step."""
    timeline = tuple(line.model_copy(update={"checkpoint": None}) for line in lines)
    run = Run(parse(row.config, tables), timeline)
    history = (await runs.history(row.id)).copy(1)
    return Past(run, step, history, Trail([Snapshot(run, row.step, snapshot)]), Checkpoints(), tables)
