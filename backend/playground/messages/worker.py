"""What an engine and its workers say to one another: requests down, events up, a closed union each.

A request that a browser made keeps its name. Both are binary messages (`codec.encode`): the fields are the
header, big things ride as arrays.
"""

import mmap
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from playground.catalogue.component import FROZEN
from playground.errors import FieldError
from playground.i18n import Text
from playground.messages import commands
from playground.messages.balance import HandOver, Load
from playground.messages.codec import Arrays, decode, encode
from playground.messages.commands import (
    Held,
    Pause,
    Play,
    Reset,
    SetSlice,
    SetSpeed,
    SetWeight,
    SetWeights,
    Speed,
)
from playground.messages.events import Divergence, Metrics, TaskDescription
from playground.messages.scripted import Ended, Marked, Progress
from playground.messages.stacks import GoOn, OpenPatch, OpenStack, PatchTrained, RowTrained
from playground.run.config import Config
from playground.run.run import Best, TimelineEntry
from playground.run.script import StopRules
from playground.run.selection import Selection, Size
from playground.run.slices import FIRST_TWO, Axes

DEVICE_BYTES = 32
"""Of the name of a device, as the forkserver gets it."""
CURRENT_SESSION_BYTES = mmap.PAGESIZE
"""Memory shared by an engine and its worker: the number of the session that has its turn, a little-endian
uint64; 0 for none. It outlives the worker."""


class Message(BaseModel):
    model_config = ConfigDict(**{**FROZEN, "strict": False})  # JSON knows no tuples


# --- Requests ---------------------------------------------------------------------------------------------


class Background(Message):
    """Train a session to an end of its own, at full speed, with the time that live sessions leave."""

    steps: int | None = None
    """The step that it ends at."""
    epochs: int | None = None
    """Or the epoch."""
    stop: StopRules = StopRules()
    """What may end it sooner."""
    marked: list[int] = []
    """Steps that have a mark, beside the powers of two and the end."""
    least_loss: float | None = None
    """What the patience of the rules has seen up to the snapshot."""
    waited: int = 0


class Way(Message):
    """To a moment of a run: from its config or the snapshot in the array `snapshot`, along its timeline."""

    config: Config
    timeline: list[TimelineEntry] = []
    """The lines after the snapshot, and those still to come."""
    done: int = 0
    """How many lines of the run lie before the snapshot."""
    until: int = 0
    """The step to train up to at once."""
    tables: list[dict[str, Any]] = []
    """Uploaded tables that the config or the timeline names; their columns are arrays (`pack`)."""


class Open(Way):
    """Take in a session.

    The worker trains up to step `until` before it handles any other request for the session: after a worker's
    death that is the step which the viewers have seen.
    """

    type: Literal["open"] = "open"
    number: int
    run: int
    playing: bool = False
    speed: Speed = Speed(max=True)
    background: Background | None = None
    """A scripted run: it has no viewers, and takes no command but a look and the end."""
    frame: int = 0
    """Number of the last frame that was sent."""
    held: Held = {}
    axes: Axes = FIRST_TWO
    lockstep: str = ""
    """Sessions of the same name take the same steps at the same time; without one, each goes by itself."""


class Close(Message):
    type: Literal["close"] = "close"


class SendFrame(Message):
    """One frame of this size, once there is something new to see; `fresh`: at once."""

    type: Literal["send_frame"] = "send_frame"
    size: Size
    fresh: bool = False
    selection: Selection | None = None
    """What is drawn in frames of this size from now on; without one, what was drawn before."""


class Step(commands.Step):
    """Train this much more of this run at once; up to step `until` where that is known.

    In another run it is answered at once: whoever asked meant the run before the reset.
    """

    run: int
    until: int | None = None


class Change(commands.Change):
    """What it makes of the config, validated and merged. What is left of a recorded timeline is dropped."""

    model_config = ConfigDict(strict=False)  # JSON knows no tuples
    config: Config
    tables: list[dict[str, Any]] = Field(default=[])


class Restore(commands.Restore):
    """Go on from the snapshot in the array `snapshot`, as the next run."""

    done: int
    """Lines of the timeline before it."""


class Seek(Way):
    """Go to a moment, as the next run. Whatever else is asked waits for that, but for another of these."""

    type: Literal["seek"] = "seek"


class SetLockstep(Message):
    """Go on in lock-step with the other sessions of this name, or by itself."""

    type: Literal["set_lockstep"] = "set_lockstep"
    name: str


class Cancel(Message):
    """Nobody waits any longer for the training that was asked for: it ends here."""

    type: Literal["cancel"] = "cancel"


class ReadMetrics(Message):
    """Step, epoch and metrics of this moment."""

    type: Literal["read_metrics"] = "read_metrics"


class ReadScoreCurves(Message):
    """Step, epoch, and how well the scores tell the classes apart; no arrays for a regression."""

    type: Literal["read_score_curves"] = "read_score_curves"


class ReadMaps(Message):
    type: Literal["read_maps"] = "read_maps"
    size: int
    axes: Axes | None = None
    """Over these; or over those that are shown."""


class ReadOptimizer(Message):
    """What the optimizer knows of all weights, or of one: layer, source (null: the bias), unit."""

    type: Literal["read_optimizer"] = "read_optimizer"
    weight: tuple[int, int | None, int] | None = None


class ReadUnits(Message):
    """Which hidden units let hardly any gradient through, and what dropout silenced last."""

    type: Literal["read_units"] = "read_units"


class ReadWeights(Message):
    type: Literal["read_weights"] = "read_weights"


class ReadMoment(Message):
    """This moment whole, to go on from elsewhere: the answer has it as `earlier`, and weights by name."""

    type: Literal["read_moment"] = "read_moment"


Opening = Open | OpenStack | OpenPatch
"""All that a worker needs to take something in."""
Look = ReadMetrics | ReadScoreCurves | ReadMaps | ReadOptimizer | ReadUnits | ReadWeights | ReadMoment
"""What changes nothing."""

Request = (
    Open
    | OpenStack
    | OpenPatch
    | GoOn
    | Close
    | SendFrame
    | Play
    | Pause
    | Reset
    | Restore
    | Seek
    | SetLockstep
    | SetSpeed
    | SetSlice
    | Step
    | Change
    | SetWeight
    | SetWeights
    | Cancel
    | HandOver
    | ReadMetrics
    | ReadScoreCurves
    | ReadMaps
    | ReadOptimizer
    | ReadUnits
    | ReadWeights
    | ReadMoment
)
_request: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


# --- Events -----------------------------------------------------------------------------------------------


class TrainerStatus(Message):
    """What trains on a worker: the kernel, stacks on a GPU, or, while there is no kernel, plain PyTorch."""

    type: Literal["trainer_status"] = "trainer_status"
    trainer: Literal["compiled", "batched", "compiling", "reference"]
    detail: str


class Ready(Message):
    """The first event of a worker. A `TrainerStatus` follows when the trainer changes."""

    type: Literal["ready"] = "ready"
    pid: int
    device: str
    kind: str
    """Of device, as far as the bits of a result depend on it."""
    trainer: TrainerStatus


class Earlier(Message):
    """A moment to come back to; its snapshot rides along in the array `earlier`."""

    step: int
    epoch: float
    samples: int
    """Points of the history before it."""
    done: int
    """Lines of the timeline before it."""
    config: Config


class Answer(Message):
    """The answer to a request: where the session is now, and what came of it."""

    type: Literal["answer"] = "answer"
    step: int
    epoch: float
    effect: list[Text] = []
    task: TaskDescription | None = None
    """The task, when the data have changed."""
    metrics: Metrics | None = None
    diverged: Divergence | None = None
    """Why training that was asked for ended early, if that is why."""
    stopped: Best | None = None
    """Likewise, if early stopping ended it."""
    earlier: Earlier | None = None
    """The moment before a change that loses something, or before another run began; or the present one, if
    that was asked for."""


class Failed(Message):
    """The answer to a request that was not carried out; `errors` is empty when that was not the sender's
    doing."""

    type: Literal["failed"] = "failed"
    detail: str
    errors: list[FieldError] = []


class Applied(Message):
    """Line `index` of the timeline has taken effect, which was recorded; or it is an early stop."""

    type: Literal["applied"] = "applied"
    index: int
    step: int
    epoch: float
    effect: list[Text]
    task: TaskDescription | None = None
    earlier: Earlier | None = None
    """The moment before it, if it loses something."""
    best: Best | None = None
    """Of an early stop: what it took back."""
    paused: bool = False
    """Whether training pauses here."""


class Samples(Message):
    """Points of the history: the array `samples` is (3, points, columns) float64, `Samples.table` of the
    training."""

    type: Literal["samples"] = "samples"
    run: int
    stride: int
    columns: list[str]


class Frame(Message):
    """A frame for the browser in the array `frame`, and the metrics of the same moment in `metrics`, both
    ready to forward."""

    type: Literal["frame"] = "frame"
    size: Size
    frame: int
    run: int
    step: int
    epoch: float


class Data(Message):
    """The data message for the browser, ready to forward, in the array `message`."""

    type: Literal["data"] = "data"


class Diverged(Message):
    """Training met NaN or infinity and is paused."""

    type: Literal["diverged"] = "diverged"
    diverged: Divergence
    epoch: float
    earlier: Earlier | None = None
    """When all was well."""


class Stuck(Message):
    """No hidden layer learns any more; null: one does again. It is not paused."""

    type: Literal["stuck"] = "stuck"
    stuck: Divergence | None
    earlier: Earlier | None = None
    """When all was well."""


class SessionFailed(Message):
    """A session failed in a way that nobody foresaw, and is paused."""

    type: Literal["session_failed"] = "session_failed"
    detail: str


class Snapshot(Message):
    """The state of a session, in the array `snapshot`, after `done` lines of its run's timeline."""

    type: Literal["snapshot"] = "snapshot"
    run: int
    step: int
    epoch: float
    done: int
    least_loss: float | None = None
    """Of a scripted run: what the patience of its rules has seen."""
    waited: int = 0


Event = (
    Ready
    | TrainerStatus
    | Load
    | Answer
    | Failed
    | Applied
    | Samples
    | Frame
    | Data
    | Diverged
    | Stuck
    | SessionFailed
    | Snapshot
    | Progress
    | Marked
    | Ended
    | RowTrained
    | PatchTrained
)
_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


Content = TypeVar("Content", Request, Event, covariant=True)


@dataclass(frozen=True)
class Envelope(Generic[Content]):
    """A request or an event on its way."""

    content: Content
    session: str = ""
    request: int = 0
    """Which request this is or answers; 0 where no answer is expected."""
    arrays: Arrays = field(default_factory=dict)

    def encode(self) -> bytes:
        header = {
            "session": self.session,
            "request": self.request,
            "content": self.content.model_dump(mode="json"),
        }
        return encode(header, self.arrays)


def read_request(message: bytes) -> Envelope[Request]:
    header, arrays = decode(message)
    return Envelope(_request.validate_python(header["content"]), header["session"], header["request"], arrays)


def read_event(message: bytes) -> Envelope[Event]:
    header, arrays = decode(message)
    return Envelope(_event.validate_python(header["content"]), header["session"], header["request"], arrays)
