"""Looking inside: what the optimizer remembers and will do, units that do not learn, masks of dropout."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
import torch

from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.catalogue.optimizers import Optimizer
from playground.training.batches import Batches
from playground.training.insight.optimizer import NextUpdate
from playground.training.insight.units import DEAD, SATURATED, WELL, flatness, greatest_slope, last_masks
from playground.training.loop import TrainingLoop
from tests.guest import Guest
from tests.loops import frame, put_weights, start

RELU, SIGMOID = {"kind": "relu"}, {"kind": "sigmoid"}
OPTIMIZERS = members(Optimizer)


def all_of(update: NextUpdate, quantity: str) -> torch.Tensor:
    """(P,), as the parameters lie."""
    numbers = [own[quantity].ravel() for layer in update.layers for own in layer.values()]
    return torch.from_numpy(np.concatenate(numbers))


@pytest.mark.parametrize("kind", [cls.name() for cls in OPTIMIZERS])
def test_the_next_step_is_the_one_that_is_taken(kind: str) -> None:
    hidden = [
        {"width": 4, "dropout": 0.3, "frozen_neurons": [1]},
        {"width": 3, "normalization": {"kind": "batchnorm"}},
    ]
    more = {"l1": 0.001, "l2": 0.01, "clip_norm": 0.5, "schedule": {"kind": "exponential_decay"}}
    loop = start({"hidden": hidden, "optimizer": {"kind": kind, "weight_decay": 0.01}, **more})
    loop.train(7)
    before = loop.state.copy()
    update = NextUpdate.of(loop.experiment, loop.state)
    for tensor, kept in zip(loop.state.tensors(), before.tensors(), strict=True):
        assert torch.equal(tensor, kept), "looking changed something"
    loop.train(1)
    torch.testing.assert_close(
        all_of(update, "next_step"), (loop.state.weights - before.weights)[0], rtol=1e-3, atol=1e-6
    )
    assert loop.state.grad is not None
    torch.testing.assert_close(all_of(update, "gradient"), loop.state.grad[0])
    for slot, kept in zip(loop.config.optimizer.slots, before.slots, strict=True):
        assert torch.equal(all_of(update, slot.name), kept[0])


def test_the_first_step_of_adam_is_as_long_for_every_weight() -> None:
    """η · sign(g), so that its effective rate is η / |g|."""
    loop = start({"optimizer": {"kind": "adam", "lr": 0.01, "eps": 1e-12}})
    update = NextUpdate.of(loop.experiment, loop.state)
    step, grad = all_of(update, "next_step"), all_of(update, "gradient")
    torch.testing.assert_close(step, -0.01 * grad.sign(), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(all_of(update, "effective_rate"), 0.01 / grad.abs(), rtol=1e-4, atol=0)


def test_the_effective_rate_of_plain_descent_is_the_learning_rate() -> None:
    loop = start({"optimizer": {"kind": "sgd", "lr": 0.02}})
    rates = all_of(NextUpdate.of(loop.experiment, loop.state), "effective_rate")
    torch.testing.assert_close(rates, torch.full_like(rates, 0.02))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_an_optimizer_remembers_has_names_and_help(optimizer: type[Optimizer]) -> None:
    names = [slot.name for slot in optimizer.slots]
    assert len(set(names)) == len(names)
    for slot in optimizer.slots:
        assert slot.label
        assert slot.help
        symbol = slot.symbol.replace(r"1 - \prod \mu", r"\prod")
        own = [cls for cls in optimizer.__mro__ if issubclass(cls, Optimizer) and cls.name()]
        assert any(symbol in cls.formula for cls in own), f"{slot.symbol} is in no formula"


def states(loop: TrainingLoop) -> list[list[int]]:
    return [layer.states.tolist() for layer in flatness(loop.experiment, loop.state)]


def test_dead_and_saturated_units_are_found() -> None:
    """Of batch normalisation the running statistics count, and of dropout nothing."""
    hidden = [{"width": 3, "activation": RELU, "dropout": 0.5}, {"width": 3, "activation": SIGMOID}]
    loop = start({"hidden": hidden})
    put_weights(
        loop, [{"bias": [-100.0, 100.0, 0.0]}, {"weight": np.zeros((3, 3)), "bias": [100.0, 5.0, 0.0]}, {}]
    )
    assert states(loop) == [[DEAD, WELL, WELL], [DEAD, SATURATED, WELL]]
    assert frame(loop)["unit_states"].tolist() == [DEAD, WELL, WELL, DEAD, SATURATED, WELL]


def test_a_unit_at_the_border_is_counted_point_by_point() -> None:
    """A ReLU that lets through the points on one side only."""
    loop = start({"hidden": [{"width": 2, "activation": RELU}], "features": ["x1"]})
    x = loop.experiment.train_x[0, :, 0].sort().values
    few, many = x[-3].item(), x[len(x) // 2].item()  # two points pass; about half
    put_weights(loop, [{"weight": [[1.0, 1.0]], "bias": [-few, -many]}, {}])
    (layer,) = flatness(loop.experiment, loop.state)
    assert layer.states.tolist() == [SATURATED, WELL]
    assert layer.share[0] == pytest.approx(1 - 2 / len(x))


@pytest.mark.parametrize("activation", members(Activation))
def test_the_greatest_slope_is_that_of_the_component(activation: type[Activation]) -> None:
    learned = {name: torch.tensor(value) for name, value in activation.learned.items()}
    expected = {"sigmoid": 0.25, "step": 0.0}.get(activation.name(), 1.0)
    assert greatest_slope(activation(), learned) == pytest.approx(expected, abs=1e-3)


def test_the_mask_that_is_shown_is_the_one_of_the_last_step() -> None:
    raw = {"hidden": [{"width": 4, "dropout": 0.5}, {"width": 3}], "input_dropout": 0.3, "batch_size": 10}
    loop = start(raw)
    assert "dropped" not in frame(loop)
    loop.train(3)
    used = Batches(loop.experiment, loop.state.seeds).next(loop.state)[2]
    loop.train(1)
    masks = last_masks(loop.experiment, loop.state)
    assert masks
    for shown, mask in zip(masks, used, strict=True):
        assert (shown is None) == (mask is None)
        if shown is not None and mask is not None:
            assert torch.equal(shown[0], mask)
    shown = frame(loop)
    assert used[0] is not None
    assert used[1] is not None
    first = [*(used[0][0, 0] == 0).tolist(), *(used[1][0, 0] == 0).tolist(), False, False, False]
    assert shown["dropped"].astype(bool).tolist() == first
    assert shown["dropped_share"][:2] == pytest.approx((used[0][0] == 0).float().mean(dim=0).numpy())


def test_dropout_preserves_the_mean_activation() -> None:
    loop = start({"hidden": [{"width": 5, "dropout": 0.4}]})
    means = []
    for _ in range(400):
        loop.state.step += 1
        masks = last_masks(loop.experiment, loop.state)
        assert masks
        assert masks[1] is not None
        means.append(masks[1].mean(dim=(0, 1, 2)))
    torch.testing.assert_close(torch.stack(means).mean(dim=0), torch.ones(5), rtol=0, atol=0.06)


def test_no_mask_where_nothing_is_dropped() -> None:
    loop = start({})
    loop.train(2)
    assert "dropped" not in frame(loop)


# --- Over HTTP --------------------------------------------------------------------------------------------


def test_a_script_reads_the_state_of_the_optimizer(
    client: httpx.Client, new_session: Callable[..., Guest]
) -> None:
    guest = new_session({"hidden": [{"width": 3, "frozen_edges": [[1, 2]]}], "optimizer": {"kind": "adam"}})
    guest.do("POST", "/step", {"steps": 5})
    whole: dict[str, Any] = client.get(f"/api/sessions/{guest.id}/optimizer").json()
    assert (whole["step"], whole["optimizer"]) == (5, "adam")
    weight = whole["layers"][0]["weight"]
    names = {"value", "gradient", "next_step", "effective_rate", "first_moment", "second_moment"}
    assert weight.keys() == names
    assert whole["layers"][1]["bias"].keys() == names
    assert (weight["next_step"][1][2], weight["effective_rate"][1][2]) == (0, None)
    place = {"layer": 0, "source": 0, "unit": 1}
    one = client.get(f"/api/sessions/{guest.id}/optimizer/weight", params=place).json()
    assert one["next_step"] == weight["next_step"][0][1] != 0
    assert one["slots"] == {name: weight[name][0][1] for name in ("first_moment", "second_moment")}
    bias = client.get(f"/api/sessions/{guest.id}/optimizer/weight", params={"layer": 1, "unit": 0}).json()
    assert bias["value"] == whole["layers"][1]["bias"]["value"][0]
    gone = client.get(f"/api/sessions/{guest.id}/optimizer/weight", params={"layer": 0, "unit": 3})
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "unit")


def test_a_script_reads_which_units_are_dead(client: httpx.Client, new_session: Callable[..., Guest]) -> None:
    guest = new_session({"hidden": [{"width": 2, "activation": RELU, "dropout": 0.5}]})
    guest.do("PUT", "/weights", {"layers": [{"bias": [-100.0, 1.0]}, {}]})
    guest.do("POST", "/step", {"steps": 1})
    found = client.get(f"/api/sessions/{guest.id}/units").json()
    (layer,) = found["layers"]
    assert (layer["dead"], layer["saturated"], layer["flat_share"][0]) == ([0], [], 1.0)
    assert (len(layer["dropped"]), len(layer["dropped"][0])) == (10, 2)
    assert found["inputs_dropped"] == [[0, 0]] * 10
