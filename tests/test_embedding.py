"""Losses of pairs and triplets: their partners, what they train, and the live change to an embedding and
back."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from playground.catalogue.losses import Loss
from playground.catalogue.partners import Partners
from playground.errors import ValidationFailed
from playground.run.validation import parse
from playground.training.batches import Batches
from playground.training.loop import TrainingLoop
from playground.worker.snapshot import load, save
from tests.loops import change, frame, maps, metrics, start, weights
from tests.test_catalogue import component, twin

BLOBS = {"kind": "blobs", "classes": 4, "samples": 60}
CIRCLE = {"kind": "circle", "samples": 60}
PLANE = {"kind": "plane", "samples": 60}
KINDS = ("contrastive", "triplet", "margin_ranking")


def loss_of(kind: str, rows: list[list[float]], target: list[int], **parameters: float) -> float:
    value = component(Loss, kind, **parameters).forward(torch.tensor([rows]), torch.tensor([target]))
    assert value.shape == (1, 1)
    return float(value)


@pytest.mark.parametrize(
    ("distance", "similar", "expected"), [(0.5, True, 0.25), (0.5, False, 2.25), (3.0, False, 0.0)]
)
def test_contrastive_loss_of_a_worked_example(distance, similar, expected):
    """Before the half that the paper puts in front."""
    places = [[1.0, 1.0], [1.0 + 0.6 * distance, 1.0 - 0.8 * distance]]
    found = loss_of("contrastive", places, [0, 0 if similar else 1], margin=2.0)
    assert 2 * found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("negative", "expected"), [(1.0, 0.3), (2.0, 0.0)])
def test_triplet_loss_of_a_worked_example(negative, expected):
    found = loss_of("triplet", [[0.0, 0.0], [0.8, 0.0], [0.0, negative]], [1, 1, 0], margin=0.5)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("scores", "expected"), [((3.0, 1.0), 0.0), ((2.0, 2.0), 1.0)])
def test_ranking_loss_of_a_worked_example(scores, expected):
    assert loss_of("margin_ranking", [[s] for s in scores], [1, 0], margin=1.0) == expected


def contrastive(z: Tensor, y: Tensor, margin: float) -> Tensor:
    """Hadsell, Chopra, LeCun (2006), equation 4; there, Y is 0 for similar points."""
    (a, b), (own, other) = z.chunk(2), y.chunk(2)
    dissimilar = (own != other).float()
    distance = nn.functional.pairwise_distance(a, b, eps=0)
    short = (margin - distance).clamp(min=0)
    return ((1 - dissimilar) * distance**2 / 2 + dissimilar * short**2 / 2).mean()


def ranking(z: Tensor, y: Tensor, margin: float) -> Tensor:
    (a, b), (own, other) = z.squeeze(-1).chunk(2), y.chunk(2)
    return nn.MarginRankingLoss(margin)(a, b, torch.sign(own - other))


ORACLES: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "contrastive": contrastive,
    "triplet": lambda z, y, margin: nn.TripletMarginLoss(margin)(*z.chunk(3)),
    "margin_ranking": ranking,
}


PAIRS = [(kind, data) for kind in KINDS for data in (BLOBS, CIRCLE)] + [("margin_ranking", PLANE)]


@pytest.mark.parametrize(
    ("kind", "data"), PAIRS, ids=lambda value: value["kind"] if isinstance(value, dict) else value
)
def test_pairs_train_like_torch(kind, data):
    """On the same mini-batches and partners, over 50 steps. The bias of the output moves all points alike, so
    its true gradient is zero, and what moves it in torch is rounding."""
    loop = start({"data": data, "loss": {"kind": kind, "margin": 0.7}, "batch_size": 8})
    module = twin(loop)
    rule = torch.optim.Adam(module.parameters(), lr=0.03)
    batches, state = Batches(loop.experiment, loop.state.seeds), loop.state.copy()
    for _ in range(50):
        x, y, _ = batches.next(state)
        rule.zero_grad()
        ORACLES[kind](module(x[0]), y[0], 0.7).backward()
        rule.step()
        state.step, state.cursor = (
            state.step + 1,
            state.cursor + x.shape[1] // (2 if kind != "triplet" else 3),
        )
        if state.cursor >= loop.experiment.count:
            state.epoch, state.cursor = state.epoch + 1, 0
    loop.train(50)
    assert (loop.state.epoch, loop.state.cursor) == (state.epoch, state.cursor)
    linears = [layer for layer in module if isinstance(layer, nn.Linear)]
    for linear, own in zip(linears, weights(loop), strict=True):
        np.testing.assert_allclose(own["weight"], linear.weight.detach().T, rtol=1e-3, atol=1e-5)
        if linear is linears[-1]:
            assert not own["bias"].any()
        else:
            np.testing.assert_allclose(own["bias"], linear.bias.detach(), rtol=1e-3, atol=1e-5)


def test_partners_are_of_the_kind_that_is_asked_for():
    targets = np.array([2, 0, 1, 0, 2, 0, 1, 0, 1, 5])
    count = 7
    partners = Partners(("same", "other", "either"), targets, count)
    points = torch.arange(len(targets))[None].expand(400, -1)
    torch.manual_seed(0)
    drawn = partners.drawn(points, torch.rand(400, len(targets), 3, dtype=torch.float64))
    same, other, either = (block.numpy() for block in drawn.unbind(1))
    train, known = np.arange(count), np.arange(len(targets) - 1)
    assert drawn.max() < count, "from the training points"
    assert (targets[same][:, known] == targets[known]).all()
    assert (same[:, :count] != train).all(), "a point is not its own partner"
    assert (targets[other] != targets).all()
    assert np.mean(targets[either][:, known] == targets[known]) == pytest.approx(0.5, abs=0.05)
    for point in known:
        group = {i for i in train if targets[i] == targets[point] and i != point}
        assert set(same[:, point]) == group, "each of them comes"
        assert set(other[:, point]) == {i for i in train if targets[i] != targets[point]}


def test_a_class_alone_has_no_dissimilar_points():
    """Then similar ones take their place, and a triplet or an order does not count."""
    points = [[0.0, 0.0, 0], [1.0, 1.0, 0], [2.0, 0.0, 0]]
    data = {"kind": "points", "points": points, "test_points": [[1, 0, 1]], "classes": 2}
    for kind in KINDS:
        loop = start({"data": data, "loss": {"kind": kind}})
        loop.train(20)
        assert metrics(loop)["train_loss"] is not None
        if kind != "contrastive":
            assert metrics(loop)["train_loss"] == 0


def test_partners_follow_from_seed_and_step_alone():
    """Whatever happened before: here dropout that went on and off, and training that goes on from a
    snapshot."""
    config = {"data": BLOBS, "loss": {"kind": "triplet"}, "batch_size": 8}
    plain, other = start(config), start(config)
    other.train(7)
    change(other, {"input_dropout": 0.5})
    other.train(6)
    change(other, {"input_dropout": 0.0})
    plain.train(13)
    assert torch.equal(batch(plain), batch(other))
    assert not torch.equal(batch(plain), batch(start(config | {"seed": 1})))
    resumed = load(save(plain.config, plain.state))
    for loop in (plain, resumed):
        loop.train(20)
    assert torch.equal(plain.state.weights, resumed.state.weights)


def batch(loop: TrainingLoop) -> Tensor:
    return Batches(loop.experiment, loop.state.seeds).next(loop.state.copy())[0]


@pytest.mark.parametrize(
    ("kind", "data"), [("contrastive", CIRCLE), ("triplet", BLOBS), ("margin_ranking", PLANE)]
)
def test_an_embedding_is_learned(kind, data):
    loop = start({"data": data, "loss": {"kind": kind}, "optimizer": {"kind": "adam", "lr": 0.02}})
    before = metrics(loop)
    loop.train(400)
    after = metrics(loop)
    assert (after["train_loss"] or 0) < 0.3 * (before["train_loss"] or 0)
    assert (after["test_accuracy"] or 0) > 0.85
    shown = frame(loop)
    width = 1 if kind == "margin_ranking" else 2
    assert shown["train_embedding"].shape == (30, width)
    assert shown["test_embedding"].shape == (30, width)
    assert ("confusion" in shown) == (width == 2)


def test_pairs_of_the_evaluation_stay_the_same():
    loop = start({"data": CIRCLE, "loss": {"kind": "contrastive"}})
    first = metrics(loop)
    change(loop, {"optimizer": {"lr": 1e-9}})
    loop.train(3)
    assert metrics(loop)["train_loss"] == pytest.approx(first["train_loss"], rel=1e-5)


def test_the_class_of_a_place_is_that_of_the_nearest_mean():
    loop = start({"data": BLOBS, "loss": {"kind": "triplet"}})
    loop.train(200)
    places, targets = frame(loop)["train_embedding"], loop.experiment.dataset.train_targets
    means = np.stack([places[targets == k].mean(axis=0) for k in range(4)])
    distances = np.linalg.norm(places[:, None] - means, axis=-1)
    np.testing.assert_array_equal(frame(loop)["train_predictions"], distances.argmin(axis=1))
    shares = maps(loop, 10)["decision"]
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(frame(loop, 10, 10)["decision"], shares.argmax(axis=0))


def test_scores_are_right_where_pairs_are_in_order():
    loop = start({"data": PLANE, "loss": {"kind": "margin_ranking"}})
    loop.train(100)
    scores = np.concatenate([frame(loop)[f"{part}_embedding"][:, 0] for part in ("train", "test")])
    targets, partner = loop.experiment.targets, loop.experiment.lasting_partners[0].numpy()
    right = (scores - scores[partner]) * (targets - targets[partner]) > 0
    assert metrics(loop)["train_accuracy"] == pytest.approx(right[:30].mean())
    assert metrics(loop)["test_accuracy"] == pytest.approx(right[30:].mean())
    assert "train_mae" not in metrics(loop)


def test_a_live_change_to_an_embedding_and_back():
    """The hidden layers keep what they have learned, and so does the output that stays."""
    loop = start({"data": CIRCLE})
    loop.train(50)
    seen = [weights(loop)]
    for kind, units in [
        ("contrastive", 2),
        ("margin_ranking", 1),
        ("triplet", 2),
        ("cross_entropy", 2),
        ("bce", 1),
    ]:
        said = [text.code for text in change(loop, {"loss": {"kind": kind}})]
        seen.append(weights(loop))
        assert weights(loop)[-1]["weight"].shape[1] == units
        assert ("effect.outputs" in said) == (kind != "cross_entropy")
        assert loop.experiment.task.kind == ("binary" if kind in ("cross_entropy", "bce") else "embedding")
    for before, after in pairwise(seen[:4]):
        for old, new in zip(before, after, strict=True):
            width = min(old["weight"].shape[1], new["weight"].shape[1])
            np.testing.assert_array_equal(old["weight"][:, :width], new["weight"][:, :width])
    assert seen[1][-1]["weight"][:, 1].any(), "the second coordinate is drawn, not the first once more"
    assert loop.train(50).column("train_accuracy")[-1] > 0.5


def test_class_weights_count_for_the_point_not_for_its_partner():
    config = {"data": CIRCLE, "loss": {"kind": "contrastive"}}
    plain, weighted = start(config), start(config | {"class_weights": {"kind": "given", "weights": [1, 3]}})
    x, y = plain.experiment.all_x, plain.experiment.all_y
    losses, heavy = plain.trainer.evaluate(x, y).loss, weighted.trainer.evaluate(x, y).loss
    counts = np.bincount(plain.experiment.dataset.train_targets)
    scale = counts.sum() / (counts * [1, 3]).sum()
    each = np.where(plain.experiment.targets == 1, 3, 1) * scale
    np.testing.assert_allclose(heavy, losses * each, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_a_regression_has_no_similar_points(kind):
    with pytest.raises(ValidationFailed) as refused:
        parse({"data": PLANE, "loss": {"kind": kind}})
    assert refused.value.errors[0].field == "loss"


def test_colours_have_no_order():
    with pytest.raises(ValidationFailed) as refused:
        parse({"data": {"kind": "smiley"}, "loss": {"kind": "margin_ranking"}})
    assert refused.value.errors[0].field == "loss"


def test_dropout_and_batch_normalisation_take_partners_along():
    layer = {"width": 5, "dropout": 0.2, "normalization": {"kind": "batchnorm"}}
    loop = start({"data": BLOBS, "loss": {"kind": "triplet"}, "hidden": [layer, layer], "batch_size": 7})
    samples = loop.train(60)
    assert np.isfinite(samples.column("train_loss")).all()
    assert loop.state.epoch == 12
