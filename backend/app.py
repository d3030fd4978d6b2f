"""The web application: everything that speaks HTTP, put together by a factory."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from backend import __version__, live, page, rest
from backend.config import Refused
from backend.engine import Engine, LocalEngine, OrderFailed, WorkerLost
from backend.guards import BodyLimit, SecurityHeaders
from backend.problem import Problem, problem_of
from backend.protocol import FieldProblem
from backend.registry import Registry
from backend.settings import Settings
from backend.tables import TableError

log = logging.getLogger("playground.app")

DESCRIPTION = """Train small PyTorch networks, and change everything while they learn.

A **session** trains one network. Creating it answers with its **key**, which goes into
`Authorization: Bearer …` of every call that changes it; anyone may look. Errors are problem documents
(RFC 9457) that name the field and the rule.

Live pictures and metrics come over the websocket `/api/sessions/{id}/live`, subprotocol `playground.v1`.
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
    app.include_router(rest.router)
    app.include_router(rest.health)
    app.include_router(live.router)
    app.include_router(page.router)
    app.mount("/static", page.BuiltFiles(directory=page.STATIC, check_dir=False), name="static")
    for kind in (Problem, Refused, TableError, WorkerLost, OrderFailed, Exception):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_middleware(BodyLimit)
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
    app.state.registry.farewell()
    await app.state.engine.stop()


async def _answer(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error)
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _response(request, problem)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here.",
    }.get(status, str(error.detail))
    return _response(request, Problem(status, detail, headers=dict(error.headers or {})))


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """A body or parameter of the wrong form. What was sent is not repeated: it may hold NaN, or be huge."""
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldProblem(
            field=".".join(map(str, item["loc"][1:])), message=item["msg"].removeprefix("Value error, ")
        )
        for item in error.errors()
    ]
    detail = "; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in errors)
    return _response(request, Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors))


def _response(request: Request, problem: Problem) -> JSONResponse:
    return JSONResponse(
        problem.document(request.url.path),
        status_code=problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )
