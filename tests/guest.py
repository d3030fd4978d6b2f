"""Somebody who uses a session as a script or a page would: over HTTP, and over its websocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Literal

import httpx
import numpy as np
import websockets

from playground.messages.codec import decode
from playground.session.history import merged, stretch_ends

PATIENCE = 60.0
"""Seconds after which something is taken for lost. No test is about how long it takes."""
IDS = count(1)
"""A session remembers ids, over all its connections."""


class Guest:
    """A session over HTTP."""

    def __init__(self, client: httpx.Client, created: dict[str, Any]):
        self.client = client
        self.created = created
        self.id: str = created["id"]
        self.key: str = created["key"]

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> httpx.Response:
        options.setdefault("headers", self.authorization)
        return self.client.request(method, f"/api/sessions/{self.id}{path}", json=json, **options)

    def another(self, **body: Any) -> "Guest":
        """A session of its own, which nobody deletes."""
        return Guest(self.client, self.client.post("/api/sessions", json=body).json())

    def do(self, method: str, path: str, json: Any = None) -> dict[str, Any]:
        """The answer to a call that must succeed."""
        answer = self.call(method, path, json)
        assert answer.is_success, answer.text
        return answer.json()

    def look(self) -> dict[str, Any]:
        return self.do("GET", "")

    def history(self) -> dict[str, list[float | None]]:
        return self.do("GET", "/history")["series"]

    def bands(self, part: Literal["low", "high"]) -> dict[str, list[float | None]]:
        """The least or the greatest of each stretch of the history."""
        return self.do("GET", "/history")[part]

    @asynccontextmanager
    async def watch(self, as_holder: bool = True, **query: int) -> AsyncIterator["Watching"]:
        """A websocket to the session, connected as a page would."""
        address = str(self.client.base_url).replace("http", "ws", 1).rstrip("/")
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        async with websockets.connect(
            f"{address}/api/sessions/{self.id}/live?{parameters}",
            subprotocols=[websockets.Subprotocol("playground.v1")],
            additional_headers=self.authorization if as_holder else {},
            max_size=None,
            compression=None,
        ) as socket:
            watching = Watching(socket)
            try:
                yield watching
            finally:
                await watching.stop()


def assert_problem(answer: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    """A problem document (RFC 9457) with this status, about this field."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "code", "values", "instance", "errors"}
    assert document["status"] == status
    assert document["detail"]
    if field is not None:
        assert field in [error["field"] for error in document["errors"]], document
    return document


def words(texts: list[dict[str, Any]]) -> str:
    """The English of what the server says."""
    return ", ".join(text["text"] for text in texts)


class Watching:
    """What comes over the websocket, sorted: events, samples, frames. Frames are acked as they come."""

    def __init__(self, socket: websockets.ClientConnection):
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.data: list[dict[str, Any]] = []
        self.samples: dict[int, tuple[float, ...]] = {}
        """Means by index; emptied by a reset."""
        self.rows: dict[int, np.ndarray] = {}
        """Mean, least and greatest by index, (3, columns)."""
        self.stride = 1
        self.repeated: list[int] = []
        """Indices that came more than once."""
        self.frames: list[tuple[dict[str, Any], dict[str, np.ndarray]]] = []
        self.metrics: list[dict[str, float]] = []
        """Of the moments of the frames, by name."""
        self.order: list[tuple[str, Any]] = []
        """Everything in the order in which it came, as (type, step)."""
        self.acks = True
        self.closed: int | None = None
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                async with self._changed:
                    if isinstance(message, str):
                        self._take_event(json.loads(message))
                    else:
                        await self._take_binary(message)
                    self._changed.notify_all()
        except websockets.ConnectionClosed:
            pass
        async with self._changed:
            self.closed = self.socket.close_code
            self._changed.notify_all()

    def _take_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self.order.append((event["type"], event.get("step")))
        if event["type"] == "run":
            self.samples.clear()
            self.rows.clear()
            self.stride = 1

    async def _take_binary(self, message: bytes) -> None:
        header, arrays = decode(message)
        match header["type"]:
            case "frame":
                self.frames.append((header, arrays))
                self.order.append(("frame", header["step"]))
                if self.acks:
                    with suppress(websockets.ConnectionClosed):  # there is more to read
                        await self.socket.send(json.dumps({"type": "ack", "frame": header["frame"]}))
            case "metrics" if header["current"]:
                [row] = arrays["samples"].tolist()
                self.metrics.append(dict(zip(header["columns"], row, strict=True)))
                self.order.append(("current metrics", self.metrics[-1]["step"]))
            case "metrics":
                rows = np.stack([arrays["samples"], arrays["low"], arrays["high"]], axis=1)
                self.order.append(("metrics", rows[-1, 0, 1]))
                self.repeated += [int(row[0, 0]) for row in rows if int(row[0, 0]) in self.rows]
                self.stride = max(self.stride, header["stride"])
                self._keep(self.rows, {int(row[0, 0]): row for row in rows})
            case "data":
                self.data.append(header)
                self.order.append(("data", None))

    def remember(self, rows: dict[int, np.ndarray]) -> None:
        """Puts what an earlier connection got before what has come since."""
        self._keep(rows, self.rows)

    def _keep(self, held: dict[int, np.ndarray], newer: dict[int, np.ndarray]) -> None:
        """Merges what it has as the history does; what is newer takes the place of the same steps."""
        rows = [row for _, row in sorted(held.items())]
        if rows and newer:
            width = max(row.shape[1] for row in (*rows, *newer.values()))
            wide = [np.pad(row, ((0, 0), (0, width - row.shape[1])), constant_values=np.nan) for row in rows]
            table = merged(np.stack(wide, axis=1), self.stride)
            ends = stretch_ends(np.array([row[0, 1] for row in newer.values()]), self.stride)
            kept = ~np.isin(stretch_ends(table[0, :, 1], self.stride), ends)
            rows = list(table[:, kept].transpose(1, 0, 2))
        self.rows = {int(row[0, 0]): row for row in (*rows, *newer.values())}
        self.samples = {index: tuple(row[0, 1:].tolist()) for index, row in self.rows.items()}

    async def until(self, holds: Any) -> None:
        """Waits for something to be true of what has come."""
        async with self._changed, asyncio.timeout(PATIENCE):
            await self._changed.wait_for(lambda: holds() or self.closed is not None)
            assert holds(), f"the connection was closed with {self.closed}"

    async def event(self, kind: str, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first event of this kind with these fields."""

        def found() -> list[dict[str, Any]]:
            wanted = {"type": kind, **fields}
            return [e for e in self.events[after:] if wanted.items() <= e.items()]

        await self.until(found)
        return found()[0]

    async def send(self, **message: Any) -> str:
        """Sends a command, and returns its id."""
        message.setdefault("id", f"t{next(IDS)}")
        await self.socket.send(json.dumps(message))
        return message["id"]

    async def do(self, **message: Any) -> dict[str, Any]:
        """Sends a command, and returns its answer, an ack or an error."""
        name = await self.send(**message)

        def answers() -> list[dict[str, Any]]:
            return [e for e in self.events if e["type"] in ("ack", "error") and e.get("id") == name]

        await self.until(answers)
        return answers()[-1]

    async def ended(self) -> int:
        """The code with which the server closed the connection."""
        async with self._changed, asyncio.timeout(PATIENCE):
            await self._changed.wait_for(lambda: self.closed is not None)
        assert self.closed is not None
        return self.closed

    async def stop(self) -> None:
        await self.socket.close()
        await self._reading
