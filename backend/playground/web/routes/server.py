"""Whether the server runs."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from playground.errors import Problem
from playground.i18n import Text, say
from playground.web.routes.responses import BUSY, shows
from playground.web.routes.shape import Shape


class Readiness(Shape):
    """The server is ready, and this is what trains."""

    status: Literal["ready"] = Field(default="ready", examples=["ready"])
    """That it is."""
    trainer: Literal["compiled", "batched", "compiling", "reference"] = Field(examples=["compiled"])
    """The kernel; stacks on a GPU; PyTorch until the kernel is compiled, or because there is none here."""
    detail: str = Field(examples=["the compiled kernel trains"])
    """Why it is this one."""
    database: Text | None = Field(default=None, examples=[None])
    """Why the database takes nothing at the moment; null where it does. Training goes on without, and what is
    not written is tried again."""


router = APIRouter(tags=["server"])


@router.get("/healthz", response_description="It is alive", responses=shows({"status": "alive"}))
async def alive() -> dict[str, str]:
    """The web process answers."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    response_description="It is ready",
    responses=BUSY,
)
async def ready(request: Request) -> Readiness:
    """Every worker answers."""
    if not request.app.state.engine.ready:
        text = say("problem.worker_starting")
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": "2"})
    trainer = request.app.state.engine.trainer
    failing = request.app.state.store.failing
    return Readiness(trainer=trainer.trainer, detail=trainer.detail, database=failing)
