"""Runs to take home."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from fastapi.concurrency import run_in_threadpool

from playground.export.formats import FORMATS
from playground.export.taken import Taken, by_layer
from playground.messages import worker as messages
from playground.session.session import Session
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import SEEN

FormatName = Literal[tuple(FORMATS)]  # pyright: ignore[reportInvalidTypeForm]
Wanted = Annotated[FormatName, Path(alias="format", description="What to write", examples=["pytorch"])]
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
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
