"""A viewer comes, says something over its websocket, hears what became of it, and leaves."""

import logging
from collections.abc import Coroutine
from http import HTTPStatus
from time import monotonic
from typing import Any

from playground.errors import Problem, ValidationFailed, fault, problem_of
from playground.i18n import say
from playground.messages import commands, events
from playground.messages.commands import ID_LENGTH, Command, read_message, sent_id
from playground.messages.events import Acknowledged, Done, Role
from playground.session.history import History
from playground.session.session import Session
from playground.session.viewer import Presence, Viewer

log = logging.getLogger("playground.session")


def join(session: Session, viewer: Viewer) -> None:
    """`hello`, the data, and from then on everything that happens."""
    session.viewers.join(viewer)
    assert session.task
    hello = events.Hello(
        session=session.id,
        instance=session.instance,
        role=viewer.role,
        run=session.run_number,
        start=session.run.config,
        config=session.config,
        timeline=list(session.run.timeline),
        task=session.task,
        state=session.state,
        viewers=len(session.viewers),
    )
    viewer.tell(hello.encoded())
    if session.data:
        viewer.tell(session.data)
    session.viewers.send_frames(fresh=True)


def leave(session: Session, viewer: Viewer) -> None:
    session.used = monotonic()
    session.viewers.leave(viewer)


def curves(session: Session) -> History:
    """What viewers get of its history: nothing while it looks back, for they have that of its parent."""
    return History(session.run_number) if session.passing else session.history


def hear(session: Session, viewer: Viewer, text: str) -> Coroutine[Any, Any, None] | None:
    """Whatever is wrong with a message is answered, and the session goes on. What a command takes longer for
    is to be waited for."""
    if viewer.presence is not Presence.HERE:
        return None  # a late message of a connection that has been replaced
    try:
        name, message = read_message(text)
        match message:
            case commands.Ack(frame=frame):
                viewer.acknowledge(frame)
                session.viewers.send_frame(viewer)
                return None
            case commands.Watch():
                session.viewers.watch(viewer, message)
            case commands.Authorize(key=key):
                _authorize(session, viewer, key)
            case command:
                if viewer.role is not Role.HOLDER:
                    raise Problem(HTTPStatus.FORBIDDEN, say("problem.holder_only"))
                return _carried_out(session, viewer, _named(name), command)
        viewer.tell(Acknowledged.of(_named(name), Done(step=session.step)).encoded())
    except Exception as error:
        viewer.tell(error_event(sent_id(text), error).encoded())
    return None


async def _carried_out(session: Session, viewer: Viewer, name: str, command: Command) -> None:
    try:
        result = await session.answers.of(name, command)
        viewer.tell(Acknowledged.of(name, result).encoded())
    except Exception as error:
        viewer.tell(error_event(name, error).encoded())


def _authorize(session: Session, viewer: Viewer, key: str) -> None:
    if not session.holds(key):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.wrong_key"))
    session.viewers.set_holder(viewer)
    viewer.tell(events.RoleChanged(role=Role.HOLDER).encoded())


def error_event(name: str | None, error: Exception) -> events.Error:
    """What a viewer hears of an error; one that nobody foresaw goes to the log."""
    problem = problem_of(error)
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("a command failed", exc_info=error)
    return events.Error(
        id=name,
        status=problem.status.value,
        title=problem.title,
        **problem.text.as_detail,
        errors=list(problem.errors),
    )


def _named(name: str | None) -> str:
    if name is None:
        raise ValidationFailed(fault("id", say("rule.id_missing", most=ID_LENGTH)))
    return name
