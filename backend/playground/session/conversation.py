"""What a viewer says to a session over its websocket, and what it hears back."""

import logging
from http import HTTPStatus

from playground.errors import Problem, ValidationFailed, fault, problem_of
from playground.i18n import say
from playground.messages import browser
from playground.messages.browser import ID_LENGTH, Acknowledged, Done, Role, read_message, sent_id
from playground.session.session import Session
from playground.session.viewer import Presence, Viewer

log = logging.getLogger("playground.session")


async def hear(session: Session, viewer: Viewer, text: str) -> None:
    """Whatever is wrong with a message is answered, and the session goes on."""
    if viewer.presence is not Presence.HERE:
        return  # a late message of a connection that has been replaced
    name = sent_id(text)
    try:
        name, message = read_message(text)
        match message:
            case browser.Ack(frame=frame):
                viewer.acknowledge(frame)
                session.viewers.send_frames()
                return
            case browser.Watch():
                viewer.watch(message)
                session.viewers.send_frames(fresh=True)
                result = Done(step=session.step)
            case browser.Authorize(key=key):
                _authorize(session, viewer, key)
                result = Done(step=session.step)
            case command:
                if viewer.role is not Role.HOLDER:
                    raise Problem(HTTPStatus.FORBIDDEN, say("problem.holder_only"))
                result = await session.answers.of(_named(name), command)
        viewer.tell(Acknowledged.of(_named(name), result).encoded())
    except Exception as error:
        viewer.tell(error_event(name, error).encoded())


def _authorize(session: Session, viewer: Viewer, key: str) -> None:
    if not session.holds(key):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.wrong_key"))
    session.viewers.set_holder(viewer)
    viewer.tell(browser.RoleChanged(role=Role.HOLDER).encoded())


def error_event(name: str | None, error: Exception) -> browser.Error:
    """What a viewer hears of an error; one that nobody foresaw goes to the log."""
    problem = problem_of(error)
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("a command failed", exc_info=error)
    return browser.Error(
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
