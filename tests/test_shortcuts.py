"""Residual layers and dense shortcuts: what they calculate, train, keep and refuse."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.catalogue.activations import Activation
from playground.catalogue.component import Task, members
from playground.errors import ValidationFailed
from playground.run.summary import summary
from playground.run.validation import parse
from playground.training.batched.stack import Stack
from playground.training.loop import TrainingLoop
from tests.loops import COMPILED, REFERENCE, change, maps, metrics, put_weight, start, weights

NONE, RESIDUAL, DENSE = ({"kind": kind} for kind in ("none", "residual", "dense"))
PLAIN = [{"width": 5}, {"width": 5}, {"width": 3}]
DEEP = [{"width": 5}, {"width": 5, "shortcut": RESIDUAL}, {"width": 3, "shortcut": DENSE}]
ALL = {"hidden": [layer | {"shortcut": DENSE} for layer in PLAIN], "output": {"shortcut": DENSE}}


def trained(steps=60, **config) -> TrainingLoop:
    loop = start({"data": {"kind": "circle", "samples": 100}, "hidden": PLAIN} | config)
    loop.train(steps)
    return loop


def output(loop: TrainingLoop) -> np.ndarray:
    """The evaluated raw output over the input square."""
    return maps(loop, 30)["neurons"][-1]


def same(now: np.ndarray, before: np.ndarray) -> None:
    """To rounding."""
    np.testing.assert_allclose(now, before, atol=1e-5 * max(1, np.abs(before).max()))


def codes(loop: TrainingLoop, patch: dict) -> list[str]:
    return [text.code for text in change(loop, patch)]


def with_layer(index: int, hidden=PLAIN, **fields) -> dict:
    layers = copy.deepcopy(hidden)
    layers[index] |= fields
    return {"hidden": layers}


class Twin(nn.Module):
    """A network with shortcuts as one writes it in torch."""

    def __init__(self, loop: TrainingLoop):
        super().__init__()
        self.shapes = loop.experiment.network.layers
        self.linears: Any = nn.ModuleList(nn.Linear(shape.inputs, shape.width) for shape in self.shapes)
        for linear, own in zip(self.linears, weights(loop), strict=True):
            linear.load_state_dict(
                {"weight": torch.from_numpy(own["weight"].T.copy()), "bias": torch.tensor(own["bias"])}
            )

    def forward(self, x):
        seen = [x]
        for shape, linear in zip(self.shapes, self.linears, strict=True):
            z = linear(torch.cat(seen, dim=1) if shape.shortcut.kind == "dense" else seen[-1])
            f = z if shape is self.shapes[-1] else z.tanh()
            seen.append(seen[-1] + f if shape.shortcut.kind == "residual" else f)
        return seen[-1]


@pytest.mark.parametrize("config", [{"hidden": DEEP}, {"hidden": DEEP, "output": {"shortcut": DENSE}}, ALL])
def test_it_trains_like_torch(config):
    rate = {"optimizer": {"kind": "adam", "lr": 0.03}, "batch_size": 10_000, "shuffle": False}
    loop = start(config | rate | {"data": {"kind": "circle", "samples": 60}})
    twin = Twin(loop)
    rule = torch.optim.Adam(twin.parameters(), lr=0.03)
    x = torch.from_numpy(loop.experiment.dataset.train_inputs)
    y = torch.from_numpy(loop.experiment.dataset.train_targets).float()
    for _ in range(50):
        rule.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(twin(x)[:, 0], y).backward()
        rule.step()
    loop.train(50)
    for linear, own in zip(twin.linears, weights(loop), strict=True):
        np.testing.assert_allclose(own["weight"], linear.weight.detach().T, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(own["bias"], linear.bias.detach(), rtol=1e-3, atol=1e-5)


def test_networks_with_shortcuts_train_in_a_stack_as_alone():
    config = {"hidden": DEEP, "data": {"kind": "spiral", "samples": 46}, "batch_size": 5}
    together, alone = ([start(config | {"seed": seed}, REFERENCE) for seed in (0, 1)] for _ in range(2))
    Stack(together).train(together, 20)
    for loop, other in zip(together, alone, strict=True):
        other.train(20)
        torch.testing.assert_close(loop.state.weights, other.state.weights, rtol=1e-4, atol=1e-5)


def test_a_residual_layer_needs_the_width_of_what_comes_in():
    for patch, width, inputs in (
        (with_layer(0, shortcut=RESIDUAL), 5, 2),
        (with_layer(2, shortcut=RESIDUAL), 3, 5),
    ):
        with pytest.raises(ValidationFailed) as refused:
            parse(patch)
        (error,) = refused.value.errors
        assert (error.code, error.values) == ("rule.residual_width", {"width": width, "inputs": inputs})
        assert error.field == f"hidden.{0 if inputs == 2 else 2}.shortcut"
        parse(patch | (error.suggestion or {}))
    parse({"hidden": [{"width": 2, "shortcut": RESIDUAL}]})


def test_the_output_has_nothing_to_add_to():
    with pytest.raises(ValidationFailed) as refused:
        parse({"output": {"shortcut": RESIDUAL}})
    (error,) = refused.value.errors
    assert (error.field, error.code, error.fits) == (
        "output.shortcut",
        "rule.residual_output",
        ("none", "dense"),
    )


def test_dense_on_does_not_move_the_output():
    loop = trained()
    before, was = output(loop), weights(loop)[2]["weight"].copy()
    assert codes(loop, with_layer(2, shortcut=DENSE)) == ["effect.dense_added"]
    now = weights(loop)[2]["weight"]
    assert now.shape == (2 + 5 + 5, 3)
    assert not now[:7].any()
    np.testing.assert_array_equal(now[7:], was)
    same(output(loop), before)
    assert codes(loop, {"output": {"shortcut": DENSE}}) == ["effect.output_dense_added"]
    same(output(loop), before)
    loop.train(5)
    assert weights(loop)[2]["weight"][:7].all()


def test_dense_off_drops_the_rows_from_further_back():
    loop = trained(**ALL)
    was = copy.deepcopy(weights(loop))
    assert codes(loop, {"output": {"shortcut": NONE}}) == ["effect.output_dense_removed"]
    np.testing.assert_array_equal(weights(loop)[3]["weight"], was[3]["weight"][-3:])
    assert codes(loop, with_layer(1, ALL["hidden"], shortcut=NONE)) == ["effect.dense_removed"]
    np.testing.assert_array_equal(weights(loop)[1]["weight"], was[1]["weight"][2:])


def test_residual_on_and_off_keeps_all_weights_and_says_that_the_output_jumps():
    loop = trained()
    before, was = output(loop), loop.state.weights.clone()
    assert codes(loop, with_layer(1, shortcut=RESIDUAL)) == ["effect.residual_added"]
    assert np.abs(output(loop) - before).max() > 0.1
    assert codes(loop, {"hidden": PLAIN}) == ["effect.residual_removed"]
    assert torch.equal(loop.state.weights, was)
    same(output(loop), before)


@pytest.mark.parametrize("kind", sorted(cls.name() for cls in members(Activation)))
def test_an_inserted_residual_layer_is_exactly_the_identity_and_can_learn(kind):
    """In front of another residual layer, and of dense ones, which see more than the last."""
    residual = {"width": 4, "activation": {"kind": kind}, "shortcut": RESIDUAL}
    old = [{"width": 4}, {"width": 4, "shortcut": RESIDUAL}, {"width": 3, "shortcut": DENSE}]
    loop = trained(hidden=old, output={"shortcut": DENSE})
    before = output(loop)
    assert codes(loop, {"hidden": [old[0], residual, *old[1:]]}) == ["effect.layer_added_exactly"]
    same(output(loop), before)
    loop.train(20)
    assert weights(loop)[1]["weight"].any() or kind == "step"


def test_a_layer_inserted_in_front_of_dense_ones_changes_nothing_yet():
    loop = trained(**ALL)
    before, was = output(loop), copy.deepcopy(weights(loop))
    hidden = [*ALL["hidden"][:1], {"width": 4}, *ALL["hidden"][1:]]
    assert codes(loop, {"hidden": hidden}) == ["effect.layer_added_exactly"]
    same(output(loop), before)
    now = weights(loop)[3]["weight"]
    assert not now[7:11].any()
    np.testing.assert_array_equal(np.delete(now, range(7, 11), axis=0), was[2]["weight"])


def test_a_dense_layer_inserted_in_front_of_a_plain_one_passes_on_what_comes_in():
    loop = trained(hidden=[{"width": 4, "activation": {"kind": "relu"}}] * 2)
    before = output(loop)
    layer = {"width": 4, "activation": {"kind": "relu"}}
    assert codes(loop, {"hidden": [layer, layer, layer | {"shortcut": DENSE}]}) == [
        "effect.layer_added_exactly"
    ]
    same(output(loop), before)


def test_neurons_layers_and_features_take_their_rows_along():
    """Each row of a dense layer belongs to a unit, wherever that stands."""
    loop = trained(**ALL, features=["x1", "x2"])
    was = copy.deepcopy(weights(loop))
    last = was[3]["weight"]  # x1, x2, then layers of 5, 5 and 3 units
    before = output(loop)
    assert set(codes(loop, with_layer(0, ALL["hidden"], width=6))) == {"effect.neurons_added"}
    same(output(loop), before)
    now = weights(loop)[3]["weight"]
    assert not now[7].any()
    np.testing.assert_array_equal(np.delete(now, 7, axis=0), last)
    assert codes(loop, {"features": ["x2", "x1*x2", "x1"]}) == ["effect.features_added"]
    same(output(loop), before)
    np.testing.assert_array_equal(weights(loop)[3]["weight"][:3, 0], [last[1, 0], 0, last[0, 0]])
    fewer = [*with_layer(0, ALL["hidden"], width=6)["hidden"]]
    del fewer[1]
    assert codes(loop, {"hidden": fewer}) == ["effect.layers_removed"]
    np.testing.assert_array_equal(weights(loop)[2]["weight"][-3:], last[-3:])
    np.testing.assert_array_equal(weights(loop)[1]["weight"][3:8], was[2]["weight"][2:7])
    loop.train(5)


def test_batchnorm_of_a_dense_layer_starts_from_all_that_it_sees():
    loop = trained(**ALL)
    before = output(loop)
    change(loop, with_layer(2, ALL["hidden"], normalization={"kind": "batchnorm"}))
    same(output(loop), before)


def test_one_weight_of_a_shortcut_can_be_set():
    loop = trained(**ALL)
    put_weight(loop, 3, 0, 0, 2.5)
    assert weights(loop)[3]["weight"][0, 0] == 2.5
    with pytest.raises(ValidationFailed):
        put_weight(loop, 3, 15, 0, 2.5)


def test_the_summary_counts_and_names_them():
    found = summary(parse({"hidden": DEEP, "output": {"shortcut": DENSE}}), Task("binary", 2))
    assert [layer.parameters for layer in found.layers] == [15, 30, 12 * 3 + 3, 15 + 1]
    assert [[part.text for part in layer.made_of][1:] for layer in found.layers] == [
        [],
        ["Residual"],
        ["Dense"],
        ["Dense"],
    ]
    assert "Tanh, Residual" in str(found)


def gradient(kind="sigmoid", depth=8, **fields) -> float:
    """The norm of the first layer's gradient as training starts, as a share of the last hidden layer's."""
    layer = {"width": 4, "activation": {"kind": kind}}
    hidden = [layer, *([layer | fields] * (depth - 1))]
    loop = start({"hidden": hidden, "optimizer": {"kind": "sgd", "lr": 0.001}, "data": {"kind": "circle"}})
    loop.train(20)
    last = metrics(loop)
    return (last["grad_norm.0"] or 0) / (last[f"grad_norm.{depth - 1}"] or 1)


def test_the_gradient_of_a_deep_sigmoid_net_vanishes_and_normalisation_or_shortcuts_bring_it_back():
    plain = gradient()
    assert plain < 1e-4
    assert plain < 1e-3 * gradient(depth=2)
    assert gradient("relu") > 100 * plain
    assert gradient(normalization={"kind": "batchnorm"}) > 100 * plain
    assert gradient(shortcut=RESIDUAL) > 1000 * plain


@pytest.mark.usefixtures("kernel")
def test_ten_residual_layers_learn_what_ten_plain_ones_do_not():
    layer, losses = {"width": 4, "activation": {"kind": "sigmoid"}}, []
    for shortcut in (NONE, RESIDUAL):
        loop = start({"hidden": [layer, *([layer | {"shortcut": shortcut}] * 9)]}, COMPILED)
        loop.train(250)
        losses.append(metrics(loop)["train_loss"])
    assert losses[0] > 0.6
    assert losses[1] < 0.2
