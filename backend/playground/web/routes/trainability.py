"""Maps of trainability: which learning rates and initial weights a network learns with."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, model_validator

from playground import limits
from playground.errors import Problem, ValidationFailed, broken, fault
from playground.i18n import Text, say
from playground.run.validation import parse
from playground.studies.trainability import Plan, TrainabilityMap, TrainabilityMaps
from playground.web.event_stream import ServerEvent, event_stream
from playground.web.routes.dependencies import TheRegistry
from playground.web.routes.responses import BODY, BUSY, MISSING, tells
from playground.web.routes.sessions import CreatedSession, session_shape
from playground.web.routes.shape import Shape

EVENT_SECONDS = 0.1
"""Between two looks at what is new."""
PIXELS = 4096
"""That one event tells of."""


class Span(Shape):
    """From one edge of the map to the other, by equal ratios."""

    low: float = Field(gt=0, examples=[0.001])
    """At the left or lower edge."""
    high: float = Field(gt=0, examples=[10.0])
    """At the right or upper edge."""


class NewMap(Shape):
    """What to map. Whatever is left out has its default."""

    config: dict[str, Any] = Field(
        default={}, examples=[{"hidden": [{"width": 8}], "optimizer": {"kind": "sgd"}}]
    )
    """A config, or a part of one; its learning rate and the scale of its initial weights are
    varied."""
    rates: Span = Field(default=Span(low=0.001, high=10.0), examples=[{"low": 0.001, "high": 10.0}])
    """Learning rates, to the right."""
    scales: Span = Field(default=Span(low=0.01, high=10.0), examples=[{"low": 0.01, "high": 10.0}])
    """Scales of the initial weights, upwards: the gain, limit or standard deviation of `init`."""
    side: Literal[16, 32, 64, 128, 256] = Field(default=128, examples=[128])
    """Networks along a side."""
    steps: int = Field(default=100, ge=4, le=limits.TRAINABILITY_STEPS, examples=[100])
    """That each of them trains."""
    instead_of: str | None = Field(default=None, max_length=64, examples=[None])
    """A map that is not looked at any more: it ends."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for span in (self.rates, self.scales):
            if span.low >= span.high:
                raise broken(say("rule.range_order", low=span.low, high=span.high))
        return self


class MapShape(Shape):
    """A map at this moment."""

    id: str = Field(examples=["1f0e9c3a7b52"])
    """Its name in every other call."""
    rates: Span = Field(examples=[{"low": 0.001, "high": 10.0}])
    """Learning rates, to the right."""
    scales: Span = Field(examples=[{"low": 0.01, "high": 10.0}])
    """Scales of the initial weights, upwards."""
    side: int = Field(examples=[128])
    """Networks along a side."""
    steps: int = Field(examples=[100])
    """That each of them trains."""
    done: int = Field(examples=[4096])
    """Networks that have been trained."""
    over: bool = Field(examples=[False])
    """Whether no more will be."""
    error: Text | None = Field(examples=[None])
    """Why not all of them were."""


class Pixel(Shape):
    """A network of a map."""

    row: int = Field(ge=0, lt=limits.TRAINABILITY_SIDE[1], examples=[12])
    """From the top."""
    column: int = Field(ge=0, lt=limits.TRAINABILITY_SIDE[1], examples=[40])
    """From the left."""


router = APIRouter(prefix="/api/trainability", tags=["trainability"])


def maps_of(request: Request) -> TrainabilityMaps:
    return request.app.state.trainability


TheMaps = Annotated[TrainabilityMaps, Depends(maps_of)]


def map_of(
    maps: TheMaps,
    name: Annotated[
        str, Path(alias="id", max_length=64, description="The map's id", examples=["1f0e9c3a7b52"])
    ],
) -> TrainabilityMap:
    found = maps.get(name)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_map"))
    return found


SeenMap = Annotated[TrainabilityMap, Depends(map_of)]


def _shape(made: TrainabilityMap) -> MapShape:
    plan = made.plan
    return MapShape(
        id=made.id,
        rates=Span(low=plan.rates[0], high=plan.rates[1]),
        scales=Span(low=plan.scales[0], high=plan.scales[1]),
        side=plan.side,
        steps=plan.steps,
        done=made.done,
        over=made.over,
        error=made.failed,
    )


@router.post(
    "",
    status_code=202,
    response_description="The map, which is begun; `Location` has its address",
    responses={**BODY, **BUSY},
)
async def create_map(
    request: Request,
    response: Response,
    registry: TheRegistry,
    maps: TheMaps,
    new: Annotated[NewMap, Body()] = NewMap(),  # noqa: B008
) -> MapShape:
    """Train a network for each pixel, learning rate by scale of the initial weights, in the background of
    the live sessions, from coarse to fine (Sohl-Dickstein, arXiv 2402.06184)."""
    tables = registry.uploads.named_in(new.config)
    try:
        config = parse(new.config, tables).model_copy(update={"replicas": 1})
    except ValidationFailed as failed:
        raise ValidationFailed(*(error.below("config") for error in failed.errors)) from None
    ends = (new.rates.low, new.rates.high), (new.scales.low, new.scales.high)
    plan = Plan(config, *ends, new.side, new.steps)
    made = maps.create(plan, tables, new.instead_of)
    location = str(request.app.url_path_for("look_at_map", id=made.id))
    response.headers["Location"] = request.scope.get("root_path", "") + location
    return _shape(made)


@router.get("/{id}", response_description="The map at this moment", responses=MISSING)
async def look_at_map(made: SeenMap) -> MapShape:
    """How far a map is."""
    return _shape(made)


@router.delete("/{id}", status_code=204, response_description="It is gone", responses=MISSING)
async def delete_map(maps: TheMaps, made: SeenMap) -> Response:
    """End a map."""
    maps.drop(made.id)
    return Response(status_code=204)


@router.get(
    "/{id}/events",
    response_class=StreamingResponse,
    response_description="Server-sent events `pixels`, and `map` at the end",
    responses={**tells("pixels", "map"), **MISSING},
)
async def follow_map(made: SeenMap) -> StreamingResponse:
    """The pixels as they come: `places` counts them row by row from the top left, and `measures` says how
    each has learned. Above 0: the mean of its losses as shares of the first, so less is faster. Below 0: it
    has not learned, and the nearer to 0, the sooner it blew up."""
    return event_stream(_events(made))


async def _events(made: TrainabilityMap) -> AsyncIterator[ServerEvent]:
    number, measures = 0, made.measures.reshape(-1)
    async for places in made.changes():
        for start in range(0, len(places), PIXELS):
            part = places[start : start + PIXELS]
            number += 1
            found = [round(measure, 4) for measure in measures[part].tolist()]
            yield ServerEvent("pixels", {"places": part.tolist(), "measures": found}, str(number))
        await asyncio.sleep(EVENT_SECONDS)
    yield ServerEvent("map", _shape(made).model_dump(mode="json"), str(number + 1))


@router.post(
    "/{id}/open",
    status_code=201,
    response_description="A session and its key; `Location` has its address",
    responses={**BODY, **MISSING, **BUSY},
)
async def open_pixel(
    request: Request, response: Response, registry: TheRegistry, made: SeenMap, pixel: Pixel
) -> CreatedSession:
    """The network of a pixel as a live session of your own, before its first step."""
    side = made.plan.side
    for name, place in (("row", pixel.row), ("column", pixel.column)):
        if place >= side:
            raise ValidationFailed(fault(name, say("rule.less_than", lt=side)))
    for table in made.tables.values():
        registry.uploads.put(table)
    session = await registry.create(made.plan.at(pixel.row, pixel.column).model_dump(mode="json"))
    location = str(request.app.url_path_for("look", id=session.id))
    headers = {"Location": request.scope.get("root_path", "") + location, "Cache-Control": "no-store"}
    response.headers.update(headers)
    return CreatedSession(**dict(await session_shape(session)), key=session.key)
