"""Experiments and sweeps from YAML files, by the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from playground import cli
from playground.cli.document import Document, Refusal
from tests.conftest import Running

EXPERIMENT = """\
name: a circle
data: {kind: circle, samples: 60}
hidden: [3]
optimizer: {kind: adam, lr: 1e-2}
epochs: 4
timeline:
  - step: 5
    change: {optimizer: sgd}
"""
SWEEP = """\
config:
  data: {kind: circle, samples: 60}
  hidden: [3]
space:
  optimizer.lr: [0.01, 0.1]
sampler: grid
seeds: 1
epochs: 2
"""


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Writes a file."""

    def write(text: str) -> Path:
        path = tmp_path / "experiment.yaml"
        path.write_text(text)
        return path

    return write


def playground(*arguments: object) -> Any:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(cli.main, words, env={"COLUMNS": "200"})


def test_a_file_is_trained_to_its_end(written: Any, running: Running, tmp_path: Path) -> None:
    kept = tmp_path / "run.json"
    told = playground("run", written(EXPERIMENT), "--server", running.address, "-o", kept)
    assert told.exit_code == 0, told.output
    assert "a circle" in told.stdout
    assert "after 12 steps" in told.stdout
    assert "train_loss" in told.stdout
    assert json.loads(kept.read_text())


def test_what_comes_of_it_is_json_where_that_is_asked_for(written: Any, running: Running) -> None:
    told = playground("run", written(EXPERIMENT), "--server", running.address, "--json")
    info = json.loads(told.stdout)
    assert (info["state"], info["step"], info["name"]) == ("done", 12, "a circle")
    assert info["config"]["optimizer"] == {**info["config"]["optimizer"], "kind": "adam", "lr": 0.01}
    assert info["timeline"][0]["change"] == {"optimizer": {"kind": "sgd"}}


def test_a_sweep_ends_with_the_best(written: Any, running: Running) -> None:
    told = playground("sweep", written(SWEEP), "--server", running.address)
    assert told.exit_code == 0, told.output
    assert "done, 2 trials" in told.stdout
    assert "optimizer.lr" in told.stdout
    told = playground("sweep", written(SWEEP), "--server", running.address, "--json")
    info = json.loads(told.stdout)
    assert {trial["params"]["optimizer.lr"] for trial in info["tried"]} == {0.01, 0.1}
    assert info["best"][0]["value"] == min(trial["value"] for trial in info["tried"])


def test_without_a_server_it_is_done_in_the_same_process(written: Any, kernel: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "playground.cli", "run", str(written(EXPERIMENT)), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["state"] == "done"
    assert [path.name for path in tmp_path.iterdir()] == ["experiment.yaml"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("lr: 1e-2", "lr: -1"), "4: optimizer.lr: must be"),
        (("hidden: [3]", "hidden:\n  - 3\n  - width: 1000"), "5: hidden.1.width: must be at most"),
        (("hidden: [3]", "hiden: [3]"), "3: hiden: "),
        (("data: {kind: circle, samples: 60}", "config: {data: circus}"), "2: data.kind: "),
        (("epochs: 4\n", ""), ":1: give exactly one of steps and epochs"),
        (("optimizer: sgd", "optimizer: sdg"), "8: timeline.0.optimizer.kind: "),
        (("step: 5", "step: soon"), "7: timeline.0.step: "),
        (("name: a circle", "progress: true"), "1: progress: there is no such field"),
        (("name: a circle", "config: circle"), "1: config: expected fields"),
    ],
)
def test_an_error_names_the_line_and_the_field(
    written: Any, running: Running, change: tuple[str, str], told: str
) -> None:
    path = written(EXPERIMENT.replace(*change))
    said = playground("run", path, "--server", running.address)
    assert said.exit_code == 2, said.output
    assert f"{path}:" in said.stderr
    assert told in said.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs: [", ":1: "),
        ("data: spiral\nepochs: 3\ndata: circle\n", ":3: data: stands here twice"),
        ("- a list", ":1: expected fields"),
        ("", ":1: expected fields"),
        ("hidden:\n  - {width: 1, width: 2}\n", ":2: width: stands here twice"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_line(written: Any, text: str, told: str) -> None:
    with pytest.raises(Refusal) as refusal:
        Document(written(text))
    assert told in str(refusal.value)


def test_numbers_are_written_as_in_python(written: Any) -> None:
    values = Document(written("a: 1e-3\nb: 1E5\nc: 2.5e+3\nd: e3\n")).values
    assert values == {"a": 0.001, "b": 1e5, "c": 2500.0, "d": "e3"}


def test_nobody_at_the_address_is_said(written: Any) -> None:
    told = playground("run", written(EXPERIMENT), "--server", "http://127.0.0.1:9")
    assert told.exit_code == 1
    assert "127.0.0.1:9" in told.stderr
