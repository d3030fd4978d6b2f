"""Which slice of the inputs the maps show: of more than two inputs, all but the first two are held fixed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from playground import limits
from playground.errors import ValidationFailed, fault
from playground.i18n import say

DRAWN = 2
"""Inputs that a map is drawn over: the first ones."""


class Inputs(Protocol):
    """Of a task: the names of its inputs, and what -6 and 6 stand for in each, where that is known."""

    @property
    def input_names(self) -> Sequence[str]: ...

    @property
    def input_ranges(self) -> Sequence[tuple[float, float]] | None: ...


def bounds(task: Inputs, column: int) -> tuple[float, float]:
    """What an input can be held at, in its own units: the values at both ends of the square."""
    return task.input_ranges[column] if task.input_ranges else (-limits.HALF_SPAN, limits.HALF_SPAN)


def check(held: Mapping[str, float], task: Inputs) -> None:
    """Raises `ValidationFailed` for a name that is no held input, and for a value that is out of bounds."""
    names = tuple(task.input_names[DRAWN:])
    for name, value in held.items():
        field = f"held.{name}"
        if name not in names:
            rule = say("rule.not_held", known=names) if names else say("rule.nothing_held")
            raise ValidationFailed(fault(field, rule, names))
        low, high = bounds(task, DRAWN + names.index(name))
        if value < low:
            raise ValidationFailed(fault(field, say("rule.greater_than_equal", ge=low)))
        if value > high:
            raise ValidationFailed(fault(field, say("rule.less_than_equal", le=high)))


def fitting(held: Mapping[str, float], task: Inputs) -> dict[str, float]:
    """What these data can be held at; the rest was meant for others, which may come back."""
    kept = {}
    for column, name in enumerate(task.input_names):
        if column >= DRAWN and name in held:
            low, high = bounds(task, column)
            if low <= held[name] <= high:
                kept[name] = held[name]
    return kept
