"""Random Fourier features: waves over the plane, of random direction and frequency (Tancik et al., 2020).

They are named rff1, rff2, … in pairs, a cosine and a sine of one frequency each. With them a network learns
fine detail as soon as coarse shapes; with the coordinates alone it learns what is smooth first.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground import limits, randomness

NAME = re.compile(r"rff([1-9]\d*)")
FEW = 3
"""As many are listed one by one."""


@dataclass(frozen=True)
class Fourier:
    """What the waves follow from."""

    seed: int = 0
    scale: float = 3.0
    """Standard deviation of the frequencies, σ, in waves along a side of the square."""

    def waves(self, numbers: Sequence[int], inputs: Tensor) -> Tensor:
        """cos(2π b·v) for odd numbers and sin(2π b·v) for even ones, (n, numbers) float32: v = x / 12 are the
        first two of the inputs (n, D), and b ~ N(0, σ²) is of the pair."""
        drawn = self.scale * randomness.normal(self.seed, "fourier", 0, (limits.FOURIER // 2, 2))
        own = torch.tensor(numbers, dtype=torch.int64) - 1
        places = inputs[:, :2].double() / (2 * limits.HALF_SPAN)
        frequencies = drawn[own // 2, : places.shape[1]].to(places.device)
        angles = 2 * math.pi * places @ frequencies.T
        return torch.where((own % 2 == 0).to(places.device), angles.cos(), angles.sin()).float()


def number_of(name: str) -> int | None:
    """1 for rff1, and so on to `limits.FOURIER`; None where it is the name of no wave."""
    found = NAME.fullmatch(name)
    return int(found[1]) if found and int(found[1]) <= limits.FOURIER else None


def listed(names: Sequence[str]) -> list[str]:
    """The names for people: many waves as the first, an ellipsis and the last."""
    waves = [name for name in names if number_of(name)]
    if len(waves) <= FEW:
        return list(names)
    return [*(name for name in names if name not in waves), f"{waves[0]} … {waves[-1]}"]
