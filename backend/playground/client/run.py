"""A run that the server keeps: scripted, or saved from a session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from playground.client.history import History
from playground.client.session import AsyncSession, opened
from playground.client.transport import Transport
from playground.client.view import Answer, Format, Layers, arrays_of

Progress = Callable[[Answer], object]
"""Is told how far something is, in the form of its `info`."""
OVER = frozenset({"done", "failed", "cancelled"})


class AsyncRun:
    """`info` is what the server said last; `refresh` asks again."""

    def __init__(self, transport: Transport, info: Answer):
        self._transport = transport
        self.info = info

    def __repr__(self) -> str:
        name = f" {self.info['name']!r}" if self.info.get("name") else ""
        return f"<{type(self).__name__} {self.id}{name}: {self.state}, step {self.info['step']}>"

    @property
    def id(self) -> str:
        """Its name in every call."""
        return self.info["id"]

    @property
    def state(self) -> str:
        """`queued`, `running`, `done`, `failed` or `cancelled`."""
        return self.info["state"]

    @property
    def metrics(self) -> dict[str, float | None]:
        """How good it was when the server was last asked."""
        return self.info["metrics"]

    async def refresh(self) -> Answer:
        """Asks how far it is."""
        self.info = await self._get("")
        return self.info

    async def wait(self, progress: Progress | None = None) -> Answer:
        """Until it is done, failed or cancelled; `progress` is called on the way."""
        await self.refresh()
        if self.state not in OVER:
            async for name, said in self.events():
                if progress and name == "progress":
                    self.info = {**self.info, **said}
                    progress(self.info)
            await self.refresh()
        if progress:
            progress(self.info)
        return self.info

    async def events(self) -> AsyncIterator[tuple[str, Answer]]:
        """`progress`, `applied` (a change of its timeline) and `done`, each with what it says."""
        async for name, said in self._transport.events(self._path("/events")):
            yield name, said
            if name == "done":
                return

    async def history(self) -> History:
        """The curves since the start."""
        return History(await self._get("/history"))

    async def weights(self) -> Layers:
        """For each layer `weight` (inputs × units), `bias`, and what its normalisation has."""
        return arrays_of(await self._get("/weights"))

    async def file(self) -> bytes:
        """A few KB that `playground verify` replays and confirms."""
        return (await self._transport.call("GET", self._path("/file"))).content

    async def export(self, format: Format) -> bytes:
        """A script, a notebook, weights, the curves … as a file."""
        return (await self._transport.call("GET", self._path(f"/export/{format}"))).content

    async def open(self, step: int | None = None) -> AsyncSession:
        """A session that goes on from its end, or from a step of it."""
        body = {} if step is None else {"step": step}
        answer = await self._transport.json("POST", self._path("/open"), body, unlimited=True)
        return opened(self._transport, answer)

    async def describe(
        self, *, name: str | None = None, tags: Iterable[str] | None = None, note: str | None = None
    ) -> Answer:
        """Give it another name, other tags, another note."""
        said = {"name": name, "tags": None if tags is None else list(tags), "note": note}
        body = {key: value for key, value in said.items() if value is not None}
        self.info = await self._transport.json("PATCH", self._path(""), body)
        return self.info

    async def cancel(self) -> None:
        """End it before its time; one that is over is removed."""
        await self._transport.call("DELETE", self._path(""))

    async def _get(self, path: str) -> Any:
        return await self._transport.json("GET", self._path(path))

    def _path(self, path: str) -> str:
        return f"/api/runs/{self.info['id']}{path}"
