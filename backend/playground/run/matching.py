"""What of a network lives on as what, when its config changes: layers, their inputs, their features."""

import re
from collections.abc import Callable, Sequence
from functools import cache

from playground.catalogue.component import Task
from playground.catalogue.normalizations import NoNormalization, Normalization
from playground.run.config import Config
from playground.run.layers import LayerShape, sources_of


def match_layers(
    old: tuple[LayerShape, ...], new: tuple[LayerShape, ...]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Which old layer lives on as which new one, and which new ones are inserted, by least difference.

    The outputs are always a pair. Among equals the earlier layers stay, and the later ones come and go.
    """
    last_old, last_new = len(old) - 1, len(new) - 1

    def difference(a: LayerShape, b: LayerShape) -> float:
        width = abs(a.width - b.width) / max(a.width, b.width)
        components = 0.25 * (a.normalization != b.normalization) + 0.25 * (a.shortcut != b.shortcut)
        return width + 0.5 * (a.activation != b.activation) + components

    @cache
    def best(i: int, j: int) -> tuple[float, int, tuple[tuple[int, int], ...]]:
        options = []
        if i < last_old and j < last_new:
            cost, later, pairs = best(i + 1, j + 1)
            options.append((cost + difference(old[i], new[j]), later, ((i, j), *pairs)))
        if i < last_old:
            cost, later, pairs = best(i + 1, j)
            options.append((cost + 1, later + last_old - i, pairs))
        if j < last_new:
            cost, later, pairs = best(i, j + 1)
            options.append((cost + 1, later + last_new - j, pairs))
        return min(options, default=(0.0, 0, ((last_old, last_new),)))

    pairs = list(best(0, 0)[2])
    matched = {j for _, j in pairs}
    return pairs, [j for j in range(len(new)) if j not in matched]


def rows_of(
    old: Sequence[LayerShape], kept: Sequence[LayerShape], indices: list[int], place: int, features: list[int]
) -> list[int]:
    """For each input of a layer that lives on, at `place` among the kept ones, the old input, or -1.

    `indices` are the old places of the kept layers, `features` the old place of each feature, or -1. Where
    the layer in front is gone, the one before it takes its place, unit by unit.
    """
    index, now = indices[place], sources_of(kept, place)
    had = {source: row for row, source in enumerate(sources_of(old, index))}
    in_front = indices[place - 1] if place else -1
    if in_front != index - 1 and not old[index].shortcut.sees_all:
        near = sum(layer == place - 1 for layer, _ in now)
        return [-1] * (len(now) - near) + [i if i < old[index].inputs else -1 for i in range(near)]
    return [
        had.get((indices[layer], unit) if layer >= 0 else (-1, features[unit]), -1) for layer, unit in now
    ]


def feature_rows(before: Config, task_before: Task, after: Config, task_after: Task) -> list[int]:
    """For each new feature the row of the old one, or -1.

    A feature is what is made of which columns; by its name alone it is found where its columns are gone.
    """
    had, has = features_of(before, task_before, repr), features_of(after, task_after, repr)
    rows = [had.index(feature) if feature in had else -1 for feature in has]
    names = [name if row not in rows else None for row, name in enumerate(before.features)]
    return [
        names.index(name) if row < 0 and name in names else row
        for row, name in zip(rows, after.features, strict=True)
    ]


def features_of(config: Config, task: Task, write: Callable[[str], str] = str) -> list[str]:
    """The features with the names of their columns in the place of x1, x2, …"""
    names = task.input_names
    return [
        re.sub(r"\bx(\d+)", lambda found: write(names[int(found[1]) - 1]), feature)
        for feature in config.features
    ]


def kept_normalization(new: LayerShape, old: LayerShape) -> Normalization:
    """The normalisation of a layer that lives on, if it had it before."""
    same = new.normalization.kind == old.normalization.kind
    return new.normalization if same else NoNormalization()
