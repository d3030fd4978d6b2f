"""The document of the API: everything in it is described, shown and true."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import httpx

from playground.catalogue.component import members
from playground.messages import commands, events, headers
from playground.run.description import FAMILIES
from playground.web.openapi import for_page
from playground.web.problem import ProblemDocument


def test_everything_in_the_documentation_is_described_and_shown_by_example(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert list(_undocumented(document)) == []


def test_the_documentation_lists_what_a_call_may_answer(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    session = "/api/sessions/{id}"

    def statuses(path: str, method: str) -> set[str]:
        return set(paths[path][method]["responses"]) & {"400", "401", "403", "413", "415", "429", "503"}

    body = {"400", "413", "415"}
    assert statuses("/api/sessions", "post") == body | {"503"}
    assert statuses("/api/datasets", "post") == statuses("/api/preview", "post") == body
    assert statuses(session, "get") == statuses(f"{session}/maps", "get") == {"503"}
    assert statuses(f"{session}/history", "get") == set()
    assert statuses(session, "delete") == {"401", "403"}
    assert statuses(f"{session}/play", "post") == {"401", "403", "429", "503"}
    assert statuses(f"{session}/step", "post") == body | {"401", "403", "429", "503"}


def test_every_error_that_is_documented_is_shown_by_example(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    shown = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    example = answer["content"]["application/problem+json"]["example"]
                    place = f"{method} {path}: {status}"
                    assert ProblemDocument.model_validate(example).status == int(status), place
                    assert example["detail"], place
                    assert "{" not in example["instance"], place
                    shown += 1
    assert shown > 100


def test_the_documentation_tells_how_to_speak_over_the_websocket(client: httpx.Client) -> None:
    words = client.get("/openapi.json").json()["info"]["description"]
    for kind in get_args(commands.ViewerMessage):
        assert f"`{get_args(kind.model_fields['type'].annotation)[0]}`" in words
    for kind in get_args(events.Event):
        assert f"`{get_args(kind.model_fields['type'].annotation)[0]}`" in words
    assert all(f"`{code}`" in words for code in events.NoticeCode)


def test_everything_that_crosses_the_websocket_is_in_the_document(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name, union in (
        ("ViewerMessage", commands.ViewerMessage),
        ("Event", events.Event),
        ("BinaryHeader", headers.BinaryHeader),
    ):
        kinds = {kind.__name__: kind.model_fields["type"].annotation for kind in get_args(union)}
        assert {part["$ref"].rpartition("/")[2] for part in schemas[name]["oneOf"]} == set(kinds)
        assert schemas[name]["discriminator"]["propertyName"] == "type"
        for kind, literal in kinds.items():
            assert schemas[kind]["properties"]["type"]["const"] == get_args(literal)[0]
            assert "type" in schemas[kind]["required"]
    for command in get_args(commands.ViewerMessage):
        assert ("id" in schemas[command.__name__]["required"]) is (command is not commands.Ack)
    assert list(_unresolved(document, document)) == []


def test_the_document_is_printed_as_the_server_has_it(client: httpx.Client) -> None:
    printed = subprocess.check_output([sys.executable, "-m", "playground.web.openapi"], text=True)
    document = json.loads(printed)
    assert document == client.get("/openapi.json").json()
    assert list(document["components"]["schemas"]) == sorted(document["components"]["schemas"])


def test_the_types_of_the_page_know_no_component_by_name(client: httpx.Client) -> None:
    document = for_page(client.get("/openapi.json").json())
    components = {cls.__name__ for family in FAMILIES.values() for cls in members(family)}
    assert not components & set(document["components"]["schemas"])
    assert list(_unresolved(document, document)) == []


def _unresolved(document: dict[str, Any], part: Any) -> Iterator[str]:
    """References to what is not there."""
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _unresolved(document, value)
    reference = part.get("$ref") if isinstance(part, dict) else None
    if isinstance(reference, str) and reference.rpartition("/")[2] not in document["components"]["schemas"]:
        yield reference


def _undocumented(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = f"{method.upper()} {path}"
            if not operation.get("description"):
                yield f"{place}: no description"
            for parameter in operation.get("parameters", []):
                if not parameter.get("description"):
                    yield f"{place}: {parameter['name']} has no description"
                if not _exemplified(document, parameter["schema"]):
                    yield f"{place}: {parameter['name']} has no example"
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                if not (content.get("examples") or _exemplified(document, content["schema"])):
                    yield f"{place}: {kind} has no example"
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                if content and not ("example" in content or _exemplified(document, content["schema"])):
                    yield f"{place}: {status} has no example"
                if not response.get("description"):
                    yield f"{place}: {status} has no description"
    for name, schema in document["components"]["schemas"].items():
        if not schema.get("description") and not name.startswith("Body_"):
            yield f"{name}: no description"
        for field, rule in schema.get("properties", {}).items():
            if not rule.get("description") and not _resolved(document, rule).get("description"):
                yield f"{name}.{field}: no description"


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _exemplified(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    """An example of its own, or one for each of its parts."""
    if schema.get("examples"):  # beside a reference
        return True
    schema = _resolved(document, schema)
    if (
        schema.get("examples")
        or "example" in schema
        or schema.get("format") == "binary"
        or "contentMediaType" in schema
    ):
        return True
    if parts := schema.get("anyOf"):
        return any(_exemplified(document, part) for part in parts)
    if schema.get("type") == "array":
        return _exemplified(document, schema["items"])
    properties = schema.get("properties", {})
    return bool(properties) and all(_exemplified(document, part) for part in properties.values())
