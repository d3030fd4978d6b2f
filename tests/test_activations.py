"""Activations by numbers that are known: of textbooks, and of the papers that they come from."""

import math

import numpy as np
import pytest
import torch

from playground.catalogue.activations import Activation
from playground.run.validation import parse
from tests.loops import metrics, start


def activation_of(kind: str) -> Activation:
    return parse({"hidden": [{"activation": {"kind": kind}}]}).hidden[0].activation


@pytest.mark.parametrize(
    ("kind", "z", "value", "slope"),
    [
        ("linear", 7.0, 7.0, 1.0),
        ("step", 7.0, 1.0, 0.0),
        ("step", 0.0, 0.0, 0.0),
        ("step", -7.0, 0.0, 0.0),
        ("sigmoid", 0.0, 0.5, 0.25),
        ("sigmoid", 10.0, 0.9999546, 4.53958e-5),
        ("sigmoid", -10.0, 4.5398e-5, 4.53958e-5),
        ("tanh", 0.0, 0.0, 1.0),
        ("tanh", 0.7, 2 / (1 + math.exp(-1.4)) - 1, 1 - math.tanh(0.7) ** 2),
        ("relu", 0.0, 0.0, 0.0),
        ("relu", -3.0, 0.0, 0.0),
        ("leaky_relu", -3.0, -0.03, 0.01),
        ("prelu", -3.0, -0.75, 0.25),
        ("elu", -1.0, math.exp(-1) - 1, math.exp(-1)),
        ("selu", 1.0, 1.0507010, 1.0507010),
        ("selu", -1000.0, -1.7580993, 0.0),
        ("softplus", 0.0, math.log(2), 0.5),
        ("softplus", 1000.0, 1000.0, 1.0),
        ("softplus", -1000.0, 0.0, 0.0),
        ("mish", 1.0, math.tanh(math.log(1 + math.e)), 1.0490363),
        ("softsign", -3.0, -0.75, 0.0625),
        ("hard_tanh", 2.0, 1.0, 0.0),
        ("hard_tanh", -0.3, -0.3, 1.0),
        ("exponential", 1.0, math.e, math.e),
    ],
)
def test_activation_of_a_worked_example(kind, z, value, slope):
    at = torch.tensor(z, requires_grad=True)
    activation = activation_of(kind)
    out = activation.forward(at, **{name: torch.tensor(start) for name, start in activation.learned.items()})
    out.backward()
    assert float(out.detach()) == pytest.approx(value, rel=1e-5, abs=1e-6)
    assert at.grad is not None
    assert float(at.grad) == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_selu_keeps_mean_and_variance_through_twelve_layers_with_its_own_init():
    layer = {"width": 256, "activation": {"kind": "selu"}}
    features = ["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"]

    def deepest(init):
        loop = start({"hidden": [layer] * 12, "init": {"kind": init}, "features": features})
        values = torch.randn(1, 400, 7, generator=torch.Generator().manual_seed(0))
        return loop.trainer.activations(values)[11 * 256 : 12 * 256]

    assert activation_of("selu").suggested_init == "lecun_normal"
    ours, other = deepest("lecun_normal"), deepest("he_normal")
    assert abs(ours.mean()) < 0.15
    assert 0.7 < ours.var() < 1.4
    assert other.var() > 10


def test_without_activations_depth_collapses_and_xor_stays_at_a_half():
    """Minsky, Papert, 1969: the best line answers 0.5 everywhere, so the loss is 0.25."""
    corners = [[-1, -1, 0], [-1, 1, 1], [1, -1, 1], [1, 1, 0]]
    loop = start(
        {
            "data": {"kind": "points", "points": corners, "test_points": []},
            "hidden": [{"width": 4, "activation": {"kind": "linear"}}] * 3,
            "loss": {"kind": "mse"},
            "optimizer": {"kind": "adam", "lr": 0.01},
            "batch_size": 4,
        }
    )
    loop.train(3000)
    assert metrics(loop)["train_loss"] == pytest.approx(0.25, abs=1e-3)
    outputs = loop.trainer.activations(loop.experiment.train_x)[-1]
    np.testing.assert_allclose(outputs, 0.5, atol=0.02)
