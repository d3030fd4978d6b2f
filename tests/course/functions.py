"""Activations and losses."""

import math

import numpy as np
import pytest
import torch

from playground.run.validation import parse
from tests.course.rows import XOR_POINTS, row
from tests.loops import change, frame, metrics, put_weights, start, weights


def activated(kind: str, *z: float, **parameters: float) -> tuple[list[float], list[float]]:
    """Values and slopes."""
    activation = parse({"hidden": [{"activation": {"kind": kind, **parameters}}]}).hidden[0].activation
    at = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    learned = {name: torch.tensor(start, dtype=torch.float64) for name, start in activation.learned.items()}
    value = activation.forward(at, **learned)
    (slope,) = torch.autograd.grad(value.sum(), at, allow_unused=True, materialize_grads=True)
    return value.tolist(), slope.tolist()


def loss_of(raw: dict, output: list[list[float]], target: list[float], data: str = "plane") -> list[float]:
    """Of each sample: outputs (samples, units)."""
    loss = parse({"data": {"kind": data}, "loss": raw}).loss
    return loss.forward(torch.tensor([output], dtype=torch.float64), torch.tensor([target]))[0].tolist()


# --- Activations -----------------------------------------------------------------------------------------


@row("A1", "linear: depth collapses to one linear map")
def linear() -> None:
    layers = [{"width": 3, "activation": {"kind": "linear"}}] * 2
    loop = start({**XOR_POINTS, "hidden": layers, "optimizer": {"kind": "sgd", "lr": 0.1}})
    loop.train(3000)
    np.testing.assert_allclose(loop.measure()[1].prediction, 0.5, atol=1e-3)
    assert metrics(loop)["train_loss"] == pytest.approx(0.25, abs=1e-5)


@row("A2", "step: no gradient, so it cannot learn by descent")
def step() -> None:
    assert activated("step", -2.0, 0.5, 3.0) == ([0, 1, 1], [0, 0, 0])


@row("A3", "sigmoid")
def sigmoid() -> None:
    values, slopes = activated("sigmoid", 0.0, 10.0, -10.0)
    assert values == pytest.approx([0.5, 0.9999546, 4.5398e-5], rel=1e-4)
    assert max(slopes) == 0.25


@row("A4", "tanh")
def tanh() -> None:
    values, slopes = activated("tanh", 0.0, 0.7)
    assert values[1] == pytest.approx(2 * activated("sigmoid", 1.4)[0][0] - 1)
    assert slopes[0] == 1


@row("A5", "ReLU: slope 0 at and below 0")
def relu() -> None:
    assert activated("relu", -1.0, 0.0, 2.0)[1] == [0, 0, 1]


@row("A6", "leaky ReLU")
def leaky_relu() -> None:
    assert activated("leaky_relu", -2.0)[0] == pytest.approx([-0.02])


@row("A7", "PReLU: its slope is a weight that the optimizer updates")
def prelu() -> None:
    loop = start({"hidden": [{"width": 4, "activation": {"kind": "prelu"}}], "optimizer": {"kind": "sgd"}})
    (before,) = (float(weights(loop)[0][name][0]) for name in loop.config.hidden[0].activation.learned)
    loop.train(50)
    (after,) = (float(weights(loop)[0][name][0]) for name in loop.config.hidden[0].activation.learned)
    assert before == 0.25
    assert after != before


@row("A8", "ELU and SELU, with a start of its own")
def elu_and_selu() -> None:
    assert activated("elu", -1.0)[0] == pytest.approx([math.exp(-1) - 1])
    z = torch.randn(100_000, generator=torch.Generator().manual_seed(0)).tolist()
    kept = np.array(activated("selu", *z)[0])
    assert (kept.mean(), kept.var()) == pytest.approx((0, 1), abs=0.02)


@row("A9", "GELU, SiLU, softplus")
def smooth() -> None:
    assert activated("softplus", 1000.0, -1000.0)[0] == [1000, 0]
    assert activated("gelu", 1.0)[0] == pytest.approx([0.8413447], abs=1e-6)
    assert activated("silu", 1.0)[0] == pytest.approx([0.7310586])


@row("A10", "softmax with a temperature")
def softmax() -> None:
    def shares(z: list[float], temperature: float = 1.0) -> list[float]:
        raw = {"kind": "cross_entropy", "temperature": temperature}
        loop = start({"data": {"kind": "blobs", "classes": 3}, "loss": raw, "hidden": []})
        output, task = torch.tensor(z, dtype=torch.float64), loop.experiment.dataset.task
        return loop.config.loss.predict(output, task).tolist()

    assert shares([3, 1, 0.5]) == pytest.approx([0.8214, 0.1112, 0.0674], abs=1e-4)
    assert shares([2, 1, 0.1]) == pytest.approx([0.6590, 0.2424, 0.0986], abs=1e-4)
    assert shares([2, 1, 0.1], 5.0) == pytest.approx([0.3996, 0.3272, 0.2733], abs=1e-4)


# --- Losses ----------------------------------------------------------------------------------------------


@row("L1", "MSE, MAE, Huber")
def of_values() -> None:
    assert loss_of({"kind": "huber", "delta": 5.0}, [[2.0], [-20.0]], [0, 0]) == pytest.approx([2, 87.5])
    assert loss_of({"kind": "mse"}, [[3.0]], [1]) == [4]
    assert loss_of({"kind": "mae"}, [[3.0]], [1]) == [2]


@row("L2", "binary cross-entropy, from sums")
def binary_cross_entropy() -> None:
    logit = math.log(0.01 / 0.99)
    assert loss_of({"kind": "bce"}, [[logit]], [1], "circle") == pytest.approx([4.6052], abs=1e-4)
    assert loss_of({"kind": "bce"}, [[-1e4]], [1], "circle") == [1e4]


@row("L3", "categorical cross-entropy")
def categorical_cross_entropy() -> None:
    p = np.log([[0.7, 0.1, 0.2]]).tolist()
    for target, expected in ((0, 0.3567), (2, 1.6094)):
        assert loss_of({"kind": "cross_entropy"}, p, [target], "blobs") == pytest.approx([expected], abs=1e-4)
        one_hot = torch.zeros(1, 3, dtype=torch.float64)
        one_hot[0, target] = 1
        torched = torch.nn.functional.cross_entropy(torch.tensor(p), one_hot)
        assert float(torched) == pytest.approx(expected, abs=1e-4)


@row("L4", "KL divergence to soft targets")
def kl_divergence() -> None:
    def divergence(soft: list[float], p: list[float]) -> float:
        return float(torch.nn.functional.kl_div(torch.tensor(p).log(), torch.tensor(soft), reduction="sum"))

    assert divergence([0.7, 0.2, 0.1], [0.6, 0.3, 0.1]) == pytest.approx(0.02681, abs=1e-5)
    assert divergence([0.7, 0.2, 0.1], [0.1, 0.8, 0.1]) == pytest.approx(1.0849, abs=1e-4)
    soft = [0.8 + 0.2 / 3, 0.2 / 3, 0.2 / 3]
    ours = loss_of(
        {"kind": "kl_divergence", "label_smoothing": 0.2}, [np.log([0.6, 0.3, 0.1]).tolist()], [0], "blobs"
    )
    assert ours == pytest.approx([divergence(soft, [0.6, 0.3, 0.1])], abs=1e-5)


@row("L5", "hinge")
def hinge() -> None:
    assert loss_of({"kind": "hinge"}, [[2.0], [0.5], [-0.5]], [1, 1, 1], "circle") == [0, 0.5, 1.5]


@row("L6", "contrastive, triplet and margin ranking losses")
def pairs() -> None:
    def of(raw: dict, rows: list[list[float]], target: list[float]) -> float:
        (loss,) = loss_of(raw, rows, target, "blobs")
        return loss

    contrastive = {"kind": "contrastive", "margin": 2.0}
    for distance, other, expected in ((0.5, 0, 0.25), (0.5, 1, 2.25), (3.0, 1, 0.0)):
        # The paper has a half in front.
        assert 2 * of(contrastive, [[0, 0], [distance, 0]], [0, other]) == pytest.approx(expected)
    triplet = {"kind": "triplet", "margin": 0.5}
    for negative, expected in ((1.0, 0.3), (2.0, 0.0)):
        assert of(triplet, [[0, 0], [0.8, 0], [0, negative]], [1, 1, 0]) == pytest.approx(expected, abs=1e-5)
    ranking = {"kind": "margin_ranking", "margin": 1.0}
    assert of(ranking, [[3], [1]], [1, 0]) == 0
    assert of(ranking, [[2], [2]], [1, 0]) == 1
    loop = start({"data": {"kind": "blobs", "classes": 3, "samples": 90}, "loss": {"kind": "triplet"}})
    places = loop.trainer.activations(loop.experiment.all_x)[-2:].copy()
    loop.train(20)
    assert (loop.trainer.activations(loop.experiment.all_x)[-2:] != places).any(), "the embedding moves"


@row("L7", "pixel-wise cross-entropy: an image is the data")
def pixels() -> None:
    loop = start({"data": {"kind": "letters", "size": 16, "palette": 4}, "init": {"kind": "zero"}})
    assert (loop.experiment.count, loop.config.loss.kind) == (16 * 10, "cross_entropy")
    assert metrics(loop)["train_loss"] == pytest.approx(math.log(4))  # four colours, all as likely
    painted = frame(loop, 8, 16)
    assert (painted["decision"].shape, painted["palette"].shape) == ((16, 16), (4, 3))
    change(loop, {"data": {"palette": None}, "loss": {"kind": "mse"}})
    assert frame(loop, 8, 16)["decision"].shape == (3, 16, 16)  # red, green and blue


@row("L8", "classification by MSE against cross-entropy on the same net")
def mse_against_cross_entropy() -> None:
    """At a sure mistake of a sigmoid MSE hardly pulls, and cross-entropy with all its might."""
    pull = {}
    for loss, output in (("mse", "sigmoid"), ("bce", "auto")):
        data = {"kind": "points", "points": [[1, 0, 1], [1, 0, 1]], "test_points": [], "classes": 2}
        config = {"data": data, "features": ["x1"], "hidden": [], "loss": {"kind": loss}}
        loop = start({**config, "output": {"activation": {"kind": output}}})
        put_weights(loop, [{"weight": [[-8.0]], "bias": [0.0]}])
        loop.train(1)
        pull[loss] = metrics(loop)["grad_norm.output"] or 0.0
    assert pull["mse"] < 0.002
    assert pull["bce"] > 1.4
