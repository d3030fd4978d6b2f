"""What an engine and its workers say to one another of many networks that train in the background: stacks
of a sweep, and patches of a map of trainability."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from playground.catalogue.component import FROZEN
from playground.messages.events import Divergence
from playground.run.config import Config


class Message(BaseModel):
    model_config = ConfigDict(**{**FROZEN, "strict": False})  # JSON knows no tuples


# --- Requests ---------------------------------------------------------------------------------------------


class StackRow(Message):
    """One network of a stack."""

    row: int
    """Its number in the stack."""
    config: Config
    seed: int
    """Of its weights, mini-batches and dropout; the points are those of the config's own."""


class OpenStack(Message):
    """Train networks side by side, with the time that live sessions leave.

    Each trains up to `until`, and says by `RowTrained` what it has measured and that it is there. What a row
    trains depends on nothing but its config and its seed: after a worker's death the next one begins anew.
    """

    type: Literal["open_stack"] = "open_stack"
    number: int
    rows: list[StackRow]
    by_epochs: bool
    """Whether `every` and `until` are epochs, or else steps."""
    every: int
    until: int
    tables: list[dict[str, Any]] = []
    """Uploaded tables that the configs name; their columns are arrays (`pack`)."""


class GoOn(Message):
    """Train the rows of a stack further, up to `until`; those that are dropped are gone."""

    type: Literal["go_on"] = "go_on"
    until: int
    dropped: list[int] = []


class OpenPatch(Message):
    """Train networks that differ in learning rate and in the scale of their initial weights, number by
    number, `steps` steps each, and say by `PatchTrained` how each has learned."""

    type: Literal["open_patch"] = "open_patch"
    number: int
    configs: list[Config]
    """One for each scale that there is."""
    scales: list[int]
    """Of each network: which of these it starts from."""
    rates: list[float]
    """Of each network."""
    steps: int
    tables: list[dict[str, Any]] = []


# --- Events -----------------------------------------------------------------------------------------------


class RowEnd(StrEnum):
    """Why a row of a stack goes no further, for now or for ever."""

    UNTIL = "until"
    STOPPED = "stopped"
    """Early stopping has set in."""
    DIVERGED = "diverged"
    FAILED = "failed"


class RowTrained(Message):
    """A row of a stack has come to where it goes no further. The array `samples` is (points, columns)
    float64: what it has measured since it last said so; a second worker says it all again."""

    type: Literal["row_trained"] = "row_trained"
    row: int
    step: int
    columns: list[str]
    end: RowEnd
    diverged: Divergence | None = None
    detail: str = ""
    """What failed."""


class PatchTrained(Message):
    """How some networks of a patch have learned, from number `first` on: the array `measures` is (networks,)
    float32, as `trainability.measure`."""

    type: Literal["patch_trained"] = "patch_trained"
    first: int
    done: bool


StackRequest = OpenStack | GoOn | OpenPatch
StackEvent = RowTrained | PatchTrained
