"""The file of a run, that `playground verify` replays."""

from playground.run.run import TimelineEntry
from playground.run.run_file import MadeOn, RunFile, lines_of
from playground.run.script import Mark
from playground.storage.runs import RunRow


def file_of(row: RunRow) -> RunFile:
    """Of a run that has ended, with the lines of its timeline that took effect."""
    done = [TimelineEntry.model_validate(line, strict=False) for line in row.timeline[: row.resume["done"]]]
    made_on = row.resume.get("made_on")
    return RunFile(
        made_on=MadeOn.model_validate(made_on) if made_on else None,
        name=row.name,
        config=row.config,
        timeline=lines_of(done),
        steps=row.step,
        metrics=row.metrics,
        marks=[Mark.model_validate(mark) for mark in row.marks],
    )
