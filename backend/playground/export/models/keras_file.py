"""A `.keras` file of dense layers, batch normalisation, dropout and the catalogue's activations. It is read
without Keras: JSON and HDF5 in a zip; nothing in it is executed. Any other layer is refused by its name."""

import io
import json
import re
import zipfile
from typing import Any

import numpy as np

from playground import limits
from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.errors import ValidationFailed
from playground.export.models.network import Found, refused
from playground.i18n import say

DEFAULTS: dict[str, dict[str, float]] = {"leaky_relu": {"alpha": 0.2}, "elu": {"alpha": 1.0}}
"""Of activations that Keras has by name as well as in a layer: what the name stands for."""
LAYERS = {"leaky_relu": "LeakyReLU", "elu": "ELU"}
PASSED = ("InputLayer", "Flatten")


def read_keras(content: bytes) -> Found:
    """Raises `ValidationFailed`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            config = json.loads(_part(packed, "config.json"))
            weights = _part(packed, "model.weights.h5")
    except ValidationFailed:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, RecursionError):
        raise refused(say("import.unreadable", kind="Keras")) from None
    try:
        return _read(config, weights)
    except ValidationFailed:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, OSError, ValueError):
        raise refused(say("import.unreadable", kind="Keras")) from None


def _part(packed: zipfile.ZipFile, name: str) -> bytes:
    """What a file in it unpacks to, at most so much."""
    with packed.open(name) as part:
        content = part.read(limits.MODEL_UNPACKED + 1)
    if len(content) > limits.MODEL_UNPACKED:
        raise refused(say("import.too_large", limit=limits.MODEL_UNPACKED // 2**20))
    return content


def _read(config: Any, weights: bytes) -> Found:
    import h5py

    if config["class_name"] not in ("Sequential", "Functional"):
        raise refused(say("import.layer", what=str(config["class_name"])[:80]))
    found, counts = Found(), {}
    with h5py.File(io.BytesIO(weights), "r") as file:
        before = None
        for layer in config["config"]["layers"]:
            kind, own = str(layer["class_name"]), layer["config"]
            before = _follows(layer, before)
            base = _snake(kind)
            number = counts[base] = counts.get(base, -1) + 1
            if kind in PASSED:
                continue
            stored = f"layers/{base}{f'_{number}' if number else ''}"
            _layer(found, kind, own, lambda place, at=stored: _dataset(file, f"{at}/vars/{place}"))
    return found


def _follows(layer: Any, before: str | None) -> str:
    """Its name, if it takes what the layer before gives, and nothing else."""
    name = str(layer["config"]["name"])
    nodes = layer.get("inbound_nodes", [])
    if len(nodes) > 1:
        raise refused(say("import.one_way"))
    told = json.dumps(nodes)
    if nodes and told.count('"keras_history"') != 1:
        raise refused(say("import.one_way"))
    if nodes and before and f'"keras_history": ["{before}"' not in told:
        raise refused(say("import.one_way"))
    return name


def _layer(found: Found, kind: str, own: dict[str, Any], stored: Any) -> None:
    match kind:
        case "Dense":
            found.dense(stored(0), stored(1) if own["use_bias"] else None)
            _activate(found, own["activation"])
        case "Activation":
            _activate(found, own["activation"])
        case "BatchNormalization":
            values, place = {}, 0
            stores = {"gamma": own["scale"], "beta": own["center"], "mean": True, "var": True}
            for name, wanted in stores.items():
                values[name] = stored(place) if wanted else None
                place += bool(wanted)
            width = len(values["mean"])
            found.normalise(
                {
                    "gamma": np.ones(width) if values["gamma"] is None else values["gamma"],
                    "beta": np.zeros(width) if values["beta"] is None else values["beta"],
                    "running_mean": values["mean"],
                    "running_var": values["var"],
                },
                float(own["epsilon"]),
            )
        case "Dropout":
            found.drop(float(own["rate"]))
        case "Softmax":
            found.ends("softmax")
        case "ReLU" if not any(own.get(name) for name in ("max_value", "negative_slope", "threshold")):
            _activate(found, "relu")
        case _:
            activation = next((each for each in members(Activation) if each.keras == kind), None)
            if activation is None:
                raise refused(say("import.layer", what=kind[:80]))
            named = activation.keras_names
            had = activation.model_fields
            fields = {ours: float(own[theirs]) for ours, theirs in named.items() if ours in had}
            learned = {}
            for place, name in enumerate(activation.learned):
                value = stored(place)
                if value.size != 1:
                    raise refused(say("import.layer", what=kind))
                learned[name] = value.reshape(1)
            found.activate(activation.model_validate(fields), learned)


def _activate(found: Found, name: Any) -> None:
    if isinstance(name, dict):
        name = name.get("config")
    if name == "softmax":
        found.ends("softmax")
        return
    kind = next((each for each in members(Activation) if each.keras == LAYERS.get(name, name)), None)
    if kind is None or kind.learned or not isinstance(name, str):
        raise refused(say("import.layer", what=str(name)[:80]))
    found.activate(kind.model_validate(DEFAULTS.get(name, {})))


def _dataset(file: Any, path: str) -> np.ndarray:
    """Numbers that lie in the file itself, no more than a network here may have."""
    import h5py

    group: Any = file
    for name in path.split("/"):
        if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise refused(say("import.weights"))
        group = group[name]
    fits = (
        isinstance(group, h5py.Dataset)
        and group.dtype.kind == "f"
        and 0 < (group.size or 0) <= limits.WIDTH**2
    )
    if not fits or group.is_virtual or group.external:
        raise refused(say("import.weights"))
    return np.asarray(group[()], np.float64)


def _snake(kind: str) -> str:
    """As Keras names layers in its files: `batch_normalization`."""
    split = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", split).lower()
