"""`playground export ID --to pytorch`: a run or a session as a file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from playground.cli.server import Address, playground_at, refusals
from playground.client import Gone
from playground.client.view import Format


def export(
    id: Annotated[str, typer.Argument(help="Of a run or a session")],
    to: Annotated[Format, typer.Option(help="What to make of it")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; without it, the standard output")
    ] = None,
    server: Address = None,
) -> None:
    """Take a run or a session home. Without a server, a run is looked for in the database of the settings."""
    with refusals(), playground_at(server, keep=True) as playground:
        try:
            found = playground.find_run(id)
        except Gone:
            found = playground.join(id)
        exported = found.export(to)
    if output:
        output.write_bytes(exported)
    else:
        sys.stdout.buffer.write(exported)
