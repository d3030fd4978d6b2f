"""Problem documents (RFC 9457): how an error is answered over HTTP."""

from typing import Any

from pydantic_core import to_jsonable_python

from playground.errors import INSTANCE_LENGTH, Problem


def document(problem: Problem, instance: str) -> dict[str, Any]:
    """As `application/problem+json`; `instance` is the path that was called."""
    return to_jsonable_python(
        {
            "type": "about:blank",
            "title": problem.title,
            "status": problem.status.value,
            **problem.text.as_detail,
            "instance": instance[:INSTANCE_LENGTH],
            "errors": problem.errors,
        }
    )
