"""The fused kernel: whole stretches of training as one piece of machine code, for every net of the catalogue.

PyTorch pays microseconds for each operation, many times what the arithmetic of a small network costs. Here
one call trains any number of steps and allocates nothing. It is compiled once for all networks: shapes and
components are data, and a component is chosen once per layer and pass, never inside a loop over numbers.

**Layout.** The samples of a mini-batch are the innermost axis, padded to `S`, a multiple of 16 (`LANES`). Unit
u has its row [u·S, u·S + S) in each of the buffers below, inputs first, then layer by layer:

    value    what the unit puts out
    slope    how that changes with its sum; on the way back, it becomes how the loss changes with the sum
    normal   its sum, normalised (batch normalisation only)

So one weight is one multiply-add for 16 samples, at any width of a layer, and no row of weights needs padding.
What lies beyond the batch in a row is calculated along, and cut off where samples are summed.

**One product.** Three products make a network: sums of a layer (weights by values), blame for its inputs
(weights by slopes), gradients (values by slopes). All are `products`, four rows at a time, for then each vector
that is loaded serves four multiply-adds. Only for gradients are the vectors units, not samples: `turned` holds
the slopes of one layer with its units innermost. No horizontal sum is ever needed there.

**Weights** are the flat tensors of `State`, where a `LAYER` says where each parameter begins. The order of
samples and the dropout masks are those of `randomness`, number for number.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.np.unsafe.ndarray import to_fixed_tuple

from backend import limits
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
from backend.network import BATCHNORM_EPS, BATCHNORM_MOMENTUM, thinned
from backend.randomness import GAMMA, MIX_1, MIX_2

part = partial(njit, error_model="numpy", _nrt=False)
"""Compiles a function of the kernel. `_nrt`: arrays are not counted, for nothing is allocated."""
entry = partial(part, cache=True, nogil=True)
"""Likewise, one that Python calls."""

FIELDS = 8
"""Numbers that a component may have as its fields."""
BLOCK = 64
"""Points that are evaluated together."""
ROW = 8
"""Numbers of a row of `train` before the gradient norms: step, epochs; then for the training data, and for the
test data, the sums of losses, of errors and of squared errors. A wrong class is an error of 1."""

INT, UINT, REAL = np.int64, np.uint64, np.float64
STEP, MIX_FIRST, MIX_SECOND = (UINT(number % 2**64) for number in (GAMMA, MIX_1, MIX_2))
SIGN = UINT(2**63)

COMPONENT = np.dtype([("code", INT), ("fields", REAL, (FIELDS,))])
LAYER = np.dtype(
    [
        *((name, INT) for name in ("inputs", "width")),
        *((name, INT) for name in ("source", "unit")),  # first unit of its inputs, and of its own
        *((name, INT) for name in ("weight", "bias", "gamma", "beta", "end")),  # in the flat weights
        *((name, INT) for name in ("mean", "var")),  # in the flat buffers
        ("batchnorm", INT),
        ("activation", COMPONENT),
    ]
)
DROPOUT = np.dtype([("on", INT), ("unit", INT), ("width", INT), ("least", UINT), ("scale", REAL)])
"""`least`: the first of 2**52 equally likely numbers that keeps a unit."""
SETTING = np.dtype(
    [
        *((name, INT) for name in ("batch", "train", "test", "classes", "stride", "softmax", "shuffle")),
        *((name, REAL) for name in ("l1", "l2", "clip")),
        ("loss", COMPONENT),
        ("optimizer", COMPONENT),
    ]
)
"""`classes` is 0 for a regression; `stride` the least number of steps between two rows."""


class Scratch(NamedTuple):
    """What the kernel calculates in. Nothing in it outlives a call."""

    value: np.ndarray
    """(units + 1, S): the unit after the last is 1 for every sample, the input of a bias."""
    slope: np.ndarray
    normal: np.ndarray
    inverse: np.ndarray
    """(units,): 1 / standard deviation in the batch."""
    turned: np.ndarray
    """(batch, widest layer, padded)."""
    goals: np.ndarray
    """(S,): the targets of the batch."""
    places: np.ndarray
    """(layers + 1,) uint64: keys of the dropout masks of one step."""
    keys: np.ndarray
    """(train,) uint64 that the samples are sorted by; `order` (train,) and `starts` int64 serve the sort."""
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, values: int, units: int, turned: int, samples: int) -> "Scratch":
        value, slope, normal = (np.zeros(values, np.float32) for _ in range(3))
        inverse, turned_, goals = (np.zeros(n, np.float32) for n in (units, turned, values))
        keys, order, starts = (
            np.zeros(n, d) for n, d in ((samples, UINT), (samples, INT), (4 * samples + 4, INT))
        )
        places = np.zeros(limits.HIDDEN_LAYERS + 2, UINT)
        return cls(value, slope, normal, inverse, turned_, goals, places, keys, order, starts)


class Points(NamedTuple):
    """Points to evaluate, n in all, a multiple of `BLOCK`, and what comes of it."""

    features: np.ndarray
    """(features, n)"""
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
        columns = np.zeros((inputs, n), np.float32)
        columns[:, :m] = features.T
        goals, *results = (np.zeros(n, np.float32) for _ in range(4))
        if target is not None:
            goals[:m] = target
        return cls(columns.reshape(-1), goals, *results)


# --- Components: a loop of machine code for each, chosen by its code ---------------------------------------


def fusible(family: type[Component]) -> tuple[type[Any], ...]:
    """The members of a family that have fused maths. The code of one is its index."""
    return tuple(cls for cls in members(family) if hasattr(cls, "fused"))


def choice(functions: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """choose(code, *args) calls the function at that index."""
    first, others = part(functions[0]), functions[1:]
    if not others:
        return part(lambda code, *args: first(*args))
    rest = choice(others)

    @part
    def choose(code: int, *args: Any) -> Any:
        if code == 0:
            return first(*args)
        return rest(code - 1, *args)

    return choose


def activation_loop(activation: type[Activation], training: bool) -> Callable[..., Any]:
    formula, fields = part(activation.fused), field_count(activation)

    def activate(value: Any, slope: Any, start: int, stop: int, numbers: Any) -> None:
        own = to_fixed_tuple(numbers, fields)
        for at in range(start, stop, LANES):
            y, rise = formula(load(value, at), *own)
            store(value, at, y)
            if training:
                store(slope, at, rise)

    return activate


def loss_loop(loss: type[Loss]) -> Callable[..., Any]:
    formula, fields = part(loss.fused), field_count(loss)

    def charge(value: Any, slope: Any, row: int, s: int, units: int, target: Any, shift: Any, share: Any, numbers: Any) -> Any:  # fmt: skip
        """The loss of 16 samples; the slopes of the outputs become those of the loss, times `share`."""
        own = to_fixed_tuple(numbers, fields)
        charged = spread(0.0)
        for unit in range(units):
            at = unit * row + s
            goal = target if units == 1 else np.where(np.abs(target - unit) < 0.5, 1.0, spread(0.0))
            part, rise = formula(load(value, at) - shift, goal, *own)
            charged += part
            store(slope, at, load(slope, at) * rise * share)
        return charged

    return charge


def verdict_loop(loss: type[Loss]) -> Callable[..., Any]:
    formula, predict, fields = part(loss.fused), part(loss.fused_predict), field_count(loss)

    def judge(value: Any, s: int, row: int, units: int, target: Any, shift: Any, classes: int, numbers: Any) -> Any:  # fmt: skip
        """Of 16 samples: loss, what is shown, how sure."""
        own = to_fixed_tuple(numbers, fields)
        charged, shown, sure = spread(0.0), spread(0.0), spread(-np.inf)
        for unit in range(units):
            output = load(value, unit * row + s) - shift
            goal = target if units == 1 else np.where(np.abs(target - unit) < 0.5, 1.0, spread(0.0))
            charged += formula(output, goal, *own)[0]
            score = predict(output)
            shown = np.where(score > sure, unit, shown)
            sure = np.maximum(sure, score)
            if classes == 2:
                shown = np.minimum(np.maximum(score, 0.0), 1.0)  # of the last unit: of class 1
            elif classes == 0:
                shown = score
        return charged, shown, sure

    return judge


def update_loop(optimizer: type[Optimizer]) -> Callable[..., Any]:
    formula, shares, fields = part(optimizer.fused), part(optimizer.fused_shares), field_count(optimizer)
    recall, remember = memory(optimizer.slots)

    def update(weights: Any, grad: Any, slots: Any, base: int, apart: int, updates: Any, more: int, scale: Any, numbers: Any) -> None:  # fmt: skip
        """One step of every weight; its gradient counts `scale` times."""
        own = to_fixed_tuple(numbers, fields)
        count = load_one(updates, 0) + more
        share = shares(count, *own)
        for at in range(0, weights.size, LANES):
            used = below(weights.size - at)
            weight = load_part(weights, at, used)
            latest = load_part(updates, at, used) + more
            if any_of(latest != count):
                count = latest
                share = shares(count, *own)
            past = recall(slots, base + at, apart, used)
            delta, past = formula(weight, load_part(grad, at, used) * scale, past, share, *own)
            store_part(weights, at, weight + delta, used)
            remember(slots, base + at, apart, used, past)

    return update


def memory(slots: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How so many slots, `apart` from one another, are read as a tuple and written."""
    if slots == 0:
        return part(lambda array, at, apart, used: ()), part(lambda array, at, apart, used, new: None)
    recall_others, remember_others = memory(slots - 1)
    last = slots - 1

    @part
    def recall(array: Any, at: int, apart: int, used: Any) -> Any:
        return recall_others(array, at, apart, used) + (load_part(array, at + last * apart, used),)  # noqa: RUF005

    @part
    def remember(array: Any, at: int, apart: int, used: Any, new: Any) -> None:
        remember_others(array, at, apart, used, new)
        store_part(array, at + last * apart, new[last], used)

    return recall, remember


def field_count(component: type[Component]) -> int:
    return len(component.model_fields) - 1  # all but `kind`


ACTIVATIONS, LOSSES, OPTIMIZERS = fusible(Activation), fusible(Loss), fusible(Optimizer)
activate = choice([activation_loop(activation, training=True) for activation in ACTIVATIONS])
activate_only = choice([activation_loop(activation, training=False) for activation in ACTIVATIONS])
charge = choice([loss_loop(loss) for loss in LOSSES])
judge = choice([verdict_loop(loss) for loss in LOSSES])
next_stride = part(thinned)
update = choice([update_loop(optimizer) for optimizer in OPTIMIZERS])


# --- Products ----------------------------------------------------------------------------------------------


def products(finish: Callable[..., Any]) -> Callable[..., Any]:
    """rows sums over c < count, of a[at + row·across + c·along] · v[lane + c·stride], each a vector of 16."""
    finish = part(finish)

    @part
    def multiply(a: Any, at: int, across: int, along: int, v: Any, lane: int, stride: int, count: int, rows: int, out: Any, place: int, apart: int, extra: Any) -> None:  # fmt: skip
        row = 0
        while row + 8 <= rows:
            sum0 = sum1 = sum2 = sum3 = sum4 = sum5 = sum6 = sum7 = spread(0.0)
            first = at + row * across
            for c in range(count):
                vector = load(v, lane + c * stride)
                sum0 += load_one(a, first + 0 * across) * vector
                sum1 += load_one(a, first + 1 * across) * vector
                sum2 += load_one(a, first + 2 * across) * vector
                sum3 += load_one(a, first + 3 * across) * vector
                sum4 += load_one(a, first + 4 * across) * vector
                sum5 += load_one(a, first + 5 * across) * vector
                sum6 += load_one(a, first + 6 * across) * vector
                sum7 += load_one(a, first + 7 * across) * vector
                first += along
            finish(out, place + (row + 0) * apart, sum0, a, extra, row + 0)
            finish(out, place + (row + 1) * apart, sum1, a, extra, row + 1)
            finish(out, place + (row + 2) * apart, sum2, a, extra, row + 2)
            finish(out, place + (row + 3) * apart, sum3, a, extra, row + 3)
            finish(out, place + (row + 4) * apart, sum4, a, extra, row + 4)
            finish(out, place + (row + 5) * apart, sum5, a, extra, row + 5)
            finish(out, place + (row + 6) * apart, sum6, a, extra, row + 6)
            finish(out, place + (row + 7) * apart, sum7, a, extra, row + 7)
            row += 8
        while row < rows:
            sum0 = spread(0.0)
            for c in range(count):
                sum0 += load_one(a, at + row * across + c * along) * load(v, lane + c * stride)
            finish(out, place + row * apart, sum0, a, extra, row)
            row += 1

    return multiply


add_bias = products(lambda out, at, sum_, a, bias, row: store(out, at, sum_ + load_one(a, bias + row)))
pass_back = products(lambda out, at, sum_, a, none, row: store(out, at, sum_ * load(out, at)))
put = products(lambda out, at, sum_, a, used, row: store_part(out, at, sum_, used))


# --- Forward -----------------------------------------------------------------------------------------------


@part
def forward(layers: Any, dropouts: Any, keys: Any, weights: Any, buffers: Any, scratch: Any, row: int, batch: int, training: bool) -> None:  # fmt: skip
    """From the values of the inputs to those of every unit. In training, slopes too, and statistics."""
    value, slope = scratch.value, scratch.slope
    if training and dropouts[0].on:
        drop(dropouts[0], keys[0], value, slope, row, batch)
    for index in range(layers.size):
        layer = layers[index]
        start, stop = layer.unit * row, (layer.unit + layer.width) * row
        for s in range(0, row, LANES):
            add_bias(weights, layer.weight, 1, layer.width, value, layer.source * row + s, row, layer.inputs,
                     layer.width, value, start + s, row, layer.bias)  # fmt: skip
        if layer.batchnorm:
            for unit in range(layer.width):
                normalise(layer, unit, weights, buffers, scratch, row, batch, training)
        if training:
            activate(layer.activation.code, value, slope, start, stop, layer.activation.fields)
            if dropouts[index + 1].on:
                drop(dropouts[index + 1], keys[index + 1], value, slope, row, batch)
        else:
            activate_only(layer.activation.code, value, slope, start, stop, layer.activation.fields)


@part
def normalise(layer: Any, unit: int, weights: Any, buffers: Any, scratch: Any, row: int, batch: int, training: bool) -> None:  # fmt: skip
    """Batch normalisation of the sums of one unit (Ioffe, Szegedy, 2015)."""
    value, normal = scratch.value, scratch.normal
    at = (layer.unit + unit) * row
    mean, var = buffers[layer.mean + unit], buffers[layer.var + unit]
    if training and batch > 1:  # one sample has no spread of its own
        sum_, squares = spread(0.0), spread(0.0)
        for s in range(0, row, LANES):
            sum_ += np.where(below(batch - s), load(value, at + s), 0.0)
        mean = total(sum_) / batch
        for s in range(0, row, LANES):
            off = np.where(below(batch - s), load(value, at + s) - mean, 0.0)
            squares += off * off
        var = total(squares) / batch
        buffers[layer.mean + unit] += BATCHNORM_MOMENTUM * (mean - buffers[layer.mean + unit])
        unbiased = var * (batch / (batch - 1))
        buffers[layer.var + unit] += BATCHNORM_MOMENTUM * (unbiased - buffers[layer.var + unit])
    inverse = 1 / np.sqrt(var + BATCHNORM_EPS)
    gamma, beta = weights[layer.gamma + unit], weights[layer.beta + unit]
    for s in range(0, row, LANES):
        off = (load(value, at + s) - mean) * inverse
        store(value, at + s, off * gamma + beta)
        if training:
            store(normal, at + s, off)
    scratch.inverse[layer.unit + unit] = inverse


@part
def drop(dropout: Any, key: Any, value: Any, slope: Any, row: int, batch: int) -> None:
    """Number s·width + unit of the stream decides on that unit of sample s."""
    for unit in range(dropout.width):
        at = (dropout.unit + unit) * row
        for s in range(batch):
            number = mix(key + UINT(s * dropout.width + unit + 1) * STEP)
            kept = dropout.scale if number >> UINT(12) >= dropout.least else 0.0
            value[at + s] *= kept
            slope[at + s] *= kept


# --- Backward ----------------------------------------------------------------------------------------------


@part
def backward(layers: Any, weights: Any, grad: Any, scratch: Any, row: int, batch: int) -> None:
    """From the slopes of the outputs to the gradient of every weight."""
    value, slope, turned = scratch.value, scratch.slope, scratch.turned
    ones = layers[-1].unit + layers[-1].width
    for index in range(layers.size - 1, -1, -1):
        layer = layers[index]
        if layer.batchnorm:
            for unit in range(layer.width):
                unnormalise(layer, unit, weights, grad, scratch, row, batch)
        apart = padded(layer.width, LANES)
        for unit in range(0, layer.width, LANES):
            for s in range(0, row, LANES):
                transpose(slope, (layer.unit + unit) * row + s, row, turned, s * apart + unit, apart)
            used = below(layer.width - unit)
            put(value, layer.source * row, row, 1, turned, unit, apart, batch,
                layer.inputs, grad, layer.weight + unit, layer.width, used)  # fmt: skip
            put(value, ones * row, row, 1, turned, unit, apart, batch, 1, grad, layer.bias + unit, 0, used)
        if index > 0:
            for s in range(0, row, LANES):
                pass_back(weights, layer.weight, layer.width, 1, slope, layer.unit * row + s, row, layer.width,
                          layer.inputs, slope, layer.source * row + s, row, 0)  # fmt: skip


@part
def unnormalise(layer: Any, unit: int, weights: Any, grad: Any, scratch: Any, row: int, batch: int) -> None:
    """Makes slopes by the normalised sum those by the sum, and leaves the gradients of gamma and beta."""
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
    common = 1 / batch if batch > 1 else 0.0  # with one sample, mean and variance were not its own
    for s in range(0, row, LANES):
        own = load(slope, at + s) - common * (beta + load(normal, at + s) * gamma)
        store(slope, at + s, own * scale)


@part
def penalise(layers: Any, weights: Any, grad: Any, l1: float, l2: float) -> None:
    """What L1 and L2 add to the gradient of weights, not of biases."""
    for index in range(layers.size):
        layer = layers[index]
        for at in range(layer.weight, layer.bias, LANES):
            used = below(layer.bias - at)
            weight = load_part(weights, at, used)
            pull = l2 * weight + l1 * np.sign(weight)
            store_part(grad, at, load_part(grad, at, used) + pull, used)


# --- Training ----------------------------------------------------------------------------------------------


@entry
def train(settings: Any, layers: Any, dropouts: Any, streams: Any, clock: Any, steps: int, first: int, last: int, features: Any, target: Any, weights: Any, buffers: Any, slots: Any, updates: Any, grads: Any, scratch: Scratch, points: Points, rows: Any) -> tuple[int, bool]:  # fmt: skip
    """Trains networks `first` to `last` of a stack, so many steps each.

    `streams` (R, 1 + places) uint64 are the keys of shuffling and of each dropout; `clock` is step, epoch,
    cursor, stride, and moves on; `features` (train, features); `slots` (slots · R · P,). `rows` gets the points
    of the history, of network 0. Returns how many, and whether the last losses and the state are finite.
    """
    setting = settings[0]
    start_step, start_epoch, start_cursor, start_stride = clock
    step, epoch, cursor, stride = start_step, start_epoch, start_cursor, start_stride
    recorded, finite = 0, True
    size, inputs, units = weights.shape[1], layers[0].inputs, layers[-1].width
    value, slope, goals, order = scratch.value, scratch.slope, scratch.goals, scratch.order
    row = padded(min(setting.batch, setting.train), LANES)
    outputs = layers[-1].unit * row
    ones = outputs + units * row
    keys = scratch.places
    for r in range(first, last):
        mine, statistics, grad, counts = weights[r], buffers[r], grads[r], updates[r]
        step, epoch, cursor, stride = start_step, start_epoch, start_cursor, start_stride
        loss, shuffled = spread(0.0), -1
        for done in range(1, steps + 1):
            # The mini-batch.
            if cursor >= setting.train:  # the data became fewer
                epoch, cursor = epoch + 1, 0
            if shuffled != epoch:
                shuffle(setting.shuffle, mix(streams[r, 0] + UINT(epoch) * STEP), setting.train, scratch)
                shuffled = epoch
            batch = min(setting.batch, setting.train - cursor)
            for s in range(batch):
                sample = order[cursor + s]
                goals[s] = target[sample]
                for feature in range(inputs):
                    value[feature * row + s] = features[sample, feature]
            for s in range(0, row, LANES):
                store(value, ones + s, 1.0)

            # Its gradient.
            for place in range(dropouts.size):
                keys[place] = mix(streams[r, 1 + place] + UINT(step) * STEP)
            forward(layers, dropouts, keys, mine, statistics, scratch, row, batch, True)
            loss = spread(0.0)
            for s in range(0, row, LANES):
                used = below(batch - s)
                shift = log_of_sum(value, outputs + s, row, units) if setting.softmax else spread(0.0)
                share = np.where(used, 1 / (batch if setting.softmax else batch * units), spread(0.0))
                charged = charge(setting.loss.code, value, slope, row, outputs + s, units, load(goals, s), shift, share, setting.loss.fields)  # fmt: skip
                loss += np.where(used, charged, 0.0)
            backward(layers, mine, grad, scratch, row, batch)
            if setting.l1 > 0 or setting.l2 > 0:
                penalise(layers, mine, grad, setting.l1, setting.l2)

            # The step.
            scale = min(1.0, setting.clip / (norm(grad, 0, size) + 1e-6)) if setting.clip < np.inf else 1.0
            update(setting.optimizer.code, mine, grad, slots, r * size, weights.size, counts, done, scale, setting.optimizer.fields)  # fmt: skip
            step, cursor = step + 1, cursor + batch
            if cursor >= setting.train:
                epoch, cursor = epoch + 1, 0
            if r == 0 and step % stride == 0:
                survey(setting, layers, dropouts, keys, mine, statistics, scratch, points)
                record(setting, layers, grad, points, rows[recorded])
                rows[recorded, 0], rows[recorded, 1] = step, epoch + cursor / setting.train
                recorded, stride = recorded + 1, next_stride(step, max(stride, setting.stride))
        finite = finite and np.isfinite(
            total(loss) + sum_of(mine, 0, size) + sum_of(statistics, 0, statistics.size)
        )
        for slot in range(r * size, slots.size, weights.size):
            finite = finite and np.isfinite(sum_of(slots, slot, slot + size))
        for weight in range(size):
            counts[weight] += np.float32(steps)
    clock[0], clock[1], clock[2], clock[3] = step, epoch, cursor, stride
    return recorded, finite


@part
def log_of_sum(value: Any, at: int, row: int, units: int) -> Any:
    """log(sum(exp(output))) over the units, of 16 samples."""
    top = load(value, at)
    for unit in range(1, units):
        top = np.maximum(top, load(value, unit * row + at))
    sum_ = spread(0.0)
    for unit in range(units):
        sum_ += np.exp(load(value, unit * row + at) - top)
    return top + np.log(sum_)


@part
def shuffle(mixed: int, key: Any, n: int, scratch: Scratch) -> None:
    """The order of the samples in an epoch: that of their random numbers, as signed ones.

    One pass puts them into n buckets or more by their first bits; then hardly any is far from its place.
    """
    keys, order, starts = scratch.keys, scratch.order, scratch.starts
    if not mixed:
        for i in range(n):
            order[i] = i
        return
    bits = 1
    while 1 << bits < n:
        bits += 1
    low = UINT(64 - bits)
    for bucket in range((1 << bits) + 1):
        starts[bucket] = 0
    for i in range(n):
        starts[(number(key, i) >> low) + UINT(1)] += 1
    for bucket in range(1 << bits):
        starts[bucket + 1] += starts[bucket]
    for i in range(n):
        drawn = number(key, i)
        bucket = drawn >> low
        keys[starts[bucket]], order[starts[bucket]] = drawn, i
        starts[bucket] += 1
    for i in range(1, n):
        drawn, sample, j = keys[i], order[i], i
        while j > 0 and keys[j - 1] > drawn:
            keys[j], order[j] = keys[j - 1], order[j - 1]
            j -= 1
        keys[j], order[j] = drawn, sample


@part
def number(key: Any, index: int) -> Any:
    """A random number whose order as unsigned is that of `randomness.bits` as signed."""
    return mix(key + UINT(index + 1) * STEP) ^ SIGN


@part
def mix(x: Any) -> Any:
    """SplitMix64, as in `randomness`."""
    x = (x ^ (x >> UINT(30))) * MIX_FIRST
    x = (x ^ (x >> UINT(27))) * MIX_SECOND
    return x ^ (x >> UINT(31))


@part
def sum_of(array: Any, start: int, stop: int) -> float:
    sum_ = spread(0.0)
    for at in range(start, stop, LANES):
        sum_ += load_part(array, at, below(stop - at))
    return total(sum_)


@part
def norm(array: Any, start: int, stop: int) -> float:
    squares = spread(0.0)
    for at in range(start, stop, LANES):
        part = load_part(array, at, below(stop - at))
        squares += part * part
    return np.sqrt(total(squares))


@part
def padded(count: int, block: int) -> int:
    return (count + block - 1) // block * block


# --- Looking -----------------------------------------------------------------------------------------------


@part
def survey(setting: Any, layers: Any, dropouts: Any, keys: Any, weights: Any, buffers: Any, scratch: Scratch, points: Points) -> None:  # fmt: skip
    """Evaluates the network at every point."""
    value, units = scratch.value, layers[-1].width
    outputs = layers[-1].unit * BLOCK
    n = points.target.size
    for at in range(0, n, BLOCK):
        for feature in range(layers[0].inputs):
            for s in range(0, BLOCK, LANES):
                store(value, feature * BLOCK + s, load(points.features, feature * n + at + s))
        forward(layers, dropouts, keys, weights, buffers, scratch, BLOCK, BLOCK, False)
        for s in range(0, BLOCK, LANES):
            shift = log_of_sum(value, outputs + s, BLOCK, units) if setting.softmax else spread(0.0)
            loss, shown, sure = judge(setting.loss.code, value, outputs + s, BLOCK, units, load(points.target, at + s), shift, setting.classes, setting.loss.fields)  # fmt: skip
            store(points.loss, at + s, loss if setting.softmax else loss / units)
            store(points.shown, at + s, shown)
            store(points.sure, at + s, sure)


@part
def record(setting: Any, layers: Any, grad: Any, points: Points, row: Any) -> None:
    """The sums of `ROW` after a survey of the training data, padded to a block, and the test data."""
    starts = (0, setting.train)
    counts = (setting.train, setting.test)
    for part in range(2):
        losses, errors, squares = spread(0.0), spread(0.0), spread(0.0)
        for s in range(0, counts[part], LANES):
            used, at = below(counts[part] - s), starts[part] + s
            shown, target = load(points.shown, at), load(points.target, at)
            if setting.classes == 2:
                shown = np.where(shown > 0.5, 1.0, spread(0.0))
            error = np.where(used, np.abs(shown - target), 0.0)
            losses += np.where(used, load(points.loss, at), 0.0)
            squares += error * error
            errors += np.minimum(error, 1.0) if setting.classes > 0 else error
        row[2 + 3 * part], row[3 + 3 * part], row[4 + 3 * part] = total(losses), total(errors), total(squares)
    for index in range(layers.size):
        row[ROW + index] = norm(grad, layers[index].weight, layers[index].end)


@entry
def assess(settings: Any, layers: Any, dropouts: Any, weights: Any, buffers: Any, scratch: Scratch, points: Points) -> None:  # fmt: skip
    """`survey` for Python."""
    survey(settings[0], layers, dropouts, scratch.places, weights, buffers, scratch, points)


@entry
def draw(settings: Any, layers: Any, dropouts: Any, weights: Any, buffers: Any, scratch: Scratch, features: Any, count: int, maps: Any, ranges: Any) -> None:  # fmt: skip
    """Maps of all units over the `count` points of `features` (features · n,), n padded to lanes.

    `maps` (units · count + 16,) uint8 gets them one after the other, `ranges` (units, 2) what 0 and 255 mean.
    """
    value, inputs = scratch.value, layers[0].inputs
    row = features.size // inputs
    for at in range(0, features.size, LANES):
        store(value, at, load(features, at))
    forward(layers, dropouts, scratch.places, weights, buffers, scratch, row, row, False)
    for unit in range(ranges.shape[0]):
        at = (inputs + unit) * row
        low = high = spread(value[at])
        for s in range(0, count, LANES):
            now = np.where(below(count - s), load(value, at + s), value[at])
            low, high = np.minimum(low, now), np.maximum(high, now)
        bottom, top = least(low), most(high)
        scale = 255 / max(top - bottom, np.float32(1e-12))
        for s in range(0, count, LANES):
            store_bytes(maps, unit * count + s, np.rint((load(value, at + s) - bottom) * scale))
        ranges[unit, 0], ranges[unit, 1] = bottom, top
