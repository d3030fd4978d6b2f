"""A session that shares another's run up to a step. It may look back at first, and move over that run."""

from playground.engine.engine import Engine
from playground.messages import commands
from playground.messages import worker as messages
from playground.messages.commands import Command
from playground.messages.events import Done, Parent, Result, StateChanged
from playground.messages.worker import Answer, Envelope, Event
from playground.session.past import Past
from playground.session.session import Session
from playground.session.trail import way
from playground.session.uploads import Uploads

LOOKS = (commands.Seek, commands.Pause, commands.SetSpeed, commands.SetSlice)
"""What makes no difference to the run."""


class Branch(Session):
    """Of `original`, from this moment of it on.

    While it is `passing` it only looks back: `seek` takes it to another moment of its original. The first
    command that does something makes it a session like others.
    """

    def __init__(self, engine: Engine, uploads: Uploads, original: Session, past: Past, passing: bool):
        start = past.run.config.model_dump(mode="json")
        super().__init__(engine, uploads, start, tables=past.tables)
        self.passing, self.beside, self.family = passing, original.id, original.family
        self._original = original
        shown = original.state
        self._speed, self._held, self._axes = shown.speed, shown.held, shown.axes
        self._take(past)

    def go_with(self, original: Session) -> None:
        """Before it is opened: it trains in lock-step with its original, once it has come as far."""
        self.lockstep = original.lockstep
        self.lockstep.members.append(self)
        self._playing = original.state.playing

    async def perform(self, command: Command) -> Result:
        if self.passing and isinstance(command, commands.Seek):
            return await self._seek(command.step)
        if self.passing and not isinstance(command, LOOKS):
            self.passing = False
            self.viewers.start_over()
            self.viewers.tell(StateChanged(**dict(self.state)))
            self.viewers.send_samples()
        return await super().perform(command)

    async def _seek(self, step: int) -> Done:
        past = self._original.present
        past = past.before(min(step, past.step))
        fields, arrays = way(past.run, past.trail, past.tables)
        request = messages.Seek(**fields, until=past.step)

        def settle(answer: Envelope[Event]) -> Done:
            assert isinstance(answer.content, Answer)
            self._take(past)
            done = self._begin(answer, past.run, self.config, past.history.copy(self.run_number + 1))
            self._see(past.step, past.history.epoch)
            self.viewers.tell(StateChanged(**dict(self.state)))
            return done.model_copy(update={"step": past.step})

        async with self._changing:
            return await self._ask(request, settle, arrays)

    def _take(self, past: Past) -> None:
        self.run, self.config, self.step = past.run, past.config, past.step
        self.history, self.epoch = past.history, past.history.epoch
        self.trail, self._checkpoints, self.tables = past.trail, past.checkpoints, dict(past.tables)
        self.parent = Parent(
            session=self._original.id, step=past.step, epoch=self.epoch, lines=len(past.run.timeline)
        )
