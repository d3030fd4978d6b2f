"""The space of a sweep: fields of a config by their paths, and what a point of the space makes of the
config."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from playground import limits
from playground.errors import FieldError, ValidationFailed, fault
from playground.i18n import say
from playground.run.config import Config
from playground.run.validation import Tables, parse
from playground.studies.sweeps.spec import Axis, Range, Space, Values

Point = dict[str, Any]
"""A value for each path."""
LEAST_RATE, GREATEST_RATE = 1e-4, 1.0
MISSING = object()


def at_point(base: Config, point: Mapping[str, Any], tables: Tables) -> Config:
    """The config with these values. What the kind of a component does not have is left out.

    Raises `ValidationFailed`, of the fields of the config.
    """
    raw = base.model_dump(mode="json")
    kinds = [path for path in point if path.rpartition(".")[2] == "kind"]
    whole = [path for path in point if "." not in path]
    for path in [*whole, *(path for path in kinds if path not in whole)]:
        for parent, key in _places(raw, path):
            if key == "kind":
                if parent.get("kind") != point[path]:
                    parent.clear()
                parent["kind"] = point[path]
            else:
                parent[key] = point[path]
    numbers = [path for path in point if path not in kinds and path not in whole]
    if kinds and numbers:  # the fields that the chosen kinds have
        raw = parse(raw, tables).model_dump(mode="json")
    for path in numbers:
        for parent, key in _places(raw, path):
            if _has(parent, key):
                parent[key] = point[path]
    return parse(raw, tables)


def applies(config: Config, path: str) -> bool:
    """Whether the config has this field."""
    places = list(_places(config.model_dump(mode="json"), path))
    return bool(places) and all(_has(parent, key) for parent, key in places)


def value_at(config: Config, path: str) -> Any:
    """What the (first) field of this path is; `MISSING` where there is none."""
    for parent, key in _places(config.model_dump(mode="json"), path):
        if _has(parent, key):
            return parent[key]
    return MISSING


def _has(parent: Any, key: Any) -> bool:
    return key in parent if isinstance(parent, dict) else isinstance(key, int) and key < len(parent)


def _places(raw: Any, path: str) -> Iterator[tuple[Any, Any]]:
    """What holds the fields of a path, and under which key; a `*` stands for all of a list."""
    *way, last = path.split(".")
    heres = [raw]
    for part in way:
        heres = [there for here in heres for there in _below(here, part)]
    for here in heres:
        if isinstance(here, dict):
            yield here, last
        elif isinstance(here, list):
            keys = range(len(here)) if last == "*" else [int(last)] if last.isdecimal() else []
            for key in keys:
                yield here, key


def _below(here: Any, part: str) -> list[Any]:
    if isinstance(here, dict):
        return [here[part]] if part in here else []
    if isinstance(here, list):
        if part == "*":
            return here
        return [here[int(part)]] if part.isdecimal() and int(part) < len(here) else []
    return []


def check(base: Config, space: Space, tables: Tables) -> None:
    """Whether every path names a field, and every end and value of it fits. Raises `ValidationFailed`, of
    `space.PATH`."""
    errors: list[FieldError] = []
    for path, axis in space.items():
        tried = ends(axis)
        suited = list(_bases(base, space, path, tables))
        if not suited:
            rule = say("rule.no_such_field", path=path)
            errors.append(fault(f"space.{path}", rule, tuple(sorted(fields(base)))))
            continue
        for value in tried:
            if error := _misfit(suited, path, value, tables):
                errors.append(error)
                break
        else:
            errors += _wrong_range(path, axis, value_at(suited[0], path))
    if errors:
        raise ValidationFailed(*errors)


def _bases(base: Config, space: Space, path: str, tables: Tables) -> Iterator[Config]:
    """The config, and with other kinds that the space has, where it has this field."""
    if applies(base, path):
        yield base
    for other, axis in space.items():
        if other != path and isinstance(axis, Values) and (other.endswith(".kind") or "." not in other):
            for value in axis.values:
                try:
                    varied = at_point(base, {other: value}, tables)
                except ValidationFailed:
                    continue
                if applies(varied, path):
                    yield varied


def _misfit(suited: list[Config], path: str, value: Any, tables: Tables) -> FieldError | None:
    """Why this value fits none of the configs."""
    error: FieldError | None = None
    for config in suited:
        try:
            at_point(config, {path: value}, tables)
        except ValidationFailed as failed:
            first = failed.errors[0]
            rule = say("rule.axis_value", value=value, field=first.field, reason=first.message)
            error = fault(f"space.{path}", rule, first.fits)
        else:
            return None
    return error


def _wrong_range(path: str, axis: Axis, value: Any) -> Iterator[FieldError]:
    if isinstance(axis, Range) and (isinstance(value, bool) or not isinstance(value, int | float | None)):
        yield fault(f"space.{path}", say("rule.range_of_numbers"))


def ends(axis: Axis) -> list[Any]:
    """What bounds it: all values, or the least and the greatest number."""
    return axis.values if isinstance(axis, Values) else [axis.low, axis.high]


def is_whole(base: Config, path: str, axis: Range) -> bool:
    """Whether a range is one of whole numbers: its ends are, and so is the field."""
    whole = all(isinstance(number, int) for number in (axis.low, axis.high, axis.step or 1))
    value = value_at(base, path)
    return whole and (isinstance(value, int) or value is MISSING)


def levels(axis: Axis, whole: bool, at_most: int) -> list[Any]:
    """The values of an axis of a grid; of a range without steps no more than so many."""
    if isinstance(axis, Values):
        return axis.values
    if axis.step is not None and not axis.log:
        count = min(limits.SWEEP_GRID, math.floor((axis.high - axis.low) / axis.step + 1e-9)) + 1
        return [axis.low + axis.step * number for number in range(count)]
    if whole and axis.high - axis.low < at_most:
        return list(range(int(axis.low), int(axis.high) + 1))
    shares = [number / max(1, at_most - 1) for number in range(at_most)]
    if axis.log:
        made = [axis.low * (axis.high / axis.low) ** share for share in shares]
    else:
        made = [axis.low + (axis.high - axis.low) * share for share in shares]
    return list(dict.fromkeys(round(number) for number in made)) if whole else made


def fields(config: Config) -> list[str]:
    """The paths of all fields of a config that hold no others."""

    def within(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict) and value:
            for key, item in value.items():
                yield from within(item, f"{path}.{key}" if path else key)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for index, item in enumerate(value):
                yield from within(item, f"{path}.{index}")
        else:
            yield path

    return [path for path in within(config.model_dump(mode="json"), "") if path != "version"]


def usual(config: Config) -> Space:
    """What is varied if nobody says: the learning rate, and the width of the widest layer; where there is
    none that may change, the batch size."""
    rate = Range(low=LEAST_RATE, high=GREATEST_RATE, log=True)
    free = [
        (layer.width, -index)
        for index, layer in enumerate(config.hidden)
        if not (layer.shortcut.adds_input or layer.frozen_neurons or layer.frozen_edges)
        and not any(after.shortcut.adds_input for after in config.hidden[index : index + 2])
    ]
    if free:
        width, index = max(free)
        most = min(limits.WIDTH, max(8, 2 * width))
        return {"optimizer.lr": rate, f"hidden.{-index}.width": Range(low=1, high=most, log=most > 16)}
    return {"optimizer.lr": rate, "batch_size": Range(low=2, high=128, log=True)}
