"""Every component against torch: the same network, data and rule give the same weights after 50 steps."""

import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.catalogue.activations import Activation
from playground.catalogue.class_weights import ClassWeights
from playground.catalogue.component import Component, members
from playground.catalogue.datasets import Data
from playground.catalogue.features import Feature
from playground.catalogue.inits import Init
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.schedules import Schedule
from playground.catalogue.shortcuts import Shortcut
from playground.run.description import describe
from playground.run.validation import parse
from playground.training.loop import TrainingLoop
from tests.loops import metrics, start, weights

FAMILIES = (
    *(Activation, Normalization, Shortcut, Loss, ClassWeights, Optimizer, Schedule, Init, Data, Feature),
)
STEPS = 50
BATCHNORM = {"kind": "batchnorm"}
SGD = {"kind": "sgd", "lr": 0.1}


class Step(nn.Module):
    def forward(self, z):
        return (z > 0) + 0 * z


class Exponential(nn.Module):
    def forward(self, z):
        return torch.exp(z)


ACTIVATIONS = {
    "linear": nn.Identity,
    "step": Step,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "hard_tanh": nn.Hardtanh,
    "softsign": nn.Softsign,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "exponential": Exponential,
}


def hinge(output, target, margin=1.0):
    return torch.clamp(margin - (2 * target - 1) * output, min=0).mean()


def squared_hinge(output, target, margin=1.0):
    return (torch.clamp(margin - (2 * target - 1) * output, min=0) ** 2).mean()


def half_mse(output, target):
    return ((output - target) ** 2).mean() / 2


def half_mse_signed(output, target):
    return half_mse(output, 2 * target - 1)


def log_cosh(output, target):
    return (output - target).cosh().log().mean()


def quantile(output, target, q=0.5):
    error = target - output
    return torch.where(error > 0, q * error, (q - 1) * error).mean()


def focal(output, target, gamma=2.0, alpha=0.5):
    """Lin et al. (2017), equation 5."""
    p = output.sigmoid()
    p_t, alpha_t = torch.where(target == 1, p, 1 - p), torch.where(target == 1, alpha, 1 - alpha)
    return (-alpha_t * (1 - p_t) ** gamma * p_t.log()).mean()


def kl_divergence(output, target, smoothing=0.1, temperature=1.0):
    classes = output.shape[-1]
    soft = nn.functional.one_hot(target, classes) * (1 - smoothing) + smoothing / classes
    return nn.functional.kl_div((output / temperature).log_softmax(-1), soft, reduction="batchmean")


NORMALIZATIONS = {"batchnorm": nn.BatchNorm1d, "layernorm": nn.LayerNorm, "rmsnorm": nn.RMSNorm}

LOSSES = {
    "mse": nn.MSELoss(),
    "half_mse": half_mse,
    "half_mse_signed": half_mse_signed,
    "mae": nn.L1Loss(),
    "huber": nn.HuberLoss(),
    "bce": nn.BCEWithLogitsLoss(),
    "cross_entropy": nn.CrossEntropyLoss(),
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "multi_margin": nn.MultiMarginLoss(),
    "focal": focal,
    "kl_divergence": kl_divergence,
    "log_cosh": log_cosh,
    "quantile": quantile,
}
OF_CLASSES = ("cross_entropy", "kl_divergence", "multi_margin")
OF_VALUES = ("log_cosh", "quantile")

RATE = 0.03

INITS = {
    "zero": nn.init.zeros_,
    "constant": lambda w: nn.init.constant_(w, 0.5),
    "uniform": lambda w: nn.init.uniform_(w, -0.5, 0.5),
    "normal": lambda w: nn.init.normal_(w, 0, 0.5),
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "he_uniform": nn.init.kaiming_uniform_,
    "he_normal": nn.init.kaiming_normal_,
    "lecun_uniform": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="linear"),
    "lecun_normal": lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear"),
    "orthogonal": nn.init.orthogonal_,
    "tensorflow_playground_weights": lambda w: nn.init.uniform_(w, -0.5, 0.5),
}


def kinds(family):
    return [cls.name() for cls in members(family)]


def component(family, kind, **parameters) -> Any:
    return next(cls for cls in members(family) if cls.name() == kind)(**parameters)


def twin(loop: TrainingLoop) -> Any:
    """The network of a loop as a torch module with the same weights."""
    modules: list[nn.Module] = []
    for layer, own in zip(loop.experiment.network.layers, weights(loop), strict=True):
        linear = nn.Linear(layer.inputs, layer.width)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(own["weight"]).T)
            linear.bias.copy_(torch.from_numpy(own["bias"]))
        modules.append(linear)
        if layer.normalization.kind != "none":
            modules.append(NORMALIZATIONS[layer.normalization.kind](layer.width))
        modules.append(ACTIVATIONS[layer.activation.kind]())
    return nn.Sequential(*modules)


def assert_same_training(config: dict, loss: Any = "bce", optimizer=None, labels=False, penalty=None):
    """Train the loop and its torch twin on the full batch, and compare every weight. `loss` is one of
    `LOSSES`, or a function.

    The bias in front of a batch normalisation is left out: its true gradient is zero, and what moves it is
    rounding.
    """
    config = {"batch_size": 10_000, "shuffle": False, "data": {"kind": "circle", "samples": 60}} | config
    loop = start(config)
    module = twin(loop)
    rule = (optimizer or partial(torch.optim.Adam, lr=RATE))(module.parameters())
    x = torch.from_numpy(loop.experiment.dataset.train_inputs)
    y = torch.from_numpy(loop.experiment.dataset.train_targets)
    lost = LOSSES[loss] if isinstance(loss, str) else loss
    for _ in range(STEPS):
        rule.zero_grad()
        output = module(x)
        value = lost(output, y) if labels else lost(output.squeeze(-1), y.float())
        if penalty is not None:
            value = value + penalty(module)
        value.backward()
        if "clip_value" in config:
            nn.utils.clip_grad_value_(module.parameters(), config["clip_value"])
        if "clip_norm" in config:
            nn.utils.clip_grad_norm_(module.parameters(), config["clip_norm"])
        rule.step()
        if "max_norm" in config:
            with torch.no_grad():
                for linear in module:
                    if isinstance(linear, nn.Linear):
                        linear.weight.copy_(torch.renorm(linear.weight, 2, 0, config["max_norm"]))
    loop.train(STEPS)
    linears = [m for m in module if isinstance(m, nn.Linear)]
    norms = iter([m for m in module if isinstance(m, tuple(NORMALIZATIONS.values()))])
    slopes = iter([m.weight for m in module if isinstance(m, nn.PReLU)])
    for linear, own in zip(linears, weights(loop), strict=True):
        np.testing.assert_allclose(own["weight"], linear.weight.detach().T, rtol=1e-3, atol=1e-5)
        expected = {"bias": linear.bias}
        if "gamma" in own:
            norm = next(norms)
            expected = {"gamma": norm.weight} if "running_var" in own else expected | {"gamma": norm.weight}
            if "beta" in own:
                expected["beta"] = norm.bias
            if "running_var" in own:
                expected["running_var"] = norm.running_var
        if "alpha" in own:
            expected["alpha"] = next(slopes)
        for name, value in expected.items():
            np.testing.assert_allclose(own[name], value.detach(), rtol=1e-3, atol=1e-5)
    return loop, module


@pytest.mark.parametrize("kind", kinds(Activation))
def test_activation_trains_like_torch(kind):
    # Of exponentials of exponentials, larger weights would make numbers that no one compares.
    init = {"kind": "normal", "std": 0.1} if kind == "exponential" else {"kind": "xavier_uniform"}
    assert_same_training({"hidden": [{"width": 5, "activation": {"kind": kind}}] * 2, "init": init})


@pytest.mark.parametrize("kind", kinds(Activation))
def test_activation_has_the_values_and_slopes_of_torch(kind):
    z = torch.tensor([-1000.0, -10, -1, -0.5, 0, 0.5, 1, 10, 1000], requires_grad=True)
    other = z.detach().clone().requires_grad_()
    activation = component(Activation, kind)
    learned = {name: torch.tensor(start) for name, start in activation.learned.items()}
    ours, theirs = activation.forward(z, **learned), ACTIVATIONS[kind]()(other)
    ours.sum().backward()
    theirs.sum().backward()
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(z.grad, other.grad)


PAIRS = ("contrastive", "triplet", "margin_ranking")  # against torch in test_embedding.py


@pytest.mark.parametrize("kind", [kind for kind in kinds(Loss) if kind not in PAIRS])
def test_loss_trains_like_torch(kind):
    labels = kind in OF_CLASSES
    data = {"kind": "blobs" if labels else "plane" if kind in OF_VALUES else "circle", "samples": 60}
    assert_same_training({"data": data, "loss": {"kind": kind}}, loss=kind, labels=labels)


@pytest.mark.parametrize("kind", ["mse", "half_mse", "mae", "huber"])
def test_loss_of_a_regression_trains_like_torch(kind):
    assert_same_training({"data": {"kind": "plane", "samples": 60}, "loss": {"kind": kind}}, loss=kind)


@pytest.mark.parametrize("kind", kinds(Init))
def test_init_has_the_distribution_of_torch(kind):
    config = parse({"hidden": [{"width": 256}, {"width": 128}], "init": {"kind": kind}})
    ours = weights(start(config))[1]["weight"]
    torch.manual_seed(0)
    theirs = INITS[kind](torch.empty(128, 256)).numpy()
    quantiles = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    np.testing.assert_allclose(
        np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.06 * theirs.std() + 1e-9
    )
    assert ours.shape == (256, 128)
    assert (weights(start(config))[1]["bias"] == np.float32(config.init.bias)).all()


@pytest.mark.parametrize(("optimizer", "theirs"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_batchnorm_trains_like_torch(optimizer, theirs):
    config = {
        "hidden": [
            {"width": 5, "normalization": BATCHNORM},
            {"width": 3, "normalization": BATCHNORM},
        ],
        "optimizer": {"kind": optimizer, "lr": RATE},
    }
    loop, module = assert_same_training(config, optimizer=partial(theirs, lr=RATE))
    if optimizer == "adam":
        return  # the running means follow the biases, see above
    x = torch.from_numpy(loop.experiment.dataset.test_inputs)
    module.eval()
    with torch.no_grad():
        expected = LOSSES["bce"](
            module(x)[:, 0], torch.from_numpy(loop.experiment.dataset.test_targets).float()
        )
    assert metrics(loop)["test_loss"] == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("kind", sorted(set(kinds(Normalization)) - {"none", "batchnorm"}))
def test_a_normalisation_over_units_trains_like_torch(kind):
    normalized = {"normalization": {"kind": kind}}
    assert_same_training({"hidden": [{"width": 5} | normalized, {"width": 3} | normalized]})


def test_l2_is_part_of_the_gradient():  # L1 also stops at zero: test_trainer.py has its solutions
    def penalty(module):
        weights = [m.weight for m in module if isinstance(m, nn.Linear)]
        return sum(0.02 * (w * w).sum() / 2 for w in weights)

    assert_same_training({"l2": 0.02}, penalty=penalty)


def test_clipping_by_norm_is_that_of_torch():
    assert_same_training(
        {"clip_norm": 0.05, "optimizer": {"kind": "sgd", "lr": 1.0}},
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1.0),
    )


@pytest.mark.parametrize("bounds", [{"clip_value": 0.01}, {"clip_value": 0.01, "clip_norm": 0.03}])
def test_clipping_by_value_is_that_of_torch(bounds):
    assert_same_training(
        bounds | {"optimizer": {"kind": "sgd", "lr": 1.0}},
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1.0),
    )


@pytest.mark.parametrize(("kind", "theirs"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_max_norm_is_the_renorm_of_torch(kind, theirs):
    config = {"max_norm": 0.8, "optimizer": {"kind": kind, "lr": 0.1}}
    loop, _ = assert_same_training(config, optimizer=partial(theirs, lr=0.1))
    norms = np.concatenate([np.linalg.norm(layer["weight"], axis=0) for layer in weights(loop)])
    assert (norms < 0.8001).all()
    assert (norms > 0.7999).any()


# Worked examples


@pytest.mark.parametrize(
    ("kind", "output", "target", "expected"),
    [
        ("huber", 2.0, 0.0, 2.0),
        ("huber", -20.0, 0.0, 87.5),
        ("hinge", 2.0, 1, 0.0),
        ("hinge", 0.5, 1, 0.5),
        ("hinge", -0.5, 1, 1.5),
        ("bce", float(torch.logit(torch.tensor(0.01, dtype=torch.float64))), 1, 4.6052),
    ],
)
def test_loss_of_a_worked_example(kind, output, target, expected):
    loss = component(Loss, kind, **({"delta": 5.0} if kind == "huber" else {}))
    value = loss.forward(torch.tensor([[[output]]]), torch.tensor([[target]]))
    assert float(value) == pytest.approx(expected, rel=1e-4)


# The catalogue as a whole


@pytest.mark.parametrize("cls", [cls for family in FAMILIES for cls in members(family)])
def test_component_explains_itself(cls: type[Component]):
    assert len(cls.help()) > 20
    assert cls.label
    assert cls.formula
    for name, field in cls.model_fields.items():
        if name != "kind":
            assert field.description, f"{cls.__name__}.{name} has no description"


def test_numbers_of_the_catalogue_have_bounds_and_a_default_within():
    catalogue = describe().model_dump()
    entries = [entry for family in catalogue["components"].values() for entry in family]
    for parameter in [p for entry in entries for p in entry["parameters"]] + catalogue["fields"]:
        if parameter["type"] in ("number", "integer") and not parameter["choices"]:
            low = parameter["minimum"] if parameter["minimum"] is not None else parameter["exclusive_minimum"]
            high = (
                parameter["maximum"] if parameter["maximum"] is not None else parameter["exclusive_maximum"]
            )
            assert low is not None, parameter
            assert high is not None, parameter
            assert parameter["default"] is None or low <= parameter["default"] <= high


@pytest.mark.usefixtures("kernel")
def test_an_activation_that_learns_needs_one_class_and_nothing_else():
    """Swish, whose beta is in the weights that the optimizer updates (Ramachandran et al., 2017)."""
    program = """
from typing import ClassVar, Literal
import torch
from playground.catalogue.activations import Activation

class Swish(Activation):
    '''A SiLU that learns how sharply it bends.'''
    kind: Literal["swish"] = "swish"
    label: ClassVar[str] = "Swish"
    formula: ClassVar[str] = "z sigma(beta z)"
    learned: ClassVar[dict[str, float]] = {"sharpness": 1.0}

    def forward(self, z, sharpness):
        return z * (sharpness * z).sigmoid()

from playground.run.description import describe
from playground.run.validation import parse
from playground.training.compiled import loading
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TrainingLoop
from playground.training.weights import read_weights
loading.load()
loop = TrainingLoop.start(parse({"hidden": [{"activation": {"kind": "relu"}}]}))
assert isinstance(loop.trainer, CompiledTrainer)
loop.train(20)
loop.change(parse({"hidden": [{"activation": {"kind": "swish"}}]}))
assert not isinstance(loop.trainer, CompiledTrainer)  # the reference trainer goes on

def sharpness():
    return read_weights(loop.experiment.network, loop.state)[0]["sharpness"].copy()

assert sharpness() == 1
loop.train(100)
assert sharpness() != 1
compiled = {entry.kind: entry.compiled for entry in describe().components["activation"]}
assert compiled["relu"] and compiled["swish"] is False
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_normalisation_needs_one_class_and_nothing_else():
    """ScaleNorm (Nguyen, Salazar, 2019): trained, switched live, saved, edited and described."""
    program = """
from typing import ClassVar, Literal
import torch
from playground.catalogue.normalizations import Normalization

class ScaleNorm(Normalization):
    '''Scales the sums of one sample to a length that is learned.'''
    kind: Literal["scalenorm"] = "scalenorm"
    label: ClassVar[str] = "Scale normalisation"
    formula: ClassVar[str] = "z"
    parameters: ClassVar[dict[str, float]] = {"gain": 1.0}

    def forward(self, z, parameters, buffers, training):
        return torch.nn.functional.normalize(z, dim=-1) * parameters["gain"]

from playground.run.description import describe
from playground.run.validation import parse
from playground.run.weights import AllWeights
from playground.training.loop import TrainingLoop
from playground.training.weights import read_weights, set_weights
from playground.worker.snapshot import load, save

def config(kind):
    return parse({"hidden": [{"width": 6, "normalization": {"kind": kind}}]})

loop = TrainingLoop.start(config("scalenorm"))
before = loop.measure()[0].named()["train_loss"]
loop.train(300)
assert loop.measure()[0].named()["train_loss"] < before
assert (read_weights(loop.experiment.network, loop.state)[0]["gain"] != 1).all()
for kind in ("batchnorm", "scalenorm", "none", "scalenorm"):
    loop.change(config(kind))
    loop.train(10)
again = load(save(loop.config, loop.state))
again.train(10)
loop.train(10)
assert torch.equal(loop.state.weights, again.state.weights)
edit = AllWeights.model_validate({"layers": [{"gain": [2.0] * 6}, {}]})
set_weights(loop.experiment.network, loop.state, [dict(layer) for layer in edit.layers])
assert {entry.kind for entry in describe().components["normalization"]} >= {"batchnorm", "scalenorm"}
"""
    subprocess.run([sys.executable, "-c", program], check=True)
