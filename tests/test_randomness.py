import numpy as np
import pytest
import torch

from playground.randomness import bits, normal, permutation, uniform

MASK = 2**64 - 1


def splitmix64(seed: int, count: int) -> list[int]:
    """The published generator, step by step (Steele, Lea, Flood, 2014)."""
    numbers = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        numbers.append(z ^ (z >> 31))
    return numbers


def test_a_stream_is_splitmix64():
    stream = [int(number) & MASK for number in bits(3, "a", 7, (5,))]

    # 0x9E37… has an inverse modulo 2**64: undo the mixing of the first number to find where it started.
    def unshift(z, by):
        result = z
        for _ in range(64 // by + 1):
            result = z ^ (result >> by)
        return result

    z = unshift(stream[0], 31)
    z = unshift(z * pow(0x94D049BB133111EB, -1, 2**64) & MASK, 27)
    z = unshift(z * pow(0xBF58476D1CE4E5B9, -1, 2**64) & MASK, 30)
    assert splitmix64((z - 0x9E3779B97F4A7C15) & MASK, 5) == stream


def test_numbers_depend_on_seed_purpose_and_step_alone():
    alone = uniform(3, "init", 4, (2, 3))
    stacked = uniform(torch.tensor([1, 3, 5]), "init", torch.arange(6)[:, None], (2, 3))
    assert stacked.shape == (6, 3, 2, 3)
    torch.testing.assert_close(stacked[4, 1], alone, rtol=0, atol=0)
    longer = uniform(3, "init", 4, (9,))
    torch.testing.assert_close(longer[:6], alone.flatten(), rtol=0, atol=0)
    streams = [(s, p, t) for s in (0, 1, 2**32 - 1) for p in ("a", "b") for t in (0, 1)]
    assert len({tuple(uniform(s, p, t, (4,)).tolist()) for s, p, t in streams}) == len(streams)


def test_uniform_and_normal_have_their_moments():
    u, n = uniform(0, "u", 0, (200_000,)).numpy(), normal(0, "n", 0, (200_000,)).numpy()
    assert 0 < u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    assert u.mean() == pytest.approx(0.5, abs=0.003)
    assert np.corrcoef(u[1:], u[:-1])[0, 1] == pytest.approx(0, abs=0.01)
    assert n.mean() == pytest.approx(0, abs=0.01)
    assert n.std() == pytest.approx(1, abs=0.01)
    assert (n**4).mean() == pytest.approx(3, abs=0.1)


def test_permutations_hold_every_number_and_are_fair():
    orders = permutation(torch.arange(3000), "shuffle", 0, 6)
    assert torch.equal(orders.sort(dim=1).values, torch.arange(6).expand(3000, 6))
    first = torch.bincount(orders[:, 0], minlength=6) / 3000
    np.testing.assert_allclose(first, 1 / 6, atol=0.03)
