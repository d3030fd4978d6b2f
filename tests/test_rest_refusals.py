"""What the REST API refuses, and how it says so, against the real server and its real worker."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from playground import limits
from tests.guest import Guest, assert_problem
from tests.guest import words as english

NewSession = Callable[..., Guest]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"batch_size": "ten"}, "batch_size"),
        ({"batch_size": 0}, "batch_size"),
        ({"colour": "red"}, "colour"),
        ({"optimizer": {"kind": "magic"}}, "optimizer.kind"),
        ({"optimizer": {"kind": "sgd", "lr": -1}}, "optimizer.lr"),
        ({"hidden": [{"width": 257}]}, "hidden.0.width"),
        ({"hidden": [{}] * 13}, "hidden"),
        ({"loss": {"kind": "cross_entropy"}, "data": {"kind": "plane"}}, "loss"),
        ({"data": {"kind": "points", "points": [[0, 0, 1]] * (limits.POINTS + 1)}}, "data.points"),
        ({"data": {"kind": "csv", "id": "nothing"}}, "data.id"),
        ({"features": ["x9"]}, "features"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(
    client: httpx.Client, config: dict[str, Any], field: str
) -> None:
    assert_problem(client.post("/api/sessions", json={"config": config}), 422, field)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused_by_name(client: httpx.Client, number: str) -> None:
    body = f'{{"config": {{"l1": {number}, "optimizer": {{"kind": "sgd", "lr": {number}}}}}}}'
    answer = client.post("/api/sessions", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "l1")
    assert_problem(answer, 422, "optimizer.lr")


@pytest.mark.parametrize(
    ("timeline", "field"),
    [
        ([{"step": 5, "change": {"l1": -1}}], "timeline.0.l1"),
        ([{"step": 5, "change": {"l1": 1}}, {"step": 4, "change": {}}], "timeline.1.step"),
        ([{"step": -1, "change": {}}], "timeline.0.step"),
        ([{"change": {}}], "timeline.0.step"),
        ([{"step": 0, "weights": 5}], "timeline.0.weights"),
        ([{"step": 0, "weights": {}}], "timeline.0.weights.layer"),
        ([{"step": 0, "weights": {"layers": 3}}], "timeline.0.weights.layers"),
        ([{"step": 0, "weights": {"layers": [3]}}], "timeline.0.weights.layers.0"),
        ([{"step": 0, "weights": {"layers": [{"colour": [1]}]}}], "timeline.0.weights.layers.0.colour"),
        ([{"step": 0, "weights": {"layers": [{"bias": ["a"]}]}}], "timeline.0.weights.layers.0.bias"),
        ([{"step": 0, "weights": {"layers": [{"bias": [10**400]}]}}], "timeline.0.weights.layers.0.bias"),
        (
            [{"step": 0, "weights": {"layers": [{"weight": [[1], [1, 2]]}]}}],
            "timeline.0.weights.layers.0.weight",
        ),
        (
            [{"step": 0, "weights": {"layer": 0, "source": "a", "unit": 0, "value": 1}}],
            "timeline.0.weights.source",
        ),
        (
            [{"step": 0, "weights": {"layer": 0, "source": 0, "unit": 0, "value": 1e999}}],
            "timeline.0.weights.value",
        ),
    ],
)
def test_a_timeline_that_does_not_fit_is_refused(
    client: httpx.Client, timeline: list[Any], field: str
) -> None:
    body = json.dumps({"timeline": timeline})
    answer = client.post("/api/sessions", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, field)


@pytest.mark.parametrize(
    "weights", [{"layers": []}, {"layers": [{}] * 5}, {"layer": 9, "source": 0, "unit": 0, "value": 1}]
)
def test_weights_of_a_timeline_that_do_not_fit_are_left_out(new_session: NewSession, weights: Any) -> None:
    guest = new_session(timeline=[{"step": 0, "weights": weights}, {"step": 3, "weights": weights}])
    assert guest.do("POST", "/step", {"steps": 5})["step"] == 5
    assert all("not done" in english(entry["effect"]) for entry in guest.look()["timeline"])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/speed", {}, ""),
        ("/speed", {"max": True, "steps_per_second": 1}, ""),
        ("/speed", {"epochs_per_second": 0}, "epochs_per_second"),
        ("/speed", {"epochs_per_second": "fast"}, "epochs_per_second"),
        ("/step", {"steps": 0}, "steps"),
        ("/step", {"steps": limits.TRAIN_STEPS + 1}, "steps"),
        ("/step", {"steps": 1.5}, "steps"),
        ("/step", {"epochs": limits.TRAIN_STEPS // 25 + 1}, "epochs"),
    ],
)
def test_commands_that_make_no_sense_are_refused(
    new_session: NewSession, path: str, body: Any, field: str
) -> None:
    assert_problem(new_session().call("POST", path, body), 422, field)


def test_a_refusal_says_what_would_fit(new_session: NewSession) -> None:
    answer = new_session().call("PATCH", "/config", {"data": {"kind": "blobs", "classes": 3}})
    [error] = assert_problem(answer, 422, "loss")["errors"]
    assert "cross_entropy" in error["fits"]
    assert error["suggestion"] == {"loss": {"kind": "cross_entropy"}}


def test_a_change_that_is_no_object_is_refused(new_session: NewSession) -> None:
    assert_problem(new_session().call("PATCH", "/config", [1]), 422)


def test_broken_json_is_refused(new_session: NewSession) -> None:
    guest = new_session()
    headers = {**guest.authorization, "Content-Type": "application/json"}
    for body, status, words in (
        (b"{", 422, "line 1 column 2"),
        (b'{"seed": 1,\n "l1": }', 422, "line 2 column 8"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b'{"seed": ' + b"9" * 5000 + b"}", 400, "digits"),
        (b'{"seed": "\xff"}', 400, "UTF-8"),
        (b'{"data":' * 990 + b"1" + b"}" * 990, 400, "nested too deeply"),
    ):
        answer = guest.client.patch(f"/api/sessions/{guest.id}/config", content=body, headers=headers)
        problem = assert_problem(answer, status)
        assert words in problem["detail"]
        assert {error["field"] for error in problem["errors"]} <= {""}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_a_body_of_another_kind_is_refused(client: httpx.Client, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = client.post("/api/sessions", content=b'{"config": {}}', headers=headers)
    assert "application/json" in assert_problem(answer, 415, "Content-Type")["detail"]
    assert_problem(client.post("/api/datasets", json={}), 415, "Content-Type")
    merge_patch = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    assert client.post("/api/sessions", content=b"{}", headers=merge_patch).status_code == 201


def test_a_full_timeline_is_refused_with_the_rule(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TIMELINE_BYTES", 1000)
    guest = new_session()
    answers = [guest.call("PATCH", "/config", {"batch_size": size}) for size in range(2, 30)]
    refused = next(answer for answer in answers if not answer.is_success)
    assert "timeline" in assert_problem(refused, 422)["detail"]
    guest.do("POST", "/reset")
    guest.do("PATCH", "/config", {"batch_size": 40})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ""),
        ("PATCH", "/config"),
        ("POST", "/play"),
        ("POST", "/pause"),
        ("POST", "/reset"),
        ("POST", "/speed"),
        ("POST", "/slice"),
        ("POST", "/step"),
        ("PUT", "/weights"),
    ],
)
def test_everything_that_changes_a_session_takes_its_key(
    new_session: NewSession, method: str, path: str
) -> None:
    guest = new_session()
    answer = guest.call(method, path, {}, headers={})
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert_problem(guest.call(method, path, {}, headers={"Authorization": "Bearer wrong"}), 403)
    other = new_session()
    assert_problem(guest.call(method, path, {}, headers=other.authorization), 403)


def test_what_is_not_there_is_a_problem_too(client: httpx.Client) -> None:
    assert_problem(client.get("/api/nothing"), 404)
    assert_problem(client.get("/api/sessions/nothing"), 404)
    assert_problem(client.put("/api/sessions"), 405)
    assert client.put("/api/sessions").headers["allow"] == "POST"
    assert client.put("/api/sessions/nothing").headers["allow"] == "GET, HEAD, DELETE"
    assert client.post("/api/sessions/nothing/weights").headers["allow"] == "GET, HEAD, PUT"
    assert len(client.get(f"/api/sessions/{'x' * 3000}").content) < 1000


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/catalogue"])
def test_whatever_can_be_got_has_headers(client: httpx.Client, path: str) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == client.get(path).headers["content-length"]


def test_a_body_that_is_too_large_is_refused(client: httpx.Client, new_session: NewSession) -> None:
    large = client.post("/api/sessions", content=b" " * (limits.BODY_BYTES + 1))
    assert "at most 1 MB" in assert_problem(large, 413)["detail"]

    def endless() -> Iterator[bytes]:
        for _ in range(limits.BODY_BYTES // 2**16 + 1):
            yield b" " * 2**16

    assert_problem(client.post("/api/sessions", content=endless()), 413)
