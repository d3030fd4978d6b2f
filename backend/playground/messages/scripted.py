"""What a worker says of scripted runs, which train in the background."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from playground.catalogue.component import FROZEN
from playground.messages.events import Divergence, Metrics
from playground.run.script import Mark, StoppedBy


class Message(BaseModel):
    model_config = ConfigDict(**{**FROZEN, "strict": False})  # JSON knows no tuples


class Progress(Message):
    """How far a scripted run is, of how many steps as far as one can tell."""

    type: Literal["progress"] = "progress"
    step: int
    epoch: float
    steps: int


class Marked(Message):
    """What the weights of a scripted run were at a step."""

    type: Literal["marked"] = "marked"
    mark: Mark


class Ended(Message):
    """A scripted run is at its end. Its snapshot is in the array `snapshot`, its weights in others, as
    `0.weight`."""

    type: Literal["ended"] = "ended"
    step: int
    epoch: float
    done: int
    metrics: Metrics
    stopped_by: StoppedBy | None = None
    """What ended it before its last step."""
    diverged: Divergence | None = None
    """Where it met NaN or infinity, if that is why; the weights are the last finite ones."""
