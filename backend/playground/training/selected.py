"""What is shown of a network of which not all is drawn."""

from itertools import accumulate

import numpy as np

from playground.run.selection import Selection
from playground.training.network import Network
from playground.training.state import State
from playground.training.weights import read_weights

WHOLE = 1024
"""A layer that has no more weights shows all of them."""


def drawn_units(network: Network, selection: Selection | None) -> np.ndarray:
    """The numbers of the units that are drawn, as they are counted layer by layer, ascending, int64."""
    if selection is None:
        return np.arange(network.units)
    starts = accumulate((layer.width for layer in network.layers), initial=0)
    found = [
        start + unit
        for start, layer, units in zip(starts, network.layers, selection.units, strict=False)
        for unit in units
        if unit < layer.width
    ]
    return np.array(found, dtype=np.int64)


def shown_weights(network: Network, state: State, selection: Selection | None) -> dict[str, np.ndarray]:
    """`weight.0`, `bias.0` and so on, float32. Of a weight of which not all is shown, `weight_sources.0` and
    `weight_units.0`, int32: the numbers of its rows and of its columns."""
    arrays: dict[str, np.ndarray] = {}
    for index, named in enumerate(read_weights(network, state)):
        for name, value in named.items():
            if name.startswith("running_"):
                continue
            if name == "weight" and selection is not None and value.size > WHOLE:
                rows, columns = _rows(network, index, selection), _units(network, index, selection)
                arrays[f"weight.{index}"] = value[np.ix_(rows, columns)]
                arrays[f"weight_sources.{index}"] = rows.astype(np.int32)
                arrays[f"weight_units.{index}"] = columns.astype(np.int32)
            else:
                arrays[f"{name}.{index}"] = value.copy()
    return arrays


def _units(network: Network, index: int, selection: Selection) -> np.ndarray:
    """Of one layer, those that are drawn."""
    units = selection.units[index] if index < len(selection.units) else ()
    width = network.layers[index].width
    return np.array([unit for unit in units if unit < width], dtype=np.int64)


def _rows(network: Network, index: int, selection: Selection) -> np.ndarray:
    """Of the weights of a layer, those that come from a feature or from a unit that is drawn; or all."""
    layer, features = network.layers[index], network.layers[0].inputs
    if index == 0 or index in selection.whole:
        return np.arange(layer.inputs)
    if not layer.shortcut.sees_all:
        return _units(network, index - 1, selection)
    before = drawn_units(network, Selection(selection.units[:index]))
    return np.concatenate([np.arange(features), features + before])
