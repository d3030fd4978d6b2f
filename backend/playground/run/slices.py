"""Which slice of the inputs the maps show: of more than two inputs, two are drawn and the others held fixed,
or the plane of the first two principal components is drawn."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from playground import limits
from playground.catalogue.component import FROZEN
from playground.errors import FieldError, ValidationFailed, fault
from playground.i18n import say

DRAWN = 2
"""Inputs that a map is drawn over."""


class Inputs(Protocol):
    """Of a task: the names of its inputs, and what -6 and 6 stand for in each, where that is known."""

    @property
    def input_names(self) -> Sequence[str]: ...

    @property
    def input_ranges(self) -> Sequence[tuple[float, float]] | None: ...


class Axes(BaseModel):
    """What the maps are drawn over, where there are more than two inputs."""

    model_config = FROZEN

    projection: Literal["inputs", "principal_components"] = Field(default="inputs", examples=["inputs"])
    """Two of the inputs, or the first two principal components of the training points, each input scaled to
    standard deviation 1: the plane through their mean in which they differ most."""
    x: str | None = Field(default=None, examples=["petal length (cm)"])
    """The input drawn to the right, by name; null: the first that is not drawn upwards."""
    y: str | None = Field(default=None, examples=["sepal width (cm)"])
    """The input drawn upwards, by name; null: the first that is not drawn to the right."""

    def columns(self, task: Inputs) -> tuple[int, ...]:
        """Of the inputs that are drawn, to the right and upwards: one where there is only one, none of the
        principal components."""
        if self.projection == "principal_components":
            return ()
        names = list(task.input_names)
        named = [None if name is None else names.index(name) for name in (self.x, self.y)]
        free = (column for column in range(len(names)) if column not in named)
        chosen = [next(free, None) if column is None else column for column in named]
        return tuple(column for column in chosen if column is not None)

    def fitting(self, task: Inputs) -> "Axes":
        """These, or the first two inputs where the data have no such; they may come back."""
        return FIRST_TWO if _misfit(self, task) else self


FIRST_TWO = Axes()


def bounds(task: Inputs, column: int) -> tuple[float, float]:
    """What an input can be held at, in its own units: the values at both ends of the square."""
    return task.input_ranges[column] if task.input_ranges else (-limits.HALF_SPAN, limits.HALF_SPAN)


def check(held: Mapping[str, float], axes: Axes, task: Inputs) -> None:
    """Raises `ValidationFailed` for axes that these data do not have, for a name that is no held input, and
    for a value that is out of bounds."""
    check_axes(axes, task, "axes")
    drawn = axes.columns(task)
    names = {name: column for column, name in enumerate(task.input_names) if column not in drawn}
    for name, value in held.items():
        field = f"held.{name}"
        if name not in names:
            rule = say("rule.not_held", known=tuple(names)) if names else say("rule.nothing_held")
            raise ValidationFailed(fault(field, rule, tuple(names)))
        low, high = bounds(task, names[name])
        if value < low:
            raise ValidationFailed(fault(field, say("rule.greater_than_equal", ge=low)))
        if value > high:
            raise ValidationFailed(fault(field, say("rule.less_than_equal", le=high)))


def check_axes(axes: Axes, task: Inputs, within: str = "") -> None:
    """Raises `ValidationFailed` for axes that these data do not have; `within` is where they stand."""
    if misfit := _misfit(axes, task):
        raise ValidationFailed(misfit.below(within) if within else misfit)


def _misfit(axes: Axes, task: Inputs) -> FieldError | None:
    names = tuple(task.input_names)
    for field, name in (("x", axes.x), ("y", axes.y)):
        if name is not None and name not in names:
            return fault(field, say("rule.no_such_axis", known=names), names)
    if axes.x is not None and axes.x == axes.y:
        return fault("y", say("rule.axes_differ"))
    given = tuple(range(min(DRAWN, len(names))))
    if len(names) <= DRAWN and axes.columns(task) != given:
        return fault("projection" if axes.projection != "inputs" else "x", say("rule.axes_are_given"))
    return None


def fitting(held: Mapping[str, float], axes: Axes, task: Inputs) -> dict[str, float]:
    """What these data can be held at; the rest was meant for others, which may come back."""
    drawn, kept = axes.columns(task), {}
    for column, name in enumerate(task.input_names):
        if column not in drawn and name in held:
            low, high = bounds(task, column)
            if low <= held[name] <= high:
                kept[name] = held[name]
    return kept
