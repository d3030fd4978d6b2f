"""What the server says to a browser: answers to its commands, and a closed union of events."""

from enum import IntEnum, StrEnum
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from playground.catalogue.datasets import Dataset
from playground.catalogue.losses import Loss
from playground.errors import FieldError
from playground.i18n import Text, Values, say
from playground.messages.commands import VERSION, Held, Message, Speed
from playground.run.config import Config
from playground.run.run import EXAMPLE_EFFECT, Best, TimelineEntry
from playground.run.slices import FIRST_TWO, Axes


class Role(StrEnum):
    """What a viewer may do: the holder changes the session, the others watch."""

    VIEWER = "viewer"
    HOLDER = "holder"


class Closing(IntEnum):
    """Codes with which the server closes a websocket."""

    RESTARTING = 1012
    OVERLOADED = 1013
    POLICY = 1008
    REPLACED = 4001
    ENDED = 4004


# --- Answers: what a command did --------------------------------------------------------------------------

Metrics = dict[str, float | None]
"""`train_loss`, `test_loss`, `train_accuracy` and so on, named as the columns of the history; null where
there is no finite number. Evaluated on all data, dropout off."""
METRICS_EXAMPLE: JsonDict = {
    "train_loss": 0.012,
    "test_loss": 0.018,
    "train_accuracy": 1.0,
    "test_accuracy": 0.992,
    "grad_norm.0": 0.031,
    "grad_norm.output": 0.051,
    "learning_rate": 0.001,
}


class Explained(Message):
    """Something with a sentence for a person."""

    detail: str = Field(examples=["its gradient is no longer finite"])
    """In English."""
    code: str = Field(examples=["divergence.gradient"])
    """Its key in the translations."""
    values: Values = Field(default={}, examples=[{}])
    """What its placeholders stand for."""


class Moment(Message):
    """A moment of a session that `restore` brings back."""

    checkpoint: int = Field(examples=[3])
    """Its number."""
    step: int = Field(examples=[1200])
    """Optimizer updates up to it."""
    epoch: float = Field(examples=[48.0])
    """Passes over the training set up to it."""


class Divergence(Explained):
    """Training met NaN or infinity, and the weights are the last finite ones; or no hidden layer learns any
    more. `detail` says what happened."""

    step: int = Field(examples=[412])
    """The step that failed, or at which it was found."""
    layer: int | None = Field(default=None, examples=[1])
    """The first layer that was not finite, or the one that lets no gradient through, counted from 0."""
    rate: float | None = Field(default=None, examples=[0.03])
    """A learning rate with which it trains well from `back` on; null where the rate is not to blame."""
    back: Moment | None = None
    """A moment before it, at which all was well."""


class Done(Message):
    """A command took effect."""

    step: int = Field(examples=[1200])
    """At this step."""


class ChangeDone(Done):
    """A change took effect."""

    change: dict[str, Any] = Field(examples=[{"optimizer": {"lr": 0.1}}])
    """What was asked for; empty for weights."""
    effect: list[Text] = Field(examples=[EXAMPLE_EFFECT])
    """What it did to the weights and to the optimizer's state."""


class StepDone(Done):
    """Training that was asked for is done."""

    epoch: float = Field(examples=[48.0])
    """Passes over the training set so far."""
    metrics: Metrics = Field(examples=[METRICS_EXAMPLE])
    """How good it is now."""
    diverged: Divergence | None = Field(examples=[None])
    """Set when it ended early because training met NaN or infinity."""
    stopped: Best | None = Field(default=None, examples=[None])
    """Set when early stopping ended it: the moment whose weights it has now. The next training goes on."""


Result = Done | ChangeDone | StepDone

# --- Events: to the browser -------------------------------------------------------------------------------


class TaskDescription(Message):
    """What there is to learn."""

    model_config = ConfigDict(
        strict=False,  # JSON knows no tuples
        json_schema_extra={
            "examples": [
                {
                    "kind": "binary",
                    "classes": 2,
                    "inputs": 2,
                    "class_labels": ["0", "1"],
                    "input_names": ["x1", "x2"],
                    "input_ranges": None,
                    "target_range": [0.0, 1.0],
                    "target_name": None,
                    "target_scale": None,
                    "data_kind": "binary",
                    "answer": "binary",
                    "target_names": [],
                    "class_colours": [],
                    "picture": None,
                }
            ]
        },
    )

    kind: Literal["binary", "multiclass", "regression", "embedding"]
    """Two classes, more, a number, or with a loss of pairs or triplets how points lie to one another."""
    classes: int
    """Of the data: 2 for binary, 0 for a regression."""
    inputs: int
    """Columns of the data, before any feature is made of them."""
    class_labels: list[str]
    """Names of the classes, in order."""
    input_names: list[str]
    """Names of the inputs, in order."""
    input_ranges: list[tuple[float, float]] | None
    """What -6 and 6 stand for in each input, where the data came in other units."""
    target_range: tuple[float, float]
    """The values that a regression is drawn over."""
    target_name: str | None = None
    """Name of what is predicted, where it has one."""
    target_scale: tuple[float, float] | None = None
    """What -1 and 1 stand for in the target of a regression, where it came in other units."""
    data_kind: Literal["binary", "multiclass", "regression"] = "binary"
    """What the data pose by themselves; a loss has to fit that."""
    answer: Literal["binary", "multiclass", "regression"] = "binary"
    """What the network says of a point: how likely class 1 of two is, or each of more, or a number. An
    embedding in the plane says the nearest class, a score is a number."""
    target_names: list[str] = Field(default=[])
    """Of a regression on several numbers, what each is."""
    class_colours: list[str] = Field(default=[])
    """Of each class, as `#rrggbb`, where the classes are colours."""
    picture: tuple[int, int] | None = None
    """Width and height in pixels, where the points are those of a picture."""

    @classmethod
    def of(cls, dataset: Dataset, loss: Loss | None = None) -> "TaskDescription":
        """With a loss, of what there is to learn with it."""
        task = loss.posed(dataset.task) if loss else dataset.task
        return cls(
            kind=task.kind,
            classes=task.classes,
            inputs=task.inputs,
            class_labels=list(task.class_labels),
            input_names=list(task.input_names),
            input_ranges=None if task.input_ranges is None else list(task.input_ranges),
            target_range=dataset.target_range,
            target_name=task.target_name,
            target_scale=task.target_scale,
            data_kind=dataset.task.answer,
            answer=task.answer,
            target_names=list(task.target_names),
            class_colours=list(task.class_colours),
            picture=task.picture,
        )


class Parent(Message):
    """The session whose run another one shares up to a step."""

    session: str = Field(examples=["9f3c01ab77"])
    """Its id."""
    step: int = Field(examples=[600])
    """Where the two part."""
    epoch: float = Field(examples=[24.0])
    """The same moment in passes over the training set."""
    lines: int = Field(examples=[1])
    """Lines of the timeline that they share."""


class SessionState(Message):
    """Where a session is, and whether it moves."""

    playing: bool = Field(examples=[True])
    """Whether it trains."""
    speed: Speed
    """How fast it trains when it plays."""
    step: int = Field(examples=[1200])
    """Optimizer updates so far in this run."""
    epoch: float = Field(examples=[48.0])
    """Passes over the training set so far."""
    diverged: Divergence | None = Field(default=None, examples=[None])
    """Set when training has met NaN or infinity; null again once it goes on."""
    held: Held = Field(default={}, examples=[{"petal length": 4.2}])
    """Inputs that are held at another value than their mean where the maps are drawn."""
    axes: Axes = FIRST_TWO
    """What the maps are drawn over."""
    stuck: Divergence | None = Field(default=None, examples=[None])
    """Set while no hidden layer learns any more; training goes on."""
    before_reset: Moment | None = Field(default=None, examples=[None])
    """The end of the run before this one, if a reset began it."""
    before_undo: Moment | None = Field(default=None, examples=[None])
    """Where the session was before it last went back, until something is changed."""
    parent: Parent | None = Field(default=None, examples=[None])
    """Where it has branched off."""
    passing: bool = Field(default=False, examples=[False])
    """Whether it only looks back at a moment of its parent: it goes when nobody watches."""
    together: list[str] = Field(default=[], examples=[[]])
    """The sessions that train in lock-step with it, by their ids."""


class Hello(Message):
    """The first event of a connection: all there is to know, but for pictures and curves, which follow."""

    type: Literal["hello"] = "hello"
    version: int = VERSION
    """Of these messages."""
    session: str
    """Its id."""
    instance: str
    """Another one after the server was restarted: what a viewer has of the curves may then be of steps that
    are lost, so it asks for all of them."""
    role: Role
    """Whether this viewer may change the session."""
    run: int
    """Counts the resets."""
    start: Config
    """The config that the run began with."""
    config: Config
    """The config of now, whole."""
    timeline: list[TimelineEntry]
    """Every change of this run so far."""
    task: TaskDescription
    """What there is to learn."""
    state: SessionState
    """Where the session is, and whether it moves."""
    viewers: int
    """How many watch, this one included."""


class Error(Explained):
    """Why not: a problem document (RFC 9457), as over HTTP."""

    type: Literal["error"] = "error"
    id: str | None = None
    """Of the message that this answers; null where it had none that could be read."""
    status: int
    """The HTTP status."""
    title: str
    """The status in words."""
    errors: list[FieldError] = Field(default=[])
    """The fields at fault; may be empty."""


class Changed(Message):
    """A change took effect."""

    type: Literal["changed"] = "changed"
    entry: TimelineEntry
    """The line of the timeline that was written."""
    config: Config
    """The config from now on, whole."""
    task: TaskDescription
    """What there is to learn from now on."""


class StateChanged(SessionState):
    """The state of the session, after something moved it."""

    type: Literal["state"] = "state"


class RunBegun(Message):
    """Another run: after a reset a new one, or one as it was at an earlier moment."""

    type: Literal["run"] = "run"
    run: int
    """Its number."""
    start: Config
    """The config that it began with."""
    config: Config
    """Its config at this moment, whole."""
    timeline: list[TimelineEntry]
    """Every change of it so far."""
    task: TaskDescription
    """What there is to learn."""


class RoleChanged(Message):
    """What this viewer may do has changed."""

    type: Literal["role"] = "role"
    role: Role
    """What it is now."""


class Replaced(Message):
    """A newer connection with the same key has taken over; this one is closed."""

    type: Literal["replaced"] = "replaced"


class NoticeCode(StrEnum):
    """What a notice is about."""

    WORKER_RESTARTED = "notice.worker_restarted"
    SHUTDOWN = "notice.shutdown"
    SESSION_ENDED = "notice.session_ended"
    TRAINING_FAILED = "notice.training_failed"
    NOT_SAVED = "notice.not_saved"
    SAVED_AGAIN = "notice.saved_again"


class Notice(Explained):
    """Something happened to the session that nobody asked for."""

    type: Literal["notice"] = "notice"
    code: NoticeCode

    @classmethod
    def of(cls, code: NoticeCode, **values: Any) -> "Notice":
        return cls(**{**say(code, **values).as_detail, "code": code})


class Viewers(Message):
    """Somebody came or went."""

    type: Literal["viewers"] = "viewers"
    count: int
    """How many watch now."""


class Acknowledged(Message):
    """The answer to a command: its id, and the fields of its result."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: Literal["ack"]
    id: str
    """Of the command."""
    step: int
    """It took effect at this step."""
    change: dict[str, Any] = Field(default={})
    """Of a change: what was asked for."""
    effect: list[Text] = Field(default=[])
    """Of a change: what it did to the weights and to the optimizer's state."""
    epoch: float = 0.0
    """Of a step: passes over the training set so far."""
    metrics: Metrics = Field(default={})
    """Of a step: how good it is now."""
    diverged: Divergence | None = None
    """Of a step: why it ended early, if training met NaN or infinity."""
    stopped: Best | None = None
    """Of a step: what early stopping took back, if that ended it."""

    @classmethod
    def of(cls, name: str, result: Result) -> "Acknowledged":
        return cls(type="ack", id=name, **dict(result))

    def encoded(self) -> str:
        return self.model_dump_json(exclude_unset=True)


Event = (
    Hello
    | Acknowledged
    | Error
    | Changed
    | StateChanged
    | RunBegun
    | RoleChanged
    | Replaced
    | Notice
    | Viewers
)
