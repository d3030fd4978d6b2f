"""The websocket of a session: who may connect, and the pumping of messages to and from its viewer."""

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import Response

from playground import limits
from playground.errors import Problem
from playground.i18n import say
from playground.messages.commands import SUBPROTOCOL, sent_id
from playground.messages.events import Role
from playground.session.conversation import curves, error_event, hear, join, leave
from playground.session.registry import Registry
from playground.session.session import Session
from playground.session.viewer import Viewer
from playground.settings import Settings
from playground.web.problem import document

router = APIRouter()

CALM_SECONDS = 0.1
"""How long a viewer that says too much is not listened to."""
COMMANDS_AT_ONCE = 256


@router.websocket("/api/sessions/{id}/live")
async def live(socket: WebSocket, id: str) -> None:
    """Subprotocol `playground.v1`; `?since=` the last sample of `&run=` that the viewer has."""
    try:
        session, role, subprotocol = _admit(socket, id)
    except Problem as problem:
        await _deny(socket, problem)
        return
    await socket.accept(subprotocol)
    viewer = Viewer(socket, role, _since(socket, session))
    join(session, viewer)
    pumps = [
        asyncio.create_task(_listen(socket, session, viewer)),
        asyncio.create_task(viewer.write(lambda: curves(session))),
    ]
    try:
        done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in done:
            with suppress(WebSocketDisconnect, RuntimeError):  # it left while something was being sent
                pump.result()
    finally:
        leave(session, viewer)
        for pump in pumps:
            pump.cancel()


def _admit(socket: WebSocket, session_id: str) -> tuple[Session, Role, str | None]:
    """Raises `Problem`."""
    registry: Registry = socket.app.state.registry
    settings: Settings = socket.app.state.settings
    if not allowed_origin(socket.headers.get("origin"), socket.headers.get("host"), settings.allowed_origins):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.origin"))
    session = registry.get(session_id)
    offered = socket.scope.get("subprotocols", [])
    if offered and SUBPROTOCOL not in offered:
        raise Problem(HTTPStatus.BAD_REQUEST, say("problem.subprotocol", subprotocol=SUBPROTOCOL))
    scheme, _, key = socket.headers.get("authorization", "").partition(" ")
    if not key:
        return session, Role.VIEWER, SUBPROTOCOL if offered else None
    if scheme.lower() != "bearer" or not session.holds(key.strip()):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.wrong_key"))
    return session, Role.HOLDER, SUBPROTOCOL if offered else None


def allowed_origin(origin: str | None, host: str | None, allowed: list[str]) -> bool:
    """Browsers send the origin of the page, and only this check stops a foreign one; scripts send none."""
    return origin is None or urlsplit(origin).netloc == host or origin in allowed or "*" in allowed


async def _deny(socket: WebSocket, problem: Problem) -> None:
    body = json.dumps(document(problem, socket.url.path))
    await socket.send_denial_response(Response(body, problem.status, media_type="application/problem+json"))


def _since(socket: WebSocket, session: Session) -> int:
    """The last sample that the viewer has; -1 if that is none of this run."""
    try:
        since = int(socket.query_params.get("since", -1))
        run = int(socket.query_params.get("run", session.run_number))
    except ValueError:
        return -1
    return since if run == session.run_number and since <= session.history.last else -1


async def _listen(socket: WebSocket, session: Session, viewer: Viewer) -> None:
    """Hears every message; commands wait for one another in the session, not here."""
    hearing: set[asyncio.Task[None]] = set()
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if viewer.too_loud():
            rule = say("problem.too_many_messages", limit=limits.MESSAGES_PER_SECOND)
            name = sent_id(message.get("text") or "")
            viewer.tell(error_event(name, Problem(HTTPStatus.TOO_MANY_REQUESTS, rule)).encoded())
            await asyncio.sleep(CALM_SECONDS)
            continue
        if message.get("text") is None:
            rule = say("problem.text_only")
            viewer.tell(error_event(None, Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, rule)).encoded())
            continue
        command = hear(session, viewer, message["text"])
        if command is None:
            continue
        task = asyncio.create_task(command)
        hearing.add(task)
        task.add_done_callback(hearing.discard)
        if len(hearing) >= COMMANDS_AT_ONCE:
            await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
