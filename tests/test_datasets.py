import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from playground import limits
from playground.catalogue.component import members
from playground.catalogue.datasets import Curve, Data, Points, Synthetic
from playground.catalogue.datasets.data import TwoClasses
from tests.points import make, sample

SYNTHETIC = [cls.name() for cls in members(Synthetic)]
TWO_CLASSES = [cls.name() for cls in members(TwoClasses)]
LABELS_MAY_FLIP = {"circle", "xor", "above"}
"""Their noise moves what the label is of, not the point."""


kinds = st.sampled_from(SYNTHETIC)
counts = st.integers(2, 400)
noises = st.floats(0, 0.5)
seeds = st.integers(0, limits.SEED)
fractions = st.floats(0.1, 1)
quick = settings(deadline=None, max_examples=50)


@quick
@given(kinds, counts, noises, seeds)
def test_every_data_set_has_the_points_asked_for_inside_the_square(kind, samples, noise, seed):
    data = make(kind, samples=samples, noise=noise)
    task = data.task({})
    inputs, targets = data.sample(seed, {})
    assert inputs.shape == (samples, task.inputs)
    assert inputs.dtype == np.float32
    assert targets.shape == (samples,)
    assert np.abs(inputs).max() <= limits.HALF_SPAN
    if task.kind == "regression":
        assert targets.dtype == np.float32
        # A corner of the plane with all its noise; the noise of a curve has no end.
        assert np.abs(targets).max() <= (1 + 6 * noise if issubclass(type(data), Curve) else 1.8)
    else:
        assert targets.dtype == np.int64
        assert set(targets) <= set(range(task.classes))
        assert len(task.class_labels) == task.classes


@quick
@given(kinds, counts, noises, seeds)
def test_classes_are_balanced(kind, samples, noise, seed):
    data = make(kind, samples=samples, noise=0 if kind in LABELS_MAY_FLIP else noise)
    classes = data.task({}).classes
    if classes:
        _, targets = data.sample(seed, {})
        sizes = np.bincount(targets, minlength=classes)
        assert sizes.max() - sizes.min() <= 1


@quick
@given(st.sampled_from(TWO_CLASSES), counts, st.floats(0.05, 0.95), seeds)
def test_a_class_has_the_share_of_the_points_that_it_is_given(kind, samples, share, seed):
    _, targets = sample(kind, seed, samples=samples, share=share)
    assert len(targets) == samples
    assert abs(targets.sum() - share * samples) <= 1


@pytest.mark.parametrize("kind", TWO_CLASSES)
def test_a_rare_class_looks_as_it_does_where_it_is_not_rare(kind):
    whole, targets = sample(kind, samples=10_000)
    rare, rare_targets = sample(kind, samples=10_000, share=0.1)
    for inputs, of_class in ((whole, targets), (rare, rare_targets)):
        assert np.abs(inputs[of_class == 1]).mean() == pytest.approx(
            np.abs(whole[targets == 1]).mean(), rel=0.05
        )


@pytest.mark.parametrize("classes", range(2, limits.CLASSES + 1))
def test_blobs_have_a_cloud_for_each_class_that_its_own_centre_is_nearest_to(classes):
    inputs, targets = sample("blobs", classes=classes, samples=2000)
    centres = np.stack([inputs[targets == k].mean(axis=0) for k in range(classes)])
    nearest = np.linalg.norm(inputs[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == targets).mean() > 0.98
    assert make("blobs", classes=classes).task({}).kind == ("binary" if classes == 2 else "multiclass")


@quick
@given(kinds, noises, fractions, seeds, st.integers(0, 99))
def test_the_same_seed_gives_the_same_points_and_split(kind, noise, fraction, seed, draw):
    data = make(kind, samples=60, noise=noise, train_fraction=fraction, draw=draw)
    one, other = data.split(seed, {}), data.split(seed, {})
    for name in ("train_inputs", "train_targets", "test_inputs", "test_targets"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_another_draw_and_another_seed_give_other_points(kind):
    first, _ = sample(kind, noise=0.2)
    for other, _ in (sample(kind, noise=0.2, draw=1), sample(kind, seed=1, noise=0.2)):
        assert (first != other).any(axis=1).mean() > 0.9


def test_another_draw_splits_a_spiral_without_noise_anew():
    splits = [make("spiral", draw=draw).split(0, {}).train_inputs for draw in (0, 1)]
    assert {tuple(p) for p in splits[0]} != {tuple(p) for p in splits[1]}


@quick
@given(kinds, st.floats(0, 0.499), seeds)
def test_a_little_more_noise_moves_the_same_points_a_little(kind, noise, seed):
    before, labels_before = sample(kind, seed, noise=noise)
    after, labels_after = sample(kind, seed, noise=noise + 0.001)
    assert np.abs(after - before).max() < 0.02
    assert np.abs(labels_after - labels_before).mean() < 0.02


@pytest.mark.parametrize("kind", ["circle", "xor", "plane", "multi_gauss"])
def test_noise_changes_targets_and_leaves_positions(kind):
    calm, calm_targets = sample(kind)
    noisy, noisy_targets = sample(kind, noise=0.5)
    np.testing.assert_array_equal(calm, noisy)
    assert (calm_targets != noisy_targets).any()


@quick
@given(counts, fractions, seeds)
def test_a_split_parts_the_points_without_loss_or_overlap(samples, fraction, seed):
    data = make("xor", samples=samples, train_fraction=fraction)
    split = data.split(seed, {})
    everything = np.concatenate([split.train_inputs, split.test_inputs])
    inputs, _ = data.sample(seed, {})
    assert sorted(map(tuple, everything)) == sorted(map(tuple, inputs))
    assert len({tuple(p) for p in everything}) == samples
    assert abs(len(split.train_inputs) - samples * fraction) <= 1
    assert (len(split.test_inputs) == 0) == (fraction == 1)
    assert len(split.train_inputs) > 0
    assert len(split.train_targets) == len(split.train_inputs)
    assert len(split.test_targets) == len(split.test_inputs)


def test_targets_stay_with_their_points_in_a_split():
    split = make("xor").split(3, {})
    for inputs, targets in (
        (split.train_inputs, split.train_targets),
        (split.test_inputs, split.test_targets),
    ):
        np.testing.assert_array_equal(inputs.prod(axis=1) >= 0, targets == 1)


# The formulas of TensorFlow Playground (its dataset.ts), point by point and with another generator.
# Each gives x, y and the label, -1 or 1 or a number between.


def original_circle(rng, n, noise):
    points = []
    for i in range(n):
        r = rng.uniform(0, 2.5) if i < n / 2 else rng.uniform(3.5, 5)
        angle = rng.uniform(0, 2 * np.pi)
        x, y = r * np.sin(angle), r * np.cos(angle)
        seen = np.hypot(x + rng.uniform(-5, 5) * noise, y + rng.uniform(-5, 5) * noise)
        points.append((x, y, 1 if seen < 2.5 else -1))
    return points


def original_xor(rng, n, noise):
    points = []
    for _ in range(n):
        x, y = rng.uniform(-5, 5), rng.uniform(-5, 5)
        x, y = x + np.copysign(0.3, x), y + np.copysign(0.3, y)
        seen = (x + rng.uniform(-5, 5) * noise) * (y + rng.uniform(-5, 5) * noise)
        points.append((x, y, 1 if seen >= 0 else -1))
    return points


def original_gauss(rng, n, noise):
    deviation = np.sqrt(np.interp(noise, [0, 0.5], [0.5, 4]))
    return [
        (rng.normal(sign * 2, deviation), rng.normal(sign * 2, deviation), sign)
        for sign in (1, -1)
        for _ in range(n // 2)
    ]


def original_spiral(rng, n, noise):
    points = []
    for sign, turn in ((1, 0), (-1, np.pi)):
        for i in range(n // 2):
            r, t = i / (n / 2) * 5, 1.75 * i / (n / 2) * 2 * np.pi + turn
            x = r * np.sin(t) + rng.uniform(-1, 1) * noise
            y = r * np.cos(t) + rng.uniform(-1, 1) * noise
            points.append((x, y, sign))
    return points


def original_plane_label(x, y):
    return (x + y) / 10


def original_multi_gauss_label(x, y):
    label = 0.0
    for cx, cy, sign in (
        (-4, 2.5, 1),
        (0, 2.5, -1),
        (4, 2.5, 1),
        (-4, -2.5, -1),
        (0, -2.5, 1),
        (4, -2.5, -1),
    ):
        here = sign * max(0.0, 1 - np.hypot(x - cx, y - cy) / 2)
        if abs(here) > abs(label):
            label = here
    return label


def original_regression(label):
    def points(rng, n, noise):
        places = rng.uniform(-6, 6, (n, 2))
        seen = places + rng.uniform(-6, 6, (n, 2)) * noise
        return [(*place, label(*other)) for place, other in zip(places, seen, strict=True)]

    return points


ORIGINALS = {
    "circle": original_circle,
    "xor": original_xor,
    "gauss": original_gauss,
    "spiral": original_spiral,
    "plane": original_regression(original_plane_label),
    "multi_gauss": original_regression(original_multi_gauss_label),
}


def grid_sums(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(8, 8) sums of the weights over the square, as shares of all points."""
    edges = np.linspace(-6, 6, 9)
    sums, _, _ = np.histogram2d(inputs[:, 0], inputs[:, 1], bins=(edges, edges), weights=weights)
    return sums / len(inputs)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("kind", ORIGINALS)
def test_points_and_targets_are_spread_as_in_tensorflow_playground(kind, noise):
    original = np.array(ORIGINALS[kind](np.random.default_rng(1), 10_000, noise))
    expected_inputs, expected = original[:, :2].clip(-6, 6), original[:, 2]
    data = make(kind, noise=noise, samples=10_000)
    inputs, targets = data.sample(0, {})
    if data.task({}).classes:
        targets = 2 * targets - 1
    for weights, expected_weights in (
        (np.ones_like(expected), np.ones_like(expected)),
        (targets, expected),
        (targets**2, expected**2),
    ):
        difference = grid_sums(inputs, weights) - grid_sums(expected_inputs, expected_weights)
        assert np.abs(difference).max() < 0.01  # chance alone: a standard deviation of about 0.002
        assert abs(difference.sum()) < 0.03


def test_the_arms_of_a_spiral_without_noise_are_exactly_those_of_tensorflow_playground():
    inputs, targets = sample("spiral", samples=100)
    expected = np.array(original_spiral(np.random.default_rng(0), 100, 0))
    for label in (1, 0):
        arm = expected[expected[:, 2] == 2 * label - 1][:, :2]
        np.testing.assert_allclose(inputs[targets == label], arm, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "label"), [("plane", original_plane_label), ("multi_gauss", original_multi_gauss_label)]
)
def test_a_target_without_noise_is_exactly_that_of_its_position(kind, label):
    inputs, targets = sample(kind)
    np.testing.assert_allclose(targets, [label(x, y) for x, y in inputs.astype(float)], atol=1e-5)


def test_xor_keeps_clear_of_the_axes_by_the_padding_of_tensorflow_playground():
    inputs, _ = sample("xor", samples=10_000)
    assert np.abs(inputs).min() == pytest.approx(0.3, abs=0.01)
    assert np.abs(inputs).max() == pytest.approx(5.3, abs=0.01)


@pytest.mark.parametrize("noise", [0.05, 0.5])
def test_noise_moves_a_spiral_by_a_uniform_distance_up_to_itself(noise):
    moved = sample("spiral", samples=10_000, noise=noise)[0] - sample("spiral", samples=10_000)[0]
    np.testing.assert_allclose(
        np.quantile(moved, [0, 0.25, 0.5, 0.75, 1]), noise * np.linspace(-1, 1, 5), atol=0.03 * noise
    )


@pytest.mark.parametrize(
    ("kind", "label"), [("plane", original_plane_label), ("multi_gauss", original_multi_gauss_label)]
)
def test_noise_moves_the_targets_of_a_regression_as_far_as_in_tensorflow_playground(kind, label):
    original = ORIGINALS[kind](np.random.default_rng(1), 10_000, 0.1)
    expected = np.mean([abs(target - label(x, y)) for x, y, target in original])
    moved = sample(kind, samples=10_000, noise=0.1)[1] - sample(kind, samples=10_000)[1]
    assert np.abs(moved).mean() == pytest.approx(expected, rel=0.05)


def test_moons_reach_into_each_other_and_no_line_parts_them():
    inputs, targets = sample("moons", samples=2000)
    design = np.column_stack([inputs, np.ones(len(inputs))])
    weights, *_ = np.linalg.lstsq(design, 2.0 * targets - 1, rcond=None)
    by_line = ((design @ weights > 0) == (targets == 1)).mean()
    assert 0.8 < by_line < 0.93
    distances = np.linalg.norm(inputs[:, None] - inputs, axis=2)
    np.fill_diagonal(distances, np.inf)
    by_neighbour = (targets[distances.argmin(axis=1)] == targets).mean()
    assert by_neighbour > 0.99


@pytest.mark.parametrize("kind", ["moons", "blobs"])
def test_noise_widens_the_clouds(kind):
    def spread(noise):
        inputs, targets = sample(kind, samples=2000, noise=noise)
        return inputs[targets == 0].var(axis=0).sum()

    assert spread(0) < spread(0.1) < spread(0.3) < spread(0.5)


@pytest.mark.parametrize("kind", SYNTHETIC)
@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": 0.6},
        {"noise": -0.1},
        {"noise": float("nan")},
        {"samples": 1},
        {"samples": 10_001},
        {"samples": 2.5},
        {"train_fraction": 0},
        {"draw": -1},
        {"unknown": 1},
    ],
)
def test_parameters_out_of_bounds_are_refused(kind, wrong):
    with pytest.raises(ValidationError) as refusal:
        make(kind, **wrong)
    assert refusal.value.errors()[0]["loc"][-1] == next(iter(wrong))


# Drawn points

drawn = st.tuples(st.floats(-6, 6), st.floats(-6, 6), st.integers(0, 2)).map(list)


@quick
@given(st.lists(drawn, min_size=1, max_size=40), drawn, fractions, seeds)
def test_a_point_drawn_later_moves_at_most_one_other_between_train_and_test(points, new, fraction, seed):
    def trained_on(points):
        marked = [[x1, x2, 10.0 * i] for i, (x1, x2, _) in enumerate(points)]
        return set(
            make("points", points=marked, classes=0, train_fraction=fraction).split(seed, {}).train_targets
        )

    moved = trained_on(points) ^ trained_on([*points, new])
    assert len(moved - {10.0 * len(points)}) <= 1


@quick
@given(st.lists(drawn, min_size=1, max_size=40))
def test_drawn_points_come_back_as_drawn(points):
    inputs, targets = sample("points", points=points)
    np.testing.assert_array_equal(inputs, np.array([p[:2] for p in points], dtype=np.float32))
    np.testing.assert_array_equal(targets, [p[2] for p in points])


@pytest.mark.parametrize(
    ("targets", "classes", "kind", "count"),
    [
        ([0, 0], None, "binary", 2),
        ([0, 1], None, "binary", 2),
        ([0, 1, 2], None, "multiclass", 3),
        ([7], None, "multiclass", 8),
        ([0, 8], None, "regression", 0),
        ([0, -1], None, "regression", 0),
        ([0, 0.5], None, "regression", 0),
        ([0, 1], 0, "regression", 0),
        ([0, 1], 5, "multiclass", 5),
    ],
)
def test_what_drawn_points_pose_follows_from_their_targets_or_the_classes_given(
    targets, classes, kind, count
):
    data = make("points", points=[[0, 0, target] for target in targets], classes=classes)
    task = data.task({})
    assert (task.kind, task.classes, len(task.class_labels)) == (kind, count, count)


def test_test_points_of_their_own_are_not_split():
    data = make("points", points=[[0, 0, 0], [1, 1, 1]], test_points=[[2, 2, 2]])
    split = data.split(0, {})
    assert split.train_inputs.tolist() == [[0, 0], [1, 1]]
    assert split.test_inputs.tolist() == [[2, 2]]
    assert split.task.classes == 3
    assert make("points", points=[[0, 0, 0]], test_points=[]).split(0, {}).test_inputs.shape == (0, 2)


def test_one_point_is_trained_on():
    split = make("points", points=[[1, 2, 0]], train_fraction=0.1).split(0, {})
    assert len(split.train_inputs) == 1
    assert split.test_inputs.shape == (0, 2)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"points": []}, ("points",)),
        ({"points": [[0, 0, 0], [0, 6.1, 0]]}, ("points", 1, 1)),
        ({"points": [[0, 0]]}, ("points", 0, 2)),
        ({"points": [[float("nan"), 0, 0]]}, ("points", 0, 0)),
        ({"points": [[0, 0, float("inf")]]}, ("points", 0, 2)),
        ({"points": [["1", 0, 0]]}, ("points", 0, 0)),
        ({"points": [[0, 0, 0]] * 10_001}, ("points",)),
        ({"points": [[0, 0, 0]] * 9_999, "test_points": [[0, 0, 0]] * 2}, ("test_points",)),
        ({"points": [[0, 0, 0]], "classes": 1}, ("classes",)),
        ({"points": [[0, 0, 0]], "classes": 9}, ("classes",)),
        ({"points": [[0, 0, 3]], "classes": 3}, ("classes",)),
        ({"points": [[0, 0, 0.5]], "classes": 2}, ("classes",)),
        ({"points": [[0, 0, 0]], "test_points": [[0, 0, 2]], "classes": 2}, ("classes",)),
    ],
)
def test_bad_points_are_refused_with_their_place(wrong, place):
    with pytest.raises(ValidationError) as refusal:
        Points.model_validate(wrong)
    assert refusal.value.errors()[0]["loc"] == place


@pytest.mark.parametrize("cls", members(Data))
def test_every_data_set_tells_what_it_is(cls):
    assert cls.label
    assert cls.formula
    assert len(cls.help()) > 20
    for name, field in cls.model_fields.items():
        assert name == "kind" or field.description
