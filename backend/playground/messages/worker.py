"""What an engine and its workers say to one another: orders down, reports up, a closed union each.

Both are binary messages (`protocol.encode`): the fields are the header, big things ride as arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from playground.messages.protocol import Arrays, Diverged, FieldProblem, Speed, WeightsEdit, decode, encode
from playground.catalogue.tables import Table, from_arrays, to_arrays


class Letter(BaseModel):
    """An order or a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Size(NamedTuple):
    """A variant of a session's frames: cells along the side of a neuron's map and of the output's."""

    neurons: int
    output: int


class Deed(Letter):
    """A line of a timeline as a worker needs it: at this step, a merge patch, or weights set by hand."""

    step: int
    change: dict[str, Any] = {}
    weights: WeightsEdit | None = None


# --- Orders -----------------------------------------------------------------------------------------------


class Open(Letter):
    """Take in a session: from its config and timeline, or from the snapshot in the array `snapshot`.

    The worker trains up to step `until` at once, before it obeys any other order for the session: after a
    worker's death that is the step which the viewers have seen.
    """

    type: Literal["open"] = "open"
    number: int
    run: int
    config: dict[str, Any]
    deeds: list[Deed] = []
    done: int = 0
    """How many deeds of the run lie before the snapshot; `deeds` holds those after it."""
    until: int = 0
    playing: bool = False
    speed: Speed
    frame: int = 0
    """Number of the last frame that was sent."""
    tables: list[dict[str, Any]] = []
    """Uploaded tables that the config or the deeds name; their columns are arrays (`pack`)."""


class Close(Letter):
    type: Literal["close"] = "close"


class Want(Letter):
    """One frame of this size, once there is something new to see; `fresh`: at once."""

    type: Literal["want"] = "want"
    size: Size
    fresh: bool = False


class SetPlaying(Letter):
    type: Literal["playing"] = "playing"
    playing: bool


class Pace(Letter):
    type: Literal["pace"] = "pace"
    speed: Speed


class Restart(Letter):
    """A new run from step 0 with the config of now."""

    type: Literal["restart"] = "restart"
    run: int


class Advance(Letter):
    """Train this much more of this run at once; up to step `until` where that is known.

    In another run it is answered at once: whoever asked meant the run before the reset.
    """

    type: Literal["advance"] = "advance"
    run: int
    steps: int | None = None
    epochs: int | None = None
    until: int | None = None


class Desist(Letter):
    """Nobody waits any longer for the training that was asked for: it ends here."""

    type: Literal["desist"] = "desist"


class Apply(Letter):
    """Do this now; its step is ignored. What is left of a recorded timeline is dropped."""

    type: Literal["apply"] = "apply"
    deed: Deed
    tables: list[dict[str, Any]] = []


class Look(Letter):
    """Step, epoch and metrics of this moment."""

    type: Literal["look"] = "look"


class LookAtMaps(Letter):
    type: Literal["maps"] = "maps"
    size: int


class LookAtWeights(Letter):
    type: Literal["weights"] = "weights"


Order = (
    Open
    | Close
    | Want
    | SetPlaying
    | Pace
    | Restart
    | Advance
    | Desist
    | Apply
    | Look
    | LookAtMaps
    | LookAtWeights
)
_order: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="type")])


# --- Reports ----------------------------------------------------------------------------------------------


class Ready(Letter):
    """The first report of a worker."""

    type: Literal["ready"] = "ready"
    pid: int
    device: str


class Done(Letter):
    """The answer to an order: where the session is now, and what came of it."""

    type: Literal["done"] = "done"
    step: int
    epoch: float
    effect: list[str] = []
    problem: dict[str, Any] | None = None
    """Set when the data have changed."""
    metrics: dict[str, Any] | None = None
    diverged: Diverged | None = None
    """Why training that was asked for ended early, if that is why."""


class Failed(Letter):
    """The answer to an order that was not obeyed; `faults` is empty when it was not the sender's doing."""

    type: Literal["failed"] = "failed"
    detail: str
    faults: list[FieldProblem] = []


class Applied(Letter):
    """Deed number `index` of the recorded timeline has been done."""

    type: Literal["applied"] = "applied"
    index: int
    step: int
    epoch: float
    effect: list[str]
    problem: dict[str, Any] | None = None


class Samples(Letter):
    """Rows of the history, as in `protocol`'s metrics message: the array `samples` is (rows, columns)."""

    type: Literal["samples"] = "samples"
    run: int
    stride: int
    columns: list[str]


class Frame(Letter):
    """A frame for the browser, ready to forward, in the array `message`."""

    type: Literal["frame"] = "frame"
    size: Size
    frame: int
    run: int
    step: int
    epoch: float


class Data(Letter):
    """The data message for the browser, ready to forward, in the array `message`."""

    type: Literal["data"] = "data"


class Stopped(Letter):
    """Training met NaN or infinity and is paused."""

    type: Literal["stopped"] = "stopped"
    diverged: Diverged
    epoch: float


class Broken(Letter):
    """A session failed in a way that nobody foresaw, and is paused."""

    type: Literal["broken"] = "broken"
    detail: str


class Snapshot(Letter):
    """The state of a session, in the array `snapshot`, after `done` deeds of its run."""

    type: Literal["snapshot"] = "snapshot"
    run: int
    step: int
    epoch: float
    done: int


Report = Ready | Done | Failed | Applied | Samples | Frame | Data | Stopped | Broken | Snapshot
_report: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="type")])


# --- Envelopes --------------------------------------------------------------------------------------------


Content = TypeVar("Content", Order, Report, covariant=True)


@dataclass(frozen=True)
class Mail(Generic[Content]):
    """An order or a report on its way."""

    content: Content
    session: str = ""
    order: int = 0
    """Which order this is or answers; 0 where no answer is expected."""
    arrays: Arrays = field(default_factory=dict)

    def encode(self) -> bytes:
        header = {
            "session": self.session,
            "order": self.order,
            "content": self.content.model_dump(mode="json"),
        }
        return encode(header, self.arrays)


def read_order(message: bytes) -> Mail[Order]:
    header, arrays = decode(message)
    return Mail(_order.validate_python(header["content"]), header["session"], header["order"], arrays)


def read_report(message: bytes) -> Mail[Report]:
    header, arrays = decode(message)
    return Mail(_report.validate_python(header["content"]), header["session"], header["order"], arrays)


def as_array(data: bytes) -> np.ndarray:
    """Bytes as they ride in a letter: uint8 (length,)."""
    return np.frombuffer(data, np.uint8)


def pack(tables: Mapping[str, Table]) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Uploaded tables as they ride in a letter: headers for its field `tables`, and its arrays."""
    headers, packed = [], {}
    for position, table in enumerate(tables.values()):
        header, arrays = to_arrays(table)
        headers.append(header)
        packed |= {f"table.{position}.{name}": array for name, array in arrays.items()}
    return headers, packed


def unpack(headers: list[dict[str, Any]], arrays: Arrays) -> dict[str, Table]:
    tables = {}
    for position, header in enumerate(headers):
        prefix = f"table.{position}."
        own = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
        tables[header["id"]] = from_arrays(header, own)
    return tables
