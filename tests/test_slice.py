"""Of more than two inputs, the maps are drawn over two and hold the others: where, and who says so."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from tests.guest import Guest, assert_problem

NewSession = Callable[..., Guest]
TABLE = "a,b,c,d,kind\n" + "\n".join(
    f"{i % 7},{i % 5},{10 + i % 11},{i % 3},{'yes' if i % 11 > 5 else 'no'}" for i in range(120)
)
"""The third input alone decides: 10 to 15 is "no", 16 to 20 is "yes"."""


def uploaded(client: httpx.Client) -> str:
    answer = client.post("/api/datasets", files={"file": ("table.csv", TABLE)})
    assert answer.is_success, answer.text
    return answer.json()["id"]


def config(table: str) -> dict[str, Any]:
    data = {"kind": "csv", "id": table, "x1": "a", "x2": "b", "inputs": ["c", "d"], "target": "kind"}
    return {"data": data, "features": ["x1", "x2", "x3", "x4"]}


@pytest.fixture
def table(client: httpx.Client) -> str:
    return uploaded(client)


@pytest.fixture
def guest(new_session: NewSession, table: str) -> Guest:
    guest = new_session(config(table))
    guest.do("POST", "/step", {"epochs": 200})
    return guest


def decision(guest: Guest) -> np.ndarray:
    return np.array(guest.do("GET", "/maps?size=10")["decision"])


def test_the_map_is_drawn_where_the_holder_holds_the_other_inputs(guest: Guest) -> None:
    """It was always drawn at their mean: half of these points said yes, and the map did not show it."""
    assert guest.look()["metrics"]["train_accuracy"] > 0.95
    for value, yes in ((11, False), (19, True)):
        guest.do("POST", "/slice", {"held": {"c": value}})
        assert guest.look()["held"] == {"c": value}
        assert ((decision(guest) > 0.5) == yes).mean() > 0.9
    at = decision(guest)
    guest.do("POST", "/slice", {"held": {}})
    assert not np.array_equal(decision(guest), at)


async def test_every_frame_says_at_what_its_maps_are_held(guest: Guest) -> None:
    async with guest.watch() as page, guest.watch(as_holder=False) as other:
        await page.until(lambda: page.frames)
        low, high = page.frames[0][0]["held"]
        assert 14 < low < 16
        assert 0.8 < high < 1.2
        answer = await page.do(type="slice", held={"d": 1.75})
        assert answer["type"] == "ack"
        for viewer in (page, other):
            await viewer.event("state", held={"d": 1.75})
            await viewer.until(lambda viewer=viewer: viewer.frames[-1][0]["held"][1] == 1.75)
            assert viewer.frames[-1][0]["held"][0] == pytest.approx(low)


def test_a_slice_outlives_a_reset_and_is_no_part_of_the_run(guest: Guest) -> None:
    before = guest.look()
    guest.do("POST", "/slice", {"held": {"c": 12.5}})
    after = guest.look()
    assert (after["config"], after["timeline"]) == (before["config"], before["timeline"])
    guest.do("POST", "/reset")
    assert guest.look()["held"] == {"c": 12.5}


def test_a_slice_is_of_its_data_and_is_there_again_with_them(guest: Guest) -> None:
    own = guest.look()["config"]
    guest.do("POST", "/slice", {"held": {"c": 12.5}})
    at = decision(guest)
    guest.do("PATCH", "/config", {"data": {"kind": "circle"}, "features": ["x1", "x2"]})
    assert guest.look()["held"] == {}
    assert_problem(guest.call("POST", "/slice", {"held": {"c": 12.5}}), 422, "held.c")
    guest.do("PATCH", "/config", {"data": own["data"], "features": own["features"]})
    assert guest.look()["held"] == {"c": 12.5}
    assert decision(guest).shape == at.shape


def test_a_slice_is_still_set_after_the_death_of_a_worker(serve: Callable[..., Any]) -> None:
    with serve() as own, httpx.Client(base_url=own.address, timeout=60) as client:
        guest = Guest(client, client.post("/api/sessions", json={"config": config(uploaded(client))}).json())
        guest.do("POST", "/slice", {"held": {"c": 19}})
        guest.do("POST", "/step", {"steps": 20})
        before = decision(guest)
        own.kill_worker()
        assert guest.look()["held"] == {"c": 19}
        np.testing.assert_array_equal(decision(guest), before)


@pytest.mark.parametrize(
    ("held", "field"),
    [
        ({"colour": 1}, "held.colour"),
        ({"a": 1}, "held.a"),  # the map is drawn over it
        ({"c": 1e6}, "held.c"),
        ({"c": -1e6}, "held.c"),
        ({"c": "much"}, "held.c"),
        ([1], "held"),
    ],
)
def test_what_cannot_be_held_is_refused_by_name(guest: Guest, held: Any, field: str) -> None:
    document = assert_problem(guest.call("POST", "/slice", {"held": held}), 422, field)
    assert document["errors"][0]["message"]
    assert guest.look()["held"] == {}
