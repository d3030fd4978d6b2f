"""Problem documents (RFC 9457): how an error is answered over HTTP."""

from dataclasses import asdict
from typing import Any

from playground.errors import INSTANCE_LENGTH, Problem


def document(problem: Problem, instance: str) -> dict[str, Any]:
    """As `application/problem+json`; `instance` is the path that was called."""
    return {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status.value,
        "detail": problem.detail,
        "instance": instance[:INSTANCE_LENGTH],
        "errors": [asdict(error) for error in problem.errors],
    }
