"""Whatever is sent to the REST API, its document speaks of the answer: generated requests of all kinds.

A short run of `python -m tests.fuzz`.
"""

import httpx
import pytest
import schemathesis
from schemathesis import BaseSchema

from tests.conftest import Running
from tests.fuzz import Fuzzer, everybody


@pytest.fixture(scope="module")
def document(running: Running) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{running.address}/openapi.json")


def test_everybody_gets_answers_that_are_documented(document: BaseSchema, client: httpx.Client) -> None:
    fuzzer = Fuzzer()
    everybody(document, client, fuzzer)
    operations = {
        f"{method.upper()} {path}"
        for path, methods in document.raw_schema["paths"].items()
        for method in methods
    }
    assert set(fuzzer.asked) == operations
