"""Sweeps: many networks that differ in what is looked for, trained side by side."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import Field

from playground import limits
from playground.errors import Problem
from playground.i18n import Text, say
from playground.run.config import Config
from playground.studies.sweeps.space import Point
from playground.studies.sweeps.spec import Objective, Pruner, Sampler, Space, SweepSpec
from playground.studies.sweeps.sweep import Sweep, Watcher
from playground.studies.sweeps.sweeps import Sweeps
from playground.studies.sweeps.trial import Trial, TrialState
from playground.web.event_stream import ServerEvent, event_stream
from playground.web.json_stream import stream_json
from playground.web.routes.dependencies import TheRegistry, bearer
from playground.web.routes.responses import BODY, BUSY, GUARDED, MISSING, fails, tells
from playground.web.routes.sessions import EXAMPLE_CONFIG, CreatedSession, session_shape
from playground.web.routes.shape import Shape

EXAMPLE_POINT: Point = {"optimizer.lr": 0.03, "hidden.0.width": 6}
BEST = 10
EVENT_SECONDS = 0.1
"""Between two looks at what has changed."""


class TrialShape(Shape):
    """A point of the space, and what its networks made of it."""

    number: int = Field(examples=[12])
    """From 0, in the order in which they were chosen."""
    state: TrialState = Field(examples=["complete"])
    """`pruned`: given up; `diverged`: half of its networks or more met NaN or infinity; `failed`: the point
    makes no config that can be trained."""
    params: dict[str, Any] = Field(examples=[EXAMPLE_POINT])
    """The value of each path."""
    left_out: list[str] = Field(examples=[[]])
    """Paths that the chosen kinds do not have."""
    value: float | None = Field(examples=[0.043])
    """Of the objective: the median over the seeds, at the end of the training. Null while there is none."""
    metrics: dict[str, list[float | None]] = Field(examples=[{"test_loss": [0.043, 0.031, 0.09]}])
    """Each at the end: median, least and greatest over the seeds."""
    step: int = Field(examples=[2500])
    """How far it came."""
    seeds: list[int] = Field(examples=[[0, 1, 2]])
    """Of its networks."""
    started: float | None = Field(examples=[1700000000.0])
    """Seconds since 1970."""
    ended: float | None = Field(examples=[1700000002.5])
    """Likewise; null while it trains."""
    error: Text | None = Field(examples=[None])
    """Why it failed."""


class SweepShape(Shape):
    """A sweep at this moment."""

    id: str = Field(examples=["9f3c01ab77aa"])
    """Its name in every other call."""
    state: Literal["queued", "running", "done", "failed", "cancelled"] = Field(examples=["running"])
    """Where it is."""
    name: str = Field(examples=["how fast, how wide"])
    """What its owner calls it."""
    note: str = Field(examples=[""])
    """What its owner has to say of it."""
    config: Config = Field(examples=[EXAMPLE_CONFIG])
    """What is not varied."""
    space: Space = Field(examples=[{"optimizer.lr": {"low": 0.0001, "high": 1.0, "log": True}}])
    """What is varied."""
    sampler: Sampler = Field(examples=["tpe"])
    """Who chooses the points."""
    pruner: Pruner = Field(examples=["none"])
    """Who gives points up."""
    objective: Objective = Field(examples=[{"metric": "test_loss", "direction": "minimize"}])
    """What is looked for."""
    maximize: bool = Field(examples=[False])
    """Whether large values are the good ones."""
    trials: int = Field(examples=[64])
    """How many there are to be, at most."""
    done: int = Field(examples=[17])
    """How many are over."""
    epochs: int | None = Field(examples=[100])
    """How long each network trains."""
    steps: int | None = Field(examples=[None])
    """Or so many steps."""
    seeds: int = Field(examples=[3])
    """Networks of each trial."""
    best: list[TrialShape] = Field(examples=[[]])
    """The ten best so far."""
    created: float = Field(examples=[1700000000.0])
    """Seconds since 1970."""
    started: float | None = Field(examples=[1700000000.1])
    """Likewise; null while it waits for its turn."""
    ended: float | None = Field(examples=[None])
    """Likewise; null before its end."""
    error: Text | None = Field(examples=[None])
    """Why it failed."""


class CreatedSweep(SweepShape):
    """A new sweep, and the key that lets you cancel it."""

    key: str = Field(examples=["kJ0vTg2hN5c1xw0m3yQ4a8Zr5sUe7PbL"])
    """Goes into `Authorization: Bearer …`. It is shown this once."""


class SweepList(Shape):
    """All that the server keeps, the newest first."""

    items: list[SweepShape] = Field(examples=[[]])
    """One after the other."""


class Trials(Shape):
    """Those that have been chosen so far, and what they say of the axes."""

    items: list[TrialShape] = Field(examples=[[]])
    """In order of their numbers."""
    importance: dict[str, float] = Field(examples=[{"optimizer.lr": 0.8, "hidden.0.width": 0.2}])
    """How much of the differences between the trials goes back to each path, the greatest first, together 1
    (fANOVA); empty while there are few."""


class Curves(Shape):
    """How networks learned."""

    trials: dict[str, dict[str, dict[Literal["median", "low", "high"], list[float | None]]]] = Field(
        examples=[{"0": {"step": {"median": [0, 25], "low": [0, 25], "high": [0, 25]}}}]
    )
    """Of the trials that are over, by number: for each column its median, least and greatest."""


router = APIRouter(prefix="/api/sweeps", tags=["sweeps"])


def sweeps_of(request: Request) -> Sweeps:
    return request.app.state.sweeps


TheSweeps = Annotated[Sweeps, Depends(sweeps_of)]


async def sweep_of(
    sweeps: TheSweeps,
    sweep_id: Annotated[
        str, Path(alias="id", max_length=64, description="The sweep's id", examples=["9f3c01ab77aa"])
    ],
) -> Sweep:
    return await sweeps.get(sweep_id)


SeenSweep = Annotated[Sweep, Depends(sweep_of)]


async def held_sweep(
    sweeps: TheSweeps,
    sweep: SeenSweep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Sweep:
    if credentials is None:
        text = say("problem.key_needed")
        raise Problem(HTTPStatus.UNAUTHORIZED, text, headers={"WWW-Authenticate": "Bearer"})
    if not sweeps.holds(sweep, credentials.credentials):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.wrong_key"))
    return sweep


HeldSweep = Annotated[Sweep, Depends(held_sweep)]


def _trial(trial: Trial) -> TrialShape:
    return TrialShape(
        number=trial.number,
        state=trial.state,
        params=trial.point,
        left_out=trial.left_out,
        value=trial.value,
        metrics=trial.last(),
        step=trial.step,
        seeds=list(trial.seeds),
        started=trial.started,
        ended=trial.ended,
        error=Text.model_validate(trial.error) if trial.error else None,
    )


def _fields(sweep: Sweep) -> dict[str, Any]:
    spec, row = sweep.spec, sweep.row
    valued = [trial for trial in sweep.trials if trial.state == "complete" and trial.value is not None]
    best = sorted(valued, key=lambda trial: trial.value or 0.0, reverse=spec.objective.maximizes)
    return {
        **{
            name: getattr(row, name)
            for name in ("id", "state", "name", "note", "created", "started", "ended")
        },
        **{name: getattr(spec, name) for name in ("sampler", "pruner", "objective", "seeds")},
        "trials": sweep.planned,
        "config": sweep.base,
        "space": sweep.space,
        "maximize": spec.objective.maximizes,
        "done": sweep.done,
        "epochs": spec.length if spec.by_epochs else None,
        "steps": spec.steps,
        "best": [_trial(trial) for trial in best[:BEST]],
        "error": Text.model_validate(row.error) if row.error else None,
    }


@router.post(
    "",
    status_code=202,
    response_description="The sweep and its key; `Location` has its address",
    responses={**BODY, **BUSY, **fails(HTTPStatus.CONFLICT)},
)
async def create_sweep(
    request: Request,
    response: Response,
    sweeps: TheSweeps,
    spec: Annotated[
        SweepSpec,
        Body(
            openapi_examples={
                "the default": {"value": {}},
                "a grid": {
                    "value": {
                        "config": {"data": {"kind": "spiral"}, "hidden": [{"width": 8}]},
                        "space": {
                            "optimizer.lr": {"values": [0.001, 0.01, 0.1]},
                            "hidden.0.activation.kind": {"values": ["tanh", "relu"]},
                        },
                        "sampler": "grid",
                        "epochs": 50,
                    }
                },
            }
        ),
    ] = SweepSpec(),  # noqa: B008
) -> CreatedSweep:
    """Train many networks that differ in some fields of a config, in the background of the live sessions, and
    look for the best. Networks of one shape train as one stack."""
    sweep, key = await sweeps.create(spec)
    location = str(request.app.url_path_for("look_at_sweep", id=sweep.id))
    headers = {"Location": request.scope.get("root_path", "") + location, "Cache-Control": "no-store"}
    response.headers.update(headers)
    return CreatedSweep(**_fields(sweep), key=key)


@router.get("", response_description="All sweeps", responses=BUSY)
async def list_sweeps(sweeps: TheSweeps) -> SweepList:
    """The sweeps of the server, the newest first; those that do not run without their best."""
    return SweepList(items=[SweepShape(**_fields(sweep)) for sweep in await sweeps.all()])


@router.get("/{id}", response_description="The sweep at this moment", responses={**MISSING, **BUSY})
async def look_at_sweep(sweep: SeenSweep) -> SweepShape:
    """What is looked for, how far it is, and the best so far."""
    return SweepShape(**_fields(sweep))


@router.delete(
    "/{id}", status_code=204, response_description="It is cancelled, or gone", responses={**GUARDED, **BUSY}
)
async def delete_sweep(sweeps: TheSweeps, sweep: HeldSweep) -> Response:
    """Cancel a sweep; what it has found stays. One that is over is removed."""
    await sweeps.remove(sweep)
    return Response(status_code=204)


@router.get("/{id}/trials", response_description="The trials so far", responses={**MISSING, **BUSY})
async def list_trials(sweeps: TheSweeps, sweep: SeenSweep) -> Trials:
    """All points that have been chosen, in order, and which axes matter."""
    importance = await sweeps.importances(sweep)
    return Trials(items=[_trial(trial) for trial in sweep.trials], importance=importance)


@router.get(
    "/{id}/curves",
    response_model=Curves,
    response_description="The curves of the trials that are over",
    responses={**MISSING, **BUSY},
)
async def read_curves(sweeps: TheSweeps, sweep: SeenSweep) -> StreamingResponse:
    """How the networks of each trial learned: the median over its seeds, in a band."""
    found = await sweeps.curves(sweep)
    return stream_json({"trials": {str(number): curves for number, curves in found.items()}})


@router.get(
    "/{id}/events",
    response_class=StreamingResponse,
    response_description="Server-sent events `trials` and `sweep`, until the sweep is over",
    responses={**tells("trials", "sweep"), **MISSING, **BUSY},
)
async def follow_sweep(sweep: SeenSweep) -> StreamingResponse:
    """What happens: `trials` has those that have changed, all of them at first, and `sweep` is the sweep.
    After the `sweep` that is over, the stream ends."""
    return event_stream(_events(sweep))


async def _events(sweep: Sweep) -> AsyncIterator[ServerEvent]:
    watcher, number = Watcher(sweep), 0
    try:
        while True:
            changed = await watcher.changed()
            for start in range(0, len(changed), limits.SWEEP_EVENT):
                number += 1
                items = [
                    _trial(trial).model_dump(mode="json")
                    for trial in changed[start : start + limits.SWEEP_EVENT]
                ]
                yield ServerEvent("trials", {"items": items}, str(number))
            number += 1
            state = SweepShape(**_fields(sweep)).model_dump(mode="json")
            yield ServerEvent("sweep", state, str(number))
            if sweep.over or sweep.leaving:
                return
            await asyncio.sleep(EVENT_SECONDS)
    finally:
        watcher.leave()


@router.post(
    "/{id}/trials/{number}/open",
    status_code=201,
    response_description="A session and its key; `Location` has its address",
    responses={**MISSING, **BUSY},
)
async def open_trial(
    request: Request,
    response: Response,
    registry: TheRegistry,
    sweeps: TheSweeps,
    sweep: SeenSweep,
    number: Annotated[int, Path(ge=0, le=limits.SWEEP_TRIALS, description="Of the trial", examples=[12])],
) -> CreatedSession:
    """The networks of a trial as a live session of your own, trained as far as they came."""
    config, trial = sweeps.config_of(sweep, number)
    sweeps.share_tables(sweep)
    session = await registry.create(config.model_dump(mode="json"), step=min(trial.step, limits.TRAIN_STEPS))
    location = str(request.app.url_path_for("look", id=session.id))
    headers = {"Location": request.scope.get("root_path", "") + location, "Cache-Control": "no-store"}
    response.headers.update(headers)
    return CreatedSession(**dict(await session_shape(session)), key=session.key)
