"""Curves, patterns, rules and benchmarks, each against its formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import limits
from playground.catalogue.component import members
from playground.catalogue.datasets import Curve
from playground.errors import ValidationFailed
from playground.run.validation import parse
from tests.points import make, sample

CURVES = [cls.name() for cls in members(Curve)]
noises = st.floats(0, 0.5)
seeds = st.integers(0, limits.SEED)
quick = settings(deadline=None, max_examples=50)

# One input


def original_sawtooth(x):
    """A line from -1 to 1 over each stretch of 4, the middle one around 0."""
    return (x + 2) % 4 / 2 - 1


@pytest.mark.parametrize(
    ("kind", "rule"),
    [("sine_curve", np.sin), ("step_curve", lambda x: 2 * (x >= 0) - 1), ("sawtooth", original_sawtooth)],
)
def test_a_curve_without_noise_is_its_function(kind, rule):
    inputs, targets = sample(kind, samples=1000)
    assert inputs.shape == (1000, 1)
    assert np.quantile(inputs, [0, 0.5, 1]) == pytest.approx([-6, 0, 6], abs=0.4)
    np.testing.assert_allclose(targets, rule(inputs[:, 0].astype(float)), atol=1e-5)


@pytest.mark.parametrize("kind", CURVES)
def test_the_noise_of_a_curve_is_normal_and_moves_targets_only(kind):
    calm_inputs, calm = sample(kind, samples=10_000)
    inputs, noisy = sample(kind, samples=10_000, noise=0.3)
    np.testing.assert_array_equal(inputs, calm_inputs)
    moved = (noisy - calm) / 0.3
    assert moved.mean() == pytest.approx(0, abs=0.03)
    assert moved.std() == pytest.approx(1, abs=0.03)
    assert (np.abs(moved) < 1).mean() == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize("kind", CURVES)
def test_outliers_are_a_share_of_the_points_far_above_the_curve(kind):
    calm_inputs, calm = sample(kind, samples=10_000)
    before = np.zeros(10_000, dtype=bool)
    for share in (0, 0.01, 0.1, 0.5):
        inputs, targets = sample(kind, samples=10_000, outliers=share)
        thrown = targets - calm
        out = thrown > 1e-4
        np.testing.assert_array_equal(inputs, calm_inputs)
        assert out.mean() == pytest.approx(share, abs=0.02)
        assert (out | ~before).all()  # more of them leave those that there were where they are
        assert not out.any() or (thrown[out].min() >= 1.999 and thrown[out].max() <= 3.001)
        before = out


# Patterns and rules


@quick
@given(st.integers(2, 8), seeds)
def test_rings_are_of_one_class_and_the_other_in_turn(rings, seed):
    inputs, targets = sample("rings", seed, rings=rings)
    ring = np.linalg.norm(inputs, axis=1) / (5.4 / rings)
    np.testing.assert_array_equal(ring.astype(int) % 2, targets)
    assert set(ring.astype(int)) == set(range(rings))
    assert (np.abs(ring % 1 - 0.5) <= 0.351).all()  # there is room between them


@quick
@given(st.integers(2, 8), seeds)
def test_the_squares_of_a_checkerboard_have_their_class_and_are_filled_alike(squares, seed):
    inputs, targets = sample("checkerboard", seed, squares=squares, samples=6400)
    cells = ((inputs.astype(float) + 5.4) / (10.8 / squares)).clip(0, squares - 1e-6).astype(int)
    wrong = cells.sum(axis=1) % 2 != targets
    assert wrong.mean() < 0.001  # on an edge, by rounding
    _, sizes = np.unique(cells, axis=0, return_counts=True)
    assert len(sizes) == squares**2
    assert sizes.min() > 0.5 * 6400 / squares**2


def test_waves_are_a_sine_and_a_cosine():
    inputs, targets = sample("waves")
    x1, x2 = inputs.astype(float).T
    np.testing.assert_allclose(x2, 3 * np.where(targets == 1, np.cos(x1), np.sin(x1)), atol=1e-5)


@quick
@given(st.integers(2, 8), noises, seeds)
def test_parity_says_whether_an_odd_number_of_inputs_is_on(bits, noise, seed):
    data = make("parity", bits=bits, noise=noise, samples=600)
    inputs, targets = data.sample(seed, {})
    assert data.task({}).inputs == inputs.shape[1] == bits
    np.testing.assert_array_equal((inputs > 0).sum(axis=1) % 2, targets)
    assert np.abs(np.abs(inputs) - 4).max() <= 4 * noise + 1e-6
    corners = np.unique(inputs > 0, axis=0)
    assert len(corners) > 0.8 * 2**bits


def test_no_input_of_parity_says_anything_alone():
    inputs, targets = sample("parity", bits=4, samples=10_000)
    for column in inputs.T:
        assert ((column > 0) == targets).mean() == pytest.approx(0.5, abs=0.02)


@quick
@given(st.integers(2, limits.CLASSES), noises, seeds)
def test_modular_addition_is_the_sum_of_what_the_axes_say(modulus, noise, seed):
    data = make("modular_addition", modulus=modulus, noise=noise)
    task = data.task({})
    inputs, targets = data.sample(seed, {})
    assert task.input_ranges is not None
    (low, high), _ = task.input_ranges
    numbers = low + (inputs.astype(float) + 6) / 12 * (high - low)
    whole = numbers.round().astype(int)
    assert np.abs(numbers - whole).max() <= noise + 1e-5
    if noise < 0.49:
        np.testing.assert_array_equal(whole.sum(axis=1) % modulus, targets)
    assert whole.min() >= 0
    assert whole.max() < modulus
    assert task.class_labels == tuple(str(k) for k in range(modulus))


# Of the literature


def published_two_spirals():
    """As in the program of the benchmark at Carnegie Mellon, which prints one point and its opposite."""
    points = []
    for i in range(97):
        angle = i * np.pi / 16.0
        radius = 6.5 * (104 - i) / 104.0
        x, y = radius * np.sin(angle), radius * np.cos(angle)
        points += [(x, y, 1), (-x, -y, 0)]
    return np.array(points)


def test_the_two_spirals_are_the_194_points_of_1988():
    data = make("two_spirals")
    inputs, targets = data.sample(0, {})
    assert np.bincount(targets).tolist() == [97, 97]
    ranges = data.task({}).input_ranges
    assert ranges is not None
    low, high = ranges[0]
    read = low + (inputs.astype(float) + 6) / 12 * (high - low)  # as at the axes
    np.testing.assert_allclose(read, published_two_spirals()[:, :2], atol=1e-5)
    np.testing.assert_array_equal(targets, published_two_spirals()[:, 2])
    np.testing.assert_allclose(read[:2], [(0, 6.5), (0, -6.5)], atol=1e-5)
    np.testing.assert_allclose(read[16], (6, 0), atol=1e-5)  # after a quarter turn
    assert len(data.split(0, {}).train_inputs) == 194


def test_the_four_points_of_xor_are_trained_on_and_as_far_apart_as_asked():
    inputs, targets = sample("xor_points")
    assert inputs.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert targets.tolist() == [0, 1, 1, 0]
    assert sample("xor_points", side=5)[0].max() == 5
    split = make("xor_points").split(0, {})
    assert (len(split.train_inputs), len(split.test_inputs)) == (4, 0)


# Formulas


def test_a_formula_of_one_input_is_a_curve_and_of_two_a_landscape():
    for f, inputs, rule in (
        ("sin(x1)", 1, lambda x: np.sin(x[:, 0])),
        ("sin(x1) cos(x2)", 2, lambda x: np.sin(x[:, 0]) * np.cos(x[:, 1])),
    ):
        task = make("formula", f=f).task({})
        assert (task.kind, task.inputs, task.target_scale) == ("regression", inputs, None)
        positions, targets = sample("formula", f=f, samples=300)
        assert positions.shape == (300, inputs)
        np.testing.assert_allclose(targets, rule(positions.astype(float)), atol=1e-5)


def test_the_values_of_a_formula_are_scaled_where_they_are_large_or_small():
    for f, scale in (("x1^2", (0, 36)), ("x1/100", (-0.06, 0.06)), ("x1 x2 + 1", (-35, 37)), ("7", (6, 8))):
        assert make("formula", f=f).task({}).target_scale == pytest.approx(scale)
        _, targets = sample("formula", f=f)
        assert np.abs(targets).max() <= 1
    positions, targets = sample("formula", f="x1^2")
    np.testing.assert_allclose(targets, positions[:, 0] ** 2 / 18 - 1, atol=1e-5)


@quick
@given(st.sampled_from(["3*sin(x1)", "abs(x1)-2", "x1^2/2-3", "0"]), seeds)
def test_points_above_a_curve_are_of_class_1(f, seed):
    positions, targets = sample("above", seed, f=f, samples=200)
    x1, x2 = positions.T.astype(float)
    curve = {
        "3*sin(x1)": 3 * np.sin(x1),
        "abs(x1)-2": np.abs(x1) - 2,
        "x1^2/2-3": x1**2 / 2 - 3,
        "0": 0 * x1,
    }[f]
    apart = np.abs(x2 - curve) > 1e-4
    np.testing.assert_array_equal((x2 > curve)[apart], targets[apart])
    if np.abs(curve).max() < 6:
        assert targets.mean() == 0.5


@pytest.mark.parametrize(
    ("kind", "f", "code"),
    [
        ("formula", "x1*", "rule.formula_value"),
        ("formula", "x3", "rule.formula_input"),
        ("above", "x1+x2", "rule.formula_input"),
        ("formula", "log(x1)", "rule.formula_undefined"),
        ("above", "1/x1", "rule.formula_undefined"),
    ],
)
def test_a_formula_that_cannot_be_a_target_is_refused(kind, f, code):
    with pytest.raises(ValidationFailed) as refused:
        parse({"data": {"kind": kind, "f": f}})
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("data.f", code)
