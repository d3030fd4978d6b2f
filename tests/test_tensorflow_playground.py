"""Links of TensorFlow Playground open as the same experiment: its points, weights, mini-batches and curves.

`golden/tensorflow_playground.json` has what the original makes of 20 links, calculated in float64; here
training is in float32.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch

from playground.catalogue.features import columns
from playground.errors import ValidationFailed
from playground.run.config import Config
from playground.run.tensorflow_playground import FEATURES, KNOWN, imported
from playground.run.validation import parse
from playground.seedrandom import SeedRandom
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TrainingLoop
from playground.training.weights import read_weights
from playground.worker.snapshot import load, save
from tests.loops import COMPILED, REFERENCE, change, start, weights

GOLDEN = json.loads(
    Path(__file__).with_name("golden").joinpath("tensorflow_playground.json").read_text(encoding="utf-8")
)
EXPERIMENTS = GOLDEN["experiments"]
HOST = "https://playground.tensorflow.org/"
links = pytest.mark.parametrize("theirs", EXPERIMENTS, ids=lambda theirs: theirs["link"][:50])
FLOAT32 = 1e-5
"""What 100 epochs in float32 may be off by."""


def config_of(theirs: dict[str, Any]) -> Config:
    return imported(HOST + "#" + theirs["link"]).config


def flat(layers: list[dict[str, np.ndarray]]) -> np.ndarray:
    """Of each layer, for every unit its weights and then its bias."""
    rows = [np.concatenate([layer["weight"].T, layer["bias"][:, None]], axis=1) for layer in layers]
    return np.concatenate([row.ravel() for row in rows])


def expected(layers: list[list[list[float]]]) -> np.ndarray:
    return np.concatenate([np.ravel(layer) for layer in layers])


@pytest.mark.parametrize(("seed", "numbers"), GOLDEN["seeds"], ids=lambda part: str(part)[:10])
def test_the_numbers_of_a_seed_are_those_of_seedrandom(seed: str, numbers: list[float]) -> None:
    stream = SeedRandom(seed)
    assert [stream.random() for _ in numbers] == numbers


@links
def test_points_are_where_they_are_there(theirs: dict[str, Any]) -> None:
    config = config_of(theirs)
    points = config.data.points(config.seed)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(points[::10], theirs["every_tenth"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(points.sum(axis=0), theirs["sums"], rtol=0, atol=1e-9)
    assert len(config.data.split(config.seed, {}).train_inputs) == theirs["train"]


@links
def test_weights_begin_as_they_do_there(theirs: dict[str, Any]) -> None:
    np.testing.assert_array_equal(
        flat(weights(start(config_of(theirs)))), expected(theirs["initial"]).astype(np.float32)
    )


@pytest.mark.usefixtures("kernel")
@links
def test_training_goes_as_it_does_there(theirs: dict[str, Any]) -> None:
    loop = start(config_of(theirs), COMPILED)
    curve = []
    for _ in range(GOLDEN["epochs"]):
        loop.train(loop.experiment.steps_per_epoch)
        evaluated = loop.measure()[0].named()
        curve.append([evaluated["train_loss"], evaluated["test_loss"]])
    assert isinstance(loop.trainer, CompiledTrainer), "it fell back"
    assert (loop.state.epoch, loop.state.cursor) == (GOLDEN["epochs"], 0)
    np.testing.assert_allclose(curve, theirs["curve"][1:], rtol=0, atol=FLOAT32)
    np.testing.assert_allclose(flat(weights(loop)), expected(theirs["trained"]), rtol=FLOAT32, atol=FLOAT32)
    assert int(loop.state.pruned.sum()) == theirs["dead"]


@pytest.mark.parametrize("index", [2, 7, 16])
def test_the_reference_trainer_does_the_same_in_float64(index: int) -> None:
    """Mini-batches that do not fill the epoch, weights that L1 prunes, and a small set of points."""
    theirs = EXPERIMENTS[index]
    config = config_of(theirs)
    loop = in_float64(start(config))
    steps = loop.experiment.steps_per_epoch * GOLDEN["epochs"]
    loop.trainer.step(np.full((steps, 1), config.optimizer.lr))
    found = flat(read_weights(loop.experiment.network, loop.state))
    np.testing.assert_allclose(found, expected(theirs["trained"]), rtol=0, atol=1e-9)
    assert int(loop.state.pruned.sum()) == theirs["dead"]


def in_float64(loop: TrainingLoop) -> TrainingLoop:
    config, network = loop.config, loop.experiment.network
    points = torch.tensor(config.data.points(0))  # pyright: ignore[reportAttributeAccessIssue]
    labels = (
        points[:, 2] if loop.experiment.dataset.task.kind == "regression" else (points[:, 2] > 0).double()
    )
    experiment = replace(
        loop.experiment, all_x=columns(config.features, points[:, :2])[None], all_y=labels[None]
    )
    state = replace(
        loop.state,
        **{
            name: getattr(loop.state, name).double()
            for name in ("weights", "buffers", "slots", "updates", "pruned")
        },
        stride=2**40,  # nothing is measured on the way
    )
    shapes = [(layer.inputs, layer.width) for layer in network.layers]
    drawn = config.init.weights(shapes, state.seeds)
    for parameters, weight in zip(network.parameters(state.weights), drawn, strict=True):
        parameters["weight"].copy_(weight)
        parameters["bias"].fill_(config.init.bias)
    return TrainingLoop(experiment, state, REFERENCE)


# What a link says


def test_a_link_alone_is_the_default_experiment_there() -> None:
    found = imported(HOST)
    config = found.config
    assert [note.code for note in found.notes] == ["import.no_seed"]
    assert (config.data.kind, config.features, config.batch_size) == (
        "tensorflow_playground",
        ("x1", "x2"),
        10,
    )
    assert [(layer.width, layer.activation.kind) for layer in config.hidden] == [(4, "tanh"), (2, "tanh")]
    assert (config.optimizer.kind, config.optimizer.lr, config.l1, config.l2) == ("sgd", 0.03, 0, 0)


def test_all_of_its_settings_are_known() -> None:
    assert len(KNOWN) == 27  # and what ends with _hide


@pytest.mark.parametrize("address", [HOST + "#", "http://playground.tensorflow.org/#", "#", ""])
def test_a_link_may_come_whole_or_in_part(address: str) -> None:
    theirs = EXPERIMENTS[0]
    found = imported(f" {address}{theirs['link']}\n")
    assert found.config == config_of(theirs)
    assert not found.notes


@pytest.mark.parametrize("link", ["", "#", "https://example.org/", "https://example.org/#c=abc", "hello"])
def test_what_is_no_such_link_is_refused(link: str) -> None:
    with pytest.raises(ValidationFailed) as failed:
        imported(link)
    assert [(e.field, e.code) for e in failed.value.errors] == [("link", "rule.no_playground_link")]


def test_a_link_with_an_unknown_setting_opens_and_says_what_it_ignored() -> None:
    found = imported(HOST + "#seed=0.5&dropout=0.2&numberOfCats=3")
    assert [(note.code, note.values) for note in found.notes] == [
        ("import.unknown_keys", {"keys": ["dropout", "numberOfCats"]})
    ]
    assert found.config == imported(HOST + "#seed=0.5").config


@pytest.mark.parametrize(
    ("setting", "code", "patch"),
    [
        ("activation=swish", "import.unknown_value", {}),
        ("dataset=reg-plane", "import.unknown_value", {}),
        ("batchSize=many", "import.unknown_value", {}),
        ("batchSize=0", "import.out_of_bounds", {"batch_size": 1}),
        ("batchSize=300", "import.never_learns", {"batch_size": 300}),
        ("learningRate=1000", "import.out_of_bounds", {"optimizer": {"lr": 100.0}}),
        ("percTrainData=5", "import.out_of_bounds", {"data": {"train_fraction": 0.1}}),
        ("noise=95", "import.as_there", {"data": {"noise": 0.5}}),
        ("noise=-5", "import.as_there", {}),
        ("networkShape=4,,x", "import.unknown_value", {"hidden": [{"width": 4}]}),
        ("cosX=true", "import.no_cosine", {}),
        ("collectStats=true", "import.no_statistics", {}),
        ("tutorial=dp", "import.no_tutorial", {}),
        ("hideText=true", "import.no_text", {}),
        ("y_hide=true", "import.hidden_inputs", {"features": ["x1"]}),
        ("x=false&y=false", "import.no_inputs", {"features": ["x1"]}),
        ("problem_hide=true", "import.not_hidden", {}),
    ],
)
def test_what_has_no_counterpart_is_said_in_a_line(setting: str, code: str, patch: dict[str, Any]) -> None:
    found = imported(f"#seed=0.5&{setting}")
    assert [note.code for note in found.notes] == [code]
    plain = imported("#seed=0.5").config
    raw = plain.model_dump(mode="json")
    for name, value in patch.items():
        raw[name] = {**raw[name], **value} if isinstance(value, dict) else value
    if "hidden" in patch:
        raw["hidden"] = raw["hidden"][:0] + [
            {**plain.hidden[0].model_dump(mode="json"), **layer} for layer in patch["hidden"]
        ]
    assert found.config == parse(raw)


@pytest.mark.parametrize(
    "setting", ["activation=", "x", "noise= ", "noise=65", "networkShape=4%2C2", "_hide=no"]
)
def test_what_means_nothing_there_is_passed_over(setting: str) -> None:
    assert not imported(f"#seed=0.5&{setting}").notes


def test_hidden_controls_are_hidden_here_by_their_names() -> None:
    found = imported(
        "#seed=0.5&playButton_hide=true&regularization_hide=true&noise_hide=true&dataset_hide=false"
    )
    assert found.hide == ("play", "l1", "l2", "l1_prunes", "data.noise")
    assert not found.notes
    assert (found.show_test, found.discretise) == (False, False)
    looked = imported("#seed=0.5&showTestData=true&discretize=true")
    assert (looked.show_test, looked.discretise) == (True, True)


def test_every_input_there_is_a_feature_here() -> None:
    found = imported("#seed=0.5&" + "&".join(f"{key}=true" for key in FEATURES))
    assert found.config.features == tuple(FEATURES.values())


def test_other_seeds_of_a_config_give_other_points_and_weights() -> None:
    config = imported("#seed=0.5").config
    again = config.model_copy(update={"seed": 1})
    assert not np.allclose(config.data.sample(0, {})[0], config.data.sample(1, {})[0])
    assert not np.allclose(flat(weights(start(config))), flat(weights(start(again))))
    both = start(config, seeds=(0, 1)).state.weights
    np.testing.assert_array_equal(both[1:], start(again).state.weights)


def test_a_network_too_large_for_numbers_one_by_one_is_refused() -> None:
    with pytest.raises(ValidationFailed) as failed:
        parse({"init": {"kind": "tensorflow_playground_weights"}, "hidden": [{"width": 200}] * 3})
    assert [(e.field, e.code) for e in failed.value.errors] == [("init", "rule.seeded_weights")]


# What L1 has pruned


def pruning() -> TrainingLoop:
    loop = start(config_of(EXPERIMENTS[7]))
    loop.train(loop.experiment.steps_per_epoch * 12)
    assert 0 < loop.state.pruned.sum() < loop.state.pruned.numel()
    return loop


def test_pruned_weights_stay_zero_after_a_snapshot_and_with_other_layers() -> None:
    loop = load(save(pruning().config, pruning().state))
    before = loop.state.pruned.clone()
    loop.train(50)
    assert not loop.state.weights[before > 0].any()
    gone = loop.state.pruned.clone()
    change(loop, {"hidden": [{"width": 4}, {"width": 3}]})
    loop.train(50)
    kept = loop.experiment.network.parameters(loop.state.pruned)[0]["weight"]
    first = gone[0, : kept.numel()].reshape(kept.shape[1:])
    assert (kept[0] >= first).all()
    assert first.any()


def test_pruned_weights_come_back_when_pruning_ends() -> None:
    loop = pruning()
    gone = loop.state.pruned.clone() > 0
    change(loop, {"l1_prunes": False, "l1": 0.0})
    loop.train(50)
    assert loop.state.weights[gone].any()
    assert not loop.state.pruned.any()


def test_a_link_is_imported_over_http(client: httpx.Client) -> None:
    answer = client.post("/api/import", json={"link": HOST + "#seed=0.5&dataset=xor&cats=1"})
    assert answer.status_code == 200
    found = answer.json()
    assert [note["text"] for note in found["notes"]] == ["Unknown, and ignored: cats"]
    made = client.post("/api/sessions", json={"config": found["config"]})
    assert made.status_code == 201
    assert made.json()["config"]["data"]["dataset"] == "xor"
    refused = client.post("/api/import", json={"link": "https://example.org/"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "link"
