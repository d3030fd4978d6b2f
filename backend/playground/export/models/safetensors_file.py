"""Weights in a safetensors file: one that was taken home from here, with its config, or a plain
`state_dict`."""

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from playground.export.models.network import Opened, refused
from playground.export.network import names_in
from playground.i18n import say
from playground.run.layers import layers_of
from playground.run.validation import Tables, parse

LAYER = re.compile(r"(.*)\.weight")


def read_safetensors(content: bytes, beside: Mapping[str, Any], tables: Tables) -> Opened:
    """The weights with the config that the file has, or else with that of `beside`, with the widths of the
    file. Raises `ValidationFailed`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        size = int.from_bytes(content[:8], "little")
        told = json.loads(content[8 : 8 + size]).get("__metadata__", {})
        raw = json.loads(told["config"]) if "config" in told else None
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError, AttributeError):
        raise refused(say("import.unreadable", kind="safetensors")) from None
    config = parse(raw if isinstance(raw, dict) else _guessed(arrays, beside), tables)
    layers = layers_of(config, config.data.task(tables))
    weights: list[dict[str, list[Any]]] = []
    for index in range(len(layers)):
        own = {}
        for name, entry in names_in(index, layers).items():
            array = arrays.pop(entry, None)
            if array is None or array.dtype.kind != "f":
                raise refused(say("import.no_tensor", what=entry))
            own[name] = np.asarray(array.T if name == "weight" else array, np.float32).tolist()
        weights.append(own)
    rest = [name for name in arrays if not name.endswith("num_batches_tracked")]
    if rest:
        raise refused(say("import.layer", what=rest[0][:80]))
    return Opened(config, weights)


def _guessed(arrays: dict[str, np.ndarray], beside: Mapping[str, Any]) -> dict[str, Any]:
    """A file has no activations: those of the config stay, and the widths follow from the weights."""
    weights = [array for name, array in arrays.items() if LAYER.fullmatch(name) and array.ndim == 2]
    hidden = list(beside.get("hidden") or [{}])
    if not weights:
        raise refused(say("import.no_layers"))
    ordered = _in_a_row(weights)
    widths = [len(array) for array in ordered[:-1]]
    layers = [{**hidden[min(place, len(hidden) - 1)], "width": width} for place, width in enumerate(widths)]
    return {**beside, "hidden": layers}


def _in_a_row(weights: list[np.ndarray]) -> list[np.ndarray]:
    """One behind the other, (out, in) each."""
    for one, other in pairwise(weights):
        if other.shape[1] != len(one):
            raise refused(say("import.weights"))
    return weights
