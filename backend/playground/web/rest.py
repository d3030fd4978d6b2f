"""The REST API: each call finds its session, checks the key if it must, and lets the session do the rest."""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from secrets import token_hex
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from playground.run import config
from playground import limits
from playground.messages import protocol
from playground.catalogue import tables
from playground.problem import Problem
from playground.messages.protocol import Amount, Speed
from playground.session.registry import Registry
from playground.session.session import Session
from playground.web.schemas import (
    ChangeDone,
    CreatedSession,
    Done,
    HistoryShape,
    Maps,
    NewSession,
    Preview,
    PreviewRequest,
    SessionShape,
    StepDone,
    UploadedTable,
    Weights,
)

PREVIEW_POINTS = 300
PREVIEW_ROWS = 8
UPLOAD_EXAMPLE = {"file": "width,length,species\n3.5,1.4,setosa\n3.2,4.7,versicolor\n", "target": "species"}
PIECE = 64 * 1024
"""Characters of a large answer that are sent at a time."""

router = APIRouter(prefix="/api")
health = APIRouter()


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


def _shows(example: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": example}}}}


UNFIT = _fails(HTTPStatus.UNPROCESSABLE_ENTITY)
BODY = {
    **UNFIT,
    **_fails(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
}
BUSY = _fails(HTTPStatus.SERVICE_UNAVAILABLE)
"""Where a worker has to answer, or room to be found."""
MISSING = {**UNFIT, **_fails(HTTPStatus.NOT_FOUND)}
SEEN = {**MISSING, **BUSY}
GUARDED = {**MISSING, **_fails(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)}
COMMANDED = {**GUARDED, **BUSY, **_fails(HTTPStatus.TOO_MANY_REQUESTS)}
SENT = {**COMMANDED, **BODY}

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


def _large(value: Any) -> StreamingResponse:
    """JSON with arrays in it, written in another thread and sent as it is written."""
    return StreamingResponse(_pieces(value), media_type="application/json")


def _pieces(value: Any) -> Iterator[str]:
    written: list[str] = []
    length = 0
    for text in _json(value):
        written.append(text)
        length += len(text)
        if length >= PIECE:
            yield "".join(written)
            written, length = [], 0
    yield "".join(written)


def _json(value: Any) -> Iterator[str]:
    """Row by row, so that no call of the encoder keeps other threads waiting. Null is what overflowed."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        yield json.dumps(np.where(np.isfinite(value), value, np.array(None)).tolist())
    elif isinstance(value, np.ndarray | list):
        yield "["
        for position, part in enumerate(value):
            yield "," if position else ""
            yield from _json(part)
        yield "]"
    elif isinstance(value, Mapping):
        yield "{"
        for position, (name, part) in enumerate(value.items()):
            yield f"{',' if position else ''}{json.dumps(name)}:"
            yield from _json(part)
        yield "}"
    else:
        yield json.dumps(value)


# --- The server itself ------------------------------------------------------------------------------------


@health.get(
    "/healthz", tags=["server"], response_description="It is alive", responses=_shows({"status": "alive"})
)
async def alive() -> dict[str, str]:
    """The web process answers."""
    return {"status": "alive"}


@health.get(
    "/readyz",
    tags=["server"],
    response_description="It is ready",
    responses={**_shows({"status": "ready"}), **BUSY},
)
async def ready(request: Request) -> dict[str, str]:
    """Every worker answers."""
    if not request.app.state.engine.ready:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "A worker is starting.", headers={"Retry-After": "2"})
    return {"status": "ready"}


CATALOGUE_EXAMPLE = {
    "components": {"activation": [{"kind": "relu", "label": "ReLU", "help": "…", "parameters": []}]},
    "fields": [{"path": "batch_size", "type": "integer", "default": 10, "minimum": 1, "maximum": 10_000}],
    "default": {"batch_size": 10},
    "limits": {"hidden_layers": limits.HIDDEN_LAYERS},
    "schema": {"type": "object"},
}


@cache
def _catalogue() -> tuple[bytes, str]:
    body = json.dumps(config.catalogue(), ensure_ascii=False).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@router.get(
    "/catalogue",
    tags=["catalogue"],
    response_description="The catalogue",
    responses={
        **_shows(CATALOGUE_EXAMPLE),
        304: {"description": "You have it already (`If-None-Match`)."},
    },
)
async def catalogue(request: Request) -> Response:
    """Every component with help, formula and parameters; fields, limits and JSON Schema of a config."""
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
    responses=BODY,
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
    responses=BODY,
    openapi_extra={"requestBody": {"content": {"multipart/form-data": {"example": UPLOAD_EXAMPLE}}}},
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
    responses={**BODY, **BUSY},
)
async def create(
    request: Request,
    registry: TheRegistry,
    new: Annotated[
        NewSession,
        Body(
            openapi_examples={
                "the default": {"value": {}},
                "a spiral": {"value": {"config": {"data": {"kind": "spiral", "noise": 0.1}}}},
                "a run that is played again": {
                    "value": {"timeline": [{"step": 500, "change": {"optimizer": {"lr": 0.1}}}]}
                },
            }
        ),
    ] = NewSession(),  # noqa: B008
) -> JSONResponse:
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
    responses=SEEN,
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
    responses=SENT,
)
async def change(
    session: Held,
    patch: Annotated[
        dict[str, Any],
        Body(
            description="A JSON merge patch (RFC 7396); a component whose kind changes is replaced.",
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
    responses=COMMANDED,
)
async def play(session: Held) -> JSONResponse:
    """Train at the session's speed, until it is paused."""
    return await _perform(session, protocol.Play())


@router.post(
    "/sessions/{id}/pause",
    tags=["sessions"],
    response_model=Done,
    response_description="It stands still",
    responses=COMMANDED,
)
async def pause(session: Held) -> JSONResponse:
    """Stop training; a `step` that is under way ends here too."""
    return await _perform(session, protocol.Pause())


@router.post(
    "/sessions/{id}/reset",
    tags=["sessions"],
    response_model=Done,
    response_description="It starts anew",
    responses=COMMANDED,
)
async def reset(session: Held) -> JSONResponse:
    """A new run with the config of now: step 0, no timeline, no history."""
    return await _perform(session, protocol.Reset())


@router.post(
    "/sessions/{id}/speed",
    tags=["sessions"],
    response_model=Done,
    response_description="The speed is set",
    responses=SENT,
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
    responses=SENT,
)
async def step(
    request: Request,
    session: Held,
    amount: Annotated[
        Amount,
        Body(openapi_examples={"steps": {"value": {"steps": 100}}, "epochs": {"value": {"epochs": 2}}}),
    ],
) -> JSONResponse:
    """Train that much at once, at full speed, and answer when it is done; it ends when you hang up."""
    name = f"http-{token_hex(8)}"
    command = protocol.Step(**amount.model_dump())
    answer = asyncio.ensure_future(session.perform_once(name, command))
    hanging_up = asyncio.ensure_future(request.receive())  # after the body, nothing else can come
    await asyncio.wait((answer, hanging_up), return_when=asyncio.FIRST_COMPLETED)
    hanging_up.cancel()
    if not answer.done():
        session.abandon(name)
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "The caller hung up, and training ended.")
    return JSONResponse(answer.result())


@router.get(
    "/sessions/{id}/history",
    tags=["sessions"],
    response_model=HistoryShape,
    response_description="The curves",
    responses=MISSING,
)
async def history(session: Watched) -> Response:
    """Loss, scores and gradient norms over the run, and the marks of the changes."""
    marks = [entry.model_dump(mode="json") for entry in session.timeline]
    kept = session.history
    return _large({"run": session.run, "stride": kept.stride, "series": kept.series(), "marks": marks})


@router.get(
    "/sessions/{id}/maps",
    tags=["sessions"],
    response_model=Maps,
    response_description="The maps",
    responses={
        **SEEN,
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
    """The decision map and the map of every neuron: JSON, or raw with `Accept: application/octet-stream`.

    Large networks have small maps: all units together may have 4,000,000 cells.
    """
    header, arrays = await session.maps(size)
    decision, neurons = arrays["decision"], arrays["neurons"]
    if "application/octet-stream" in request.headers.get("accept", ""):
        shapes = {
            "X-Decision-Shape": ",".join(map(str, decision.shape)),
            "X-Neurons-Shape": ",".join(map(str, neurons.shape)),
        }
        body = iter([array.astype("<f4", copy=False).tobytes() for array in (decision, neurons)])
        return StreamingResponse(body, media_type="application/octet-stream", headers=shapes)
    return _large({"step": header["step"], "size": size, "decision": decision, "neurons": neurons})


@router.get(
    "/sessions/{id}/weights",
    tags=["sessions"],
    response_model=Weights,
    response_description="All weights",
    responses=SEEN,
)
async def get_weights(session: Watched) -> Response:
    """Weights and biases of every layer."""
    return _large({"layers": await session.weights()})


@router.put(
    "/sessions/{id}/weights",
    tags=["sessions"],
    response_model=ChangeDone,
    response_description="When it took effect",
    responses=SENT,
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
