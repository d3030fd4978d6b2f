"""`playground run experiment.yaml`: an experiment from a file, to its end."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from playground.cli.document import Document
from playground.cli.server import Address, AsJson, Keep, playground_at, refusals

OWN = {"wait", "progress"}
"""What the client is told by this command alone."""
File = Annotated[Path, typer.Argument(help="A YAML file", exists=True, dir_okay=False)]


def run(
    file: File,
    server: Address = None,
    keep: Keep = False,
    as_json: AsJson = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write what `verify` replays to this file")
    ] = None,
) -> None:
    """Train what a YAML file says: fields of a config, `steps` or `epochs`, `timeline`, `stop`, `name` …"""
    from playground.cli.progress import followed, numbers

    with refusals():
        document = Document(file)
    with refusals(document), playground_at(server, keep) as playground:
        config, fields = fields_of(document)
        run = playground.run(config, wait=False, **fields)
        info = followed(run, "steps", "step", "steps", as_json)
        if output:
            output.write_bytes(run.file())
        typer.echo(json.dumps(info)) if as_json else numbers(info)
        if info["state"] != "done":
            raise typer.Exit(1)


def fields_of(document: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands below `config`, and the other fields, as the client takes them. Raises Refusal."""
    values = dict(document.values)
    for name in values:
        if name in OWN or not isinstance(name, str):
            raise document.refuse([{"field": str(name), "message": "there is no such field"}])
    for name in ("config", "space"):
        if not isinstance(values.get(name, {}), dict):
            raise document.refuse([{"field": name, "message": "expected fields"}])
    return values.pop("config", {}), values
