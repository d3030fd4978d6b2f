"""A session in the web process: what it writes down of what its worker does."""

from collections.abc import Callable
from typing import Any

from playground.messages import worker as messages
from playground.messages.commands import Change, Command, SetWeight
from playground.messages.events import TaskDescription
from playground.messages.worker import Answer, Applied, Envelope
from playground.run.run import TimelineEntry
from playground.session.session import Session
from playground.session.uploads import Uploads

TASK = TaskDescription(
    kind="binary",
    classes=2,
    inputs=2,
    class_labels=["0", "1"],
    input_names=["x1", "x2"],
    input_ranges=None,
    target_range=(0.0, 1.0),
)


class Overtaking:
    """An engine whose worker comes to a line of the recorded timeline before it gets a request."""

    ready = True
    trainer = messages.TrainerStatus(trainer="reference", detail="")
    made_on: Any = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def open(self, client: Any, settle: Callable[..., Any], beside: str | None = None) -> Any:
        self.client = client
        return settle(Envelope(Answer(step=0, epoch=0.0, task=TASK)))

    async def ask(self, session: str, request: Any, settle: Callable[..., Any], arrays: Any = None) -> Any:
        self.request = request
        self.client.on_event(Envelope(Applied(index=0, step=5, epoch=0.2, effect=[])))
        return settle(Envelope(Answer(step=7, epoch=0.3)))

    def tell(self, session: str, request: messages.Request) -> None: ...

    def close(self, session: str) -> None: ...


async def overtaken(command: Command) -> tuple[Session, Overtaking]:
    engine = Overtaking()
    session = Session(engine, Uploads(), {}, [TimelineEntry(step=5, change={"l1": 0.1})])
    await session.open()
    await session.perform(command)
    return session, engine


async def test_a_change_that_a_recorded_line_overtakes_is_written_down_as_it_took_effect() -> None:
    session, engine = await overtaken(Change(change={"l2": 0.5}))
    assert session.config == engine.request.config  # what the worker trains with
    *_, last = session.run.replay({})
    assert last.after == session.config  # and what the run leads to when it is played again
    assert last.entry.undo == {"l1": 0.1, "l2": 0.0}


async def test_weights_that_a_recorded_line_overtakes_leave_what_it_changed() -> None:
    session, _ = await overtaken(SetWeight(layer=0, source=0, unit=0, value=1.0))
    assert session.config.l1 == 0.1
    *_, last = session.run.replay({})
    assert last.after == session.config
