"""What comes of a scripted run: curves, weights, events, a file to verify, a session."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Request, Response
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as as_safetensors

from playground.errors import Problem
from playground.export.taken import by_layer
from playground.i18n import say
from playground.messages import worker as messages
from playground.run.run import TimelineEntry
from playground.run.run_file import RunFile
from playground.storage.runs import RunRow
from playground.studies.runs.files import file_of
from playground.studies.runs.opened import opened
from playground.studies.runs.runs import Runs
from playground.studies.runs.scripted_run import ENDS, progress
from playground.web.event_stream import ServerEvent, event_stream
from playground.web.json_stream import stream_json
from playground.web.routes.dependencies import TheRegistry
from playground.web.routes.responses import BODY, SEEN, fails, tells
from playground.web.routes.run_shapes import RunMoment, shape_of
from playground.web.routes.runs import SeenRun, TheRuns
from playground.web.routes.sessions import CreatedSession, HistoryShape, Weights, created

router = APIRouter(prefix="/api/runs", tags=["runs"])

SAFETENSORS = "application/vnd.safetensors"
PROGRESS = ("state", "step", "steps", "epoch", "metrics")
EXAMPLE_EVENTS = """id: 1
event: applied
data: {"index":0,"step":500,"change":{"optimizer":{"lr":0.01}}}

id: 1
event: progress
data: {"state":"running","step":740,"steps":1000,"epoch":29.6,"progress":0.74,"metrics":{"train_loss":0.11}}

id: 1
event: done
data: {"id":"5f0c2c9a41d7","state":"done","step":1000}
"""
NOT_YET = fails(HTTPStatus.CONFLICT)


@router.get("/{id}/history", response_description="The curves", responses=SEEN)
async def history(runs: TheRuns, run: SeenRun) -> HistoryShape:
    """Loss, scores and gradient norms so far, and the marks of the changes that have been made."""
    return HistoryShape.of(await runs.history(run.id), 1, applied_lines(run))


def applied_lines(run: RunRow) -> list[TimelineEntry]:
    """The lines of its timeline that have taken effect."""
    lines = run.timeline[: run.resume.get("applied", 0)]
    return [TimelineEntry.model_validate(line, strict=False) for line in lines]


@router.get(
    "/{id}/weights",
    response_model=Weights,
    response_description="All weights",
    responses={
        **SEEN,
        **NOT_YET,
        200: {
            "content": {
                SAFETENSORS: {
                    "schema": {
                        "type": "string",
                        "format": "binary",
                        "description": "The same as safetensors, float32: `0.weight`, `0.bias` and so on",
                    }
                }
            }
        },
    },
)
async def weights(request: Request, runs: TheRuns, run: SeenRun) -> Response:
    """Weights of every layer, at the end or at this moment: JSON, or safetensors by
    `Accept: application/vnd.safetensors`."""
    found = await weights_of(runs, run)
    if SAFETENSORS in request.headers.get("accept", ""):
        headers = {"Content-Disposition": f'attachment; filename="{run.id}.safetensors"'}
        return Response(as_safetensors(found), media_type=SAFETENSORS, headers=headers)
    return stream_json({"layers": by_layer(found)})


async def weights_of(runs: Runs, run: RunRow) -> dict[str, Any]:
    """By layer and name. Raises `Problem` where there are none yet."""
    if kept := await runs.file(run.id, "weights"):
        return from_safetensors(kept)
    if looked := await runs.look(run.id, messages.ReadWeights()):
        return {name: array.copy() for name, array in looked[1].items()}
    raise Problem(HTTPStatus.CONFLICT, say("problem.run_not_begun"))


@router.get(
    "/{id}/events",
    response_description="Events, as they happen",
    response_class=Response,
    responses={
        **SEEN,
        **tells("progress", "applied", "done", example=EXAMPLE_EVENTS),
    },
)
async def events(
    runs: TheRuns,
    run: SeenRun,
    since: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            max_length=20,
            description="The `id` of the last event that you have: changes before it are not told again",
            examples=[None],
        ),
    ] = None,
) -> Response:
    """What happens to a run, as server-sent events: `applied` for each change of its timeline, `progress`
    some times a second, and `done` with the run at its end, which closes the stream."""
    return event_stream(_events(runs, run, int(since) if since and since.isdecimal() else 0))


async def _events(runs: Runs, run: RunRow, told: int) -> AsyncIterator[ServerEvent]:
    def news(row: RunRow) -> list[ServerEvent]:
        nonlocal told
        lines = row.timeline[: row.resume.get("applied", 0)]
        applied = [
            ServerEvent("applied", {"index": index, **line}, str(index + 1))
            for index, line in enumerate(lines)
            if index >= told
        ]
        told = max(told, len(lines))
        said = {name: getattr(row, name) for name in PROGRESS} | {"progress": progress(row)}
        return [*applied, ServerEvent("progress", said, str(told))]

    if active := runs.active(run.id):
        async with aclosing(active.watched()) as changes:
            async for _ in changes:
                for event in news(active.row):
                    yield event
        run = active.row
    else:
        for event in news(run):
            yield event
    if run.state in ENDS:
        yield ServerEvent("done", shape_of(run).model_dump(mode="json"), str(told))


@router.post(
    "/{id}/open",
    status_code=201,
    response_description="The session and its key; `Location` has its address",
    responses={**SEEN, **BODY},
)
async def open_run(
    request: Request,
    response: Response,
    runs: TheRuns,
    registry: TheRegistry,
    run: SeenRun,
    moment: Annotated[
        RunMoment,
        Body(openapi_examples={"its end": {"value": {}}, "an earlier moment": {"value": {"step": 500}}}),
    ] = RunMoment(),  # noqa: B008
) -> CreatedSession:
    """A live session that goes on from a moment of a run, paused: bit for bit as it was then. From an earlier
    moment it follows the rest of the timeline, until the first change by hand."""
    return await created(request, response, await opened(runs, registry, run, moment.step))


@router.get(
    "/{id}/file",
    response_description="The file",
    responses={**SEEN, **NOT_YET},
)
async def run_file(response: Response, run: SeenRun) -> RunFile:
    """A few KB that `playground verify` replays, to confirm that this config and this timeline lead to these
    weights. There is one once the run has ended."""
    if run.state not in ENDS or not run.marks:
        raise Problem(HTTPStatus.CONFLICT, say("problem.run_not_ended"))
    response.headers["Content-Disposition"] = f'attachment; filename="run-{run.id}.json"'
    return file_of(run)
