"""Gradient descent, backpropagation, starts, normalisation, regularisation."""

import math

import numpy as np
import pytest
import torch

from playground.run.validation import parse
from playground.training.insight.optimizer import NextUpdate
from playground.training.insight.units import DEAD, WELL, flatness, last_masks
from playground.training.schedule import rates_of
from tests.course.rows import points, row
from tests.loops import change, frame, metrics, put_weights, start, weights

SIGMOIDS = {"width": 2, "activation": {"kind": "sigmoid"}}


# --- Gradient descent ------------------------------------------------------------------------------------


@row("O1", "batch, stochastic and mini-batch")
def batches() -> None:
    """A full batch is the same whatever the order of the data."""
    config = {"batch_size": 250, "optimizer": {"kind": "sgd", "lr": 0.1}}
    mixed, sorted_ = (start({**config, "shuffle": shuffle}) for shuffle in (True, False))
    for loop in (mixed, sorted_):
        loop.train(20)
    torch.testing.assert_close(mixed.state.weights, sorted_.state.weights)


@row("O2", "SGD, momentum, Nesterov")
def momentum() -> None:
    for kind in ("momentum", "nesterov"):
        optimizer = parse({"optimizer": {"kind": kind, "beta": 0.9}}).optimizer
        slots, one, delta = (torch.zeros(1),), torch.ones(1), torch.zeros(1)
        for t in range(1, 300):
            delta, slots = optimizer.update(one, 2 * one, slots, t * one, 0.01)
        assert float(delta) == pytest.approx(-0.01 * 2 / (1 - 0.9), rel=1e-4)


@row("O3", "AdaGrad's rate dies, RMSProp's does not, Adadelta has none to set")
def adaptive() -> None:
    steps = {}
    for kind in ("adagrad", "rmsprop"):
        optimizer = parse({"optimizer": {"kind": kind, "lr": 0.1}}).optimizer
        slots, one = tuple(torch.zeros(1) for _ in optimizer.slots), torch.ones(1)
        delta = one
        for t in range(1, 1001):
            delta, slots = optimizer.update(one, one, slots, t * one, 0.1)
        steps[kind] = -float(delta)
    assert steps["adagrad"] == pytest.approx(0.1 / math.sqrt(1000), rel=1e-3)
    assert steps["rmsprop"] == pytest.approx(0.1, rel=1e-3)


@row("O4", "Adam, AdamW: the first step is the rate times the gradient's sign")
def adam() -> None:
    for kind in ("adam", "adamw"):
        optimizer = parse({"optimizer": {"kind": kind}}).optimizer
        gradient, none = torch.tensor([3.0, -0.02]), torch.zeros(2)
        slots = tuple(none.clone() for _ in optimizer.slots)
        delta, _ = optimizer.update(none, gradient, slots, torch.ones(2), 0.01)
        torch.testing.assert_close(delta, -0.01 * gradient.sign(), rtol=1e-4, atol=0)


@row("O5", "schedules")
def schedules() -> None:
    schedule = {"kind": "linear_decay", "total_steps": 100, "end_factor": 0.1}
    loop = start({"optimizer": {"kind": "sgd", "lr": 0.1}, "schedule": schedule})
    assert rates_of(loop.config, loop.state, np.array([0, 50, 200])) == pytest.approx([0.1, 0.055, 0.01])


@row("O6", "a learning rate too small, right, too large")
def rates() -> None:
    """On the parabola of one weight, E = ½ w², a rate over 2 diverges."""
    lost = {}
    for rate in (0.001, 1.0, 2.1):
        loop = start(
            points(
                (1, 0, 0), (-1, 0, 0), features=["x1"], hidden=[], optimizer={"kind": "sgd", "lr": rate / 2}
            )
        )
        put_weights(loop, [{"weight": [[1.0]], "bias": [0.0]}])
        loop.train(20)
        lost[rate] = metrics(loop)["train_loss"]
    assert lost[1.0] == pytest.approx(0, abs=1e-10)
    assert lost[0.001] == pytest.approx(0.999**40, rel=1e-3)
    assert lost[2.1] == pytest.approx(1.1**40, rel=1e-3)


@row("O8", "the optimizer's own state: velocity, second moment, effective rate of each weight")
def optimizer_state() -> None:
    loop = start({"optimizer": {"kind": "adam", "lr": 0.01}})
    loop.train(3)
    seen = NextUpdate.of(loop.experiment, loop.state).of_weight(0, 0, 0)
    assert {slot.name for slot in loop.config.optimizer.slots} < set(seen)
    assert seen["effective_rate"] == pytest.approx(abs(seen["next_step"] / seen["gradient"]), rel=1e-4)


# --- Backpropagation -------------------------------------------------------------------------------------

OUTPUT = {"activation": {"kind": "sigmoid"}}


@row("B1", "a forward pass by hand")
def forward_by_hand() -> None:
    config = points((4.218, 2.234, 0), hidden=[SIGMOIDS], output=OUTPUT)
    loop = start(config)
    put_weights(
        loop,
        [
            {"weight": [[1.764, 0.400], [0.978, 2.240]], "bias": [0.950, -0.151]},
            {"weight": [[1.867], [-0.977]], "bias": [-0.103]},
        ],
    )
    hidden = loop.trainer.activations(loop.experiment.all_x)[:2, 0].astype(np.float64)
    np.testing.assert_allclose(np.log(hidden / (1 - hidden)), [10.5754, 6.5404], atol=5e-2)
    assert loop.measure()[1].prediction[0] == pytest.approx(0.68748, abs=1e-5)


@row("B2", "one step by hand")
def step_by_hand() -> None:
    """Their E is half the squared error: so our rate is half of theirs. Biases are frozen at zero."""
    config = points((0.35, 0.7, 0.5), hidden=[SIGMOIDS], output=OUTPUT, optimizer={"kind": "sgd", "lr": 0.5})
    loop = start(config)
    start_weights = [
        {"weight": [[0.2, 0.3], [0.2, 0.3]], "bias": [0, 0]},
        {"weight": [[0.3], [0.9]], "bias": [0]},
    ]
    put_weights(loop, start_weights)
    values = loop.trainer.activations(loop.experiment.all_x)[:, 0]
    np.testing.assert_allclose(values, [0.55231, 0.57811, 0.66507], atol=1e-5)
    loop.train(1)
    first, last = weights(loop)
    np.testing.assert_allclose(last["weight"], [[0.27969], [0.87874]], atol=1e-5)
    np.testing.assert_allclose(first["weight"], [[0.19905, 0.29718], [0.19809, 0.29435]], atol=1e-5)
    put_weights(loop, [{"bias": [0, 0]}, {"bias": [0]}])
    assert loop.measure()[1].prediction[0] == pytest.approx(0.65955, abs=1e-5)


@row("B4", "vanishing gradients: deep sigmoid, and what helps")
def vanishing() -> None:
    first = {}
    for name, layer in {
        "sigmoid": {"activation": {"kind": "sigmoid"}},
        "relu": {"activation": {"kind": "relu"}},
        "batchnorm": {"activation": {"kind": "sigmoid"}, "normalization": {"kind": "batchnorm"}},
        "residual": {"activation": {"kind": "sigmoid"}, "shortcut": {"kind": "residual"}},
    }.items():
        hidden = [{"width": 8, **{k: v for k, v in layer.items() if k != "shortcut"}}]
        hidden += [{"width": 8, **layer}] * 5
        init = {"kind": "he_normal" if name == "relu" else "xavier_uniform"}
        loop = start({"hidden": hidden, "init": init, "batch_size": 250})
        loop.train(1)
        first[name] = metrics(loop)["grad_norm.0"] or 0.0
    assert all(10 * first["sigmoid"] < first[name] for name in ("relu", "batchnorm", "residual"))


@row("B5", "gradient clipping, by norm and by value")
def clipping() -> None:
    config = points((3, 2, 50), (1, -2, -50), hidden=[], optimizer={"kind": "sgd", "lr": 1.0})
    for clip, norm in (({"clip_norm": 0.5}, 2), ({"clip_value": 0.01}, np.inf)):
        loop = start(parse({**config.model_dump(mode="json"), **clip}))
        before = loop.state.weights.clone()
        loop.train(1)
        step = (loop.state.weights - before)[0].numpy()
        (bound,) = clip.values()
        assert np.linalg.norm(step, norm) == pytest.approx(bound, rel=1e-3)


@row("B6", "dead ReLUs and saturated units are counted and pointed at")
def dead_units() -> None:
    loop = start({"hidden": [{"width": 3, "activation": {"kind": "relu"}}]})
    put_weights(loop, [{"bias": [-100.0, 100.0, 0.0]}, {}])
    (layer,) = flatness(loop.experiment, loop.state)
    assert layer.states.tolist() == [DEAD, WELL, WELL]


# --- Starts, normalisation, regularisation ---------------------------------------------------------------


@row("R1", "starts: with zeros, hidden units stay alike for ever")
def starts() -> None:
    loop = start({"hidden": [{"width": 4}], "init": {"kind": "zero", "bias": 0.1}})
    loop.train(100)
    first = weights(loop)[0]["weight"]
    np.testing.assert_allclose(first, first[:, :1].repeat(4, axis=1), rtol=1e-5)


@row("R2", "batchnorm: toggling it keeps the evaluated output")
def batchnorm() -> None:
    loop = start({"hidden": [{"width": 4}]})
    loop.train(50)
    x = loop.experiment.all_x
    before = loop.trainer.evaluate(x).prediction
    for kind in ("batchnorm", "none"):
        change(loop, {"hidden": [{"width": 4, "normalization": {"kind": kind}}]})
        np.testing.assert_allclose(loop.trainer.evaluate(x).prediction, before, atol=1e-4)
        before = loop.trainer.evaluate(x).prediction


@row("R3", "dropout: the mask of this step can be seen, and the mean activation is preserved")
def dropout() -> None:
    loop = start({"hidden": [{"width": 8, "dropout": 0.5}], "batch_size": 250})
    loop.train(1)
    assert frame(loop, 4, 8)["dropped"].any()
    (_, mask, _) = last_masks(loop.experiment, loop.state) or (None, None, None)
    assert mask is not None
    assert float(mask.mean()) == pytest.approx(1, abs=0.05)
    first, second = (loop.trainer.evaluate(loop.experiment.all_x).prediction for _ in range(2))
    np.testing.assert_array_equal(first, second)


@row("R4", "L2: half the sum of squares, times the strength")
def l2() -> None:
    config = points((0, 0, 0), features=["x1"], hidden=[], l2=1.0, optimizer={"kind": "sgd", "lr": 0.1})
    loop = start(config)
    put_weights(loop, [{"weight": [[2.0]], "bias": [0.0]}])
    loop.train(1)
    assert weights(loop)[0]["weight"][0, 0] == pytest.approx(1.8)


@row("R5", "early stopping: patience, best weights restored")
def early_stopping() -> None:
    data = {"kind": "gauss", "samples": 60, "noise": 0.5}
    stopping = {"kind": "early_stopping", "patience": 5}
    optimizer = {"kind": "momentum", "lr": 0.05}
    loop = start({"data": data, "hidden": [{"width": 8}], "optimizer": optimizer, "stopping": stopping})
    loop.train(100_000)
    assert loop.stopped
    assert loop.state.waiting.epoch == loop.state.epoch - 5
    assert metrics(loop)["test_loss"] == pytest.approx(loop.state.waiting.loss, rel=1e-5)


@row("R6", "noise on inputs, data augmentation")
def noise() -> None:
    calm, noisy = (start({"input_noise": std, "batch_size": 250}) for std in (0.0, 1.0))
    for loop in (calm, noisy):
        loop.train(1)
    assert metrics(calm)["train_loss"] != metrics(noisy)["train_loss"]
    x = noisy.experiment.all_x
    first, second = (noisy.trainer.evaluate(x).prediction for _ in range(2))
    np.testing.assert_array_equal(first, second)
    plain, more = (
        start({"augmentation": {"kind": kind}}).experiment.dataset for kind in ("no_augmentation", "mirror")
    )
    assert len(more.train_inputs) > len(plain.train_inputs)
    np.testing.assert_array_equal(more.test_inputs, plain.test_inputs)


@row("R7", "model combination: several seeds at once, their mean and their spread")
def combination() -> None:
    loop = start({"replicas": 3, "hidden": [{"width": 3}]})
    loop.train(10)
    assert frame(loop, 4, 8)["spread_range"][0, 1] > 0


@row("R8", "residual connections")
def residual() -> None:
    layer = {"width": 2, "shortcut": {"kind": "residual"}, "activation": {"kind": "tanh"}}
    loop = start({"hidden": [layer], "features": ["x1", "x2"]})
    put_weights(loop, [{"weight": np.zeros((2, 2)), "bias": [0.0, 0.0]}, {}])
    passed = loop.trainer.activations(loop.experiment.all_x)[:2]
    np.testing.assert_allclose(passed, loop.experiment.all_x[0].T, atol=1e-6)


@row("R9", "underfit, good fit, overfit")
def fits() -> None:
    """Few noisy points: a wide net learns them by heart, and answers worse than on what it saw."""
    data = {"kind": "gauss", "noise": 0.5, "samples": 40}
    loop = start({"data": data, "hidden": [{"width": 16}] * 2, "optimizer": {"kind": "adam", "lr": 0.03}})
    loop.train(600)
    found = metrics(loop)
    assert (found["test_loss"] or 0) > 2 * (found["train_loss"] or 0)
