"""Where sessions are trained: what the web process needs of that."""

import itertools
from collections.abc import Callable
from typing import Any, Protocol

from playground.i18n import Text
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.worker import Envelope, Event, Request, TrainerStatus
from playground.run.run_file import MadeOn

session_numbers = itertools.count(1)
"""For `SessionClient.number`."""
Settle = Callable[[Envelope[Event]], Any]
"""What to do with an answer, at the very moment at which it comes, in order with the other events."""


class SessionClient(Protocol):
    """A session, as an engine sees it."""

    id: str
    number: int
    """A number that no other session ever has; not 0."""

    @property
    def step(self) -> int: ...

    def opening(self) -> tuple[messages.Opening, Arrays]:
        """All that a worker needs to take the session in, or to go on where the last one died."""
        ...

    def on_event(self, event: Envelope[Event]) -> None:
        """An event that is not an answer."""
        ...

    def on_worker_lost(self) -> None:
        """Its worker has died; the next one will take it in."""
        ...

    def on_reopened(self) -> None:
        """Another worker has taken it in."""
        ...

    def end(self, reason: Text) -> None:
        """It cannot go on."""
        ...


class Engine(Protocol):
    """Trains sessions somewhere, and keeps them alive."""

    @property
    def ready(self) -> bool: ...

    @property
    def trainer(self) -> TrainerStatus:
        """The slowest among those of the workers; only once they are ready."""
        ...

    @property
    def made_on(self) -> MadeOn:
        """What trains, as far as the bits of a result depend on it; only once it is ready."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def open(self, client: SessionClient, settle: Settle, beside: str | None = None) -> Any:
        """On the worker of another session, where `beside` names one.

        Raises `ValidationFailed`, `RequestFailed`, `WorkerLost`, as `ask` does.
        """
        ...

    async def ask(self, session: str, request: Request, settle: Settle, arrays: Arrays | None = None) -> Any:
        """What `settle` makes of the answer. What a dying worker leaves undone is given to the next."""
        ...

    def tell(self, session: str, request: Request) -> None:
        """A request without an answer; it may get lost with a worker."""
        ...

    def close(self, session: str) -> None: ...
