"""What a live change does: every row of the table in the README."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.catalogue.tables.reading import read_table
from playground.run.patch import inverse, merged
from playground.run.validation import parse
from playground.training.batches import Batches
from playground.training.loop import TrainingLoop
from playground.worker.snapshot import load, save
from tests.loops import change, frame, maps, metrics, start, weights

KINDS = {cls.name() for cls in members(Activation)}
LAYERS = [{"width": 5, "activation": {"kind": "tanh"}}, {"width": 3, "activation": {"kind": "tanh"}}]


def trained(steps=60, **config) -> TrainingLoop:
    loop = start({"hidden": LAYERS, "data": {"kind": "circle", "samples": 100}} | config)
    loop.train(steps)
    return loop


def output(loop: TrainingLoop) -> np.ndarray:
    """The evaluated raw output over the input square."""
    return maps(loop, 30)["neurons"][-1]


def memory(loop: TrainingLoop) -> list[np.ndarray]:
    return [slot.numpy().copy() for slot in loop.state.slots]


def layers(loop: TrainingLoop) -> list[dict]:
    return copy.deepcopy(weights(loop))


def with_layer(index: int, **fields) -> dict:
    hidden = [dict(layer) for layer in LAYERS]
    hidden[index] |= fields
    return {"hidden": hidden}


@pytest.mark.parametrize(
    "patch",
    [
        {"optimizer": {"lr": 0.3}},
        {"batch_size": 3},
        {"loss": {"kind": "hinge"}},
        {"loss": {"kind": "mse"}},
        {"l1": 0.1},
        {"l2": 0.1},
        {"clip_norm": 1.0},
        {"clip_value": 0.1},
        {"max_norm": 0.5},
        {"input_noise": 0.5},
        {"input_dropout": 0.5},
        {"shuffle": False},
        {"data": {"noise": 0.3}},
        {"data": {"train_fraction": 0.2}},
        {"augmentation": {"kind": "jitter", "copies": 1}},
        {"stopping": {"kind": "early_stopping"}},
        {"data": {"samples": 37}},
        {"data": {"kind": "spiral"}},
        {"data": {"kind": "points", "points": [[0, 0, 0], [1, 1, 1]], "test_points": []}},
        with_layer(0, dropout=0.5),
        with_layer(1, activation={"kind": "relu"}),
        {"hidden": [dict(layer, activation={"kind": "silu"}) for layer in LAYERS]},
    ],
    ids=str,
)
def test_weights_and_optimizer_state_are_kept(patch):
    loop = trained()
    before, remembered, updates = layers(loop), memory(loop), loop.state.updates.clone()
    change(loop, patch)
    for old, new in zip(before, layers(loop), strict=True):
        for name in old:
            np.testing.assert_array_equal(old[name], new[name])
    for old, new in zip(remembered, memory(loop), strict=True):
        np.testing.assert_array_equal(old, new)
    assert torch.equal(loop.state.updates, updates)
    loop.train(30)
    assert loop.state.step == 90


def test_another_optimizer_starts_anew_with_the_weights_kept():
    loop = trained()
    before = loop.state.weights.clone()
    change(loop, {"optimizer": {"kind": "rmsprop"}})
    torch.testing.assert_close(loop.state.weights, before, rtol=0, atol=0)
    assert [not slot.any() for slot in memory(loop)] == [True]
    change(loop, {"optimizer": {"kind": "adam"}})
    assert not loop.state.updates.any()
    loop.train(1)
    moved = (loop.state.weights - before).abs()
    assert float(moved.max()) == pytest.approx(loop.config.optimizer.lr, rel=1e-2)


def test_toggling_batchnorm_keeps_the_output():
    loop = trained()
    before = output(loop)
    change(loop, with_layer(0, normalization={"kind": "batchnorm"}))
    np.testing.assert_allclose(output(loop), before, atol=1e-4)
    assert all(not layer[name].any() for layer in slots(loop) for name in ("gamma", "beta") if name in layer)
    loop.train(60)
    before = output(loop)
    change(loop, with_layer(0, normalization={"kind": "none"}))
    np.testing.assert_allclose(output(loop), before, atol=1e-4)
    loop.train(60)


def slots(loop: TrainingLoop) -> list[dict]:
    return [
        {name: value[0].numpy() for name, value in layer.items()}
        for slot in loop.state.slots
        for layer in loop.experiment.network.parameters(slot)
    ]


def test_batchnorm_off_keeps_the_optimizer_state_that_still_fits():
    loop = trained(**with_layer(0, normalization={"kind": "batchnorm"}))
    before = slots(loop)
    change(loop, {"hidden": LAYERS})
    for old, new in zip(before, slots(loop), strict=True):
        for name in new:
            np.testing.assert_array_equal(old[name], new[name])


def test_added_neurons_do_not_change_the_output():
    loop = trained()
    before, was, remembered = output(loop), layers(loop), slots(loop)
    change(loop, with_layer(0, width=8))
    counts = loop.experiment.network.parameters(loop.state.updates)[0]["bias"][0, 0]
    assert counts.tolist() == [60] * 5 + [0] * 3
    np.testing.assert_allclose(output(loop), before, atol=1e-6)
    now = layers(loop)
    np.testing.assert_array_equal(now[0]["weight"][:, :5], was[0]["weight"])
    assert now[0]["weight"][:, 5:].any(), "a new neuron sees something"
    assert not now[1]["weight"][5:].any(), "and says nothing yet"
    for old, new in zip(remembered, slots(loop), strict=True):
        for name in new:
            fit = tuple(slice(size) for size in old[name].shape)
            np.testing.assert_array_equal(new[name][fit], old[name])
            assert np.count_nonzero(new[name]) == np.count_nonzero(old[name])
    loop.train(50)
    assert layers(loop)[1]["weight"][5:].any(), "but it learns"


def test_removed_neurons_leave_the_rest():
    loop = trained()
    was = layers(loop)
    change(loop, with_layer(0, width=2))
    now = layers(loop)
    np.testing.assert_array_equal(now[0]["weight"], was[0]["weight"][:, :2])
    np.testing.assert_array_equal(now[1]["weight"], was[1]["weight"][:2])
    np.testing.assert_array_equal(now[2]["weight"], was[2]["weight"])


def test_an_added_feature_does_not_change_the_output():
    loop = trained()
    before, was = output(loop), layers(loop)
    change(loop, {"features": ["sin(x1)", "x1", "x2"]})
    np.testing.assert_allclose(output(loop), before, atol=1e-6)
    np.testing.assert_array_equal(layers(loop)[0]["weight"][1:], was[0]["weight"])
    assert not layers(loop)[0]["weight"][0].any()


def test_a_removed_feature_leaves_the_rest():
    loop = trained()
    was = layers(loop)
    change(loop, {"features": ["x2"]})
    np.testing.assert_array_equal(layers(loop)[0]["weight"], was[0]["weight"][1:])


def moments(loop: TrainingLoop) -> list[np.ndarray]:
    """Weights, slots and counts of updates of the first layer, (inputs, width) each."""
    state, network = loop.state, loop.experiment.network
    flat = (state.weights, *state.slots, state.updates)
    return [network.parameters(track)[0]["weight"][0].numpy().copy() for track in flat]


def test_reordered_features_take_their_weights_along():
    """They stayed in their places: the loss went from 0.0023 to 3.15."""
    loop = start({"data": {"kind": "xor"}, "features": ["x1", "x2", "x1*x2"]})
    loop.train(400)
    before, loss, was = output(loop), metrics(loop)["train_loss"], moments(loop)
    change(loop, {"features": ["x1*x2", "x1", "x2"]})
    np.testing.assert_allclose(output(loop), before, atol=1e-4)
    assert metrics(loop)["train_loss"] == pytest.approx(loss, abs=1e-5)
    for old, new in zip(was, moments(loop), strict=True):
        np.testing.assert_array_equal(new, old[[2, 0, 1]])
    change(loop, {"features": ["x1", "x2", "x1*x2"]})
    np.testing.assert_array_equal(moments(loop)[0], was[0])


FEATURES = st.lists(
    st.sampled_from(["x1", "x2", "x1*x2", "x1^2", "sin(x2)"]), min_size=1, max_size=4, unique=True
)


@settings(max_examples=25)
@given(before=FEATURES, after=FEATURES)
def test_any_other_features_leave_each_its_own_weights_and_moments(before, after):
    loop = trained(steps=10, features=before)
    was = moments(loop)
    change(loop, {"features": after})
    for old, new in zip(was, moments(loop), strict=True):
        for row, name in enumerate(after):
            expected = old[before.index(name)] if name in before else np.zeros_like(old[0])
            np.testing.assert_array_equal(new[row], expected, err_msg=name)


def test_columns_in_other_places_take_their_weights_along():
    rows = [f"{i % 7},{i % 5},{i % 3},{i % 4},{'ab'[i % 7 > 3]}" for i in range(60)]
    table = read_table("\n".join(["p,q,r,s,kind", *rows]).encode(), "table.csv")
    data = {"kind": "csv", "id": "t", "target": "kind", "x1": "p", "x2": "q", "inputs": ["r", "s"]}
    loop = TrainingLoop.start(parse({"data": data, "hidden": LAYERS}, {"t": table}), {"t": table})
    loop.train(60)
    was, loss = moments(loop), metrics(loop)["train_loss"]
    for columns, rows in (
        ({"x1": "q", "x2": "p", "inputs": ["s", "r"]}, [1, 0, 3, 2]),
        ({"x1": "s", "x2": "r", "inputs": ["p", "q"]}, [3, 2, 0, 1]),
    ):
        moved = parse({"data": data | columns, "hidden": LAYERS}, {"t": table})
        loop.change(moved, {"t": table})
        for old, new in zip(was, moments(loop), strict=True):
            np.testing.assert_array_equal(new, old[rows])
        assert metrics(loop)["train_loss"] == pytest.approx(loss, rel=1e-4)
    fewer = parse({"data": data | {"x1": "q", "x2": "r", "inputs": ["p"]}, "hidden": LAYERS}, {"t": table})
    effect = loop.change(fewer, {"t": table})
    np.testing.assert_array_equal(moments(loop)[0], was[0][[1, 2, 0]])
    assert [text.text for text in effect] == ["Feature s removed; the rest is kept."]


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("kind", ["linear", "relu", "leaky_relu", "elu"])
def test_an_added_layer_with_a_straight_piece_changes_nothing(kind, index):
    loop = trained()
    before = output(loop)
    width = [2, 5, 3][index]
    hidden = [*LAYERS[:index], {"width": width, "activation": {"kind": kind}}, *LAYERS[index:]]
    effect = change(loop, {"hidden": hidden})
    np.testing.assert_allclose(output(loop), before, atol=2e-4 * np.abs(before).max())
    assert "exactly" in " ".join(text.text for text in effect)
    loop.train(30)


@pytest.mark.parametrize("features", [["x1", "x2", "x1*x2"], ["x1*x2"], ["x1^2", "x1*x2"]], ids=str)
@pytest.mark.parametrize("kind", ["relu", "leaky_relu", "elu"])
def test_a_layer_in_front_of_large_or_negative_inputs_changes_nothing(kind, features):
    """A shift was judged by its size, so ReLU cut off half of x1*x2: the loss went from 0.00135 to 2.23."""
    loop = start({"data": {"kind": "xor"}, "features": features, "hidden": [{"width": 6}]})
    loop.train(500)
    before, loss = output(loop), metrics(loop)["train_loss"]
    hidden = [{"width": 3, "activation": {"kind": kind}}, {"width": 6}]
    effect = change(loop, {"hidden": hidden})
    assert [text.code for text in effect] == ["effect.layer_added_exactly"]
    np.testing.assert_allclose(output(loop), before, atol=1e-4 * np.ptp(before))
    assert metrics(loop)["train_loss"] == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_added_layer_stays_close_to_the_identity(kind):
    """With tanh and sigmoid, 0.15 of the map changed; the README and the effect say how much is left."""
    loop = trained()
    before = output(loop)
    added = {"width": 4, "activation": {"kind": kind}}
    (effect,) = change(loop, {"hidden": [*LAYERS, added]})
    off = np.abs(output(loop) - before).max() / np.ptp(before)
    assert off < 0.06 or kind == "step", "a step passes nothing on but yes or no"
    if effect.code == "effect.layer_added_closely":
        assert effect.values["percent"] == pytest.approx(100 * off, rel=0.3, abs=0.02)
        assert "so the output changes by up to" in effect.text
    else:
        assert off < 1e-3


def test_an_added_layer_may_have_batchnorm_at_once():
    loop = trained()
    before = output(loop)
    added = {"width": 4, "activation": {"kind": "tanh"}, "normalization": {"kind": "batchnorm"}}
    change(loop, {"hidden": [*LAYERS, added]})
    assert np.abs(output(loop) - before).max() < 0.06 * np.ptp(before)


def test_a_layer_too_narrow_to_pass_all_on_says_so():
    loop = trained()
    effect = change(loop, {"hidden": [*LAYERS, {"width": 1, "activation": {"kind": "linear"}}]})
    assert [text.code for text in effect] == ["effect.layer_added_closely"]


@pytest.mark.parametrize("kind", sorted(KINDS - {"exponential"}))
def test_a_trained_net_that_grows_deep_goes_on_learning(kind):
    """No weight may have to grow out of proportion to make up for what a new layer squashes."""
    layer = {"width": 3, "activation": {"kind": kind}}
    loop = trained(steps=500, hidden=[layer] * 2)
    for depth in range(3, 7):
        change(loop, {"hidden": [layer] * depth})
    assert float(loop.state.weights.abs().max()) < 40
    before = metrics(loop)["train_loss"] or 0
    loop.train(400)
    assert (metrics(loop)["train_loss"] or 0) < before + 0.1


def test_an_added_layer_leaves_the_optimizer_state_of_the_others():
    loop = trained()
    before = slots(loop)
    change(loop, {"hidden": [*LAYERS, {"width": 3}]})
    after = slots(loop)
    for old, new in zip((before[0], before[1], before[2]), (after[0], after[1], after[3]), strict=True):
        np.testing.assert_array_equal(old["weight"], new["weight"])
    assert not after[2]["weight"].any()


@pytest.mark.parametrize("index", [0, 1])
def test_a_removed_layer_leaves_the_rest(index):
    hidden = [{"width": 4}, {"width": 5}, {"width": 3}]
    loop = trained(hidden=hidden)
    was = layers(loop)
    del hidden[index]
    change(loop, {"hidden": hidden})
    stays = was[:index] + was[index + 1 :]
    now = layers(loop)
    for old, new in zip(stays, now, strict=True):
        rows = min(len(old["weight"]), len(new["weight"]))
        np.testing.assert_array_equal(new["weight"][:rows], old["weight"][:rows])
        np.testing.assert_array_equal(new["bias"], old["bias"])
    loop.train(30)


def test_all_layers_can_go_and_come_back():
    loop = trained()
    change(loop, {"hidden": []})
    loop.train(10)
    before = output(loop)
    change(loop, {"hidden": [{"width": 4, "activation": {"kind": "relu"}}] * 3})
    np.testing.assert_allclose(output(loop), before, atol=1e-3)
    loop.train(10)


def test_another_number_of_classes_changes_the_output_layer_only():
    loop = trained(data={"kind": "blobs", "classes": 3, "samples": 90})
    was = layers(loop)
    change(loop, {"data": {"classes": 5}})
    now = layers(loop)
    for old, new in zip(was[:-1], now[:-1], strict=True):
        np.testing.assert_array_equal(old["weight"], new["weight"])
    np.testing.assert_array_equal(now[-1]["weight"][:, :3], was[-1]["weight"])
    assert now[-1]["weight"].shape == (3, 5)
    loop.train(30)
    was, remembered = layers(loop)[-1], slots(loop)
    (effect,) = change(loop, {"data": {"classes": 4}})
    assert effect.text == (
        "The output layer now has 4 units; the hidden layers and the outputs that stay keep their weights."
    )
    for name, value in layers(loop)[-1].items():
        np.testing.assert_array_equal(value, was[name][..., :4])
    for old, new in zip(remembered, slots(loop), strict=True):
        np.testing.assert_array_equal(new["weight"], old["weight"][..., : new["weight"].shape[-1]])


def test_between_the_cross_entropies_the_probabilities_stay():
    loop = trained()
    before = maps(loop, 20)["decision"]
    change(loop, {"loss": {"kind": "cross_entropy"}})
    np.testing.assert_allclose(maps(loop, 20)["decision"], before, atol=1e-5)
    loop.train(30)
    before = maps(loop, 20)["decision"]
    change(loop, {"loss": {"kind": "bce"}})
    np.testing.assert_allclose(maps(loop, 20)["decision"], before, atol=1e-5)


@pytest.mark.parametrize("patch", [{"seed": 5}, {"init": {"kind": "he_normal"}}])
def test_seed_and_init_start_anew(patch):
    loop = trained()
    change(loop, patch)
    fresh = start(loop.config)
    torch.testing.assert_close(loop.state.weights, fresh.state.weights, rtol=0, atol=0)
    assert not any(slot.any() for slot in memory(loop))
    assert loop.state.step == 60, "the counters go on"


def test_the_epoch_never_goes_back_when_the_data_grow_or_shrink():
    loop = trained(steps=3)
    for samples in (1000, 3, 400, 2, 100):
        before = loop.progress
        change(loop, {"data": {"samples": samples}})
        assert loop.progress >= before
        loop.train(1)
        assert loop.progress > before


def test_dropout_does_not_change_the_order_of_the_data():
    with_dropout, without = trained(**with_layer(0, dropout=0.5)), trained()
    for loop in (with_dropout, without):
        loop.train(13)
    one, other = (Batches(loop.experiment, loop.state.seeds) for loop in (with_dropout, without))
    torch.testing.assert_close(one.next(with_dropout.state)[0], other.next(without.state)[0])


# A rounding makes a step jump, and exponentials of exponentials are soon no numbers.
activation = st.sampled_from([{"kind": kind} for kind in sorted(KINDS - {"step", "exponential"})])
layer = st.fixed_dictionaries(
    {
        "width": st.integers(1, 9),
        "activation": activation,
        "normalization": st.sampled_from(
            [{"kind": kind} for kind in ("none", "batchnorm", "layernorm", "rmsnorm")]
        ),
        "dropout": st.sampled_from([0.0, 0.3]),
        "shortcut": st.sampled_from([{"kind": kind} for kind in ("none", "none", "dense")]),
    }
)
patches = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.lists(layer, max_size=4),
        "features": st.lists(st.sampled_from(["x1", "x2", "x1*x2", "sin(x2)"]), min_size=1, unique=True),
        "loss": st.sampled_from([{"kind": k} for k in ("bce", "cross_entropy", "hinge", "mse")]),
        "optimizer": st.sampled_from(
            [{"kind": k, "lr": 1e-4} for k in ("sgd", "momentum", "adam", "adagrad")]
        ),
        "batch_size": st.integers(2, 60),
        "data": st.sampled_from([{"kind": "xor", "samples": 80}, {"kind": "circle", "samples": 31}]),
    },
)


@settings(max_examples=15)
@given(changes=st.lists(patches, min_size=1, max_size=5))
def test_any_row_of_changes_keeps_training_and_replays_bit_for_bit(changes):
    runs = []
    for _ in range(2):
        loop = trained(steps=5)
        samples = []
        for patch in changes:
            before = loop.config
            change(loop, patch)
            assert parse(merged(loop.config, inverse(before, loop.config))) == before
            samples.append(loop.train(5).rows)
            loop = load(save(loop.config, loop.state))
        assert loop.state.step == 5 + 5 * len(changes)
        runs.append((loop.state.weights, samples))
    torch.testing.assert_close(runs[0][0], runs[1][0], rtol=0, atol=0)
    for one, other in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=15)
@given(before=st.lists(layer, max_size=3), widths=st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_growth_of_any_shape_keeps_the_output(before, widths):
    """Neurons more in every layer, a linear layer more at the end: the evaluated output stays. Not so where a
    normalisation takes a new neuron's sum into account for the others."""
    over_units = ({"kind": "layernorm"}, {"kind": "rmsnorm"})
    before = [
        spec | {"normalization": {"kind": "none"}} if spec["normalization"] in over_units else spec
        for spec in before
    ]
    loop = trained(steps=20, hidden=before)
    expected = output(loop)
    grown = [dict(spec, width=spec["width"] + more) for spec, more in zip(before, widths, strict=False)]
    last = grown[-1]["width"] if grown else 2
    grown.append({"width": last, "activation": {"kind": "linear"}})
    change(loop, {"hidden": grown})
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(output(loop), expected, atol=1e-4 * scale)


def test_an_exponential_that_is_infinite_outside_the_data_can_be_shown_and_changed():
    """Its weights would have been no numbers, and no picture could have been made of it."""
    hidden = [{"width": 4, "activation": {"kind": "exponential"}}] * 2
    loop = start({"hidden": hidden, "init": {"kind": "normal", "std": 1.0}})
    assert np.isinf(maps(loop, 20)["neurons"]).any()
    assert np.isfinite(frame(loop, 20, 20)["neurons_range"]).all()
    (effect,) = change(loop, {"hidden": hidden * 2})[-1:]
    assert effect.values["percent"] == 100
    assert loop.state.weights.isfinite().all()
