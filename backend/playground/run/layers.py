"""The layers that a config describes, with the shapes of all that they hold."""

import math
from dataclasses import dataclass, field

from playground.catalogue.activations import Activation
from playground.catalogue.component import Task
from playground.catalogue.normalizations import NoNormalization, Normalization
from playground.run.config import Config

Shapes = dict[str, tuple[int, ...]]
"""By name, in the order in which they lie."""


@dataclass(frozen=True)
class LayerShape:
    """The one description of a layer, hidden or output: parameters, buffers, records and the summary follow
    from it."""

    inputs: int
    width: int
    activation: Activation
    normalization: Normalization = field(default_factory=NoNormalization)
    dropout: float = 0.0

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
    layers = []
    inputs = len(config.features)
    for layer in config.hidden:
        layers.append(LayerShape(inputs, layer.width, layer.activation, layer.normalization, layer.dropout))
        inputs = layer.width
    layers.append(LayerShape(inputs, config.loss.units(task), config.output_activation()))
    return tuple(layers)


def size_of(shapes: Shapes) -> int:
    """Numbers in all of them."""
    return sum(math.prod(shape) for shape in shapes.values())
