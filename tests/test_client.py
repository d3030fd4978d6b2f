"""The Python client, against the real server."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from playground import AsyncClient, Client
from playground.client import Gone, PlaygroundError, Refused, Session, Unreachable, blocking
from playground.client.client import AsyncClient as Asynchronous
from playground.client.fields import new_config, script, written_out
from playground.client.live import decode
from playground.client.run import AsyncRun
from playground.client.session import AsyncSession
from playground.client.sweep import AsyncSweep, written_space
from playground.messages import codec
from tests.conftest import Running

GOLDEN = Path(__file__).parent / "golden"
SMALL = {"data": {"kind": "circle", "samples": 60}, "hidden": [3]}


@pytest.fixture
def playground(running: Running) -> Iterator[Client]:
    with Client(running.address) as client:
        yield client


@pytest.fixture
def session(playground: Client) -> Iterator[Session]:
    with playground.session(SMALL) as session:
        yield session


@pytest.fixture
async def asynchronous(running: Running) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(running.address) as client:
        yield client


def test_importing_it_loads_neither_torch_nor_pydantic() -> None:
    program = (
        "import sys, playground; playground.Client, playground.AsyncClient; "
        "heavy = ('torch', 'pydantic', 'numba', 'sklearn', 'pandas', 'playground.web', 'playground.run'); "
        "print(*(name for name in sys.modules if name.startswith(heavy)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def test_configs_are_written_by_hand() -> None:
    assert written_out(
        {"seed": 1, "batch_size": 5}, {"data": "spiral", "hidden": [8, {"activation": "relu"}]}
    ) == {
        "seed": 1,
        "batch_size": 5,
        "data": {"kind": "spiral"},
        "hidden": [{"width": 8}, {"activation": {"kind": "relu"}}],
    }
    assert written_out({"data": "xor"}, {"data": {"kind": "formula", "f": "x1"}})["data"]["f"] == "x1"
    assert new_config({"version": 1}, {}) == {"version": 1}
    assert new_config(None, {"features": ["x1", "x2^2"]}) == {"version": 2, "features": ["x1", "x2^2"]}
    assert script([(5, {"optimizer": "sgd"})]) == [{"step": 5, "change": {"optimizer": {"kind": "sgd"}}}]
    assert written_space({"l2": (0, 1), "batch_size": [5, 10], "seed": {"low": 1, "high": 3}}) == {
        "l2": {"low": 0, "high": 1},
        "batch_size": {"values": [5, 10]},
        "seed": {"low": 1, "high": 3},
    }


def test_a_session_is_trained_changed_and_read(session: Session) -> None:
    assert session.step(epochs=2)["epoch"] == 2
    done = session.change(optimizer="sgd", batch_size=5)
    assert done["step"] == 6
    assert session.config["optimizer"]["kind"] == "sgd"
    assert session.step()["step"] == 7
    history = session.history
    assert history["step"][-1] == 7
    assert history["train_loss"].dtype == np.float64
    assert set(history.low) == set(history) - {"index", "step", "epoch"}
    assert [entry["step"] for entry in history.marks] == [entry["step"] for entry in session.timeline] == [6]
    assert [layer["weight"].shape for layer in session.weights] == [(2, 3), (3, 1)]
    maps = session.maps(size=20)
    assert (maps["decision"].shape, maps["neurons"].shape) == ((20, 20), (4, 20, 20))
    assert session.metrics["train_loss"] == pytest.approx(history["train_loss"][-1], abs=0.5)
    assert session.scores


def test_a_history_is_a_data_frame_where_pandas_is(session: Session) -> None:
    session.step(3)
    frame = session.history.frame()
    assert frame["step"].tolist() == [0, 1, 2, 3]
    assert {"epoch", "train_loss", "test_loss"} <= set(frame.columns)


def test_weights_that_were_read_can_be_set(session: Session) -> None:
    doubled = [{name: 2 * array for name, array in layer.items()} for layer in session.weights]
    session.set_weights(doubled)
    assert np.array_equal(session.weights[0]["weight"], doubled[0]["weight"])


def test_what_was_done_is_undone_and_done_again(session: Session) -> None:
    with pytest.raises(PlaygroundError, match="nothing to undo"):
        session.undo()
    session.step(4)
    session.change(batch_size=7)
    session.change(hidden=[2])
    session.undo()  # neurons come back by going back
    assert session.config["hidden"][0]["width"] == 3
    session.redo()
    assert session.config["hidden"][0]["width"] == 2
    session.undo()
    session.undo()
    assert session.config["batch_size"] == 10
    with pytest.raises(PlaygroundError, match="nothing to undo"):
        session.undo()
    session.reset()
    session.undo()
    assert session.look()["step"] == 4


def test_playing_is_watched_moment_by_moment(session: Session) -> None:
    session.speed()
    session.play()
    seen = []
    for moment in session.watch(rate=60, size=20, units=[[1]]):
        seen.append(moment)
        if moment.step > 3 and moment.playing:
            break
    session.pause()
    assert [moment.step for moment in seen] == sorted(moment.step for moment in seen)
    assert seen[-1].metrics["train_loss"] > 0
    assert seen[-1].decision is not None
    assert seen[-1].decision.shape == (20, 20)
    assert 0 <= seen[-1].decision.min() <= seen[-1].decision.max() <= 1
    assert [layer["weight"].shape for layer in seen[-1].weights] == [(2, 3), (3, 1)]
    assert seen[-1].arrays["neurons_index"].tolist() == [1]
    assert seen[-1].config["hidden"][0]["width"] == 3


def test_watching_ends_with_the_session(playground: Client) -> None:
    session = playground.session(SMALL)
    moments = session.watch()
    next(moments)
    session.delete()
    assert list(moments) == []
    with pytest.raises(Gone):
        next(session.watch())


def test_a_context_ends_the_session(playground: Client) -> None:
    with playground.session(SMALL) as session:
        session.delete()  # already gone is fine
    with pytest.raises(Gone):
        session.look()


def test_a_session_is_joined_by_its_address(playground: Client, session: Session) -> None:
    same = playground.join(session.url)
    same.change(seed=4)
    watched = playground.join(session.id)
    assert watched.url == f"{playground.url}/?session={session.id}"
    assert watched.config["seed"] == 4
    with pytest.raises(Refused) as refused:
        watched.play()
    assert refused.value.status == 401


def test_a_run_begins_with_a_timeline(playground: Client) -> None:
    with playground.session(SMALL, timeline=[(5, {"optimizer": "sgd"})], step=10) as session:
        assert session.look()["step"] == 10
        assert session.config["optimizer"]["kind"] == "sgd"


def test_errors_say_what_the_server_said(playground: Client) -> None:
    with pytest.raises(Refused) as refused:
        playground.session(hidden=[1000])
    error = refused.value
    assert error.status == 422
    assert error.errors[0]["field"] == "hidden.0.width"
    assert error.errors[0]["message"] in str(error)
    with pytest.raises(Refused, match=r"optimizer\.kind.*momentum"):
        playground.session(optimizer="sdg")


def test_nobody_at_the_address_is_said_at_once() -> None:
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        nobody.session()
    with pytest.raises(ValueError, match="http"):
        Client("127.0.0.1:8000")


def test_the_server_is_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_SERVER", "http://example.org:9000/")
    with Client() as client:
        assert client.url == "http://example.org:9000"


async def test_all_of_it_can_be_awaited(asynchronous: AsyncClient) -> None:
    async with await asynchronous.session(SMALL) as session:
        await session.step(epochs=1)
        assert (await session.history())["epoch"][-1] == 1
        async for moment in session.watch():
            assert moment.step == 3
            break


@pytest.mark.parametrize(
    ("awaited", "waiting"),
    [
        (Asynchronous, blocking.Client),
        (AsyncSession, blocking.Session),
        (AsyncRun, blocking.Run),
        (AsyncSweep, blocking.Sweep),
    ],
)
def test_whoever_waits_has_every_method(awaited: type, waiting: type) -> None:
    def public(kind: type) -> dict[str, object]:
        return {name: inspect.getdoc(getattr(kind, name)) for name in dir(kind) if not name.startswith("_")}

    assert set(public(awaited)) <= set(public(waiting))
    assert all(public(awaited).values())


@pytest.mark.parametrize("name", ["frame.bin", "metrics.bin"])
def test_binary_messages_are_read_as_the_server_reads_them(name: str) -> None:
    message = (GOLDEN / name).read_bytes()
    (header, arrays), (expected, same) = decode(message), codec.decode(message)
    assert header == expected
    assert set(arrays) == set(same)
    assert all(np.array_equal(array, same[key], equal_nan=True) for key, array in arrays.items())
    with pytest.raises(ValueError, match="not a binary message"):
        decode(b"nothing of it")
