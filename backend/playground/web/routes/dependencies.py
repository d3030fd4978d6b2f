"""Who calls what: the session of a path, and the key that it takes."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from playground.errors import Problem
from playground.i18n import say
from playground.session.registry import Registry
from playground.session.session import Session

bearer = HTTPBearer(auto_error=False, description="The key of the session, from the answer to its creation.")


def registry_of(request: Request) -> Registry:
    return request.app.state.registry


def session_of(
    registry: Annotated[Registry, Depends(registry_of)],
    session_id: Annotated[str, Path(alias="id", description="The session's id", examples=["9f3c01ab77"])],
) -> Session:
    return registry.get(session_id)


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def held_session(session: Annotated[Session, Depends(session_of)], credentials: Credentials) -> Session:
    """Raises `Problem` for somebody without its key."""
    return opened(session, credentials.credentials if credentials else None)


def opened(session: Session, key: str | None) -> Session:
    """The session, for somebody with its key. Raises `Problem`."""
    if key is None:
        text = say("problem.key_needed")
        raise Problem(HTTPStatus.UNAUTHORIZED, text, headers={"WWW-Authenticate": "Bearer"})
    if not session.holds(key):
        raise Problem(HTTPStatus.FORBIDDEN, say("problem.wrong_key"))
    return session


TheRegistry = Annotated[Registry, Depends(registry_of)]
Watched = Annotated[Session, Depends(session_of)]
Held = Annotated[Session, Depends(held_session)]
