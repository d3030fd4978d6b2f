"""A table of number and label columns, whole: a row stays though some of its values are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say

QUOTED_CHARACTERS = 40
"""How much of a visitor's own text a message repeats."""


@dataclass(frozen=True, eq=False)
class Column:
    """`values` is (rows,): float64 numbers, or int64 positions in `labels`; NaN or -1 where there is none."""

    name: str
    kind: Literal["number", "label"]
    values: np.ndarray
    labels: tuple[str, ...] = ()
    slip: Text | None = None
    """What is wrong with a cell of it, so that it cannot be learned from."""

    @cached_property
    def present(self) -> np.ndarray:
        """(rows,) bool"""
        return self.values >= 0 if self.kind == "label" else ~np.isnan(self.values)

    @property
    def known(self) -> np.ndarray:
        """The values that are not missing."""
        return self.values[self.present]

    def at(self, rows: np.ndarray) -> "Column":
        """These rows of it, (rows,) bool; labels that none of them has are left out."""
        values = self.values[rows]
        if self.kind == "number":
            return replace(self, values=values)
        left, codes = np.unique(values, return_inverse=True)
        return replace(self, values=codes.astype(np.int64), labels=tuple(self.labels[i] for i in left))


@dataclass(frozen=True, eq=False)
class Table:
    """`file` is the name of the file; `sheet` is one of the `sheets` of a workbook."""

    id: str
    columns: tuple[Column, ...]
    rows: int
    file: str = ""
    header: bool = True
    """Whether its first row named the columns."""
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    picture: tuple[int, int] | None = None
    """Width and height, where its rows are the pixels of an image."""

    def column(self, name: str, field: str) -> Column:
        """Raises ValidationFailed for `field` where there is no column of this name, or it has a slip."""
        for column in self.columns:
            if column.name == name:
                if column.slip:
                    raise ValidationFailed(fault(field, column.slip))
                return column
        names = [short(column.name) for column in self.columns]
        raise ValidationFailed(fault(field, say("table.no_column", column=short(name), columns=names)))


def complete(columns: Sequence[Column]) -> np.ndarray:
    """(rows,) bool: the rows in which none of the columns misses its value."""
    return np.logical_and.reduce([column.present for column in columns])


def preview(table: Table, n: int) -> list[list[float | str | None]]:
    """The first n rows, as numbers and labels; None where a value is missing."""
    return [[_cell(column, i) for column in table.columns] for i in range(min(n, table.rows))]


def _cell(column: Column, i: int) -> float | str | None:
    if not column.present[i]:
        return None
    return column.labels[column.values[i]] if column.kind == "label" else float(column.values[i])


def to_arrays(table: Table) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A JSON header and arrays, from which `from_arrays` makes the same table."""
    columns = [
        {
            "name": c.name,
            "kind": c.kind,
            "labels": list(c.labels),
            "slip": c.slip and c.slip.model_dump(mode="json"),
        }
        for c in table.columns
    ]
    header = {
        "id": table.id,
        "rows": table.rows,
        "columns": columns,
        "picture": table.picture,
        "file": table.file,
        "header": table.header,
        "sheets": list(table.sheets),
        "sheet": table.sheet,
    }
    return header, {f"column.{i}": column.values for i, column in enumerate(table.columns)}


def from_arrays(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Table:
    columns = tuple(
        Column(
            c["name"],
            c["kind"],
            arrays[f"column.{i}"],
            tuple(c["labels"]),
            c["slip"] and Text.model_validate(c["slip"]),
        )
        for i, c in enumerate(header["columns"])
    )
    picture = header["picture"]
    return Table(
        header["id"],
        columns,
        header["rows"],
        header["file"],
        header["header"],
        tuple(header["sheets"]),
        header["sheet"],
        picture and tuple(picture),
    )


def short(text: str) -> str:
    return f"{text[:QUOTED_CHARACTERS]}…" if len(text) > QUOTED_CHARACTERS else text
