"""What each column of a table is to the network: input, target, or nothing."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from playground import limits
from playground.catalogue.tables.table import Column, Table, complete, short
from playground.errors import ValidationFailed, fault
from playground.i18n import say

CLASS_NAMES = ("target", "label", "labels", "class", "classes", "klasse", "clase", "species", "survived")
"""Of targets that are classes, the most telling first."""
TARGET_NAMES = (*CLASS_NAMES, "outcome", "output", "result", "price", "ziel", "objetivo")
ID_NAME = re.compile(r"(?i:(?:^|.*[\s_.-])id)|.*[a-z]I[dD]")
NUMBER_NAME = re.compile(
    r"(?i:(?:^|.*[\s_.-])(?:nr|no|num|number|index|idx|row|#)\.?|unnamed: ?\d+|rownames)|.*[a-z]N[ro]"
)
COUNTED_ROWS = 10
"""So many rows that are numbered in order are hardly a coincidence."""
CLASS_SPAN = 16
"""Numbers that stand for classes lie close to one another."""


class Choice(NamedTuple):
    """Names of the columns to learn from; `inputs` come after x1 and x2. `x2` is empty for one input."""

    x1: str
    x2: str
    target: str
    inputs: tuple[str, ...]

    @property
    def named(self) -> list[tuple[str, str]]:
        """Field and column of each input, in order."""
        second = [("x2", self.x2)] if self.x2 else []
        return [("x1", self.x1), *second, *(("inputs", name) for name in self.inputs)]


def choose(
    table: Table,
    x1: str | None = None,
    x2: str | None = None,
    target: str | None = None,
    inputs: Sequence[str] | None = None,
) -> Choice:
    """Fills in the columns that are None and checks all of them; an empty `x2` leaves x1 alone.

    Raises ValidationFailed with the field that cannot be used; for a target it names those that can be.
    """
    taken = {name for name in (x1, x2, *(inputs or ())) if name}
    if target is None:
        free = [name for name in suitable_targets(table) if name not in taken]
        target = free[0] if free else table.columns[-1].name
    table.column(target, "target")

    taken = {target}
    for field, name in [("x1", x1), ("x2", x2), *(("inputs", name) for name in inputs or ())]:
        if name is None or (field == "x2" and not name):
            continue
        if table.column(name, field).kind == "label":
            raise ValidationFailed(fault(field, say("table.labels_as_input", column=short(name))))
        if name in taken:
            code = "table.is_target" if name == target else "table.is_input"
            raise ValidationFailed(fault(field, say(code, column=short(name))))
        taken.add(name)
    if x2 == "" and inputs:
        raise ValidationFailed(fault("x2", say("table.x2_first")))
    if len(inputs or ()) > limits.INPUTS - 2:
        raise ValidationFailed(fault("inputs", say("table.too_many_inputs", limit=limits.INPUTS)))

    free = _suitable_inputs(table, taken)
    if x1 is None:
        if not free:
            raise ValidationFailed(fault("x1", say("table.no_input")))
        x1 = free.pop(0)
    if x2 is None:
        x2 = free.pop(0) if free else ""
    if inputs is None:
        inputs = free[: limits.INPUTS - 2] if x2 else []
    choice = Choice(x1, x2, target, tuple(inputs))
    target_values(learned(table, choice)[1], suitable_targets(table))
    return choice


def learned(table: Table, choice: Choice) -> tuple[list[Column], Column]:
    """Inputs and target, in the rows that have all of their values. Raises ValidationFailed if none has."""
    inputs = [table.column(name, field) for field, name in choice.named]
    target = table.column(choice.target, "target")
    rows = complete([*inputs, target])
    if not rows.any():
        # The column that leaves the fewest rows to the others.
        fields = [field for field, _ in choice.named]
        worst = min(range(len(inputs)), key=lambda i: int(inputs[i].present.sum()))
        rule = say("table.all_incomplete", column=short(inputs[worst].name))
        raise ValidationFailed(fault(fields[worst], rule))
    return [column.at(rows) for column in inputs], target.at(rows)


def target_values(column: Column, others: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
    """int64 class indices and the labels of the classes; for a regression float64 values and no labels.

    Raises ValidationFailed for one class only, or too many, with `others` as the columns that would do.
    """
    values, labels = column.values, column.labels
    if column.kind == "number":
        distinct, codes = np.unique(values, return_inverse=True)
        if distinct.size == 1 or _are_classes(column.name, distinct, values.size):
            values, labels = codes.astype(np.int64), tuple(f"{value + 0.0:.17g}" for value in distinct)
    rule = None
    if len(labels) == 1:
        rule = say("table.one_class", column=short(column.name), label=short(labels[0]))
    elif len(labels) > limits.CLASSES:
        found = {"column": short(column.name), "labels": len(labels)}
        rule = say("table.too_many_classes", **found, limit=limits.CLASSES)
    if rule:
        raise ValidationFailed(fault("target", rule, tuple(n for n in others if n != column.name) or None))
    return values, labels


def _are_classes(name: str, distinct: np.ndarray, rows: int) -> bool:
    """Numbers are classes when they are whole, few, and either called so or close together and repeated."""
    if distinct.size > limits.CLASSES or not (distinct == np.round(distinct)).all():
        return False
    close = distinct[-1] - distinct[0] < CLASS_SPAN and 2 * distinct.size <= rows
    return name.lower() in CLASS_NAMES or distinct.size == 2 or bool(close)


def suitable_targets(table: Table) -> list[str]:
    """Columns that may be learned, the likeliest first: telling names, then labels, then the last ones."""

    def rank(column: Column) -> tuple[int, bool, bool]:
        name = column.name.lower()
        telling = TARGET_NAMES.index(name) if name in TARGET_NAMES else len(TARGET_NAMES)
        label = column.kind == "label"
        return telling, not label or _is_free_text(column), not label

    suitable = [column for column in reversed(table.columns) if _may_be_target(table, column)]
    return [column.name for column in sorted(suitable, key=rank)]


def _may_be_target(table: Table, column: Column) -> bool:
    if column.kind == "label":
        return 2 <= len(column.labels) <= limits.CLASSES
    known = column.known
    return column.slip is None and known.size > 1 and known.min() < known.max() and not _is_id(table, column)


def _suitable_inputs(table: Table, taken: set[str]) -> list[str]:
    """Columns of numbers that are not taken: one of ids or half empty ones only where there is no other."""
    free = [c for c in table.columns if c.kind == "number" and c.slip is None and c.name not in taken]
    fit = [c.name for c in free if not _is_id(table, c) and 2 * c.known.size >= table.rows]
    return fit or [column.name for column in free if len(taken) == 1][:1]


def _is_free_text(column: Column) -> bool:
    """Names, remarks: every row has another one."""
    return len(column.labels) > 2 and len(column.labels) == column.known.size


def _is_id(table: Table, column: Column) -> bool:
    """Whether its numbers only name the rows."""
    values = column.known
    if column.kind == "label" or not values.size or not (values == np.round(values)).all():
        return False
    if ID_NAME.fullmatch(column.name):
        return True
    unique = np.unique(values).size == values.size
    if NUMBER_NAME.fullmatch(column.name):
        return unique
    numbers = sum(other.kind == "number" for other in table.columns)
    counted = values.size == table.rows >= COUNTED_ROWS and values[0] in (0, 1)
    return column is table.columns[0] and numbers > 2 and counted and bool((np.diff(values) == 1).all())
