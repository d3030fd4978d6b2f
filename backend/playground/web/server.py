"""The web server: uvicorn, as the playground needs it."""

import asyncio
import logging
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from playground import limits
from playground.settings import Settings

FAREWELL_SECONDS = 0.3


class WebSocketProtocol(WebSocketsSansIOProtocol):
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
                ws=WebSocketProtocol,
                ws_max_size=limits.MESSAGE_BYTES,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=int(settings.shutdown_seconds),
                server_header=False,
            )
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for studies in (self._app.state.runs, self._app.state.sweeps, self._app.state.trainability):
            studies.shut_down()
        await self._app.state.registry.shut_down()
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
