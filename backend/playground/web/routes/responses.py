"""What is documented of answers beside their schema."""

from http import HTTPStatus
from typing import Any


def fails(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    answer = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {
        status.value: {"description": status.description or status.phrase, "content": answer}
        for status in statuses
    }


def binary(description: str) -> dict[str, Any]:
    return {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary", "description": description}
        }
    }


def tells(*names: str, example: str | None = None) -> dict[int | str, dict[str, Any]]:
    """Server-sent events of these names; what each says is JSON."""
    event = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string", "enum": list(names)},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["id", "event", "data"],
    }
    shown = {} if example is None else {"example": example}
    return {200: {"content": {"text/event-stream": {"schema": event, **shown}}}}


def shows(example: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": example}}}}


UNFIT = fails(HTTPStatus.UNPROCESSABLE_ENTITY)
BODY = {
    **UNFIT,
    **fails(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
}
BUSY = fails(HTTPStatus.SERVICE_UNAVAILABLE)
"""Where a worker has to answer, or room to be found."""
MISSING = {**UNFIT, **fails(HTTPStatus.NOT_FOUND)}
SEEN = {**MISSING, **BUSY}
GUARDED = {**MISSING, **fails(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)}
COMMANDED = {**GUARDED, **BUSY, **fails(HTTPStatus.TOO_MANY_REQUESTS)}
SENT = {**COMMANDED, **BODY}
