"""Random numbers as a function of (seed, purpose, step), never of what was drawn before.

A counter-based generator: number i of a stream is mix(key + i * GAMMA), which is SplitMix64
(Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) read at position i. The key is
mixed from seed, purpose and step, so that no stream depends on another: toggling dropout does not change
the order of the data. Only wrapping int64 arithmetic is used, so every device gives the same bits.

Seeds are an int or a tensor (R,), steps an int or a tensor; they broadcast, and their common shape leads
the shape of what is drawn.
"""

import hashlib
from functools import lru_cache

import torch
from torch import Tensor

GAMMA = -0x61C8864680B583EB  # 0x9E3779B97F4A7C15 as int64: 2**64 / golden ratio
MIX_1 = -0x40A7B892E31B1A47  # 0xBF58476D1CE4E5B9
MIX_2 = -0x6B2FB644ECCEEE15  # 0x94D049BB133111EB


def bits(seed: int | Tensor, purpose: str, step: int | Tensor, shape: tuple[int, ...]) -> Tensor:
    """Uniform int64, all 64 bits random, of the broadcast shape of seed and step followed by `shape`."""
    own = stream(seed, purpose)
    step = torch.as_tensor(step, dtype=torch.int64, device=own.device)
    key = _mix(own + step * GAMMA)
    count = torch.Size(shape).numel()
    counter = torch.arange(1, count + 1, dtype=torch.int64, device=own.device) * GAMMA
    return _mix(key[..., None] + counter).reshape(*key.shape, *shape)


def stream(seed: int | Tensor, purpose: str) -> Tensor:
    """What seed and purpose are mixed to, int64; the key of a step is mix(stream + step * GAMMA)."""
    return _mix(_mix(torch.as_tensor(seed, dtype=torch.int64)) + _hash(purpose))


def uniform(seed: int | Tensor, purpose: str, step: int | Tensor, shape: tuple[int, ...]) -> Tensor:
    """Uniform float64 in (0, 1), neither end included."""
    return (_shift(bits(seed, purpose, step, shape), 12).double() + 0.5) * 2.0**-52


def normal(seed: int | Tensor, purpose: str, step: int | Tensor, shape: tuple[int, ...]) -> Tensor:
    """Standard normal float64, by inversion."""
    return torch.special.ndtri(uniform(seed, purpose, step, shape))


def permutation(seed: int | Tensor, purpose: str, step: int | Tensor, n: int) -> Tensor:
    """A random order of 0 … n-1 as int64."""
    return bits(seed, purpose, step, (n,)).argsort(dim=-1, stable=True)


@lru_cache
def _hash(purpose: str) -> int:
    return int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=8).digest(), "little", signed=True)


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * MIX_1
    x = (x ^ _shift(x, 27)) * MIX_2
    return x ^ _shift(x, 31)


def _shift(x: Tensor, by: int) -> Tensor:
    """Logical right shift; torch's own is arithmetic."""
    return (x >> by) & ((1 << (64 - by)) - 1)
