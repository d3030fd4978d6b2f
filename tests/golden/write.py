"""Writes the golden messages that both languages read: `python -m tests.golden.write`.

`frame.bin` is a frame and `metrics.bin` the metrics that go before it; the `.json` of the same name says what
is in it: its header, and dtype, shape and values of each array. `curves.json` has what viewers of a growing
history are sent, and what each of them has to hold in the end. `formulas.json` has formulas with their trees,
and what they are at a few places.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from playground import limits
from playground.catalogue.formulas.grammar import parse
from playground.catalogue.formulas.operations import OPERATIONS
from playground.catalogue.formulas.tree import evaluate
from playground.messages.codec import decode
from playground.messages.headers import FrameHeader, LayerSize, MetricsHeader
from playground.session.history import HIGH, LOW, MEASURED, History

HERE = Path(__file__).parent

FRAME = FrameHeader(
    frame=7,
    run=2,
    step=1234,
    epoch=49.36,
    layers=(LayerSize(inputs=2, width=3), LayerSize(inputs=3, width=1)),
)
METRICS = MetricsHeader(
    run=2,
    current=True,
    stride=4,
    first=309,
    to=309,
    columns=("index", "step", "epoch", "train_loss", "test_loss", "grad_norm.0", "grad_norm.output"),
)


def frame_arrays() -> dict[str, np.ndarray]:
    """Every dtype, sizes that need padding, an empty array, a scalar, numbers that have no short decimal."""
    ramp = np.arange(24, dtype=np.float32)
    return {
        "weight.0": (ramp[:6] / 8 - 0.25).reshape(2, 3),
        "bias.0": np.array([0.1, -0.0, 3.4e38], np.float32),
        "gamma.0": np.ones(3, np.float32),
        "beta.0": np.zeros(3, np.float32),
        "weight.1": ramp[:3].reshape(3, 1),
        "bias.1": np.array([-1.5], np.float32),
        "neurons": (np.arange(4 * 3 * 3) * 7 % 256).astype(np.uint8).reshape(4, 3, 3),
        "neurons_range": np.array([[-1, 1], [0, 0.5], [-6, 6], [0, 1]], np.float32),
        "decision": np.arange(25, dtype=np.uint8).reshape(5, 5) * 10,
        "decision_range": np.array([0, 1], np.float32),
        "train_predictions": np.array([0, 1, 1, 0, 1], np.uint8),
        "test_predictions": np.array([], np.uint8),
        "confusion": np.array([[[2, 0], [0, 3]], [[0, 0], [0, 0]]], np.int32),
        "unsigned": np.array([0, 2**32 - 1], np.uint32),
        "wide": np.array([-(2**53) + 1, 2**53 - 1], np.int64),
        "exact": np.array([1 / 3, -1e300], np.float64),
        "scalar": np.array(42, np.int32),
    }


def metrics_arrays() -> dict[str, np.ndarray]:
    """One row, with a value that there is none of."""
    return {"samples": np.array([[309, 1234, 49.36, 0.125, np.nan, 0.5, 0.0625]])}


MESSAGES = {"frame": FRAME.encode(frame_arrays()), "metrics": METRICS.encode(metrics_arrays())}


def described(message: bytes) -> dict[str, Any]:
    """What a message says, as JSON; null for NaN."""
    header, arrays = decode(message)
    listing = {
        name: {"dtype": a.dtype.name, "shape": list(a.shape), "values": _values(a)}
        for name, a in arrays.items()
    }
    return {"header": header, "arrays": listing}


def _values(array: np.ndarray) -> list[Any]:
    return [None if value != value else value for value in array.ravel().tolist()]


def curves() -> dict[str, Any]:
    """A viewer that is always there, one that comes now and then, one that comes in the end."""
    random, history, step, stride, last = np.random.default_rng(1), History(run=1), 0, 1, [-1, -1, -1]
    columns: tuple[str, ...] = ("index", "step", "epoch", "train_loss")
    viewers: list[list[Any]] = [[], [], []]
    for index in range(600):
        value = float(random.integers(1, 1000)) / 8
        if index == 190:
            columns, stride = (*columns, "grad_norm.0"), 4  # more data: all at once a longer stride
        row = [index, step, step / 25, value, np.nan if index % 7 == 0 else value / 4]
        stride = stride * 2 if step // stride >= 256 else stride
        history.add(stride, columns, np.array([row[: len(columns)]]))
        step = (step // stride + 1) * stride
        for number, every in enumerate((1, 53, 600)):
            if (index + 1) % every == 0 or index == 599:
                viewers[number] += [described(message) for message in history.since(last[number])]
                last[number] = history.last
    means, low, high = (history.series(part) for part in (0, LOW, HIGH))
    series = {name: [means[name], low[name], high[name]] for name in columns[MEASURED:]}
    return {"viewers": viewers[1:], "step": means["step"], "epoch": means["epoch"], "series": series}


PLACES = [[x1, x2] for x1 in (-6.0, -1.5, 0.0, 0.5, 2.0, 3.75) for x2 in (-2.0, -0.5, 0.0, 1.0, 2.5)]
SHOWN = (
    *("3", "pi*x1", "e^x2", "exp(-x1^2-x2^2)", "sin(3*x1)*abs(x2)", "-x1^2", "2^3^x2", "1e-07*x1", "x1/x2"),
    *("x1^x2", "(x1*x2)^(1/3)", "1^log(x1)", "(-1)^(1/x2)", "0^x1", "log(x1)^0", "x1<x2", "max(x1,log(x2))"),
    *("round(x1+0.5)", "sign(sqrt(x1))", "step(sqrt(x1))", "mod(x1,x2)", "mod(-1e-20,x2)", "(x1>0)-(x2>=1)"),
)
"""Formulas over signs, zeros, halves, and where there is no value."""


def formulas() -> list[dict[str, Any]]:
    """Each with its tree and its values at `PLACES`; what is not finite is a word."""
    called = [
        f"{name}(x1,x2)" if operation.arity == 2 else f"{name}(x1)"
        for name, operation in OPERATIONS.items()
        if not operation.symbol
    ]
    infix = [f"x1{one.symbol}x2" for one in OPERATIONS.values() if one.symbol and one.arity == 2]
    return [
        {
            "text": text,
            "tree": parse(text).model_dump(mode="json"),
            "values": [
                value if np.isfinite(value) else str(value)
                for value in evaluate(parse(text), torch.tensor(PLACES, dtype=torch.float64)).tolist()
            ],
        }
        for text in dict.fromkeys((*SHOWN, *infix, *called))
    ]


if __name__ == "__main__":
    for name, message in MESSAGES.items():
        (HERE / f"{name}.bin").write_bytes(message)
        (HERE / f"{name}.json").write_text(json.dumps(described(message), indent=1) + "\n")
    square = {"extent": limits.HALF_SPAN, "bound": limits.FEATURE_VALUE}
    golden = {**square, "places": PLACES, "formulas": formulas()}
    (HERE / "formulas.json").write_text(json.dumps(golden) + "\n")
    (HERE / "curves.json").write_text(json.dumps(curves()) + "\n")
