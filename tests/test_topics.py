"""The course, row by row: every concept that the playground lets people see, with the numbers of books.

Each row can be set in a config, so through the page and the API, and its check values hold here. Whole
behaviours are tested in the files of their own; the oracles against torch run over the whole catalogue in
test_catalogue.py.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from playground.run.config import Config
from playground.run.summary import summary
from playground.run.validation import parse
from playground.training.insight.optimizer import NextUpdate
from playground.training.insight.units import DEAD, WELL, flatness, last_masks
from playground.training.schedule import rates_of
from playground.training.scores import class_scores
from tests.loops import change, frame, metrics, put_weights, start, weights

ROWS: dict[str, tuple[str, Callable[[], None]]] = {}
ELSEWHERE = {
    "O7": "the race of optimizers on known surfaces",
    "B3": "stepping through backpropagation",
    "B7": "histograms over time",
    "N5": "search of hyperparameters",
}
"""Rows that are not part of a session."""
COURSE = (
    *(f"A{n}" for n in range(1, 11)),
    *(f"L{n}" for n in range(1, 9)),
    *(f"O{n}" for n in range(1, 9)),
    *(f"B{n}" for n in range(1, 8)),
    *(f"R{n}" for n in range(1, 10)),
    *(f"N{n}" for n in range(1, 7)),
)
XOR_POINTS = {"data": {"kind": "xor_points"}, "batch_size": 4, "loss": {"kind": "mse"}}
TWO_LAYERS = {"width": 2, "activation": {"kind": "sigmoid"}}


def row(name: str, topic: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(check: Callable[[], None]) -> Callable[[], None]:
        ROWS[name] = topic, check
        return check

    return register


def test_no_row_is_missing() -> None:
    assert set(ROWS) | set(ELSEWHERE) == set(COURSE)
    assert not set(ROWS) & set(ELSEWHERE)


@pytest.mark.parametrize("name", [name for name in COURSE if name not in ELSEWHERE])
def test_a_row_of_the_course_has_its_numbers(name: str) -> None:
    ROWS[name][1]()


def points(*rows: tuple[float, float, float], classes: int = 0, **config: object) -> Config:
    data = {"kind": "points", "points": [list(one) for one in rows], "test_points": [], "classes": classes}
    return parse({"data": data, "batch_size": len(rows), "loss": {"kind": "mse"}, **config})


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
        slots, one = (torch.zeros(1),), torch.ones(1)
        for t in range(1, 300):
            delta, slots = optimizer.update(one, 2 * one, slots, t * one, 0.01)
        assert float(delta) == pytest.approx(-0.01 * 2 / (1 - 0.9), rel=1e-4)


@row("O3", "AdaGrad's rate dies, RMSProp's does not, Adadelta has none to set")
def adaptive() -> None:
    steps = {}
    for kind in ("adagrad", "rmsprop"):
        optimizer = parse({"optimizer": {"kind": kind, "lr": 0.1}}).optimizer
        slots, one = tuple(torch.zeros(1) for _ in range(optimizer.slots)), torch.ones(1)
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
        slots = tuple(none.clone() for _ in range(optimizer.slots))
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
    config = points((4.218, 2.234, 0), hidden=[TWO_LAYERS], output=OUTPUT)
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
    config = points(
        (0.35, 0.7, 0.5), hidden=[TWO_LAYERS], output=OUTPUT, optimizer={"kind": "sgd", "lr": 0.5}
    )
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
    evaluated = [loop.trainer.evaluate(loop.experiment.all_x).prediction for _ in range(2)]
    np.testing.assert_array_equal(*evaluated)


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
    np.testing.assert_array_equal(*(noisy.trainer.evaluate(x).prediction for _ in range(2)))
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


# --- Networks, data, metrics -----------------------------------------------------------------------------


@row("N1", "XOR by weights set by hand")
def xor_by_hand() -> None:
    loop = start({**XOR_POINTS, "hidden": [{"width": 2, "activation": {"kind": "relu"}}]})
    put_weights(loop, [{"weight": [[1, 1], [1, 1]], "bias": [0, -1]}, {"weight": [[1], [-2]], "bias": [0]}])
    x = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]])
    assert loop.trainer.evaluate(x).prediction.tolist() == [0, 1, 1, 0]


@row("N2", "a summary with parameter counts")
def summaries() -> None:
    config = parse({"hidden": [{"width": 2}]})
    assert summary(config, start(config).experiment.dataset.task).parameters == 9


@row("N3", "confusion matrix, accuracy, precision, recall, F1")
def scores() -> None:
    counts = np.array([[20, 5], [5, 70]])
    assert np.trace(counts) / counts.sum() == pytest.approx(0.90)
    np.testing.assert_allclose(class_scores(counts)[1], [70 / 75] * 3, atol=1e-6)


@row("N4", "own data, real data, synthetic data")
def data() -> None:
    for kind, count, inputs in (
        ("iris", 150, 4),
        ("wine", 178, 13),
        ("breast_cancer", 569, 30),
        ("digits", 1797, 64),
    ):
        found = start({"data": {"kind": kind}, "hidden": []}).experiment.dataset
        assert len(found.train_inputs) + len(found.test_inputs) == count
        assert found.task.inputs == inputs


@row("N6", "universal approximation: width against the fit of a function of one input")
def approximation() -> None:
    left = []
    for width in (1, 8):
        optimizer = {"kind": "adam", "lr": 0.01}
        loop = start(
            {
                "data": {"kind": "sine_curve"},
                "hidden": [{"width": width}],
                "loss": {"kind": "mse"},
                "batch_size": 50,
                "optimizer": optimizer,
            }
        )
        loop.train(1500)
        left.append(metrics(loop)["train_loss"] or 0.0)
    assert left[1] < left[0] / 2
