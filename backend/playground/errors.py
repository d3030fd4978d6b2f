"""What can go wrong, and how it is said: one error a broken rule, the same over HTTP and over a websocket."""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from playground.i18n import Text, Values, english, say

INSTANCE_LENGTH = 200
"""Characters of the path that an answer repeats."""


@dataclass(
    frozen=True,
    config=ConfigDict(use_attribute_docstrings=True, json_schema_serialization_defaults_required=True),
)
class FieldError:
    """One thing that is wrong with the input."""

    field: str = Field(examples=["hidden.0.width"])
    """Dotted path of the field; empty for the input as a whole."""
    message: str = Field(examples=["must be at most 256"])
    """The rule that it breaks, in English."""
    code: str = Field(examples=["rule.less_than_equal"])
    """The rule, by its key in the translations."""
    values: Values = Field(examples=[{"le": 256}])
    """What the placeholders of the rule stand for."""
    fits: tuple[Any, ...] | None = Field(default=None, examples=[None])
    """Values that would do, where they can be named."""
    suggestion: dict[str, Any] | None = Field(default=None, examples=[None])
    """A merge patch that, merged into what was refused, makes it fit."""

    def below(self, path: str) -> "FieldError":
        """The same error of a field that lies within another."""
        field = f"{path}.{self.field}" if self.field else path
        return replace(self, field=field)


def fault(
    field: str, rule: Text, fits: tuple[Any, ...] | None = None, suggestion: dict[str, Any] | None = None
) -> FieldError:
    """The error of a field that breaks this rule."""
    return FieldError(field, rule.text, rule.code, rule.values, fits, suggestion)


def broken(rule: Text) -> PydanticCustomError:
    """What a validator raises, so that the error of its field says this rule."""
    return PydanticCustomError("rule", "{text}", {"text": rule.text, "rule": rule})


class ValidationFailed(ValueError):
    """Input that breaks a rule; each error names its field and the rule."""

    def __init__(self, *errors: FieldError):
        super().__init__("; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in errors))
        self.errors = errors


class WorkerLost(Exception):
    """A request was not carried out: the worker died over it, or cannot be started."""

    def __init__(self, reason: Text):
        super().__init__(reason.text)
        self.reason = reason


class RequestFailed(Exception):
    """The worker failed in a way that nobody foresaw; it goes on."""


class Problem(Exception):
    """An answer that says no (RFC 9457): a status, a sentence for people, and the fields at fault."""

    def __init__(
        self,
        status: HTTPStatus,
        text: Text,
        errors: Iterable[FieldError] = (),
        headers: dict[str, str] | None = None,
    ):
        super().__init__(text.text)
        self.status = status
        self.text = text
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
            return _unprocessable([fault("", say("rule.nested_too_deeply"))])
        case WorkerLost(reason=reason):
            text = say("problem.worker_lost", reason=reason)
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": "2"})
        case RequestFailed():
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, say("problem.request_failed", error=str(error)))
        case _:
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, say("problem.unforeseen"))


def _unprocessable(errors: Iterable[FieldError]) -> Problem:
    failed = ValidationFailed(*errors)
    text = say("problem.invalid", reasons=str(failed))
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, failed.errors)


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
            rule = say("rule.unknown_kind", kind=context["tag"], kinds=kinds)
            return fault(".".join([*path, "kind"]), rule, kinds)
        case "union_tag_not_found":
            return fault(".".join([*path, "kind"]), say("rule.missing_kind"))
        case _:
            return fault(".".join(path), rule_of(item))


def rule_of(item: dict[str, Any]) -> Text:
    """The rule that one of pydantic's errors is about; in pydantic's own words if we have none for it."""
    code, context = f"rule.{item['type']}", item.get("ctx", {})
    if "rule" in context:
        return context["rule"]
    if code not in english():
        return say("rule.other", message=item["msg"])
    return say(
        code, **{name: value for name, value in context.items() if isinstance(value, str | int | float)}
    )
