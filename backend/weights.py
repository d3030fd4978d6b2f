"""Weights as people read and write them: JSON, one object a layer, rows per input."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.config import FieldError, Refused

Layers = Sequence[Mapping[str, np.ndarray]]


def to_json(layers: Layers) -> list[dict[str, Any]]:
    return [{name: array.tolist() for name, array in layer.items()} for layer in layers]


def check(raw: Sequence[Mapping[str, Any]]) -> None:
    """Raises `Refused` for what is no finite, rectangular array of numbers; the trainer judges shapes."""
    for position, layer in enumerate(raw):
        for name, value in layer.items():
            _check(f"layers.{position}.{name}", value)


def _check(field: str, value: Any) -> None:
    try:
        array = np.asarray(value)
    except ValueError:
        raise Refused(FieldError(field, "its rows differ in length")) from None
    if array.dtype.kind not in "fiu":
        raise Refused(FieldError(field, "must hold numbers only"))
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise Refused(FieldError(field, "must hold finite numbers only, within the range of float32"))
