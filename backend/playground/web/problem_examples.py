"""What the documentation shows of each error that a call may answer with."""

from http import HTTPStatus
from typing import Any

from playground import limits
from playground.errors import FieldError, Problem, ValidationFailed, fault, problem_of
from playground.i18n import Text, say
from playground.session.answers import IN_FLIGHT
from playground.web.problem import document

MEDIA_TYPE = "application/problem+json"
MEGABYTE = 2**20


def add_examples(paths: dict[str, Any]) -> None:
    """One to every problem document of every operation that has none yet."""
    for path, operations in paths.items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                shown = answer.get("content", {}).get(MEDIA_TYPE)
                if shown is not None:
                    shown.setdefault("example", _example(HTTPStatus(int(status)), path, operation))


def _example(status: HTTPStatus, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", [])
    instance = path
    for parameter in parameters:
        if parameter["in"] == "path":
            value = parameter["schema"].get("examples", [parameter["name"]])[0]
            instance = instance.replace(f"{{{parameter['name']}}}", str(value))
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        return document(problem_of(ValidationFailed(_unfit(operation, parameters))), instance)
    return document(Problem(status, _said(status, path)), instance)


def _unfit(operation: dict[str, Any], parameters: list[dict[str, Any]]) -> FieldError:
    if "requestBody" in operation:
        return fault("learning_rate", say("rule.extra_forbidden"))
    for parameter in parameters:
        if "maximum" in parameter["schema"]:
            return fault(parameter["name"], say("rule.less_than_equal", le=parameter["schema"]["maximum"]))
    name = parameters[0]["name"] if parameters else ""
    return fault(name, say("rule.string_too_long", max_length=200))


def _said(status: HTTPStatus, path: str) -> Text:
    """The first that fits the beginning of the path."""
    return next(text for start, text in _texts(status) if path.startswith(start))


def _texts(status: HTTPStatus) -> list[tuple[str, Text]]:
    match status:
        case HTTPStatus.BAD_REQUEST:
            error = "Expecting value: line 1 column 1 (char 0)"
            return [("", say("problem.unreadable_json", error=error))]
        case HTTPStatus.UNAUTHORIZED:
            return [("/api/runs", say("problem.run_key_needed")), ("", say("problem.key_needed"))]
        case HTTPStatus.FORBIDDEN:
            return [("/api/runs", say("problem.wrong_run_key")), ("", say("problem.wrong_key"))]
        case HTTPStatus.NOT_FOUND:
            return [
                ("/api/sessions", say("problem.no_session")),
                ("/api/runs", say("problem.no_run")),
                ("/api/datasets", say("problem.no_table")),
                ("", say("problem.not_found")),
            ]
        case HTTPStatus.CONFLICT:
            return [
                ("/api/runs", say("problem.run_not_ended")),
                ("/api/sessions/", say("problem.not_passing")),
                ("", say("problem.session_exists")),
            ]
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return [("", say("problem.body_too_large", limit=limits.BODY_BYTES // MEGABYTE))]
        case HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
            return [("", say("problem.content_type", media_type="application/json"))]
        case HTTPStatus.TOO_MANY_REQUESTS:
            return [("", say("problem.too_many_commands", limit=IN_FLIGHT))]
        case _:
            return [("", say("problem.worker_starting"))]
