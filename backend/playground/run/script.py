"""A scripted run: a run with an end, the rules that may end it sooner, and the marks that prove a replay."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from playground import limits
from playground.catalogue.component import FROZEN
from playground.run.run import TimelineEntry

StoppedBy = Literal["loss_below", "accuracy_above", "patience", "early_stopping"]
"""What ended a run before its last step: a rule of its own, or the early stopping of its config."""


class StopRules(BaseModel):
    """When a run ends sooner. It is looked at when an epoch ends: on the test points, or else on the training
    points."""

    model_config = ConfigDict(**{**FROZEN, "strict": False})
    loss_below: float | None = Field(default=None, gt=0, examples=[0.05])
    """The loss is below this."""
    accuracy_above: float | None = Field(default=None, ge=0, lt=1, examples=[0.98])
    """The share of points that are classified right is above this; never, where there are no classes."""
    patience: int | None = Field(default=None, ge=1, le=100_000, examples=[50])
    """The loss has not fallen for so many epochs. The weights stay those of the end: `stopping` of the config
    takes the best ones back."""


NO_RULES = StopRules()


@dataclass(frozen=True)
class Waited:
    """What the patience of a run has seen."""

    loss: float = inf
    """The least loss."""
    epochs: int = 0
    """Since then."""

    def after(self, loss: float) -> "Waited":
        """One epoch more, which ended with this loss."""
        return Waited(loss) if loss < self.loss else replace(self, epochs=self.epochs + 1)


class Mark(BaseModel):
    """What the weights were at a step, so that a replay can be compared."""

    model_config = ConfigDict(**{**FROZEN, "strict": False})
    step: int = Field(ge=0, examples=[512])
    """After so many steps, before the changes that were made there; at the end of the run after them."""
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    """Of the weights, then the running statistics, as little-endian float32."""


def weights_hash(weights: np.ndarray, buffers: np.ndarray) -> str:
    """Of weights (R, P) and running statistics (R, B) in the order of a state: SHA-256 over their bytes as
    little-endian float32, in hex. The one definition of a mark."""
    digest = hashlib.sha256()
    for array in (weights, buffers):
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()


def marked_lines(timeline: Iterable[TimelineEntry]) -> frozenset[int]:
    """The steps of the first changes, which have marks of their own; powers of two have them, too."""
    steps = dict.fromkeys(entry.step for entry in timeline if not entry.best)
    return frozenset(list(steps)[: limits.MARKED_LINES])


def next_mark(step: int, lines: frozenset[int]) -> int:
    """The first step after this one that has a mark."""
    power = max(limits.FIRST_MARK, 1 << step.bit_length())
    return min([power, *(line for line in lines if line > step)])
