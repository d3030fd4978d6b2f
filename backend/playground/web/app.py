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
from playground.storage.store import Store
from playground.studies.runs.runs import Runs
from playground.studies.sweeps.sweeps import Sweeps
from playground.studies.trainability import TrainabilityMaps
from playground.web import openapi, pages, socket
from playground.web.middleware import Bodies, Heads, SecurityHeaders
from playground.web.problem import document
from playground.web.routes import (
    branches,
    catalogue,
    data,
    exports,
    formulas,
    imports,
    kept,
    optimizer,
    run_results,
    runs,
    score_curves,
    scores,
    server,
    sessions,
    summary,
    sweeps,
    trainability,
    units,
)

log = logging.getLogger("playground.app")

RESOURCES = (
    server,
    catalogue,
    formulas,
    data,
    imports,
    sessions,
    runs,
    run_results,
    kept,
    branches,
    exports,
    summary,
    scores,
    score_curves,
    optimizer,
    units,
    sweeps,
    trainability,
    socket,
    pages,
)


def create_app(
    settings: Settings | None = None, engine: Engine | None = None, store: Store | None = None
) -> FastAPI:
    """The application; its lifespan opens the database and starts workers, in `store` and on `engine` if they
    are given.

    Raises `StorageRefused` for a database of no known kind."""
    settings = settings or Settings()
    engine = engine or LocalEngine(settings.worker_count, settings.device)
    app = FastAPI(
        title="Neural network playground",
        version=__version__,
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        lifespan=_lifespan,
        root_path=settings.root_path,
        redoc_url=None,
    )
    app.openapi = lambda: openapi.document(app)
    app.state.settings = settings
    app.state.engine = engine
    app.state.store = store or Store(settings.database)
    app.state.registry = Registry(engine, settings, app.state.store)
    app.state.runs = Runs(engine, app.state.store, settings)
    app.state.sweeps = Sweeps(engine, app.state.store, app.state.registry.uploads, settings.worker_count)
    app.state.trainability = TrainabilityMaps(engine, settings.worker_count)
    for resource in RESOURCES:
        app.include_router(resource.router)
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
        expose_headers=[
            "Location",
            "ETag",
            "Retry-After",
            "Preference-Applied",
            "X-Decision-Shape",
            "X-Neurons-Shape",
        ],
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.store.open()
    await app.state.engine.start()
    await app.state.registry.bring_back()
    await app.state.runs.start()
    await app.state.sweeps.start()
    tasks = [asyncio.create_task(work) for work in (app.state.registry.sweep(), app.state.registry.keep())]
    yield
    for task in tasks:
        task.cancel()
    app.state.runs.shut_down()
    await app.state.trainability.stop()
    await app.state.sweeps.stop()
    await app.state.registry.shut_down()
    await app.state.engine.stop()
    await app.state.runs.stop()
    app.state.store.close()


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
