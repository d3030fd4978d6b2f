"""What of a session is written, and when."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.messages.commands import Change, Play, Reset
from playground.messages.worker import Answer, Envelope, Samples, Snapshot
from playground.session import record
from playground.session.history import History
from playground.session.keeper import Keeper
from playground.session.session import Session
from playground.session.uploads import Uploads
from playground.storage import sessions
from playground.storage.sessions import Stored
from playground.storage.store import Store
from tests.test_session import TASK, Overtaking


class Obedient(Overtaking):
    """An engine whose worker does everything at step 7."""

    async def ask(self, session: str, request: Any, settle: Any, arrays: Any = None) -> Any:
        return settle(Envelope(Answer(step=7, epoch=0.3, task=TASK)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(str(tmp_path / "playground.db"))
    store.open()
    yield store
    store.close()


async def kept(store: Store) -> tuple[Session, Keeper]:
    session, keeper = Session(Obedient(), Uploads(), {}), Keeper(store)
    await session.open()
    await keeper.keep(session)
    return session, keeper


def stored(store: Store, session: Session) -> Stored:
    found = store.do_now(sessions.read, session.id)
    assert found is not None
    return found


def samples(first: int, count: int, stride: int = 1) -> Envelope[Any]:
    rows = np.arange(first, first + count, dtype=float)[:, None] * np.ones(4)
    event = Samples(run=1, stride=stride, columns=["index", "step", "epoch", "train_loss"])
    return Envelope(event, arrays={"samples": np.stack([rows] * 3)})


def snapshot(step: int, data: bytes = b"state") -> Envelope[Any]:
    event = Snapshot(run=1, step=step, epoch=step / 25, done=0)
    return Envelope(event, arrays={"snapshot": np.frombuffer(data, np.uint8)})


async def test_what_a_command_did_is_written_before_it_is_answered(store: Store) -> None:
    session, _ = await kept(store)
    await session.answers.of("one", Change(change={"l2": 0.5}))
    await session.answers.of("two", Play())
    there = stored(store, session)
    assert [line["change"] for line in there.lines] == [{"l2": 0.5}]
    assert there.row.config["l2"] == 0.5
    assert (there.row.state["playing"], there.row.state["step"]) == (True, 7)
    assert {name: answer["step"] for name, (_, answer) in there.answers.items()} == {"one": 7, "two": 7}


async def test_another_run_takes_the_place_of_the_one_before(store: Store) -> None:
    session, _ = await kept(store)
    await session.answers.of("one", Change(change={"l2": 0.5}))
    await session.answers.of("two", Reset())
    there = stored(store, session)
    assert (there.lines, there.row.start["l2"], there.row.state["run"]) == ([], 0.5, 2)
    assert list(there.answers) == ["one", "two"]


@pytest.mark.parametrize("stride", [1, 2])
async def test_curves_are_written_in_parts_and_read_as_they_are(store: Store, stride: int) -> None:
    session, keeper = await kept(store)
    for first in range(0, 300, 10):
        session.on_event(samples(first, 10, stride if first > 150 else 1))
        await keeper.write_all()
    again = record.history_of(stored(store, session))
    assert again.series() == session.history.series()
    assert again.last == session.history.last == 299


async def test_a_snapshot_of_a_large_network_is_written_seldom(store: Store) -> None:
    session, keeper = await kept(store)
    for step in (10, 20):
        session.on_event(snapshot(step, bytes(10_000_000)))
        await keeper.write_all()
    there = stored(store, session)
    found = record.snapshot_of(there, session.run)
    assert found is not None
    assert found.step == 10
    assert there.row.state["step"] == 20  # up to which it is trained again


async def test_nothing_is_written_of_a_session_that_stands_still(store: Store) -> None:
    session, keeper = await kept(store)
    await keeper.write_all()
    before = stored(store, session).row.saved
    await keeper.write_all()
    assert stored(store, session).row.saved == before


async def test_a_session_that_has_ended_leaves(store: Store) -> None:
    session, keeper = await kept(store)
    keeper.forget(session)
    await keeper.write_all()
    assert store.do_now(sessions.read, session.id) is None


async def test_what_could_not_be_written_is_written_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, keeper = await kept(store)
    with monkeypatch.context() as broken:
        broken.setattr(sessions, "_write", lambda *_: (_ for _ in ()).throw(OSError(28, "no space")))
        await session.answers.of("one", Change(change={"l2": 0.5}))
        assert store.failing is not None
    assert stored(store, session).lines == []
    assert store.failing is not None  # one can read
    await session.answers.of("two", Change(change={"l1": 0.5}))  # it waits for no database that fails
    await keeper.write_all()
    assert store.failing is None
    assert [line["change"] for line in stored(store, session).lines] == [{"l2": 0.5}, {"l1": 0.5}]


async def test_commands_are_written_in_order(store: Store) -> None:
    session, _ = await kept(store)
    changes = (session.answers.of(str(n), Change(change={"l2": n / 100})) for n in range(1, 20))
    await asyncio.gather(*changes)
    assert [line["change"] for line in stored(store, session).lines] == [
        {"l2": n / 100} for n in range(1, 20)
    ]


def test_a_history_without_rows_is_one() -> None:
    _, data = History(1).fresh() or (True, b"")
    assert History.unpacked([data], 2).since(-1) == []
