"""The kernel: stretches of training as one piece of machine code, for every network of the catalogue.

PyTorch spends microseconds on each operation, many times what the arithmetic of a small network costs. Here
one call trains any number of steps and allocates nothing. It is compiled once for all networks: shapes and
components are data, and a component is chosen once for a layer, never inside a loop over numbers.

**Layout.** The samples of a mini-batch are the innermost axis, padded to a `row` that is a multiple of 16
(`LANES`). Units count from the inputs on, layer by layer, and unit u has its row [u · row, u · row + row) in

    value    what the unit puts out
    dz       how that changes with its sum z; on the way back, it becomes how the loss changes with z
    x_hat    its sum, normalised (in layers that normalise)
    slopes   its derivatives by z and by what its activation learns (activations that learn only)
    pull     how the loss changes with what it puts out (where shortcuts lead on, see `backward`)

So one weight is one multiply-add for 16 samples, at any width of a layer, and weights need no padding. What
is in a row beyond the batch is calculated along, and left out wherever samples are summed.

**One product.** A network is three products: the sums of a layer (weights by values), the dz of the layer
before (weights by dz), and the gradient (values by dz). All three are `products`. Only for the gradient are
the vectors units, not samples: `transposed` holds the dz of 16 units of a layer with these innermost.

**Pointers.** What is done in each step gets the memory that it works on as bare pointers. To hand on, an
array is seven numbers, and all of them would be copied at each call.

**State.** Weights and the rest are the flat tensors of `State`; a `LAYER` says where its parameters begin.
The order of samples and the masks of dropout are those of `randomness`, number for number. The learning
rates of a stretch of steps are an input.

Functions that numba compiles have no annotations: it finds out the types by itself.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from numba.core.extending import register_jitable
from numba.np.unsafe import ndarray

from playground import limits
from playground.catalogue.activations import Activation
from playground.catalogue.component import COMPILABLE, Component, members
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import (
    BatchNorm,
    LayerNorm,
    NoNormalization,
    Normalization,
    RMSNorm,
)
from playground.catalogue.optimizers import Optimizer
from playground.randomness import GAMMA, MIX_1, MIX_2
from playground.training.compiled.products import products
from playground.training.compiled.simd import (
    LANES,
    any_lane,
    below,
    broadcast,
    inlined,
    inverse_normal,
    kept,
    load,
    load_one,
    load_part,
    part,
    pointer,
    pointers,
    reduce_add,
    store,
    store_part,
    sums_of_rows,
    transpose,
)
from playground.training.evaluation import SUMS, next_stride
from playground.training.state import MOST_UPDATES

once: Any = partial(part, inline="always")
"""Compiles one that has one caller as a part of it: what is compiled apart is optimised once more there."""
entry: Any = partial(part, nogil=True, no_cpython_wrapper=False)
"""Compiles one that Python calls."""

to_tuple: Any = ndarray.to_fixed_tuple

FIELDS = 8
"""Numbers that a component may have as its fields."""
BLOCK = 128
"""Points that are evaluated together."""
ROW = 2 + SUMS
"""Numbers of a row of the history before the gradient norms, see `Metrics.row`."""

CACHE_LINE = 128
"""Bytes; 64 on most processors, which fetch them in pairs."""

INT, UINT, REAL = np.int64, np.uint64, np.float64
NEXT, MIX_FIRST, MIX_SECOND = (UINT(number % 2**64) for number in (GAMMA, MIX_1, MIX_2))
SIGN = UINT(2**63)

COMPONENT = np.dtype([("code", INT), ("fields", REAL, (FIELDS,))])


def compilable_members(family: type[Component]) -> tuple[type[Any], ...]:
    """The members of a family that have compiled maths. The code of one is its index."""
    return tuple(cls for cls in members(family) if cls.is_compiled())


def field_names(component: type[Component]) -> list[str]:
    """The parameters that a component's maths gets; what every optimizer has is an input of each step."""
    return [name for name in component.model_fields if name not in Optimizer.model_fields]


ACTIVATIONS, NORMALIZATIONS = compilable_members(Activation), compilable_members(Normalization)
LOSSES, OPTIMIZERS = compilable_members(Loss), compilable_members(Optimizer)
assert set(NORMALIZATIONS) == {NoNormalization, BatchNorm, LayerNorm, RMSNorm}, "the kernel has no other"
BATCH_NORM, LAYER_NORM, RMS_NORM = (NORMALIZATIONS.index(n) for n in (BatchNorm, LayerNorm, RMSNorm))
MOMENTUM = BatchNorm.momentum
BATCH_EPS, LAYER_EPS, RMS_EPS = (n.eps for n in (BatchNorm, LayerNorm, RMSNorm))
LEARNED = max(len(activation.learned) for activation in ACTIVATIONS)
"""Parameters that an activation learns, at most."""
PARAMETERS = ("weight", "bias", *dict.fromkeys(name for n in NORMALIZATIONS for name in n.parameters))
BUFFERS = tuple(dict.fromkeys(name for n in NORMALIZATIONS for name in n.buffers))

LAYER = np.dtype(
    [
        *((name, INT) for name in ("inputs", "width", "normalization")),
        *((name, INT) for name in ("source", "unit")),  # first unit of its inputs, and of its own
        *((name, INT) for name in ("residual", "gathers")),  # see `backward`
        *((name, INT) for name in (*PARAMETERS, "learned", "end")),  # in the flat weights
        *((name, INT) for name in BUFFERS),  # in the flat buffers
        ("activation", COMPONENT),
    ]
)
DROPOUT = np.dtype([("on", INT), ("unit", INT), ("width", INT), ("least", UINT), ("scale", np.float32)])
"""`least`: the first of 2**52 equally likely numbers that keeps a unit."""
SETTING = np.dtype(
    [
        *((name, INT) for name in ("batch", "train", "test", "classes", "targets")),
        *((name, INT) for name in ("stride", "shuffle", "weighted", "frozen", "patience")),
        *((name, INT) for name in ("carry", "carried", "prunes")),  # `carried`: samples that wait
        *((name, REAL) for name in ("l1", "l2", "noise", "clip", "clip_value", "max_norm")),
        *((name, REAL) for name in ("coupled", "decoupled", "min_delta")),  # the first two: decay
        ("temperature", REAL),
        ("class_weights", REAL, (limits.CLASSES,)),
        ("against_true", INT),
        ("loss", COMPONENT),
        ("optimizer", COMPONENT),
    ]
)
"""`classes` is 0 for a regression, `temperature` without softmax; `stride` is the least number of steps
between two points of the history; `patience` is 0 without early stopping."""
LOSS, STEP, EPOCH, WAITED, OVER = range(5)
"""What `StateArrays.waiting` holds, see `Waiting`; an infinite loss is none."""


class Net(NamedTuple):
    """What is trained, and how."""

    setting: np.ndarray
    """(1,) SETTING"""
    layers: np.ndarray
    """(layers,) LAYER"""
    dropouts: np.ndarray
    """(layers + 1,) DROPOUT: of the inputs, then of each layer."""
    streams: np.ndarray
    """(R, layers + 3) uint64: what the numbers for shuffling, for noise and for each dropout are made of."""
    trained: np.ndarray
    """(P,) float32: 0 for weights that are frozen, 1 for the others; read only where `setting.frozen`."""


class StateArrays(NamedTuple):
    """The state of R networks, float32 where nothing else is said."""

    weights: np.ndarray
    """(R, P)"""
    buffers: np.ndarray
    """(R, B)"""
    slots: np.ndarray
    """(slots · R · P,)"""
    updates: np.ndarray
    """(R, P)"""
    pruned: np.ndarray
    """(R, P)"""
    grads: np.ndarray
    """(R, P): the gradients of the last step."""
    best_weights: np.ndarray
    """(P,), and those below, of the only network: what early stopping has seen."""
    best_buffers: np.ndarray
    """(B,)"""
    waiting: np.ndarray
    """(5,) float64"""


class Scratch(NamedTuple):
    """What is calculated in. Nothing in it outlives a call."""

    value: np.ndarray
    """(units, row)"""
    dz: np.ndarray
    x_hat: np.ndarray
    slopes: np.ndarray
    """(1 + LEARNED, units, row), with as many numbers between two planes as `value` has."""
    pull: np.ndarray
    """(units, row)"""
    inverse: np.ndarray
    """(units,), padded to lanes: 1 / standard deviation in the batch."""
    inverses: np.ndarray
    """(layers, row): 1 / the size that each sample has in a layer which normalises over its units."""
    transposed: np.ndarray
    """(row, 16): dz of the units at hand."""
    square: np.ndarray
    """(1 + 16, 16) and as many as a layer has units: sums of the units at hand."""
    grad: np.ndarray
    """(P + 16,)"""
    targets: np.ndarray
    """(targets, row): those of the batch."""
    masks: np.ndarray
    """(layers + 1,) uint64: what the masks of one step are made of."""
    drawn: np.ndarray
    """(train,) uint64 that the samples are sorted by, and `numbers`, the same, sorted."""
    numbers: np.ndarray
    order: np.ndarray
    """(train,) int64: the samples, sorted."""
    waiting: np.ndarray
    """(train,) int64: those that the epoch before has left to this one."""
    buckets: np.ndarray
    """(4 · train + 4,) int64: where each bucket of the sort ends."""
    before: np.ndarray
    """(P,): the weights before the step, for L1."""

    @classmethod
    def of(cls, values: int, units: int, row: int, samples: int, parameters: int) -> "Scratch":
        rows = (values, values, values, (1 + LEARNED) * values, values)
        padded, square = units + LANES, (1 + LANES) * LANES + units
        floats = (*rows, padded, values, row * LANES, square, parameters + LANES, values)
        integers = {"masks": limits.HIDDEN_LAYERS + 2, "drawn": samples, "numbers": samples}
        return cls(
            *(aligned(n, np.float32) for n in floats),
            **{name: aligned(n, UINT) for name, n in integers.items()},
            order=aligned(samples, INT),
            waiting=aligned(samples, INT),
            buckets=aligned(4 * samples + 4, INT),
            before=aligned(parameters, np.float32),
        )


def aligned(count: int, kind: type[np.generic]) -> np.ndarray:
    """Zeros, aligned for vectors, on cache lines of their own: cores slow each other on one line."""
    size = count * np.dtype(kind).itemsize
    memory = np.zeros(size + 2 * CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(kind)


class Points(NamedTuple):
    """Points to evaluate, n in all, a multiple of `BLOCK`, and what comes of it; all float32."""

    features: np.ndarray
    """(features · n,)"""
    target: np.ndarray
    """(targets · n,)"""
    loss: np.ndarray
    """(n,)"""
    prediction: np.ndarray
    """(targets · n,): the probability of class 1 of 2, the class of more, or the values of a regression."""
    confidence: np.ndarray
    """(n,): the score of that class, of more than two."""

    @classmethod
    def of(cls, features: np.ndarray, target: np.ndarray | None = None, count: int = 1) -> "Points":
        """For features (m, inputs) and targets (m,), or (m, count)."""
        m, inputs = features.shape
        n = -(-m // BLOCK) * BLOCK
        columns = aligned(inputs * n, np.float32)
        columns.reshape(inputs, n)[:, :m] = features.T
        targets, loss, prediction, confidence = (aligned(k * n, np.float32) for k in (count, 1, count, 1))
        if target is not None:
            targets.reshape(count, n)[:, :m] = target.reshape(m, count).T
        return cls(columns, targets, loss, prediction, confidence)


# --- Components: each in a loop of its own, chosen by its code -------------------------------------------


for function in COMPILABLE:
    register_jitable(function)


def choice(functions: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """choose(code, *args) calls the function at that index; it gets a code, too, which it may pass over.

    By quarters: each level of calls is optimised anew with all that is below it, so a chain would take long.
    """
    if len(functions) == 1:
        return part(functions[0])
    size = -(-len(functions) // 4)
    groups = [choice(functions[start : start + size]) for start in range(0, len(functions), size)]
    first, second, third, fourth = groups + groups[-1:] * (4 - len(groups))

    @part
    def choose(code, *args):
        if code < size:
            return first(code, *args)
        if code < 2 * size:
            return second(code - size, *args)
        if code < 3 * size:
            return third(code - 2 * size, *args)
        return fourth(code - 3 * size, *args)

    return choose


def activation_loop(activation: type[Activation], training: bool) -> Callable[..., Any]:
    formula, count, learned = (
        part(activation.compiled),
        len(field_names(activation)),
        len(activation.learned),
    )

    def activate(code, value, dz, slopes, start, stop, weights, first, plane, chosen):
        own = to_tuple(chosen.fields, count)
        for at in range(start, stop, LANES):
            y, derivative = formula(load(value, at), *own)
            store(value, at, y)
            if training:
                store(dz, at, derivative)

    def activate_learned(code, value, dz, slopes, start, stop, weights, first, plane, chosen):
        """The derivatives wait for `learned_grad`, since that by z takes the others away where it is 0."""
        own = load_learned(weights, first) + to_tuple(chosen.fields, count)
        for at in range(start, stop, LANES):
            results = formula(load(value, at), *own)
            store(value, at, results[0])
            if training:
                store(dz, at, 1.0)
                store_planes(slopes, at, plane, results[1:])

    store_planes, load_learned = plane_access(1 + learned), numbers(learned)
    return activate_learned if learned else activate


@cache
def numbers(count: int) -> Callable[..., Any]:
    """How so many neighbours are read as a tuple."""
    if count == 0:
        return part(lambda array, first: ())
    load_others, last = numbers(count - 1), count - 1
    return part(lambda array, first: load_others(array, first) + (array[first + last],))  # noqa: RUF005


@cache
def plane_access(planes: int) -> Callable[..., Any]:
    """How so many numbers are stored, one in each plane."""
    if planes == 0:
        return part(lambda array, at, size, values: None)
    store_others, last = plane_access(planes - 1), planes - 1

    @part
    def store_planes(array, at, size, values):
        store_others(array, at, size, values)
        store(array, at + last * size, values[last])

    return store_planes


@part
def target_of(target, at, across, unit, units):
    """Of 16 samples what one unit should give: a value, which stands `across` from that of the unit before;
    where that is 0, they are classes, and it is 1 for the own unit and 0 for the others."""
    if across > 0 or units == 1:
        return load(target, at + unit * across)
    return np.where(np.abs(load(target, at) - unit) < 0.5, 1.0, broadcast(0.0))


def loss_loop(loss: type[Loss]) -> Callable[..., Any]:
    formula, count = part(loss.compiled), len(field_names(loss))
    against_true = loss.against_true

    def loss_and_grad(
        code, value, dz, row, at, units, target, goal, across, scale, shift, sample_weight, chosen
    ):
        """The loss of 16 samples; the dz of the outputs become those of the loss, times `sample_weight`."""
        own = to_tuple(chosen.fields, count)
        loss, others = broadcast(0.0), broadcast(0.0)
        for unit in range(units):
            expected, place = target_of(target, goal, across, unit, units), at + unit * row
            own_loss, derivative = formula(load(value, place) * scale - shift, expected, units, *own)
            loss += own_loss
            if against_true:
                others += derivative
                derivative = np.where(expected > 0.5, 1.0, derivative)
            store(dz, place, load(dz, place) * derivative * sample_weight)
        if against_true:
            for unit in range(units):
                expected, place = target_of(target, goal, across, unit, units), at + unit * row
                store(dz, place, load(dz, place) * np.where(expected > 0.5, -others, 1.0))
        return loss

    return loss_and_grad


def predict_loop(loss: type[Loss]) -> Callable[..., Any]:
    formula, score_of, count = part(loss.compiled), part(loss.compiled_predict), len(field_names(loss))
    against_true = loss.against_true

    def predict(code, value, row, at, units, classes, points, goal, across, scale, shift, chosen):
        """Of 16 samples: the loss, and the confidence of the prediction, which is stored."""
        own = to_tuple(chosen.fields, count)
        loss, prediction, confidence = broadcast(0.0), broadcast(0.0), broadcast(-np.inf)
        for unit in range(units):
            output = load(value, at + unit * row) * scale - shift
            expected = target_of(points.target, goal, across, unit, units)
            loss += formula(output, expected, units, *own)[0]
            score = score_of(output + shift if against_true else output, *own)
            prediction, confidence = (
                np.where(score > confidence, unit, prediction),
                np.maximum(confidence, score),
            )
            if classes == 2:
                prediction = np.minimum(np.maximum(score, 0.0), 1.0)  # the last unit is class 1
            elif classes == 0:
                store(points.prediction, goal + unit * across, score)
        if classes > 0:
            store(points.prediction, goal, prediction)
        return loss, confidence

    return predict


def update_loop(optimizer: type[Optimizer]) -> Callable[..., Any]:
    formula, correct = part(optimizer.compiled), part(optimizer.compiled_correction)
    count = len(field_names(optimizer))
    load_slots, store_slots = slot_access(len(optimizer.slots))

    def update(code, weights, size, grad, slots, base, slot_stride, updates, more, most, scale, lr, coupled,
               decoupled, frozen, trained, chosen):  # fmt: skip
        """One step of every weight; `more` updates than counted so far, and gradients of a size of `most`
        at most, times `scale`."""
        own = to_tuple(chosen.fields, count)
        counted = np.minimum(load_one(updates, 0) + more, MOST_UPDATES)
        correction = correct(counted, *own)
        for at in range(0, size, LANES):
            used = below(size - at)
            t = np.minimum(load_part(updates, at, used) + more, MOST_UPDATES)
            if frozen:
                used = load_part(trained, at, used) > 0.5
                t = np.where(used, t, counted)
            if any_lane(t != counted):
                counted, correction = t, correct(t, *own)
            weight, past = load_part(weights, at, used), load_slots(slots, base + at, slot_stride, used)
            pull = load_part(grad, at, used)
            if most < np.inf:
                pull = clamp(pull, most)
            pull *= scale
            if coupled > 0.0:
                pull += coupled * weight
            delta, past = formula(weight, pull, past, correction, lr, *own)
            if decoupled > 0.0:
                delta -= lr * decoupled * weight
            store_part(weights, at, weight + delta, used)
            store_slots(slots, base + at, slot_stride, used, past)

    return update


@part
def clamp(numbers, most):
    return np.maximum(np.minimum(numbers, most), -most)


@cache
def slot_access(slots: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How so many slots, one every `slot_stride` numbers, are read as a tuple, and written."""
    if slots == 0:
        return part(lambda array, at, slot_stride, used: ()), part(
            lambda array, at, slot_stride, used, new: None
        )
    load_others, store_others = slot_access(slots - 1)
    last = slots - 1

    @part
    def load_slots(array, at, slot_stride, used):
        return load_others(array, at, slot_stride, used) + (load_part(array, at + last * slot_stride, used),)  # noqa: RUF005

    @part
    def store_slots(array, at, slot_stride, used, new):
        store_others(array, at, slot_stride, used, new)
        store_part(array, at + last * slot_stride, new[last], used)

    return load_slots, store_slots


activate = choice([activation_loop(activation, training=True) for activation in ACTIVATIONS])
activate_only = choice([activation_loop(activation, training=False) for activation in ACTIVATIONS])
loss_and_grad = choice([loss_loop(loss) for loss in LOSSES])
predict = choice([predict_loop(loss) for loss in LOSSES])
update = choice([update_loop(optimizer) for optimizer in OPTIMIZERS])
advance_stride = part(next_stride)


# --- Products --------------------------------------------------------------------------------------------


matmul_bias = products(begin="number")
input_grad = products(scaled=True)
gather_grad = products(begin="vector")
weight_grad = products()


# --- Forward ---------------------------------------------------------------------------------------------


@part
def forward(layers, dropouts, weights, buffers, scratch, row, batch, training):
    """From the values of the inputs to those of every unit; in training with dz, masks and statistics."""
    value, dz, slopes, plane = scratch.value, scratch.dz, scratch.slopes, plane_size(layers, row)
    if training:
        apply_dropout(dropouts[0], scratch.masks[0], value, dz, row, batch)
    for index in range(layers.size):
        layer = layers[index]
        start, stop = layer.unit * row, (layer.unit + layer.width) * row
        for s in range(0, row, LANES):
            vectors = layer.source * row + s
            matmul_bias(weights, layer.weight, 1, layer.width, value, vectors, row, layer.inputs,
                  layer.width, value, start + s, row, layer.bias)  # fmt: skip
        if layer.normalization == BATCH_NORM:
            batch_norm(layer, weights, buffers, scratch, row, batch, training)
        elif layer.normalization == LAYER_NORM:
            layer_norm(layer, index, weights, scratch, row)
        elif layer.normalization == RMS_NORM:
            rms_norm(layer, index, weights, scratch, row)
        chosen, first = layer.activation, layer.learned
        if training:
            activate(chosen.code, value, dz, slopes, start, stop, weights, first, plane, chosen)
            apply_dropout(dropouts[index + 1], scratch.masks[index + 1], value, dz, row, batch)
        else:
            activate_only(chosen.code, value, dz, slopes, start, stop, weights, first, plane, chosen)
        if layer.residual:
            back = start - layer.source * row
            for at in range(start, stop, LANES):
                store(value, at, load(value, at) + load(value, at - back))


@part
def plane_size(layers, row):
    """Numbers of one plane of `slopes`."""
    last = layers[layers.size - 1]
    return (last.unit + last.width) * row


@part
def batch_norm(layer, weights, buffers, scratch, row, batch, training):
    """Batch normalisation of the sums of each unit (Ioffe, Szegedy, 2015), of 16 units at a time."""
    value, x_hat, square = scratch.value, scratch.x_hat, scratch.square
    for unit in range(0, layer.width, LANES):
        first, units, used = layer.unit + unit, min(LANES, layer.width - unit), below(layer.width - unit)
        mean_at, var_at = layer.mean + unit, layer.var + unit
        mean, var = load_part(buffers, mean_at, used), load_part(buffers, var_at, used)
        if training and batch > 1:  # one sample has no spread of its own
            mean = sums_of_units(value, first * row, row, batch, units, square) / batch
            store(square, 0, mean)
            var = squares_of_units(value, first * row, row, batch, units, square) / batch
            old_mean, old_var = load_part(buffers, mean_at, used), load_part(buffers, var_at, used)
            store_part(buffers, mean_at, old_mean + MOMENTUM * (mean - old_mean), used)
            store_part(buffers, var_at, old_var + MOMENTUM * (var * (batch / (batch - 1)) - old_var), used)
        inverse = 1 / np.sqrt(var + BATCH_EPS)
        store(scratch.inverse, first, inverse)
        store(square, 0, mean)
        for own in range(units):
            at, mean_one = (first + own) * row, load_one(square, own)
            inverse_one = load_one(scratch.inverse, first + own)
            gamma, beta = (
                load_one(weights, layer.gamma + unit + own),
                load_one(weights, layer.beta + unit + own),
            )
            for s in range(at, at + row, LANES):
                off = (load(value, s) - mean_one) * inverse_one
                store(value, s, off * gamma + beta)
                store(x_hat, s, off)


@part
def sums_of_units(rows, at, row, batch, units, square):
    """The sums over the batch of up to 16 units, one in each lane."""
    for own in range(units):
        sums = broadcast(0.0)
        for s in range(0, row, LANES):
            sums += np.where(below(batch - s), load(rows, at + own * row + s), 0.0)
        store(square, (1 + own) * LANES, sums)
    return sums_of_rows(square, LANES, LANES)


@part
def squares_of_units(rows, at, row, batch, units, square):
    """Likewise of the squares of how far they are off the means, which begin `square`."""
    for own in range(units):
        squares, mean = broadcast(0.0), load_one(square, own)
        for s in range(0, row, LANES):
            off = np.where(below(batch - s), load(rows, at + own * row + s) - mean, 0.0)
            squares += off * off
        store(square, (1 + own) * LANES, squares)
    return sums_of_rows(square, LANES, LANES)


@part
def layer_norm(layer, index, weights, scratch, row):
    """Layer normalisation of the sums of each sample (Ba, Kiros, Hinton, 2016)."""
    value, x_hat, start = scratch.value, scratch.x_hat, layer.unit * row
    for s in range(start, start + row, LANES):
        sums, squares = broadcast(0.0), broadcast(0.0)
        for unit in range(layer.width):
            sums += load(value, s + unit * row)
        mean = sums / layer.width
        for unit in range(layer.width):
            off = load(value, s + unit * row) - mean
            squares += off * off
        inverse = 1 / np.sqrt(squares / layer.width + LAYER_EPS)
        store(scratch.inverses, index * row + s - start, inverse)
        for unit in range(layer.width):
            at = s + unit * row
            off = (load(value, at) - mean) * inverse
            store(x_hat, at, off)
            gamma, beta = load_one(weights, layer.gamma + unit), load_one(weights, layer.beta + unit)
            store(value, at, off * gamma + beta)


@part
def rms_norm(layer, index, weights, scratch, row):
    """RMS normalisation of the sums of each sample (Zhang, Sennrich, 2019)."""
    value, x_hat, start = scratch.value, scratch.x_hat, layer.unit * row
    for s in range(start, start + row, LANES):
        squares = broadcast(0.0)
        for unit in range(layer.width):
            squares += load(value, s + unit * row) * load(value, s + unit * row)
        inverse = 1 / np.sqrt(squares / layer.width + RMS_EPS)
        store(scratch.inverses, index * row + s - start, inverse)
        for unit in range(layer.width):
            at = s + unit * row
            scaled = load(value, at) * inverse
            store(x_hat, at, scaled)
            store(value, at, scaled * load_one(weights, layer.gamma + unit))


@part
def apply_dropout(dropout, key, value, dz, row, batch):
    """Dropout: number sample · width + unit decides on that unit of that sample."""
    if not dropout.on:
        return
    step = UINT(dropout.width) * NEXT
    for s in range(0, batch, LANES):
        start = key + UINT(s * dropout.width + 1) * NEXT
        for at in range(dropout.unit * row + s, (dropout.unit + dropout.width) * row, row):
            factor = np.where(kept(start, step, dropout.least), dropout.scale, broadcast(0.0))
            store(value, at, load(value, at) * factor)
            store(dz, at, load(dz, at) * factor)
            start += NEXT


# --- Backward --------------------------------------------------------------------------------------------


@inlined
def backward(layers, weights, grad, scratch, row, batch):
    """From the dz of the outputs to the gradient of every weight.

    On the usual way each layer finishes the dz of the one before it. Where more than one way leads on from a
    layer, or one past it, it `gathers`: what comes back adds up in `pull`, until all layers behind are done.
    """
    dz, pull, features = scratch.dz, scratch.pull, layers[0].inputs
    for index in range(layers.size):
        layer = layers[index]
        if layer.gathers:
            for at in range(layer.unit * row, (layer.unit + layer.width) * row, LANES):
                store(pull, at, 0.0)
    for index in range(layers.size - 1, -1, -1):
        layer = layers[index]
        if layer.gathers:
            gathered(layer, index, scratch, row)
        if layer.learned < layer.end:
            learned_grad(layer, grad, scratch, row, batch, plane_size(layers, row))
        if layer.normalization == BATCH_NORM:
            batch_norm_grad(layer, weights, grad, scratch, row, batch)
        elif layer.normalization == LAYER_NORM:
            layer_norm_grad(layer, index, weights, grad, scratch, row, batch, True)
        elif layer.normalization == RMS_NORM:
            layer_norm_grad(layer, index, weights, grad, scratch, row, batch, False)
        sum_grads(layer, grad, scratch, row, batch)
        if index > 0 and layers[index - 1].gathers:
            skipped = max(0, features - layer.source)  # nothing is to be learned before the features
            first, into = layer.weight + skipped * layer.width, (layer.source + skipped) * row
            for s in range(0, row, LANES):
                vectors = layer.unit * row + s
                gather_grad(weights, first, layer.width, 1, dz, vectors, row, layer.width,
                            layer.inputs - skipped, pull, into + s, row, 0)  # fmt: skip
        elif index > 0:
            for s in range(0, row, LANES):
                vectors = layer.unit * row + s
                input_grad(weights, layer.weight, layer.width, 1, dz, vectors, row, layer.width,
                          layer.inputs, dz, layer.source * row + s, row, 0)  # fmt: skip


@part
def sum_grads(layer, grad, scratch, row, batch):
    """The gradient of a layer's weights and biases, of 16 units at a time.

    A row of it may be no multiple of 16, and what is stored beyond its end is overwritten by the row that
    belongs there: so the last units come first, and what lies behind the biases is put back.
    """
    value, dz, transposed = scratch.value, scratch.dz, scratch.transposed
    end = layer.bias + layer.width
    behind = load(grad, end)
    for unit in range(padded(layer.width, LANES) - LANES, -1, -LANES):
        for s in range(0, row, LANES):
            transpose(dz, (layer.unit + unit) * row + s, row, transposed, s * LANES, LANES)
        weight_grad(value, layer.source * row, row, 1, transposed, 0, LANES, batch,
                    layer.inputs, grad, layer.weight + unit, layer.width, 0)  # fmt: skip
        biases = broadcast(0.0)
        if layer.normalization != BATCH_NORM or batch == 1:  # else the mean takes a bias away again
            biases = sum_of_vectors(transposed, batch)
        store(scratch.square, unit, biases)
    for unit in range(0, layer.width, LANES):
        store(grad, layer.bias + unit, load(scratch.square, unit))
    store(grad, end, behind)


@part
def sum_of_vectors(array, count):
    """The sum of so many vectors, in four chains."""
    first = second = third = fourth = broadcast(0.0)
    whole = count // 4 * 4
    for at in range(0, whole * LANES, 4 * LANES):
        first += load(array, at)
        second += load(array, at + LANES)
        third += load(array, at + 2 * LANES)
        fourth += load(array, at + 3 * LANES)
    for at in range(whole * LANES, count * LANES, LANES):
        first += load(array, at)
    return (first + second) + (third + fourth)


@part
def gathered(layer, index, scratch, row):
    """What came back to a layer makes its slopes its dz; a residual one also hands it on as it is."""
    dz, pull, start = scratch.dz, scratch.pull, layer.unit * row
    back = start - layer.source * row
    for at in range(start, start + layer.width * row, LANES):
        own = load(pull, at)
        store(dz, at, load(dz, at) * own)
        if layer.residual and index > 0:
            store(pull, at - back, load(pull, at - back) + own)


@part
def learned_grad(layer, grad, scratch, row, batch, plane):
    """Slopes by what a layer puts out become its dz; what its activation learns gets its gradient."""
    dz, slopes = scratch.dz, scratch.slopes
    for number in range(layer.end - layer.learned):
        own, total = (1 + number) * plane, broadcast(0.0)
        for unit in range(layer.width):
            at = (layer.unit + unit) * row
            for s in range(0, row, LANES):
                slope = load(dz, at + s) * load(slopes, own + at + s)
                total += np.where(below(batch - s), slope, 0.0)
        grad[layer.learned + number] = reduce_add(total)
    for at in range(layer.unit * row, (layer.unit + layer.width) * row, LANES):
        store(dz, at, load(dz, at) * load(slopes, at))


@part
def batch_norm_grad(layer, weights, grad, scratch, row, batch):
    """Slopes by the normalised sum become dz by the sum; gamma and beta get their gradients."""
    dz, x_hat, square = scratch.dz, scratch.x_hat, scratch.square
    common = 1 / batch if batch > 1 else 0.0  # mean and variance of one sample are not its own
    for unit in range(0, layer.width, LANES):
        first, units, used = layer.unit + unit, min(LANES, layer.width - unit), below(layer.width - unit)
        beta = sums_of_units(dz, first * row, row, batch, units, square)
        for own in range(units):
            at, stretch = (first + own) * row, broadcast(0.0)
            for s in range(0, row, LANES):
                derivative = np.where(below(batch - s), load(dz, at + s), 0.0)
                stretch += np.where(below(batch - s), derivative * load(x_hat, at + s), 0.0)
            store(square, (1 + own) * LANES, stretch)
        gamma = sums_of_rows(square, LANES, LANES)
        store_part(grad, layer.beta + unit, beta, used)
        store_part(grad, layer.gamma + unit, gamma, used)
        store(square, 0, beta * common)
        store(square, LANES, gamma * common)
        for own in range(units):
            at, shift, stretch = (first + own) * row, load_one(square, own), load_one(square, LANES + own)
            scale = load_one(weights, layer.gamma + unit + own) * load_one(scratch.inverse, first + own)
            for s in range(at, at + row, LANES):
                store(dz, s, (load(dz, s) - (shift + load(x_hat, s) * stretch)) * scale)


@part
def layer_norm_grad(layer, index, weights, grad, scratch, row, batch, centred):
    """Likewise for layer normalisation, and for RMS normalisation, which is not `centred`."""
    dz, x_hat, start = scratch.dz, scratch.x_hat, layer.unit * row
    for unit in range(layer.width):
        at, shift, stretch = start + unit * row, broadcast(0.0), broadcast(0.0)
        for s in range(0, row, LANES):
            derivative = np.where(below(batch - s), load(dz, at + s), 0.0)
            shift += derivative
            stretch += np.where(below(batch - s), derivative * load(x_hat, at + s), 0.0)
        grad[layer.gamma + unit] = reduce_add(stretch)
        if centred:
            grad[layer.beta + unit] = reduce_add(shift)
    for s in range(start, start + row, LANES):
        shift, stretch = broadcast(0.0), broadcast(0.0)
        for unit in range(layer.width):
            at = s + unit * row
            derivative = load(dz, at) * load_one(weights, layer.gamma + unit)
            shift += derivative
            stretch += derivative * load(x_hat, at)
        common = (shift if centred else broadcast(0.0)) / layer.width
        stretch = stretch / layer.width
        inverse = load(scratch.inverses, index * row + s - start)
        for unit in range(layer.width):
            at = s + unit * row
            derivative = load(dz, at) * load_one(weights, layer.gamma + unit)
            store(dz, at, (derivative - common - load(x_hat, at) * stretch) * inverse)


@part
def add_penalty(layers, weights, before, grad, l1, l2):
    """L1 and L2 pull at weights, not at biases. `before` takes the weights down, for `stop_at_zero`."""
    for index in range(layers.size):
        layer = layers[index]
        for at in range(layer.weight, layer.bias, LANES):
            used = below(layer.bias - at)
            weight = load_part(weights, at, used)
            store_part(before, at, weight, used)
            pull = l2 * weight + l1 * np.sign(weight)
            store_part(grad, at, load_part(grad, at, used) + pull, used)


@part
def clear_frozen(trained, grad, size):
    """What is frozen has no gradient, and none to be clipped."""
    for at in range(0, size, LANES):
        used = below(size - at)
        kept = np.where(load_part(trained, at, used) > 0.5, load_part(grad, at, used), 0.0)
        store_part(grad, at, kept, used)


@inlined
def bound_weights(net, weights, grad, pruned, scratch, lr):
    """After a step: what L1 does to weights that come to zero, and max-norm to those that are too long."""
    setting, before = net.setting[0], scratch.before
    if setting.prunes:
        prune(net.layers, weights, before, pruned, lr * setting.l1)
    elif setting.l1 > 0:
        stop_at_zero(net.layers, weights, before, grad, setting.l1)
    if setting.max_norm < np.inf:
        shorten(net, weights, setting.max_norm)


@part
def stop_at_zero(layers, weights, before, grad, l1):
    """With L1, weights stop at zero, and stay while the loss pulls no harder: see `gradient.Model`."""
    for index in range(layers.size):
        layer = layers[index]
        for at in range(layer.weight, layer.bias, LANES):
            used = below(layer.bias - at)
            weight, old = load_part(weights, at, used), load_part(before, at, used)
            held = np.where(np.abs(load_part(grad, at, used)) <= l1, 0.0, weight)
            kept = np.where(np.sign(old) * weight < 0.0, 0.0, weight)
            store_part(weights, at, np.where(np.abs(old) <= 0.0, held, kept), used)


@part
def prune(layers, weights, before, pruned, pull):
    """Weights that the pull of L1 takes past zero are gone for good: see `gradient.Model`."""
    for index in range(layers.size):
        layer = layers[index]
        for at in range(layer.weight, layer.bias, LANES):
            used = below(layer.bias - at)
            weight, old = load_part(weights, at, used), load_part(before, at, used)
            gone = load_part(pruned, at, used)
            without = weight + pull * np.sign(old)
            passes = np.where(np.sign(weight) * without < 0.0, 1.0, broadcast(0.0))
            left = np.where(passes > 0.0, 0.0, weight)
            store_part(weights, at, np.where(gone > 0.0, old, left), used)
            store_part(pruned, at, np.maximum(gone, passes), used)


@part
def shorten(net, weights, longest):
    """Max-norm: what comes into a unit is no longer than this, where it is not frozen."""
    for index in range(net.layers.size):
        layer = net.layers[index]
        for unit in range(0, layer.width, LANES):
            used, squares, first = below(layer.width - unit), broadcast(0.0), layer.weight + unit
            for source in range(layer.inputs):
                weight = load_part(weights, first + source * layer.width, used)
                squares += weight * weight
            norm = np.sqrt(squares)
            if not any_lane(norm > longest):
                continue
            scale = np.where(norm > longest, longest / norm, 1.0)
            for source in range(layer.inputs):
                at, free = first + source * layer.width, used
                if net.setting[0].frozen:
                    free = load_part(net.trained, at, used) > 0.5
                store_part(weights, at, load_part(weights, at, used) * scale, free)


# --- Training --------------------------------------------------------------------------------------------


@entry
def train(net, clock, rates, first, last, features, target, arrays, scratch, points, rows):
    """Trains networks `first` to `last` of a stack, a step for each row of `rates` (steps, R) or (steps, 1).

    `clock` (4,) int64 is step, epoch, cursor and stride, and moves on, up to an early stop; `features`
    (train, inputs), `target` (train, targets); `rows` (networks, points, …) gets the points of the history of
    the first networks, over all `points`. Returns how many, and whether all losses, and the state at the end,
    are finite.
    """
    step, epoch, cursor, stride = clock
    recorded, finite, memory, n = 0, True, pointers(scratch), points.loss.size
    for r in range(first, last):
        clock[0], clock[1], clock[2], clock[3] = step, epoch, cursor, stride
        count, whole = train_one(
            r, net, clock, rates, features, target, arrays, memory, pointers(points), n, rows
        )
        recorded, finite = max(recorded, count), finite and whole
    return recorded, finite


@once
def train_one(r, net, clock, rates, features, target, arrays, scratch, points, n, rows):
    setting, size, grad = net.setting[0], arrays.weights.shape[1], scratch.grad
    weights, buffers = pointer(arrays.weights[r]), pointer(arrays.buffers[r])
    slots, updates, pruned = pointer(arrays.slots), pointer(arrays.updates[r]), pointer(arrays.pruned[r])
    trained = pointer(net.trained)
    row = padded(min(setting.batch, setting.train) + setting.carried, LANES)
    whole = min(setting.batch, setting.train) if setting.carry else 1  # samples that an epoch goes on with
    step, epoch, cursor, stride = clock
    shuffled, recorded, taken, trouble = -1, 0, 0, broadcast(0.0)
    steps, own_rate = rates.shape[0], min(r, rates.shape[1] - 1)
    if arrays.waiting[OVER] > 0:
        steps = 0
    for done in range(1, steps + 1):
        if setting.train - cursor < whole:  # the data became fewer
            epoch, cursor = epoch + 1, 0
        waiting = order_samples(net, r, epoch, cursor, shuffled, scratch)
        shuffled, fresh = epoch, min(setting.batch, setting.train - cursor)
        batch = gather(net, features, target, scratch, cursor, row, waiting, fresh)
        disturb(net, r, step, scratch, row, batch)
        forward(net.layers, net.dropouts, weights, buffers, scratch, row, batch, True)
        trouble += output_grad(net, scratch, row, batch) * 0.0  # NaN from the first infinite loss on
        backward(net.layers, weights, grad, scratch, row, batch)
        if setting.l1 > 0 or setting.l2 > 0 or setting.prunes:
            add_penalty(net.layers, weights, scratch.before, grad, setting.l1, setting.l2)
        if setting.frozen:
            clear_frozen(trained, grad, size)
        scale = 1.0
        if setting.clip < np.inf:
            scale = min(1.0, setting.clip / (l2_norm(grad, 0, size, setting.clip_value) + 1e-6))
        chosen, slot_stride, lr = setting.optimizer, arrays.weights.size, rates[done - 1, own_rate]
        update(chosen.code, weights, size, grad, slots, r * size, slot_stride, updates, done,
               setting.clip_value, scale, lr, setting.coupled, setting.decoupled,
               setting.frozen, trained, chosen)  # fmt: skip
        bound_weights(net, weights, grad, pruned, scratch, lr)
        step, cursor, taken = step + 1, cursor + fresh, done
        if setting.train - cursor < whole:
            epoch, cursor = epoch + 1, 0
            if setting.patience > 0:
                look(net, arrays, scratch, points, n, step, epoch)
        if r < rows.shape[0] and step % stride == 0:
            evaluate(net, weights, buffers, scratch, points, n, 0)
            record(net, step, epoch + cursor / setting.train, grad, points, n, rows[r, recorded])
            recorded, stride = recorded + 1, advance_stride(step, max(stride, setting.stride))
        if arrays.waiting[OVER] > 0:
            break
    for weight in range(size):
        if taken > 0:
            arrays.grads[r, weight] = grad[weight]
        if not setting.frozen or net.trained[weight] > 0:
            updates[weight] = min(updates[weight] + taken, MOST_UPDATES)
    clock[0], clock[1], clock[2], clock[3] = step, epoch, cursor, stride
    sums = reduce_add(trouble) + sum_of(weights, 0, size) + sum_of(buffers, 0, arrays.buffers.shape[1])
    for slot in range(r * size, arrays.slots.size, arrays.weights.size):
        sums += sum_of(slots, slot, slot + size)
    return recorded, np.isfinite(sums)


@inlined
def disturb(net, r, step, scratch, row, batch):
    """Noise on the inputs of the mini-batch, and what the masks of its dropouts are made of."""
    if net.setting[0].noise > 0:
        add_noise(net, mix(net.streams[r, 1] + UINT(step) * NEXT), scratch, row, batch)
    for place in range(net.dropouts.size):
        scratch.masks[place] = mix(net.streams[r, 2 + place] + UINT(step) * NEXT)


@inlined
def gather(net, features, target, scratch, cursor, row, waiting, fresh):
    """The mini-batch: the samples that have waited, and then those that follow in their order."""
    value, targets, order = scratch.value, scratch.targets, scratch.order
    for s in range(waiting + fresh):
        sample = scratch.waiting[s] if s < waiting else order[cursor + s - waiting]
        for number in range(target.shape[1]):
            targets[number * row + s] = target[sample, number]
        for feature in range(net.layers[0].inputs):
            value[feature * row + s] = features[sample, feature]
    return waiting + fresh


@part
def add_noise(net, key, scratch, row, batch):
    """Input noise: number sample · inputs + feature decides how far that feature of that sample is off."""
    value, tails = scratch.value, scratch.x_hat  # the inputs have no x_hat
    inputs, last = net.layers[0].inputs, UINT(2**52 - 1)
    for feature in range(inputs):
        at = feature * row
        for s in range(batch):
            drawn = mix(key + UINT(s * inputs + feature + 1) * NEXT) >> UINT(12)
            below_half = drawn < UINT(2**51)
            tail = (REAL(drawn if below_half else last - drawn) + 0.5) * 2.0**-52
            tails[at + s] = -tail if below_half else tail
        for s in range(0, row, LANES):
            off = inverse_normal(np.where(below(batch - s), load(tails, at + s), 0.5))
            store(value, at + s, load(value, at + s) + net.setting[0].noise * off)


@inlined
def output_grad(net, scratch, row, batch):
    """The sum of the losses, in lanes; the dz of the outputs become those of the mean loss."""
    setting, value, units = net.setting[0], scratch.value, net.layers[-1].width
    outputs, chosen = net.layers[-1].unit * row, setting.loss
    loss, across = broadcast(0.0), row if setting.targets > 1 else 0
    for s in range(0, row, LANES):
        used, at = below(batch - s), outputs + s
        scale, shift = scale_and_shift(setting, value, row, at, units, scratch.targets, s)
        share = 1 / (batch if setting.temperature > 0 else batch * units)
        own_weight = class_weight(setting, load(scratch.targets, s))
        sample_weight = np.where(used, share, broadcast(0.0)) * own_weight
        own_loss = loss_and_grad(
            chosen.code,
            value,
            scratch.dz,
            row,
            at,
            units,
            scratch.targets,
            s,
            across,
            scale,
            shift,
            sample_weight,
            chosen,
        )
        loss += np.where(used, own_loss, 0.0)
    return loss


@part
def class_weight(setting, targets):
    """Of 16 samples."""
    weight = broadcast(1.0)
    if setting.weighted:
        for index in range(setting.classes):
            weight = np.where(np.abs(targets - index) < 0.5, setting.class_weights[index], weight)
    return weight


@part
def scale_and_shift(setting, value, row, at, units, targets, goal):
    """The loss sees the outputs of 16 samples times the one, less the other."""
    if setting.temperature > 0:
        scale = 1 / setting.temperature
        return scale, logsumexp(value, row, at, units, scale)
    shift = broadcast(0.0)
    if setting.against_true:
        for unit in range(units):
            is_true = target_of(targets, goal, 0, unit, units) > 0.5
            shift = np.where(is_true, load(value, at + unit * row), shift)
    return 1.0, shift


@part
def logsumexp(value, row, at, units, scale):
    """log(sum(exp(output · scale))) over the units, of 16 samples."""
    top = load(value, at)
    for unit in range(1, units):
        top = np.maximum(top, load(value, at + unit * row))
    sums = broadcast(0.0)
    for unit in range(units):
        sums += np.exp((load(value, at + unit * row) - top) * scale)
    return top * scale + np.log(sums)


@inlined
def order_samples(net, r, epoch, cursor, shuffled, scratch):
    """Puts the samples in the order of the epoch, where they are in that of `shuffled`. Returns how many of
    the one before have waited for this mini-batch."""
    setting = net.setting[0]
    waiting = setting.carried if cursor == 0 and epoch > 0 else 0
    if waiting > 0:
        if shuffled != epoch - 1:
            order_epoch(net, r, epoch - 1, scratch)
        for s in range(waiting):
            scratch.waiting[s] = scratch.order[setting.train - waiting + s]
    if shuffled != epoch:
        order_epoch(net, r, epoch, scratch)
    return waiting


@part
def order_epoch(net, r, epoch, scratch):
    setting = net.setting[0]
    shuffle(setting.shuffle, mix(net.streams[r, 0] + UINT(epoch) * NEXT), setting.train, scratch)


@part
def shuffle(mixed, key, n, scratch):
    """The samples in the order of their random numbers, or as they are.

    One pass puts them into n buckets or more by their first bits; then hardly any is far from its place.
    """
    drawn, numbers, order, buckets = scratch.drawn, scratch.numbers, scratch.order, scratch.buckets
    if not mixed:
        for sample in range(n):
            order[sample] = sample
        return
    bits = 1
    while 1 << bits < n:
        bits += 1
    rest = UINT(64 - bits)
    for bucket in range((1 << bits) + 1):
        buckets[bucket] = 0
    for sample in range(n):
        drawn[sample] = mix(key + UINT(sample + 1) * NEXT) ^ SIGN  # as unsigned, in the order of signed ones
    for sample in range(n):
        buckets[(drawn[sample] >> rest) + UINT(1)] += 1
    for bucket in range(1 << bits):
        buckets[bucket + 1] += buckets[bucket]
    for sample in range(n):
        place = buckets[drawn[sample] >> rest]
        numbers[place], order[place] = drawn[sample], sample
        buckets[drawn[sample] >> rest] += 1
    for i in range(1, n):
        latest, sample, place = numbers[i], order[i], i
        while place > 0 and numbers[place - 1] > latest:
            numbers[place], order[place] = numbers[place - 1], order[place - 1]
            place -= 1
        numbers[place], order[place] = latest, sample


@part
def mix(x):
    """SplitMix64, as in `randomness`."""
    x = (x ^ (x >> UINT(30))) * MIX_FIRST
    x = (x ^ (x >> UINT(27))) * MIX_SECOND
    return x ^ (x >> UINT(31))


@part
def sum_of(array, start, stop):
    sums = broadcast(0.0)
    for at in range(start, stop, LANES):
        sums += load_part(array, at, below(stop - at))
    return reduce_add(sums)


@part
def l2_norm(array, start, stop, most):
    """Of the numbers when each is cut to `most`."""
    squares = broadcast(0.0)
    for at in range(start, stop, LANES):
        numbers = load_part(array, at, below(stop - at))
        if most < np.inf:
            numbers = clamp(numbers, most)
        squares += numbers * numbers
    return np.sqrt(reduce_add(squares))


@part
def padded(count, block):
    return (count + block - 1) // block * block


# --- Looking ---------------------------------------------------------------------------------------------


@once
def look(net, arrays, scratch, points, n, step, epoch):
    """Early stopping looks at the test loss of the only network after an epoch, see `EarlyStopping.look`."""
    setting, waiting, weights, buffers = net.setting[0], arrays.waiting, arrays.weights[0], arrays.buffers[0]
    first = setting.train // BLOCK * BLOCK
    evaluate(net, pointer(weights), pointer(buffers), scratch, points, n, first)
    loss = sum_of(points.loss, setting.train, setting.train + setting.test) / setting.test
    if loss < waiting[LOSS] - setting.min_delta:
        waiting[LOSS], waiting[STEP], waiting[EPOCH], waiting[WAITED] = loss, step, epoch, 0
        for weight in range(weights.size):
            arrays.best_weights[weight] = weights[weight]
        for number in range(buffers.size):
            arrays.best_buffers[number] = buffers[number]
    elif waiting[LOSS] < np.inf:
        waiting[WAITED] += 1
        waiting[OVER] = waiting[WAITED] >= setting.patience


@part
def evaluate(net, weights, buffers, scratch, points, n, first):
    """Evaluates one network at every point from `first` on, a multiple of `BLOCK`."""
    setting, value, units = net.setting[0], scratch.value, net.layers[-1].width
    outputs, chosen = net.layers[-1].unit * BLOCK, setting.loss
    across = n if setting.targets > 1 else 0
    for start in range(first, n, BLOCK):
        load_features(points, n, scratch, net.layers[0].inputs, start)
        forward(net.layers, net.dropouts, weights, buffers, scratch, BLOCK, BLOCK, False)
        for s in range(0, BLOCK, LANES):
            goal, at = start + s, outputs + s
            scale, shift = scale_and_shift(setting, value, BLOCK, at, units, points.target, goal)
            loss, confidence = predict(
                chosen.code,
                value,
                BLOCK,
                at,
                units,
                setting.classes,
                points,
                goal,
                across,
                scale,
                shift,
                chosen,
            )
            loss = loss if setting.temperature > 0 else loss / units
            store(points.loss, goal, loss * class_weight(setting, load(points.target, goal)))
            store(points.confidence, goal, confidence)


@part
def load_features(points, n, scratch, inputs, start):
    """The inputs of `BLOCK` points."""
    for feature in range(inputs):
        for s in range(0, BLOCK, LANES):
            at = feature * n + start + s
            store(scratch.value, feature * BLOCK + s, load(points.features, at))


@part
def record(net, step, epochs, grad, points, n, row):
    """A row of the history, after a evaluate of the training data and the test data."""
    setting = net.setting[0]
    row[0], row[1] = step, epochs
    starts, counts = (0, setting.train), (setting.train, setting.test)
    for side in range(2):
        losses, errors, squares = broadcast(0.0), broadcast(0.0), broadcast(0.0)
        for s in range(0, counts[side], LANES):
            used, at = below(counts[side] - s), starts[side] + s
            losses += load_part(points.loss, at, used)
            for number in range(setting.targets):
                place = number * n + at
                prediction = load_part(points.prediction, place, used)
                if setting.classes == 2:
                    prediction = np.where(prediction > 0.5, 1.0, broadcast(0.0))
                error = np.where(used, np.abs(prediction - load_part(points.target, place, used)), 0.0)
                errors += np.minimum(error, 1.0) if setting.classes > 0 else error
                squares += error * error
        first = 2 + 3 * side
        row[first], row[first + 1], row[first + 2] = (
            reduce_add(losses),
            reduce_add(errors) / setting.targets,
            reduce_add(squares) / setting.targets,
        )
    for index in range(net.layers.size):
        row[ROW + index] = l2_norm(grad, net.layers[index].weight, net.layers[index].end, np.inf)


@entry
def evaluate_points(net, weights, buffers, scratch, points):
    """`evaluate`, for Python."""
    places, n = pointers(points), points.loss.size
    evaluate(net, pointer(weights), pointer(buffers), pointers(scratch), places, n, 0)


@entry
def unit_values(net, weights, buffers, scratch, points, units, values):
    """What these units put out at every point: `values` (units · n,)."""
    inputs, n, memory, places = net.layers[0].inputs, points.loss.size, pointers(scratch), pointers(points)
    for start in range(0, n, BLOCK):
        load_features(places, n, memory, inputs, start)
        forward(net.layers, net.dropouts, pointer(weights), pointer(buffers), memory, BLOCK, BLOCK, False)
        for place in range(units.size):
            for s in range(0, BLOCK, LANES):
                value = load(memory.value, (inputs + units[place]) * BLOCK + s)
                store(values, place * n + start + s, value)


ENTRIES = (train, evaluate_points, unit_values)
"""What Python calls."""
