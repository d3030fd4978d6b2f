"""What is drawn: how large the maps are, and which neurons have one. A wide layer shows only the weights
between those."""

from collections.abc import Iterable
from typing import NamedTuple


class Size(NamedTuple):
    """A variant of a session's frames: cells along the side of a neuron's map and of the output's."""

    neurons: int
    output: int
    selected: bool = False
    """Whether only those neurons are drawn that somebody looks at; they are in a `Selection` of their own."""


class Selection(NamedTuple):
    """What somebody draws of a network, whatever its shape: what it does not have is left out."""

    units: tuple[tuple[int, ...], ...] = ()
    """Of each layer, from the first hidden one to the output, those that are drawn, in order."""
    whole: tuple[int, ...] = ()
    """Layers of which all weights into what is drawn are shown, wherever they come from; in order."""


def union(selections: Iterable[Selection]) -> Selection:
    """What any of them draws."""
    units: list[set[int]] = []
    whole: set[int] = set()
    for selection in set(selections):
        units += [set() for _ in selection.units[len(units) :]]
        for drawn, more in zip(units, selection.units, strict=False):
            drawn.update(more)
        whole.update(selection.whole)
    return Selection(tuple(tuple(sorted(drawn)) for drawn in units), tuple(sorted(whole)))
