"""Sixteen numbers at once: numpy's functions, as exact as float32 allows."""

import numpy as np
import pytest
import torch
from numba import njit

from playground.training.compiled.simd import (
    LANES,
    any_lane,
    below,
    inverse_normal,
    load,
    reduce_add,
    store,
    store_part,
)

LINE = np.linspace(-60, 60, 160_000)
POSITIVE = np.geomspace(1e-37, 1e37, 160_000)


def on(function, numbers):
    """What the function makes of them in float32, sixteen at a time."""
    compiled = njit(function)

    @njit
    def run(x, out):
        for at in range(0, out.size, LANES):
            store(out, at, compiled(load(x, at)))

    padded = np.resize(numbers, -(-len(numbers) // LANES) * LANES).astype(np.float32)
    out = np.empty_like(padded)
    run(padded, out)
    return out[: len(numbers)]


@pytest.mark.parametrize(
    ("function", "numbers", "tolerance"),
    [
        (lambda x: np.exp(x), LINE, 2e-7),
        (lambda x: np.expm1(x), LINE, 1e-6),
        (lambda x: np.tanh(x), LINE, 1e-6),
        (lambda x: np.log(x), POSITIVE, 1e-6),
        (lambda x: np.log1p(x), np.concatenate([POSITIVE, -np.geomspace(1e-37, 0.999, 1000)]), 1e-6),
        (lambda x: np.sqrt(x), POSITIVE, 1e-7),
        (lambda x: np.abs(x), LINE, 0),
        (lambda x: np.rint(x), LINE, 0),
        (lambda x: np.sign(x), LINE, 0),
        (lambda x: -x, LINE, 0),
    ],
    ids=["exp", "expm1", "tanh", "log", "log1p", "sqrt", "abs", "rint", "sign", "negative"],
)
def test_functions_are_those_of_numpy(function, numbers, tolerance):
    single = numbers.astype(np.float32)
    expected = function(single.astype(np.float64))
    np.testing.assert_allclose(on(function, single), expected, rtol=tolerance, atol=tolerance * 1e-30)


def test_a_share_of_the_normal_distribution_is_that_of_torch():
    tails = np.concatenate([np.linspace(1e-6, 0.5, 80_000), np.geomspace(1e-16, 0.5, 80_000)])
    tails = tails.astype(np.float32)
    expected = torch.special.ndtri(torch.from_numpy(tails).double()).numpy()
    for side, size in ((-1, expected), (1, -expected)):
        np.testing.assert_allclose(on(lambda x: inverse_normal(x), side * tails), size, rtol=5e-7, atol=5e-7)


def test_tanh_is_never_beyond_one():
    assert np.abs(on(lambda x: np.tanh(x), LINE)).max() == 1


def test_what_is_no_number_stays_so_and_infinity_has_an_end():
    odd = np.array([np.nan, np.inf, -np.inf])
    for function in (lambda x: np.exp(x), lambda x: np.tanh(x), lambda x: np.maximum(x, 0.0)):
        assert np.isnan(on(function, odd)[0])
    np.testing.assert_array_equal(on(lambda x: np.tanh(x), odd)[1:], [1, -1])
    up, down = on(lambda x: np.exp(x), odd)[1:]
    assert up > 1e38
    assert 0 < down < 2e-38


def test_two_at_a_time():
    x = np.random.default_rng(0).normal(size=160).astype(np.float32)
    for function in (
        lambda x: np.where(x > x * x, x, x * x),
        lambda x: np.maximum(x, x * x),
        lambda x: np.minimum(x * x, x),
        lambda x: x * 2 - (x + 3) / x + 1,
    ):
        np.testing.assert_allclose(on(function, x), function(x), rtol=1e-5)


@njit
def summed(array):
    numbers = load(array, 0)
    return reduce_add(numbers), any_lane(numbers > 14.0), any_lane(numbers > 15.0)


@njit
def filled(array, count):
    store_part(array, 0, load(array, 0) + 100.0, below(count))


def test_all_lanes_together_and_some_of_them():
    array = np.arange(LANES, dtype=np.float32)
    assert summed(array) == (120, True, False)
    for count in range(LANES + 1):
        array = np.arange(LANES, dtype=np.float32)
        filled(array, count)
        assert array.tolist() == [n + 100 if n < count else n for n in range(LANES)]
