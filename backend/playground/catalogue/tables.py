"""Uploaded CSV files: bytes in, a table of number and label columns out.

Delimiter, decimal comma, encoding, header and target are guessed, never the meaning of a broken line: that
is refused, with its number.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np

from playground import limits
from playground.errors import ValidationFailed, fault
from playground.i18n import say

MISSING = frozenset({"", "?", "na", "NA", "n/a", "N/A", "nan", "NaN", "NAN", "null", "NULL"})
TARGET_NAMES = frozenset({"target", "label", "labels", "class"})
ROW_NUMBER_NAMES = frozenset({"id", "index", "row"})
CONTROL_BYTES = bytes(range(9)) + bytes(range(14, 32))
QUOTED_CHARACTERS = 40
"""How much of a visitor's own text a message or a column name repeats."""


@dataclass(frozen=True, eq=False)
class Column:
    """`values` is (rows,): float64 numbers, or int64 positions in `labels`."""

    name: str
    kind: Literal["number", "label"]
    values: np.ndarray
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """`dropped` counts the rows that a missing value kept out of `rows`."""

    id: str
    columns: tuple[Column, ...]
    rows: int
    dropped: int

    def column(self, name: str, field: str) -> Column:
        """Raises ValidationFailed for `field` where there is no column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        names = [column.name for column in self.columns]
        raise ValidationFailed(fault(field, say("table.no_column", column=_short(name), columns=names)))


class Choice(NamedTuple):
    """Names of the columns to learn from; `inputs` come after x1 and x2."""

    x1: str
    x2: str
    target: str
    inputs: tuple[str, ...]


def read_csv(data: bytes, filename: str, header: bool | None = None, target: str | None = None) -> Table:
    """The table in a file; same bytes, same id. `header` and `target` are guessed where they are None.

    Raises ValidationFailed with the line and the rule for whatever cannot be learned from.
    """
    file = _short(filename)
    text = _text(data, file)
    delimiter = _delimiter(text)
    lines, rows = _rows(islice(_records(text, delimiter), limits.POINTS + 2), file)  # enough to see too many
    if header is None:
        header = not any(_number(cell, delimiter) is not None for cell in rows[0])
    titles = rows[0] if header else [""] * len(rows[0])
    body = slice(1 if header else 0, None)
    lines, rows = lines[body], rows[body]
    if not rows:
        raise ValidationFailed(fault("file", say("table.no_rows", file=file)))
    if len(rows) > limits.POINTS:
        raise ValidationFailed(fault("file", say("table.too_many_rows", file=file, limit=limits.POINTS)))

    # A column that the header leaves unnamed holds row numbers, or nothing after a trailing delimiter.
    kept = [
        i
        for i, cells in enumerate(zip(*rows, strict=True))
        if (titles[i] or not header) and not MISSING.issuperset(cells)
    ]
    if len(kept) < len(titles):
        rows = [[row[i] for i in kept] for row in rows]
    complete = [i for i, row in enumerate(rows) if MISSING.isdisjoint(row)]
    if not kept or not complete:
        raise ValidationFailed(fault("file", say("table.all_incomplete", file=file)))
    dropped = len(rows) - len(complete)
    lines, rows = [lines[i] for i in complete], [rows[i] for i in complete]

    columns = tuple(
        _column(name, cells, lines, delimiter)
        for name, cells in zip(_names(titles, kept), zip(*rows, strict=True), strict=True)
    )
    if all(column.kind == "label" for column in columns):
        raise ValidationFailed(fault("file", say("table.no_numbers", file=file)))
    digest = hashlib.sha256(bytes([header]) + data).hexdigest()
    table = Table(digest[:16], columns, len(rows), dropped)
    guess_target(table, target=target)
    return table


def guess_target(
    table: Table,
    x1: str | None = None,
    x2: str | None = None,
    target: str | None = None,
    inputs: Sequence[str] | None = None,
) -> Choice:
    """Fills in the columns that are None and checks all of them.

    The target is the column with a telling name, else the last one of labels that may be classes, else the
    last of all; the inputs are the remaining columns of numbers, in order.
    Raises ValidationFailed with the field that cannot be used.
    """
    if target is None:
        named = [c for c in table.columns if c.name.lower() in TARGET_NAMES]
        labels = [c for c in table.columns if c.kind == "label" and 2 <= len(c.labels) <= limits.CLASSES]
        target = (named or labels or table.columns)[-1].name
    target_values(table.column(target, "target"))

    taken = {target}
    for field, name in [("x1", x1), ("x2", x2), *(("inputs", name) for name in inputs or ())]:
        if name is None:
            continue
        if table.column(name, field).kind == "label":
            raise ValidationFailed(fault(field, say("table.labels_as_input", column=_short(name))))
        if name in taken:
            code = "table.is_target" if name == target else "table.is_input"
            raise ValidationFailed(fault(field, say(code, column=_short(name))))
        taken.add(name)

    free = [c.name for c in table.columns if c.kind == "number" and c.name not in taken]
    free.sort(key=lambda name: name.lower() in ROW_NUMBER_NAMES)  # stable: row numbers come last
    open_fields = [field for field, name in (("x1", x1), ("x2", x2)) if name is None]
    if len(free) < len(open_fields):
        raise ValidationFailed(fault(open_fields[-1], say("table.two_inputs")))
    x1, x2 = x1 or free.pop(0), x2 or free.pop(0)
    if inputs is None:
        inputs = [name for name in free if name.lower() not in ROW_NUMBER_NAMES][: limits.INPUTS - 2]
    elif len(inputs) > limits.INPUTS - 2:
        raise ValidationFailed(fault("inputs", say("table.too_many_inputs", limit=limits.INPUTS)))
    return Choice(x1, x2, target, tuple(inputs))


def target_values(column: Column) -> tuple[np.ndarray, tuple[str, ...]]:
    """int64 class indices and the labels of the classes; for a regression float64 values and no labels.

    Numbers are classes when they are whole and few. Raises ValidationFailed for one class only, or too many.
    """
    values, labels = column.values, column.labels
    if column.kind == "number":
        distinct, codes = np.unique(values, return_inverse=True)
        whole = bool((distinct == np.round(distinct)).all())
        if distinct.size == 1 or (whole and distinct.size <= limits.CLASSES):
            values, labels = codes.astype(np.int64), tuple(f"{value + 0.0:.17g}" for value in distinct)
    if len(labels) == 1:
        rule = say("table.one_class", column=_short(column.name), label=_short(labels[0]))
        raise ValidationFailed(fault("target", rule))
    if len(labels) > limits.CLASSES:
        name, limit = _short(column.name), limits.CLASSES
        rule = say("table.too_many_classes", column=name, labels=len(labels), limit=limit)
        raise ValidationFailed(fault("target", rule))
    return values, labels


def preview(table: Table, n: int = 8) -> list[list[float | str]]:
    """The first n rows, as numbers and labels."""
    return [
        [c.labels[c.values[i]] if c.kind == "label" else float(c.values[i]) for c in table.columns]
        for i in range(min(n, table.rows))
    ]


def to_arrays(table: Table) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A JSON header and arrays, from which `from_arrays` makes the same table."""
    columns = [{"name": c.name, "kind": c.kind, "labels": list(c.labels)} for c in table.columns]
    header = {"id": table.id, "rows": table.rows, "dropped": table.dropped, "columns": columns}
    return header, {f"column.{i}": column.values for i, column in enumerate(table.columns)}


def from_arrays(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Table:
    columns = tuple(
        Column(c["name"], c["kind"], arrays[f"column.{i}"], tuple(c["labels"]))
        for i, c in enumerate(header["columns"])
    )
    return Table(header["id"], columns, header["rows"], header["dropped"])


def _text(data: bytes, file: str) -> str:
    if len(data) > limits.CSV_BYTES:
        rule = say("table.too_large", file=file, bytes=len(data), limit=limits.CSV_BYTES // 2**20)
        raise ValidationFailed(fault("file", rule))
    if len(data.translate(None, CONTROL_BYTES)) < len(data):
        raise ValidationFailed(fault("file", say("table.not_text", file=file)))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if not text.strip():
        raise ValidationFailed(fault("file", say("table.empty", file=file)))
    return text


def _delimiter(text: str) -> str:
    """Comma, semicolon or tab: whichever finds the most numbers in the first lines, then the most cells."""
    sample = text[:20_000].splitlines()[:10]

    def found(delimiter: str) -> tuple[int, int]:
        cells = [cell for record in csv.reader(sample, delimiter=delimiter) for cell in record]
        return sum(_number(cell, delimiter) is not None for cell in cells), len(cells)

    return max(",;\t", key=found)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which it starts, and the cells, of each record that is not blank."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        rule = say("table.unreadable_line", line=line, error=str(error))
        raise ValidationFailed(fault("file", rule)) from None


def _rows(records: Iterator[tuple[int, list[str]]], file: str) -> tuple[list[int], list[list[str]]]:
    """Line numbers and cells, each row as wide as the first."""
    lines: list[int] = []
    rows: list[list[str]] = []
    for line, cells in records:
        if not rows:
            if len(cells) < 2:
                raise ValidationFailed(fault("file", say("table.one_column", file=file, line=line)))
            if len(cells) > limits.CSV_COLUMNS:
                rule = say("table.too_many_columns", line=line, cells=len(cells), limit=limits.CSV_COLUMNS)
                raise ValidationFailed(fault("file", rule))
        elif len(cells) != len(rows[0]):
            first = {"first_line": lines[0], "first_cells": len(rows[0])}
            rule = say("table.ragged", line=line, cells=len(cells), **first)
            raise ValidationFailed(fault("file", rule))
        lines.append(line)
        rows.append(cells)
    if not rows:
        raise ValidationFailed(fault("file", say("table.empty", file=file)))
    return lines, rows


def _names(titles: Sequence[str], kept: Sequence[int]) -> list[str]:
    """The titles, no two the same; "column 3" where there is none."""
    names: list[str] = []
    for i in kept:
        name = " ".join(titles[i].split())[:QUOTED_CHARACTERS] or f"column {i + 1}"
        while name in names:
            name = f"{name} ({i + 1})"
        names.append(name)
    return names


def _column(name: str, cells: Sequence[str], lines: Sequence[int], delimiter: str) -> Column:
    numbers = [_number(cell, delimiter) for cell in cells]
    texts = [i for i, number in enumerate(numbers) if number is None]
    if not texts:
        values = np.array(numbers, dtype=np.float64)
        if not np.isfinite(values).all():
            i = int(np.argmin(np.isfinite(values)))
            rule = say("table.not_finite", line=lines[i], column=_short(name), cell=_short(cells[i]))
            raise ValidationFailed(fault("file", rule))
        return Column(name, "number", values)
    # A few texts among numbers are slips of the pen, which must not turn an input into labels.
    if len(texts) <= max(3, len(cells) // 10) and 2 * len(texts) < len(cells):
        i = texts[0]
        rule = say("table.not_a_number", line=lines[i], column=_short(name), cell=_short(cells[i]))
        raise ValidationFailed(fault("file", rule))
    labels = sorted(set(cells))
    code = {label: i for i, label in enumerate(labels)}
    return Column(name, "label", np.array([code[cell] for cell in cells], dtype=np.int64), tuple(labels))


def _number(cell: str, delimiter: str) -> float | None:
    """A decimal comma counts as a point where commas do not separate the cells."""
    if delimiter != "," and "." not in cell:
        cell = cell.replace(",", ".", 1)
    try:
        return None if "_" in cell else float(cell)  # float() reads 1_000, people do not
    except ValueError:
        return None


def _short(text: str) -> str:
    return f"{text[:QUOTED_CHARACTERS]}…" if len(text) > QUOTED_CHARACTERS else text
