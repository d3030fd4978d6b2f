"""A live session, kept as a run or taken along as the file of one."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from playground.run.run_file import RunFile
from playground.studies.runs.files import file_of
from playground.studies.runs.saved import saved
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import BODY, SEEN, fails
from playground.web.routes.run_shapes import CreatedRun, Labels, shape_of
from playground.web.routes.runs import TheRuns, located

router = APIRouter(prefix="/api/sessions", tags=["runs"])


@router.post(
    "/{id}/save",
    status_code=201,
    response_description="The run and its key; `Location` has its address",
    responses={**SEEN, **BODY},
)
async def save(
    request: Request,
    response: Response,
    runs: TheRuns,
    session: Watched,
    labels: Annotated[
        Labels, Body(openapi_examples={"a name": {"value": {"name": "Spiral with Adam", "tags": ["spiral"]}}})
    ] = Labels(),  # noqa: B008
) -> CreatedRun:
    """Keep a session as it is now: config, timeline, weights and curves become a run that has ended. The
    session goes on. Whoever may look at it may keep it; the key of the run is theirs."""
    row, key = await runs.keep(await saved(session, request.app.state.engine.made_on), labels.model_dump())
    located(request, response, row)
    return CreatedRun(**dict(shape_of(row)), key=key)


@router.get(
    "/{id}/file",
    response_description="The file",
    responses={**SEEN, **fails(HTTPStatus.SERVICE_UNAVAILABLE)},
)
async def session_file(request: Request, response: Response, session: Watched) -> RunFile:
    """A few KB that `playground verify` replays, to confirm that this config and this timeline lead to the
    weights that the session has now."""
    now = await saved(session, request.app.state.engine.made_on)
    response.headers["Content-Disposition"] = f'attachment; filename="session-{session.id}.json"'
    return file_of(now.row)
