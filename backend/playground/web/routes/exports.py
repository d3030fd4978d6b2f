"""Runs to take home."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Path, Response
from fastapi.concurrency import run_in_threadpool

from playground.export.formats import FORMATS
from playground.export.taken import Taken, by_layer
from playground.messages import worker as messages
from playground.run.run import Run
from playground.run.validation import parse
from playground.session.session import Session
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import SEEN, fails
from playground.web.routes.run_results import applied_lines, weights_of
from playground.web.routes.runs import SeenRun, TheRuns

if TYPE_CHECKING:
    FormatName: TypeAlias = str
else:
    FormatName = Literal[tuple(FORMATS)]
Wanted = Annotated[FormatName, Path(alias="format", description="What to write", examples=["pytorch"])]
JSON_FILE = {"type": ["object", "array"], "examples": [{"config": {}, "timeline": [], "step": 0}]}
BINARY_FILE = {"type": "string", "format": "binary"}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            media_type: {"schema": JSON_FILE if media_type.endswith("json") else BINARY_FILE}
            for media_type in sorted({each.media_type for each in FORMATS.values()})
        },
    }
}

router = APIRouter(tags=["export"])


@router.get(
    "/api/sessions/{id}/export/{format}",
    response_class=Response,
    responses={**SEEN, **FILE},
)
async def export_session(session: Watched, wanted: Wanted) -> Response:
    """The session as it is now, as a file.

    `pytorch` is a script that trains the same network again, with the changes that were made on the way; it
    needs torch and numpy. `notebook` is the same for Jupyter; `keras` trains with what is set now.
    `safetensors` has the weights by the names of the script's class, `onnx` the network with them.
    `history.csv` and `tensorboard` have the curves, `data.csv` the points; `config`, `timeline` and `run` go
    into `POST /api/sessions`. What a format cannot say is named in the refusal.
    """
    return await written(await taken(session), wanted)


@router.get(
    "/api/runs/{id}/export/{format}",
    response_class=Response,
    responses={**SEEN, **fails(HTTPStatus.CONFLICT), **FILE},
)
async def export_run(runs: TheRuns, run: SeenRun, wanted: Wanted) -> Response:
    """A scripted run as far as it is, as a file; the formats are those of a session."""
    tables = await runs.tables(run.id)
    weights = by_layer(await weights_of(runs, run))
    now = await runs.get(run.id)
    done = Run(parse(now.config, tables), tuple(applied_lines(now)))
    history = (await runs.history(run.id)).series()
    return await written(Taken(done, now.step, weights, history, tables), wanted)


async def taken(session: Session) -> Taken:
    """A session at this moment."""
    answer, arrays = await session.read(messages.ReadWeights())
    return Taken(session.run, answer.step, by_layer(arrays), session.history.series(), session.tables)


async def written(run: Taken, wanted: str) -> Response:
    """The answer with the file. Raises `CannotExport`."""
    found = FORMATS[wanted]
    content = await run_in_threadpool(found.write, run)
    name = await run_in_threadpool(lambda: run.name) + found.ending
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=found.media_type, headers=headers)
