"""A session that its server has forgotten can be made again by whoever has its key, as it was."""

from collections.abc import Callable

import httpx

from tests.guest import Guest, assert_problem

NewSession = Callable[..., Guest]


def test_it_comes_back_under_its_id_with_the_same_weights_and_curves(
    client: httpx.Client, new_session: NewSession
) -> None:
    guest = new_session({"data": {"kind": "xor"}})
    guest.do("POST", "/step", {"steps": 150})
    guest.do("PATCH", "/config", {"hidden": [{"width": 6}, {"width": 2}]})
    guest.do("POST", "/step", {"steps": 150})
    look, weights, history = guest.look(), guest.do("GET", "/weights"), guest.history()
    guest.call("DELETE", "")
    body = {"config": {"data": {"kind": "xor"}}, "timeline": look["timeline"], "step": 300, "key": guest.key}
    again = client.post("/api/sessions", json=body).json()
    assert (again["id"], again["key"], again["step"]) == (guest.id, guest.key, 300)
    assert (guest.do("GET", "/weights"), guest.history()) == (weights, history)
    assert guest.look()["config"] == look["config"]


def test_there_is_one_session_of_a_key(client: httpx.Client, new_session: NewSession) -> None:
    guest = new_session()
    assert_problem(client.post("/api/sessions", json={"key": guest.key}), 409)
    assert guest.look()["step"] == 0


async def test_hello_says_how_the_run_began(new_session: NewSession) -> None:
    guest = new_session({"batch_size": 7})
    guest.do("PATCH", "/config", {"batch_size": 20})
    async with guest.watch() as page:
        hello = await page.event("hello")
        assert (hello["start"]["batch_size"], hello["config"]["batch_size"]) == (7, 20)
