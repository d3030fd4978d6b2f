"""What comes over a session's websocket, moment by moment."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from playground.client.errors import Gone, Refused, Unreachable
from playground.client.transport import Transport

SUBPROTOCOL = Subprotocol("playground.v1")
ENDED = 4004
"""The code with which the server closes the connection when a session ends."""
MAGIC = b"NNPG"
PLACE = ("index", "step", "epoch")
"""Columns of the metrics that say when."""
Floats = NDArray[np.floating[Any]]


@dataclass
class Moment:
    """What a session shows at one moment: it was trained on while this was on its way."""

    step: int
    """Optimizer updates so far."""
    epoch: float
    """Passes over the training set so far."""
    run: int
    """Counts the resets."""
    metrics: dict[str, float]
    """`train_loss`, `test_loss`, `train_accuracy` …; NaN where there is no number."""
    config: dict[str, Any]
    """The config of this moment, whole."""
    playing: bool
    """Whether it trains."""
    arrays: dict[str, np.ndarray] = field(repr=False)
    """As they came: `weight.0`, `bias.0`, `neurons`, `decision`, …; maps are bytes. Where not all neurons
    have one, `neurons_index` has the numbers of those that have."""

    @property
    def decision(self) -> Floats | None:
        """The decision map, row 0 on top: shares of class 1, values, or the numbers of the classes."""
        cells, ends = self.arrays.get("decision"), self.arrays.get("decision_range")
        if cells is None or "confidence" in self.arrays or ends is None:
            return None if cells is None else cells.astype(np.float32)
        lo, hi = ends.ravel()[:2]
        return lo + (hi - lo) * cells.astype(np.float32) / 255

    @property
    def weights(self) -> list[dict[str, np.ndarray]]:
        """For each layer `weight` (inputs × units), `bias`, and what else it has: where not all of a weight
        came, `weight_sources` and `weight_units` with the numbers of its rows and columns."""
        layers: dict[int, dict[str, np.ndarray]] = {}
        for name, array in self.arrays.items():
            kind, _, layer = name.rpartition(".")
            if layer.isdigit():
                layers.setdefault(int(layer), {})[kind] = array
        return [layers[index] for index in sorted(layers)]


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a binary message; the arrays are views of it. Raises ValueError if it is none."""
    if message[:4] != MAGIC or len(message) < 8:
        raise ValueError("not a binary message of the playground")
    (length,) = struct.unpack_from("<I", message, 4)
    header = json.loads(message[8 : 8 + length])
    arrays = {}
    for entry in header.pop("arrays"):
        kind = np.dtype(entry["dtype"]).newbyteorder("<")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        flat = np.frombuffer(message, kind, count, 8 + length + entry["offset"])
        arrays[entry["name"]] = flat.reshape(entry["shape"])
    return header, arrays


@dataclass
class Binary:
    """A binary message of the websocket: `data`, `metrics` or `frame`."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]
    message: bytes


async def watch(transport: Transport, session: str, look: Mapping[str, Any]) -> AsyncIterator[Moment]:
    """Every moment that the server shows, until the session ends. Raises Gone, Refused or Unreachable."""
    config: dict[str, Any] = {}
    playing = False
    metrics: dict[str, float] = {}
    async for heard in listen(transport, session, look):
        match heard:
            case Binary(header={"type": "metrics", "current": True, "columns": columns}, arrays=arrays):
                row = dict(zip(columns, arrays["samples"][0].tolist(), strict=True))
                metrics = {name: value for name, value in row.items() if name not in PLACE}
            case Binary(header={"type": "frame", "step": step, "epoch": epoch, "run": run}, arrays=arrays):
                yield Moment(step, epoch, run, metrics, config, playing, arrays)
            case dict():
                config = heard.get("config", config)
                playing = heard.get("state", heard).get("playing", playing)


async def listen(
    transport: Transport, session: str, look: Mapping[str, Any]
) -> AsyncIterator[dict[str, Any] | Binary]:
    """Everything that a viewer is told, events as they are, until the session ends; a lost connection comes
    back, with `hello` and the whole history.

    It watches only, so that a page that holds the session goes on holding it. `look`: `rate` (frames a
    second), `neurons` and `output` (cells along the side of a map), `units` (the neurons of each layer that
    are drawn). Raises Gone, Refused or Unreachable.
    """
    attempts = transport.attempts()
    while True:
        attempt = next(attempts)
        try:
            async with _connected(transport, session) as socket:
                transport.met = True
                attempts = transport.attempts()
                await socket.send(json.dumps({"type": "watch", "id": token_hex(8), **look}))
                async for heard in _heard(socket):
                    yield heard
            if socket.close_code == ENDED:
                return
        except (OSError, TimeoutError, InvalidHandshake) as error:
            _give_up(error)
            if attempt.last:
                raise Unreachable(f"{transport.url}: {error or type(error).__name__}") from error
        await attempt.wait()


def _connected(transport: Transport, session: str) -> connect:
    address = transport.url.replace("http", "ws", 1)
    return connect(
        f"{address}/api/sessions/{session}/live", subprotocols=[SUBPROTOCOL], max_size=None, compression=None
    )


async def _heard(socket: ClientConnection) -> AsyncIterator[dict[str, Any] | Binary]:
    try:
        async for message in socket:
            if isinstance(message, str):
                yield json.loads(message)
                continue
            header, arrays = decode(message)
            if header["type"] == "frame":
                await socket.send(json.dumps({"type": "ack", "frame": header["frame"]}))
            yield Binary(header, arrays, message)
    except ConnectionClosed:
        return


def _give_up(error: Exception) -> None:
    """Raises what waiting would not mend: the server has answered, and said no."""
    if not isinstance(error, InvalidStatus) or error.response.status_code >= 500:
        return
    try:
        problem = json.loads(error.response.body or b"{}")
    except ValueError:
        problem = {}
    problem = {**problem, "status": error.response.status_code}
    raise (Gone if error.response.status_code == 404 else Refused)(problem) from error
