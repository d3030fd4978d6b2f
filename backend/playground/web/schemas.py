"""What the REST API takes and returns, for validation and for its documentation."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from playground import limits
from playground.errors import FieldError
from playground.i18n import Values
from playground.messages.events import METRICS_EXAMPLE, Metrics, SessionState, TaskDescription
from playground.run.config import Config
from playground.run.run import EXAMPLE_EFFECT, EXAMPLE_LABEL, TimelineEntry
from playground.run.weights import LayerWeights

EXAMPLE_CONFIG = Config().model_dump(mode="json")
EXAMPLE_ENTRY = {
    "step": 1200,
    "epoch": 48.0,
    "change": {"optimizer": {"lr": 0.1}},
    "undo": {"optimizer": {"lr": 0.03}},
    "effect": EXAMPLE_EFFECT,
    "label": EXAMPLE_LABEL,
    "weights": None,
}


class Shape(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class NewSession(Shape):
    """What to train. Whatever is left out has its default."""

    config: dict[str, Any] = Field(
        default={},
        examples=[{"data": {"kind": "spiral", "noise": 0.1}, "optimizer": {"kind": "adam", "lr": 0.03}}],
    )
    """A config, or a part of one; its schema is in `GET /api/catalogue`."""
    timeline: list[TimelineEntry] = Field(default=[], max_length=10_000, examples=[[]])
    """Changes to make on the way, as `GET /api/sessions/{id}` returns them: the run is played again.
    The first change by hand drops what is left of it."""


class SessionShape(SessionState):
    """A session at this moment."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(examples=["9f3c01ab77"])
    """Its name in every other call."""
    run: int = Field(examples=[1])
    """Counts the resets."""
    config: Config = Field(examples=[EXAMPLE_CONFIG])
    """The current config, whole."""
    task: TaskDescription
    """What there is to learn: the kind, the number of classes, the names of inputs and classes."""
    timeline: list[TimelineEntry] = Field(examples=[[EXAMPLE_ENTRY]])
    """Every change of this run so far."""
    metrics: Metrics = Field(examples=[METRICS_EXAMPLE])
    """How good it is now."""


class CreatedSession(SessionShape):
    """A new session, and the key that lets you change it."""

    key: str = Field(examples=["kJ0vTg2hN5c1xw0m3yQ4a8Zr5sUe7PbL"])
    """Goes into `Authorization: Bearer …` of everything that changes the session. It is shown this once."""


class HistoryShape(Shape):
    """The curves of the run since its start, as fine as they are kept."""

    run: int = Field(examples=[1])
    """Counts the resets."""
    stride: int = Field(examples=[4])
    """Steps between two samples; it doubles whenever there are too many."""
    series: dict[str, list[float | None]] = Field(
        examples=[{"index": [0, 1], "step": [0, 4], "train_loss": [0.71, 0.52], "grad_norm.0": [None, 0.2]}]
    )
    """A list for each column, all of one length; null where a value is missing."""
    marks: list[TimelineEntry] = Field(examples=[[EXAMPLE_ENTRY]])
    """The changes of the run, to be marked on the curves."""


class Maps(Shape):
    """Maps over the input square. Row 0 is the top (x2 = 6), column 0 the left (x1 = -6)."""

    step: int = Field(examples=[1200])
    """When they were taken."""
    size: int = Field(examples=[2])
    """Cells along a side."""
    decision: list[Any] = Field(examples=[[[0.1, 0.9], [0.2, 0.8]]])
    """Two classes: the probability of class 1. Regression: the value. More classes: a map for each."""
    neurons: list[list[list[float | None]]] = Field(examples=[[[[0.3, -0.1], [0.0, 0.7]]]])
    """The activation of every hidden neuron, layer by layer, then of the output's units."""


class Weights(Shape):
    """Weights of the whole network, from the first hidden layer to the output."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)  # as in `AllWeights`
    layers: list[LayerWeights] = Field(
        max_length=limits.HIDDEN_LAYERS + 1,
        examples=[
            [
                {"weight": [[0.5, -0.3], [0.1, 0.8]], "bias": [0.0, 0.0]},
                {"weight": [[1.0], [-1.0]], "bias": [0.1]},
            ]
        ],
    )
    """For each layer `weight` (a row for each input), `bias`, and with batch normalisation `gamma`, `beta`,
    `running_mean` and `running_var`. What is left out in a put keeps its value."""


class PreviewRequest(Shape):
    """A data set to look at."""

    data: dict[str, Any] = Field(examples=[{"kind": "circle", "noise": 0.1}])
    """As in a config."""
    seed: int = Field(default=0, examples=[0])
    """The seed of the config that it would be part of."""


class Preview(Shape):
    """Points of a data set, as many as are worth showing."""

    task: TaskDescription
    """What there would be to learn."""
    train: list[list[float]] = Field(examples=[[[1.2, -0.4, 1]]])
    """[x1, x2, target] of training points."""
    test: list[list[float]] = Field(examples=[[[4.1, 0.7, 0]]])
    """[x1, x2, target] of test points."""


class TableColumn(Shape):
    """A column of an uploaded table."""

    name: str = Field(examples=["species"])
    """As the first line names it."""
    kind: Literal["number", "label"] = Field(examples=["label"])
    """What stands in it."""
    labels: list[str] = Field(examples=[["setosa", "versicolor"]])
    """Its different labels; none where it holds numbers."""


class UploadedTable(Shape):
    """A table that configs can name from now on."""

    id: str = Field(examples=["5d41402abc4b2a76"])
    """Goes into `{"kind": "csv", "id": …}`. The same file has the same id."""
    columns: list[TableColumn]
    """In the order of the file."""
    rows: int = Field(examples=[150])
    """Rows to learn from."""
    dropped: int = Field(examples=[0])
    """Rows left out because a value is missing."""
    task: Literal["binary", "multiclass", "regression"] = Field(examples=["multiclass"])
    """What there is to learn with the columns in `chosen`."""
    classes: int = Field(examples=[3])
    """Number of classes; 0 for a regression."""
    chosen: dict[str, Any] = Field(
        examples=[{"x1": "width", "x2": "length", "target": "species", "inputs": []}]
    )
    """The columns that are taken, as you named them or guessed."""
    preview: list[list[Any]] = Field(examples=[[[3.5, 1.4, "setosa"]]])
    """The first rows."""


class Readiness(Shape):
    """The server is ready, and this is what trains."""

    status: Literal["ready"] = Field(default="ready", examples=["ready"])
    """That it is."""
    trainer: Literal["compiled", "batched", "compiling", "reference"] = Field(examples=["compiled"])
    """The kernel; stacks on a GPU; PyTorch until the kernel is compiled, or because there is none here."""
    detail: str = Field(examples=["the compiled kernel trains"])
    """Why it is this one."""


class ProblemDocument(BaseModel):
    """Why not, after RFC 9457."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    type: str = Field(examples=["about:blank"])
    """A URI for the kind of problem; `about:blank` says that the status tells it."""
    title: str = Field(examples=["Unprocessable Content"])
    """The status in words."""
    status: int = Field(examples=[422])
    """The HTTP status."""
    detail: str = Field(examples=["hidden.0.width: must be at most 256"])
    """What went wrong, in English."""
    code: str = Field(examples=["problem.invalid"])
    """The same, by its key in the translations."""
    values: Values = Field(examples=[{"reasons": "hidden.0.width: must be at most 256"}])
    """What the placeholders of `detail` stand for."""
    instance: str = Field(examples=["/api/sessions"])
    """The path that was called."""
    errors: list[FieldError]
    """The fields at fault; may be empty."""
