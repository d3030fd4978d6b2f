"""`playground verify`: what was handed in is replayed, without a server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from playground import cli

TIMELINE = [
    {"step": 30, "change": {"optimizer": {"kind": "sgd", "lr": 0.1}}},
    {"step": 70, "change": {"hidden": [{"width": 5}, {"width": 3}]}},
]


@pytest.fixture(scope="module")
def file(client: httpx.Client) -> dict[str, Any]:
    """The file of a run of 100 steps."""
    body = {
        "config": {"data": {"kind": "circle", "samples": 60}, "seed": 5},
        "timeline": TIMELINE,
        "steps": 100,
    }
    run = client.post("/api/runs", json={**body, "name": "Mine"}, headers={"Prefer": "wait=60"}).json()
    answer = client.get(f"/api/runs/{run['id']}/file")
    client.delete(f"/api/runs/{run['id']}", headers={"Authorization": f"Bearer {run['key']}"})
    assert len(answer.content) < 8000
    return answer.json()


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., Any]:
    """What the command makes of a file with these contents."""

    def verify(content: Any, *options: str) -> Any:
        path = tmp_path / "run.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return CliRunner().invoke(cli.main, ["verify", str(path), "--device", "cpu", *options])

    return verify


def test_an_honest_run_is_confirmed(file: dict[str, Any], verified: Callable[..., Any]) -> None:
    told = verified(file)
    assert told.exit_code == 0, told.output
    assert "“Mine”: 100 steps, 2 changes, 6 marks" in told.stdout
    assert "Confirmed: the weights are the same, bit for bit, at 6 of 6 marks." in told.stdout


def test_the_first_difference_is_named(file: dict[str, Any], verified: Callable[..., Any]) -> None:
    other = [TIMELINE[0], {**TIMELINE[1], "change": {"hidden": [{"width": 5}, {"width": 4}]}}]
    told = verified({**file, "timeline": other})
    assert told.exit_code == 1
    assert (
        "the weights at step 100 are not those in the file, after the mark at step 70 (5 of 6" in told.stdout
    )
    said = verified({**file, "config": {**file["config"], "seed": 6}}, "--json")
    assert said.exit_code == 1
    assert json.loads(said.stdout)["differs_at"] == 16


def test_another_kind_of_device_proves_nothing_by_a_difference(
    file: dict[str, Any], verified: Callable[..., Any]
) -> None:
    elsewhere = {**file, "made_on": {"device": "arm64 apple-m9 NEON", "trainer": "compiled"}}
    assert verified(elsewhere).exit_code == 0
    told = verified({**elsewhere, "config": {**file["config"], "seed": 6}})
    assert told.exit_code == 2
    for words in ("arm64 apple-m9 NEON", "may round differently", "train_loss"):
        assert words in told.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "config"),
        ("no JSON", "no file of a run"),
        ({"config": {"hidden": [{"width": 0}]}}, "hidden.0.width"),
        ({"timeline": [{"step": 1, "change": {"l1": -1}}]}, "timeline.0.l1"),
        ({"config": {"data": {"kind": "csv", "id": "5d41402abc4b2a76"}}}, "--data"),
    ],
)
def test_what_cannot_be_replayed_says_why(
    content: Any, words: str, file: dict[str, Any], verified: Callable[..., Any]
) -> None:
    told = verified(content if isinstance(content, str) else {**file, **content})
    assert told.exit_code == 2
    assert words in told.stderr


def test_a_run_of_a_table_takes_the_table(
    client: httpx.Client, verified: Callable[..., Any], tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("u,v,w\n" + "\n".join(f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(40)))
    uploaded = client.post("/api/datasets", files={"file": ("t.csv", table.read_bytes())}).json()
    config = {"data": {"kind": "csv", "id": uploaded["id"], **uploaded["chosen"]}, "hidden": [{"width": 3}]}
    run = client.post("/api/runs", json={"config": config, "steps": 20}, headers={"Prefer": "wait=60"}).json()
    content = client.get(f"/api/runs/{run['id']}/file").json()
    assert verified(content, "--data", str(table)).exit_code == 0
    client.delete(f"/api/runs/{run['id']}", headers={"Authorization": f"Bearer {run['key']}"})
