"""Whatever is sent to the REST API, its document speaks of the answer: generated requests of all kinds."""

from contextlib import suppress

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Running
from tests.guest import Guest

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STEPS = 50
"""More training than this shows nothing more."""
quick = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def document(running: Running) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{running.address}/openapi.json")


def check_answers(operations: BaseSchema, session: str, headers: dict[str, str]) -> None:
    """To requests of every operation, valid ones and others, for this session."""
    for mode in GenerationMode:
        for result in operations.get_all_operations():
            assert isinstance(result, Ok), result
            check_operation(result.ok(), mode, session, headers)


def check_operation(
    operation: APIOperation, mode: GenerationMode, session: str, headers: dict[str, str]
) -> None:
    @quick
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: Case) -> None:
        if session and "id" in case.path_parameters:
            case.path_parameters["id"] = session
        if case.path.endswith("/step") and isinstance(case.body, dict):
            case.body = {name: min(n, STEPS) if isinstance(n, int) else n for name, n in case.body.items()}
        case.call_and_validate(headers=headers, checks=CHECKS)

    # There is no invalid request where nothing can be sent, and of some lists it now and then makes none.
    with suppress(Unsatisfiable, *([InvalidSchema] if mode is GenerationMode.NEGATIVE else [])):
        answers()


def test_strangers_get_answers_that_are_documented(document: BaseSchema) -> None:
    check_answers(document, "", {})


def test_who_lacks_the_key_gets_answers_that_are_documented(document: BaseSchema, guest: Guest) -> None:
    check_answers(document.include(path_regex="/api/sessions/{id}"), guest.id, {"Authorization": "Bearer no"})


def test_the_holder_gets_answers_that_are_documented(document: BaseSchema, guest: Guest) -> None:
    """But for the deletion, after which there is nothing more to ask."""
    operations = document.include(path_regex="/api/sessions/{id}").exclude(method="DELETE")
    check_answers(operations, guest.id, guest.authorization)
    check_answers(document.include(method="DELETE"), guest.id, guest.authorization)


@pytest.fixture
def guest(client: httpx.Client) -> Guest:
    return Guest(client, client.post("/api/sessions").json())
