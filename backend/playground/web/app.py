"""The web application: everything that speaks HTTP, put together by a factory."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match

from playground import __version__
from playground.engine.engine import Engine
from playground.engine.local import LocalEngine
from playground.errors import (
    FieldError,
    Problem,
    RequestFailed,
    ValidationFailed,
    WorkerLost,
    fault,
    problem_of,
    rule_of,
)
from playground.i18n import Text, say
from playground.session.registry import Registry
from playground.settings import Settings
from playground.web import pages, socket
from playground.web.middleware import Bodies, Heads, SecurityHeaders
from playground.web.problem import document
from playground.web.routes import catalogue, data, server, sessions

log = logging.getLogger("playground.app")

DESCRIPTION = """Train small PyTorch networks, and change everything while they learn.

A **session** trains one network. Creating it answers with its **key**, which goes into
`Authorization: Bearer …` of every call that changes it; anyone may look. Errors are problem documents
(RFC 9457) that name the field and the rule. Whatever is said to a person comes in English, and as a `code`
with `values`, for who would say it in another language.

## Live pictures and metrics

They come over the websocket `/api/sessions/{id}/live`, subprotocol `playground.v1`. Send
`Authorization: Bearer …`, or the command `authorize`, to be the holder; a second holder replaces the first.
`?since=` and `&run=` name the last sample that you have, so that only later ones come.

**You send** JSON texts of at most 64 KiB, 240 a second. Each but `ack` has an `id` of your own, new in the
session; a repeated one gets its first answer and is not done again.

| `type` | other fields |
|---|---|
| `authorize` | `key` |
| `watch` | `rate` (frames a second, 0 to 60; 0 stops them), `neurons`, `output` (cells along a side) |
| `ack` | `frame`: its number; at most three frames are sent without one |
| `play`, `pause`, `reset` | |
| `speed` | `epochs_per_second`, `steps_per_second` or `max: true` |
| `step` | `steps` or `epochs` |
| `change` | `change`: a merge patch of the config |
| `weight` | `layer`, `source` (null for the bias), `unit`, `value` |

**You get** JSON texts: `hello` first, with `config`, `state`, `timeline`, `task` and your `role`; then
`ack` (`id`, `step` and what came of it), `error` (`id` and a problem document), `changed`, `state`, `reset`,
`role`, `viewers`, `replaced` and `notice` (`notice.worker_restarted`, `notice.training_failed`,
`notice.session_ended`, `notice.shutdown`). The connection is closed with 4001 when replaced, 4004 when the
session ends, 1012 when the server stops, 1013 when you read too slowly, and 1009 after a message that is too
long.

**You also get** binary messages: `NNPG`, a little-endian uint32 with the length of the header, the header as
JSON padded with spaces to a multiple of 8 bytes, then the arrays that its `arrays` lists by `name`, `dtype`,
`shape` and `offset` from the end of the header. Their `type` is `data` (points and feature maps), `metrics`
(rows of `samples`; the header has `columns`, `stride`, `run`; keep rows whose step is a multiple of the
stride) or `frame` (weights as `weight.0`, `bias.0`, …, maps of the neurons, the decision map, predictions).
"""
TAGS = [
    {"name": "sessions", "description": "Networks that train, and what can be done with them"},
    {"name": "data", "description": "Data of your own"},
    {"name": "catalogue", "description": "What a config may consist of"},
    {"name": "server", "description": "Whether it runs"},
]


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> FastAPI:
    """The application; workers start with its lifespan, on `engine` if one is given."""
    settings = settings or Settings()
    engine = engine or LocalEngine(settings.workers, settings.device)
    app = FastAPI(
        title="Neural network playground",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        root_path=settings.root_path,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.engine = engine
    app.state.registry = Registry(engine, settings)
    for router in (
        server.router,
        catalogue.router,
        data.router,
        sessions.router,
        socket.router,
        pages.router,
    ):
        app.include_router(router)
    app.mount("/static", pages.BuiltFiles(directory=pages.STATIC, check_dir=False), name="static")
    for kind in (Problem, ValidationFailed, WorkerLost, RequestFailed, RecursionError, Exception):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_middleware(Bodies)
    app.add_middleware(Heads)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "ETag", "Retry-After", "X-Decision-Shape", "X-Neurons-Shape"],
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.engine.start()
    sweeper = asyncio.create_task(app.state.registry.sweep())
    yield
    sweeper.cancel()
    app.state.registry.shut_down()
    await app.state.engine.stop()


async def _answer(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error)
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _response(request, problem)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    text, headers = say("problem.other", detail=str(error.detail)), dict(error.headers or {})
    match status:
        case HTTPStatus.NOT_FOUND:
            text = say("problem.not_found")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods(request))
            text = say("problem.method", method=request.method, allowed=headers["Allow"])
        case HTTPStatus.BAD_REQUEST if error.__cause__:
            text = _unreadable(error.__cause__)
    return _response(request, Problem(status, text, headers=headers))


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """A body or parameter of the wrong form. What was sent is not repeated: it may hold NaN, or be huge."""
    assert isinstance(error, RequestValidationError)
    errors = [_fault(item, error.body) for item in error.errors()]
    return _response(request, problem_of(ValidationFailed(*errors)))


def _fault(item: dict[str, Any], body: Any) -> FieldError:
    if item["type"] == "json_invalid":
        at = json.JSONDecodeError(item["ctx"]["error"], body, item["loc"][1])
        return fault("", say("rule.body_is_json", error=str(at)))
    if item["type"] == "missing" and item["loc"] == ("body",):
        return fault("", say("rule.body_missing"))
    place, *path = item["loc"]
    here: Any = body if place == "body" else None
    named: list[str] = []
    for position, part in enumerate(path):
        if isinstance(here, dict) and part not in here and position < len(path) - 1:
            continue  # the member of a union, which pydantic names and the sender does not
        named.append(str(part))
        with suppress(KeyError, IndexError, TypeError):
            here = here[part]
    return fault(".".join(named), rule_of(item))


def _unreadable(error: BaseException | None) -> Text:
    """What is wrong with a body that could not even be parsed, by the error of the parser."""
    match error:
        case RecursionError():
            return say("problem.nested_too_deeply")
        case UnicodeDecodeError():
            return say("problem.not_utf8", byte=error.start)
        case ValueError():
            return say("problem.unreadable_json", error=str(error))
        case _:
            return say("problem.unreadable")


def _methods(request: Request) -> list[str]:
    """What is possible at the path of the request."""
    routes = request.app.router.routes
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": "GET" if method == "HEAD" else method})[0] is Match.FULL
            for route in routes
        )
    ]


def _response(request: Request, problem: Problem) -> JSONResponse:
    return JSONResponse(
        document(problem, request.url.path),
        status_code=problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )
