"""The command line: one command a module."""

from typing import Annotated

import typer

from playground import __version__
from playground.cli import export, run, serve, sweep, verify

main = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for command in (serve.serve, run.run, sweep.sweep, export.export, verify.verify):
    main.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@main.callback()
def playground(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A neural network playground."""
