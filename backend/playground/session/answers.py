"""The commands of a session that wait for an answer, and the answers that it has given."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from playground.errors import Problem
from playground.i18n import say
from playground.messages.commands import Command
from playground.messages.events import Result

REMEMBERED = 256
"""Answers that are kept, for a browser that asks again."""
IN_FLIGHT = 64


class Answers:
    """Each command is carried out once, however often its id is sent. What it did is written down by `keep`
    before it is answered."""

    def __init__(self, perform: Callable[[Command], Awaitable[Result]]):
        self.keep: Callable[[], Awaitable[None]] | None = None
        self.given: dict[str, tuple[int, Result]] = {}
        """The last answers, and their numbers, by the ids of the commands; refusals are not among them."""
        self._perform = perform
        self._answers: dict[str, asyncio.Future[Result]] = {}

    def remember(self, given: Mapping[str, tuple[int, Result]]) -> None:
        """Answers that were given before the server started."""
        for name, (number, result) in given.items():
            self.given[name] = number, result
            self._answers[name] = asyncio.get_running_loop().create_future()
            self._answers[name].set_result(result)

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
            self._answers[name] = asyncio.ensure_future(self._carried_out(name, command))
        return await asyncio.shield(self._answers[name])

    def abandon(self, name: str) -> None:
        """Nobody waits for this command any longer; if it is training, it ends."""
        self._answers[name].cancel()

    async def _carried_out(self, name: str, command: Command) -> Result:
        result = await self._perform(command)
        last, _ = next(reversed(self.given.values()), (0, None))
        self.given[name] = last + 1, result
        if len(self.given) > REMEMBERED:
            del self.given[next(iter(self.given))]
        if self.keep:
            await self.keep()
        return result

    def _make_room(self) -> None:
        if self.waiting >= IN_FLIGHT:
            text = say("problem.too_many_commands", limit=IN_FLIGHT)
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, text)
        while len(self._answers) >= REMEMBERED:
            del self._answers[next(name for name, answer in self._answers.items() if answer.done())]
