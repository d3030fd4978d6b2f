"""Problem documents (RFC 9457): how an error is answered over HTTP."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_jsonable_python

from playground.errors import INSTANCE_LENGTH, FieldError, Problem
from playground.i18n import Values


class ProblemDocument(BaseModel):
    """Why not, after RFC 9457."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    type: str = Field(examples=["about:blank"])
    """A URI for the kind of problem; `about:blank` says that the status tells it."""
    title: str = Field(examples=["Unprocessable Content"])
    """The status in words."""
    status: int = Field(examples=[422])
    """The HTTP status."""
    detail: str = Field(examples=["hidden.0.width: must be at most 256"])
    """What went wrong, in English."""
    code: str = Field(examples=["problem.invalid"])
    """The same, by its key in the translations."""
    values: Values = Field(examples=[{"reasons": "hidden.0.width: must be at most 256"}])
    """What the placeholders of `detail` stand for."""
    instance: str = Field(examples=["/api/sessions"])
    """The path that was called."""
    errors: list[FieldError]
    """The fields at fault; may be empty."""


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
