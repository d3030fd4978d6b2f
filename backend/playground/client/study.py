"""What the server does by itself and keeps: a run or a sweep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar

from playground.client.transport import Transport
from playground.client.view import Answer

Progress = Callable[[Answer], object]
"""Is told how far something is, in the form of its `info`."""
OVER = frozenset({"done", "failed", "cancelled"})
AGAIN_SECONDS = 0.2


class AsyncStudy:
    """`info` is what the server said last; `refresh` asks again."""

    _told: ClassVar[str]
    """The event that says how far it is."""
    _resource: ClassVar[str]

    def __init__(self, transport: Transport, info: Answer, key: str | None = None):
        self._transport = transport
        self.info = {name: value for name, value in info.items() if name != "key"}
        self.key: str | None = info.get("key", key)
        """What lets one change, cancel and remove it; None to look only."""

    def __repr__(self) -> str:
        name = f" {self.info['name']!r}" if self.info.get("name") else ""
        return f"<{type(self).__name__} {self.id}{name}: {self.state}>"

    @property
    def id(self) -> str:
        """Its name in every call."""
        return self.info["id"]

    @property
    def state(self) -> str:
        """`queued`, `running`, `done`, `failed` or `cancelled`."""
        return self.info["state"]

    async def refresh(self) -> Answer:
        """Asks how far it is."""
        self.info = await self._get("")
        return self.info

    async def wait(self, progress: Progress | None = None) -> Answer:
        """Until it is done, failed or cancelled; `progress` is called on the way."""
        await self.refresh()
        while self.state not in OVER:
            async for name, said in self.events():
                if name == self._told:
                    self.info = {**self.info, **said}
                    if progress:
                        progress(self.info)
            await self.refresh()
            if self.state not in OVER:  # the server has stopped, and is back
                await asyncio.sleep(AGAIN_SECONDS)
        if progress:
            progress(self.info)
        return self.info

    async def events(self) -> AsyncIterator[tuple[str, Answer]]:
        """What happens, each event with what it says, until the end."""
        async for event in self._transport.events(self._path("/events")):
            yield event

    async def cancel(self) -> None:
        """End it before its time; one that is over is removed."""
        await self._transport.call("DELETE", self._path(""), key=self.key)

    async def _get(self, path: str) -> Any:
        return await self._transport.json("GET", self._path(path))

    def _path(self, path: str) -> str:
        return f"/api/{self._resource}/{self.info['id']}{path}"
