"""The server as a script sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playground.client.fields import Config, Timeline, new_config, script
from playground.client.run import AsyncRun
from playground.client.session import AsyncSession, opened
from playground.client.study import Progress
from playground.client.sweep import AsyncSweep, Space, written_space
from playground.client.transport import Transport
from playground.client.view import Answer


class AsyncClient:
    """The playground at `url`; by default the one that `PLAYGROUND_SERVER` names, or that of this machine.

    A call that was under way when the server stopped is repeated for `patience` seconds where that is safe.
    Calls raise Refused with what the server said, Gone for what is not there, Unreachable if nobody answers.
    """

    def __init__(self, url: str | None = None, *, timeout: float = 60.0, patience: float = 30.0):
        self._transport = Transport(url, timeout, patience)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.url}>"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._transport.url

    async def close(self) -> None:
        """Closes the connections; what trains on the server goes on."""
        await self._transport.close()

    async def session(
        self,
        config: Config | None = None,
        /,
        *,
        timeline: Timeline = (),
        step: int = 0,
        **fields: Any,
    ) -> AsyncSession:
        """A new session: `session(data="spiral", hidden=[8, 8], optimizer={"kind": "sgd", "lr": 0.1})`.

        `step`: trained so far at once, with the changes of `timeline` on the way.
        """
        body = {"config": new_config(config, fields), "timeline": script(timeline), "step": step}
        answer = await self._transport.json("POST", "/api/sessions", body, unlimited=True)
        return opened(self._transport, answer)

    async def join(self, session: str, key: str | None = None) -> AsyncSession:
        """A session that there is, by its id or its address; without its key one can only watch."""
        parts = urlsplit(session)
        if parts.query:
            session = parse_qs(parts.query)["session"][0]
            key = key or parse_qs(parts.fragment).get("key", [None])[0]
        joined = AsyncSession(self._transport, session, key)
        await joined.look()
        return joined

    async def run(
        self,
        config: Config | None = None,
        /,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        timeline: Timeline = (),
        stop: Mapping[str, Any] | None = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        note: str | None = None,
        wait: bool = True,
        progress: Progress | None = None,
        **fields: Any,
    ) -> AsyncRun:
        """Train in the background, for `steps` or `epochs`, with the changes of `timeline` on the way; the
        server keeps it. `stop` ends it earlier: `{"loss_below": 0.01}`, `{"accuracy_above": 0.99}`.

        Waits for the end, and tells `progress` on the way, unless `wait` is false.
        """
        body = {
            "config": new_config(config, fields),
            "timeline": script(timeline),
            "steps": steps,
            "epochs": epochs,
            "stop": stop,
            "name": name,
            "tags": [tags] if isinstance(tags, str) else list(tags),
            "note": note,
        }
        run = AsyncRun(self._transport, await self._begin("/api/runs", body))
        if wait:
            await run.wait(progress)
        return run

    async def find_run(self, id: str, key: str | None = None) -> AsyncRun:
        """A run that the server keeps; without its key one can only look."""
        return AsyncRun(self._transport, await self._transport.json("GET", f"/api/runs/{id}"), key)

    async def runs(
        self,
        *,
        state: str | None = None,
        tag: str | None = None,
        q: str | None = None,
        sort: str = "-created",
    ) -> AsyncIterator[AsyncRun]:
        """All runs that the server keeps, the newest first; `q` is looked for in their words."""
        async for info in self._pages("/api/runs", {"state": state, "tag": tag, "q": q, "sort": sort}):
            yield AsyncRun(self._transport, info)

    async def sweep(
        self,
        config: Config | None = None,
        /,
        *,
        space: Space | None = None,
        trials: int | None = None,
        steps: int | None = None,
        epochs: int | None = None,
        sampler: str | None = None,
        pruner: str | None = None,
        objective: Mapping[str, Any] | None = None,
        seeds: int | None = None,
        name: str | None = None,
        note: str | None = None,
        wait: bool = True,
        progress: Progress | None = None,
        **fields: Any,
    ) -> AsyncSweep:
        """Try many configs: `space={"optimizer.lr": {"low": 1e-4, "high": 1, "log": True}}`. A list is
        what to choose from, a pair is from … to.

        Waits for the end, and tells `progress` on the way, unless `wait` is false.
        """
        body = {
            "config": new_config(config, fields),
            "space": None if space is None else written_space(space),
            "trials": trials,
            "steps": steps,
            "epochs": epochs,
            "sampler": sampler,
            "pruner": pruner,
            "objective": objective,
            "seeds": seeds,
            "name": name,
            "note": note,
        }
        sweep = AsyncSweep(self._transport, await self._begin("/api/sweeps", body))
        if wait:
            await sweep.wait(progress)
        return sweep

    async def find_sweep(self, id: str, key: str | None = None) -> AsyncSweep:
        """A sweep that the server keeps; without its key one can only look."""
        return AsyncSweep(self._transport, await self._transport.json("GET", f"/api/sweeps/{id}"), key)

    async def sweeps(self) -> AsyncIterator[AsyncSweep]:
        """All sweeps that the server keeps, the newest first."""
        async for info in self._pages("/api/sweeps", {}):
            yield AsyncSweep(self._transport, info)

    async def _begin(self, path: str, body: Answer) -> Answer:
        """Its key makes it safe to send it twice: it begins once."""
        said = {name: value for name, value in body.items() if value is not None}
        headers = {"Idempotency-Key": token_hex(16)}
        return await self._transport.json("POST", path, said, headers=headers, again=True)

    async def _pages(self, path: str, query: dict[str, Any]) -> AsyncIterator[Answer]:
        cursor = None
        while True:
            page = await self._transport.json("GET", path, query={**query, "cursor": cursor})
            for info in page["items"]:
                yield info
            cursor = page.get("next")
            if cursor is None:
                return
