"""The REST API, against the real server and its real worker."""

import json
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any, get_args

import httpx
import numpy as np
import pytest

from playground import limits
from playground.messages import protocol
from tests.conftest import Running, Serve
from tests.guest import Guest

NewSession = Callable[..., Guest]
TABLE = b"width,length,species\n1,2,a\n2,1,b\n3,4,a\n4,3,b\n5,6,a\n6,5,b\n"


def assert_problem(answer: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    """A problem document (RFC 9457) with this status, about this field."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "instance", "errors"}
    assert document["status"] == status
    assert document["detail"]
    if field is not None:
        assert field in [error["field"] for error in document["errors"]], document
    return document


# --- A session from beginning to end ----------------------------------------------------------------------


def test_the_server_is_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {
        "status": "ready",
        "trainer": "compiled",
        "detail": "the compiled kernel trains",
    }


def test_a_session_is_created_with_its_defaults_filled_in(client: httpx.Client) -> None:
    answer = client.post("/api/sessions", json={"config": {"data": {"kind": "spiral"}}})
    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["location"] == f"/api/sessions/{created['id']}"
    assert created["key"] not in answer.headers["location"]
    assert created["config"]["data"]["kind"] == "spiral"
    assert created["config"]["optimizer"]["kind"] == "adam"
    assert (created["step"], created["epoch"], created["playing"]) == (0, 0.0, False)
    assert created["speed"] == {"epochs_per_second": 60}
    looked = client.get(answer.headers["location"]).json()
    assert "key" not in looked
    assert looked["config"] == created["config"]
    assert set(looked["metrics"]) == {
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
        "grad_norm",
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
    assert len(done["metrics"]["grad_norm"]) == 3
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
    assert all(isinstance(sentence, str) for sentence in done["effect"])
    assert guest.do("GET", "/weights") == before
    [entry] = guest.look()["timeline"]
    assert entry["step"] == 50
    assert entry["label"] == "Momentum, L2 0.01"
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
    assert series["grad_norm.2"][10] is not None
    assert series["grad_norm.2"][11] is None  # the network has one layer less
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
    assert [entry["label"] for entry in guest.look()["timeline"]] == ["L1 0.1", "batch size 20"]


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


# --- Bad input --------------------------------------------------------------------------------------------


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
    assert all("not done" in entry["effect"][0] for entry in guest.look()["timeline"])


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


# --- Data -------------------------------------------------------------------------------------------------


def test_a_csv_is_uploaded_and_learned(client: httpx.Client, new_session: NewSession) -> None:
    answer = client.post("/api/datasets", files={"file": ("leaves.csv", TABLE)})
    assert answer.status_code == 201, answer.text
    table = answer.json()
    assert (table["rows"], table["problem"], table["classes"]) == (6, "binary", 2)
    assert [column["name"] for column in table["columns"]] == ["width", "length", "species"]
    assert table["chosen"] == {"x1": "width", "x2": "length", "target": "species", "inputs": []}
    guest = new_session({"data": {"kind": "csv", "id": table["id"]}})
    assert guest.created["problem"]["class_labels"] == ["a", "b"]
    assert guest.do("POST", "/step", {"steps": 3})["step"] == 3
    other = new_session()
    other.do("PATCH", "/config", {"data": {"kind": "csv", "id": table["id"], "x1": "length", "x2": "width"}})
    assert other.look()["problem"]["input_names"] == ["length", "width"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "file"),
        (b"\x00\x01\x02\xff", "file"),
        (b"a,b,c\n1,2,3\n1,2\n", "file"),
        (b"a,b,c\nx,y,z\nu,v,w\n", "file"),
        (b"1,2,a\n3,4,a\n", "target"),
    ],
)
def test_a_broken_csv_is_refused(client: httpx.Client, content: bytes, field: str) -> None:
    assert_problem(client.post("/api/datasets", files={"file": ("broken.csv", content)}), 422, field)


def test_a_huge_csv_is_refused(client: httpx.Client) -> None:
    content = b"1,2,3\n" * (limits.CSV_BYTES // 6 + 6000)
    huge = client.post("/api/datasets", files={"file": ("huge.csv", content)})
    assert "A CSV file may have at most 5 MB" in assert_problem(huge, 413)["detail"]


def test_an_upload_without_a_file_is_refused(client: httpx.Client) -> None:
    assert_problem(client.post("/api/datasets", files={"header": (None, "true")}), 422, "file")


def test_data_can_be_looked_at_without_a_session(client: httpx.Client) -> None:
    shown = client.post("/api/preview", json={"data": {"kind": "circle", "samples": 2000}}).json()
    assert shown["problem"]["kind"] == "binary"
    assert len(shown["train"]) == len(shown["test"]) == 300
    assert {target for _, _, target in shown["train"]} == {0, 1}
    assert_problem(client.post("/api/preview", json={"data": {"kind": "nothing"}}), 422, "data.kind")


def test_the_catalogue_is_sent_once(client: httpx.Client) -> None:
    answer = client.get("/api/catalogue")
    assert {"components", "fields", "default", "limits", "schema"} <= set(answer.json())
    again = client.get("/api/catalogue", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


# --- The server -------------------------------------------------------------------------------------------


def test_there_is_room_for_so_many_sessions_and_idle_ones_make_room(serve: Serve) -> None:
    with (
        serve(
            max_sessions=1, session_idle_seconds=1.0, allowed_origins=["https://friend.example"]
        ) as running,
        httpx.Client(base_url=running.address, timeout=60) as client,
    ):
        first = client.post("/api/sessions")
        full = client.post("/api/sessions")
        assert_problem(full, 503)
        assert int(full.headers["retry-after"]) > 0
        while not client.post("/api/sessions").is_success:
            pass
        assert_problem(client.get(first.headers["location"]), 404)
        friend = client.get("/healthz", headers={"Origin": "https://friend.example"})
        assert friend.headers["access-control-allow-origin"] == "https://friend.example"
        stranger = client.get("/healthz", headers={"Origin": "https://stranger.example"})
        assert "access-control-allow-origin" not in stranger.headers


def test_a_key_is_in_no_log(
    running: Running, new_session: NewSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        guest = new_session()
        guest.do("POST", "/play")
        guest.call("GET", f"?key={guest.key}")
    logged = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not any(guest.key in record.getMessage() for record in logged)


def test_browsers_are_told_to_be_careful(client: httpx.Client) -> None:
    page, embed = client.get("/"), client.get("/embed")
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors *" in embed.headers["content-security-policy"]
    for answer in (page, embed, client.get("/api/catalogue")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_everything_in_the_documentation_is_described_and_shown_by_example(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert list(_undocumented(document)) == []


def test_the_documentation_lists_what_a_call_may_answer(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    session = "/api/sessions/{id}"

    def statuses(path: str, method: str) -> set[str]:
        return set(paths[path][method]["responses"]) & {"400", "401", "403", "413", "415", "429", "503"}

    body = {"400", "413", "415"}
    assert statuses("/api/sessions", "post") == body | {"503"}
    assert statuses("/api/datasets", "post") == statuses("/api/preview", "post") == body
    assert statuses(session, "get") == statuses(f"{session}/maps", "get") == {"503"}
    assert statuses(f"{session}/history", "get") == set()
    assert statuses(session, "delete") == {"401", "403"}
    assert statuses(f"{session}/play", "post") == {"401", "403", "429", "503"}
    assert statuses(f"{session}/step", "post") == body | {"401", "403", "429", "503"}


def test_the_documentation_tells_how_to_speak_over_the_websocket(client: httpx.Client) -> None:
    words = client.get("/openapi.json").json()["info"]["description"]
    for kind in get_args(protocol.ViewerMessage):
        assert f"`{kind.model_fields['type'].default}`" in words
    for kind in get_args(protocol.Event):
        assert f"`{kind.model_fields['type'].default}`" in words
    assert all(f"`{code}`" in words for code in protocol.Code)


def _undocumented(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = f"{method.upper()} {path}"
            if not operation.get("description"):
                yield f"{place}: no description"
            for parameter in operation.get("parameters", []):
                if not parameter.get("description"):
                    yield f"{place}: {parameter['name']} has no description"
                if not _exemplified(document, parameter["schema"]):
                    yield f"{place}: {parameter['name']} has no example"
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                if not (content.get("examples") or _exemplified(document, content["schema"])):
                    yield f"{place}: {kind} has no example"
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                if content and not ("example" in content or _exemplified(document, content["schema"])):
                    yield f"{place}: {status} has no example"
                if not response.get("description"):
                    yield f"{place}: {status} has no description"
    for name, schema in document["components"]["schemas"].items():
        if not schema.get("description") and not name.startswith("Body_"):
            yield f"{name}: no description"
        for field, rule in schema.get("properties", {}).items():
            if not rule.get("description") and not _resolved(document, rule).get("description"):
                yield f"{name}.{field}: no description"


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _exemplified(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    """An example of its own, or one for each of its parts."""
    schema = _resolved(document, schema)
    if (
        schema.get("examples")
        or "example" in schema
        or schema.get("format") == "binary"
        or "contentMediaType" in schema
    ):
        return True
    if parts := schema.get("anyOf"):
        return any(_exemplified(document, part) for part in parts)
    if schema.get("type") == "array":
        return _exemplified(document, schema["items"])
    properties = schema.get("properties", {})
    return bool(properties) and all(_exemplified(document, part) for part in properties.values())
