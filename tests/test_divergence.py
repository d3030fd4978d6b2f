"""When training diverges there is a way back, and the cause has a name."""

from collections.abc import Callable

from tests.guest import Guest

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
