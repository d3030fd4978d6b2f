"""Scripted runs: asked for, listed, looked at, cancelled."""

import hashlib
import re
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials

from playground import limits
from playground.errors import Problem
from playground.i18n import say
from playground.keys import opens
from playground.run.script import StopRules
from playground.run.validation import parse
from playground.storage.runs import RunRow
from playground.studies.runs.runs import Runs, Wanted, labelled
from playground.studies.runs.scripted_run import ENDS
from playground.web.routes.dependencies import TheRegistry, bearer
from playground.web.routes.responses import BODY, BUSY, GUARDED, SEEN, fails
from playground.web.routes.run_shapes import (
    CreatedRun,
    NewLabels,
    NewRun,
    RunPage,
    RunShape,
    State,
    shape_of,
    summary_of,
)

PAGE = 50
LONGEST_PAGE = 200
WAIT = re.compile(r"\s*wait\s*=\s*\"?(\d{1,6})\"?\s*", re.IGNORECASE)
KEEPING = fails(HTTPStatus.SERVICE_UNAVAILABLE)
"""Where the database has to answer."""

router = APIRouter(prefix="/api/runs", tags=["runs"])


def runs_of(request: Request) -> Runs:
    return request.app.state.runs


TheRuns = Annotated[Runs, Depends(runs_of)]


async def run_of(
    runs: TheRuns,
    run: Annotated[str, Path(alias="id", description="The run's id", examples=["5f0c2c9a41d7"])],
) -> RunRow:
    return await runs.get(run)


async def held_run(
    run: Annotated[RunRow, Depends(run_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> RunRow:
    if credentials is None:
        text = say("problem.run_key_needed")
        raise Problem(HTTPStatus.UNAUTHORIZED, text, headers={"WWW-Authenticate": "Bearer"})
    if not opens(credentials.credentials, run.key_hash):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.wrong_run_key"))
    return run


SeenRun = Annotated[RunRow, Depends(run_of)]
HeldRun = Annotated[RunRow, Depends(held_run)]
Asked = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="New for each run, as a UUID; whoever sends the same again gets the same run",
        examples=["0d5f6a2e-7c0b-4a53-9d47-6f6f3f0e9c1b"],
    ),
]

AskedFor = Annotated[
    NewRun,
    Body(
        openapi_examples={
            "epochs": {"value": {"config": {"data": {"kind": "circle"}}, "epochs": 20}},
            "a change on the way": {
                "value": {
                    "config": {"data": {"kind": "spiral"}, "hidden": [{"width": 8}, {"width": 8}]},
                    "timeline": [{"step": 500, "change": {"optimizer": {"lr": 0.01}}}],
                    "steps": 1000,
                    "stop": {"loss_below": 0.05},
                    "name": "Spiral",
                }
            },
        }
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`wait=30`: answer when it has ended, or after so many seconds, at most 60",
        examples=["wait=30"],
    ),
]


@router.post(
    "",
    status_code=202,
    response_model=CreatedRun,
    response_description="It waits for a worker; `Location` has its address",
    responses={
        **BODY,
        **BUSY,
        200: {"model": CreatedRun, "description": "It has ended within the time of `Prefer: wait`"},
    },
)
async def create(
    request: Request,
    response: Response,
    runs: TheRuns,
    registry: TheRegistry,
    new: AskedFor,
    prefer: Prefer = None,
    asked: Asked = None,
) -> CreatedRun:
    """A run that trains by itself, at full speed, with the time that live sessions leave. The server keeps
    it, and goes on with it after a restart.

    Its key comes with it: anyone may look, and who has the key may rename, cancel and remove it.
    """
    tables = registry.uploads.named_in(new.config, *(entry.change for entry in new.timeline))
    config = await run_in_threadpool(parse, new.config, tables)
    run = await run_in_threadpool(labelled, config, new.timeline, tables)
    wanted = Wanted(
        run=run,
        tables=tables,
        steps=new.steps,
        epochs=new.epochs,
        stop=new.stop or StopRules(),
        name=new.name,
        tags=new.tags,
        note=new.note,
    )
    once = (asked, hashlib.sha256(new.model_dump_json().encode()).hexdigest()) if asked else None
    owner = request.client.host if request.client else ""
    row, key = await runs.create(wanted, owner, once)
    if seconds := _patience(prefer):
        response.headers["Preference-Applied"] = f"wait={seconds}"
        await runs.ended(row.id, seconds)
        row = await runs.get(row.id)
        if row.state in ENDS:
            response.status_code = 200
    located(request, response, row)
    return CreatedRun(**dict(shape_of(row)), key=key)


def located(request: Request, response: Response, row: RunRow) -> None:
    """Says where a new run is; its key is for who asked."""
    root = request.scope.get("root_path", "")
    location = root + str(request.app.url_path_for("look_at_run", id=row.id))
    response.headers.update({"Location": location, "Cache-Control": "no-store"})


def _patience(prefer: str | None) -> int:
    """Seconds to wait; 0 if nobody asked for it."""
    found = [match for part in re.split("[,;]", prefer or "") if (match := WAIT.fullmatch(part))]
    return min(int(found[0][1]), limits.RUN_WAIT) if found else 0


@router.get(
    "", response_description="Some of them", responses={**fails(HTTPStatus.UNPROCESSABLE_ENTITY), **KEEPING}
)
async def find(
    runs: TheRuns,
    state: Annotated[State | None, Query(description="Only those in this state", examples=["done"])] = None,
    tag: Annotated[
        str | None,
        Query(max_length=limits.RUN_TAG, description="Only those with this tag", examples=["spiral"]),
    ] = None,
    q: Annotated[
        str | None,
        Query(max_length=200, description="Only those with this in name, note or tags", examples=["adam"]),
    ] = None,
    sort: Annotated[
        Literal[
            "-created", "created", "-started", "started", "-ended", "ended", "-name", "name", "-step", "step"
        ],
        Query(description="In which order; with `-` from the greatest down", examples=["-created"]),
    ] = "-created",
    limit: Annotated[
        int, Query(ge=1, le=LONGEST_PAGE, description="How many at a time", examples=[PAGE])
    ] = PAGE,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="`next` of the page before", examples=[None])
    ] = None,
) -> RunPage:
    """The runs that the server keeps, a page at a time; the newest first."""
    found, following = await runs.find(cursor, sort, limit, state=state, tag=tag, words=q)
    return RunPage(items=[summary_of(row) for row in found], next=following)


@router.get("/{id}", response_description="The run at this moment", responses=SEEN, name="look_at_run")
async def look(run: SeenRun) -> RunShape:
    """How far a run is, and all that it is made of."""
    return shape_of(run)


@router.patch("/{id}", response_description="The run", responses={**GUARDED, **BODY, **KEEPING})
async def rename(
    runs: TheRuns,
    run: HeldRun,
    labels: Annotated[NewLabels, Body(openapi_examples={"a name": {"value": {"name": "The best one"}}})],
) -> RunShape:
    """Another name, other tags, another note."""
    given: dict[str, Any] = labels.model_dump(exclude_none=True)
    return shape_of(await runs.rename(run.id, **given) if given else run)


@router.delete(
    "/{id}",
    status_code=204,
    response_description="It is cancelled, or gone",
    responses={**GUARDED, **KEEPING},
)
async def remove(runs: TheRuns, run: HeldRun) -> Response:
    """Cancel a run that waits or trains: it ends where it is, and is kept. One that has ended is removed."""
    await runs.remove(run.id)
    return Response(status_code=204)
