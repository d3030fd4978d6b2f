"""Sweeps: many networks that differ in some fields of a config, and which of them does best.

`python -m tests.test_sweeps 20` kills the server and its worker twenty times amid a sweep.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from playground.errors import ValidationFailed
from playground.run.validation import parse
from playground.studies.sweeps.sampling import AT_ONCE, Sampling, importances
from playground.studies.sweeps.space import Point, applies, at_point, check, usual
from playground.studies.sweeps.spec import Pruner, Sampler, SweepSpec
from playground.studies.sweeps.stack import shape_of
from playground.studies.sweeps.trial import Trial
from tests.faults import Server

SPACE = {
    "optimizer.lr": {"low": 1e-4, "high": 1, "log": True},
    "optimizer.kind": {"values": ["adam", "momentum"]},
    "optimizer.beta": {"low": 0.1, "high": 0.9},
    "hidden.*.activation.kind": {"values": ["tanh", "relu"]},
    "hidden.0.width": {"low": 1, "high": 8},
    "clip_norm": {"values": [None, 1.0]},
}
SMALL = {"data": {"kind": "circle", "samples": 40}, "hidden": [{"width": 4}]}


def spec(**fields: Any) -> SweepSpec:
    return SweepSpec.model_validate({"space": SPACE, **fields})


# --- The space --------------------------------------------------------------------------------------------


def test_a_point_sets_the_fields_of_its_paths():
    point = {
        "optimizer.lr": 0.2,
        "optimizer.kind": "momentum",
        "optimizer.beta": 0.7,
        "hidden.*.dropout": 0.1,
    }
    config = at_point(parse({}), point, {})
    optimizer = config.optimizer.model_dump()
    assert (optimizer["kind"], optimizer["lr"], optimizer["beta"]) == ("momentum", 0.2, 0.7)
    assert [layer.dropout for layer in config.hidden] == [0.1, 0.1]


def test_a_field_that_the_chosen_kind_lacks_is_left_out():
    config = at_point(parse({}), {"optimizer.kind": "adam", "optimizer.beta": 0.7, "optimizer.lr": 0.2}, {})
    assert config.optimizer.kind == "adam"
    assert config.optimizer.lr == 0.2
    assert not applies(config, "optimizer.beta")


@pytest.mark.parametrize(
    ("space", "field", "words"),
    [
        ({"optimizer.lrr": {"values": [1]}}, "space.optimizer.lrr", "no field"),
        ({"hidden.7.width": {"values": [1]}}, "space.hidden.7.width", "no field"),
        ({"optimizer.momentum": {"values": [1]}}, "space.optimizer.momentum", "no field"),
        ({"output.kind": {"values": ["tanh"]}}, "space.output.kind", "no field"),
        ({"hidden.0.width": {"low": 1, "high": 1000}}, "space.hidden.0.width", "at most 256"),
        ({"optimizer.lr": {"low": 0, "high": 1}}, "space.optimizer.lr", "more than 0"),
        ({"optimizer.kind": {"values": ["adam", "eve"]}}, "space.optimizer.kind", "eve"),
        ({"hidden.0.width": {"low": 1.5, "high": 3}}, "space.hidden.0.width", "1.5"),
    ],
)
def test_what_is_wrong_with_a_space_is_said_of_its_path(space, field, words):
    with pytest.raises(ValidationFailed) as refused:
        check(parse({}), spec(space=space).space, {})
    (error,) = refused.value.errors
    assert error.field == field
    assert words in error.message


def test_without_a_space_it_is_the_learning_rate_and_one_more():
    assert set(usual(parse({"hidden": [{"width": 2}, {"width": 6}]}))) == {"optimizer.lr", "hidden.1.width"}
    assert set(usual(parse({"hidden": []}))) == {"optimizer.lr", "batch_size"}
    for raw in ({}, {"hidden": []}, {"hidden": [{"width": 2, "shortcut": {"kind": "residual"}}]}):
        check(parse(raw), usual(parse(raw)), {})


def test_configs_that_differ_in_numbers_have_one_shape():
    base = parse({})
    rates = [at_point(base, {"optimizer.lr": rate, "l2": rate, "batch_size": 7}, {}) for rate in (0.1, 0.2)]
    other = [
        at_point(base, {path: value}, {})
        for path, value in (("optimizer.kind", "sgd"), ("hidden.0.width", 3))
    ]
    assert shape_of(base) == shape_of(rates[0]) == shape_of(rates[1])
    assert len({shape_of(config) for config in [base, *other]}) == 3


# --- Optuna -----------------------------------------------------------------------------------------------


def played(wanted: SweepSpec, told: list[Point] | None = None) -> list[Point]:
    """What a sampler chooses if the learning rate decides how well a network does."""
    sampling, points = Sampling(wanted, wanted.space, parse({})), []
    while len(points) < wanted.trials:
        asked = sampling.ask(min(AT_ONCE[wanted.sampler], wanted.trials - len(points)))
        if not asked:
            break
        values = [None if point["optimizer.lr"] > 0.9 else point["optimizer.lr"] for point in asked]
        alive = dict(enumerate(values, len(points)))
        for rung in range(1, len(wanted.rungs)):
            alive = {n: v for n, v in alive.items() if not sampling.gives_up(n, rung, v and v / rung)}
        for number, value in enumerate(values, len(points)):
            sampling.tell(number, value, pruned=number not in alive)
        points += asked
    return points


@pytest.mark.parametrize(
    ("sampler", "pruner"),
    [
        ("grid", "none"),
        ("random", "median"),
        ("tpe", "hyperband"),
        ("cmaes", "successive_halving"),
        ("gp", "none"),
    ],
)
def test_the_same_answers_lead_to_the_same_questions(sampler: Sampler, pruner: Pruner):
    wanted = spec(sampler=sampler, pruner=pruner, trials=20 if sampler != "gp" else 9, epochs=16)
    points = played(wanted)
    assert points == played(wanted)
    for point in points:
        assert 1e-4 <= point["optimizer.lr"] <= 1
        assert point["hidden.0.width"] in range(1, 9)
    if sampler != "grid":
        assert points != played(spec(**wanted.model_dump(exclude={"seed", "space", "steps"}), seed=1))


def test_a_grid_has_each_point_once_and_ends():
    space = {"l2": {"values": [0, 0.1]}, "hidden.0.width": {"low": 2, "high": 6, "step": 2}}
    wanted = spec(space={**space, "optimizer.lr": {"values": [0.1]}}, sampler="grid", trials=50)
    points = played(wanted)
    assert sorted((p["l2"], p["hidden.0.width"]) for p in points) == [
        (a, b) for a in (0, 0.1) for b in (2, 4, 6)
    ]


def test_importance_says_which_axis_decides():
    wanted = spec(sampler="random", trials=40)
    trials = [Trial(n, point, (0,), value=point["optimizer.lr"]) for n, point in enumerate(played(wanted))]
    found = importances(wanted, wanted.space, parse({}), trials)
    assert next(iter(found)) == "optimizer.lr"
    assert sum(found.values()) == pytest.approx(1)
    assert importances(wanted, wanted.space, parse({}), trials[:3]) == {}


# --- The whole --------------------------------------------------------------------------------------------


def begun(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/sweeps", json={"config": SMALL, "epochs": 6, **fields})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/sweeps/{answer.json()['id']}"
    return answer.json()


def finished(client: httpx.Client, sweep: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.get(f"/api/sweeps/{sweep['id']}").json()
        if found["state"] not in ("queued", "running"):
            return found
        time.sleep(0.05)
    raise TimeoutError("the sweep does not end")


def trials(client: httpx.Client, sweep: dict[str, Any]) -> list[dict[str, Any]]:
    return client.get(f"/api/sweeps/{sweep['id']}/trials").json()["items"]


def result(items: list[dict[str, Any]]) -> list[Any]:
    return [(trial["params"], trial["state"], trial["value"], trial["metrics"]) for trial in items]


@pytest.fixture
def remove(client: httpx.Client) -> Iterator[list[dict[str, Any]]]:
    """Sweeps that go after the test."""
    sweeps: list[dict[str, Any]] = []
    yield sweeps
    for sweep in sweeps:
        key = {"Authorization": f"Bearer {sweep['key']}"}
        while client.delete(f"/api/sweeps/{sweep['id']}", headers=key).status_code == 204:
            pass


def test_a_sweep_finds_the_best_and_each_trial_opens_as_a_session(client, remove):
    remove.append(sweep := begun(client, trials=8, seeds=3))
    done = finished(client, sweep)
    items = trials(client, sweep)
    assert done["state"] == "done"
    assert done["done"] == len(items) == 8
    values = [trial["value"] for trial in items if trial["state"] == "complete"]
    best = done["best"][0]
    assert best["value"] == min(values)
    median, low, high = best["metrics"]["test_loss"]
    assert low <= median == best["value"] <= high
    curves = client.get(f"/api/sweeps/{sweep['id']}/curves").json()["trials"][str(best["number"])]
    assert curves["epoch"]["median"] == [0, 1, 2, 3, 4, 5, 6]
    assert curves["test_loss"]["median"][-1] == pytest.approx(best["value"], rel=1e-5)
    opened = client.post(f"/api/sweeps/{sweep['id']}/trials/{best['number']}/open").json()
    assert opened["config"]["replicas"] == 3
    assert opened["config"]["optimizer"]["lr"] == best["params"]["optimizer.lr"]
    assert opened["step"] == best["step"]
    assert opened["metrics"]["test_loss"] == pytest.approx(best["value"], rel=1e-4)
    client.delete(f"/api/sessions/{opened['id']}", headers={"Authorization": f"Bearer {opened['key']}"})


def test_events_tell_of_each_trial_until_the_end(client, remove):
    remove.append(sweep := begun(client, trials=5, seeds=1))
    known: dict[int, str] = {}
    last: dict[str, Any] = {}
    with client.stream("GET", f"/api/sweeps/{sweep['id']}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                known |= {trial["number"]: trial["state"] for trial in data.get("items", [])}
                last = data if "state" in data else last
    assert last["state"] == "done"
    assert sorted(known) == [0, 1, 2, 3, 4]
    assert "running" not in known.values()


def test_a_sweep_comes_to_the_same_after_its_worker_has_died(client, running, remove):
    wanted = {"trials": 24, "seeds": 2, "epochs": 60, "pruner": "median", "space": SPACE}
    remove.append(once := begun(client, **wanted))
    remove.append(again := begun(client, **wanted))
    while not trials(client, again):
        time.sleep(0.02)
    running.kill_worker()
    finished(client, once)
    finished(client, again)
    assert result(trials(client, once)) == result(trials(client, again))
    assert {"complete", "pruned"} <= {trial["state"] for trial in trials(client, again)}
    for trial in trials(client, again):
        assert trial["left_out"] == (
            ["optimizer.beta"] if trial["params"]["optimizer.kind"] == "adam" else []
        )


def killed(folder: Path, kills: int, seed: int = 0) -> None:
    """A sweep over so many kills of the server or its worker, at random moments, against one left alone."""
    wanted = {"trials": 32 * kills, "seeds": 2, "epochs": 80, "sampler": "tpe", "space": SPACE}
    random, server = Random(seed), Server(folder)
    try:
        with httpx.Client(base_url=server.address, timeout=60) as client:
            sweep = begun(client, **wanted)
            for kill in range(kills):
                while client.get(f"/api/sweeps/{sweep['id']}").json()["done"] <= 32 * kill:
                    time.sleep(0.02)
                time.sleep(random.uniform(0, 0.5))
                if (kill + seed) % 2:
                    server.kill_worker()
                else:
                    server.kill()
                    server.start()
            done = finished(client, sweep)
            assert (done["state"], done["done"]) == ("done", wanted["trials"])
            whole = begun(client, **wanted)
            finished(client, whole)
            assert result(trials(client, sweep)) == result(trials(client, whole))
    finally:
        server.kill()


def test_a_sweep_goes_on_after_its_server_was_killed(kernel, tmp_path):
    killed(tmp_path, kills=1)


def test_a_point_that_makes_no_config_fails_alone(client, remove):
    normalizations = {"values": ["none", "batchnorm"]}
    space = {"batch_size": {"values": [1, 8]}, "hidden.0.normalization.kind": normalizations}
    remove.append(sweep := begun(client, space=space, sampler="grid", trials=4))
    finished(client, sweep)
    assert sorted(t["state"] for t in trials(client, sweep)) == ["complete"] * 3 + ["failed"]
    (failed,) = (trial for trial in trials(client, sweep) if trial["state"] == "failed")
    assert "batch" in failed["error"]["text"]
    assert client.post(f"/api/sweeps/{sweep['id']}/trials/{failed['number']}/open").status_code == 422


def test_networks_that_diverge_have_no_value_and_harm_no_other(client, remove):
    base = {
        "data": {"kind": "plane", "samples": 40},
        "hidden": [{"width": 3, "activation": {"kind": "relu"}}],
        "optimizer": {"kind": "sgd"},
    }
    space = {"optimizer.lr": {"values": [0.01, 100]}}
    remove.append(sweep := begun(client, config=base, space=space, sampler="grid", trials=64, epochs=100))
    assert finished(client, sweep)["trials"] == 2, "a point each"
    assert [(t["state"], t["value"] is None) for t in trials(client, sweep)] in (
        [("complete", False), ("diverged", True)],
        [("diverged", True), ("complete", False)],
    )


def test_a_cancelled_sweep_keeps_what_it_has_found_and_then_goes(client):
    sweep = begun(client, trials=500, epochs=500)
    key, wrong = ({"Authorization": f"Bearer {k}"} for k in (sweep["key"], "x" * 32))
    address = f"/api/sweeps/{sweep['id']}"
    assert client.delete(address).status_code == 401
    assert client.delete(address, headers=wrong).status_code == 403
    while client.get(address).json()["done"] < 1:
        time.sleep(0.02)
    assert client.delete(address, headers=key).status_code == 204
    cancelled = client.get(address).json()
    assert cancelled["state"] == "cancelled"
    assert 1 <= cancelled["done"] < 500
    assert sweep["id"] in [item["id"] for item in client.get("/api/sweeps").json()["items"]]
    assert client.delete(address, headers=key).status_code == 204
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"space": {"optimizer.speed": {"values": [1]}}}, "space.optimizer.speed"),
        ({"objective": {"metric": "test_r2"}}, "objective.metric"),
        ({"config": {"hidden": [{"width": 0}]}}, "config.hidden.0.width"),
        ({"trials": 5000, "seeds": 32}, ""),
        ({"trials": 5000, "seeds": 1, "epochs": 100_000}, "trials"),
        ({"epochs": 5, "steps": 5}, ""),
        ({"space": {"l2": {"low": 1, "high": 0}}}, "space.l2"),
    ],
)
def test_a_wrong_sweep_is_refused_by_its_field(client, wrong, field):
    answer = client.post("/api/sweeps", json=wrong)
    assert answer.status_code == 422, answer.text
    assert any(error["field"].startswith(field) for error in answer.json()["errors"]), answer.text


if __name__ == "__main__":  # the long version
    with TemporaryDirectory() as temporary:
        killed(Path(temporary), kills=int(sys.argv[1]), seed=int(time.time()))
