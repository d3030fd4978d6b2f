"""Every optimizer against torch, and the decay of weights."""

from functools import partial

import pytest
import torch

from playground.catalogue.optimizers import Optimizer
from playground.run.validation import parse
from playground.training.gradient import Model
from tests.loops import start
from tests.test_catalogue import RATE, SGD, assert_same_training, component, kinds


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al., 2023, "Symbolic discovery of optimization algorithms"."""

    def __init__(self, parameters, lr, weight_decay=0.0):
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = 0.9 * m + 0.1 * p.grad
                p -= group["lr"] * (torch.sign(c) + group["weight_decay"] * p)
                m.copy_(0.99 * m + 0.01 * p.grad)


OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
    "lion": Lion,
    "rprop": torch.optim.Rprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "amsgrad": partial(torch.optim.Adam, amsgrad=True),
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
}
DECOUPLING = ("adam", "amsgrad", "nadam", "radam")
"""Those that torch lets choose between the two kinds of weight decay."""


@pytest.mark.parametrize("kind", kinds(Optimizer))
def test_optimizer_trains_like_torch(kind):
    config = {"hidden": [{"width": 5}], "optimizer": {"kind": kind, "lr": RATE}}
    assert_same_training(config, optimizer=partial(OPTIMIZERS[kind], lr=RATE))


@pytest.mark.parametrize("kind", kinds(Optimizer))
def test_an_optimizer_has_the_defaults_of_torch(kind):
    ours = component(Optimizer, kind)
    theirs = OPTIMIZERS[kind]([torch.zeros(1)], lr=ours.lr).defaults
    assert (ours.weight_decay, ours.decoupled_weight_decay) == (
        theirs.get("weight_decay", 0),
        theirs.get("decoupled_weight_decay", kind == "lion"),
    )
    first, second = theirs.get("betas", (theirs.get("momentum"), None))
    own = {
        **{"beta": first, "beta1": first, "beta2": second},
        **{name: theirs.get(name) for name in ("eps", "rho", "alpha", "momentum_decay")},
        **dict(zip(("eta_minus", "eta_plus"), theirs.get("etas", ()), strict=False)),
        **dict(zip(("step_min", "step_max"), theirs.get("step_sizes", ()), strict=False)),
    }
    for name in type(ours).model_fields.keys() - Optimizer.model_fields.keys():
        if kind != "lion":
            assert getattr(ours, name) == own[name], name


@pytest.mark.parametrize("kind", [kind for kind in kinds(Optimizer) if kind != "rprop"])  # torch's has none
def test_weights_decay_as_in_torch(kind):
    optimizer = {"kind": kind, "lr": RATE, "weight_decay": 0.2}
    config = {
        "hidden": [{"width": 5}],
        "optimizer": optimizer,
        "clip_norm": 0.05,
    }  # decay comes after clipping
    assert_same_training(config, optimizer=partial(OPTIMIZERS[kind], lr=RATE, weight_decay=0.2))


@pytest.mark.parametrize("kind", DECOUPLING)
def test_weights_decay_apart_from_the_gradient_as_in_torch(kind):
    decay = {"weight_decay": 0.2, "decoupled_weight_decay": True}
    config = {"hidden": [{"width": 5}], "optimizer": {"kind": kind, "lr": RATE, **decay}}
    assert_same_training(config, optimizer=partial(OPTIMIZERS[kind], lr=RATE, **decay))


@pytest.mark.parametrize("decoupled", [False, True])
def test_one_step_of_nothing_but_decay(decoupled):
    """E = w² / 2, w = 2, η = 0.1: 1.8. For plain descent L2 and both kinds of decay are the same."""
    decay = {"weight_decay": 1.0, "decoupled_weight_decay": decoupled}
    for raw in ({"optimizer": SGD | decay}, {"optimizer": SGD, "l2": 1.0}):
        loop = start(parse(raw))
        loop.state.weights.fill_(2.0)
        pull = loop.config.l2 * loop.state.weights
        Model(loop.experiment.network, loop.state).update(loop.config, pull, 0.1)
        torch.testing.assert_close(loop.state.weights, torch.full_like(loop.state.weights, 1.8))


def test_first_step_of_adam_is_the_learning_rate():
    grad = torch.tensor([[3.0, -0.001, 20.0]])
    delta, _ = component(Optimizer, "adam", lr=0.1).update(
        grad, grad, (torch.zeros(1, 3),) * 2, torch.ones(1, 3), 0.1
    )
    torch.testing.assert_close(delta, -0.1 * grad.sign(), rtol=1e-4, atol=1e-6)


def test_momentum_under_a_constant_gradient_tends_to_its_terminal_velocity():
    rule, grad = component(Optimizer, "momentum", lr=0.1, beta=0.9), torch.ones(1, 1)
    delta, slots = grad, (torch.zeros(1, 1),)
    for t in range(1, 300):
        delta, slots = rule.update(grad, grad, slots, torch.full((1, 1), t), rule.lr)
    assert float(delta) == pytest.approx(-0.1 / (1 - 0.9), rel=1e-4)
