"""What a live change does: every row of the table in the README."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.run.config import inverse, merged, parse
from playground.training.snapshot import load, save
from playground.training.reference import Trainer

LAYERS = [{"width": 5, "activation": {"kind": "tanh"}}, {"width": 3, "activation": {"kind": "tanh"}}]


def trained(steps=60, **config) -> Trainer:
    trainer = Trainer.start(parse({"hidden": LAYERS, "data": {"kind": "circle", "samples": 100}} | config))
    trainer.train(steps)
    return trainer


def apply(trainer: Trainer, change: dict) -> list[str]:
    return trainer.change(parse(merged(trainer.config, change)))


def output(trainer: Trainer) -> np.ndarray:
    """The evaluated raw output over the input square."""
    return trainer.maps(30)[1]["neurons"][-1]


def memory(trainer: Trainer) -> list[np.ndarray]:
    return [slot.numpy().copy() for slot in trainer.state.slots]


def layers(trainer: Trainer) -> list[dict]:
    return copy.deepcopy(trainer.weights())


def with_layer(index: int, **fields) -> dict:
    hidden = [dict(layer) for layer in LAYERS]
    hidden[index] |= fields
    return {"hidden": hidden}


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": {"lr": 0.3}},
        {"batch_size": 3},
        {"loss": {"kind": "hinge"}},
        {"loss": {"kind": "mse"}},
        {"l1": 0.1},
        {"l2": 0.1},
        {"clip_norm": 1.0},
        {"input_dropout": 0.5},
        {"shuffle": False},
        {"data": {"noise": 0.3}},
        {"data": {"train_fraction": 0.2}},
        {"data": {"samples": 37}},
        {"data": {"kind": "spiral"}},
        {"data": {"kind": "points", "points": [[0, 0, 0], [1, 1, 1]], "test_points": []}},
        with_layer(0, dropout=0.5),
        with_layer(1, activation={"kind": "relu"}),
        {"hidden": [dict(layer, activation={"kind": "silu"}) for layer in LAYERS]},
    ],
    ids=str,
)
def test_weights_and_optimizer_state_are_kept(change):
    trainer = trained()
    before, remembered, updates = layers(trainer), memory(trainer), trainer.state.updates.clone()
    apply(trainer, change)
    for old, new in zip(before, layers(trainer), strict=True):
        for name in old:
            np.testing.assert_array_equal(old[name], new[name])
    for old, new in zip(remembered, memory(trainer), strict=True):
        np.testing.assert_array_equal(old, new)
    assert torch.equal(trainer.state.updates, updates)
    trainer.train(30)
    assert trainer.step == 90


def test_another_optimizer_starts_anew_with_the_weights_kept():
    trainer = trained()
    before = trainer.state.weights.clone()
    apply(trainer, {"optimizer": {"kind": "rmsprop"}})
    torch.testing.assert_close(trainer.state.weights, before, rtol=0, atol=0)
    assert [not slot.any() for slot in memory(trainer)] == [True]
    apply(trainer, {"optimizer": {"kind": "adam"}})
    assert not trainer.state.updates.any()
    trainer.train(1)
    moved = (trainer.state.weights - before).abs()
    assert float(moved.max()) == pytest.approx(trainer.config.optimizer.lr, rel=1e-2)


def test_toggling_batchnorm_keeps_the_output():
    trainer = trained()
    before = output(trainer)
    apply(trainer, with_layer(0, batchnorm=True))
    np.testing.assert_allclose(output(trainer), before, atol=1e-4)
    assert all(
        not layer[name].any() for layer in slots(trainer) for name in ("gamma", "beta") if name in layer
    )
    trainer.train(60)
    before = output(trainer)
    apply(trainer, with_layer(0, batchnorm=False))
    np.testing.assert_allclose(output(trainer), before, atol=1e-4)
    trainer.train(60)


def slots(trainer: Trainer) -> list[dict]:
    return [
        {name: value[0].numpy() for name, value in layer.items()}
        for slot in trainer.state.slots
        for layer in trainer.network.parameters(slot)
    ]


def test_batchnorm_off_keeps_the_optimizer_state_that_still_fits():
    trainer = trained(**with_layer(0, batchnorm=True))
    before = slots(trainer)
    apply(trainer, {"hidden": LAYERS})
    for old, new in zip(before, slots(trainer), strict=True):
        for name in new:
            np.testing.assert_array_equal(old[name], new[name])


def test_added_neurons_do_not_change_the_output():
    trainer = trained()
    before, was, remembered = output(trainer), layers(trainer), slots(trainer)
    apply(trainer, with_layer(0, width=8))
    counts = trainer.network.parameters(trainer.state.updates)[0]["bias"][0, 0]
    assert counts.tolist() == [60] * 5 + [0] * 3
    np.testing.assert_allclose(output(trainer), before, atol=1e-6)
    now = layers(trainer)
    np.testing.assert_array_equal(now[0]["weight"][:, :5], was[0]["weight"])
    assert now[0]["weight"][:, 5:].any(), "a new neuron sees something"
    assert not now[1]["weight"][5:].any(), "and says nothing yet"
    for old, new in zip(remembered, slots(trainer), strict=True):
        for name in new:
            fit = tuple(slice(size) for size in old[name].shape)
            np.testing.assert_array_equal(new[name][fit], old[name])
            assert np.count_nonzero(new[name]) == np.count_nonzero(old[name])
    trainer.train(50)
    assert layers(trainer)[1]["weight"][5:].any(), "but it learns"


def test_removed_neurons_leave_the_rest():
    trainer = trained()
    was = layers(trainer)
    apply(trainer, with_layer(0, width=2))
    now = layers(trainer)
    np.testing.assert_array_equal(now[0]["weight"], was[0]["weight"][:, :2])
    np.testing.assert_array_equal(now[1]["weight"], was[1]["weight"][:2])
    np.testing.assert_array_equal(now[2]["weight"], was[2]["weight"])


def test_an_added_feature_does_not_change_the_output():
    trainer = trained()
    before, was = output(trainer), layers(trainer)
    apply(trainer, {"features": ["sin(x1)", "x1", "x2"]})
    np.testing.assert_allclose(output(trainer), before, atol=1e-6)
    np.testing.assert_array_equal(layers(trainer)[0]["weight"][1:], was[0]["weight"])
    assert not layers(trainer)[0]["weight"][0].any()


def test_a_removed_feature_leaves_the_rest():
    trainer = trained()
    was = layers(trainer)
    apply(trainer, {"features": ["x2"]})
    np.testing.assert_array_equal(layers(trainer)[0]["weight"], was[0]["weight"][1:])


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("kind", ["linear", "relu", "leaky_relu", "elu"])
def test_an_added_layer_with_a_straight_piece_changes_nothing(kind, index):
    trainer = trained()
    before = output(trainer)
    width = [2, 5, 3][index]
    hidden = [*LAYERS[:index], {"width": width, "activation": {"kind": kind}}, *LAYERS[index:]]
    effect = apply(trainer, {"hidden": hidden})
    np.testing.assert_allclose(output(trainer), before, atol=2e-4 * np.abs(before).max())
    assert "exactly" in " ".join(effect)
    trainer.train(30)


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Activation)])
def test_an_added_layer_stays_close_to_the_identity(kind):
    trainer = trained()
    before = output(trainer)
    apply(trainer, {"hidden": [*LAYERS, {"width": 4, "activation": {"kind": kind}, "batchnorm": True}]})
    assert np.abs(output(trainer) - before).max() < 0.06 * np.ptp(before)


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Activation)])
def test_a_trained_net_that_grows_deep_goes_on_learning(kind):
    """No weight may have to grow out of proportion to make up for what a new layer squashes."""
    layer = {"width": 3, "activation": {"kind": kind}}
    trainer = trained(steps=500, hidden=[layer] * 2)
    for depth in range(3, 7):
        apply(trainer, {"hidden": [layer] * depth})
    assert float(trainer.state.weights.abs().max()) < 30
    before = trainer.metrics()["train_loss"] or 0
    trainer.train(400)
    assert (trainer.metrics()["train_loss"] or 0) < before + 0.1


def test_an_added_layer_leaves_the_optimizer_state_of_the_others():
    trainer = trained()
    before = slots(trainer)
    apply(trainer, {"hidden": [*LAYERS, {"width": 3}]})
    after = slots(trainer)
    for old, new in zip((before[0], before[1], before[2]), (after[0], after[1], after[3]), strict=True):
        np.testing.assert_array_equal(old["weight"], new["weight"])
    assert not after[2]["weight"].any()


@pytest.mark.parametrize("index", [0, 1])
def test_a_removed_layer_leaves_the_rest(index):
    hidden = [{"width": 4}, {"width": 5}, {"width": 3}]
    trainer = trained(hidden=hidden)
    was = layers(trainer)
    del hidden[index]
    apply(trainer, {"hidden": hidden})
    stays = was[:index] + was[index + 1 :]
    now = layers(trainer)
    for old, new in zip(stays, now, strict=True):
        rows = min(len(old["weight"]), len(new["weight"]))
        np.testing.assert_array_equal(new["weight"][:rows], old["weight"][:rows])
        np.testing.assert_array_equal(new["bias"], old["bias"])
    trainer.train(30)


def test_all_layers_can_go_and_come_back():
    trainer = trained()
    apply(trainer, {"hidden": []})
    trainer.train(10)
    before = output(trainer)
    apply(trainer, {"hidden": [{"width": 4, "activation": {"kind": "relu"}}] * 3})
    np.testing.assert_allclose(output(trainer), before, atol=1e-3)
    trainer.train(10)


def test_another_number_of_classes_changes_the_output_layer_only():
    trainer = trained(data={"kind": "blobs", "classes": 3, "samples": 90})
    was = layers(trainer)
    apply(trainer, {"data": {"classes": 5}})
    now = layers(trainer)
    for old, new in zip(was[:-1], now[:-1], strict=True):
        np.testing.assert_array_equal(old["weight"], new["weight"])
    np.testing.assert_array_equal(now[-1]["weight"][:, :3], was[-1]["weight"])
    assert now[-1]["weight"].shape == (3, 5)
    trainer.train(30)


def test_between_the_cross_entropies_the_probabilities_stay():
    trainer = trained()
    before = trainer.maps(20)[1]["decision"]
    apply(trainer, {"loss": {"kind": "cross_entropy"}})
    np.testing.assert_allclose(trainer.maps(20)[1]["decision"], before, atol=1e-5)
    trainer.train(30)
    before = trainer.maps(20)[1]["decision"]
    apply(trainer, {"loss": {"kind": "bce"}})
    np.testing.assert_allclose(trainer.maps(20)[1]["decision"], before, atol=1e-5)


@pytest.mark.parametrize("change", [{"seed": 5}, {"init": {"kind": "he_normal"}}])
def test_seed_and_init_start_anew(change):
    trainer = trained()
    apply(trainer, change)
    fresh = Trainer.start(trainer.config)
    torch.testing.assert_close(trainer.state.weights, fresh.state.weights, rtol=0, atol=0)
    assert not any(slot.any() for slot in memory(trainer))
    assert trainer.step == 60, "the counters go on"


def test_the_epoch_never_goes_back_when_the_data_grow_or_shrink():
    trainer = trained(steps=3)
    for samples in (1000, 3, 400, 2, 100):
        before = trainer.progress
        apply(trainer, {"data": {"samples": samples}})
        assert trainer.progress >= before
        trainer.train(1)
        assert trainer.progress > before


def test_dropout_does_not_change_the_order_of_the_data():
    with_dropout, without = trained(**with_layer(0, dropout=0.5)), trained()
    for trainer in (with_dropout, without):
        trainer.train(13)
    torch.testing.assert_close(with_dropout._batch()[0], without._batch()[0])


activation = st.sampled_from([{"kind": cls.name()} for cls in members(Activation)])
layer = st.fixed_dictionaries(
    {
        "width": st.integers(1, 9),
        "activation": activation,
        "batchnorm": st.booleans(),
        "dropout": st.sampled_from([0.0, 0.3]),
    }
)
change = st.fixed_dictionaries(
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
@given(changes=st.lists(change, min_size=1, max_size=5))
def test_any_row_of_changes_keeps_training_and_replays_bit_for_bit(changes):
    runs = []
    for _ in range(2):
        trainer = trained(steps=5)
        samples = []
        for patch in changes:
            before = trainer.config
            apply(trainer, patch)
            assert parse(merged(trainer.config, inverse(before, trainer.config))) == before
            samples.append(trainer.train(5).rows)
            trainer = load(save(trainer))
        assert trainer.step == 5 + 5 * len(changes)
        runs.append((trainer.state.weights, samples))
    torch.testing.assert_close(runs[0][0], runs[1][0], rtol=0, atol=0)
    for one, other in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=15)
@given(before=st.lists(layer, max_size=3), widths=st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_growth_of_any_shape_keeps_the_output(before, widths):
    """Neurons more in every layer, a linear layer more at the end: the evaluated output stays."""
    trainer = trained(steps=20, hidden=before)
    expected = output(trainer)
    grown = [dict(spec, width=spec["width"] + more) for spec, more in zip(before, widths, strict=False)]
    last = grown[-1]["width"] if grown else 2
    grown.append({"width": last, "activation": {"kind": "linear"}})
    apply(trainer, {"hidden": grown})
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(output(trainer), expected, atol=1e-4 * scale)
