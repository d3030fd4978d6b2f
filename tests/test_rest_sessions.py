"""A session over HTTP from beginning to end, against the real server and its real worker."""

import json
import math
import threading
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from playground import limits
from tests.guest import Guest, assert_problem, words

NewSession = Callable[..., Guest]


def test_a_session_is_created_with_its_defaults_filled_in(client: httpx.Client) -> None:
    answer = client.post("/api/sessions", json={"config": {"data": {"kind": "spiral"}}})
    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["location"] == f"/api/sessions/{created['id']}"
    assert created["key"] not in answer.headers["location"]
    assert created["config"]["data"]["kind"] == "spiral"
    assert created["config"]["optimizer"]["kind"] == "adam"
    assert (created["step"], created["epoch"], created["playing"]) == (0, 0.0, False)
    assert created["speed"] == {"epochs_per_second": 15}
    looked = client.get(answer.headers["location"]).json()
    assert "key" not in looked
    assert looked["config"] == created["config"]
    assert set(looked["metrics"]) == {
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
        "grad_norm.0",
        "grad_norm.1",
        "grad_norm.output",
        "learning_rate",
    }


def test_a_body_is_not_needed(client: httpx.Client) -> None:
    assert client.post("/api/sessions").status_code == 201


def test_a_regression_has_its_own_metrics(new_session: NewSession) -> None:
    metrics = new_session({"data": {"kind": "plane"}}).look()["metrics"]
    assert {"train_mae", "test_mae", "train_r2", "test_r2"} < set(metrics)


def test_steps_and_epochs_are_trained_at_once(new_session: NewSession) -> None:
    guest = new_session()
    assert guest.do("POST", "/step", {"steps": 7})["step"] == 7
    done = guest.do("POST", "/step", {"epochs": 2})
    assert done["step"] == 57
    assert done["epoch"] == pytest.approx(2.28)
    assert sum(name.startswith("grad_norm.") for name in done["metrics"]) == 3
    assert guest.look()["step"] == 57


def test_play_and_pause(new_session: NewSession) -> None:
    guest = new_session()
    guest.do("POST", "/speed", {"max": True})
    guest.do("POST", "/play")
    assert guest.look()["playing"] is True
    while guest.look()["step"] < 20:
        pass
    stopped = guest.do("POST", "/pause")["step"]
    assert guest.look()["step"] == stopped
    assert guest.look()["speed"] == {"max": True}


def test_a_pause_ends_a_long_step(new_session: NewSession) -> None:
    guest = new_session()
    answers: list[dict[str, Any]] = []
    long = threading.Thread(
        target=lambda: answers.append(guest.do("POST", "/step", {"steps": limits.TRAIN_STEPS}))
    )
    long.start()
    while guest.look()["step"] == 0:
        pass
    guest.do("POST", "/pause")
    long.join(timeout=60)
    assert 0 < answers[0]["step"] < limits.TRAIN_STEPS


def test_a_change_keeps_what_has_been_learned(new_session: NewSession) -> None:
    guest = new_session()
    guest.do("POST", "/step", {"steps": 50})
    before = guest.do("GET", "/weights")
    done = guest.do("PATCH", "/config", {"optimizer": {"kind": "momentum"}, "l2": 0.01})
    assert done["step"] == 50
    assert done["change"] == {"optimizer": {"kind": "momentum"}, "l2": 0.01}
    assert words(done["effect"])
    assert guest.do("GET", "/weights") == before
    [entry] = guest.look()["timeline"]
    assert entry["step"] == 50
    assert words(entry["label"]) == "Momentum, L2 0.01"
    guest.do("PATCH", "/config", entry["undo"])
    assert guest.look()["config"] == guest.created["config"]


def test_a_reset_starts_a_new_run_with_the_config_of_now(new_session: NewSession) -> None:
    guest = new_session()
    guest.do("POST", "/step", {"steps": 5})
    guest.do("PATCH", "/config", {"seed": 4})
    assert guest.do("POST", "/reset")["step"] == 0
    looked = guest.look()
    assert (looked["run"], looked["step"], looked["timeline"]) == (2, 0, [])
    assert looked["config"]["seed"] == 4
    fresh = new_session({"seed": 4})
    assert guest.do("GET", "/weights") == fresh.do("GET", "/weights")


def test_the_history_has_curves_and_marks(new_session: NewSession) -> None:
    guest = new_session()
    guest.do("POST", "/step", {"steps": 10})
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}]})
    guest.do("POST", "/step", {"steps": 10})
    history = guest.do("GET", "/history")
    series = history["series"]
    assert series["step"] == list(range(21))
    assert None not in series["train_loss"]
    assert series["grad_norm.1"][10] is not None
    assert series["grad_norm.1"][11] is None  # the network has one layer less
    assert None not in series["grad_norm.output"][1:]
    assert {len(values) for values in series.values()} == {21}
    assert [mark["step"] for mark in history["marks"]] == [10]


def test_a_run_is_played_again_from_its_timeline(new_session: NewSession) -> None:
    guest = new_session({"data": {"kind": "xor"}})
    guest.do("POST", "/step", {"steps": 30})
    guest.do("PATCH", "/config", {"optimizer": {"kind": "adagrad"}})
    guest.do("POST", "/step", {"steps": 20})
    guest.do("PATCH", "/config", {"hidden": [{"width": 4}, {"width": 3}, {"width": 2}]})
    weights = guest.do("GET", "/weights")["layers"]
    weights[0]["bias"][0] = 0.25
    guest.do("PUT", "/weights", {"layers": weights})
    guest.do("POST", "/step", {"steps": 30})
    original = guest.look()

    again = new_session({"data": {"kind": "xor"}}, timeline=original["timeline"])
    again.do("POST", "/step", {"steps": 80})
    assert again.look()["timeline"] == original["timeline"]
    assert again.do("GET", "/weights") == guest.do("GET", "/weights")
    assert again.history() == guest.history()


def test_a_change_by_hand_leaves_a_recorded_timeline(new_session: NewSession) -> None:
    recorded = [{"step": 5, "change": {"l1": 0.1}}, {"step": 20, "change": {"l2": 0.1}}]
    guest = new_session(timeline=recorded)
    guest.do("POST", "/step", {"steps": 10})
    guest.do("PATCH", "/config", {"batch_size": 20})
    guest.do("POST", "/step", {"steps": 20})
    assert [words(entry["label"]) for entry in guest.look()["timeline"]] == ["L1 0.1", "batch size 20"]


def test_maps_are_json_or_raw_floats(new_session: NewSession) -> None:
    guest = new_session()
    maps = guest.do("GET", "/maps?size=10")
    assert np.shape(maps["decision"]) == (10, 10)
    assert np.shape(maps["neurons"]) == (7, 10, 10)
    raw = guest.call("GET", "/maps?size=10", headers={"Accept": "application/octet-stream"})
    assert raw.headers["x-decision-shape"] == "10,10"
    assert raw.headers["x-neurons-shape"] == "7,10,10"
    floats = np.frombuffer(raw.content, "<f4")
    np.testing.assert_array_equal(floats[:100].reshape(10, 10), np.float32(maps["decision"]))
    np.testing.assert_array_equal(floats[100:].reshape(7, 10, 10), np.float32(maps["neurons"]))


def test_maps_of_a_large_network_are_small(new_session: NewSession) -> None:
    guest = new_session({"hidden": [{"width": 256}] * 12})
    [error] = assert_problem(guest.call("GET", "/maps?size=200"), 422, "size")["errors"]
    [fits] = error["fits"]
    assert str(fits) in error["message"]
    assert f"{limits.MAP_NUMBERS:,}" in error["message"]
    assert np.shape(guest.do("GET", f"/maps?size={fits}")["neurons"]) == (3073, fits, fits)
    assert_problem(guest.call("GET", f"/maps?size={fits + 1}"), 422, "size")


def test_weights_are_read_and_written(new_session: NewSession) -> None:
    guest = new_session()
    layers = guest.do("GET", "/weights")["layers"]
    assert [np.shape(layer["weight"]) for layer in layers] == [(2, 4), (4, 2), (2, 1)]
    layers[1]["weight"][3][1] = 0.5
    assert guest.do("PUT", "/weights", {"layers": layers})["step"] == 0
    assert guest.do("GET", "/weights")["layers"] == layers


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ({"weight": [[1.0]]}, "layers.0.weight"),
        ({"weight": [[1, 2, 3, 4], [1, 2]]}, "layers.0.weight"),
        ({"bias": [0, 0, 0, math.nan]}, "layers.0.bias"),
        ({"bias": [0, 0, 0, math.inf]}, "layers.0.bias"),
        ({"bias": [0, 0, 0, 1e39]}, "layers.0.bias"),
        ({"bias": ["a", 0, 0, 0]}, "layers.0.bias"),
        ({"gamma": [1, 1, 1, 1]}, "layers.0.gamma"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    new_session: NewSession, layer: dict[str, Any], field: str
) -> None:
    guest = new_session()
    before = guest.do("GET", "/weights")
    body = json.dumps({"layers": [layer, {}, {}]})
    headers = {**guest.authorization, "Content-Type": "application/json"}
    answer = guest.client.put(f"/api/sessions/{guest.id}/weights", content=body, headers=headers)
    assert_problem(answer, 422, field)
    assert guest.do("GET", "/weights") == before


def test_a_deleted_session_is_gone(new_session: NewSession) -> None:
    guest = new_session()
    assert guest.call("DELETE", "").status_code == 204
    assert_problem(guest.call("GET", ""), 404)
