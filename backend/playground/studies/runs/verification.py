"""A run as a file is replayed, and its weights are compared at the marks. No server takes part."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isclose
from typing import Any

from playground import __version__
from playground.engine.local import LocalEngine
from playground.run.run import Run
from playground.run.run_file import MadeOn, RunFile
from playground.run.script import Mark
from playground.run.validation import Tables, parse
from playground.storage.runs import RunRow
from playground.studies.runs.scripted_run import ScriptedRun

NEAR = 1e-3
"""Relative difference of two losses up to which a run that another kind of device made is called alike."""


@dataclass(frozen=True)
class Verdict:
    """What came of a replay."""

    file: RunFile
    here: MadeOn
    agreed: tuple[Mark, ...]
    """The marks up to the first difference, in order."""
    differs: Mark | None
    """The first mark that the replay does not have."""
    steps: int
    """As far as the replay came."""
    metrics: dict[str, float | None]
    error: str = ""
    """Why the replay did not come to its end."""

    @property
    def confirmed(self) -> bool:
        return self.differs is None and not self.error

    @property
    def same_maker(self) -> bool:
        """Whether the bits have to be the same: the same kind of device, trainer and version."""
        return (self.file.made_on, self.file.made_by) == (self.here, __version__)

    @property
    def near(self) -> bool:
        """Whether the losses at the end are nearly the same."""
        pairs = [
            (self.file.metrics.get(name), self.metrics.get(name)) for name in ("train_loss", "test_loss")
        ]
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        return bool(known) and all(isclose(a, b, rel_tol=NEAR, abs_tol=NEAR) for a, b in known)


async def verify(
    file: RunFile, tables: Tables, device: str = "auto", told: Callable[[float], Any] = lambda share: None
) -> Verdict:
    """Replays the file on a worker of its own; `told` hears the share that is done.

    Raises `ValidationFailed` for a config or a timeline that is none, pydantic's error for a line.
    """
    run = _replay(file, tables)
    engine = LocalEngine(1, device)
    await engine.start()
    try:
        await engine.open(run, lambda _: run.begin(lambda: engine.made_on))
        async for _ in run.watched():
            told(run.row.step / max(1, file.steps))
        return _verdict(file, run, engine.made_on)
    finally:
        await engine.stop()


def _replay(file: RunFile, tables: Tables) -> ScriptedRun:
    config = parse(file.config, tables)
    for _ in Run(config, file.entries).replay(tables):
        pass  # a line that does not fit is named
    row = RunRow(
        id="verify",
        key_hash="",
        state="queued",
        created=0.0,
        config=file.config,
        timeline=[entry.model_dump(mode="json") for entry in file.entries],
        steps=file.steps,
    )
    return ScriptedRun(row, tables, lambda run, at_once: run.tell())


def _verdict(file: RunFile, run: ScriptedRun, here: MadeOn) -> Verdict:
    row = run.row
    found = {mark["step"]: mark["sha256"] for mark in row.marks}
    wanted = sorted(file.marks, key=lambda mark: mark.step)
    differs = next((mark for mark in wanted if found.get(mark.step) != mark.sha256), None)
    agreed = tuple(wanted[: wanted.index(differs)] if differs else wanted)
    error = str(row.error["text"]) if row.error else ""
    return Verdict(file, here, agreed, differs, row.step, row.metrics, error)
