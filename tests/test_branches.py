"""A moment of the past is exactly what it was, and a run goes on from it; two runs go in lock-step."""

from collections.abc import Callable
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guest import Guest, assert_problem

NewSession = Callable[..., Guest]
SMALL = {"data": {"kind": "circle", "samples": 60}, "hidden": [{"width": 3}], "optimizer": {"lr": 0.01}}
CHANGES: list[dict[str, Any]] = [
    {"optimizer": {"lr": 0.1}},
    {"optimizer": {"kind": "sgd", "lr": 0.05}},
    {"hidden": [{"width": 4}]},
    {"hidden": [{"width": 3}, {"width": 2}]},
    {"data": {"noise": 0.3}},
    {"data": {"kind": "spiral"}},
    {"batch_size": 7},
    {"l2": 0.01},
    {"hidden": [{"width": 3, "dropout": 0.2}]},
    {"seed": 5},
    {"hidden": [{"width": 3, "normalization": {"kind": "batchnorm"}}]},
]


def branch(guest: Guest, **where: Any) -> Guest:
    answer = guest.call("POST", "/branch", where)
    assert answer.status_code == 201, answer.text
    return Guest(guest.client, answer.json())


def weights(guest: Guest) -> dict[str, Any]:
    return guest.do("GET", "/weights")


@settings(max_examples=4)
@given(data=st.data())
def test_a_moment_looked_back_at_has_the_weights_that_the_run_had_there(
    client: httpx.Client, data: st.DataObject
) -> None:
    guest = Guest(client, client.post("/api/sessions", json={"config": SMALL}).json())
    seen = {0: (weights(guest), guest.look()["config"])}
    for _ in range(data.draw(st.integers(2, 6))):
        if data.draw(st.booleans()):
            guest.do("PATCH", "/config", data.draw(st.sampled_from(CHANGES)))
            seen[guest.look()["step"]] = weights(guest), guest.look()["config"]
        step = guest.do("POST", "/step", {"steps": data.draw(st.integers(1, 90))})["step"]
        seen[step] = weights(guest), guest.look()["config"]
    glance = branch(guest, passing=True)
    moments = data.draw(st.permutations(sorted(seen)))
    for step in moments:
        assert glance.do("POST", "/seek", {"step": step})["step"] == step
        look = glance.look()
        assert (weights(glance), look["config"]) == seen[step]
        assert (look["step"], look["passing"]) == (step, True)
        assert [e["step"] <= step for e in look["timeline"]] == [True] * len(look["timeline"])
    for one in (glance, guest):
        one.call("DELETE", "")


def test_a_branch_goes_on_as_its_parent_did(new_session: NewSession) -> None:
    guest = new_session(SMALL)
    guest.do("POST", "/step", {"steps": 50})
    guest.do("PATCH", "/config", {"optimizer": {"lr": 0.05}})
    guest.do("POST", "/step", {"steps": 50})
    before = guest.look()
    other = branch(guest, step=30)
    assert other.look()["parent"] == {
        "session": guest.id,
        "step": 30,
        "epoch": other.look()["epoch"],
        "lines": 0,
    }
    assert other.id != guest.id
    assert other.look()["timeline"] == []
    other.do("POST", "/step", {"steps": 20})
    other.do("PATCH", "/config", {"optimizer": {"lr": 0.05}})
    other.do("POST", "/step", {"steps": 50})
    assert weights(other) == weights(guest)
    assert other.history() == guest.history()
    assert guest.look() == before


def test_a_twin_is_what_the_run_would_be_without_a_change(new_session: NewSession) -> None:
    guest, undisturbed = new_session(SMALL), new_session(SMALL)
    guest.do("POST", "/step", {"steps": 40})
    guest.do("PATCH", "/config", {"optimizer": {"lr": 0.1}})
    guest.do("POST", "/step", {"steps": 60})
    twin = branch(guest, step=40, lines=0, together=True)
    assert guest.look()["together"] == [twin.id]
    assert twin.look()["together"] == [guest.id]
    guest.do("POST", "/step", {"steps": 25})
    undisturbed.do("POST", "/step", {"steps": 125})
    assert [guest.look()["step"], twin.look()["step"]] == [125, 125]
    assert weights(twin) == weights(undisturbed) != weights(guest)


def test_in_lock_step_all_are_at_the_same_step(new_session: NewSession) -> None:
    guest = new_session(SMALL)
    guest.do("POST", "/step", {"steps": 10})
    wider = branch(guest, change={"hidden": [{"width": 64}, {"width": 64}]})
    earlier = branch(guest, step=5)
    for one in (wider, earlier):
        one.do("POST", "/together", {"session": guest.id, "key": guest.key})
    guest.do("POST", "/speed", {"max": True})
    wider.do("POST", "/play")
    assert all(one.look()["playing"] for one in (guest, wider, earlier))
    while guest.look()["step"] < 200:
        pass
    earlier.do("POST", "/pause")
    while len({one.look()["step"] for one in (guest, wider, earlier)}) > 1:
        assert not wider.look()["playing"]  # who is behind comes to where the others are
    wider.do("DELETE", "/together")
    guest.do("POST", "/step", {"steps": 7})
    assert earlier.look()["step"] == guest.look()["step"] == wider.look()["step"] + 7
    earlier.do("POST", "/reset")
    assert guest.look()["together"] == []
    assert guest.look()["step"] > 0


def test_who_diverges_holds_up_nobody(new_session: NewSession) -> None:
    guest = new_session(SMALL)
    guest.do("POST", "/step", {"steps": 5})
    wild = branch(guest, together=True)
    wild.do(
        "PATCH", "/config", {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd", "lr": 10.0}, "l2": 10.0}
    )
    guest.do("POST", "/step", {"steps": 400})
    assert wild.look()["diverged"]
    assert not guest.look()["diverged"]
    assert guest.look()["step"] == 405
    guest.do("POST", "/play")
    while guest.look()["step"] <= 405:
        pass


def test_looking_back_ends_with_the_first_thing_that_is_done(new_session: NewSession) -> None:
    guest = new_session(SMALL)
    guest.do("POST", "/step", {"steps": 30})
    glance = branch(guest, passing=True)
    glance.do("POST", "/seek", {"step": 1000})
    assert glance.look()["step"] == 30
    glance.do("POST", "/seek", {"step": 20})
    glance.do("PATCH", "/config", {"optimizer": {"lr": 0.1}})
    look = glance.look()
    assert (look["passing"], look["step"], look["parent"]["step"]) == (False, 20, 20)
    assert_problem(glance.call("POST", "/seek", {"step": 3}), 409)
    assert glance.history()["step"][-1] == 20
    assert guest.look()["timeline"] == []


def test_what_cannot_be_branched_off_says_why(new_session: NewSession) -> None:
    guest, stranger = new_session(SMALL), new_session(SMALL)
    guest.do("POST", "/step", {"steps": 10})
    assert_problem(guest.call("POST", "/branch", {"step": 11}), 422, "step")
    assert_problem(guest.call("POST", "/branch", {"step": 5, "lines": 1}), 422, "lines")
    assert_problem(guest.call("POST", "/branch", {"together": True, "passing": True}), 422)
    assert_problem(guest.call("POST", "/branch", {"together": True}, headers={}), 401)
    assert_problem(guest.call("POST", "/branch", {"change": {"l1": -1}}), 422, "l1")
    with_key = {"session": guest.id, "key": guest.key}
    assert_problem(stranger.call("POST", "/together", with_key), 422, "session")
    assert_problem(stranger.call("POST", "/together", {**with_key, "key": "no"}), 403)
    for _ in range(3):
        branch(guest, together=True)
    assert_problem(guest.call("POST", "/branch", {"together": True}), 422, "together")
