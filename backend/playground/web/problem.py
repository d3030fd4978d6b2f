"""What went wrong, in the words of RFC 9457: the same over HTTP and over a websocket."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from playground.run.config import FieldError, Refused, explain
from playground.engine.local import OrderFailed, WorkerLost
from playground.messages.protocol import FieldProblem
from playground.catalogue.tables import TableError

INSTANCE_LENGTH = 200
"""Characters of the path that an answer repeats."""


class Problem(Exception):
    """An answer that says no: an HTTP status, a sentence for people, and the fields at fault."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: list[FieldProblem] | None = None,
        headers: dict[str, str] | None = None,
    ):
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}

    @property
    def title(self) -> str:
        return self.status.phrase

    def document(self, instance: str) -> dict[str, Any]:
        """As `application/problem+json`."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
            "instance": instance[:INSTANCE_LENGTH],
            "errors": [error.model_dump(mode="json") for error in self.errors],
        }


def problem_of(error: BaseException, raw: Any = None) -> Problem:
    """The answer to an error; without details if nobody foresaw it. `raw` is what was validated."""
    match error:
        case Problem():
            return error
        case Refused():
            return _unprocessable(error.errors)
        case ValidationError():
            return _unprocessable(explain(error, raw))
        case TableError():
            return _unprocessable([FieldError(error.field, error.message)])
        case RecursionError():
            return _unprocessable([FieldError("", "this is nested too deeply")])
        case WorkerLost():
            detail = f"This was not done: {error}. Try it again."
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "2"})
        case OrderFailed():
            detail = f"The worker could not do this ({error}). The session is still there."
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
        case _:
            return Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, "This should not have happened; it is in the server's log."
            )


def _unprocessable(errors: Iterable[FieldError]) -> Problem:
    problems = [FieldProblem.of(error) for error in errors]
    detail = "; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in problems)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, problems)
