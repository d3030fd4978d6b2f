"""What is taken home: a run, how far it has come, and what it has learned and left on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

import numpy as np

from playground.catalogue.datasets import Dataset
from playground.catalogue.tables.table import Table
from playground.errors import Problem
from playground.i18n import Text
from playground.run.config import Config
from playground.run.layers import LayerShape, layers_of
from playground.run.run import Run, Transition

Weights = list[dict[str, np.ndarray]]
"""Of each layer by name: `weight` (in, out), the others (out,), running statistics as `running_mean`."""


@dataclass(frozen=True)
class Taken:
    """A run up to a step. `weights` are those of then, of the first network where there are several."""

    run: Run
    step: int
    weights: Weights
    history: Mapping[str, list[float | None]]
    """The curves, a list for each column."""
    tables: Mapping[str, Table]

    @cached_property
    def transitions(self) -> list[Transition]:
        """The changes that were made on the way."""
        return list(self.run.replay(self.tables, self.step))

    @cached_property
    def config(self) -> Config:
        """As it is in the end."""
        return self.transitions[-1].after if self.transitions else self.run.config

    @cached_property
    def dataset(self) -> Dataset:
        return self.config.dataset(self.tables)

    @cached_property
    def layers(self) -> tuple[LayerShape, ...]:
        return layers_of(self.config, self.dataset.task)

    @property
    def name(self) -> str:
        """For files: the data and the shape of the network, as `spiral-2-4-2-1`."""
        widths = [len(self.config.features), *(layer.width for layer in self.layers)]
        return "-".join([self.config.data.kind, *map(str, widths)])


def by_layer(arrays: Mapping[str, np.ndarray]) -> Weights:
    """Weights as a worker sends them, `0.weight`."""
    layers: dict[int, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        layer, _, kind = name.partition(".")
        layers.setdefault(int(layer), {})[kind] = array
    return [layers[index] for index in sorted(layers)]


class CannotExport(Problem):
    """A format has no way to say something of this run, which the text names. Status 422."""

    def __init__(self, text: Text):
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, text)
