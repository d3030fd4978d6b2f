"""HTTP as the client needs it: errors in the server's words, patience while a server restarts."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx

from playground.client.errors import Gone, Refused, Unreachable

SERVER = "PLAYGROUND_SERVER"
"""The variable that names the server to use."""
DEFAULT_SERVER = "http://127.0.0.1:8000"
CONNECT_SECONDS = 10.0
LONGEST_WAIT = 2.0
"""Seconds between two attempts to reach a server that is away."""
STOPPING = {502, 503, 504}
"""What is said of a server that stops or starts, by itself or by a proxy."""
Event = tuple[str, dict[str, Any]]
"""The name of a server-sent event, and what it says."""


class Transport:
    """One server. What is safe to send again is, for `patience` seconds, once the server has been there."""

    def __init__(self, url: str | None, timeout: float, patience: float):
        self.url = (url or os.environ.get(SERVER) or DEFAULT_SERVER).rstrip("/")
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"{self.url}: the address of a server begins with http:// or https://")
        self.patience = patience
        self._timeout = httpx.Timeout(timeout, connect=CONNECT_SECONDS)
        self._http = httpx.AsyncClient(base_url=self.url, timeout=self._timeout)
        self.met = False
        """Whether it has ever answered."""

    async def close(self) -> None:
        await self._http.aclose()

    async def json(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = await self.call(method, path, body, **options)
        return answer.json() if answer.content else None

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
        unlimited: bool = False,
        again: bool = False,
    ) -> httpx.Response:
        """`again`: it may be sent a second time, as reading may. `unlimited`: the answer takes its time.

        Raises Refused, Gone or Unreachable.
        """
        request = self._http.build_request(
            method,
            path,
            json=body,
            params={name: value for name, value in (query or {}).items() if value is not None},
            headers={**self._authorized(key), **(headers or {})},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS) if unlimited else self._timeout,
        )
        again = again or method in ("GET", "PUT")
        attempts = self.attempts()
        while True:
            attempt = next(attempts)
            try:
                answer = await self._http.send(request)
            except httpx.TransportError as error:
                if not attempt.last and (again or isinstance(error, httpx.ConnectError)):
                    await attempt.wait()
                    continue
                raise Unreachable(f"{self.url}: {error or type(error).__name__}") from error
            self.met = True
            if again and answer.status_code in STOPPING and not attempt.last:
                await attempt.wait()
                continue
            _check(answer)
            return answer

    async def events(self, path: str, key: str | None = None) -> AsyncIterator[Event]:
        """Server-sent events, until the server ends them; a connection that breaks is opened again."""
        attempts = self.attempts()
        while True:
            attempt = next(attempts)
            try:
                async with self._events(path, key) as answer:
                    async for event in _read_events(answer):
                        attempts = self.attempts()
                        yield event
                return
            except httpx.TransportError as error:
                if attempt.last:
                    raise Unreachable(f"{self.url}: {error or type(error).__name__}") from error
            except Refused as refused:
                if attempt.last or refused.status not in STOPPING:
                    raise
            await attempt.wait()

    @asynccontextmanager
    async def _events(self, path: str, key: str | None) -> AsyncIterator[httpx.Response]:
        headers = {**self._authorized(key), "Accept": "text/event-stream"}
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        async with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            self.met = True
            if answer.is_error:
                await answer.aread()
            _check(answer)
            yield answer

    def _authorized(self, key: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def attempts(self) -> Iterator[Attempt]:
        """A server that was never there is not waited for."""
        deadline = monotonic() + (self.patience if self.met else 0.0)
        wait = 0.05
        while True:
            yield Attempt(monotonic() >= deadline, wait)
            wait = min(2 * wait, LONGEST_WAIT)


class Attempt:
    """One of several; full jitter, so that scripts do not come back all at once."""

    def __init__(self, last: bool, wait: float):
        self.last = last
        self._wait = wait

    async def wait(self) -> None:
        await asyncio.sleep(random.uniform(self._wait / 2, self._wait))


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:200] or answer.reason_phrase}
    if not isinstance(problem, dict):
        problem = {"detail": str(problem)}
    problem = {**problem, "status": answer.status_code}
    raise Gone(problem) if answer.status_code == httpx.codes.NOT_FOUND else Refused(problem)


async def _read_events(answer: httpx.Response) -> AsyncIterator[Event]:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as this server uses it."""
    name, data = "message", ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif not line:
            if data:
                yield name, json.loads(data)
            name, data = "message", ""
