"""What the Python client does with runs that the server keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from playground import AsyncClient, Client
from playground.client import Gone, Refused
from tests.conftest import Running

SMALL = {"data": {"kind": "circle", "samples": 60}, "hidden": [3]}


@pytest.fixture
def playground(running: Running) -> Iterator[Client]:
    with Client(running.address) as client:
        yield client


def test_a_run_is_waited_for_and_tells_how_far_it_is(playground: Client) -> None:
    told: list[dict[str, Any]] = []
    run = playground.run(
        SMALL, timeline=[(5, {"optimizer": "sgd"})], epochs=40, name="mine", progress=told.append
    )
    assert run.state == "done"
    assert (run.info["step"], run.info["name"]) == (120, "mine")
    assert [info["step"] for info in told] == sorted(info["step"] for info in told)
    assert told[-1]["progress"] == 1
    assert run.metrics["train_loss"] == run.info["metrics"]["train_loss"]
    assert run.history["step"][-1] == 120
    assert run.history.marks[0]["step"] == 5
    assert [layer["weight"].shape for layer in run.weights] == [(2, 3), (3, 1)]
    assert json.loads(run.file())
    assert [name for name, _ in run.events()][-1] == "done"


def test_a_run_is_found_described_and_removed_by_its_key(playground: Client) -> None:
    run = playground.run(SMALL, steps=3, tags=["client"])
    run.describe(name="another", note="of no use", tags=["client", "test"])
    [found] = playground.runs(tag="client", q="another")
    assert (found.id, found.info["note"]) == (run.id, "of no use")
    with pytest.raises(Refused) as refused:
        found.cancel()
    assert refused.value.status == 401
    playground.find_run(run.id, run.key).cancel()
    with pytest.raises(Gone):
        playground.find_run(run.id)


def test_all_runs_are_listed_over_several_pages(playground: Client) -> None:
    ids = [playground.run(SMALL, steps=1, tags=["page"], wait=False).id for _ in range(3)]
    pages = playground._inner._pages("/api/runs", {"tag": "page", "limit": 2})

    async def collected() -> list[str]:
        return [info["id"] async for info in pages]

    assert playground._loop.run(collected()) == ids[::-1]


def test_a_run_can_be_ended_before_its_time(playground: Client) -> None:
    run = playground.run(SMALL, epochs=100_000, wait=False)
    run.cancel()
    assert run.wait()["state"] == "cancelled"


def test_a_session_becomes_a_run_and_a_run_a_session(playground: Client) -> None:
    with playground.session(SMALL) as session:
        session.step(4)
        session.change(optimizer="sgd")
        session.step(4)
        run = session.save("kept", tags=["lesson"])
        assert run.info["parent"]["session"] == session.id
        weights = session.weights
    with run.open() as again:
        assert again.look()["step"] == 8
        assert np.array_equal(again.weights[0]["weight"], weights[0]["weight"])
        assert again.config["optimizer"]["kind"] == "sgd"
    with run.open(step=4) as earlier:
        assert earlier.look()["step"] == 4


def test_a_sweep_finds_the_best_of_a_space(playground: Client) -> None:
    told: list[dict[str, Any]] = []
    space = {"optimizer.lr": [0.0001, 0.1]}
    sweep = playground.sweep(SMALL, space=space, sampler="grid", seeds=1, epochs=5, progress=told.append)
    assert (sweep.state, sweep.info["done"]) == ("done", 2)
    assert told[-1]["done"] == 2
    assert sweep.best[0]["params"] == {"optimizer.lr": 0.1}
    assert len(sweep.trials) == 2
    assert set(sweep.importance) <= set(space)
    frame = sweep.frame()
    assert sorted(frame["optimizer.lr"]) == [0.0001, 0.1]
    assert frame["value"].min() == sweep.best[0]["value"]
    with sweep.open(sweep.best[0]["number"]) as session:
        assert session.look()["epoch"] == 5
        assert session.config["optimizer"]["lr"] == 0.1
    assert sweep.id in [found.id for found in playground.sweeps()]
    playground.find_sweep(sweep.id, sweep.key).cancel()
    with pytest.raises(Gone):
        playground.find_sweep(sweep.id)


def test_a_session_branches_off_another(playground: Client) -> None:
    with playground.session(SMALL) as session:
        session.step(9)
        with session.branch(step=4, optimizer="sgd") as branch:
            assert branch.look()["step"] == 4
            assert branch.config["optimizer"]["kind"] == "sgd"
            assert session.config["optimizer"]["kind"] == "adam"


async def test_runs_are_awaited_too(running: Running) -> None:
    async with AsyncClient(running.address) as playground:
        run = await playground.run(SMALL, steps=3)
        assert run.state == "done"
        async for newest in playground.runs():
            assert newest.id == run.id
            break
