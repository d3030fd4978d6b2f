"""What is taken home says what the session did, and gives the same numbers."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import nbclient
import nbformat
import numpy as np
import pytest
import safetensors.torch
import torch

from bench.exported import experiment, losses, off, told
from playground.catalogue.activations import Activation
from playground.catalogue.component import Component, members
from playground.catalogue.inits import Init
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.schedules import Schedule
from playground.errors import ValidationFailed
from playground.export.formats import FORMATS
from playground.export.notebook import notebook
from playground.export.pytorch import Script, script
from playground.export.taken import CannotExport, Taken
from playground.run.run import Run
from playground.run.validation import parse
from tests.guest import Guest
from tests.loops import REFERENCE, start, weights

SMALL = {"data": {"kind": "spiral", "samples": 40}, "version": 2}
WHOLE = {
    **SMALL,
    "features": ["x1", "x2", "sin(x1)"],
    "hidden": [
        {"width": 4, "normalization": {"kind": "batchnorm"}, "activation": {"kind": "prelu"}},
        {"width": 4, "normalization": {"kind": "layernorm"}, "shortcut": {"kind": "residual"}},
        {"width": 3, "normalization": {"kind": "rmsnorm"}, "shortcut": {"kind": "dense"}, "dropout": 0.1},
    ],
}


def taken(raw: dict[str, Any], steps: int = 0, history: dict[str, Any] | None = None) -> Taken:
    loop = start(raw)
    loop.train(steps)
    return Taken(Run(loop.config), steps, weights(loop), history or {}, {})


@pytest.mark.parametrize("seed", [1, 6, 15])
def test_a_script_gives_the_losses_of_the_session(seed: int) -> None:
    assert off(experiment(seed, REFERENCE, steps=120)) < 0.01


FAMILIES: list[tuple[str, type[Component]]] = [
    ("loss", Loss),
    ("optimizer", Optimizer),
    ("schedule", Schedule),
    ("init", Init),
]


@pytest.mark.parametrize("family", [family for _, family in FAMILIES], ids=lambda family: family.__name__)
def test_every_entry_of_the_catalogue_can_be_exported(family: type[Component]) -> None:
    [name] = [name for name, each in FAMILIES if each is family]
    for member in members(family):
        for data in ("spiral", "blobs", "plane"):
            try:
                config = parse({"data": {"kind": data, "samples": 20}, name: {"kind": member.name()}})
            except ValidationFailed:
                continue
            compile(script(Taken(Run(config), 1, [], {}, {})), member.name(), "exec")


@pytest.mark.parametrize("family", [Activation, Normalization])
def test_every_layer_evaluates_alike(family: type[Component]) -> None:
    """By the class of the script, with the weights of the file beside it."""
    for member in members(family):
        part = family.__name__.lower()
        raw = {**SMALL, "hidden": [{"width": 3, part: {"kind": member.name()}}, {"width": 2}]}
        check_outputs(raw)


def test_weights_fit_the_class_of_the_script() -> None:
    check_outputs(WHOLE)


def check_outputs(raw: dict[str, Any]) -> None:
    loop = start(raw)
    loop.train(20)
    run = Taken(Run(loop.config), 20, weights(loop), {}, {})
    known: dict[str, Any] = {}
    for section in Script(run).sections():
        if section.title in ("Imports", "Data", "Settings", "Maths", "Features", "Network"):
            exec(section.code, known)
    network = known["Network"]()
    network.load_state_dict(safetensors.torch.load(FORMATS["safetensors"].write(run)), strict=True)
    network.eval()
    with torch.no_grad():
        output = network(known["features"](torch.from_numpy(run.dataset.test_inputs))).numpy()
    count = loop.experiment.count
    ours = loop.trainer.activations(loop.experiment.all_x)[-1:].T[count:]
    np.testing.assert_allclose(output, ours, atol=1e-5)


def test_a_notebook_runs_to_its_end(tmp_path: Path) -> None:
    run = experiment(1, REFERENCE, steps=40)
    book = nbformat.reads(notebook(run).decode(), as_version=4)
    nbformat.validate(book)
    assert {cell.cell_type for cell in book.cells} == {"markdown", "code"}
    nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(output.text for cell in book.cells for output in cell.get("outputs", []))
    shown = float(printed.rpartition("training loss ")[2].partition(",")[0])
    assert shown == pytest.approx(losses(run)[0], rel=0.01)


def test_tensorboard_reads_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = {
        "index": [0, 1],
        "step": [0, 8],
        "epoch": [0, 0.5],
        "train_loss": [0.7, 0.5],
        "grad_norm.0": [None, 2],
    }
    run = taken(SMALL, history=history)
    (tmp_path / f"events{FORMATS['tensorboard'].ending}").write_bytes(FORMATS["tensorboard"].write(run))
    read = EventAccumulator(str(tmp_path)).Reload()
    assert [(point.step, point.value) for point in read.Scalars("loss/train")] == [
        (0, pytest.approx(0.7)),
        (8, 0.5),
    ]
    assert [point.step for point in read.Scalars("grad_norm/0")] == [8]


def test_the_data_are_a_table_with_the_units_of_their_file() -> None:
    run = taken({"data": {"kind": "iris"}})
    rows = list(csv.DictReader(io.StringIO(FORMATS["data.csv"].write(run).decode())))
    assert len(rows) == 150
    assert {row["target"] for row in rows} == {"setosa", "versicolor", "virginica"}
    assert {row["part"] for row in rows} == {"train", "test"}
    assert max(float(row["petal length (cm)"]) for row in rows) == pytest.approx(6.9, abs=1e-4)


def test_what_no_script_can_say_is_refused_by_name() -> None:
    with pytest.raises(CannotExport, match="trains 2 at once"):
        script(Taken(Run(parse({"replicas": 2})), 0, [], {}, {}))


@pytest.fixture
def guest(client: httpx.Client) -> Guest:
    return Guest(client, client.post("/api/sessions", json={"config": SMALL}).json())


def test_a_session_is_taken_home(client: httpx.Client, guest: Guest) -> None:
    guest.do("POST", "/step", {"steps": 30})
    for name, each in FORMATS.items():
        answer = client.get(f"/api/sessions/{guest.id}/export/{name}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == each.media_type
        assert f'filename="spiral-2-4-2-1{each.ending}"' in answer.headers["content-disposition"]
        assert answer.content
    run = client.get(f"/api/sessions/{guest.id}/export/run").json()
    again = client.post("/api/sessions", json=run).json()
    ours, theirs = (client.get(f"/api/sessions/{id}/weights").json() for id in (guest.id, again["id"]))
    assert ours == theirs
    program = client.get(f"/api/sessions/{guest.id}/export/pytorch").content
    assert told(program, sys.executable)[0] == pytest.approx(again["metrics"]["train_loss"], rel=0.01)
    assert json.loads(client.get(f"/api/sessions/{guest.id}/export/config").content)["data"]["samples"] == 40


def test_an_unknown_format_is_refused(client: httpx.Client, guest: Guest) -> None:
    answer = client.get(f"/api/sessions/{guest.id}/export/pickle")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "format"


def test_a_scripted_run_is_taken_home(client: httpx.Client) -> None:
    wish = {"config": SMALL, "steps": 20, "timeline": [{"step": 10, "change": {"optimizer": {"lr": 0.1}}}]}
    run = client.post("/api/runs", json=wish, headers={"Prefer": "wait=30"}).json()
    program = client.get(f"/api/runs/{run['id']}/export/pytorch").content
    assert b"train(10)" in program
    assert told(program)[0] == pytest.approx(run["metrics"]["train_loss"], rel=0.01)
