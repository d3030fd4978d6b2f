"""Undo brings back the network of before, not only its settings."""

from collections.abc import Callable

import pytest

from tests.conftest import Running
from tests.guest import Guest

NewSession = Callable[..., Guest]
CIRCLE = {"data": {"kind": "circle"}, "hidden": [{"width": 4}, {"width": 2}]}


def back_to(guest: Guest, checkpoint: int) -> None:
    guest.do("POST", "/restore", {"checkpoint": checkpoint})


def learned(guest: Guest) -> dict:
    """All that training has made."""
    look = guest.look()
    return {
        "weights": guest.do("GET", "/weights"),
        "history": guest.history(),
        "loss": look["metrics"]["train_loss"],
        **{name: look[name] for name in ("step", "epoch", "config", "timeline", "task")},
    }


LOSING = [
    {"hidden": [{"width": 4}]},
    {"hidden": [{"width": 3}, {"width": 2}]},
    {"hidden": [{"width": 4}, {"width": 3}, {"width": 2}]},
    {"hidden": [{"width": 4, "normalization": {"kind": "batchnorm"}}, {"width": 2}]},
    {"hidden": [{"width": 4, "activation": {"kind": "prelu"}}, {"width": 2}]},
    {"features": ["x1"]},
    {"seed": 7},
    {"init": {"kind": "zero"}},
    {"optimizer": {"kind": "sgd", "lr": 0.1}},
    {"data": {"kind": "spiral"}},
    {"optimizer": {"lr": 10.0}},
]


@pytest.mark.parametrize("change", LOSING)
def test_what_was_learned_before_a_change_comes_back(new_session: NewSession, change: dict) -> None:
    """A layer removed and put back left 46.8 % of 100 %: the shape came back, and not the learning."""
    guest = new_session(CIRCLE)
    guest.do("POST", "/step", {"epochs": 40})
    guest.do("PATCH", "/config", {"optimizer": {"lr": 0.02}})
    guest.do("POST", "/step", {"steps": 7})
    before = learned(guest)
    guest.do("PATCH", "/config", change)
    guest.do("POST", "/step", {"epochs": 20})
    assert learned(guest)["weights"] != before["weights"]
    back_to(guest, guest.look()["timeline"][-1]["checkpoint"])
    assert learned(guest) == before


def test_a_learned_slope_comes_back(new_session: NewSession) -> None:
    guest = new_session({"hidden": [{"width": 4, "activation": {"kind": "prelu"}}]})
    guest.do("POST", "/step", {"epochs": 10})
    (slope,) = guest.do("GET", "/weights")["layers"][0]["alpha"]
    assert slope != 0.25
    before = learned(guest)
    guest.do("PATCH", "/config", {"hidden": [{"width": 4, "activation": {"kind": "tanh"}}]})
    assert "alpha" not in guest.do("GET", "/weights")["layers"][0]
    guest.do("POST", "/step", {"epochs": 2})
    back_to(guest, guest.look()["timeline"][-1]["checkpoint"])
    assert learned(guest) == before


def test_it_goes_on_as_if_nothing_had_been(new_session: NewSession) -> None:
    guest, other = new_session(CIRCLE), new_session(CIRCLE)
    for one in (guest, other):
        one.do("POST", "/step", {"steps": 500})
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}]})
    guest.do("POST", "/step", {"steps": 300})
    back_to(guest, guest.look()["timeline"][-1]["checkpoint"])
    for one in (guest, other):
        one.do("POST", "/step", {"steps": 500})
    assert learned(guest) == learned(other)


def test_what_was_undone_can_be_had_back(new_session: NewSession) -> None:
    guest = new_session(CIRCLE)
    guest.do("POST", "/step", {"steps": 100})
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}]})
    guest.do("POST", "/step", {"steps": 100})
    after = learned(guest)
    assert guest.look()["before_undo"] is None
    back_to(guest, guest.look()["timeline"][-1]["checkpoint"])
    moment = guest.look()["before_undo"]
    assert moment["step"] == 200
    back_to(guest, moment["checkpoint"])
    assert learned(guest) == after
    assert guest.look()["before_undo"] is None


def test_a_change_settles_what_was_undone(new_session: NewSession) -> None:
    guest = new_session(CIRCLE)
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}]})
    back_to(guest, guest.look()["timeline"][-1]["checkpoint"])
    guest.do("PATCH", "/config", {"optimizer": {"lr": 0.5}})
    assert guest.look()["before_undo"] is None


def test_a_reset_can_be_undone(new_session: NewSession) -> None:
    guest = new_session(CIRCLE)
    guest.do("POST", "/step", {"steps": 300})
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}]})
    guest.do("POST", "/step", {"steps": 300})
    before = learned(guest)
    guest.do("POST", "/reset")
    guest.do("POST", "/step", {"steps": 10})
    back_to(guest, guest.look()["before_reset"]["checkpoint"])
    assert learned(guest) == before
    assert guest.look()["before_reset"] is None
    # The lines of the run that came back still know their moments.
    back_to(guest, before["timeline"][-1]["checkpoint"])
    assert guest.look()["step"] == 300


def test_a_setting_alone_is_no_moment_to_go_back_to(new_session: NewSession) -> None:
    guest = new_session(CIRCLE)
    guest.do("PATCH", "/config", {"optimizer": {"lr": 0.1}, "batch_size": 20, "l2": 0.1})
    assert [entry["checkpoint"] for entry in guest.look()["timeline"]] == [None]


def test_a_moment_that_is_not_kept_is_refused_by_name(new_session: NewSession) -> None:
    guest = new_session(CIRCLE)
    answer = guest.call("POST", "/restore", {"checkpoint": 99})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "checkpoint"


def test_a_recorded_run_has_moments_too(new_session: NewSession) -> None:
    timeline = [{"step": 50, "change": {"hidden": [{"width": 4}]}, "checkpoint": 17}]
    guest, straight = new_session(CIRCLE, timeline=timeline), new_session(CIRCLE)
    guest.do("POST", "/step", {"steps": 80})
    straight.do("POST", "/step", {"steps": 50})
    back_to(guest, guest.look()["timeline"][-1]["checkpoint"])
    assert learned(guest) == learned(straight)


async def test_all_viewers_see_the_run_that_came_back(new_session: NewSession) -> None:
    guest = new_session(CIRCLE)
    async with guest.watch() as page, guest.watch(as_holder=False) as other:
        await page.do(type="step", steps=40)
        await page.do(type="change", change={"hidden": [{"width": 4}]})
        await page.do(type="step", steps=40)
        checkpoint = (await page.event("changed"))["entry"]["checkpoint"]
        await page.do(type="restore", checkpoint=checkpoint)
        for viewer in (page, other):
            begun = await viewer.event("run")
            assert (begun["run"], begun["timeline"], len(begun["config"]["hidden"])) == (2, [], 2)
            await viewer.until(lambda v=viewer: v.frames and v.frames[-1][0]["run"] == 2)
            assert viewer.frames[-1][0]["step"] == 40
            await viewer.until(lambda v=viewer: sorted(v.samples) == list(range(41)))


def test_a_worker_that_dies_afterwards_changes_nothing(new_session: NewSession, running: Running) -> None:
    guest = new_session(CIRCLE)
    guest.do("POST", "/step", {"steps": 200})
    before = learned(guest)
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}]})
    guest.do("POST", "/step", {"steps": 200})
    checkpoint = guest.look()["timeline"][-1]["checkpoint"]
    running.kill_worker()
    back_to(guest, checkpoint)
    running.kill_worker()
    assert learned(guest) == before
