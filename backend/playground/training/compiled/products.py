"""The matrix products of the kernel: blocks of sums that stay in registers.

A product is sums over c of number · vector, the number in every lane. A block makes several sums at once,
so that each vector that is loaded serves them all, and so that no sum waits for itself: a multiply-add takes
four cycles, and one or two of them start in each. How many fit, the registers say. Sixteen lanes take r of
them; the vector at hand takes r, and the number one, so of n registers (n - r - 1) / r sums find a place:

    AVX-512    32 of 512 bits, r = 1    30, of which 8 are enough to keep it busy (see `MOST`)
    AVX2       16 of 256 bits, r = 2     6
    NEON       32 of 128 bits, r = 4     6
    SSE        16 of 128 bits, r = 4     2

What is left over goes through blocks of 4, 2 and 1. All blocks are one routine, told its size.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from playground.training.compiled.processor import registers
from playground.training.compiled.simd import (
    FLOATS,
    LANES,
    inlined,
    intrinsic,
    load_vector,
    multiply_add,
    splat,
    store_vector,
)

MOST = 8


def blocks(count: int, each: int) -> tuple[int, ...]:
    """Sums of a block, of the largest and then of those for what it leaves over."""
    largest = max(1, min(MOST, (count - each - 1) // each))
    return largest, *(size for size in (4, 2, 1) if size < largest)


def products(begin: str = "", scaled: bool = False) -> Callable[..., Any]:
    """For each i < sums, the sum over c < count of a[at + i · across + c · along] · v[lane + c · stride].

    v is read in lanes, and the sum stored in lanes at out[place + i · out_stride]. It begins with the number
    a[extra + i], or with the `vector` that it takes the place of; or it is `scaled` by that.
    """
    sizes = blocks(*registers())
    multiply = None
    for size in reversed(sizes):
        multiply = smaller_after(size, block(size, sizes[0], begin, scaled), multiply)
    assert multiply

    @inlined
    def all_sums(a, at, across, along, v, lane, stride, count, sums, out, place, out_stride, extra):
        multiply(0, a, at, across, along, v, lane, stride, count, sums, out, place, out_stride, extra)

    return all_sums


def smaller_after(
    size: int, add_up: Callable[..., Any], rest: Callable[..., Any] | None
) -> Callable[..., Any]:
    """Blocks of a size, as many as there are sums for, and then the `rest`."""
    smaller = inlined(lambda *args: None) if rest is None else rest

    @inlined
    def multiply(i, a, at, across, along, v, lane, stride, count, sums, out, place, out_stride, extra):
        while i + size <= sums:
            first, goal = at + i * across, place + i * out_stride
            add_up(a, first, across, along, v, lane, stride, count, out, goal, out_stride, extra + i)
            i += size
        smaller(i, a, at, across, along, v, lane, stride, count, sums, out, place, out_stride, extra)

    return multiply


def block(size: int, largest: int, begin: str, scaled: bool) -> Callable[..., Any]:
    """Instructions for so many sums; few of them in several chains each, for a sum waits for itself."""
    chains = min(4, largest // size)

    @intrinsic
    def add_up(typing, a, at, across, along, v, lane, stride, count, out, place, out_stride, extra):
        def generate(context, builder, signature, args):
            values = [
                context.cast(builder, arg, kind, types.intp) if isinstance(kind, types.Integer) else arg
                for kind, arg in zip(signature.args, args, strict=True)
            ]
            write_block(builder, values, size, chains, begin, scaled)
            return context.get_dummy_value()

        kinds = (a, at, across, along, v, lane, stride, count, out, place, out_stride, extra)
        return types.void(*kinds), generate

    return add_up


def write_block(builder: Any, values: Any, size: int, chains: int, begin: str, scaled: bool) -> None:
    """Writes them; `values` are pointers and int64, in the order of `products`."""
    a, at, across, along, v, lane, stride, count, out, place, out_stride, extra = values

    def number(index: Any) -> ir.Value:
        return splat(builder, builder.load(builder.gep(a, [index])))

    def step(start: Any, by: Any, times: int) -> Any:
        return builder.add(start, builder.mul(by, by.type(times)))

    def add(c: Any, chain: int) -> None:
        vector = load_vector(builder, v, builder.add(lane, builder.mul(c, stride)))
        first = builder.add(at, builder.mul(c, along))
        for k, own in enumerate(sums[chain]):
            total = multiply_add(builder, number(step(first, across, k)), vector, builder.load(own))
            builder.store(total, own)

    goals, nothing = [step(place, out_stride, k) for k in range(size)], ir.Constant(FLOATS, [0.0] * LANES)
    beginnings: list[ir.Value] = [nothing] * size
    if begin == "number":
        beginnings = [number(step(extra, extra.type(1), k)) for k in range(size)]
    elif begin == "vector":
        beginnings = [load_vector(builder, out, goal) for goal in goals]
    sums = [[cgutils.alloca_once_value(builder, value) for value in beginnings]]
    sums += [[cgutils.alloca_once_value(builder, nothing) for _ in goals] for _ in range(chains - 1)]
    whole = builder.udiv(count, count.type(chains))
    with cgutils.for_range(builder, whole) as loop:
        for chain in range(chains):
            add(step(count.type(chain), loop.index, chains), chain)
    if chains > 1:
        done = builder.mul(whole, count.type(chains))
        with cgutils.for_range(builder, builder.sub(count, done)) as loop:
            add(builder.add(done, loop.index), 0)
    for k, goal in enumerate(goals):
        total: Any = builder.load(sums[0][k])
        for others in sums[1:]:
            total = builder.fadd(total, builder.load(others[k]))
        if scaled:
            total = builder.fmul(total, load_vector(builder, out, goal))
        store_vector(builder, out, goal, total)
