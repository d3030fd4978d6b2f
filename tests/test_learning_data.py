"""What the data sets are there to show, with networks that learn them."""

import numpy as np
import pytest

from tests.loops import COMPILED, change, frame, metrics, put_weights, start

pytestmark = pytest.mark.usefixtures("kernel")


def trained(steps: int, **config):
    loop = start(config, COMPILED)
    loop.train(steps)
    return loop


def test_two_neurons_set_by_hand_solve_xor():
    # Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.1
    loop = start(
        {
            "data": {"kind": "xor_points"},
            "hidden": [{"width": 2, "activation": {"kind": "relu"}}],
            "loss": {"kind": "mse"},
        }
    )
    put_weights(
        loop,
        [
            {"weight": [[1, 1], [1, 1]], "bias": [0, -1]},
            {"weight": [[1], [-2]], "bias": [0]},
        ],
    )
    samples, evaluation = loop.measure()
    inputs = loop.experiment.dataset.train_inputs
    answers = dict(zip(map(tuple, inputs.tolist()), evaluation.prediction.tolist(), strict=True))
    assert answers == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}
    assert samples.named()["train_loss"] == 0


def test_more_neurons_follow_a_curve_more_closely():
    # Universal approximation, N6: what is left of a sine's variance of one half
    left = []
    for width in (1, 2, 3, 8):
        loop = trained(
            20_000,
            data={"kind": "sine_curve", "samples": 400},
            hidden=[{"width": width}],
            loss={"kind": "mse"},
            optimizer={"kind": "adam", "lr": 0.003},
            batch_size=50,
        )
        left.append(metrics(loop)["test_loss"] or 0.0)
    assert left == sorted(left, reverse=True)
    assert left[0] > 0.2
    assert left[-1] < 0.01


def test_outliers_draw_a_squared_error_and_hardly_an_absolute_one():
    off = {}
    for loss in ("mse", "mae"):
        loop = trained(
            6000,
            data={"kind": "sine_curve", "samples": 1000, "outliers": 0.2, "train_fraction": 1},
            hidden=[{"width": 8}],
            loss={"kind": loss},
            optimizer={"kind": "adam", "lr": 0.01},
        )
        curve = frame(loop)["curve"][0]
        off[loss] = float(np.mean(curve - np.sin(np.linspace(-6, 6, len(curve)))))
    assert off["mse"] == pytest.approx(0.2 * 2.5, abs=0.1)  # a fifth of the points, two and a half too high
    assert abs(off["mae"]) < 0.15


def test_where_a_class_is_rare_a_network_without_a_hidden_layer_never_names_it_and_is_nearly_always_right():
    loop = trained(
        2000, data={"kind": "circle", "share": 0.05, "samples": 1000}, hidden=[], loss={"kind": "bce"}
    )
    _, evaluation = loop.measure()
    assert not evaluation.classes(loop.experiment.dataset.task).any()
    assert metrics(loop)["test_accuracy"] == pytest.approx(0.95, abs=0.02)


def test_a_layer_of_16_neurons_reads_handwritten_digits():
    loop = trained(
        6000,
        data={"kind": "digits"},
        hidden=[{"width": 16, "activation": {"kind": "relu"}}],
        optimizer={"kind": "adam", "lr": 0.003},
        batch_size=32,
    )
    accuracy = metrics(loop)["test_accuracy"]
    assert accuracy is not None
    assert accuracy > 0.9


def test_data_without_a_word_of_the_features_get_all_of_theirs():
    loop = start({"data": {"kind": "circle"}})
    for data, features in (
        ({"kind": "parity", "bits": 5}, 5),
        ({"kind": "sine_curve"}, 1),
        ({"kind": "xor"}, 2),
    ):
        change(loop, {"data": data, "features": None, "loss": None})
        assert loop.config.features == tuple(f"x{i + 1}" for i in range(features))
        assert loop.experiment.dataset.train_inputs.shape[1] == features
