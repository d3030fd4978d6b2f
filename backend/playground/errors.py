"""What can go wrong, and how it is said: one error a broken rule, the same over HTTP and over a websocket."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

INSTANCE_LENGTH = 200
"""Characters of the path that an answer repeats."""


@dataclass(frozen=True, config=ConfigDict(use_attribute_docstrings=True))
class FieldError:
    """One thing that is wrong with the input."""

    field: str = Field(examples=["hidden.0.width"])
    """Dotted path of the field; empty for the input as a whole."""
    message: str = Field(examples=["must be at most 256"])
    """The rule that it breaks."""
    fits: tuple[Any, ...] | None = Field(default=None, examples=[None])
    """Values that would do, where they can be named."""
    suggestion: dict[str, Any] | None = Field(default=None, examples=[None])
    """A merge patch that, merged into what was refused, makes it fit."""

    def below(self, path: str) -> "FieldError":
        """The same error of a field that lies within another."""
        field = f"{path}.{self.field}" if self.field else path
        return FieldError(field, self.message, self.fits, self.suggestion)


class ValidationFailed(ValueError):
    """Input that breaks a rule; each error names its field and the rule."""

    def __init__(self, *errors: FieldError):
        super().__init__("; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in errors))
        self.errors = errors


class WorkerLost(Exception):
    """A request was not carried out: the worker died over it, or cannot be started."""


class RequestFailed(Exception):
    """The worker failed in a way that nobody foresaw; it goes on."""


class Problem(Exception):
    """An answer that says no (RFC 9457): a status, a sentence for people, and the fields at fault."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Iterable[FieldError] = (),
        headers: dict[str, str] | None = None,
    ):
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}

    @property
    def title(self) -> str:
        return self.status.phrase


def problem_of(error: BaseException, raw: Any = None) -> Problem:
    """The answer to an error; without details if nobody foresaw it. `raw` is what was validated."""
    match error:
        case Problem():
            return error
        case ValidationFailed():
            return _unprocessable(error.errors)
        case ValidationError():
            return _unprocessable(explain(error, raw))
        case RecursionError():
            return _unprocessable([FieldError("", "this is nested too deeply")])
        case WorkerLost():
            detail = f"This was not done: {error}. Try it again."
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "2"})
        case RequestFailed():
            detail = f"The worker could not do this ({error}). The session is still there."
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
        case _:
            return Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, "This should not have happened; it is in the server's log."
            )


def _unprocessable(errors: Iterable[FieldError]) -> Problem:
    failed = ValidationFailed(*errors)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(failed), failed.errors)


def explain(error: ValidationError, raw: Any) -> list[FieldError]:
    """Pydantic's errors with the path as the sender wrote it."""
    return [_explain(dict(item), raw) for item in error.errors(include_url=False, include_input=False)]


def _explain(item: dict[str, Any], raw: Any) -> FieldError:
    path: list[str] = []
    here: Any = raw
    named = None
    for part in item["loc"]:
        if isinstance(here, dict) and here is not named and part == here.get("kind"):
            named = here
            continue  # pydantic names the member of the union first; the sender did not
        path.append(str(part))
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    context = item.get("ctx", {})
    match item["type"]:
        case "union_tag_invalid":
            kinds = tuple(tag.strip(" '") for tag in context["expected_tags"].split(","))
            rule = f"{context['tag']!r} is unknown; there are {', '.join(kinds)}"
            return FieldError(".".join([*path, "kind"]), rule, kinds)
        case "union_tag_not_found":
            return FieldError(".".join([*path, "kind"]), "is missing; it says which component is meant")
        case kind if kind in RULES:
            return FieldError(".".join(path), RULES[kind].format(**context))
        case _:
            return FieldError(".".join(path), item["msg"].removeprefix("Value error, "))


RULES = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_long": "may have at most {max_length} entries; there are {actual_length}",
    "too_short": "must have at least {min_length} of them",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
}
"""Pydantic's rules in words for people who do not know it."""
