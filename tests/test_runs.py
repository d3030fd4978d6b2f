"""Scripted runs over the API: trained in the background, kept, found again, replayed."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import load as from_safetensors

from tests.conftest import Running, Serve

SMALL = {"data": {"kind": "circle", "samples": 60}, "hidden": [{"width": 4}]}
LONG = {"config": SMALL, "steps": 10**8}
WAIT = {"Prefer": "wait=60"}
LR = {"step": 40, "change": {"optimizer": {"lr": 0.1}}}


@pytest.fixture
def run(client: httpx.Client) -> Iterator[Callable[..., dict[str, Any]]]:
    """Asks for runs, as their holder, and waits for their end; they are removed after the test."""
    made: list[dict[str, Any]] = []

    def ask(wait: bool = True, **body: Any) -> dict[str, Any]:
        body = {"config": SMALL, **({} if "epochs" in body else {"steps": 100}), **body}
        answer = client.post("/api/runs", json=body, headers=WAIT if wait else {})
        assert answer.status_code == (200 if wait else 202), answer.text
        made.append(answer.json())
        return made[-1]

    yield ask
    for one in made:
        for _ in range(2):  # cancelled, then removed
            client.delete(f"/api/runs/{one['id']}", headers=held(one))


def held(run: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {run['key']}"}


def look(client: httpx.Client, run: dict[str, Any]) -> dict[str, Any]:
    return client.get(f"/api/runs/{run['id']}").raise_for_status().json()


def wait_until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_run_is_accepted_trains_by_itself_and_is_kept(client: httpx.Client) -> None:
    answer = client.post("/api/runs", json={"config": SMALL, "steps": 200, "timeline": [LR], "name": "First"})
    assert answer.status_code == 202
    new = answer.json()
    assert answer.headers["Location"] == f"/api/runs/{new['id']}"
    assert new["state"] in ("queued", "running", "done")
    done = wait_until(lambda: (now := look(client, new))["state"] == "done" and now)
    assert (done["step"], done["steps"], done["progress"], done["name"]) == (200, 200, 1.0, "First")
    assert done["created"] <= done["started"] <= done["ended"]
    assert done["timeline"][0]["effect"]
    assert [mark["step"] for mark in done["marks"]] == [16, 32, 40, 64, 128, 200]
    assert "key" not in done
    series = client.get(f"/api/runs/{new['id']}/history").json()
    assert series["series"]["step"][-1] == 200
    assert [line["step"] for line in series["marks"]] == [40]
    assert client.delete(f"/api/runs/{new['id']}", headers=held(new)).status_code == 204
    assert client.get(f"/api/runs/{new['id']}").status_code == 404


def test_whoever_prefers_to_wait_gets_the_end_or_what_there_is_by_then(
    client: httpx.Client, run: Any
) -> None:
    assert run(epochs=3)["epoch"] == 3
    answer = client.post("/api/runs", json=LONG, headers={"Prefer": "respond-async, wait=1"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert answer.json()["state"] == "running"
    client.delete(f"/api/runs/{answer.json()['id']}", headers=held(answer.json()))


def test_a_run_that_is_asked_for_twice_with_one_key_is_one(client: httpx.Client, run: Any) -> None:
    body = {"config": SMALL, "steps": 50}
    headers = {"Idempotency-Key": "5d1e0d5c", **WAIT}
    first = client.post("/api/runs", json=body, headers=headers).json()
    again = client.post("/api/runs", json=body, headers=headers)
    assert (again.status_code, again.json()) == (200, first)
    other = client.post("/api/runs", json={**body, "steps": 51}, headers=headers)
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    client.delete(f"/api/runs/{first['id']}", headers=held(first))


def test_a_rule_ends_a_run_sooner_and_says_so(run: Any) -> None:
    done = run(epochs=5000, stop={"patience": 1, "loss_below": 10.0})
    assert (done["stopped_by"], done["epoch"], done["state"]) == ("loss_below", 1.0, "done")


def test_a_run_that_diverges_fails_and_names_the_step(run: Any) -> None:
    config = {"data": {"kind": "plane"}, "hidden": [{"width": 8, "activation": {"kind": "linear"}}],
              "optimizer": {"kind": "sgd", "lr": 10.0}}  # fmt: skip
    failed = run(config=config, steps=2000)
    assert failed["state"] == "failed"
    assert failed["error"]["values"]["step"] == failed["step"] + 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"config": {"hidden": [{"width": 0}]}, "steps": 5}, "hidden.0.width"),
        ({"timeline": [{"step": 5, "change": {"l1": -1}}], "steps": 9}, "timeline.0.l1"),
        ({"timeline": [LR, {"step": 2, "change": {"l1": 1}}], "steps": 9}, "timeline.1.step"),
        ({"steps": 5, "epochs": 5}, ""),
        ({}, ""),
        ({"steps": 0}, "steps"),
        ({"steps": 5, "stop": {"loss_below": 0}}, "stop.loss_below"),
        ({"steps": 5, "tags": [""]}, "tags.0"),
        ({"steps": 5, "name": "n" * 201}, "name"),
    ],
)
def test_what_is_no_run_is_refused_by_field(client: httpx.Client, body: dict[str, Any], field: str) -> None:
    answer = client.post("/api/runs", json=body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_a_run_is_cancelled_where_it_is_and_stays_until_it_is_removed(client: httpx.Client, run: Any) -> None:
    new = run(wait=False, steps=10**8)
    wait_until(lambda: look(client, new)["step"] > 0)
    assert client.get(f"/api/runs/{new['id']}/weights").status_code == 200
    assert client.delete(f"/api/runs/{new['id']}", headers=held(new)).status_code == 204
    cancelled = look(client, new)
    assert cancelled["state"] == "cancelled"
    assert cancelled["marks"][-1]["step"] == cancelled["step"] > 0
    assert client.get(f"/api/runs/{new['id']}/file").json()["steps"] == cancelled["step"]


def test_only_who_has_the_key_changes_a_run(client: httpx.Client, run: Any) -> None:
    done = run(tags=["a", "b", "a"], note="so far")
    path = f"/api/runs/{done['id']}"
    assert client.patch(path, json={"name": "Mine"}).status_code == 401
    assert client.delete(path, headers={"Authorization": "Bearer of another run"}).status_code == 403
    renamed = client.patch(path, json={"name": "Best", "tags": ["c"]}, headers=held(done)).json()
    assert (renamed["name"], renamed["tags"], renamed["note"]) == ("Best", ["c"], "so far")
    assert look(client, done)["name"] == "Best"


def test_runs_are_found_sorted_and_paged(client: httpx.Client, run: Any) -> None:
    names = [run(name=f"paged {letter}", tags=["paged"])["name"] for letter in "cab"]

    def found(**query: Any) -> list[str]:
        page = client.get("/api/runs", params={"tag": "paged", **query}).raise_for_status().json()
        return [item["name"] for item in page["items"]]

    assert found() == names[::-1]
    assert found(sort="name") == sorted(names)
    assert found(q="PAGED A", state="done") == ["paged a"]
    assert found(state="failed") == []
    first = client.get("/api/runs", params={"tag": "paged", "sort": "name", "limit": 2}).json()
    assert "timeline" not in first["items"][0]
    assert found(sort="name", limit=2, cursor=first["next"]) == ["paged c"]
    for cursor, sort in (
        (first["next"], "-name"),
        ("x", "name"),
        (base64.b64encode(b"[1]").decode(), "name"),
    ):
        answer = client.get("/api/runs", params={"cursor": cursor, "sort": sort})
        assert answer.json()["errors"][0]["field"] == "cursor"


def test_weights_come_as_json_and_as_safetensors(client: httpx.Client, run: Any) -> None:
    done = run()
    plain = client.get(f"/api/runs/{done['id']}/weights").json()["layers"]
    packed = client.get(f"/api/runs/{done['id']}/weights", headers={"Accept": "application/vnd.safetensors"})
    tensors = from_safetensors(packed.content)
    assert tensors["0.weight"].shape == (2, 4)
    assert np.array_equal(tensors["1.bias"], np.array(plain[1]["bias"], np.float32))


def events_of(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if name == "data":
            yield {**event, "data": json.loads(value)}
        event[name] = value


def test_events_tell_of_changes_progress_and_the_end(client: httpx.Client, run: Any) -> None:
    new = run(wait=False, steps=2000, timeline=[LR, {"step": 900, "change": {"l2": 0.01}}])
    path = f"/api/runs/{new['id']}/events"
    with client.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = list(events_of(answer))
    names = [event["event"] for event in events]
    assert (names.count("applied"), names[-1], "progress" in names) == (2, "done", True)
    applied = [event["data"] for event in events if event["event"] == "applied"]
    assert [(line["index"], line["step"]) for line in applied] == [(0, 40), (1, 900)]
    assert events[-1]["data"]["state"] == "done"
    with client.stream("GET", path, headers={"Last-Event-ID": "1"}) as answer:
        assert [event["event"] for event in events_of(answer)] == ["applied", "progress", "done"]


def test_who_stops_listening_leaves_nothing_behind(client: httpx.Client, running: Running, run: Any) -> None:
    new = run(wait=False, steps=10**8)
    active = running.server._app.state.runs.active(new["id"])
    with client.stream("GET", f"/api/runs/{new['id']}/events") as answer:
        events = events_of(answer)
        assert next(events)["event"] == "progress"
        assert len(active._watchers) == 1
    wait_until(lambda: not active._watchers)


def test_a_run_of_an_uploaded_table(client: httpx.Client, run: Any) -> None:
    rows = "\n".join(f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(40))
    table = client.post("/api/datasets", files={"file": ("t.csv", f"u,v,w\n{rows}\n")}).json()
    done = run(
        config={"data": {"kind": "csv", "id": table["id"], **table["chosen"]}, "hidden": [{"width": 3}]}
    )
    assert done["state"] == "done"


def test_a_live_session_is_answered_while_runs_train(
    new_session: Any, client: httpx.Client, run: Any
) -> None:
    new = run(wait=False, steps=10**8)
    wait_until(lambda: look(client, new)["step"] > 0)
    guest = new_session(SMALL)
    guest.call("POST", "/step", json={"steps": 500})
    assert look(client, new)["state"] == "running"


def test_no_more_train_or_wait_at_once_than_are_allowed(serve: Serve) -> None:
    with (
        serve(runs_at_once=1, max_runs_waiting=2) as running,
        httpx.Client(base_url=running.address) as client,
    ):
        made = [client.post("/api/runs", json=LONG) for _ in range(4)]
        assert [answer.status_code for answer in made] == [202, 202, 202, 503]
        assert "Retry-After" in made[-1].headers
        first, second, third = (answer.json() for answer in made[:3])
        wait_until(lambda: look(client, first)["state"] == "running")
        assert look(client, second)["state"] == "queued"
        assert client.get(f"/api/runs/{second['id']}/weights").status_code == 409
        assert client.get(f"/api/runs/{second['id']}/file").status_code == 409
        client.delete(f"/api/runs/{second['id']}", headers=held(second))
        assert look(client, second)["state"] == "cancelled"
        client.delete(f"/api/runs/{first['id']}", headers=held(first))
        wait_until(lambda: look(client, third)["state"] == "running")
