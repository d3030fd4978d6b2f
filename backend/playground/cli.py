"""The console script: `playground serve`."""

import argparse
import asyncio
import contextlib
import logging
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from uvicorn.config import LOGGING_CONFIG
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from playground import __version__, limits
from playground.settings import Settings
from playground.web.app import create_app

FAREWELL_SECONDS = 0.3


class Sockets(WebSocketsSansIOProtocol):
    """Knows that a refusal ends the handshake, too; uvicorn would log it as an error."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        self.handshake_complete |= self.close_sent


class Server(uvicorn.Server):
    """Tells the viewers that it stops before uvicorn closes their sockets."""

    def __init__(self, app: FastAPI, settings: Settings):
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                # At debug it would log headers and messages, and with them the keys.
                log_level="info" if settings.log_level == "debug" else settings.log_level,
                log_config=_logging(settings.log_level),
                ws=Sockets,
                ws_max_size=limits.MESSAGE_BYTES,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=int(settings.shutdown_seconds),
                server_header=False,
            )
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.registry.shut_down()
        await asyncio.sleep(FAREWELL_SECONDS)
        await super().shutdown(sockets)


class WithoutQuery(logging.Filter):
    """Logs paths without what follows a question mark: people put secrets there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_path_only(arg) for arg in record.args)
        return True


def _path_only(argument: Any) -> Any:
    is_path = isinstance(argument, str) and argument.startswith("/")
    return argument.partition("?")[0] if is_path else argument


def _logging(level: str) -> dict[str, Any]:
    """uvicorn's own, with the playground's loggers beside it."""
    config: dict[str, Any] = {**LOGGING_CONFIG}
    config["filters"] = {"without_query": {"()": WithoutQuery}}
    config["handlers"] = {
        name: {**handler, "filters": ["without_query"]} for name, handler in config["handlers"].items()
    }
    loggers = {"playground": {"handlers": ["default"], "level": level.upper(), "propagate": False}}
    config["loggers"] = {**config["loggers"], **loggers}
    return config


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="playground", description="A neural network playground")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the page and the API")
    for name in ("host", "port", "workers", "device"):
        field = Settings.model_fields[name]
        serve.add_argument(f"--{name}", help=f"{field.description} (default: {field.default})")
    given = vars(parser.parse_args(arguments))
    given.pop("command")
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        parser.error("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once everything is shut down
        Server(create_app(settings), settings).run()


if __name__ == "__main__":
    main()
