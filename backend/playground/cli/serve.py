"""`playground serve`: the page and the API."""

import contextlib
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from playground.settings import Settings

FIELDS = Settings.model_fields
PREFIX = Settings.model_config.get("env_prefix", "")


def _option(field: str) -> Any:
    """The option that sets this field: its help and its variable are the field's own."""
    return typer.Option(help=FIELDS[field].description, envvar=_variable(field))


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def serve(
    host: Annotated[str, _option("host")] = FIELDS["host"].default,
    port: Annotated[int, _option("port")] = FIELDS["port"].default,
    workers: Annotated[str, _option("workers")] = FIELDS["workers"].default,
    device: Annotated[str, _option("device")] = FIELDS["device"].default,
    database: Annotated[str, _option("database")] = FIELDS["database"].default,
) -> None:
    """Serve the page and the API. Other settings are environment variables; the README lists them."""
    options = {"host": host, "port": port, "workers": workers, "device": device, "database": database}
    try:
        settings = Settings(**options)
    except ValidationError as error:
        raise _refusal(error, options) from error
    except SettingsError as error:  # a list that is no JSON
        raise typer.BadParameter(str(error)) from error
    # Here, not above: help and completion need not wait for PyTorch.
    from playground.storage.errors import StorageRefused
    from playground.storage.store import Store
    from playground.web.app import create_app
    from playground.web.server import Server

    try:
        store = Store(settings.database)
        store.open()
    except StorageRefused as error:
        typer.echo(error.reason.text, err=True)
        raise typer.Exit(1) from error
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once everything is shut down
        Server(create_app(settings, store=store), settings).run()


def _refusal(error: ValidationError, options: dict[str, Any]) -> typer.BadParameter:
    """Names the option, or the variable of a field that is none, and the rule."""
    first = error.errors()[0]
    field, *_ = map(str, first["loc"])
    return typer.BadParameter(first["msg"], param_hint=f"--{field}" if field in options else _variable(field))
