"""A run that the server keeps: scripted, or saved from a session."""

from __future__ import annotations

from collections.abc import Iterable

from playground.client.history import History
from playground.client.session import AsyncSession, opened
from playground.client.study import AsyncStudy
from playground.client.view import Answer, Format, Layers, arrays_of


class AsyncRun(AsyncStudy):
    """A config and its changes on the way, up to an end."""

    _told = "progress"
    _resource = "runs"

    @property
    def metrics(self) -> dict[str, float | None]:
        """How good it was when the server was last asked."""
        return self.info["metrics"]

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
        body = {label: value for label, value in said.items() if value is not None}
        self.info = await self._transport.json("PATCH", self._path(""), body, key=self.key)
        return self.info
