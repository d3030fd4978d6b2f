"""What was done by hand, played again: the same weights, bit for bit."""

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.guest import Guest

START = {
    "data": {"kind": "spiral", "samples": 120, "noise": 0.05},
    "hidden": [{"width": 6}, {"width": 5, "dropout": 0.1}],
    "batch_size": 16,
}
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad")
ACTIVATIONS = ("relu", "tanh", "gelu", "sigmoid", "elu", "leaky_relu")
NORMALIZATIONS = ("no_normalization", "batchnorm", "layernorm", "rmsnorm")


def layer(dice: random.Random) -> dict[str, Any]:
    return {
        "width": dice.randint(2, 8),
        "activation": {"kind": dice.choice(ACTIVATIONS)},
        "dropout": dice.choice((0, 0.2)),
        "normalization": {"kind": dice.choice(NORMALIZATIONS)},
    }


def some_change(dice: random.Random) -> dict[str, Any]:
    changes: list[dict[str, Any]] = [
        {"optimizer": {"kind": dice.choice(OPTIMIZERS), "lr": dice.choice((0.003, 0.01, 0.02))}},
        {"hidden": [layer(dice) for _ in range(dice.randint(1, 3))]},
        {"batch_size": dice.randint(2, 40)},
        {"data": {"kind": dice.choice(("circle", "xor", "gauss")), "samples": dice.randint(60, 150)}},
        {"features": dice.sample(["x1", "x2", "x1^2", "sin(x1)", "x1*x2"], dice.randint(2, 4))},
        {"schedule": {"kind": dice.choice(("constant", "exponential_decay"))}},
        {dice.choice(("l1", "l2")): dice.choice((0, 0.001))},
        {"seed": dice.randint(0, 99)},
        {"shuffle": dice.random() < 0.5},
        {"input_noise": dice.choice((0, 0.1))},
    ]
    return dice.choice(changes)


def play(guest: Guest, dice: random.Random, changes: int) -> None:
    """So many live changes, now and then a weight set by hand, with steps between; while it plays, some."""
    done = 0
    while done < changes:
        if dice.random() < 0.1:
            size = len(guest.look()["config"]["features"])
            [first, *_] = guest.do("GET", "/weights")["layers"]
            first["weight"][dice.randrange(size)][0] = dice.uniform(-1, 1)
            guest.do("PUT", "/weights", {"layers": [first, *[{} for _ in guest.look()["config"]["hidden"]]]})
        answer = guest.call("PATCH", "/config", some_change(dice))
        assert answer.status_code in (200, 422), answer.text
        done += answer.status_code == 200
        if dice.random() < 0.2:
            guest.do("POST", "/play")
        else:
            guest.do("POST", "/pause")
            guest.do("POST", "/step", {"steps": dice.randint(1, 60)})
    guest.do("POST", "/pause")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_session_that_was_played_by_hand_is_a_run_that_replays(
    seed: int, client: httpx.Client, new_session: Callable[..., Guest]
) -> None:
    guest = new_session({**START, "seed": seed})
    play(guest, random.Random(seed), 20)
    kept = guest.call("POST", "/save", {"name": "By hand", "tags": ["replay"]}).raise_for_status().json()
    assert (kept["state"], kept["name"]) == ("done", "By hand")
    assert kept["parent"] == {"session": guest.id, "run": None, "step": kept["step"]}
    assert kept["timeline"] == guest.look()["timeline"]
    file = client.get(f"/api/runs/{kept['id']}/file").json()
    assert file == {**guest.do("GET", "/file"), "name": "By hand"}
    lines = {name: file[name] for name in ("config", "timeline", "steps")}
    again = client.post("/api/runs", json=lines, headers={"Prefer": "wait=60"}).json()
    assert (again["state"], again["step"]) == ("done", kept["step"])
    assert again["marks"][-1] == kept["marks"][-1]
    for run in (kept, again):
        client.delete(f"/api/runs/{run['id']}", headers={"Authorization": f"Bearer {run['key']}"})


def test_a_run_opens_as_a_session_at_its_end_and_at_any_step_on_the_way(
    client: httpx.Client, new_session: Callable[..., Guest]
) -> None:
    timeline = [{"step": 60, "change": {"hidden": [{"width": 4}]}}, {"step": 200, "change": {"l2": 0.01}}]
    body = {"config": START, "steps": 300, "timeline": timeline}
    run = client.post("/api/runs", json=body, headers={"Prefer": "wait=60"}).json()
    path = f"/api/runs/{run['id']}"

    def opened(**moment: Any) -> Guest:
        return Guest(client, client.post(f"{path}/open", json=moment).raise_for_status().json())

    marks = {mark["step"]: mark["sha256"] for mark in run["marks"]}
    for step, lines in ((300, 2), (256, 2), (128, 1)):
        guest = opened() if step == 300 else opened(step=step)
        shown = guest.look()
        assert (shown["step"], len(shown["timeline"]), shown["playing"]) == (step, lines, False)
        assert guest.do("GET", "/file")["marks"] == [{"step": step, "sha256": marks[step]}]
        assert (guest.history()["step"][-1] or 0) <= step
        guest.do("POST", "/step", {"steps": 20})
        guest.call("DELETE", "")
    beyond = opened(step=310)
    longer = client.post("/api/runs", json={**body, "steps": 310}, headers={"Prefer": "wait=60"}).json()
    assert beyond.do("GET", "/file")["marks"] == longer["marks"][-1:]
    beyond.call("DELETE", "")
    for one in (run, longer):
        client.delete(f"/api/runs/{one['id']}", headers={"Authorization": f"Bearer {one['key']}"})
