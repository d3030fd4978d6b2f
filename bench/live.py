"""A viewer of the live stream without a browser: sends commands, acknowledges frames, hands on the rest."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import numpy as np
from websockets.sync.client import connect

from playground.messages.codec import decode
from playground.messages.commands import SUBPROTOCOL

Received = tuple[dict[str, Any], dict[str, np.ndarray]]


class Viewer:
    """A new session on the server at `address`, and its holder's connection. `units`: of each layer the
    neurons that it draws, if not all."""

    def __init__(
        self, address: str, config: dict[str, Any], rate: int = 30, units: list[list[int]] | None = None
    ) -> None:
        made = (
            httpx.post(f"{address}/api/sessions", json={"config": config}, timeout=30)
            .raise_for_status()
            .json()
        )
        self.id: str = made["id"]
        self.key: str = made["key"]
        self.authorization = {"Authorization": f"Bearer {self.key}"}
        self._address = address
        self._commands = 0
        self._socket = connect(
            f"{address.replace('http', 'ws')}/api/sessions/{self.id}/live",
            subprotocols=[SUBPROTOCOL],  # pyright: ignore[reportArgumentType]
            additional_headers=self.authorization,
            compression=None,
            max_size=None,
        )
        self.command("watch", rate=rate, neurons=20, output=100, units=units)

    def receive(self, seconds: float = 30) -> Received:
        """The next message; a frame is acknowledged at once."""
        message = self._socket.recv(timeout=seconds)
        if isinstance(message, str):
            return json.loads(message), {}
        header, arrays = decode(message)
        if header["type"] == "frame":
            self._socket.send(json.dumps({"type": "ack", "frame": header["frame"]}))
        return header, arrays

    def command(self, kind: str, **content: Any) -> float:
        """Sends a command and waits for its answer; gives the milliseconds in between."""
        self._commands += 1
        name = f"bench-{self._commands}"
        start = time.perf_counter()
        self._socket.send(json.dumps({"type": kind, "id": name, **content}))
        while True:
            header, _ = self.receive()
            if header["type"] == "error":
                raise RuntimeError(header["detail"])
            if header["type"] == "ack" and header.get("id") == name:
                return 1000 * (time.perf_counter() - start)

    def step(self) -> int:
        """The session's step, asked over HTTP."""
        told = httpx.get(f"{self._address}/api/sessions/{self.id}", timeout=30)
        return told.raise_for_status().json()["step"]

    def close(self) -> None:
        self._socket.close()
        httpx.delete(f"{self._address}/api/sessions/{self.id}", headers=self.authorization, timeout=30)
