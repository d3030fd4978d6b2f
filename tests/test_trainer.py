"""Training: repeatable, stacked or alone, exact where there is an exact answer."""

import math

import numpy as np
import pytest
import torch

from playground import limits
from playground.catalogue.component import Task, members
from playground.catalogue.optimizers import Optimizer
from playground.errors import ValidationFailed
from playground.run.validation import parse
from playground.training.batches import Batches
from playground.training.divergence import Diverged
from playground.training.network import Network
from playground.worker.snapshot import load, save
from tests.loops import REFERENCE, frame, maps, metrics, put_weight, put_weights, start, weights

BUSY = {
    "hidden": [
        {"width": 6, "normalization": {"kind": "batchnorm"}, "dropout": 0.2},
        {"width": 4, "activation": {"kind": "relu"}},
    ],
    "input_dropout": 0.1,
    "l1": 0.001,
    "l2": 0.001,
    "clip_norm": 1.0,
    "clip_value": 0.5,
    "max_norm": 2.0,
    "input_noise": 0.1,
    "data": {"kind": "spiral", "noise": 0.1},
}
XOR = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]


def points(rows, **config):
    return parse({"data": {"kind": "points", "points": rows, "test_points": []}, "batch_size": 4} | config)


def next_batch(loop):
    return Batches(loop.experiment, loop.state.seeds).next(loop.state.copy())


def test_the_same_run_twice_is_the_same_bit_for_bit():
    one, other = start(BUSY), start(BUSY)
    history = one.train(300)
    pieces = np.concatenate([other.train(3).rows for _ in range(100)])
    np.testing.assert_array_equal(history.rows, pieces)
    for a, b in zip(one.state.tensors(), other.state.tensors(), strict=True):
        assert torch.equal(a, b)


def test_a_stack_learns_what_each_network_learns_alone():
    stack = start(BUSY, seeds=(0, 7, 8))
    stack.train(100)
    for row, seed in enumerate((0, 7, 8)):
        alone = start(BUSY, seeds=(seed,))
        alone.train(100)
        torch.testing.assert_close(stack.state.weights[row], alone.state.weights[0], rtol=1e-4, atol=1e-5)


def test_another_seed_gives_another_network():
    one, other = start(parse({})), start(parse({"seed": 1}))
    assert not torch.equal(one.state.weights, other.state.weights)


def test_a_snapshot_goes_on_as_if_nothing_had_happened():
    loop = start(BUSY)
    loop.train(37)
    other = load(save(loop.config, loop.state), trainers=REFERENCE)
    np.testing.assert_array_equal(loop.train(90).rows, other.train(90).rows)
    assert torch.equal(loop.state.weights, other.state.weights)


def test_an_epoch_takes_every_sample_once():
    loop = start(parse({"data": {"kind": "circle", "samples": 46}, "batch_size": 5}))
    assert loop.experiment.steps_per_epoch == 5
    seen = []
    for _ in range(5):
        seen.append(next_batch(loop)[0][0])
        loop.train(1)
    assert [len(batch) for batch in seen] == [5, 5, 5, 5, 3]
    assert loop.state.epoch == 1
    rows = torch.cat(seen).numpy()
    expected = loop.experiment.dataset.train_inputs
    np.testing.assert_allclose(rows[np.lexsort(rows.T)], expected[np.lexsort(expected.T)])


def test_dropout_silences_its_share_in_training_and_nothing_in_evaluation():
    config = {"hidden": [{"width": 200, "dropout": 0.3}], "batch_size": 250}
    loop = start(config)
    masks = next_batch(loop)[2][1]
    assert masks is not None
    assert float((masks == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(masks.mean()) == pytest.approx(1, abs=0.01)
    without = start(parse({"hidden": [{"width": 200}], "batch_size": 250}))
    np.testing.assert_array_equal(maps(loop, 20)["neurons"], maps(without, 20)["neurons"])


def test_input_noise_is_of_its_size_in_training_and_nothing_in_evaluation():
    loop, calm = (start({"input_noise": size, "batch_size": 250}) for size in (0.5, 0.0))
    before = metrics(loop)
    assert before == metrics(calm)
    offs = []
    for _ in range(40):
        offs.append(next_batch(loop)[0] - next_batch(calm)[0])
        loop.state.step += 1
        calm.state.step += 1
    offs = torch.cat(offs, dim=1)[0]
    assert offs.mean(dim=0).abs().max() < 0.02
    torch.testing.assert_close(offs.std(dim=0), torch.full((2,), 0.5), rtol=0.02, atol=0)
    assert abs(float(torch.corrcoef(offs.T)[0, 1])) < 0.03
    loop.train(50)
    assert metrics(loop) == metrics(loop)


def test_max_norm_shortens_what_is_too_long_and_leaves_the_rest():
    loop = start(points(XOR, hidden=[], max_norm=1.0, optimizer={"kind": "sgd", "lr": 1e-6}))
    put_weights(loop, [{"weight": [[3.0], [-4.0]], "bias": [7.0]}])
    loop.train(1)
    assert weights(loop)[0]["weight"][:, 0] == pytest.approx([0.6, -0.8], abs=1e-4)
    assert weights(loop)[0]["bias"][0] == pytest.approx(7.0, abs=1e-4)
    put_weights(loop, [{"weight": [[0.3], [-0.4]], "bias": [7.0]}])
    loop.train(1)
    assert weights(loop)[0]["weight"][:, 0] == pytest.approx([0.3, -0.4], abs=1e-4)


def test_full_batch_is_the_same_whatever_the_order():
    config = {"batch_size": 10_000, "data": {"kind": "circle", "samples": 60}}
    ordered, shuffled = (start(parse(config | {"shuffle": s})) for s in (False, True))
    ordered.train(30)
    shuffled.train(30)
    torch.testing.assert_close(ordered.state.weights, shuffled.state.weights, rtol=1e-3, atol=1e-4)


def test_history_is_bounded_and_keeps_its_ends():
    loop = start(parse({"data": {"kind": "circle", "samples": 10}, "hidden": []}))
    samples = loop.train(5000)
    stride = loop.state.stride
    steps = samples.column("step")
    kept = steps[steps % stride == 0]
    assert stride == 8
    assert limits.HISTORY_SAMPLES / 2 <= len(kept) <= limits.HISTORY_SAMPLES
    assert samples.column("index").tolist() == list(range(len(samples)))
    assert kept[-1] == 5000


def test_divergence_stops_before_the_step_that_is_not_finite():
    config = {
        "data": {"kind": "plane"},
        "optimizer": {"kind": "sgd", "lr": 50.0},
        "hidden": [{"activation": {"kind": "relu"}}],
    }
    loop = start(config)
    with pytest.raises(Diverged) as stopped:
        loop.train(1000)
    diverged = stopped.value
    assert loop.state.step == diverged.step - 1
    assert all(torch.isfinite(tensor).all() for tensor in loop.state.tensors())
    assert 0 <= diverged.layer <= 1
    assert "finite" in diverged.detail.text or "bound" in diverged.detail.text
    again = start(config)
    if diverged.step > 1:
        again.train(diverged.step - 1)
    assert torch.equal(again.state.weights, loop.state.weights)
    loop.change(parse(config | {"optimizer": {"kind": "sgd", "lr": 1e-9}}))
    put_weights(loop, [{"weight": np.zeros((2, 4)), "bias": np.zeros(4)}, {"weight": np.zeros((4, 1))}])
    loop.train(10)


# Checked against arithmetic by hand


def hand_made(weights, activation, output="linear", features=("x1", "x2"), **config):
    hidden = [{"width": np.shape(w["weight"])[1], "activation": {"kind": activation}} for w in weights[:-1]]
    data = config.pop("data", XOR)
    loop = start(
        points(
            data,
            hidden=hidden,
            output={"activation": {"kind": output}},
            loss={"kind": "mse"},
            features=list(features),
            **config,
        )
    )
    put_weights(loop, weights)
    return loop


def test_relu_network_by_hand_solves_xor():
    weights = [{"weight": [[1, 1], [1, 1]], "bias": [0, -1]}, {"weight": [[1], [-2]], "bias": [0]}]
    loop = hand_made(weights, "relu")
    measured = metrics(loop)
    assert measured["train_loss"] == pytest.approx(0, abs=1e-12)
    assert (measured["train_accuracy"], measured["test_accuracy"]) == (1.0, None)


def test_sigmoid_network_by_hand_gives_the_worked_output():
    weights = [
        {"weight": [[1.764, 0.400], [0.978, 2.240]], "bias": [0.950, -0.151]},
        {"weight": [[1.867], [-0.977]], "bias": [-0.103]},
    ]
    loop = hand_made(weights, "sigmoid", "sigmoid", data=[[4.218, 2.234, 0.5]])
    assert frame(loop)["train_predictions"] == pytest.approx([0.68748], abs=1e-5)


def test_one_step_of_backpropagation_by_hand():
    """E = (t - y)²/2 at rate 1 is our mean squared error at rate 1/2; biases are put back to zero."""
    first = [
        {"weight": [[0.2, 0.3], [0.2, 0.3]], "bias": [0, 0]},
        {"weight": [[0.3], [0.9]], "bias": [0]},
    ]
    loop = hand_made(
        first, "sigmoid", "sigmoid", data=[[0.35, 0.7, 0.5]], optimizer={"kind": "sgd", "lr": 0.5}
    )
    assert frame(loop)["train_predictions"] == pytest.approx([0.66507], abs=1e-5)
    loop.train(1)
    hidden, output = weights(loop)
    np.testing.assert_allclose(output["weight"], [[0.27969], [0.87874]], atol=1e-5)
    np.testing.assert_allclose(hidden["weight"], [[0.19905, 0.29718], [0.19809, 0.29435]], atol=1e-5)
    put_weights(loop, [{"bias": [0, 0]}, {"bias": [0]}])
    assert frame(loop)["train_predictions"] == pytest.approx([0.65955], abs=1e-5)


def test_a_deep_linear_network_cannot_do_xor():
    loop = start(
        points(
            XOR,
            hidden=[{"width": 4, "activation": {"kind": "linear"}}] * 3,
            loss={"kind": "mse"},
            optimizer={"kind": "adam", "lr": 0.01},
        )
    )
    loop.train(3000)
    assert metrics(loop)["train_loss"] == pytest.approx(0.25, abs=1e-4)


def test_one_step_of_l2_alone_by_hand():
    loop = start(
        points([[0, 0, 0.0], [0, 0, 0.5]], hidden=[], features=["x1"], loss={"kind": "mse"}, l2=1.0,
               optimizer={"kind": "sgd", "lr": 0.1})
    )  # fmt: skip
    put_weights(loop, [{"weight": [[2.0]], "bias": [0.25]}])
    loop.train(1)
    assert weights(loop)[0]["weight"][0, 0] == pytest.approx(1.8)


LINE = {
    "data": [[i % 7 - 3.0, i % 5 - 2.0, 0.25 * (i % 7 - 3)] for i in range(35)],
    "hidden": [],
    "loss": {"kind": "mse"},
    "batch_size": 35,
}
"""The target is 0.25 x1 and has nothing to do with x2; the mean of x1² is 4."""
RATES = {"adadelta": 0.3, "adagrad": 0.1, "adam": 0.01, "adamw": 0.01, "lion": 0.002}
RATES |= {"momentum": 0.005, "nesterov": 0.005, "rmsprop": 0.005}


def line(l1, **config):
    return start(points(LINE["data"], **{key: LINE[key] for key in LINE if key != "data"}, l1=l1, **config))


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Optimizer)])
def test_l1_makes_a_weight_that_is_not_needed_exactly_zero(kind):
    """They never were: L1 took them to and fro across zero."""
    loop = line(0.4, optimizer={"kind": kind, "lr": RATES.get(kind, 0.02)})
    put_weights(loop, [{"weight": [[0.9], [-0.7]], "bias": [0.3]}])
    loop.train(1500)
    for _ in range(50):
        loop.train(1)
        assert weights(loop)[0]["weight"][1, 0] == 0.0
    # As least squares with L1 has it: 2 · 4 (0.25 - w) = 0.4.
    tolerance = 0.05 if kind == "adamw" else 0.02  # AdamW shrinks weights besides
    assert weights(loop)[0]["weight"][0, 0] == pytest.approx(0.2, abs=tolerance)
    assert weights(loop)[0]["bias"][0] == pytest.approx(0, abs=0.01), "L1 leaves biases alone"


def test_l1_stronger_than_the_loss_makes_all_weights_zero_and_less_lets_them_go():
    loop = line(3.0, optimizer={"kind": "adam", "lr": 0.01})
    loop.train(800)
    assert not weights(loop)[0]["weight"].any()
    loop.change(loop.config.model_copy(update={"l1": 0.4}))
    loop.train(800)
    assert weights(loop)[0]["weight"][:, 0] == pytest.approx([0.2, 0], abs=0.01)
    assert weights(loop)[0]["weight"][1, 0] == 0.0


def test_l1_thins_out_a_network_that_goes_on_learning():
    features = ["x1", "x2", "x1^2", "x2^2", "sin(x1)", "sin(x2)"]
    loop = start({"features": features, "hidden": [{"width": 6}], "l1": 0.03})
    loop.train(1500)
    every = np.concatenate([layer["weight"].ravel() for layer in weights(loop)])
    assert (every == 0).mean() > 0.7
    assert (metrics(loop)["train_accuracy"] or 0) > 0.97


def test_hidden_units_of_a_zero_init_stay_identical():
    loop = start(parse({"init": {"kind": "zero"}, "hidden": [{"activation": {"kind": "sigmoid"}}]}))
    loop.train(200)
    weight = weights(loop)[0]["weight"]
    assert weight.any()
    np.testing.assert_array_equal(weight, weight[:, :1].repeat(4, axis=1))


@pytest.mark.parametrize(
    ("widths", "inputs", "batchnorm", "trainable", "running"),
    [([2], 2, False, 9, 0), ([64, 32], 20, True, 3649, 192), ([128, 64], 32, False, 12545, 0)],
)
def test_parameters_count_up(widths, inputs, batchnorm, trainable, running):
    config = parse({"hidden": [{"width": width, "batchnorm": batchnorm} for width in widths]})
    features = tuple(f"x{i + 1}" for i in range(inputs))
    network = Network.of(config.model_copy(update={"features": features}), Task("binary", 2, inputs))
    assert (network.size, network.buffer_size) == (trainable, running)


# Looking


def test_metrics_are_those_of_the_definitions():
    loop = start(parse({"data": {"kind": "multi_gauss"}}))
    loop.train(100)
    measured, arrays = metrics(loop), frame(loop)
    target, predicted = loop.experiment.dataset.test_targets, arrays["test_predictions"]
    assert measured["test_mae"] == pytest.approx(np.abs(target - predicted).mean(), rel=1e-4)
    assert measured["test_r2"] == pytest.approx(
        1 - ((target - predicted) ** 2).sum() / ((target - target.mean()) ** 2).sum(), rel=1e-4
    )
    assert measured["test_loss"] == pytest.approx(((target - predicted) ** 2).mean(), rel=1e-4)


def test_confusion_counts_every_point_once_and_agrees_with_the_accuracy():
    loop = start(parse({"data": {"kind": "blobs", "classes": 4, "samples": 200}}))
    loop.train(30)
    arrays, measured = frame(loop), metrics(loop)
    for part, name in enumerate(("train", "test")):
        matrix = arrays["confusion"][part]
        targets = getattr(loop.experiment.dataset, f"{name}_targets")
        np.testing.assert_array_equal(matrix.sum(axis=1), np.bincount(targets, minlength=4))
        assert matrix.trace() / matrix.sum() == pytest.approx(measured[f"{name}_accuracy"])


@pytest.mark.parametrize("data", ["circle", "blobs", "plane"])
def test_maps_have_the_right_way_up(data):
    """The map's cell at a point says what the network says there: row 0 is the top."""
    loop = start(parse({"data": {"kind": data}, "hidden": []}))
    units = loop.experiment.network.layers[-1].width
    weight = np.zeros((2, units))
    weight[:, 0] = [1.0, 100.0]
    put_weights(loop, [{"weight": weight, "bias": np.zeros(units)}])
    neuron = maps(loop, 12)["neurons"][0]
    assert neuron[0, 0] == pytest.approx(100 * 5.5 - 5.5)
    assert neuron[-1, -1] == pytest.approx(-100 * 5.5 + 5.5)
    arrays = frame(loop, 12, 12)
    low, high = arrays["neurons_range"][0]
    shown = low + arrays["neurons"][0] / 255 * (high - low)
    np.testing.assert_allclose(shown, neuron, atol=(high - low) / 255)


def test_a_frame_of_a_large_network_is_coarser_but_whole():
    loop = start(parse({"hidden": [{"width": 256}] * 12}))
    arrays = frame(loop, 20, 100)
    assert arrays["neurons"].shape[0] == 12 * 256 + 1
    assert 8 <= arrays["decision"].shape[0] < 100


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ([{}], "layers"),
        ([{"weight": [[1, 2]]}, {}, {}], "layers.0.weight"),
        ([{}, {"bias": [1, 2, 3]}, {}], "layers.1.bias"),
        ([{}, {"bias": [1, math.nan]}, {}], "layers.1.bias"),
        ([{}, {"bias": [1, math.inf]}, {}], "layers.1.bias"),
        ([{}, {"bias": ["a", "b"]}, {}], "layers.1.bias"),
        ([{}, {"gamma": [1, 1]}, {}], "layers.1.gamma"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_touched(layers, field):
    loop = start(parse({}))
    before = loop.state.weights.clone()
    with pytest.raises(ValidationFailed) as failed:
        put_weights(loop, layers)
    assert failed.value.errors[0].field == field
    assert torch.equal(loop.state.weights, before)


def test_weights_that_are_read_and_put_back_are_the_same():
    loop = start(BUSY)
    loop.train(30)
    before = loop.state.copy()
    put_weights(loop, [{k: v.tolist() for k, v in layer.items()} for layer in weights(loop)])
    assert torch.equal(loop.state.weights, before.weights)
    assert torch.equal(loop.state.buffers, before.buffers)


def test_one_edge_and_one_bias_can_be_set():
    loop = start(parse({}))
    put_weight(loop, 1, 3, 0, 1.5)
    put_weight(loop, 1, None, 1, -2.5)
    layer = weights(loop)[1]
    assert layer["weight"][3, 0] == 1.5
    assert layer["bias"][1] == -2.5
    for wrong in ((3, 0, 0, 1.0), (0, 2, 0, 1.0), (0, 0, 4, 1.0), (0, 0, 0, math.nan)):
        with pytest.raises(ValidationFailed):
            put_weight(loop, *wrong)


def test_a_training_set_of_one_point_trains():
    loop = start(points([[1, 1, 1]], hidden=[{"width": 3, "normalization": {"kind": "batchnorm"}}]))
    loop.train(50)
    assert metrics(loop)["train_loss"] == pytest.approx(0, abs=0.3)
