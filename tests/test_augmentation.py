"""Augmentation: copies of the training points that are points as any other, but for being told apart."""

import numpy as np
import pytest
import torch

from playground.catalogue.augmentations import Augmentation
from playground.catalogue.component import members
from playground.catalogue.tables.reading import read_table
from playground.errors import ValidationFailed
from playground.run.validation import parse
from playground.worker.snapshot import load, save
from tests.loops import REFERENCE, change, frame, metrics, start

KINDS = [cls.name() for cls in members(Augmentation) if cls.name() != "no_augmentation"]
OWN = 250
"""Training points of the default data set; as many are for testing."""


def dataset(augmentation, **config):
    return parse({"augmentation": augmentation} | config).dataset({})


@pytest.mark.parametrize("kind", KINDS)
def test_copies_follow_the_points_and_have_their_targets_and_the_test_points_stay(kind):
    plain, more = parse({}).dataset({}), dataset({"kind": kind})
    times = len(more.train_targets) // OWN
    assert more.copies == len(more.train_inputs) - OWN == (times - 1) * OWN > 0
    np.testing.assert_array_equal(more.train_inputs[:OWN], plain.train_inputs)
    np.testing.assert_array_equal(more.train_targets, np.tile(plain.train_targets, times))
    np.testing.assert_array_equal(more.test_inputs, plain.test_inputs)
    np.testing.assert_array_equal(more.test_targets, plain.test_targets)
    assert more.train_inputs.dtype == np.float32
    assert np.abs(more.train_inputs).max() <= 6
    assert (more.train_inputs[OWN:] != np.tile(plain.train_inputs, (times - 1, 1))).any(axis=1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_copies_follow_from_the_seed_and_the_draw(kind):
    def drawn(**config):
        return dataset({"kind": kind}, **config).train_inputs

    np.testing.assert_array_equal(drawn(), drawn())
    assert not np.array_equal(drawn(seed=1), drawn())
    assert not np.array_equal(drawn(data={"draw": 1}), drawn())


def test_a_rotation_keeps_the_distance_from_the_middle_and_the_largest_angle():
    found = dataset({"kind": "rotation", "copies": 3, "degrees": 20})
    own, turned = found.train_inputs[:OWN], found.train_inputs[OWN:].reshape(3, OWN, 2)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=2), [np.linalg.norm(own, axis=1)] * 3, rtol=1e-5)
    angles = np.degrees(np.arctan2(turned[..., 1], turned[..., 0]) - np.arctan2(own[:, 1], own[:, 0]))
    angles = (angles + 180) % 360 - 180
    assert 19 < np.abs(angles).max() <= 20.01
    assert abs(angles.mean()) < 2


@pytest.mark.parametrize(
    ("ways", "signs"),
    [
        ({}, [[-1, 1]]),
        ({"horizontal": False, "vertical": True}, [[1, -1]]),
        ({"vertical": True}, [[1, -1], [-1, 1], [-1, -1]]),
        ({"horizontal": False}, []),
    ],
)
def test_a_mirror_exchanges_the_sides_that_it_is_told(ways, signs):
    found = dataset({"kind": "mirror"} | ways)
    own = found.train_inputs[:OWN]
    expected = [own * np.array(sign) for sign in [[1, 1], *signs]]
    np.testing.assert_array_equal(found.train_inputs, np.concatenate(expected))


def test_jitter_and_scaling_are_as_large_as_they_are_set():
    near = dataset({"kind": "jitter", "copies": 8, "std": 0.1}, data={"kind": "xor"})
    offs = near.train_inputs[OWN:] - np.tile(near.train_inputs[:OWN], (8, 1))
    assert offs.std() == pytest.approx(0.1, rel=0.05)
    scaled = dataset({"kind": "scaling", "reach": 0.5})
    factors = scaled.train_inputs[OWN:] / np.tile(scaled.train_inputs[:OWN], (2, 1))
    inside = np.abs(scaled.train_inputs[OWN:]).max(axis=1) < 6
    np.testing.assert_allclose(factors[inside, 0], factors[inside, 1], rtol=1e-4)
    assert 0.5 <= factors[inside].min() < 0.55
    assert 1.4 < factors[inside].max() <= 1.5001


def test_any_number_of_inputs_can_be_jittered_and_only_a_plane_be_turned():
    table = read_table(b"a,b,class\n1,2,x\n3,4,y\n5,9,x\n7,8,y\n", "my.csv")
    tables, raw = {table.id: table}, {"data": {"kind": "csv", "id": table.id}}
    assert parse(raw | {"augmentation": {"kind": "jitter"}}, tables).dataset(tables).copies == 4
    with pytest.raises(ValidationFailed) as failed:
        parse(raw | {"augmentation": {"kind": "rotation"}}, tables)
    (error,) = failed.value.errors
    assert error.field == "augmentation"
    assert "Rotation needs two inputs that are places on a plane" in error.message
    assert error.fits == ("no_augmentation", "jitter", "scaling")
    assert error.suggestion
    parse(raw | error.suggestion, tables)
    line = {"data": {"kind": "sine_curve"}, "augmentation": {"kind": "scaling"}}
    assert parse(line).dataset({}).train_inputs.shape[1] == 1


def test_too_many_copies_are_refused_with_as_many_as_fit_and_nothing_is_changed():
    loop = start({"data": {"samples": 4000}})
    before = loop.config
    with pytest.raises(ValidationFailed) as failed:
        change(loop, {"augmentation": {"kind": "jitter", "copies": 4}})
    (error,) = failed.value.errors
    assert error.field == "augmentation"
    assert (
        error.message == "would make 12000 points of all, and 10000 is the most; 3 copies of each would fit"
    )
    assert loop.config is before
    assert error.suggestion
    change(loop, {"augmentation": {"kind": "jitter"} | error.suggestion["augmentation"]})
    assert loop.experiment.count == 8000


def test_it_is_changed_live_and_counted_and_comes_back_with_a_snapshot():
    loop = start({"hidden": [{"width": 4, "normalization": {"kind": "batchnorm"}}]})
    loop.train(60)
    before = loop.state.weights.clone()
    effects = change(loop, {"augmentation": {"kind": "rotation", "copies": 3}})
    assert [text.code for text in effects] == ["effect.kept"]
    assert torch.equal(loop.state.weights, before)
    assert loop.experiment.steps_per_epoch == 4 * OWN // 10
    shown = frame(loop)
    assert len(shown["train_predictions"]) == 4 * OWN
    assert shown["confusion"].sum(axis=(1, 2)).tolist() == [4 * OWN, OWN]
    loop.train(30)
    other = load(save(loop.config, loop.state), trainers=REFERENCE)
    assert metrics(other)["train_loss"] == metrics(loop)["train_loss"]
    np.testing.assert_array_equal(loop.train(50).rows, other.train(50).rows)
    change(loop, {"augmentation": {"kind": "no_augmentation"}})
    assert loop.experiment.count == OWN
