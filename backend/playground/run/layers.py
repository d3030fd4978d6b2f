"""The layers that a config describes, with the shapes of all that they hold."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from playground.catalogue.activations import Activation
from playground.catalogue.component import Task
from playground.catalogue.normalizations import NoNormalization, Normalization
from playground.catalogue.shortcuts import NoShortcut, Shortcut
from playground.run.config import Config

Shapes = dict[str, tuple[int, ...]]
"""By name, in the order in which they lie."""


@dataclass(frozen=True)
class LayerShape:
    """The one description of a layer, hidden or output: parameters, buffers, records and the summary follow
    from it."""

    inputs: int
    """Numbers that each unit gets: what the layer before puts out, or all before it with the features."""
    width: int
    activation: Activation
    normalization: Normalization = field(default_factory=NoNormalization)
    dropout: float = 0.0
    shortcut: Shortcut = field(default_factory=NoShortcut)

    @property
    def parameters(self) -> Shapes:
        """Shapes by name, in the order in which they lie."""
        return {
            "weight": (self.inputs, self.width),
            "bias": (1, self.width),
            **dict.fromkeys(self.normalization.parameters, (1, self.width)),
            **dict.fromkeys(self.activation.learned, (1, 1)),
        }

    @property
    def buffers(self) -> Shapes:
        return dict.fromkeys(self.normalization.buffers, (1, self.width))

    @property
    def initial(self) -> dict[str, float]:
        """What parameters start from, but for those that an `Init` says."""
        return {**self.normalization.parameters, **self.activation.learned}


def layers_of(config: Config, task: Task) -> tuple[LayerShape, ...]:
    """From the first hidden layer to the output."""
    layers = [
        LayerShape(0, layer.width, layer.activation, layer.normalization, layer.dropout, layer.shortcut)
        for layer in config.hidden
    ]
    output = LayerShape(
        0, config.loss.units(task), config.output_activation(), shortcut=config.output.shortcut
    )
    return connected(len(config.features), (*layers, output))


def connected(features: int, layers: Iterable[LayerShape]) -> tuple[LayerShape, ...]:
    """The layers with as many inputs as each has where they stand one behind the other."""
    found: list[LayerShape] = []
    for layer in layers:
        before = [features, *(shape.width for shape in found)]
        found.append(replace(layer, inputs=sum(before) if layer.shortcut.sees_all else before[-1]))
    return tuple(found)


def sources_of(layers: Sequence[LayerShape], index: int) -> list[tuple[int, int]]:
    """Layer and unit of each input of a layer, as its weights have rows. Features are of layer -1."""
    widths = [layers[0].inputs, *(layer.width for layer in layers)]
    first = -1 if layers[index].shortcut.sees_all else index - 1
    return [(layer, unit) for layer in range(first, index) for unit in range(widths[layer + 1])]


def size_of(shapes: Shapes) -> int:
    """Numbers in all of them."""
    return sum(math.prod(shape) for shape in shapes.values())
