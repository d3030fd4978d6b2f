"""What crosses a wire: the binary encoding, and what the browser and the server say to one another.

A binary message is `NNPG`, a little-endian uint32 with the length of the header, the header as JSON padded
with spaces to a multiple of 8 bytes, then the arrays, each on a multiple of 8 bytes. The header names them:
`"arrays": [{"name", "dtype", "shape", "offset"}]`, offsets counted from the end of the header. A reader
needs no copy, and a new array changes no reader.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic_core import from_json

from backend import limits
from backend.config import FieldError, Refused
from backend.weights import LayerWeights

VERSION = 1
SUBPROTOCOL = "playground.v1"
MAGIC = b"NNPG"
ALIGNMENT = 8
DTYPES = ("uint8", "int32", "uint32", "int64", "float32", "float64")

NAMES = {np.dtype(name).newbyteorder("<"): name for name in DTYPES}

Arrays = Mapping[str, np.ndarray]


# --- Binary messages --------------------------------------------------------------------------------------


def encode(header: Mapping[str, Any], arrays: Arrays | None = None) -> bytes:
    """One binary message. Raises ValueError for NaN in the header or a dtype that is none of `DTYPES`."""
    parts: list[bytes] = []
    listing = []
    offset = 0
    for name, array in (arrays or {}).items():
        dtype = NAMES.get(array.dtype)
        if dtype is None:
            raise ValueError(f"{name}: {array.dtype} is none of {', '.join(DTYPES)}")
        data = array.tobytes()
        listing.append({"name": name, "dtype": dtype, "shape": array.shape, "offset": offset})
        parts += (data, bytes(-len(data) % ALIGNMENT))
        offset += len(parts[-2]) + len(parts[-1])
    text = json.dumps({**header, "arrays": listing}, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text)) % ALIGNMENT)
    return b"".join((MAGIC, struct.pack("<I", len(text)), text, *parts))


def decode(message: bytes | memoryview) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays; the arrays are read-only views of the message. Raises ValueError if it is none."""
    if message[:4] != MAGIC or len(message) < 8:
        raise ValueError("not a binary message of the playground")
    (length,) = struct.unpack_from("<I", message, 4)
    start = 8 + length
    header = json.loads(bytes(message[8:start]))
    arrays = {}
    for entry in header.pop("arrays"):
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{entry['name']}: unknown dtype {entry['dtype']}")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        flat = np.frombuffer(message, dtype, count, start + entry["offset"])
        arrays[entry["name"]] = flat.reshape(entry["shape"])
    return header, arrays


def prefixed(message: bytes) -> bytes:
    """A message as it goes over a socket: its length first."""
    return struct.pack("<I", len(message)) + message


class Assembler:
    """Cuts the bytes of a socket into the messages that they were sent as."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every message that is complete now."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= 4:
            (length,) = struct.unpack_from("<I", self._buffer, start)
            if len(self._buffer) - start < 4 + length:
                break
            yield bytes(self._buffer[start + 4 : start + 4 + length])
            start += 4 + length
        del self._buffer[:start]


# --- What both ends speak of ------------------------------------------------------------------------------


class Role(StrEnum):
    VIEWER = "viewer"
    HOLDER = "holder"


class Closing(IntEnum):
    """Codes with which the server closes a websocket."""

    RESTARTING = 1012
    OVERLOADED = 1013
    POLICY = 1008
    REPLACED = 4001
    ENDED = 4004


class Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class Speed(Message):
    """How fast a session trains: exactly one of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"epochs_per_second": 60}, {"steps_per_second": 1}, {"max": True}],
        }
    )
    epochs_per_second: float | None = Field(default=None, gt=0, le=10_000, examples=[60])
    """Passes over the training set per second."""
    steps_per_second: float | None = Field(default=None, gt=0, le=1_000_000, examples=[None])
    """Optimizer updates per second: 1 is slow motion."""
    max: Literal[True] | None = Field(default=None, examples=[None])
    """As fast as it goes."""

    @model_validator(mode="after")
    def exactly_one(self) -> "Speed":
        if sum(value is not None for value in (self.epochs_per_second, self.steps_per_second, self.max)) != 1:
            raise ValueError("give exactly one of epochs_per_second, steps_per_second and max")
        return self

    @model_serializer(mode="wrap")
    def only_what_is_given(
        self, handler: SerializerFunctionWrapHandler
    ):  # a return type would hide the schema
        return {name: value for name, value in handler(self).items() if value is not None}

    def steps(self, steps_per_epoch: int) -> float:
        """In steps per second; infinite at full speed."""
        if self.epochs_per_second is not None:
            return self.epochs_per_second * steps_per_epoch
        return float("inf") if self.steps_per_second is None else self.steps_per_second


class Amount(Message):
    """How much to train: exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"steps": 100}, {"epochs": 2}]})
    steps: int | None = Field(default=None, ge=1, le=limits.TRAIN_STEPS, examples=[100])
    """Optimizer updates."""
    epochs: int | None = Field(default=None, ge=1, le=limits.TRAIN_STEPS, examples=[None])
    """Passes over the training set."""

    @model_validator(mode="after")
    def exactly_one(self) -> "Amount":
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give exactly one of steps and epochs")
        return self


class OneWeight(Message):
    """One edge, or the bias of a unit where `source` is null. Layers count from 0, the output is the last."""

    layer: int = Field(ge=0)
    """The layer that the edge leads to."""
    source: int | None = Field(ge=0)
    """The input of that layer; null for the bias."""
    unit: int = Field(ge=0)
    """The unit of that layer."""
    value: float
    """The new value."""


class AllWeights(Message):
    """Weights of the whole network, from the first hidden layer to the output."""

    layers: list[LayerWeights] = Field(max_length=limits.HIDDEN_LAYERS + 1)
    """One for each layer."""


def _form(edit: Any) -> str | None:
    if isinstance(edit, Mapping):
        return "all" if "layers" in edit else "one"
    return {AllWeights: "all", OneWeight: "one"}.get(type(edit))


WeightsEdit = Annotated[
    Annotated[OneWeight, Tag("one")] | Annotated[AllWeights, Tag("all")],
    Discriminator(
        _form,
        custom_error_type="weights_edit",
        custom_error_message='give either {"layers": […]} or {"layer", "source", "unit", "value"}',
    ),
]
"""Weights set by hand."""


# --- Commands: from the browser ---------------------------------------------------------------------------

ID_LENGTH = 64


class Play(Message):
    type: Literal["play"] = "play"


class Pause(Message):
    type: Literal["pause"] = "pause"


class Reset(Message):
    """A new run with the config of now: step 0, an empty timeline."""

    type: Literal["reset"] = "reset"


class SetSpeed(Speed):
    type: Literal["speed"] = "speed"


class Step(Amount):
    """Train that much at once, whatever the speed, and answer when it is done."""

    type: Literal["step"] = "step"


class Change(Message):
    """A merge patch (RFC 7396) of the config, applied while it trains."""

    type: Literal["change"] = "change"
    change: dict[str, Any]


class SetWeight(OneWeight):
    type: Literal["weight"] = "weight"


class SetWeights(AllWeights):
    """All weights at once; over HTTP only, they are larger than a message may be."""

    type: Literal["weights"] = "weights"


class Authorize(Message):
    type: Literal["authorize"] = "authorize"
    key: str = Field(max_length=128)


class Watch(Message):
    """What this viewer wants to see, and how often; at rate 0 it gets metrics but no frames."""

    type: Literal["watch"] = "watch"
    rate: float = Field(default=30, ge=0, le=limits.FRAME_RATE)
    neurons: int = Field(default=20, ge=limits.NEURON_MAP[0], le=limits.NEURON_MAP[1])
    output: int = Field(default=100, ge=limits.OUTPUT_MAP[0], le=limits.OUTPUT_MAP[1])


class Ack(Message):
    """This frame has been drawn, and every one before it."""

    type: Literal["ack"] = "ack"
    frame: int


Command = Play | Pause | Reset | SetSpeed | Step | Change | SetWeight | SetWeights
"""What changes a session: it takes the key."""


ViewerMessage = Play | Pause | Reset | SetSpeed | Step | Change | SetWeight | Authorize | Watch | Ack
_VIEWER_MESSAGES: dict[str, Any] = {cls.model_fields["type"].default: cls for cls in get_args(ViewerMessage)}


def sent_id(text: str) -> str | None:
    """The id in a viewer's text message, whatever else is wrong with it."""
    try:
        raw = from_json(text)
    except ValueError:
        return None
    name = raw.get("id") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else None


def read_message(text: str) -> tuple[str | None, ViewerMessage]:
    """The id and the content of a viewer's text message. Raises `Refused` or pydantic.ValidationError."""
    try:
        raw = from_json(text)
    except ValueError as error:
        raise Refused(FieldError("", f"this is no JSON: {error}")) from None
    if not isinstance(raw, dict):
        raise Refused(FieldError("", "a message is a JSON object"))
    name, kind = raw.pop("id", None), raw.get("type")
    if name is not None and not (isinstance(name, str) and 1 <= len(name) <= ID_LENGTH):
        raise Refused(FieldError("id", f"an id is a string of 1 to {ID_LENGTH} characters"))
    if not isinstance(kind, str) or kind not in _VIEWER_MESSAGES:
        kinds = tuple(_VIEWER_MESSAGES)
        given = "is unknown" if "type" in raw else "is missing"
        raise Refused(FieldError("type", f"it {given}: it must be one of {', '.join(kinds)}", kinds))
    return name, _VIEWER_MESSAGES[kind].model_validate(raw)


# --- Events: to the browser -------------------------------------------------------------------------------


class Entry(Message):
    """One line of a timeline: what changed at a step, in words and as a patch, and how to undo it."""

    step: int = Field(ge=0, examples=[1200])
    """It took effect after this many steps of the run."""
    epoch: float = Field(default=0.0, examples=[48.0])
    """The same moment in passes over the training set."""
    change: dict[str, Any] = Field(default={}, examples=[{"optimizer": {"lr": 0.1}}])
    """The merge patch of the config; empty where weights were edited by hand."""
    undo: dict[str, Any] = Field(default={}, examples=[{"optimizer": {"lr": 0.03}}])
    """The merge patch that takes it back."""
    effect: list[str] = Field(default=[], examples=[["learning rate 0.03 → 0.1; weights and optimizer kept"]])
    """What it did to the weights and to the optimizer's state."""
    label: str = Field(default="", examples=["lr 0.1"])
    """Short text for the mark on a curve."""
    weights: WeightsEdit | None = Field(default=None, examples=[None])
    """The weights that were set by hand, if it was that."""


class Diverged(Message):
    """Training met NaN or infinity; the weights are the last finite ones."""

    step: int = Field(examples=[412])
    """The step that failed."""
    layer: int | None = Field(default=None, examples=[1])
    """The first layer that was not finite, counted from 0."""
    detail: str = Field(default="", examples=["the weights of layer 2 became infinite"])
    """What happened, for a person."""


class State(Message):
    """Where a session is, and whether it moves."""

    playing: bool = Field(examples=[True])
    """Whether it trains."""
    speed: Speed
    """How fast it trains when it plays."""
    step: int = Field(examples=[1200])
    """Optimizer updates so far in this run."""
    epoch: float = Field(examples=[48.0])
    """Passes over the training set so far."""
    diverged: Diverged | None = Field(default=None, examples=[None])
    """Set when training has met NaN or infinity; null again once it goes on."""


class FieldProblem(Message):
    """One thing that is wrong with the input."""

    field: str = Field(examples=["hidden.0.width"])
    """Dotted path of the field; empty for the input as a whole."""
    message: str = Field(examples=["Input should be less than or equal to 256"])
    """The rule that it breaks."""
    fits: list[Any] | None = Field(default=None, examples=[None])
    """Values that would do, where they can be named."""
    suggestion: dict[str, Any] | None = Field(default=None, examples=[None])
    """A merge patch of the refused change with which it would be accepted."""

    @classmethod
    def of(cls, error: FieldError) -> "FieldProblem":
        fits = None if error.fits is None else list(error.fits)
        return cls(field=error.field, message=error.message, fits=fits, suggestion=error.suggestion)

    def error(self) -> FieldError:
        fits = None if self.fits is None else tuple(self.fits)
        return FieldError(self.field, self.message, fits, self.suggestion)


class Hello(Message):
    type: Literal["hello"] = "hello"
    version: int = VERSION
    session: str
    role: Role
    run: int
    config: dict[str, Any]
    timeline: list[Entry]
    problem: dict[str, Any]
    state: State
    viewers: int


class Error(Message):
    type: Literal["error"] = "error"
    id: str | None = None
    status: int
    title: str
    detail: str
    errors: list[FieldProblem] = []


class Changed(Message):
    type: Literal["changed"] = "changed"
    entry: Entry
    config: dict[str, Any]
    problem: dict[str, Any]


class StateChanged(State):
    type: Literal["state"] = "state"


class ResetDone(Message):
    type: Literal["reset"] = "reset"
    run: int
    config: dict[str, Any]


class RoleChanged(Message):
    type: Literal["role"] = "role"
    role: Role


class Replaced(Message):
    """A newer connection with the same key has taken over; this one is closed."""

    type: Literal["replaced"] = "replaced"


class Code(StrEnum):
    WORKER_RESTARTED = "worker_restarted"
    SHUTDOWN = "shutdown"
    SESSION_ENDED = "session_ended"
    TRAINING_FAILED = "training_failed"


class Notice(Message):
    type: Literal["notice"] = "notice"
    code: Code
    detail: str


class Viewers(Message):
    type: Literal["viewers"] = "viewers"
    count: int


class Acknowledged(BaseModel):
    """The answer to a command; its other fields are the command's result."""

    model_config = ConfigDict(frozen=True, extra="allow")
    type: Literal["ack"] = "ack"
    id: str


Event = (
    Hello
    | Acknowledged
    | Error
    | Changed
    | StateChanged
    | ResetDone
    | RoleChanged
    | Replaced
    | Notice
    | Viewers
)
