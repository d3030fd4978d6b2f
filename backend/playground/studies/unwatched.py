"""What trains in the background, as an engine sees it: a session that nobody watches."""

import asyncio
import secrets

from playground.engine.engine import session_numbers
from playground.errors import WorkerLost
from playground.i18n import Text, say
from playground.messages import worker as messages
from playground.messages.worker import Envelope, Event


class UnwatchedClient:
    """The part of a `SessionClient` that is the same for all of them; `opening` is their own."""

    def __init__(self, kind: str):
        self.id = f"{kind}-{secrets.token_hex(8)}"
        self.number = next(session_numbers)
        self.step = 0
        """How far it is: a worker that dies over it got further with it, or did not."""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """That what was asked for is trained. Raises `WorkerLost`."""

    def finish(self) -> None:
        """What was asked for is trained."""
        if not self.done.done():
            self.done.set_result(None)

    def on_event(self, event: Envelope[Event]) -> None:
        match event.content:
            case messages.SessionFailed(detail=detail):
                self.end(say("problem.request_failed", error=detail))

    def on_worker_lost(self) -> None:
        """The next one takes it in as it stands then, and comes to the same numbers."""

    def on_reopened(self) -> None:
        """Nobody watches."""

    def end(self, reason: Text) -> None:
        if not self.done.done():
            self.done.set_exception(WorkerLost(reason))
