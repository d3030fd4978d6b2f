"""A session: a network that trains on the server, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.client.errors import Gone, PlaygroundError, Refused
from playground.client.fields import Config, written_out
from playground.client.transport import Transport
from playground.client.view import Answer, AsyncView

if TYPE_CHECKING:
    from playground.client.run import AsyncRun


class AsyncSession(AsyncView):
    """Ends on the server with `async with`, or with `delete`; else when nobody has used it for long."""

    async def __aenter__(self) -> AsyncSession:
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(Gone):
            await self.delete()

    async def change(self, change: Config | None = None, /, **fields: Any) -> Answer:
        """Change the config while it trains: `change(optimizer="sgd")`, `change(optimizer={"lr": 0.1})`.

        Merged into the config (RFC 7396). Answers with the step at which it took effect, and what it did.
        """
        return await self._do("PATCH", "/config", written_out(change, fields))

    async def step(self, steps: int | None = None, *, epochs: int | None = None) -> Answer:
        """Train that much, by default one step, and answer with the metrics when it is done."""
        if steps is None and epochs is None:
            steps = 1
        amount = {"steps": steps, "epochs": epochs}
        return await self._do("POST", "/step", {k: n for k, n in amount.items() if n is not None})

    async def play(self) -> Answer:
        """Train at the session's speed, until it is paused."""
        return await self._do("POST", "/play")

    async def pause(self) -> Answer:
        """Stop training."""
        return await self._do("POST", "/pause")

    async def reset(self) -> Answer:
        """Begin a new run with the config of now."""
        return await self._do("POST", "/reset")

    async def speed(
        self, epochs_per_second: float | None = None, *, steps_per_second: float | None = None
    ) -> Answer:
        """How fast it plays; as fast as it goes where nothing is said."""
        if epochs_per_second is None and steps_per_second is None:
            return await self._do("POST", "/speed", {"max": True})
        given = {"epochs_per_second": epochs_per_second, "steps_per_second": steps_per_second}
        return await self._do("POST", "/speed", {k: n for k, n in given.items() if n is not None})

    async def set_weights(self, layers: Iterable[Mapping[str, Any]]) -> Answer:
        """Set weights, as `weights` has them; what is left out stays."""
        body = [{name: np.asarray(array).tolist() for name, array in layer.items()} for layer in layers]
        return await self._do("PUT", "/weights", {"layers": body})

    async def undo(self) -> Answer:
        """Take back the last change, or else the last reset. Raises PlaygroundError where there is none."""
        now = await self.look()
        entry = _last_undoable(now["timeline"])
        if entry is None:
            return await self._back(now["before_reset"], "there is nothing to undo")
        setting = {name: value for name, value in entry["undo"].items() if name != "weight"}
        if entry["checkpoint"] is not None:
            try:
                return await self.restore(entry["checkpoint"])
            except Refused:  # only so many moments are kept; the setting can come back all the same
                if not setting:
                    raise
        if not setting:
            raise PlaygroundError("a weight that was set by hand is undone on the page")
        return await self._do("PATCH", "/config", setting)

    async def redo(self) -> Answer:
        """Go to where the session was before it last went back."""
        return await self._back((await self.look())["before_undo"], "there is nothing to redo")

    async def restore(self, checkpoint: int) -> Answer:
        """Go back to a moment that the timeline or the state names."""
        return await self._do("POST", "/restore", {"checkpoint": checkpoint})

    async def branch(self, step: int | None = None, **fields: Any) -> AsyncSession:
        """A session that goes on from here, or from a step before, with this change."""
        body: Answer = {} if step is None else {"step": step}
        if fields:
            body["change"] = written_out(None, fields)
        return opened(self._transport, await self._do("POST", "/branch", body))

    async def save(
        self, name: str | None = None, *, tags: Iterable[str] = (), note: str | None = None
    ) -> AsyncRun:
        """Keep it as a run that is done."""
        from playground.client.run import AsyncRun

        said = {"name": name, "tags": list(tags) or None, "note": note}
        body = {key: value for key, value in said.items() if value is not None}
        return AsyncRun(self._transport, await self._do("POST", "/save", body))

    async def delete(self) -> None:
        """End it on the server."""
        await self._do("DELETE", "")

    async def _do(self, method: str, path: str, body: Any = None) -> Any:
        return await self._transport.json(method, self._path(path), body, key=self.key, unlimited=True)

    async def _back(self, moment: Answer | None, otherwise: str) -> Answer:
        if moment is None:
            raise PlaygroundError(otherwise)
        return await self.restore(moment["checkpoint"])


def opened(transport: Transport, answer: Answer) -> AsyncSession:
    """The session that the server has just made."""
    return AsyncSession(transport, answer["id"], answer["key"])


def _last_undoable(timeline: list[Answer]) -> Answer | None:
    """As on the page: a change that takes back the one before it removes both."""
    stack: list[Answer] = []
    for entry in timeline:
        if not entry["undo"] and entry["checkpoint"] is None:
            continue
        if stack and stack[-1]["undo"] == entry["change"]:
            stack.pop()
        else:
            stack.append(entry)
    return stack[-1] if stack else None
