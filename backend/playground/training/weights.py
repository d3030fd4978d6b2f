"""Parameters and running statistics of the first network of a state, read and set by name."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.run.weights import OneWeight
from playground.training.network import Network
from playground.training.state import State


def read_weights(network: Network, state: State) -> list[dict[str, np.ndarray]]:
    """Of each layer: weight (in, out), the others (out,); views of the state's memory on a CPU."""
    return [
        {name: (view[0] if name == "weight" else view[0, 0]).cpu().numpy() for name, view in named.items()}
        for named in _named(network, state)
    ]


def named_weights(network: Network, state: State) -> dict[str, np.ndarray]:
    """The same by layer and name, as `0.weight`."""
    layers = read_weights(network, state)
    return {f"{index}.{name}": array for index, layer in enumerate(layers) for name, array in layer.items()}


def set_weights(network: Network, state: State, layers: list[dict[str, Any]]) -> None:
    """Replace parameters by name, in the form of `read_weights`; what is not named stays.

    Raises ValidationFailed, with nothing replaced.
    """
    if len(layers) != len(network.layers):
        raise ValidationFailed(fault("layers", say("rule.layer_count", layers=len(network.layers))))
    checked: list[tuple[Tensor, Tensor]] = []
    for index, (layer, named) in enumerate(zip(layers, _named(network, state), strict=True)):
        for name, value in layer.items():
            path = f"layers.{index}.{name}"
            if name not in named:
                raise ValidationFailed(fault(path, say("rule.layer_arrays", names=list(named))))
            shape = tuple(named[name].shape[1 if name == "weight" else 2 :])
            checked.append((named[name], _numbers(path, value, shape)))
    for target, value in checked:
        target.copy_(value.expand_as(target))


def set_weight(network: Network, state: State, edit: OneWeight) -> None:
    """Raises ValidationFailed for what is not there, or no number."""
    check_place(network, edit.layer, edit.source, edit.unit)
    if not math.isfinite(edit.value) or abs(edit.value) > np.finfo(np.float32).max:
        raise ValidationFailed(fault("value", say("rule.weight_is_finite")))
    parameters = network.parameters(state.weights)[edit.layer]
    if edit.source is None:
        parameters["bias"][:, 0, edit.unit] = edit.value
    else:
        parameters["weight"][:, edit.source, edit.unit] = edit.value


def check_place(network: Network, layer: int, source: int | None, unit: int) -> None:
    """Raises ValidationFailed for an edge, or with no source a bias, that is not there."""
    if not 0 <= layer < len(network.layers):
        raise ValidationFailed(fault("layer", say("rule.no_such_layer", last=len(network.layers) - 1)))
    shape = network.layers[layer]
    if not 0 <= unit < shape.width:
        raise ValidationFailed(fault("unit", say("rule.no_such_unit", last=shape.width - 1)))
    if source is not None and not 0 <= source < shape.inputs:
        raise ValidationFailed(fault("source", say("rule.no_such_input", last=shape.inputs - 1)))


def _named(network: Network, state: State) -> list[dict[str, Tensor]]:
    parameters, buffers = network.parameters(state.weights), network.buffers(state.buffers)
    return [
        {**own, **{f"running_{name}": view for name, view in running.items()}}
        for own, running in zip(parameters, buffers, strict=True)
    ]


def _numbers(path: str, value: Any, shape: tuple[int, ...]) -> Tensor:
    try:
        array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None or array.shape != shape:
        raise ValidationFailed(fault(path, say("rule.array_shape", shape=str(list(shape)))))
    if not np.isfinite(array).all():
        raise ValidationFailed(fault(path, say("rule.array_is_finite")))
    if path.endswith("running_var") and (array < 0).any():
        raise ValidationFailed(fault(path, say("rule.variance_is_negative")))
    return torch.from_numpy(array)
