"""The fused kernel: stretches of training as one piece of machine code, for every network of the catalogue.

PyTorch spends microseconds on each operation, many times what the arithmetic of a small network costs. Here
one call trains any number of steps and allocates nothing. It is compiled once for all networks: shapes and
components are data, and a component is chosen once for a layer, never inside a loop over numbers.

**Layout.** The samples of a mini-batch are the innermost axis, padded to a `row` that is a multiple of 16
(`LANES`). Units count from the inputs on, layer by layer, and unit u has its row [u · row, u · row + row) in

    value    what the unit puts out
    slope    how that changes with its sum; on the way back, it becomes how the loss changes with the sum
    normal   its sum, normalised (batch normalisation only)

So one weight is one multiply-add for 16 samples, at any width of a layer, and weights need no padding. What
is in a row beyond the batch is calculated along, and left out wherever samples are summed.

**One product.** A network is three products: the sums of a layer (weights by values), the slopes of the layer
before (weights by slopes), and the gradient (values by slopes). All three are `products`: eight sums at a
time, in registers, so that a vector that is loaded once serves eight multiply-adds. Only for the gradient are
the vectors units, not samples: `turned` holds the slopes of one layer with its units innermost. So nothing is
ever summed across the lanes of a register.

**State.** Weights and the rest are the flat tensors of `State`; a `LAYER` says where its parameters begin.
The order of samples and the masks of dropout are those of `randomness`, number for number.

Functions that numba compiles have no annotations: it finds out the types by itself.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit
from numba.core import config
from numba.np.unsafe import ndarray

from backend import compiling, limits
from backend.catalogue.activations import Activation
from backend.catalogue.component import Component, members
from backend.catalogue.losses import Loss
from backend.catalogue.optimizers import Optimizer
from backend.lanes import (
    LANES,
    any_of,
    below,
    least,
    load,
    load_one,
    load_part,
    most,
    spread,
    store,
    store_bytes,
    store_part,
    total,
    transpose,
)
from backend.network import BATCHNORM_EPS, BATCHNORM_MOMENTUM, MOST_UPDATES, thinned
from backend.randomness import GAMMA, MIX_1, MIX_2

config.CACHE_DIR = str(compiling.folder())  # pyright: ignore[reportAttributeAccessIssue]
part: Any = partial(cast(Any, njit), error_model="numpy", _nrt=False)
"""Compiles a function of the kernel. Without `_nrt`, numba's counting of references, nothing can allocate."""
inlined: Any = partial(part, forceinline=True)
"""Likewise, into those that call it: for small networks, a call costs as much as the work."""
entry: Any = partial(part, cache=True, nogil=True)
"""Compiles one that Python calls."""

to_tuple: Any = ndarray.to_fixed_tuple

FIELDS = 8
"""Numbers that a component may have as its fields."""
BLOCK = 128
"""Points that are evaluated together."""
ROW = 8
"""Numbers of a row of the history before the gradient norms, see `Trainer._sample`."""

CACHE_LINE = 128
"""Bytes; 64 on most processors, which fetch them in pairs."""

INT, UINT, REAL = np.int64, np.uint64, np.float64
STEP, MIX_FIRST, MIX_SECOND = (UINT(number % 2**64) for number in (GAMMA, MIX_1, MIX_2))
SIGN = UINT(2**63)

COMPONENT = np.dtype([("code", INT), ("fields", REAL, (FIELDS,))])
LAYER = np.dtype(
    [
        *((name, INT) for name in ("inputs", "width", "batchnorm")),
        *((name, INT) for name in ("source", "unit")),  # first unit of its inputs, and of its own
        *((name, INT) for name in ("weight", "bias", "gamma", "beta", "end")),  # in the flat weights
        *((name, INT) for name in ("mean", "var")),  # in the flat buffers
        ("activation", COMPONENT),
    ]
)
DROPOUT = np.dtype([("on", INT), ("unit", INT), ("width", INT), ("least", UINT), ("scale", np.float32)])
"""`least`: the first of 2**52 equally likely numbers that keeps a unit."""
SETTING = np.dtype(
    [
        *((name, INT) for name in ("batch", "train", "test", "classes", "stride", "softmax", "shuffle")),
        *((name, REAL) for name in ("l1", "l2", "clip")),
        ("loss", COMPONENT),
        ("optimizer", COMPONENT),
    ]
)
"""`classes` is 0 for a regression; `stride` the least number of steps between two points of the history."""


class Net(NamedTuple):
    """What is trained, and how."""

    setting: np.ndarray
    """(1,) SETTING"""
    layers: np.ndarray
    """(layers,) LAYER"""
    dropouts: np.ndarray
    """(layers + 1,) DROPOUT: of the inputs, then of each layer."""
    streams: np.ndarray
    """(R, layers + 2) uint64: what the numbers for shuffling and for each dropout are made of."""


class Stack(NamedTuple):
    """The state of R networks, all float32."""

    weights: np.ndarray
    """(R, P)"""
    buffers: np.ndarray
    """(R, B)"""
    slots: np.ndarray
    """(slots · R · P,)"""
    updates: np.ndarray
    """(R, P)"""
    grads: np.ndarray
    """(R, P): the gradients of the last step."""


class Scratch(NamedTuple):
    """What is calculated in. Nothing in it outlives a call."""

    value: np.ndarray
    """(units, row)"""
    slope: np.ndarray
    normal: np.ndarray
    inverse: np.ndarray
    """(units,): 1 / standard deviation in the batch."""
    turned: np.ndarray
    """(row, width), the width padded to lanes."""
    goals: np.ndarray
    """(row,): the targets of the batch."""
    masks: np.ndarray
    """(layers + 1,) uint64: what the masks of one step are made of."""
    drawn: np.ndarray
    """(train,) uint64 that the samples are sorted by, and `numbers`, the same, sorted."""
    numbers: np.ndarray
    order: np.ndarray
    """(train,) int64: the samples, sorted."""
    buckets: np.ndarray
    """(4 · train + 4,) int64: where each bucket of the sort ends."""

    @classmethod
    def of(cls, values: int, units: int, turned: int, samples: int) -> "Scratch":
        floats = (values, values, values, units, turned, values)
        integers = {"masks": limits.HIDDEN_LAYERS + 2, "drawn": samples, "numbers": samples}
        return cls(
            *(aligned(n, np.float32) for n in floats),
            **{name: aligned(n, UINT) for name, n in integers.items()},
            order=aligned(samples, INT),
            buckets=aligned(4 * samples + 4, INT),
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
    """(n,)"""
    loss: np.ndarray
    """(n,)"""
    shown: np.ndarray
    """(n,): the probability of class 1 of 2, the class of more, or the value of a regression."""
    sure: np.ndarray
    """(n,): the score of that class, of more than two."""

    @classmethod
    def of(cls, features: np.ndarray, target: np.ndarray | None = None) -> "Points":
        """For features (m, inputs) and targets (m,)."""
        m, inputs = features.shape
        n = -(-m // BLOCK) * BLOCK
        columns = aligned(inputs * n, np.float32)
        columns.reshape(inputs, n)[:, :m] = features.T
        goals, *results = (aligned(n, np.float32) for _ in range(4))
        if target is not None:
            goals[:m] = target
        return cls(columns, goals, *results)


# --- Components: each in a loop of its own, chosen by its code -------------------------------------------


def fusible(family: type[Component]) -> tuple[type[Any], ...]:
    """The members of a family that have fused maths. The code of one is its index."""
    return tuple(cls for cls in members(family) if cls.is_fused())


def field_names(component: type[Component]) -> list[str]:
    return [name for name in component.model_fields if name != "kind"]


def choice(functions: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """choose(code, *args) calls the function at that index."""
    first, others = part(functions[0]), functions[1:]
    if not others:
        return part(lambda code, *args: first(*args))
    rest = choice(others)

    @part
    def choose(code, *args):
        if code == 0:
            return first(*args)
        return rest(code - 1, *args)

    return choose


def activation_loop(activation: type[Activation], training: bool) -> Callable[..., Any]:
    formula, count = part(activation.fused), len(field_names(activation))

    def activate(value, slope, start, stop, fields):
        own = to_tuple(fields, count)
        for at in range(start, stop, LANES):
            y, rise = formula(load(value, at), *own)
            store(value, at, y)
            if training:
                store(slope, at, rise)

    return activate


@part
def goal_of(target, unit, units):
    """A value for one unit; of a class, 1 for its own unit and 0 for the others."""
    return target if units == 1 else np.where(np.abs(target - unit) < 0.5, 1.0, spread(0.0))


def loss_loop(loss: type[Loss]) -> Callable[..., Any]:
    formula, count = part(loss.fused), len(field_names(loss))

    def charge(value, slope, row, at, units, target, shift, share, fields):
        """The loss of 16 samples; the slopes of the outputs become those of the loss, times `share`."""
        own = to_tuple(fields, count)
        loss = spread(0.0)
        for unit in range(units):
            goal = goal_of(target, unit, units)
            charged, rise = formula(load(value, at + unit * row) - shift, goal, *own)
            loss += charged
            store(slope, at + unit * row, load(slope, at + unit * row) * rise * share)
        return loss

    return charge


def verdict_loop(loss: type[Loss]) -> Callable[..., Any]:
    formula, predict, count = part(loss.fused), part(loss.fused_predict), len(field_names(loss))

    def judge(value, row, at, units, classes, target, shift, fields):
        """Of 16 samples: the loss, what is shown, how sure."""
        own = to_tuple(fields, count)
        loss, shown, sure = spread(0.0), spread(0.0), spread(-np.inf)
        for unit in range(units):
            output = load(value, at + unit * row) - shift
            goal = goal_of(target, unit, units)
            loss += formula(output, goal, *own)[0]
            score = predict(output)
            shown, sure = np.where(score > sure, unit, shown), np.maximum(sure, score)
            if classes == 2:
                shown = np.minimum(np.maximum(score, 0.0), 1.0)  # the last unit is class 1
            elif classes == 0:
                shown = score
        return loss, shown, sure

    return judge


def update_loop(optimizer: type[Optimizer]) -> Callable[..., Any]:
    formula, shares, count = part(optimizer.fused), part(optimizer.fused_shares), len(field_names(optimizer))
    recall, remember = memory(optimizer.slots)

    def update(weights, grad, slots, base, apart, updates, more, scale, fields):
        """One step of every weight; `more` updates than counted so far, and gradients times `scale`."""
        own = to_tuple(fields, count)
        known = np.minimum(load_one(updates, 0) + more, MOST_UPDATES)
        share = shares(known, *own)
        for at in range(0, weights.size, LANES):
            used = below(weights.size - at)
            t = np.minimum(load_part(updates, at, used) + more, MOST_UPDATES)
            if any_of(t != known):
                known, share = t, shares(t, *own)
            weight, past = load_part(weights, at, used), recall(slots, base + at, apart, used)
            delta, past = formula(weight, load_part(grad, at, used) * scale, past, share, *own)
            store_part(weights, at, weight + delta, used)
            remember(slots, base + at, apart, used, past)

    return update


def memory(slots: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How so many slots, `apart` from one another, are read as a tuple, and written."""
    if slots == 0:
        return part(lambda array, at, apart, used: ()), part(lambda array, at, apart, used, new: None)
    recall_others, remember_others = memory(slots - 1)
    last = slots - 1

    @part
    def recall(array, at, apart, used):
        return recall_others(array, at, apart, used) + (load_part(array, at + last * apart, used),)  # noqa: RUF005

    @part
    def remember(array, at, apart, used, new):
        remember_others(array, at, apart, used, new)
        store_part(array, at + last * apart, new[last], used)

    return recall, remember


ACTIVATIONS, LOSSES, OPTIMIZERS = fusible(Activation), fusible(Loss), fusible(Optimizer)
activate = choice([activation_loop(activation, training=True) for activation in ACTIVATIONS])
activate_only = choice([activation_loop(activation, training=False) for activation in ACTIVATIONS])
charge = choice([loss_loop(loss) for loss in LOSSES])
judge = choice([verdict_loop(loss) for loss in LOSSES])
update = choice([update_loop(optimizer) for optimizer in OPTIMIZERS])
next_stride = part(thinned)


# --- Products --------------------------------------------------------------------------------------------


def products(finish: Callable[..., Any]) -> Callable[..., Any]:
    """For each i < sums, the sum over c < count of a[at + i · across + c · along] · v[lane + c · stride].

    v is read in lanes. `finish` gets each sum, and puts it where `out`, `place` and `apart` say.
    """
    finish = part(finish)

    @inlined
    def multiply(a, at, across, along, v, lane, stride, count, sums, out, place, apart, extra):
        i = 0
        while i + 8 <= sums:
            sum0 = sum1 = sum2 = sum3 = sum4 = sum5 = sum6 = sum7 = spread(0.0)
            first = at + i * across
            for c in range(count):
                vector = load(v, lane + c * stride)
                sum0 += load_one(a, first) * vector
                sum1 += load_one(a, first + across) * vector
                sum2 += load_one(a, first + 2 * across) * vector
                sum3 += load_one(a, first + 3 * across) * vector
                sum4 += load_one(a, first + 4 * across) * vector
                sum5 += load_one(a, first + 5 * across) * vector
                sum6 += load_one(a, first + 6 * across) * vector
                sum7 += load_one(a, first + 7 * across) * vector
                first += along
            finish(out, place + i * apart, sum0, a, extra, i)
            finish(out, place + (i + 1) * apart, sum1, a, extra, i + 1)
            finish(out, place + (i + 2) * apart, sum2, a, extra, i + 2)
            finish(out, place + (i + 3) * apart, sum3, a, extra, i + 3)
            finish(out, place + (i + 4) * apart, sum4, a, extra, i + 4)
            finish(out, place + (i + 5) * apart, sum5, a, extra, i + 5)
            finish(out, place + (i + 6) * apart, sum6, a, extra, i + 6)
            finish(out, place + (i + 7) * apart, sum7, a, extra, i + 7)
            i += 8
        while i < sums:
            sum0 = spread(0.0)
            for c in range(count):
                sum0 += load_one(a, at + i * across + c * along) * load(v, lane + c * stride)
            finish(out, place + i * apart, sum0, a, extra, i)
            i += 1

    return multiply


weigh = products(lambda out, at, product, a, bias, i: store(out, at, product + load_one(a, bias + i)))
pass_back = products(lambda out, at, product, a, none, i: store(out, at, product * load(out, at)))
collect = products(lambda out, at, product, a, used, i: store_part(out, at, product, used))


# --- Forward ---------------------------------------------------------------------------------------------


@part
def forward(net, weights, buffers, scratch, row, batch, training):
    """From the values of the inputs to those of every unit; in training with slopes, masks and statistics."""
    value, slope = scratch.value, scratch.slope
    if training:
        drop(net.dropouts[0], scratch.masks[0], value, slope, row, batch)
    for index in range(net.layers.size):
        layer = net.layers[index]
        start, stop = layer.unit * row, (layer.unit + layer.width) * row
        for s in range(0, row, LANES):
            vectors = layer.source * row + s
            weigh(weights, layer.weight, 1, layer.width, value, vectors, row, layer.inputs,
                  layer.width, value, start + s, row, layer.bias)  # fmt: skip
        if layer.batchnorm:
            for unit in range(layer.width):
                normalise(layer, unit, weights, buffers, scratch, row, batch, training)
        chosen = layer.activation
        if training:
            activate(chosen.code, value, slope, start, stop, chosen.fields)
            drop(net.dropouts[index + 1], scratch.masks[index + 1], value, slope, row, batch)
        else:
            activate_only(chosen.code, value, slope, start, stop, chosen.fields)


@part
def normalise(layer, unit, weights, buffers, scratch, row, batch, training):
    """Batch normalisation of the sums of one unit (Ioffe, Szegedy, 2015)."""
    value, normal = scratch.value, scratch.normal
    at = (layer.unit + unit) * row
    mean, var = buffers[layer.mean + unit], buffers[layer.var + unit]
    if training and batch > 1:  # one sample has no spread of its own
        sums, squares = spread(0.0), spread(0.0)
        for s in range(0, row, LANES):
            sums += np.where(below(batch - s), load(value, at + s), 0.0)
        mean = total(sums) / np.float32(batch)
        for s in range(0, row, LANES):
            off = np.where(below(batch - s), load(value, at + s) - mean, 0.0)
            squares += off * off
        var = total(squares) / np.float32(batch)
        unbiased = var * np.float32(batch / (batch - 1))
        buffers[layer.mean + unit] += BATCHNORM_MOMENTUM * (mean - buffers[layer.mean + unit])
        buffers[layer.var + unit] += BATCHNORM_MOMENTUM * (unbiased - buffers[layer.var + unit])
    inverse = np.float32(1 / np.sqrt(var + BATCHNORM_EPS))
    gamma, beta = weights[layer.gamma + unit], weights[layer.beta + unit]
    for s in range(0, row, LANES):
        off = (load(value, at + s) - mean) * inverse
        store(value, at + s, off * gamma + beta)
        store(normal, at + s, off)
    scratch.inverse[layer.unit + unit] = inverse


@part
def drop(dropout, key, value, slope, row, batch):
    """Dropout: number sample · width + unit decides on that unit of that sample."""
    if not dropout.on:
        return
    for unit in range(dropout.width):
        at = (dropout.unit + unit) * row
        for s in range(batch):
            drawn = mix(key + UINT(s * dropout.width + unit + 1) * STEP) >> UINT(12)
            factor = dropout.scale if drawn >= dropout.least else np.float32(0)
            value[at + s] *= factor
            slope[at + s] *= factor


# --- Backward --------------------------------------------------------------------------------------------


@part
def backward(net, weights, grad, scratch, row, batch):
    """From the slopes of the outputs to the gradient of every weight."""
    value, slope, turned = scratch.value, scratch.slope, scratch.turned
    for index in range(net.layers.size - 1, -1, -1):
        layer = net.layers[index]
        if layer.batchnorm:
            for unit in range(layer.width):
                unnormalise(layer, unit, weights, grad, scratch, row, batch)
        width = padded(layer.width, LANES)
        for unit in range(0, layer.width, LANES):
            for s in range(0, row, LANES):
                transpose(slope, (layer.unit + unit) * row + s, row, turned, s * width + unit, width)
            used, biases = below(layer.width - unit), spread(0.0)
            for s in range(batch):
                biases += load(turned, s * width + unit)
            idle = layer.batchnorm and batch > 1  # the mean takes a bias away again
            store_part(grad, layer.bias + unit, spread(0.0) if idle else biases, used)
            collect(value, layer.source * row, row, 1, turned, unit, width, batch,
                    layer.inputs, grad, layer.weight + unit, layer.width, used)  # fmt: skip
        if index > 0:
            for s in range(0, row, LANES):
                vectors = layer.unit * row + s
                pass_back(weights, layer.weight, layer.width, 1, slope, vectors, row, layer.width,
                          layer.inputs, slope, layer.source * row + s, row, 0)  # fmt: skip


@part
def unnormalise(layer, unit, weights, grad, scratch, row, batch):
    """Slopes by the normalised sum become slopes by the sum; gamma and beta get their gradients."""
    slope, normal = scratch.slope, scratch.normal
    at = (layer.unit + unit) * row
    shift, stretch = spread(0.0), spread(0.0)
    for s in range(0, row, LANES):
        rise = np.where(below(batch - s), load(slope, at + s), 0.0)
        shift += rise
        stretch += np.where(below(batch - s), rise * load(normal, at + s), 0.0)
    beta, gamma = total(shift), total(stretch)
    grad[layer.beta + unit], grad[layer.gamma + unit] = beta, gamma
    scale = weights[layer.gamma + unit] * scratch.inverse[layer.unit + unit]
    common = 1 / batch if batch > 1 else 0.0  # mean and variance of one sample are not its own
    for s in range(0, row, LANES):
        own = load(slope, at + s) - common * (beta + load(normal, at + s) * gamma)
        store(slope, at + s, own * scale)


@part
def penalise(layers, weights, grad, l1, l2):
    """L1 and L2 pull at weights, not at biases."""
    for index in range(layers.size):
        layer = layers[index]
        for at in range(layer.weight, layer.bias, LANES):
            used = below(layer.bias - at)
            weight = load_part(weights, at, used)
            pull = l2 * weight + l1 * np.sign(weight)
            store_part(grad, at, load_part(grad, at, used) + pull, used)


# --- Training --------------------------------------------------------------------------------------------


@entry
def train(net, clock, steps, first, last, features, target, stack, scratch, points, rows):
    """Trains networks `first` to `last` of a stack, so many steps each.

    `clock` (4,) int64 is step, epoch, cursor and stride, and moves on; `features` (train, inputs), `target`
    (train,); `rows` gets the points of the history of network 0, over all `points`. Returns how many, and
    whether the last losses and the state are finite.
    """
    step, epoch, cursor, stride = clock
    recorded, finite = 0, True
    for r in range(first, last):
        clock[0], clock[1], clock[2], clock[3] = step, epoch, cursor, stride
        count, whole = train_one(r, net, clock, steps, features, target, stack, scratch, points, rows)
        recorded, finite = recorded + count, finite and whole
    return recorded, finite


@part
def train_one(r, net, clock, steps, features, target, stack, scratch, points, rows):
    setting, size = net.setting[0], stack.weights.shape[1]
    weights, buffers, grad, updates = stack.weights[r], stack.buffers[r], stack.grads[r], stack.updates[r]
    row = padded(min(setting.batch, setting.train), LANES)
    step, epoch, cursor, stride = clock
    shuffled, recorded, loss = -1, 0, spread(0.0)
    for done in range(1, steps + 1):
        if cursor >= setting.train:  # the data became fewer
            epoch, cursor = epoch + 1, 0
        if shuffled != epoch:
            shuffle(setting.shuffle, mix(net.streams[r, 0] + UINT(epoch) * STEP), setting.train, scratch)
            shuffled = epoch
        batch = min(setting.batch, setting.train - cursor)
        gather(net, features, target, scratch, cursor, row, batch)
        for place in range(net.dropouts.size):
            scratch.masks[place] = mix(net.streams[r, 1 + place] + UINT(step) * STEP)
        forward(net, weights, buffers, scratch, row, batch, True)
        loss = blame(net, scratch, row, batch)
        backward(net, weights, grad, scratch, row, batch)
        if setting.l1 > 0 or setting.l2 > 0:
            penalise(net.layers, weights, grad, setting.l1, setting.l2)
        scale = min(1.0, setting.clip / (norm(grad, 0, size) + 1e-6)) if setting.clip < np.inf else 1.0
        chosen, apart = setting.optimizer, stack.weights.size
        update(chosen.code, weights, grad, stack.slots, r * size, apart, updates, done, scale, chosen.fields)
        step, cursor = step + 1, cursor + batch
        if cursor >= setting.train:
            epoch, cursor = epoch + 1, 0
        if r == 0 and step % stride == 0:
            survey(net, weights, buffers, scratch, points)
            record(net, step, epoch + cursor / setting.train, grad, points, rows[recorded])
            recorded, stride = recorded + 1, next_stride(step, max(stride, setting.stride))
    for weight in range(size):
        updates[weight] = min(updates[weight] + steps, MOST_UPDATES)
    clock[0], clock[1], clock[2], clock[3] = step, epoch, cursor, stride
    sums = total(loss) + sum_of(weights, 0, size) + sum_of(buffers, 0, buffers.size)
    for slot in range(r * size, stack.slots.size, stack.weights.size):
        sums += sum_of(stack.slots, slot, slot + size)
    return recorded, np.isfinite(sums)


@part
def gather(net, features, target, scratch, cursor, row, batch):
    """The mini-batch, from the samples in their order."""
    value, goals, order = scratch.value, scratch.goals, scratch.order
    for s in range(batch):
        sample = order[cursor + s]
        goals[s] = target[sample]
        for feature in range(net.layers[0].inputs):
            value[feature * row + s] = features[sample, feature]


@part
def blame(net, scratch, row, batch):
    """The sum of the losses, in lanes; the slopes of the outputs become those of the mean loss."""
    setting, value, units = net.setting[0], scratch.value, net.layers[-1].width
    outputs, chosen = net.layers[-1].unit * row, setting.loss
    loss = spread(0.0)
    for s in range(0, row, LANES):
        used, goals, at = below(batch - s), load(scratch.goals, s), outputs + s
        shift = log_of_sum(value, row, at, units) if setting.softmax else spread(0.0)
        share = np.where(used, 1 / (batch if setting.softmax else batch * units), spread(0.0))
        charged = charge(
            chosen.code, value, scratch.slope, row, at, units, goals, shift, share, chosen.fields
        )
        loss += np.where(used, charged, 0.0)
    return loss


@part
def log_of_sum(value, row, at, units):
    """log(sum(exp(output))) over the units, of 16 samples."""
    top = load(value, at)
    for unit in range(1, units):
        top = np.maximum(top, load(value, at + unit * row))
    sums = spread(0.0)
    for unit in range(units):
        sums += np.exp(load(value, at + unit * row) - top)
    return top + np.log(sums)


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
        drawn[sample] = mix(key + UINT(sample + 1) * STEP) ^ SIGN  # as unsigned, in the order of signed ones
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
    sums = spread(0.0)
    for at in range(start, stop, LANES):
        sums += load_part(array, at, below(stop - at))
    return total(sums)


@part
def norm(array, start, stop):
    squares = spread(0.0)
    for at in range(start, stop, LANES):
        numbers = load_part(array, at, below(stop - at))
        squares += numbers * numbers
    return np.sqrt(total(squares))


@part
def padded(count, block):
    return (count + block - 1) // block * block


# --- Looking ---------------------------------------------------------------------------------------------


@part
def survey(net, weights, buffers, scratch, points):
    """Evaluates one network at every point."""
    setting, value, units = net.setting[0], scratch.value, net.layers[-1].width
    outputs, chosen, n = net.layers[-1].unit * BLOCK, setting.loss, points.target.size
    for start in range(0, n, BLOCK):
        for feature in range(net.layers[0].inputs):
            for s in range(0, BLOCK, LANES):
                store(value, feature * BLOCK + s, load(points.features, feature * n + start + s))
        forward(net, weights, buffers, scratch, BLOCK, BLOCK, False)
        for s in range(0, BLOCK, LANES):
            goals, at = load(points.target, start + s), outputs + s
            shift = log_of_sum(value, BLOCK, at, units) if setting.softmax else spread(0.0)
            loss, shown, sure = judge(
                chosen.code, value, BLOCK, at, units, setting.classes, goals, shift, chosen.fields
            )
            store(points.loss, start + s, loss if setting.softmax else loss / units)
            store(points.shown, start + s, shown)
            store(points.sure, start + s, sure)


@part
def record(net, step, epochs, grad, points, row):
    """A row of the history, after a survey of the training data and the test data."""
    setting = net.setting[0]
    row[0], row[1] = step, epochs
    starts, counts = (0, setting.train), (setting.train, setting.test)
    for side in range(2):
        losses, errors, squares = spread(0.0), spread(0.0), spread(0.0)
        for s in range(0, counts[side], LANES):
            used, at = below(counts[side] - s), starts[side] + s
            shown, target = load_part(points.shown, at, used), load_part(points.target, at, used)
            if setting.classes == 2:
                shown = np.where(shown > 0.5, 1.0, spread(0.0))
            error = np.where(used, np.abs(shown - target), 0.0)
            losses += load_part(points.loss, at, used)
            errors += np.minimum(error, 1.0) if setting.classes > 0 else error
            squares += error * error
        first = 2 + 3 * side
        row[first], row[first + 1], row[first + 2] = total(losses), total(errors), total(squares)
    for index in range(net.layers.size):
        row[ROW + index] = norm(grad, net.layers[index].weight, net.layers[index].end)


@entry
def assess(net, weights, buffers, scratch, points):
    """`survey`, for Python."""
    survey(net, weights, buffers, scratch, points)


@entry
def draw(net, weights, buffers, scratch, features, count, maps, ranges):
    """Maps of all units over the `count` points of `features` (inputs · n,), n padded to lanes.

    `maps` (units · count + 16,) uint8 gets one map after the other, `ranges` (units, 2) what 0 and 255 mean.
    """
    value, inputs = scratch.value, net.layers[0].inputs
    row = features.size // inputs
    for at in range(0, features.size, LANES):
        store(value, at, load(features, at))
    forward(net, weights, buffers, scratch, row, row, False)
    for unit in range(ranges.shape[0]):
        at = (inputs + unit) * row
        low = high = load_one(value, at)
        for s in range(0, count, LANES):
            here = np.where(below(count - s), load(value, at + s), value[at])
            low, high = np.minimum(low, here), np.maximum(high, here)
        bottom, top = least(low), most(high)
        scale = np.float32(255) / max(top - bottom, np.float32(1e-12))
        for s in range(0, count, LANES):
            store_bytes(maps, unit * count + s, np.rint((load(value, at + s) - bottom) * scale))
        ranges[unit, 0], ranges[unit, 1] = bottom, top
