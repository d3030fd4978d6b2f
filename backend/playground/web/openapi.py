"""The OpenAPI document: the REST API, and everything that crosses the websocket.

`python -m playground.web.openapi` prints it, always the same for the same code; the page's types are
made of what `python -m playground.web.openapi page` prints.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.openapi.models import Components
from pydantic import Field, TypeAdapter

from playground.messages.commands import ID_LENGTH, Ack, ViewerMessage
from playground.messages.events import Event
from playground.messages.headers import BinaryHeader
from playground.web.problem import ProblemDocument
from playground.web.problem_examples import add_examples

Schema = dict[str, Any]

DESCRIPTION = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
TAGS = [
    {"name": "sessions", "description": "Networks that train, and what can be done with them"},
    {"name": "runs", "description": "Runs that are scripted, trained in the background and kept"},
    {"name": "branches", "description": "Moments of the past, and what goes on from them"},
    {"name": "export", "description": "Runs to take home"},
    {"name": "sweeps", "description": "Many networks that differ in what is looked for"},
    {"name": "trainability", "description": "Maps of what a network learns with"},
    {"name": "data", "description": "Data of your own"},
    {"name": "catalogue", "description": "What a config may consist of"},
    {"name": "server", "description": "Whether it runs"},
]
REFERENCE = "#/components/schemas/{model}"
ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": ID_LENGTH,
    "description": "Of your own, new in the session: the answer has it, too",
}


COMPONENT: Schema = {
    "type": "object",
    "description": "Of any family; the catalogue knows the kinds of each and their parameters",
    "properties": {"kind": {"type": "string", "description": "Selects the component"}},
    "required": ["kind"],
    "additionalProperties": True,
}
Mode = Literal["validation", "serialization"]
WIRE: dict[str, tuple[Mode, Any, str]] = {
    "ViewerMessage": (
        "validation",
        Annotated[ViewerMessage, Field(discriminator="type")],
        "What a viewer sends: a JSON text",
    ),
    "Event": (
        "serialization",
        Annotated[Event, Field(discriminator="type")],
        "What a viewer is told: a JSON text",
    ),
    "BinaryHeader": (
        "serialization",
        Annotated[BinaryHeader, Field(discriminator="type")],
        "The header of a binary message",
    ),
    "ProblemDocument": ("serialization", ProblemDocument, ""),
}
"""What the generator of FastAPI does not see: how it is used, its type, what it is."""


def document(app: FastAPI) -> Schema:
    """The document of the app, made once.

    Raises ValueError if two different schemas have one name.
    """
    if app.openapi_schema is None:
        whole = _plain(FastAPI.openapi(app))
        schemas = whole["components"]["schemas"]
        for name, schema in _wire_schemas().items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"there are two schemas of the name {name}")
        add_examples(whole["paths"])
        app.openapi_schema = whole
    return app.openapi_schema


def _plain(schema: Schema) -> Schema:
    """What is sent by its plain name; only what is taken, where that differs, is marked as such."""
    return json.loads(json.dumps(schema).replace('-Output"', '"'))


def for_page(whole: Schema) -> Schema:
    """The document without the components of the catalogue, which the page learns of as it runs: so its types
    stay as they are when there is one more."""
    members: set[str] = set()

    def opened(part: Any) -> Any:
        if isinstance(part, list):
            return [opened(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "family" in part and "oneOf" in part:
            members.update(reference["$ref"].rpartition("/")[2] for reference in part["oneOf"])
            return {"$ref": REFERENCE.format(model="Component"), "description": part["description"]}
        return {name: opened(value) for name, value in part.items()}

    page = opened(whole)
    schemas = page["components"]["schemas"]
    page["components"]["schemas"] = {"Component": COMPONENT} | {
        name: schema for name, schema in schemas.items() if name not in members
    }
    return page


def _wire_schemas() -> dict[str, Schema]:
    """Of messages from a viewer, events to it, headers of binary messages, and problem documents."""
    unions, definitions = TypeAdapter.json_schemas(
        [(name, mode, TypeAdapter(kind)) for name, (mode, kind, _) in WIRE.items()], ref_template=REFERENCE
    )
    for (name, _), union in unions.items():
        definitions["$defs"].setdefault(name, {**union, "description": WIRE[name][2]})
    whole = Components(schemas=definitions["$defs"])
    schemas: dict[str, Schema] = _plain(jsonable_encoder(whole, by_alias=True, exclude_none=True))["schemas"]
    for command in get_args(ViewerMessage):
        schema = schemas[command.__name__]
        schema["properties"]["id"] = ID
        schema["required"] = [*schema.get("required", []), "type", *([] if command is Ack else ["id"])]
    for schema in schemas.values():
        kind = schema.get("properties", {}).get("type", {})
        if "const" in kind:
            kind.setdefault("description", "Says which message this is")
    return schemas


if __name__ == "__main__":
    from playground.web.app import create_app

    printed = document(create_app())
    if sys.argv[1:] == ["page"]:
        printed = for_page(printed)
    json.dump(printed, sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    sys.stdout.write("\n")
