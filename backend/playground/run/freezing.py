"""Which weights training leaves alone: those of frozen layers, neurons and edges."""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from playground.catalogue.component import Task
from playground.errors import FieldError, fault
from playground.i18n import say
from playground.run.config import Config, Layer, Output
from playground.run.layers import LayerShape, layers_of

Choice = tuple[bool, tuple[int, ...], tuple[tuple[int, int], ...]]
"""Of a layer: whether it is frozen, its frozen neurons, and its frozen edges."""


def choice(config: Config) -> list[Choice]:
    """What is frozen, of each layer."""
    return [(layer.frozen, layer.frozen_neurons, layer.frozen_edges) for layer in config.layers]


def is_any_frozen(config: Config) -> bool:
    return any(layer.frozen or layer.frozen_neurons or layer.frozen_edges for layer in config.layers)


def trained(config: Config, shapes: Sequence[LayerShape]) -> list[np.ndarray]:
    """Of each layer, which of its parameters are trained, as they lie: (parameters,) bool.

    What an activation learns is one number for the layer, and frozen with it.
    """
    return [_trained(layer, shape) for layer, shape in zip(config.layers, shapes, strict=True)]


def _trained(layer: Layer | Output, shape: LayerShape) -> np.ndarray:
    parts = []
    for name, size in shape.parameters.items():
        part = np.full(size, not layer.frozen)
        if size[-1] == shape.width and name not in shape.activation.learned:
            part[:, list(layer.frozen_neurons)] = False
        if name == "weight" and layer.frozen_edges:
            sources, units = np.array(layer.frozen_edges).T
            part[sources, units] = False
        parts.append(part.ravel())
    return np.concatenate(parts)


def misfits(config: Config, task: Task) -> Iterator[FieldError]:
    """Neurons and edges that are not there."""
    for path, layer, shape in _layers(config, task):
        if any(unit >= shape.width for unit in layer.frozen_neurons):
            yield fault(f"{path}.frozen_neurons", say("rule.no_such_unit", last=shape.width - 1))
        if any(source >= shape.inputs for source, _ in layer.frozen_edges):
            yield fault(f"{path}.frozen_edges", say("rule.no_such_input", last=shape.inputs - 1))
        if any(unit >= shape.width for _, unit in layer.frozen_edges):
            yield fault(f"{path}.frozen_edges", say("rule.no_such_unit", last=shape.width - 1))


def carried_over(before: Config, after: Config, task: Task) -> Config:
    """`after` without what was frozen `before` and is no longer there. Edges go with their sources, where
    the same layers have others in front of them."""
    if not is_any_frozen(after):
        return after
    neurons = {unit for layer in before.layers for unit in layer.frozen_neurons}
    edges = {edge for layer in before.layers for edge in layer.frozen_edges}
    kept = []
    for index, (_, layer, shape) in enumerate(_layers(after, task)):
        own_edges = layer.frozen_edges
        if len(before.layers) == len(after.layers) and own_edges == before.layers[index].frozen_edges:
            own_edges = _moved(own_edges, _sources(before, index), _sources(after, index))
        kept.append(
            layer.model_copy(
                update={
                    "frozen_neurons": tuple(
                        unit for unit in layer.frozen_neurons if unit < shape.width or unit not in neurons
                    ),
                    "frozen_edges": tuple(
                        (source, unit)
                        for source, unit in own_edges
                        if (source < shape.inputs and unit < shape.width) or (source, unit) not in edges
                    ),
                }
            )
        )
    return after.model_copy(update={"hidden": tuple(kept[:-1]), "output": kept[-1]})


def _layers(config: Config, task: Task) -> Iterator[tuple[str, Layer | Output, LayerShape]]:
    paths = [*(f"hidden.{index}" for index in range(len(config.hidden))), "output"]
    yield from zip(paths, config.layers, layers_of(config, task), strict=True)


def _sources(config: Config, index: int) -> list[Hashable]:
    """What comes into a layer, by name."""
    units = ([(at, unit) for unit in range(layer.width)] for at, layer in enumerate(config.hidden))
    blocks: list[Sequence[Hashable]] = [config.features, *units]
    first = 0 if config.layers[index].shortcut.sees_all else index
    return [source for block in blocks[first : index + 1] for source in block]


def _moved(
    edges: tuple[tuple[int, int], ...], before: list[Hashable], after: list[Hashable]
) -> tuple[tuple[int, int], ...]:
    places = {source: place for place, source in enumerate(after)}
    named = ((before[source], unit) for source, unit in edges)
    return tuple(sorted((places[source], unit) for source, unit in named if source in places))
