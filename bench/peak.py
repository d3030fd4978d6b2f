"""The multiply-adds that a core can do: chains of them that hide each other's waiting, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from playground.training.compiled.simd import FLOATS, LANES, intrinsic, multiply_add

ROUNDS = 10_000
CHAINS = (6, 12)
"""Of sixteen lanes each: 12 registers of AVX2, or of AVX-512."""
STEP = ROUNDS * LANES * max(CHAINS)
"""Multiply-adds of one step."""


def chains(count: int) -> Callable[..., Any]:
    """So many sums that are multiplied and added to, `rounds` times each."""

    @intrinsic
    def run(typing, rounds):
        def generate(context, builder, signature, args):
            factor, more = (ir.Constant(FLOATS, [number] * LANES) for number in (0.5, 1.0))
            start = ir.Constant(FLOATS, [float(lane) for lane in range(LANES)])
            sums = [cgutils.alloca_once_value(builder, start) for _ in range(count)]
            with cgutils.for_range(builder, args[0]):
                for own in sums:
                    builder.store(multiply_add(builder, builder.load(own), factor, more), own)
            total = builder.load(sums[0])
            for own in sums[1:]:
                total = builder.fadd(total, builder.load(own))
            return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

        return types.float32(types.intp), generate

    return njit(lambda rounds: run(rounds))


def multiply_adds(count: int) -> Callable[[int], int]:
    """Trains nothing: a step is `STEP` multiply-adds."""
    run = chains(count)

    def go(steps: int) -> int:
        run(np.intp(steps * ROUNDS * max(CHAINS) // count))
        return steps

    return go
