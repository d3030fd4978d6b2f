"""When training diverges there is a way back, and the cause has a name."""

from collections.abc import Callable

import pytest
import torch

from playground.training.divergence import Diverged
from playground.training.gradient import Model
from tests.guest import Guest
from tests.loops import COMPILED, REFERENCE, start

NewSession = Callable[..., Guest]
RELU = {"activation": {"kind": "relu"}}
PLANE = {
    "data": {"kind": "plane"},
    "loss": {"kind": "mse"},
    "optimizer": {"kind": "sgd", "lr": 0.03},
    "hidden": [{"width": 4, **RELU}, {"width": 2, **RELU}],
}


def test_one_goes_back_to_before_a_rate_that_was_too_high(new_session: NewSession) -> None:
    """The last finite weights were kept, of a loss of 5.6e37, and no lower rate could go on with them."""
    guest = new_session(PLANE)
    guest.do("POST", "/step", {"epochs": 100})
    before = guest.look()
    guest.do("PATCH", "/config", {"optimizer": {"lr": 10.0}})
    diverged = guest.do("POST", "/step", {"epochs": 100})["diverged"]
    assert diverged["rate"] == 0.03
    assert diverged["step"] > diverged["back"]["step"] == before["step"]
    guest.do("POST", "/restore", {"checkpoint": diverged["back"]["checkpoint"]})
    now = guest.look()
    assert (now["config"], now["diverged"]) == (before["config"], None)
    assert now["metrics"]["train_loss"] == before["metrics"]["train_loss"]
    assert guest.do("POST", "/step", {"epochs": 100})["diverged"] is None
    assert guest.look()["metrics"]["train_loss"] <= before["metrics"]["train_loss"]


def test_a_rate_that_was_too_high_from_the_start_leads_to_one_that_trains(new_session: NewSession) -> None:
    guest = new_session({**PLANE, "optimizer": {"kind": "sgd", "lr": 10.0}})
    diverged = guest.do("POST", "/step", {"epochs": 100})["diverged"]
    assert diverged["back"]["step"] == 0
    start = guest.history()["train_loss"][0]
    guest.do("POST", "/restore", {"checkpoint": diverged["back"]["checkpoint"]})
    guest.do("PATCH", "/config", {"optimizer": {"lr": diverged["rate"]}})
    done = guest.do("POST", "/step", {"epochs": 100})
    assert done["diverged"] is None
    assert done["metrics"]["train_loss"] < start


def test_a_rate_that_is_not_to_blame_is_not_blamed(new_session: NewSession) -> None:
    guest = new_session({**PLANE, "optimizer": {"kind": "sgd", "lr": 1e-4}})
    guest.do("PUT", "/weights", {"layers": [{"weight": [[3e38] * 4] * 2}, {}, {}]})
    diverged = guest.do("POST", "/step", {"steps": 10})["diverged"]
    assert diverged["layer"] == 0
    assert diverged["back"]["step"] == 0


async def test_a_network_that_cannot_learn_any_more_says_so(new_session: NewSession) -> None:
    """At rate 10 every ReLU died, the loss stayed finite, and nothing was said."""
    config = {**PLANE, "data": {"kind": "circle"}, "loss": {"kind": "bce"}}
    guest = new_session(config)
    guest.do("POST", "/step", {"epochs": 20})
    before = guest.look()
    async with guest.watch() as page:
        await page.do(type="change", change={"optimizer": {"lr": 10.0}})
        await page.do(type="step", epochs=100)
        await page.until(lambda: any(e["type"] == "state" and e["stuck"] for e in page.events))
        stuck = next(e["stuck"] for e in page.events if e["type"] == "state" and e["stuck"])
        assert (stuck["layer"], stuck["code"], stuck["rate"]) == (1, "stuck.silent", 0.03)
        assert stuck["back"]["step"] == before["step"]
        await page.do(type="restore", checkpoint=stuck["back"]["checkpoint"])
        assert guest.look()["stuck"] is None
        assert guest.look()["metrics"]["train_loss"] == before["metrics"]["train_loss"]


async def test_another_start_makes_a_silent_network_learn_again(new_session: NewSession) -> None:
    guest = new_session({"data": {"kind": "circle"}, "init": {"kind": "zero"}})
    async with guest.watch() as page:
        await page.do(type="step", epochs=1)
        stuck = guest.look()["stuck"]
        assert (stuck["rate"], stuck["back"]) == (None, None)
        await page.do(type="change", change={"init": {"kind": "xavier_uniform"}})
        await page.do(type="step", epochs=1)
        await page.until(lambda: [e for e in page.events if e["type"] == "state"][-1]["stuck"] is None)


def test_a_network_that_has_solved_its_task_is_not_stuck(new_session: NewSession) -> None:
    guest = new_session({"data": {"kind": "gauss"}, "optimizer": {"kind": "sgd", "lr": 1.0}})
    guest.do("POST", "/step", {"epochs": 200})
    assert guest.look()["stuck"] is None


@pytest.mark.usefixtures("kernel")
def test_divergence_stops_before_the_step_that_is_not_finite():
    config = {
        "data": {"kind": "plane"},
        "optimizer": {"kind": "sgd", "lr": 50.0},
        "hidden": [{"width": 3, "activation": {"kind": "relu"}}],
    }
    loop = start(config, COMPILED)
    with pytest.raises(Diverged) as stopped:
        loop.train(1000)
    assert loop.state.step == stopped.value.step - 1
    assert all(torch.isfinite(tensor).all() for tensor in loop.state.tensors())
    again = start(config, COMPILED)
    again.train(max(0, stopped.value.step - 1))
    assert torch.equal(again.state.weights, loop.state.weights)


@pytest.mark.usefixtures("kernel")
def test_to_find_divergence_the_kernel_is_enough(monkeypatch):
    taken = []
    gradient = Model.loss_and_grad
    monkeypatch.setattr(Model, "loss_and_grad", lambda *args: taken.append(1) or gradient(*args))
    config = {"optimizer": {"kind": "sgd", "lr": 0.5}, "l2": 4.004}  # weights grow slowly, without end
    loop = start(config, COMPILED)
    with pytest.raises(Diverged) as stopped:
        loop.train(10**9)
    assert stopped.value.step > 10_000
    assert len(taken) == 1
    again = start(config, COMPILED)
    again.train(stopped.value.step - 1)
    assert torch.equal(again.state.weights, loop.state.weights)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_how_a_run_is_cut_into_pieces_does_not_move_its_divergence(trainers):
    """Every other loss is infinite before any weight is: after an even number of steps it was not seen."""
    config = {"optimizer": {"kind": "sgd", "lr": 0.5}, "l2": 4.1}

    def trains(piece: int) -> None:
        loop = start(config, trainers)
        while True:
            loop.train(piece)

    steps = set()
    for piece in (1, 2, 7, 100, 10**6):
        with pytest.raises(Diverged) as stopped:
            trains(piece)
        steps.add(stopped.value.step)
    assert len(steps) == 1
