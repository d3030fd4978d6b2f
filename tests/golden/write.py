"""Writes the golden frame that both languages read: `python -m tests.golden.write`.

`frame.bin` is the message, `frame.json` what it says: its header, and dtype, shape and values of each array.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from playground.messages.protocol import encode

HERE = Path(__file__).parent

HEADER: dict[str, Any] = {
    "type": "frame",
    "frame": 7,
    "run": 2,
    "step": 1234,
    "epoch": 49.36,
    "train_loss": 0.125,
    "test_loss": None,
    "train_accuracy": 0.96875,
    "test_accuracy": None,
    "layers": [
        {"inputs": 2, "width": 3, "batchnorm": True},
        {"inputs": 3, "width": 1, "batchnorm": False},
    ],
}


def arrays() -> dict[str, np.ndarray]:
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
        "grad_norms": np.array([0.5, 0.0625], np.float32),
        "unsigned": np.array([0, 2**32 - 1], np.uint32),
        "wide": np.array([-(2**53) + 1, 2**53 - 1], np.int64),
        "exact": np.array([1 / 3, -1e300], np.float64),
        "scalar": np.array(42, np.int32),
    }


def described() -> dict[str, Any]:
    """What the message says, as JSON."""
    listing = {
        name: {"dtype": a.dtype.name, "shape": list(a.shape), "values": a.ravel().tolist()}
        for name, a in arrays().items()
    }
    return {"header": HEADER, "arrays": listing}


if __name__ == "__main__":
    (HERE / "frame.bin").write_bytes(encode(HEADER, arrays()))
    (HERE / "frame.json").write_text(json.dumps(described(), indent=1) + "\n")
