"""A run as a file of a few KB: all that a replay takes, and what it has to come to."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from playground import __version__, limits
from playground.catalogue.component import FROZEN
from playground.run.run import TimelineEntry
from playground.run.script import Mark

LINE = {"step", "change", "weights", "best"}
"""What a replay takes of a line of a timeline; the rest are words."""
Metrics = dict[str, float | None]


class MadeOn(BaseModel):
    """What trained. The same run has the same bits on the same kind of device, by the same trainer."""

    model_config = ConfigDict(**{**FROZEN, "extra": "ignore"})
    device: str = Field(examples=["x86_64 znver4 AVX512"])
    """The kind of processor, or the name of a GPU."""
    trainer: str = Field(examples=["compiled"])
    """`compiled`, `reference` or `batched`."""


class RunFile(BaseModel):
    """A run to hand in or to keep: `playground verify` replays it and compares the weights."""

    model_config = ConfigDict(**{**FROZEN, "strict": False})
    kind: Literal["playground run"] = Field(default="playground run", examples=["playground run"])
    """What this file is."""
    version: Literal[1] = Field(default=1, examples=[1])
    """Of this format."""
    made_by: str = Field(default=__version__, examples=[__version__])
    """The version of the playground that wrote it."""
    made_on: MadeOn | None = Field(
        default=None, examples=[{"device": "x86_64 znver4 AVX512", "trainer": "compiled"}]
    )
    """What trained it, where that is known."""
    name: str = Field(default="", max_length=limits.RUN_NAME, examples=["Spiral with Adam"])
    """What it is called."""
    config: dict[str, Any] = Field(examples=[{"data": {"kind": "spiral"}, "seed": 7}])
    """The config that it begins with."""
    timeline: list[dict[str, Any]] = Field(
        default=[],
        max_length=limits.RUN_LINES,
        examples=[[{"step": 500, "change": {"optimizer": {"lr": 0.1}}}]],
    )
    """The changes that were made, without the words about them."""
    steps: int = Field(ge=0, le=limits.RUN_STEPS, examples=[2000])
    """Where it ends."""
    metrics: Metrics = Field(default={}, examples=[{"train_loss": 0.012, "test_loss": 0.03}])
    """How good it was then."""
    marks: list[Mark] = Field(min_length=1, max_length=limits.MARKED_LINES + 64)
    """What the weights were on the way, the end last."""

    @property
    def entries(self) -> tuple[TimelineEntry, ...]:
        """The lines of the timeline. Raises `ValidationError`."""
        return tuple(TimelineEntry.model_validate(line, strict=False) for line in self.timeline)


def lines_of(timeline: list[TimelineEntry] | tuple[TimelineEntry, ...]) -> list[dict[str, Any]]:
    """As they stand in a file."""
    return [
        entry.model_dump(mode="json", include=LINE, exclude_defaults=True) | {"step": entry.step}
        for entry in timeline
    ]
