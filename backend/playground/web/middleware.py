"""What every HTTP request and answer passes: rules for bodies, and headers that make browsers careful."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground import limits
from playground.errors import Problem, fault
from playground.i18n import say
from playground.web.problem import document

FORM_BYTES = 16 * 1024
"""What a form adds to the file in it."""

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; frame-ancestors {ancestors}"
)
DOCS_POLICY = (
    "default-src 'self' https://cdn.jsdelivr.net 'unsafe-inline'; "
    "img-src 'self' data: https://fastapi.tiangolo.com; frame-ancestors 'self'"
)


class Heads:
    """Whatever can be got can be asked for its headers; the server leaves out the body."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Rule:
    """What a body may be."""

    too_large_code: str
    limit: int
    slack: int = 0
    media_type: str = "application/json"

    def fits(self, content_type: str) -> bool:
        kind = content_type.partition(";")[0].strip().lower()
        return kind == self.media_type or (self.media_type == "application/json" and kind.endswith("+json"))

    @property
    def too_large(self) -> Problem:
        text = say(self.too_large_code, limit=self.limit // 2**20)
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)

    @property
    def wrong_type(self) -> Problem:
        text = say("problem.content_type", media_type=self.media_type)
        errors = [fault("Content-Type", say("rule.content_type", media_type=self.media_type))]
        return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text, errors)


class Bodies:
    """Refuses a body that is too large, or of another kind, before anybody works on it."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        rule = _rule(scope["path"])
        body = await _read(scope, receive, rule.limit + rule.slack)
        if body is None:
            await _refuse(scope, send, rule.too_large)
            return
        if body and not rule.fits(Headers(scope=scope).get("content-type", "")):
            await _refuse(scope, send, rule.wrong_type)
            return
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        await self._app(scope, replay, send)


def _rule(path: str) -> Rule:
    if path.endswith("/datasets"):
        return Rule("problem.file_too_large", limits.CSV_BYTES, FORM_BYTES, "multipart/form-data")
    if path.endswith("/import/model"):
        return Rule("problem.file_too_large", limits.MODEL_BYTES, FORM_BYTES, "multipart/form-data")
    if path.endswith("/weights"):
        return Rule("problem.weights_too_large", limits.WEIGHTS_BYTES)
    return Rule("problem.body_too_large", limits.BODY_BYTES)


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None if it is longer than the limit."""
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _refuse(scope: Scope, send: Send, problem: Problem) -> None:
    body = json.dumps(document(problem, scope["path"])).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": problem.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class SecurityHeaders:
    """The page needs nothing from elsewhere; only `/embed` may be framed by other sites."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = _policy(scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _policy(path: str) -> str:
    if path.endswith("/docs"):
        return DOCS_POLICY
    return POLICY.format(ancestors="*" if path.endswith("/embed") else "'self'")
