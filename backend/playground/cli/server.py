"""The server that a command works with: a running one, or one in this process for as long as it takes."""

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from playground.cli.document import Document, Refusal
from playground.client import Client, PlaygroundError, Refused
from playground.client.transport import SERVER
from playground.settings import Settings

POLL_SECONDS = 0.05
Address = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar=SERVER,
        help="A running server, as http://127.0.0.1:8000; without one, a server in this process does it",
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Without a server: keep it in the database, where `export` finds it")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else")]


@contextlib.contextmanager
def playground_at(address: str | None, keep: bool = False) -> Iterator[Client]:
    """A client of this server. With `keep`, a server of one's own uses the database of the settings, and else
    one that is gone afterwards."""
    with contextlib.ExitStack() as stack:
        if address is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            database = {} if keep else {"database": str(Path(folder) / "playground.db")}
            with Console(stderr=True).status("Starting"):
                address = stack.enter_context(_serving(database))
        yield stack.enter_context(Client(address))


@contextlib.contextmanager
def _serving(database: dict[str, str]) -> Iterator[str]:
    # Here, not above: help and completion need not wait for PyTorch.
    from playground.storage.errors import StorageRefused
    from playground.web.app import create_app
    from playground.web.server import Server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(host="127.0.0.1", port=port, log_level="error", **database)  # pyright: ignore[reportArgumentType]
    server = Server(create_app(settings), settings)
    refused: list[StorageRefused] = []

    def serve() -> None:
        try:
            server.run()
        except StorageRefused as error:
            refused.append(error)

    thread = threading.Thread(target=serve, name="playground-server")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(POLL_SECONDS)
        if not server.started:
            raise PlaygroundError(refused[0].reason.text if refused else "the server could not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def refusals(document: Document | None = None) -> Iterator[None]:
    """Says what went wrong on one's terminal, with the lines of the file, and ends the command."""
    try:
        yield
    except Refused as refused:
        said = document.refuse(refused.errors) if document and refused.errors else refused.detail
        typer.echo(said, err=True)
        raise typer.Exit(2) from refused
    except (Refusal, PlaygroundError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(2 if isinstance(error, Refusal) else 1) from error
