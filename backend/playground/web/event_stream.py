"""Server-sent events: what happens to something, told to whoever listens."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi.responses import StreamingResponse

ALIVE_SECONDS = 15.0
"""After so long without an event a comment is sent, so that nobody between takes the connection for dead."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class ServerEvent:
    """`id` is what a listener that comes back sends as `Last-Event-ID`."""

    event: str
    data: Any
    id: str

    def encoded(self) -> bytes:
        text = json.dumps(self.data, separators=(",", ":"), allow_nan=False)
        return f"id: {self.id}\nevent: {self.event}\ndata: {text}\n\n".encode()


def event_stream(events: AsyncIterator[ServerEvent]) -> StreamingResponse:
    """The answer that sends them; once the listener is gone, `events` is closed."""
    return StreamingResponse(_lines(events), media_type="text/event-stream", headers=HEADERS)


async def _lines(events: AsyncIterator[ServerEvent]) -> AsyncIterator[bytes]:
    iterator = aiter(events)
    following: asyncio.Future[ServerEvent] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(iterator))
            done, _ = await asyncio.wait([following], timeout=ALIVE_SECONDS)
            if not done:
                yield b": still here\n\n"
                continue
            try:
                event = following.result()
            except StopAsyncIteration:
                return
            following = None
            yield event.encoded()
    finally:
        if following:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await iterator.aclose()  # pyright: ignore[reportAttributeAccessIssue] (a generator)
