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
    from playground.cli.progress import bar, numbers

    with refusals():
        document = Document(file)
    with refusals(document), playground_at(server, keep) as playground:
        run = playground.run(wait=False, **fields_of(document))
        try:
            with bar("steps", as_json) as advance:
                info = run.wait(lambda info: advance(info["step"], info["steps"]))
        except KeyboardInterrupt:
            run.cancel()
            raise
        if output:
            output.write_bytes(run.file())
        typer.echo(json.dumps(info)) if as_json else numbers(info)
        if info["state"] != "done":
            raise typer.Exit(1)


def fields_of(document: Document) -> dict[str, Any]:
    """What the client takes, by name. Raises Refusal."""
    values = dict(document.values)
    if unknown := [name for name in values if name in OWN or not isinstance(name, str)]:
        message = "there is no such field"
        raise document.refuse([{"field": str(name), "message": message} for name in unknown])
    return values
