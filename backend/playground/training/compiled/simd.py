"""Sixteen numbers that are calculated with as one: the SIMD type of the kernel.

`Lanes` is a float32 vector (llvm `<16 x float>`) in code that numba compiles. Arithmetic, comparison and the
functions of numpy below take it, with plain numbers broadcast over all lanes, so a formula of a component
reads the same for one number, an array or lanes. A machine with narrower registers takes two or four of them.

Arithmetic may be contracted and reordered, but keeps NaN and infinity, for a network that diverges must show.
What numba compiles has no annotations: it finds out the types by itself, and compares signatures with them.
"""

import operator
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, extending
from numba.core.extending import models, overload, register_model

from playground.randomness import MIX_1, MIX_2

intrinsic: Any = extending.intrinsic
"""Makes LLVM instructions a function for compiled code, which is called without its first parameter."""

part: Any = partial(
    cast(Any, njit), error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""Compiles a function of the kernel. Without `_nrt`, numba's counting of references, nothing can allocate. A
way in from Python, which never calls it, would be a seventh of the compiling."""
inlined: Any = partial(part, forceinline=True)
"""Likewise, into those that call it: for small networks, a call costs as much as the work."""

LANES = 16
FLAGS = ("reassoc", "nsz", "arcp", "contract", "afn")

FLOAT, INT = ir.FloatType(), ir.IntType(32)
FLOATS, INTS, BOOLS, WORDS = (
    ir.VectorType(kind, LANES) for kind in (FLOAT, INT, ir.IntType(1), ir.IntType(64))
)


class LanesType(types.Type):
    """float32 × 16"""


class MaskType(types.Type):
    """bool × 16"""


lanes, mask = LanesType("Lanes"), MaskType("Mask")


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any):
        super().__init__(manager, kind, FLOATS)


@register_model(MaskType)
class MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any):
        super().__init__(manager, kind, BOOLS)


def is_number(kind: types.Type) -> bool:
    return isinstance(kind, LanesType | types.Float | types.Integer)


def _const(kind: ir.VectorType, values: list[int]) -> ir.Constant:
    return ir.Constant(kind, values)


def _as_lanes(context: Any, builder: ir.IRBuilder, kind: types.Type, value: ir.Value) -> ir.Value:
    """The vector, or the number in every lane."""
    if isinstance(kind, LanesType):
        return value
    return splat(builder, context.cast(builder, value, kind, types.float32))


def splat(builder: ir.IRBuilder, number: Any) -> ir.Value:
    """The number in every lane of a vector."""
    nothing = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(INT, 0))
    return builder.shuffle_vector(first, nothing, _const(INTS, [0] * LANES))


def load_vector(builder: ir.IRBuilder, data: ir.Value, index: ir.Value) -> ir.Value:
    return builder.load(builder.bitcast(builder.gep(data, [index]), FLOATS.as_pointer()), align=4)


def store_vector(builder: ir.IRBuilder, data: ir.Value, index: ir.Value, value: ir.Value) -> None:
    builder.store(value, builder.bitcast(builder.gep(data, [index]), FLOATS.as_pointer()), align=4)


def multiply_add(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """a · b + c, rounded once where the processor can."""
    return _call(builder, "llvm.fmuladd.v16f32", FLOATS, [a, b, c])


def _pointer(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
    """Where element args[1] of args[0], an array or a pointer, lies; no bounds are checked, no index wraps
    round."""
    data = args[0]
    if isinstance(signature.args[0], types.Array):
        data = context.make_array(signature.args[0])(context, builder, data).data
    return builder.gep(data, [context.cast(builder, args[1], signature.args[1], types.intp)])


def _call(builder: ir.IRBuilder, name: str, result: ir.Type, args: list[Any]) -> ir.Value:
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


# Memory: flat float32 arrays, read and written from element `at` on.


@intrinsic
def load(typing, array, at):
    """16 neighbours."""

    def generate(context, builder, signature, args):
        pointer = builder.bitcast(_pointer(context, builder, signature, args), FLOATS.as_pointer())
        return builder.load(pointer, align=4)

    return lanes(array, at), generate


@intrinsic
def load_one(typing, array, at):
    """One number, in every lane."""

    def generate(context, builder, signature, args):
        number = builder.load(_pointer(context, builder, signature, args))
        return _as_lanes(context, builder, types.float32, number)

    return lanes(array, at), generate


@intrinsic
def store(typing, array, at, value):
    def generate(context, builder, signature, args):
        pointer = builder.bitcast(_pointer(context, builder, signature, args), FLOATS.as_pointer())
        builder.store(_as_lanes(context, builder, signature.args[2], args[2]), pointer, align=4)
        return context.get_dummy_value()

    return types.void(array, at, value), generate


@intrinsic
def load_part(typing, array, at, used):
    """16 neighbours where the mask holds, else zero; what is masked is not touched, and may be no memory."""

    def generate(context, builder, signature, args):
        pointer = builder.bitcast(_pointer(context, builder, signature, args), FLOATS.as_pointer())
        values = [pointer, ir.Constant(INT, 4), args[2], ir.Constant(FLOATS, [0.0] * LANES)]
        return _call(builder, "llvm.masked.load.v16f32.p0v16f32", FLOATS, values)

    return lanes(array, at, used), generate


@intrinsic
def store_part(typing, array, at, value, used):
    """All 16 are stored as ever: without AVX-512, a store by a mask takes many times as long."""

    def generate(context, builder, signature, args):
        pointer = builder.bitcast(_pointer(context, builder, signature, args), FLOATS.as_pointer())
        value = _as_lanes(context, builder, signature.args[2], args[2])
        values = [value, pointer, ir.Constant(INT, 4), args[3]]
        every = builder.bitcast(args[3], ir.IntType(LANES))
        with builder.if_else(builder.icmp_unsigned("==", every, every.type(2**LANES - 1))) as (full, partly):
            with full:
                builder.store(value, pointer, align=4)
            with partly:
                _call(builder, "llvm.masked.store.v16f32.p0v16f32", ir.VoidType(), values)
        return context.get_dummy_value()

    return types.void(array, at, value, used), generate


@intrinsic
def pointers(typing, arrays):
    """Where each array of a named tuple begins: to hand on, that is one number, and an array is seven."""
    kind: Any = types.BaseTuple.from_types(
        [types.CPointer(array.dtype) for array in arrays], arrays.instance_class
    )

    def generate(context, builder, signature, args):
        values = zip(signature.args[0], cgutils.unpack_tuple(builder, args[0]), strict=True)
        data = [context.make_array(array)(context, builder, value).data for array, value in values]
        return context.make_tuple(builder, signature.return_type, data)

    return kind(arrays), generate


@intrinsic
def pointer(typing, array):
    """Likewise of one array."""

    def generate(context, builder, signature, args):
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def below(typing, count):
    """A mask that holds in the first `count` lanes."""

    def generate(context, builder, signature, args):
        number = context.cast(builder, args[0], signature.args[0], types.int32)
        first = builder.insert_element(ir.Constant(INTS, ir.Undefined), number, ir.Constant(INT, 0))
        broadcast = builder.shuffle_vector(first, ir.Constant(INTS, ir.Undefined), _const(INTS, [0] * LANES))
        return builder.icmp_signed("<", _const(INTS, list(range(LANES))), broadcast)

    return mask(count), generate


# Between lanes


@intrinsic
def broadcast(typing, number):
    """The number in every lane."""

    def generate(context, builder, signature, args):
        return _as_lanes(context, builder, signature.args[0], args[0])

    return lanes(number), generate


@intrinsic
def reduce_add(typing, value):
    """The sum of all lanes."""

    def generate(context, builder, signature, args):
        kind = ir.FunctionType(FLOAT, [FLOAT, FLOATS])
        called = cgutils.get_or_insert_function(builder.module, kind, "llvm.vector.reduce.fadd.v16f32")
        return builder.call(called, [ir.Constant(FLOAT, 0.0), args[0]], fastmath=FLAGS)

    return types.float32(value), generate


@intrinsic
def sums_of_rows(typing, source, at, stride):
    """The sums of 16 vectors, `stride` numbers apart, one in each lane."""

    def generate(context, builder, signature, args):
        start = _pointer(context, builder, signature, args)
        step = context.cast(builder, args[2], signature.args[2], types.intp)
        ends = (builder.gep(start, [builder.mul(step, step.type(row))]) for row in range(LANES))
        vectors = [builder.load(builder.bitcast(end, FLOATS.as_pointer()), align=4) for end in ends]
        span = 1
        while len(vectors) > 1:  # lane i of a sum belongs to the rows whose last bits are those of i
            low = [i if i & span == 0 else LANES + i - span for i in range(LANES)]
            high = [i + span if i & span == 0 else LANES + i for i in range(LANES)]
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            vectors = [
                builder.fadd(*(builder.shuffle_vector(a, b, _const(INTS, order)) for order in (low, high)))
                for a, b in pairs
            ]
            span *= 2
        return vectors[0]

    return lanes(source, at, stride), generate


@intrinsic
def kept(typing, start, step, least):
    """A mask that holds where number i of `start` + i · `step`, mixed as in `randomness`, is at least
    `least` among 2**52."""

    def generate(context, builder, signature, args):
        start, step, least = (splat(builder, arg) for arg in args)
        mixed = builder.add(start, builder.mul(_const(WORDS, list(range(LANES))), step))
        for shift, factor in ((30, MIX_1), (27, MIX_2)):
            folded = builder.xor(mixed, builder.lshr(mixed, _const(WORDS, [shift] * LANES)))
            mixed = builder.mul(folded, _const(WORDS, [factor % 2**64] * LANES))
        mixed = builder.xor(mixed, builder.lshr(mixed, _const(WORDS, [31] * LANES)))
        return builder.icmp_signed(">=", builder.lshr(mixed, _const(WORDS, [12] * LANES)), least)

    return mask(start, step, least), generate


@intrinsic
def any_lane(typing, value):
    """Whether the mask holds in some lane."""

    def generate(context, builder, signature, args):
        return _call(builder, "llvm.vector.reduce.or.v16i1", ir.IntType(1), [args[0]])

    return types.boolean(value), generate


@intrinsic
def transpose(typing, source, at, stride, target, place, target_stride):
    """A square of 16 × 16 numbers with its rows made columns; `stride` numbers lie from row to row."""

    def generate(context, builder, signature, args):
        def rows(array: int) -> list[ir.Value]:
            kinds, values = signature.args[array : array + 3], args[array : array + 3]
            start = _pointer(context, builder, signature.replace(args=kinds), values)
            step = context.cast(builder, values[2], kinds[2], types.intp)
            ends = (builder.gep(start, [builder.mul(step, step.type(row))]) for row in range(LANES))
            return [builder.bitcast(end, FLOATS.as_pointer()) for end in ends]

        vectors = [builder.load(row, align=4) for row in rows(0)]
        half = LANES // 2
        low, high = ([first + i // 2 + LANES * (i % 2) for i in range(LANES)] for first in (0, half))
        for _ in range(4):  # interleaving the first half of the rows with the second doubles what is in place
            pairs = zip(vectors[:half], vectors[half:], strict=True)
            vectors = [
                builder.shuffle_vector(a, b, _const(INTS, order)) for a, b in pairs for order in (low, high)
            ]
        for vector, row in zip(vectors, rows(3), strict=True):
            builder.store(vector, row, align=4)
        return context.get_dummy_value()

    return types.void(source, at, stride, target, place, target_stride), generate


# Arithmetic, comparison, choice


def _operator(symbols: tuple[Callable[..., Any], ...], name: str, result: types.Type) -> None:
    @intrinsic
    def operate(typing, left, right):
        def generate(context, builder, signature, args):
            values = [_as_lanes(context, builder, k, v) for k, v in zip(signature.args, args, strict=True)]
            if result is mask:
                return getattr(builder, "fcmp_unordered" if name == "!=" else "fcmp_ordered")(name, *values)
            return getattr(builder, name)(*values, flags=FLAGS)

        return result(left, right), generate

    for symbol in symbols:

        @overload(symbol)
        def implement(left, right):
            if is_number(left) and is_number(right) and lanes in (left, right):
                return lambda left, right: operate(left, right)
            return None


_operator((operator.add, operator.iadd), "fadd", lanes)
_operator((operator.sub, operator.isub), "fsub", lanes)
_operator((operator.mul, operator.imul), "fmul", lanes)
_operator((operator.truediv, operator.itruediv), "fdiv", lanes)
_operator((operator.lt,), "<", mask)
_operator((operator.le,), "<=", mask)
_operator((operator.gt,), ">", mask)
_operator((operator.ge,), ">=", mask)
_operator((operator.ne,), "!=", mask)


@intrinsic
def choose(typing, condition, yes, no):
    def generate(context, builder, signature, args):
        kinds = zip(signature.args[1:], args[1:], strict=True)
        return builder.select(args[0], *(_as_lanes(context, builder, kind, value) for kind, value in kinds))

    return lanes(condition, yes, no), generate


@overload(np.where)
def where(condition, x, y):
    if isinstance(condition, MaskType):
        return lambda condition, x, y: choose(condition, x, y)
    return None


def _of_lanes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes what is decorated the meaning of a numpy function for lanes."""

    def register(formula: Callable[..., Any]) -> Callable[..., Any]:
        compiled = njit(formula)

        def implement(x):
            return (lambda x: compiled(x)) if isinstance(x, LanesType) else None

        overload(function)(implement)
        return compiled

    return register


def _llvm(function: Callable[..., Any], name: str) -> None:
    """Makes an instruction of the processor the meaning of a numpy function for lanes."""

    @intrinsic
    def instruction(typing, x):
        def generate(context, builder, signature, args):
            return _call(builder, f"llvm.{name}.v16f32", FLOATS, [args[0]])

        return lanes(x), generate

    _of_lanes(function)(lambda x: instruction(x))


_llvm(np.sqrt, "sqrt")
_llvm(np.abs, "fabs")
_llvm(np.rint, "rint")


@overload(operator.neg)
def negative(x):
    return (lambda x: 0.0 - x) if isinstance(x, LanesType) else None


@overload(np.maximum)
def maximum(x, y):
    if is_number(x) and is_number(y) and lanes in (x, y):
        return lambda x, y: choose(x < y, y, x)  # NaN in x stays
    return None


@overload(np.minimum)
def minimum(x, y):
    if is_number(x) and is_number(y) and lanes in (x, y):
        return lambda x, y: choose(x > y, y, x)
    return None


# Functions. The coefficients are least-maximum fits in float64 of relative error, on the interval named.


@intrinsic
def _power_of_two(typing, exponent):
    """2 to a whole number from -126 to 127: it is the exponent's bits."""

    def generate(context, builder, signature, args):
        biased = builder.add(builder.fptosi(args[0], INTS), _const(INTS, [127] * LANES))
        return builder.bitcast(builder.shl(biased, _const(INTS, [23] * LANES)), FLOATS)

    return lanes(exponent), generate


@intrinsic
def _exponent(typing, x):
    """The whole number e with x = m * 2**e and m near 1, from 0.707 to 1.414; for x > 0, not subnormal."""

    def generate(context, builder, signature, args):
        bits = builder.bitcast(args[0], INTS)
        above = builder.sub(bits, _const(INTS, [0x3F3504F3] * LANES))  # the bits of sqrt(1/2)
        return builder.sitofp(builder.ashr(above, _const(INTS, [23] * LANES)), FLOATS)

    return lanes(x), generate


@_of_lanes(np.exp)
def exp(x):
    """2**n * e**r with whole n and |r| <= log(2) / 2; beyond -87 and 88 what it is there."""
    x = np.minimum(np.maximum(x, -87.0), 88.0)
    n = np.rint(x * 1.44269504)
    r = x - n * 0.693359375 + n * 2.12194440e-4  # log(2) in two parts, the first of few digits
    p = 0.041668238 + r * (0.00837159028 + r * 0.0013824778)
    p = 1.0 + r * (1.00000003 + r * (0.49999993 + r * (0.166664603 + r * p)))
    return p * _power_of_two(n)


@_of_lanes(np.expm1)
def expm1(x):
    near = 1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x * (1 / 5040))))))
    return np.where(np.abs(x) < 0.5, x * near, np.exp(x) - 1.0)


@njit
def _log_series(s):
    """log((1 + s) / (1 - s)) for |s| < 0.18."""
    u = s * s
    return s * (2.0 + u * (2 / 3 + u * (2 / 5 + u * (2 / 7 + u * (2 / 9)))))


@_of_lanes(np.log)
def log(x):
    """e log(2) + log(m) for x = m * 2**e; for positive x that is not subnormal."""
    e = _exponent(x)
    m = x * _power_of_two(0.0 - e)
    return e * 0.693359375 - e * 2.12194440e-4 + _log_series((m - 1.0) / (m + 1.0))


@_of_lanes(np.log1p)
def log1p(x):
    return np.where(np.abs(x) < 0.4, _log_series(x / (2.0 + x)), np.log(1.0 + x))


@_of_lanes(np.tanh)
def tanh(x):
    """A quotient of polynomials of degree 9 and 8, on [-9, 9]; rounding takes it over 1."""
    x = np.minimum(np.maximum(x, -9.0), 9.0)
    u = x * x
    p = 0.9999999794 + u * (0.1338028456 + u * (0.003494706052 + u * (2.05944922e-5 + u * 1.333430844e-8)))
    q = 1.0 + u * (0.4671360004 + u * (0.0258736314 + u * (0.0003284189017 + u * 7.768256755e-7)))
    return np.minimum(np.maximum(x * p / q, -1.0), 1.0)


@njit
def inverse_normal(tail):
    """The standard normal number with so much of the distribution beyond it, on the side of its sign: `tail`
    is of either sign and at most 1/2 in size. PPND7 of Wichura, algorithm AS 241, 1988."""
    p = np.abs(tail)
    q = 0.5 - p
    r = 0.180625 - q * q
    above = 3.3871327179 + r * (50.434271938 + r * (159.29113202 + r * 59.109374720))
    middle = q * above / (1.0 + r * (17.895169469 + r * (78.757757664 + r * 67.187563600)))
    r = np.sqrt(0.0 - np.log(p))
    near, far = r - 1.6, r - 5.0
    above = 1.4234372777 + near * (2.7568153900 + near * (1.3067284816 + near * 0.17023821103))
    outer = above / (1.0 + near * (0.73700164250 + near * 0.12021132975))
    above = 6.6579051150 + far * (3.0812263860 + far * (0.42868294337 + far * 0.017337203997))
    end = above / (1.0 + far * (0.24197894225 + far * 0.012258202635))
    size = np.where(p >= 0.075, middle, np.where(r <= 5.0, outer, end))
    return np.where(tail < 0.0, 0.0 - size, size)


@_of_lanes(np.sign)
def sign(x):
    return np.where(x > 0.0, 1.0, np.where(x < 0.0, -1.0, 0.0))
