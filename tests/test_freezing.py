"""Frozen layers, neurons and edges: training leaves them alone, and nothing else changes."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.catalogue.component import Task, members
from playground.catalogue.optimizers import Optimizer
from playground.errors import ValidationFailed
from playground.run.summary import summary
from playground.run.validation import parse
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.divergence import stuck
from playground.training.loop import TrainingLoop
from tests.loops import COMPILED, REFERENCE, change, put_weights, start, weights

TANH = {"kind": "tanh"}
BATCHNORM = {"kind": "batchnorm"}
LAYERS = [
    {"width": 5, "frozen_neurons": [1, 3], "normalization": BATCHNORM},
    {"width": 4, "frozen": True, "activation": {"kind": "prelu"}},
    {"width": 3, "frozen_edges": [[2, 1], [0, 0]]},
]
EVERYTHING = {"l1": 0.001, "l2": 0.01, "clip_norm": 0.5}


def trained(loop: TrainingLoop) -> Tensor:
    mask = loop.experiment.trained
    assert mask is not None
    return mask[0]


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Optimizer)])
def test_no_optimizer_moves_what_is_frozen_and_all_else_goes_on(kind: str) -> None:
    raw = {"hidden": [{"width": 4}], "optimizer": {"kind": kind, "weight_decay": 0.1}}
    loop = start({**raw, "l2": 0.01, "clip_norm": 0.5})
    loop.train(20)
    change(loop, {"hidden": [{"width": 4, "frozen_neurons": [2], "frozen_edges": [[0, 1]]}]})
    frozen, before = ~trained(loop), loop.state.copy()
    loop.train(20)
    after = loop.state
    assert frozen.sum() == 4
    for old, new in zip(
        (before.weights, *before.slots, before.updates),
        (after.weights, *after.slots, after.updates),
        strict=True,
    ):
        assert torch.equal(old[:, frozen], new[:, frozen])
    assert (before.weights != after.weights)[:, ~frozen].all()
    change(loop, {"hidden": [{"width": 4}]})
    loop.train(20)
    assert (before.weights != loop.state.weights)[:, frozen].all()


@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam"])
def test_a_frozen_layer_is_one_without_gradients_in_torch(kind: str) -> None:
    """Clipping does not count it, either."""
    layers = [{"width": 6}, {"width": 5, "frozen": True}]
    decay: dict[str, Any] = {"weight_decay": 0.05}
    raw = {"hidden": layers, "optimizer": {"kind": kind, "lr": 0.01, **decay}, "batch_size": 1000}
    loop = start({**raw, "clip_norm": 0.1, "loss": {"kind": "mse"}})
    linears = [nn.Linear(2, 6), nn.Linear(6, 5), nn.Linear(5, 1)]
    model = nn.Sequential(linears[0], nn.Tanh(), linears[1], nn.Tanh(), linears[2])
    for linear, layer in zip(linears, weights(loop), strict=True):
        linear.weight.data = torch.from_numpy(layer["weight"].copy().T)
        linear.bias.data = torch.from_numpy(layer["bias"].copy())
    linears[1].requires_grad_(False)
    of_torch: dict[str, Any] = {
        "sgd": lambda p: torch.optim.SGD(p, 0.01, **decay),
        "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, **decay),
        "adam": lambda p: torch.optim.Adam(p, 0.01, **decay),
    }
    optimizer = of_torch[kind](model.parameters())
    x, y = loop.experiment.train_x[0], loop.experiment.train_y[0]
    for step in range(50):
        if step == 30:  # it thaws
            linears[1].requires_grad_(True)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x)[:, 0], y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
    loop.train(30)
    change(loop, {"hidden": [{"width": 6}, {"width": 5}]})
    loop.train(20)
    for linear, layer in zip(linears, weights(loop), strict=True):
        torch.testing.assert_close(
            torch.from_numpy(layer["weight"].copy().T), linear.weight.data, rtol=1e-4, atol=1e-5
        )


def test_scale_and_shift_are_frozen_with_their_neuron_and_statistics_go_on() -> None:
    loop = start({"hidden": LAYERS})
    before = [{name: value.copy() for name, value in layer.items()} for layer in weights(loop)]
    loop.train(20)
    first, old = weights(loop)[0], before[0]
    for name in ("bias", "gamma", "beta"):
        assert (first[name][[1, 3]] == old[name][[1, 3]]).all()
    assert (first["gamma"][[0, 2, 4]] != old["gamma"][[0, 2, 4]]).all()
    assert (first["running_mean"] != old["running_mean"]).all()
    assert weights(loop)[1]["alpha"] == before[1]["alpha"]


def test_a_weight_that_is_frozen_can_still_be_set() -> None:
    loop = start({"hidden": [{"width": 2, "frozen": True}]})
    put_weights(loop, [{"bias": [3.0, 4.0]}, {}])
    loop.train(5)
    assert weights(loop)[0]["bias"].tolist() == [3.0, 4.0]


def test_freezing_is_no_reset_and_loses_nothing() -> None:
    loop = start({"hidden": [{"width": 3}]})
    loop.train(10)
    state = loop.state
    assert [text.code for text in change(loop, {"output": {"frozen": True}})] == ["effect.kept"]
    assert loop.state is state


def test_a_frozen_network_is_not_stuck() -> None:
    loop = start({"hidden": [{"width": 3, "frozen": True}]})
    loop.train(5)
    assert stuck(loop.experiment, loop.state) is None


def frozen(loop: TrainingLoop) -> list[tuple[Any, Any]]:
    return [
        (list(layer.frozen_neurons), [list(e) for e in layer.frozen_edges]) for layer in loop.config.layers
    ]


def test_what_is_gone_is_frozen_no_more() -> None:
    loop = start(
        {"hidden": [{"width": 4, "frozen_neurons": [1, 3]}, {"width": 3, "frozen_edges": [[3, 0], [1, 2]]}]}
    )
    hidden = loop.config.model_dump(mode="json")["hidden"]
    change(loop, {"hidden": [hidden[0] | {"width": 3}, hidden[1]]})
    assert frozen(loop) == [([1], []), ([], [[1, 2]]), ([], [])]
    hidden = loop.config.model_dump(mode="json")["hidden"]
    change(loop, {"hidden": [hidden[1] | {"width": 2}]})
    assert frozen(loop) == [([], []), ([], [])]


def test_frozen_edges_go_with_their_features() -> None:
    loop = start({"features": ["x1", "x2"], "hidden": [{"width": 3, "frozen_edges": [[0, 2], [1, 1]]}]})
    before = weights(loop)[0]["weight"].copy()
    change(loop, {"features": ["x1^2", "x1", "x2"]})
    loop.train(10)
    assert frozen(loop)[0] == ([], [[1, 2], [2, 1]])
    now = weights(loop)[0]["weight"]
    assert (now[1, 2], now[2, 1]) == (before[0, 2], before[1, 1])
    change(loop, {"features": ["x2", "x1^2"]})
    assert frozen(loop)[0] == ([], [[0, 1]])


@pytest.mark.parametrize(
    ("wrong", "field", "rule"),
    [
        ({"hidden": [{"width": 3, "frozen_neurons": [3]}]}, "hidden.0.frozen_neurons", "rule.no_such_unit"),
        ({"hidden": [{"width": 3, "frozen_edges": [[2, 0]]}]}, "hidden.0.frozen_edges", "rule.no_such_input"),
        ({"output": {"frozen_edges": [[0, 1]]}}, "output.frozen_edges", "rule.no_such_unit"),
        ({"output": {"frozen_neurons": [-1]}}, "output.frozen_neurons.0", "rule.greater_than_equal"),
        ({"output": {"frozen": 1}}, "output.frozen", "rule.bool_type"),
    ],
)
def test_what_is_not_there_cannot_be_frozen(wrong: dict[str, Any], field: str, rule: str) -> None:
    loop = start({"hidden": [{"width": 3}]})
    for attempt in (lambda: parse(wrong), lambda: change(loop, wrong)):
        with pytest.raises(ValidationFailed) as refused:
            attempt()
        assert [(error.field, error.code) for error in refused.value.errors] == [(field, rule)]


def test_the_same_choice_is_the_same_config() -> None:
    layer = {"width": 3, "frozen_neurons": [2, 0, 2], "frozen_edges": [[1, 2], [0, 1], [1, 2]]}
    (parsed,) = parse({"hidden": [layer]}).hidden
    assert (parsed.frozen_neurons, parsed.frozen_edges) == ((0, 2), ((0, 1), (1, 2)))


def test_the_summary_counts_what_is_frozen() -> None:
    config = parse({"hidden": LAYERS})
    found = summary(config, Task("binary", 2))
    assert [layer.frozen for layer in found.layers] == [2 * 5, 25, 2, 0]
    assert found.layers[0].not_trainable == 10 + 10
    assert found.trainable == int(trained(start(config, REFERENCE)).sum())
    assert found.parameters == found.trainable + found.not_trainable


def test_frozen_networks_of_a_stack_train_alike() -> None:
    """As many at once as one by one."""
    raw = {"hidden": LAYERS, "optimizer": {"kind": "adam"}, **EVERYTHING}
    stack = start(raw, seeds=(3, 4))
    stack.train(20)
    for row, seed in enumerate((3, 4)):
        one = start(raw, seeds=(seed,))
        one.train(20)
        torch.testing.assert_close(stack.state.weights[row], one.state.weights[0], rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("kind", ["sgd", "adam", "rprop", "nadam"])
def test_the_kernel_freezes_alike(kind: str) -> None:
    """And thaws; some weights that fill no vector, and a stack."""
    learning = {"optimizer": {"kind": kind, "lr": 0.01, "weight_decay": 0.01}, **EVERYTHING}
    raw = {
        "hidden": [{**LAYERS[0], "dropout": 0.2}, *LAYERS[1:]],
        "output": {"frozen_neurons": [0]},
        **learning,
    }
    reference, compiled = (start(raw, trainers, seeds=(3, 4)) for trainers in (REFERENCE, COMPILED))
    for patch in ({}, {"output": {"frozen_neurons": []}}, {"hidden": [{"width": 5, "frozen": True}]}):
        for loop in (reference, compiled):
            if patch:
                change(loop, patch)
        before = compiled.state.copy()
        reference.train(25)
        compiled.train(25)
        assert isinstance(compiled.trainer, CompiledTrainer)
        torch.testing.assert_close(compiled.state.weights, reference.state.weights, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(compiled.state.slots, reference.state.slots, rtol=1e-3, atol=1e-4)
        assert torch.equal(compiled.state.updates, reference.state.updates)
        if (mask := compiled.experiment.trained) is not None:
            assert torch.equal(compiled.state.weights[:, ~mask[0]], before.weights[:, ~mask[0]])
            assert torch.equal(compiled.state.slots[..., ~mask[0]], before.slots[..., ~mask[0]])


def test_frozen_edges_keep_their_sources_where_a_layer_sees_all() -> None:
    """A shortcut that comes, or a neuron in front, moves the rows of the weights."""
    loop = start({"hidden": [{"width": 2}, {"width": 3, "frozen_edges": [[1, 2]]}]})
    kept = weights(loop)[1]["weight"][1, 2].copy()
    first, second = loop.config.model_dump(mode="json")["hidden"]
    change(loop, {"hidden": [first, second | {"shortcut": {"kind": "dense"}}]})
    assert frozen(loop)[1] == ([], [[3, 2]])
    first, second = loop.config.model_dump(mode="json")["hidden"]
    change(loop, {"features": ["x1", "x1^2", "x2"], "hidden": [first, second]})
    assert frozen(loop)[1] == ([], [[4, 2]])
    loop.train(5)
    assert weights(loop)[1]["weight"][4, 2] == kept
