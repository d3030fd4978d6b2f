"""Networks that train, and what can be done with them."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from secrets import token_hex
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field

from playground import limits
from playground.errors import Problem
from playground.export.taken import by_layer
from playground.i18n import say
from playground.messages import commands
from playground.messages import worker as messages
from playground.messages.commands import Amount, Slice, Speed
from playground.messages.events import (
    METRICS_EXAMPLE,
    ChangeDone,
    Done,
    Metrics,
    SessionState,
    StepDone,
    TaskDescription,
)
from playground.run.config import Config
from playground.run.run import EXAMPLE_EFFECT, EXAMPLE_LABEL, TimelineEntry
from playground.run.slices import Axes
from playground.run.weights import LayerWeights
from playground.session.history import HIGH, LOW, History
from playground.session.session import Session
from playground.web.json_stream import stream_json
from playground.web.routes.dependencies import Held, TheRegistry, Watched
from playground.web.routes.responses import BODY, BUSY, COMMANDED, GUARDED, MISSING, SEEN, SENT, binary, fails
from playground.web.routes.shape import Shape

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


class NewSession(Shape):
    """What to train. Whatever is left out has its default."""

    config: dict[str, Any] = Field(
        default={},
        examples=[{"data": {"kind": "spiral", "noise": 0.1}, "optimizer": {"kind": "adam", "lr": 0.03}}],
    )
    """A config, or a part of one; its schema is in `GET /api/catalogue`. Without `"version": 2` it is of
    version 1, in which Adam starts at 0.03 and not at 0.001."""
    timeline: list[TimelineEntry] = Field(default=[], max_length=10_000, examples=[[]])
    """Changes to make on the way, as `GET /api/sessions/{id}` returns them: the run is played again.
    The first change by hand drops what is left of it."""
    step: int = Field(default=0, ge=0, le=limits.TRAIN_STEPS, examples=[0])
    """Train up to this step at once, before anything else."""
    key: str | None = Field(default=None, min_length=32, max_length=128, examples=[None])
    """The key of a session that is gone, to make it again under the same id; drawn if left out."""


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

    @classmethod
    def of(cls, kept: History, run: int, marks: Sequence[TimelineEntry]) -> "HistoryShape":
        """Of a session, or of a run that is kept."""
        low, high = kept.series(LOW), kept.series(HIGH)
        return cls(run=run, stride=kept.stride, series=kept.series(), low=low, high=high, marks=list(marks))

    run: int = Field(examples=[1])
    """Counts the resets."""
    stride: int = Field(examples=[4])
    """Steps between two samples, at most; it doubles, and neighbours are merged, when there are too many."""
    series: dict[str, list[float | None]] = Field(
        examples=[{"index": [0, 1], "step": [0, 4], "train_loss": [0.71, 0.52], "grad_norm.0": [None, 0.2]}]
    )
    """A list for each column, all of one length: its mean over the steps since the sample before. Null where
    a value is missing."""
    low: dict[str, list[float | None]] = Field(
        examples=[{"train_loss": [0.71, 0.5], "grad_norm.0": [None, 0.2]}]
    )
    """Likewise, the least value of each metric in these steps."""
    high: dict[str, list[float | None]] = Field(
        examples=[{"train_loss": [0.71, 0.6], "grad_norm.0": [None, 0.3]}]
    )
    """Likewise, the greatest."""
    marks: list[TimelineEntry] = Field(examples=[[EXAMPLE_ENTRY]])
    """The changes of the run, to be marked on the curves."""


class Maps(Shape):
    """Maps over the square. Row 0 is the top (6 of what is drawn upwards), column 0 the left (-6 of what is
    drawn to the right)."""

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


class RestoredMoment(Shape):
    """A moment to go back to."""

    checkpoint: int = Field(examples=[3])
    """Its number."""


router = APIRouter(prefix="/api/sessions", tags=["sessions"])


async def perform(session: Session, command: commands.Command) -> Any:
    return await session.answers.of(f"http-{token_hex(8)}", command)


@router.post(
    "",
    status_code=201,
    response_description="The session and its key; `Location` has its address",
    responses={**BODY, **BUSY, **fails(HTTPStatus.CONFLICT)},
)
async def create(
    request: Request,
    response: Response,
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
) -> CreatedSession:
    """A new session, paused. Its key comes with it."""
    return await created(
        request, response, await registry.create(new.config, new.timeline, new.step, new.key)
    )


async def created(request: Request, response: Response, session: Session) -> CreatedSession:
    """The answer that has its key."""
    location = str(request.app.url_path_for("look", id=session.id))
    headers = {"Location": request.scope.get("root_path", "") + location, "Cache-Control": "no-store"}
    response.headers.update(headers)
    return CreatedSession(**dict(await session_shape(session)), key=session.key)


async def session_shape(session: Session) -> SessionShape:
    """Everything about this moment, with fresh metrics."""
    answer, _ = await session.read(messages.ReadMetrics())
    assert session.task
    return SessionShape(
        id=session.id,
        run=session.run_number,
        config=session.config,
        task=session.task,
        timeline=list(session.run.timeline),
        metrics=answer.metrics or {},
        **dict(session.state),
    )


@router.get(
    "/{id}",
    response_description="The session at this moment",
    responses=SEEN,
)
async def look(session: Watched) -> SessionShape:
    """Config, step, state, metrics and timeline of a session."""
    return await session_shape(session)


@router.delete("/{id}", status_code=204, response_description="It is gone", responses=GUARDED)
async def delete(registry: TheRegistry, session: Held) -> Response:
    """End a session; its viewers are told."""
    await registry.delete(session)
    return Response(status_code=204)


@router.patch(
    "/{id}/config",
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
) -> ChangeDone:
    """Change the config while it trains. Nothing is reset."""
    return await perform(session, commands.Change(change=patch))


@router.post(
    "/{id}/play",
    response_description="It trains",
    responses=COMMANDED,
)
async def play(session: Held) -> Done:
    """Train at the session's speed, until it is paused."""
    return await perform(session, commands.Play())


@router.post(
    "/{id}/pause",
    response_description="It stands still",
    responses=COMMANDED,
)
async def pause(session: Held) -> Done:
    """Stop training; a `step` that is under way ends here too."""
    return await perform(session, commands.Pause())


@router.post(
    "/{id}/reset",
    response_description="It starts anew",
    responses=COMMANDED,
)
async def reset(session: Held) -> Done:
    """A new run with the current config: step 0, no timeline, no history."""
    return await perform(session, commands.Reset())


@router.post(
    "/{id}/restore",
    response_description="It is there again",
    responses=SENT,
)
async def restore(session: Held, moment: Annotated[RestoredMoment, Body()]) -> Done:
    """Go back to a moment: weights, optimizer state, config, timeline and curves are as they were then.

    Lines of the timeline that lose something name the moment before them, a divergence the last one at which
    all was well, and the state where the session was before a reset or before it went back.
    """
    return await perform(session, commands.Restore(checkpoint=moment.checkpoint))


@router.post(
    "/{id}/speed",
    response_description="The speed is set",
    responses=SENT,
)
async def set_speed(
    session: Held,
    speed: Annotated[
        Speed,
        Body(
            openapi_examples={
                "the default": {"value": {"epochs_per_second": 15}},
                "full speed": {"value": {"max": True}},
            }
        ),
    ],
) -> Done:
    """How fast to train: epochs per second, steps per second, or as fast as it goes."""
    return await perform(session, commands.SetSpeed(**speed.model_dump()))


@router.post(
    "/{id}/slice",
    response_description="The slice is set",
    responses=SENT,
)
async def set_slice(
    session: Held,
    chosen: Annotated[
        Slice,
        Body(
            openapi_examples={
                "all at their mean": {"value": {"held": {}}},
                "principal components": {
                    "value": {"held": {}, "axes": {"projection": "principal_components"}}
                },
            }
        ),
    ],
) -> Done:
    """Of more than two inputs, what the maps are drawn over, and at what value they hold the others."""
    return await perform(session, commands.SetSlice(held=chosen.held, axes=chosen.axes))


@router.post(
    "/{id}/step",
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
) -> StepDone:
    """Train that much at once, at full speed, and answer when it is done; it ends when you hang up."""
    name = f"http-{token_hex(8)}"
    command = commands.Step(**amount.model_dump())
    answer = asyncio.ensure_future(session.answers.of(name, command))
    hanging_up = asyncio.ensure_future(request.receive())  # after the body, nothing else can come
    await asyncio.wait((answer, hanging_up), return_when=asyncio.FIRST_COMPLETED)
    hanging_up.cancel()
    if not answer.done():
        session.answers.abandon(name)
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, say("problem.hung_up"))
    done = answer.result()
    assert isinstance(done, StepDone)
    return done


@router.get(
    "/{id}/history",
    response_description="The curves",
    responses=MISSING,
)
async def history(session: Watched) -> HistoryShape:
    """Loss, scores and gradient norms over the run, and the marks of the changes."""
    return HistoryShape.of(session.history, session.run_number, session.run.timeline)


@router.get(
    "/{id}/maps",
    response_model=Maps,
    response_description="The maps",
    responses={
        **SEEN,
        200: {
            "content": binary(
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
    x: Annotated[str | None, Query(description="Input drawn to the right", examples=[None])] = None,
    y: Annotated[str | None, Query(description="Input drawn upwards", examples=[None])] = None,
    projection: Annotated[
        Literal["inputs", "principal_components"] | None,
        Query(description="Two of the inputs, or the first two principal components", examples=[None]),
    ] = None,
) -> Response:
    """The decision map and the map of every neuron: JSON, or raw with `Accept: application/octet-stream`.

    They are drawn over what the session shows, or over `x` and `y`, or over the principal components.

    Large networks have small maps: all units together may have 4,000,000 cells.
    """
    named = x is not None or y is not None or projection is not None
    axes = Axes(projection=projection or "inputs", x=x, y=y) if named else None
    answer, arrays = await session.read(messages.ReadMaps(size=size, axes=axes))
    decision, neurons = arrays["decision"], arrays["neurons"]
    if "application/octet-stream" in request.headers.get("accept", ""):
        shapes = {
            "X-Decision-Shape": ",".join(map(str, decision.shape)),
            "X-Neurons-Shape": ",".join(map(str, neurons.shape)),
        }
        body = iter([array.astype("<f4", copy=False).tobytes() for array in (decision, neurons)])
        return StreamingResponse(body, media_type="application/octet-stream", headers=shapes)
    return stream_json({"step": answer.step, "size": size, "decision": decision, "neurons": neurons})


@router.get(
    "/{id}/weights",
    response_model=Weights,
    response_description="All weights",
    responses=SEEN,
)
async def get_weights(session: Watched) -> Response:
    """Weights and biases of every layer."""
    _, arrays = await session.read(messages.ReadWeights())
    return stream_json({"layers": by_layer(arrays)})


@router.put(
    "/{id}/weights",
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
) -> ChangeDone:
    """Set weights; refused if a shape does not fit or a number is not finite."""
    return await perform(session, commands.SetWeights(layers=weights.layers))
