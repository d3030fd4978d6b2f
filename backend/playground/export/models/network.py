"""A network of elsewhere, as the layers that were found in a file, and what it is here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from playground import limits
from playground.catalogue.activations import Activation, Linear
from playground.catalogue.normalizations import BatchNorm, Normalization
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say
from playground.run.config import Config
from playground.run.validation import Tables, parse

ENDS = ("sigmoid", "softmax")
"""What stands behind the last layer, where the loss here takes the sums before it."""


def refused(text: Text) -> ValidationFailed:
    return ValidationFailed(fault("file", text))


@dataclass
class Dense:
    """Weights (in, out), biases (out,), and what follows them up to the next."""

    weight: np.ndarray
    bias: np.ndarray
    normalization: dict[str, np.ndarray] | None = None
    """gamma, beta, running_mean and running_var."""
    activation: Activation = field(default_factory=Linear)
    learned: dict[str, np.ndarray] = field(default_factory=dict)
    dropout: float = 0.0
    active: bool = False
    """Whether an activation was found behind it."""


@dataclass
class Found:
    """A network of a file, from its first layer to its last."""

    layers: list[Dense] = field(default_factory=list)
    input_dropout: float = 0.0
    end: str = ""
    """One of `ENDS` behind it, if there is one."""
    scale: tuple[np.ndarray, np.ndarray] | None = None
    """What the next weights' inputs are multiplied by and shifted: a normalisation that no sum is before."""

    def dense(self, weight: np.ndarray, bias: np.ndarray | None) -> None:
        """One more layer. Weights are (in, out)."""
        self._go_on()
        if weight.ndim != 2 or max(weight.shape) > limits.WIDTH or not np.isfinite(weight).all():
            raise refused(say("import.weights"))
        bias = np.zeros(weight.shape[1]) if bias is None else bias
        if bias.shape != weight.shape[1:] or not np.isfinite(bias).all():
            raise refused(say("import.weights"))
        if self.layers and self.layers[-1].weight.shape[1] != len(weight):
            raise refused(say("import.weights"))
        if len(self.layers) > limits.HIDDEN_LAYERS:
            raise refused(say("import.layers", limit=limits.HIDDEN_LAYERS))
        if self.scale:
            factor, shift = self.scale
            bias, weight, self.scale = bias + shift @ weight, weight * factor[:, None], None
        self.layers.append(Dense(weight.astype(np.float32), bias.astype(np.float32)))

    def normalise(self, values: Mapping[str, np.ndarray], eps: float) -> None:
        """Batch normalisation: of the sums, or where there are none folded into what follows."""
        self._go_on()
        named = {name: np.asarray(value, np.float64) for name, value in values.items()}
        width = self.layers[-1].weight.shape[1] if self.layers else len(named["gamma"])
        if any(value.shape != (width,) or not np.isfinite(value).all() for value in named.values()):
            raise refused(say("import.weights"))
        last = self.layers[-1] if self.layers else None
        if last and not last.active and not last.dropout and last.normalization is None:
            # The variance takes up what epsilon differs by.
            named["running_var"] = np.maximum(named["running_var"] + eps - BatchNorm.eps, 0)
            last.normalization = {name: value.astype(np.float32) for name, value in named.items()}
            return
        factor = named["gamma"] / np.sqrt(named["running_var"] + eps)
        shift = named["beta"] - named["running_mean"] * factor
        before = self.scale or (np.ones(width), np.zeros(width))
        self.scale = before[0] * factor, before[1] * factor + shift

    def activate(self, activation: Activation, learned: Mapping[str, np.ndarray] | None = None) -> None:
        self._go_on()
        if isinstance(activation, Linear):
            return
        if not self.layers or self.layers[-1].active or self.scale:
            raise refused(say("import.order", what=activation.named()))
        last = self.layers[-1]
        last.activation, last.learned, last.active = activation, dict(learned or {}), True

    def drop(self, rate: float) -> None:
        self._go_on()
        if not self.layers:
            self.input_dropout = rate
        else:
            self.layers[-1].dropout = rate

    def ends(self, name: str) -> None:
        self._go_on()
        self.end = name

    def _go_on(self) -> None:
        if self.end:
            raise refused(say("import.order", what=self.end))


@dataclass(frozen=True)
class Opened:
    """What begins a session with that network: a config, and the weights to set at once."""

    config: Config
    weights: list[dict[str, list[Any]]]


def opened(found: Found, beside: Mapping[str, Any], tables: Tables) -> Opened:
    """The network with the data, features and training of the config `beside`, as far as they fit it; else
    with those of the default. Raises `ValidationFailed`."""
    if not found.layers or found.scale:
        raise refused(say("import.no_layers"))
    *hidden, last = found.layers
    if last.normalization or last.dropout:
        raise refused(say("import.order", what=say("import.last")))
    if found.end == "" and last.activation.kind == "sigmoid":
        found.end, last.activation = "sigmoid", Linear()
    inputs, units = len(found.layers[0].weight), len(last.bias)
    raw = dict(beside)
    raw |= {"input_dropout": found.input_dropout, "hidden": [_hidden(layer) for layer in hidden]}
    raw["output"] = {"activation": _component(last.activation) if last.active else {"kind": "auto"}}
    if found.end:
        raw["output"] = {"activation": {"kind": "auto"}}
    for wish in _wishes(raw, found.end, inputs, units):
        try:
            config = parse(wish, tables)
        except ValidationFailed:
            continue
        task = config.data.task(tables)
        if len(config.features) == inputs and config.loss.units(task) == units:
            return Opened(config, [_weights(layer) for layer in found.layers])
    raise refused(say("import.no_data", inputs=inputs, outputs=units))


def _wishes(raw: dict[str, Any], end: str, inputs: int, units: int) -> list[dict[str, Any]]:
    """Configs that may fit, the nearest to what there is first."""
    losses = {"sigmoid": ["bce"], "softmax": ["cross_entropy"]}.get(end, [])
    own = [raw] if not end or (raw.get("loss") or {}).get("kind", "bce") in losses else []
    kinds = losses or ["mse", "cross_entropy"]
    plain = {**raw, "features": [f"x{number + 1}" for number in range(inputs)]}
    elsewhere = [
        {"kind": kind} for kind in ("circle", "blobs", "plane", "sine_curve", "iris", "wine", "breast_cancer")
    ]
    found = own + [{**raw, "loss": {"kind": kind}} for kind in kinds]
    return found + [{**plain, "data": data, "loss": {"kind": kind}} for data in elsewhere for kind in kinds]


def _hidden(layer: Dense) -> dict[str, Any]:
    norm: type[Normalization] | None = BatchNorm if layer.normalization else None
    return {
        "width": len(layer.bias),
        "activation": _component(layer.activation),
        "normalization": {"kind": norm.name() if norm else "none"},
        "dropout": min(layer.dropout, 0.9),
    }


def _component(activation: Activation) -> dict[str, Any]:
    return activation.model_dump(mode="json")


def _weights(layer: Dense) -> dict[str, list[Any]]:
    arrays = {"weight": layer.weight, "bias": layer.bias, **(layer.normalization or {}), **layer.learned}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise refused(say("import.weights"))
    return {name: np.asarray(array, np.float32).tolist() for name, array in arrays.items()}
