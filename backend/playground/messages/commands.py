"""What a browser says to the server: a closed union of commands, of which some do not change the session."""

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import from_json

from playground import limits
from playground.catalogue.component import FROZEN
from playground.errors import ValidationFailed, broken, fault
from playground.i18n import say
from playground.run.selection import Selection, union
from playground.run.slices import FIRST_TWO, Axes
from playground.run.weights import AllWeights, OneWeight

VERSION = 1
SUBPROTOCOL = "playground.v1"
ID_LENGTH = 64


class Message(BaseModel):
    model_config = FROZEN

    def encoded(self) -> str:
        """As it goes over the wire; once for all who get it."""
        return self.model_dump_json()


class Speed(Message):
    """How fast a session trains: exactly one of the three."""

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=False,
        json_schema_extra={
            "examples": [{"epochs_per_second": 60}, {"steps_per_second": 1}, {"max": True}],
        },
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
            raise broken(say("rule.one_speed"))
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


Held = Annotated[dict[str, float], Field(max_length=limits.INPUTS)]
"""Values by the name of an input, in its own units."""


class Slice(Message):
    """What the maps are drawn over, and at what they hold the other inputs."""

    held: Held = Field(examples=[{"petal length": 4.2}])
    """Values by the name of the input, in its own units; one that is not named is held at its mean. While
    principal components are drawn, nothing is held."""
    axes: Axes = Field(default=FIRST_TWO, examples=[{"x": "sepal length", "y": "sepal width"}])
    """What is drawn to the right and upwards; left out: the first two inputs."""


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
            raise broken(say("rule.one_amount"))
        return self


class Play(Message):
    """Train at the session's speed."""

    type: Literal["play"] = "play"


class Pause(Message):
    """Stop training; a `step` that is under way ends here too."""

    type: Literal["pause"] = "pause"


class Reset(Message):
    """A new run with the config of now: step 0, an empty timeline."""

    type: Literal["reset"] = "reset"


class Restore(Message):
    """Go back to a moment: weights, optimizer state, config, timeline and curves are as they were then."""

    type: Literal["restore"] = "restore"
    checkpoint: int = Field(examples=[3])
    """Its number, as a line of the timeline, the state or a divergence names it."""


class Seek(Message):
    """Look at another moment of the parent's run: only where this session looks back, and has done
    nothing else yet."""

    type: Literal["seek"] = "seek"
    step: int = Field(ge=0, examples=[600])
    """After so many optimizer updates; the newest moment, where the run has not come that far."""


class SetSpeed(Speed):
    """Train at this speed from now on."""

    type: Literal["speed"] = "speed"


class SetSlice(Slice):
    """Draw this slice from now on, for everybody who watches."""

    type: Literal["slice"] = "slice"


class Step(Amount):
    """Train that much at once, whatever the speed, and answer when it is done."""

    type: Literal["step"] = "step"


class Change(Message):
    """A merge patch (RFC 7396) of the config, applied while it trains."""

    type: Literal["change"] = "change"
    change: dict[str, Any]
    """As for `PATCH /api/sessions/{id}/config`."""


class SetWeight(OneWeight):
    """Set one weight or bias."""

    type: Literal["weight"] = "weight"


class SetWeights(AllWeights):
    """All weights at once; over HTTP only, they are larger than a message may be."""

    type: Literal["weights"] = "weights"


class Authorize(Message):
    """Become the holder, who may change the session."""

    type: Literal["authorize"] = "authorize"
    key: str = Field(max_length=128)
    """The key of the session."""


class Neuron(Message):
    """One neuron."""

    layer: int = Field(ge=0, le=limits.HIDDEN_LAYERS, examples=[0])
    """Its layer, the first hidden one is 0."""
    unit: int = Field(ge=0, lt=limits.WIDTH, examples=[3])
    """Its place there."""


Units = Annotated[
    list[Annotated[int, Field(ge=0, lt=limits.WIDTH)]],
    Field(max_length=limits.WIDTH),
]


class Watch(Message):
    """What this viewer wants to see, and how often; at rate 0 it gets metrics but no frames."""

    type: Literal["watch"] = "watch"
    rate: float = Field(default=30, ge=0, le=limits.FRAME_RATE)
    """Frames per second, at most."""
    neurons: int = Field(default=20, ge=limits.NEURON_MAP[0], le=limits.NEURON_MAP[1])
    """Cells along the side of a neuron's map."""
    output: int = Field(default=100, ge=limits.OUTPUT_MAP[0], le=limits.OUTPUT_MAP[1])
    """Cells along the side of the decision map."""
    units: list[Units] | None = Field(
        default=None, max_length=limits.HIDDEN_LAYERS + 1, examples=[[[0, 1, 2, 3], [0, 1], [0]]]
    )
    """Of each layer, from the first hidden one to the output, the neurons that it draws: only they need a
    map, and a wide layer only the weights between them. Null: it draws all of them. What the network does
    not have is passed over, so that this may be older than a change of its shape."""
    enlarged: Neuron | None = None
    """A neuron that is looked at closely: it is drawn, and all weights into its layer's are shown."""

    @property
    def selection(self) -> Selection | None:
        """What it draws; None where that is all."""
        if self.units is None:
            return None
        units, close = [tuple(sorted(set(drawn))) for drawn in self.units], self.enlarged
        drawn = Selection(tuple(units))
        if close is None:
            return drawn
        return union([drawn, Selection(((),) * close.layer + ((close.unit,),), (close.layer,))])


class Ack(Message):
    """This frame has been drawn, and every one before it."""

    type: Literal["ack"] = "ack"
    frame: int
    """Its number."""


Command = Play | Pause | Reset | Restore | Seek | SetSpeed | SetSlice | Step | Change | SetWeight | SetWeights
"""What changes a session: it takes the key."""


ViewerMessage = (
    Play
    | Pause
    | Reset
    | Restore
    | Seek
    | SetSpeed
    | SetSlice
    | Step
    | Change
    | SetWeight
    | Authorize
    | Watch
    | Ack
)
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
    """The id and the content of a viewer's text message.

    Raises `ValidationFailed` or pydantic.ValidationError.
    """
    try:
        raw = from_json(text)
    except ValueError as error:
        raise ValidationFailed(fault("", say("rule.message_is_json", error=str(error)))) from None
    if not isinstance(raw, dict):
        raise ValidationFailed(fault("", say("rule.message_is_object")))
    name, kind = raw.pop("id", None), raw.get("type")
    if name is not None and not (isinstance(name, str) and 1 <= len(name) <= ID_LENGTH):
        raise ValidationFailed(fault("id", say("rule.id", most=ID_LENGTH)))
    if not isinstance(kind, str) or kind not in _VIEWER_MESSAGES:
        kinds = tuple(_VIEWER_MESSAGES)
        code = "rule.unknown_type" if "type" in raw else "rule.missing_type"
        raise ValidationFailed(fault("type", say(code, types=kinds), kinds))
    return name, _VIEWER_MESSAGES[kind].model_validate(raw)
