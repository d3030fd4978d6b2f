"""The REST API: each call finds its session, checks the key where it must, and lets the session do the rest."""

import hashlib
import json
from functools import cache
from http import HTTPStatus
from secrets import token_hex
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Body, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from backend import config, limits, protocol, tables
from backend.problem import Problem
from backend.protocol import Amount, Entry, FieldProblem, Speed, State
from backend.registry import Registry
from backend.session import Session

EXAMPLE_CONFIG = config.RunConfig().model_dump(mode="json")
PREVIEW_POINTS = 300
PREVIEW_ROWS = 8

router = APIRouter(prefix="/api")
health = APIRouter()


# --- What goes in and out ---------------------------------------------------------------------------------


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class NewSession(Shape):
    """What to train. Whatever is left out has its default."""

    config: dict[str, Any] = Field(
        default={},
        examples=[{"data": {"kind": "spiral", "noise": 0.1}, "optimizer": {"kind": "adam", "lr": 0.03}}],
    )
    """A config, or a part of one; its schema is in `GET /api/catalogue`."""
    timeline: list[Entry] = Field(default=[], max_length=10_000, examples=[[]])
    """Changes to make on the way, as `GET /api/sessions/{id}` returns them: the run is played again.
    The first change by hand drops what is left of it."""


class Metrics(BaseModel):
    """Evaluated on all data at this moment, dropout off. Regressions have `…_mae` and `…_r2` instead of accuracy."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)
    train_loss: float | None = Field(examples=[0.012])
    """Mean loss over the training data; null when it is not finite."""
    test_loss: float | None = Field(examples=[0.018])
    """Mean loss over the test data; null when there are none."""
    train_accuracy: float | None = Field(default=None, examples=[1.0])
    """Share of the training data that is classified right."""
    test_accuracy: float | None = Field(default=None, examples=[0.992])
    """Share of the test data that is classified right."""
    grad_norm: list[float | None] = Field(examples=[[0.031, 0.024, 0.051]])
    """Length of the last step's gradient in each layer, the output last; null before the first step."""


class SessionShape(State):
    """A session at this moment."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(examples=["9f3c01ab77"])
    """Its name in every other call."""
    run: int = Field(examples=[1])
    """Counts the resets."""
    config: dict[str, Any] = Field(examples=[EXAMPLE_CONFIG])
    """The config of now, whole."""
    problem: dict[str, Any] = Field(examples=[{"kind": "binary", "classes": 2, "inputs": 2}])
    """What there is to learn: the kind, the number of classes, the names of inputs and classes."""
    timeline: list[Entry]
    """Every change of this run so far."""
    metrics: Metrics
    """How good it is now."""


class CreatedSession(SessionShape):
    """A new session, and the key that lets you change it."""

    key: str = Field(examples=["kJ0vTg2hN5c1xw0m3yQ4a8Zr5sUe7PbL"])
    """Goes into `Authorization: Bearer …` of everything that changes the session. It is shown this once."""


class Done(Shape):
    """A command took effect."""

    step: int = Field(examples=[1200])
    """At this step."""


class ChangeDone(Done):
    """A change took effect."""

    change: dict[str, Any] = Field(examples=[{"optimizer": {"lr": 0.1}}])
    """What was asked for; empty for weights."""
    effect: list[str] = Field(examples=[["learning rate 0.03 → 0.1; weights and optimizer kept"]])
    """What it did to the weights and to the optimizer's state."""


class StepDone(Done):
    """Training that was asked for is done."""

    epoch: float = Field(examples=[48.0])
    """Passes over the training set so far."""
    metrics: Metrics
    """How good it is now."""


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
    marks: list[Entry]
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

    layers: list[dict[str, Any]] = Field(
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

    problem: dict[str, Any] = Field(examples=[{"kind": "binary", "classes": 2}])
    """What there would be to learn."""
    train: list[list[float]] = Field(examples=[[[1.2, -0.4, 1]]])
    """[x1, x2, target] of training points."""
    test: list[list[float]] = Field(examples=[[[4.1, 0.7, 0]]])
    """[x1, x2, target] of test points."""


class UploadedTable(Shape):
    """A table that configs can name from now on."""

    id: str = Field(examples=["5d41402abc4b2a76"])
    """Goes into `{"kind": "csv", "id": …}`. The same file has the same id."""
    columns: list[dict[str, Any]] = Field(
        examples=[[{"name": "width", "kind": "number"}, {"name": "species", "kind": "label"}]]
    )
    """Names and kinds of the columns; a label column also lists its labels."""
    rows: int = Field(examples=[150])
    """Rows to learn from."""
    dropped: int = Field(examples=[0])
    """Rows left out because a value is missing."""
    problem: Literal["binary", "multiclass", "regression"] = Field(examples=["multiclass"])
    """What there is to learn with the columns in `chosen`."""
    classes: int = Field(examples=[3])
    """Number of classes; 0 for a regression."""
    chosen: dict[str, Any] = Field(
        examples=[{"x1": "width", "x2": "length", "target": "species", "inputs": []}]
    )
    """The columns that are taken, as you named them or guessed."""
    preview: list[list[Any]] = Field(examples=[[[3.5, 1.4, "setosa"]]])
    """The first rows."""


class ProblemDocument(BaseModel):
    """Why not, after RFC 9457."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    type: str = Field(examples=["about:blank"])
    """A URI for the kind of problem; `about:blank` says that the status tells it."""
    title: str = Field(examples=["Unprocessable Content"])
    """The status in words."""
    status: int = Field(examples=[422])
    """The HTTP status."""
    detail: str = Field(examples=["hidden.0.width: Input should be less than or equal to 256"])
    """What went wrong, for a person."""
    instance: str = Field(examples=["/api/sessions"])
    """The path that was called."""
    errors: list[FieldProblem]
    """The fields at fault; may be empty."""


def _fails(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    answer = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {
        status.value: {"description": status.description or status.phrase, "content": answer}
        for status in statuses
    }


def _binary(description: str) -> dict[str, Any]:
    return {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary", "description": description}
        }
    }


MISSING = _fails(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
GUARDED = {
    **MISSING,
    **_fails(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE),
}

# --- Who calls what ---------------------------------------------------------------------------------------

_bearer = HTTPBearer(auto_error=False, description="The key of the session, from the answer to its creation.")


def _registry(request: Request) -> Registry:
    return request.app.state.registry


def _session(
    registry: Annotated[Registry, Depends(_registry)],
    session_id: Annotated[str, Path(alias="id", description="The session's id", examples=["9f3c01ab77"])],
) -> Session:
    return registry.get(session_id)


def _held(
    session: Annotated[Session, Depends(_session)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Session:
    if credentials is None:
        detail = "This takes the session's key: Authorization: Bearer …"
        raise Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})
    if not session.holds(credentials.credentials):
        raise Problem(HTTPStatus.FORBIDDEN, "This key does not fit this session.")
    return session


TheRegistry = Annotated[Registry, Depends(_registry)]
Watched = Annotated[Session, Depends(_session)]
Held = Annotated[Session, Depends(_held)]


async def _perform(session: Session, command: protocol.Command) -> JSONResponse:
    return JSONResponse(await session.perform_once(f"http-{token_hex(8)}", command))


# --- The server itself ------------------------------------------------------------------------------------


@health.get("/healthz", tags=["server"], response_description='`{"status": "alive"}`')
async def alive() -> dict[str, str]:
    """The web process answers."""
    return {"status": "alive"}


@health.get(
    "/readyz",
    tags=["server"],
    response_description='`{"status": "ready"}`',
    responses=_fails(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def ready(request: Request) -> dict[str, str]:
    """Every worker answers."""
    if not request.app.state.engine.ready:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "A worker is starting.", headers={"Retry-After": "2"})
    return {"status": "ready"}


@cache
def _catalogue() -> tuple[bytes, str]:
    body = json.dumps(config.catalogue(), ensure_ascii=False).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@router.get(
    "/catalogue",
    tags=["catalogue"],
    response_description="The catalogue",
    responses={304: {"description": "You have it already (`If-None-Match`)."}},
)
async def catalogue(request: Request) -> Response:
    """Every component with its help, formula and parameters; the fields, limits and JSON Schema of a config."""
    body, tag = _catalogue()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


# --- Data -------------------------------------------------------------------------------------------------


@router.post(
    "/preview",
    tags=["data"],
    response_model=Preview,
    response_description="Some of its points",
    responses=_fails(HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def preview(
    registry: TheRegistry,
    wish: Annotated[
        PreviewRequest, Body(openapi_examples={"circle": {"value": {"data": {"kind": "circle"}, "seed": 0}}})
    ],
) -> JSONResponse:
    """Points of a data set, without a session."""
    raw = {"data": wish.data, "seed": wish.seed}
    found = registry.shelf.named_in(raw)
    dataset = await run_in_threadpool(lambda: config.parse(raw, found).data.split(wish.seed, found))
    return JSONResponse(
        {
            "problem": vars(dataset.problem),
            "train": _points(dataset.train_inputs, dataset.train_targets),
            "test": _points(dataset.test_inputs, dataset.test_targets),
        }
    )


def _points(inputs: np.ndarray, targets: np.ndarray) -> list[list[float]]:
    shown = np.column_stack([inputs[:PREVIEW_POINTS, :2], targets[:PREVIEW_POINTS]])
    return np.round(shown.astype(float), 4).tolist()


@router.post(
    "/datasets",
    tags=["data"],
    status_code=201,
    response_model=UploadedTable,
    response_description="What is in it",
    responses=_fails(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def upload(
    registry: TheRegistry,
    file: Annotated[
        UploadFile, File(description="A CSV file of at most 5 MB; `,`, `;` or tab between columns")
    ],
    header: Annotated[
        bool | None,
        Form(description="Whether the first line names the columns; guessed if left out", examples=[True]),
    ] = None,
    target: Annotated[
        str | None,
        Form(description="Name of the column to predict; guessed if left out", examples=["species"]),
    ] = None,
    x1: Annotated[str | None, Form(description="Name of the first input", examples=["width"])] = None,
    x2: Annotated[str | None, Form(description="Name of the second input", examples=["length"])] = None,
) -> JSONResponse:
    """Upload a CSV; then use it with `{"kind": "csv", "id": …}` as the `data` of a config."""
    content = await file.read()
    table = await run_in_threadpool(tables.read_csv, content, file.filename or "the file", header, target)
    chosen = tables.guess_target(table, x1=x1, x2=x2, target=target)
    data = {"kind": "csv", "id": table.id, "x1": chosen.x1, "x2": chosen.x2, "target": chosen.target}
    problem = config.parse({"data": data}, {table.id: table}).data.problem({table.id: table})
    registry.shelf.put(table)
    shape = UploadedTable(
        id=table.id,
        columns=[{"name": c.name, "kind": c.kind, "labels": list(c.labels)} for c in table.columns],
        rows=table.rows,
        dropped=table.dropped,
        problem=problem.kind,
        classes=problem.classes,
        chosen=chosen._asdict(),
        preview=tables.preview(table, PREVIEW_ROWS),
    )
    return JSONResponse(shape.model_dump(mode="json"), status_code=201)


# --- Sessions ---------------------------------------------------------------------------------------------


@router.post(
    "/sessions",
    tags=["sessions"],
    status_code=201,
    response_model=CreatedSession,
    response_description="The session and its key; `Location` has its address",
    responses=_fails(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def create(request: Request, registry: TheRegistry, new: NewSession = NewSession()) -> JSONResponse:  # noqa: B008
    """A new session, paused at step 0. Its key comes with it."""
    session = await registry.create(new.config, new.timeline)
    location = str(request.app.url_path_for("look", id=session.id))
    headers = {"Location": request.scope.get("root_path", "") + location, "Cache-Control": "no-store"}
    return JSONResponse({**await session.look(), "key": session.key}, status_code=201, headers=headers)


@router.get(
    "/sessions/{id}",
    tags=["sessions"],
    response_model=SessionShape,
    response_description="The session at this moment",
    responses=MISSING,
)
async def look(session: Watched) -> JSONResponse:
    """Config, step, state, metrics and timeline of a session."""
    return JSONResponse(await session.look())


@router.delete(
    "/sessions/{id}", tags=["sessions"], status_code=204, response_description="It is gone", responses=GUARDED
)
async def delete(registry: TheRegistry, session: Held) -> Response:
    """End a session; its viewers are told."""
    registry.drop(session, "its holder deleted it")
    return Response(status_code=204)


@router.patch(
    "/sessions/{id}/config",
    tags=["sessions"],
    response_model=ChangeDone,
    response_description="When it took effect, and what it did",
    responses=GUARDED,
)
async def change(
    session: Held,
    patch: Annotated[
        dict[str, Any],
        Body(
            description="A JSON merge patch (RFC 7396) of the config. A component whose kind changes is replaced.",
            openapi_examples={
                "learning rate": {"value": {"optimizer": {"lr": 0.1}}},
                "another optimizer": {"value": {"optimizer": {"kind": "momentum", "lr": 0.03, "beta": 0.9}}},
            },
        ),
    ],
) -> JSONResponse:
    """Change the config while it trains. Nothing is reset."""
    return await _perform(session, protocol.Change(change=patch))


@router.post(
    "/sessions/{id}/play",
    tags=["sessions"],
    response_model=Done,
    response_description="It trains",
    responses=GUARDED,
)
async def play(session: Held) -> JSONResponse:
    """Train at the session's speed, until it is paused."""
    return await _perform(session, protocol.Play())


@router.post(
    "/sessions/{id}/pause",
    tags=["sessions"],
    response_model=Done,
    response_description="It stands still",
    responses=GUARDED,
)
async def pause(session: Held) -> JSONResponse:
    """Stop training; a `step` that is under way ends here too."""
    return await _perform(session, protocol.Pause())


@router.post(
    "/sessions/{id}/reset",
    tags=["sessions"],
    response_model=Done,
    response_description="It starts anew",
    responses=GUARDED,
)
async def reset(session: Held) -> JSONResponse:
    """A new run with the config of now: step 0, no timeline, no history."""
    return await _perform(session, protocol.Reset())


@router.post(
    "/sessions/{id}/speed",
    tags=["sessions"],
    response_model=Done,
    response_description="The speed is set",
    responses=GUARDED,
)
async def set_speed(
    session: Held,
    speed: Annotated[
        Speed,
        Body(
            openapi_examples={
                "the default": {"value": {"epochs_per_second": 60}},
                "full speed": {"value": {"max": True}},
            }
        ),
    ],
) -> JSONResponse:
    """How fast to train: epochs per second, steps per second, or as fast as it goes."""
    return await _perform(session, protocol.SetSpeed(**speed.model_dump()))


@router.post(
    "/sessions/{id}/step",
    tags=["sessions"],
    response_model=StepDone,
    response_description="The metrics after it",
    responses=GUARDED,
)
async def step(
    session: Held,
    amount: Annotated[
        Amount,
        Body(openapi_examples={"steps": {"value": {"steps": 100}}, "epochs": {"value": {"epochs": 2}}}),
    ],
) -> JSONResponse:
    """Train that much at once, at full speed, and answer when it is done."""
    return await _perform(session, protocol.Step(**amount.model_dump()))


@router.get(
    "/sessions/{id}/history",
    tags=["sessions"],
    response_model=HistoryShape,
    response_description="The curves",
    responses=MISSING,
)
async def history(session: Watched) -> JSONResponse:
    """Loss, scores and gradient norms over the run, and the marks of the changes."""
    marks = [entry.model_dump(mode="json") for entry in session.timeline]
    kept = session.history
    return JSONResponse({"run": session.run, "stride": kept.stride, "series": kept.series(), "marks": marks})


@router.get(
    "/sessions/{id}/maps",
    tags=["sessions"],
    response_model=Maps,
    response_description="The maps",
    responses={
        **MISSING,
        200: {
            "content": _binary(
                "Little-endian float32 without a header: the decision map, then the maps of the neurons. "
                "Their shapes are in the headers `X-Decision-Shape` and `X-Neurons-Shape`, as `100,100`."
            )
        },
    },
)
async def maps(
    request: Request,
    session: Watched,
    size: Annotated[
        int,
        Query(
            ge=limits.OUTPUT_MAP[0], le=limits.OUTPUT_MAP[1], description="Cells along a side", examples=[100]
        ),
    ] = 100,
) -> Response:
    """The decision map and the map of every neuron: JSON, or raw with `Accept: application/octet-stream`."""
    header, arrays = await session.maps(size)
    decision, neurons = arrays["decision"], arrays["neurons"]
    if "application/octet-stream" in request.headers.get("accept", ""):
        shapes = {
            "X-Decision-Shape": ",".join(map(str, decision.shape)),
            "X-Neurons-Shape": ",".join(map(str, neurons.shape)),
        }
        body = b"".join(array.astype("<f4").tobytes() for array in (decision, neurons))
        return Response(body, media_type="application/octet-stream", headers=shapes)
    maps = {"decision": _nested(decision), "neurons": _nested(neurons)}
    return JSONResponse({"step": header["step"], "size": size, **maps})


def _nested(array: np.ndarray) -> list[Any]:
    return (array if np.isfinite(array).all() else np.where(np.isfinite(array), array, None)).tolist()


@router.get(
    "/sessions/{id}/weights",
    tags=["sessions"],
    response_model=Weights,
    response_description="All weights",
    responses=MISSING,
)
async def get_weights(session: Watched) -> JSONResponse:
    """Weights and biases of every layer."""
    return JSONResponse({"layers": await session.weights()})


@router.put(
    "/sessions/{id}/weights",
    tags=["sessions"],
    response_model=ChangeDone,
    response_description="When it took effect",
    responses=GUARDED,
)
async def put_weights(
    session: Held,
    weights: Annotated[
        Weights,
        Body(
            openapi_examples={
                "two layers": {"value": {"layers": [{"bias": [0.0, 0.0]}, {"weight": [[1.0], [-1.0]]}]}}
            }
        ),
    ],
) -> JSONResponse:
    """Set weights; refused if a shape does not fit or a number is not finite."""
    return await _perform(session, protocol.SetWeights(layers=weights.layers))
