"""The commands of a session that wait for an answer, and the answers that it has given."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from playground.errors import Problem
from playground.i18n import say
from playground.messages.commands import Command
from playground.messages.events import Result

REMEMBERED = 256
"""Answers that are kept, for a browser that asks again."""
IN_FLIGHT = 64


class Answers:
    """Each command is carried out once, however often its id is sent."""

    def __init__(self, perform: Callable[[Command], Awaitable[Result]]):
        self._perform = perform
        self._answers: dict[str, asyncio.Future[Result]] = {}

    @property
    def waiting(self) -> int:
        """Commands that have no answer yet."""
        return sum(not answer.done() for answer in self._answers.values())

    async def of(self, name: str, command: Command) -> Result:
        """The answer to the command of this id; to one that has been sent before, the answer it got then.

        Raises what performing it raises, and `Problem` where too many wait.
        """
        if name not in self._answers:
            self._make_room()
            self._answers[name] = asyncio.ensure_future(self._perform(command))
        return await asyncio.shield(self._answers[name])

    def abandon(self, name: str) -> None:
        """Nobody waits for this command any longer; if it is training, it ends."""
        self._answers[name].cancel()

    def _make_room(self) -> None:
        if self.waiting >= IN_FLIGHT:
            text = say("problem.too_many_commands", limit=IN_FLIGHT)
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, text)
        while len(self._answers) >= REMEMBERED:
            del self._answers[next(name for name, answer in self._answers.items() if answer.done())]
