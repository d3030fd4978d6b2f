"""What the network of a session is made of."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from playground.catalogue.component import Task
from playground.run.summary import Summary, summary
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import MISSING

EXAMPLE = """\
Layer     Made of  Output shape  Parameters  Trainable  Not trainable
---------------------------------------------------------------------
Hidden 1  Tanh     (batch, 2)             6          6              0
Output    Linear   (batch, 1)             3          3              0
---------------------------------------------------------------------
Total                                     9          9              0
"""

router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.get(
    "/{id}/summary",
    response_model=Summary,
    response_description="The table",
    responses={
        **MISSING,
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": EXAMPLE}}},
    },
)
async def summarise(request: Request, session: Watched) -> Response:
    """Each layer with its output's shape and its parameters: JSON, or a table with `Accept: text/plain`."""
    assert session.task
    found = summary(
        session.config,
        Task(session.task.kind, session.task.classes, target_names=tuple(session.task.target_names)),
    )
    if "text/plain" in request.headers.get("accept", ""):
        return PlainTextResponse(str(found))
    return Response(found.model_dump_json(), media_type="application/json")
