"""A sweep: many runs over a space of configs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from playground.client.run import OVER, Progress
from playground.client.session import AsyncSession, opened
from playground.client.transport import Transport
from playground.client.view import Answer

if TYPE_CHECKING:
    pass

Space = Mapping[str, Any]


class AsyncSweep:
    """`info` is what the server said last; `refresh` asks again."""

    def __init__(self, transport: Transport, info: Answer):
        self._transport = transport
        self.info = info

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.state}>"

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
        self.info = await self._transport.json("GET", self._path(""))
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
        """What happens, each with what it says, until the end."""
        async for name, said in self._transport.events(self._path("/events")):
            yield name, said
            if name == "done":
                return

    async def cancel(self) -> None:
        """End it before its time; one that is over is removed."""
        await self._transport.call("DELETE", self._path(""))

    async def open(self, number: int) -> AsyncSession:
        """A trial as a session."""
        answer = await self._transport.json("POST", self._path(f"/trials/{number}/open"), {}, unlimited=True)
        return opened(self._transport, answer)

    def _path(self, path: str) -> str:
        return f"/api/sweeps/{self.info['id']}{path}"


def written_space(space: Space) -> dict[str, Any]:
    """A list is what to choose from, a pair is from … to."""
    return {path: _range(values) for path, values in space.items()}


def _range(values: Any) -> Any:
    if isinstance(values, tuple) and len(values) == 2:
        return {"low": values[0], "high": values[1]}
    return values if isinstance(values, Mapping) else {"values": list(values)}
