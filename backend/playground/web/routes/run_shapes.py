"""What is asked for with a scripted run, and what is told of one."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from playground import limits
from playground.errors import broken
from playground.i18n import Text, say
from playground.messages.events import METRICS_EXAMPLE, Metrics
from playground.run.config import Config
from playground.run.migrations import upgraded
from playground.run.run import TimelineEntry
from playground.run.script import Mark, StoppedBy, StopRules
from playground.storage.runs import RunRow
from playground.studies.runs.scripted_run import progress
from playground.web.routes.sessions import EXAMPLE_CONFIG, EXAMPLE_ENTRY
from playground.web.routes.shape import Shape

State = Literal["queued", "running", "done", "failed", "cancelled"]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=limits.RUN_TAG, strip_whitespace=True)]
EXAMPLE_ERROR = {
    "code": "run.failed",
    "values": {"error": "MemoryError"},
    "text": "Training failed: MemoryError",
}


class Labels(Shape):
    """What people call a run."""

    name: str = Field(default="", max_length=limits.RUN_NAME, examples=["Spiral with Adam"])
    """A few words."""
    tags: list[Tag] = Field(default=[], max_length=limits.RUN_TAGS, examples=[["spiral", "lesson 3"]])
    """To find it by."""
    note: str = Field(default="", max_length=limits.RUN_NOTE, examples=["Learns it in 40 epochs."])
    """Anything."""

    @field_validator("name", "note", mode="before")
    @classmethod
    def nothing_is_empty(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("tags")
    @classmethod
    def each_once(cls, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tags))


class NewRun(Labels):
    """What to train, up to where. Whatever is left out has its default."""

    config: dict[str, Any] = Field(
        default={},
        examples=[{"data": {"kind": "spiral", "noise": 0.1}, "optimizer": {"kind": "adam", "lr": 0.03}}],
    )
    """A config, or a part of one, as a new session takes it."""
    timeline: list[TimelineEntry] = Field(
        default=[],
        max_length=limits.RUN_LINES,
        examples=[[{"step": 500, "change": {"optimizer": {"lr": 0.01}}}]],
    )
    """Changes to make on the way, in order of their steps: a merge patch of the config, or `weights`."""
    steps: int | None = Field(default=None, ge=1, le=limits.RUN_STEPS, examples=[2000])
    """Train so many steps; this or `epochs`."""
    epochs: int | None = Field(default=None, ge=1, le=limits.RUN_STEPS, examples=[None])
    """Train so many passes over the training set, with the mini-batches of then."""
    stop: StopRules | None = Field(default=None, examples=[{"loss_below": 0.05}])
    """What may end it sooner. Early stopping in the config ends it, too."""

    @model_validator(mode="after")
    def exactly_one(self) -> "NewRun":
        if (self.steps is None) == (self.epochs is None):
            raise broken(say("rule.one_amount"))
        return self


class NewLabels(Shape):
    """What is to be called otherwise; what is left out stays."""

    name: str | None = Field(default=None, max_length=limits.RUN_NAME, examples=["The best one"])
    """A few words."""
    tags: list[Tag] | None = Field(default=None, max_length=limits.RUN_TAGS, examples=[["best"]])
    """All of its tags."""
    note: str | None = Field(default=None, max_length=limits.RUN_NOTE, examples=["Show this one."])
    """Anything."""


class RunParent(Shape):
    """Where a run comes from."""

    session: str | None = Field(default=None, examples=["9f3c01ab77"])
    """The session that it was saved from."""
    run: str | None = Field(default=None, examples=[None])
    """The run that it branched off."""
    step: int = Field(examples=[2000])
    """Of it, when it was saved."""


class RunSummary(Shape):
    """A run, without what is long."""

    id: str = Field(examples=["5f0c2c9a41d7"])
    """Its name in every other call."""
    name: str = Field(examples=["Spiral with Adam"])
    """What people call it."""
    tags: list[str] = Field(examples=[["spiral"]])
    """To find it by."""
    note: str = Field(examples=[""])
    """Anything."""
    state: State = Field(examples=["done"])
    """`queued` until a worker has time, `running`, and then `done`, `failed` or `cancelled`."""
    step: int = Field(examples=[2000])
    """How far it is."""
    steps: int | None = Field(examples=[2000])
    """Where it ends, as far as one can tell; null until epochs have been counted."""
    epochs: int | None = Field(examples=[None])
    """The epochs that were asked for, if it was epochs."""
    epoch: float = Field(examples=[80.0])
    """The same moment in passes over the training set."""
    progress: float = Field(ge=0, le=1, examples=[1.0])
    """The share that is done."""
    metrics: Metrics = Field(examples=[METRICS_EXAMPLE])
    """How good it is; at the end measured there, on the way that of the last sample of the curves."""
    stopped_by: StoppedBy | None = Field(examples=[None])
    """What ended it sooner."""
    created: float = Field(examples=[1790000000.0])
    """Seconds since 1970: when it was asked for."""
    started: float | None = Field(examples=[1790000001.5])
    """When it began to train."""
    ended: float | None = Field(examples=[1790000003.0])
    """When it ended."""
    error: Text | None = Field(examples=[EXAMPLE_ERROR])
    """Why it failed."""
    parent: RunParent | None = Field(examples=[None])
    """Where it comes from, if it was saved from a session."""


class RunShape(RunSummary):
    """A run at this moment."""

    config: Config = Field(examples=[EXAMPLE_CONFIG])
    """The config that it begins with, whole."""
    timeline: list[TimelineEntry] = Field(examples=[[EXAMPLE_ENTRY]])
    """Its changes; those that have taken effect say what they did."""
    stop: StopRules = Field(examples=[{"loss_below": 0.05}])
    """What may end it sooner."""
    marks: list[Mark]
    """What the weights were on the way: when the steps have doubled, at the first changes, and at the end."""


class CreatedRun(RunShape):
    """A new run, and the key that lets you change it."""

    key: str = Field(examples=["kJ0vTg2hN5c1xw0m3yQ4a8Zr5sUe7PbL"])
    """Goes into `Authorization: Bearer …` of what changes it, cancels or removes it. It is shown this once,
    and to whoever asks again with the same `Idempotency-Key`."""


class RunPage(Shape):
    """Some of the runs."""

    items: list[RunSummary]
    """In the order that was asked for."""
    next: str | None = Field(examples=[None])
    """`cursor` of the next page; null on the last."""


class RunMoment(Shape):
    """A moment of a run."""

    step: int | None = Field(default=None, ge=0, le=limits.RUN_STEPS, examples=[500])
    """Its step; its end if left out. What it was then is trained again, at full speed."""


def summary_of(row: RunRow) -> RunSummary:
    return RunSummary(**_summary(row))


def shape_of(row: RunRow) -> RunShape:
    return RunShape(
        **_summary(row),
        config=Config.model_validate(upgraded(row.config)),
        timeline=[TimelineEntry.model_validate(entry, strict=False) for entry in row.timeline],
        stop=StopRules.model_validate(row.stop or {}),
        marks=[Mark.model_validate(mark) for mark in row.marks],
    )


def _summary(row: RunRow) -> dict[str, Any]:
    same = ("id", "name", "tags", "note", "state", "step", "steps", "epochs", "epoch", "metrics")
    times = ("stopped_by", "created", "started", "ended", "error", "parent")
    return {name: getattr(row, name) for name in (*same, *times)} | {"progress": progress(row)}
