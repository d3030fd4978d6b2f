"""Parameters of losses, class weights and the temperature of softmax: against torch, and worked examples."""

import numpy as np
import pytest
import torch
from torch import nn

from playground.catalogue.component import Task
from playground.catalogue.losses import Loss
from tests.loops import metrics, start
from tests.test_catalogue import (
    assert_same_training,
    component,
    focal,
    hinge,
    kl_divergence,
    quantile,
    squared_hinge,
)


def focal_of_classes(output, target, **parameters):
    return focal(output, nn.functional.one_hot(target, output.shape[-1]), **parameters)


def cross_entropy(output, target, temperature):
    return nn.functional.cross_entropy(output / temperature, target)


def smooth_bce(output, target, smoothing):
    soft = target * (1 - smoothing) + smoothing / 2
    return nn.functional.binary_cross_entropy_with_logits(output, soft)


BLOBS = {"kind": "blobs", "classes": 4, "samples": 60}
CIRCLE = {"kind": "circle", "samples": 60}


@pytest.mark.parametrize(
    ("loss", "oracle", "data"),
    [
        ({"kind": "hinge", "margin": 0.3}, lambda o, y: hinge(o, y, 0.3), CIRCLE),
        ({"kind": "squared_hinge", "margin": 2.0}, lambda o, y: squared_hinge(o, y, 2.0), CIRCLE),
        ({"kind": "multi_margin", "margin": 0.3}, nn.MultiMarginLoss(margin=0.3), BLOBS),
        ({"kind": "focal", "gamma": 0.5, "alpha": 0.25}, lambda o, y: focal(o, y, 0.5, 0.25), CIRCLE),
        ({"kind": "focal", "gamma": 3.0}, lambda o, y: focal_of_classes(o, y, gamma=3.0), BLOBS),
        ({"kind": "bce", "label_smoothing": 0.2}, lambda o, y: smooth_bce(o, y, 0.2), CIRCLE),
        ({"kind": "cross_entropy", "label_smoothing": 0.2}, nn.CrossEntropyLoss(label_smoothing=0.2), BLOBS),
        ({"kind": "cross_entropy", "temperature": 5.0}, lambda o, y: cross_entropy(o, y, 5.0), BLOBS),
        (
            {"kind": "kl_divergence", "temperature": 0.5, "label_smoothing": 0.3},
            lambda o, y: kl_divergence(o, y, 0.3, 0.5),
            BLOBS,
        ),
        (
            {"kind": "quantile", "quantile": 0.9},
            lambda o, y: quantile(o, y, 0.9),
            {"kind": "plane", "samples": 60},
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) and "samples" not in value else "",
)
def test_the_parameters_of_a_loss_are_those_of_torch(loss, oracle, data):
    assert_same_training({"data": data, "loss": loss}, loss=oracle, labels=data["kind"] == "blobs")


@pytest.mark.parametrize("weights", [(1.0, 3.0, 0.5, 2.0), "balanced"])
def test_class_weights_on_a_full_batch_are_those_of_torch(weights):
    """torch divides by the sum of the weights of the batch."""
    chosen = {"kind": "balanced"} if weights == "balanced" else {"kind": "given", "weights": weights}
    config = {"data": BLOBS | {"train_fraction": 0.35}, "loss": {"kind": "cross_entropy"}}
    y = start(config).experiment.dataset.train_targets
    counts = np.bincount(y)
    assert len(set(counts)) > 1, "so balanced weights differ"
    each = len(y) / (4 * counts) if weights == "balanced" else weights
    oracle = nn.CrossEntropyLoss(weight=torch.tensor(each, dtype=torch.float32))
    loop, module = assert_same_training(config | {"class_weights": chosen}, loss=oracle, labels=True)
    with torch.no_grad():
        expected = oracle(module(torch.from_numpy(loop.experiment.dataset.train_inputs)), torch.from_numpy(y))
    assert metrics(loop)["train_loss"] == pytest.approx(float(expected), rel=1e-3)


def test_class_weights_count_in_a_batch_of_one():
    """Divided by the sum of the weights of its own batch, each sample would count 1, whatever its class."""
    config = {"data": CIRCLE, "batch_size": 1, "optimizer": {"kind": "sgd", "lr": 0.01}, "shuffle": False}
    plain, heavy = start(config), start(config | {"class_weights": {"kind": "given", "weights": [1, 9]}})
    y = plain.experiment.dataset.train_targets
    scale = len(y) / np.where(y == 1, 9, 1).sum()
    before = torch.clone(plain.state.weights)
    for loop in (plain, heavy):
        loop.train(1)
    step, weighted = plain.state.weights - before, heavy.state.weights - before
    torch.testing.assert_close(weighted, step * float(scale * (9 if y[0] == 1 else 1)))


@pytest.mark.parametrize(("p", "expected"), [(0.7, 0.3567), (0.2, 1.6094)])
def test_cross_entropy_is_the_surprise_at_the_true_class(p, expected):
    """The same from an index as from a 1 among zeros."""
    output = torch.tensor([p, (1 - p) / 2, (1 - p) / 2]).log()
    value = component(Loss, "cross_entropy").forward(output[None, None], torch.tensor([[0]]))
    assert float(value) == pytest.approx(expected, abs=1e-4)
    one_hot = nn.functional.cross_entropy(output, torch.tensor([1.0, 0.0, 0.0]))
    assert float(value) == pytest.approx(float(one_hot))


@pytest.mark.parametrize(("to", "expected"), [((0.6, 0.3, 0.1), 0.02681), ((0.1, 0.8, 0.1), 1.0849)])
def test_kl_divergence_of_a_worked_example(to, expected):
    value = component(Loss, "kl_divergence").divergence(torch.tensor((0.7, 0.2, 0.1)), torch.tensor(to).log())
    assert float(value) == pytest.approx(expected, abs=1e-4)


def test_kl_divergence_is_zero_where_the_network_says_its_soft_targets():
    soft = torch.tensor([0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3])
    loss = component(Loss, "kl_divergence", label_smoothing=0.1)
    assert float(loss.forward(soft.log()[None, None], torch.tensor([[0]]))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("sums", "temperature", "expected"),
    [
        ((3, 1, 0.5), 1.0, (0.8214, 0.1112, 0.0674)),
        ((2, 1, 0.1), 1.0, (0.6590, 0.2424, 0.0986)),
        ((2, 1, 0.1), 5.0, (0.3996, 0.3272, 0.2733)),
        ((2, 1, 0.1), 0.05, (1.0, 0.0, 0.0)),
        ((2, 1, 0.1), 100.0, (0.3366, 0.3332, 0.3302)),
    ],
)
@pytest.mark.parametrize("kind", ["cross_entropy", "kl_divergence"])
def test_softmax_with_a_temperature(kind, sums, temperature, expected):
    loss, task = component(Loss, kind, temperature=temperature), Task("multiclass", 3)
    found = loss.predict(torch.tensor(sums, dtype=torch.float32), task)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_points_that_are_quite_sure_is_a_number_with_a_slope(gamma):
    output = torch.tensor([[[-200.0], [200.0], [0.0]]], requires_grad=True)
    losses = component(Loss, "focal", gamma=gamma).forward(output, torch.tensor([[1, 1, 1]]))
    losses.sum().backward()
    assert losses.isfinite().all()
    assert output.grad is not None
    assert output.grad.isfinite().all()
    assert losses[0].tolist() == pytest.approx([100.0, 0.0, 0.5 * 0.5**gamma * 0.6931], abs=1e-3)
