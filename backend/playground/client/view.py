"""A session as anybody sees it: what can be read of it, and watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from playground.client import live
from playground.client.history import History
from playground.client.live import Moment
from playground.client.transport import Transport

Answer: TypeAlias = dict[str, Any]
"""As the API has it; `/docs` of the server describes each."""
Layers: TypeAlias = list[dict[str, np.ndarray]]
Maps: TypeAlias = dict[str, NDArray[np.float32]]
"""`decision` (size × size, or classes × size × size) and `neurons` (units × size × size), row 0 on top."""
Format = Literal[
    "pytorch",
    "notebook",
    "keras",
    "safetensors",
    "onnx",
    "history.csv",
    "tensorboard",
    "data.csv",
    "config",
    "timeline",
    "run",
]


class AsyncView:
    """Without the key it can only be looked at."""

    def __init__(self, transport: Transport, id: str, key: str | None):
        self._transport = transport
        self.id = id
        self.key = key
        """What lets one change it; None to watch only."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} at {self._transport.url}>"

    @property
    def url(self) -> str:
        """Opens it in a browser, which may change it: the key is behind the `#`, where no server sees it."""
        watched = f"{self._transport.url}/?session={self.id}"
        return f"{watched}#key={self.key}" if self.key else watched

    async def look(self) -> Answer:
        """Everything about this moment: config, step, epoch, metrics, timeline, whether it plays."""
        return await self._get("")

    async def config(self) -> Answer:
        """The config of now, whole."""
        return (await self.look())["config"]

    async def metrics(self) -> dict[str, float | None]:
        """How good it is now: `train_loss`, `test_loss`, `train_accuracy` …"""
        return (await self.look())["metrics"]

    async def timeline(self) -> list[Answer]:
        """Every change of this run so far."""
        return (await self.look())["timeline"]

    async def history(self) -> History:
        """The curves since the start."""
        return History(await self._get("/history"))

    async def weights(self) -> Layers:
        """For each layer `weight` (inputs × units), `bias`, and what its normalisation has."""
        return arrays_of(await self._get("/weights"))

    async def scores(self) -> Answer:
        """Confusion matrix, precision, recall and F1."""
        return await self._get("/scores")

    async def maps(
        self, size: int = 100, *, x: str | None = None, y: str | None = None, projection: str | None = None
    ) -> Maps:
        """What the network and each of its neurons answer over the square, or over the inputs `x` and `y`."""
        answer = await self._transport.call(
            "GET",
            self._path("/maps"),
            headers={"Accept": "application/octet-stream"},
            query={"size": size, "x": x, "y": y, "projection": projection},
        )
        maps: Maps = {}
        start = 0
        for name in ("decision", "neurons"):
            shape = [int(n) for n in answer.headers[f"X-{name.title()}-Shape"].split(",")]
            count = int(np.prod(shape))
            maps[name] = np.frombuffer(answer.content, "<f4", count, start).reshape(shape)
            start += 4 * count
        return maps

    async def export(self, format: Format) -> bytes:
        """A script, a notebook, weights, the curves … as a file."""
        return (await self._transport.call("GET", self._path(f"/export/{format}"), key=self.key)).content

    async def watch(
        self,
        rate: float = 10,
        *,
        neurons: int = 20,
        size: int = 100,
        units: Sequence[Sequence[int]] | None = None,
    ) -> AsyncIterator[Moment]:
        """Moment by moment as it moves, `rate` of them a second at most, until the session ends.

        `units`: of each layer, the neurons whose maps are wanted, `[]` for none; then a wide layer has only
        the weights between them. Without it all come, megabytes a moment of a large network.
        """
        look = {"rate": rate, "neurons": neurons, "output": size, "units": units}
        async for moment in live.watch(self._transport, self.id, look):
            yield moment

    def _path(self, path: str) -> str:
        return f"/api/sessions/{self.id}{path}"

    async def _get(self, path: str) -> Any:
        return await self._transport.json("GET", self._path(path))


def arrays_of(answer: Answer) -> Layers:
    return [
        {name: np.array(values, np.float32) for name, values in layer.items() if values is not None}
        for layer in answer["layers"]
    ]
