"""Moments of a session's past, sessions that go on from them, and sessions that train in lock-step."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from pydantic import Field, model_validator

from playground.errors import broken
from playground.i18n import say
from playground.messages import commands
from playground.messages.events import Done, SessionState
from playground.session import lockstep
from playground.web.routes.dependencies import Credentials, Held, TheRegistry, Watched, held_session, opened
from playground.web.routes.responses import BODY, BUSY, COMMANDED, GUARDED, SENT, fails
from playground.web.routes.sessions import CreatedSession, created, perform
from playground.web.routes.shape import Shape


class NewBranch(Shape):
    """Where to branch off, and what for."""

    step: int | None = Field(default=None, ge=0, examples=[600])
    """After so many optimizer updates; left out: now."""
    lines: int | None = Field(default=None, ge=0, examples=[None])
    """After so many lines of the timeline, where some are of this very step; left out: after all up to it."""
    change: dict[str, Any] | None = Field(default=None, examples=[{"optimizer": {"lr": 0.1}}])
    """A merge patch of the config to begin with."""
    together: bool = Field(default=False, examples=[False])
    """Train it as far as its parent, and in lock-step with it from then on: without a `change` it is a twin.
    This takes the parent's key."""
    passing: bool = Field(default=False, examples=[False])
    """Only look: `seek` moves it to other moments of its parent, and it goes when nobody watches. The first
    thing that is done in it makes it a session like others."""

    @model_validator(mode="after")
    def one_of_a_kind(self) -> "NewBranch":
        if self.passing and (self.together or self.change):
            raise broken(say("rule.passing"))
        return self


class Companion(Shape):
    """A session to train in lock-step with."""

    session: str = Field(examples=["9f3c01ab77"])
    """Its id."""
    key: str = Field(max_length=128, examples=["kJ0vTg2hN5c1xw0m3yQ4a8Zr5sUe7PbL"])
    """Its key."""


class Sought(Shape):
    """A moment to look at."""

    step: int = Field(ge=0, examples=[600])
    """After so many optimizer updates."""


router = APIRouter(prefix="/api/sessions", tags=["branches"])


@router.post(
    "/{id}/branch",
    status_code=201,
    response_description="The session and its key; `Location` has its address",
    responses={**GUARDED, **BODY, **BUSY},
)
async def branch(
    request: Request,
    response: Response,
    registry: TheRegistry,
    session: Watched,
    credentials: Credentials,
    new: Annotated[
        NewBranch,
        Body(
            openapi_examples={
                "from now on": {"value": {}},
                "from an earlier moment": {"value": {"step": 600, "change": {"optimizer": {"lr": 0.1}}}},
            }
        ),
    ] = NewBranch(),  # noqa: B008
) -> CreatedSession:
    """A new session that shares this one's run up to a step: weights, optimizer state, timeline and curves
    are as they were then, bit for bit. It is paused; this one goes on as it did."""
    if new.together:
        held_session(session, credentials)
    past = session.present.before(new.step, new.lines)
    made = await registry.branch(session, past, new.passing, new.together)
    if new.change:
        try:
            await perform(made, commands.Change(change=new.change))
        except BaseException:
            await registry.delete(made)
            raise
    return await created(request, response, made)


@router.post(
    "/{id}/seek", response_description="It is there", responses={**SENT, **fails(HTTPStatus.CONFLICT)}
)
async def seek(session: Held, moment: Annotated[Sought, Body()]) -> Done:
    """Look at another moment of the parent; only of a session that is `passing`."""
    return await perform(session, commands.Seek(step=moment.step))


@router.post("/{id}/together", response_description="They go in lock-step", responses=SENT)
async def together(registry: TheRegistry, session: Held, other: Annotated[Companion, Body()]) -> SessionState:
    """Train in lock-step with another session: both take the same steps at the same time, and whoever is
    behind is trained as far as the other. Play, pause, speed and steps are those of both. They come from one:
    a branch and its parent, or branches of one parent."""
    await lockstep.join(session, opened(registry.get(other.session), other.key))
    return session.state


@router.delete("/{id}/together", response_description="It goes by itself", responses=COMMANDED)
async def alone(session: Held) -> SessionState:
    """No longer train in lock-step with others."""
    await lockstep.leave(session)
    return session.state
