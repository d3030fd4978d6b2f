"""An uploaded file as a table: which row names the columns, and what each column holds."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from playground import limits
from playground.catalogue.tables.cells import Cell, Decimal, column_of, decimal_of, is_missing, number, text
from playground.catalogue.tables.files import records
from playground.catalogue.tables.roles import TARGET_NAMES
from playground.catalogue.tables.table import Table, short
from playground.errors import ValidationFailed, fault
from playground.i18n import say

NAME_CHARACTERS = 100
FILE_CHARACTERS = 200
YEARS = range(1800, 2201)
"""Numbers that may well be names of columns."""


def read_table(data: bytes, filename: str, header: bool | None = None, sheet: str | None = None) -> Table:
    """The table in a file; same bytes, same id. Whether the first row is a `header` is guessed where it is
    None; of a workbook the first sheet is taken where none is named.

    Raises ValidationFailed with the line and the rule for whatever cannot be read.
    """
    file = short(filename)
    found = records(data, file, sheet)
    lines, rows = found.lines, found.rows
    decimal = decimal_of((cell for row in rows for cell in row), found.by_comma)
    if header is None:
        header = _has_header(rows, decimal)
    titles = [text(cell) for cell in rows[0]] if header else [""] * len(rows[0])
    body = slice(1 if header else 0, None)
    lines, rows = lines[body], rows[body]
    if not rows:
        raise ValidationFailed(fault("file", say("table.no_rows", file=file)))
    if len(rows) > limits.POINTS:
        raise ValidationFailed(fault("file", say("table.too_many_rows", file=file, limit=limits.POINTS)))

    # A column that the header leaves unnamed holds row numbers, or nothing after a trailing delimiter.
    kept = {
        i: cells
        for i, cells in enumerate(zip(*rows, strict=True))
        if (titles[i] or not header) and not all(is_missing(cell) for cell in cells)
    }
    if not kept:
        raise ValidationFailed(fault("file", say("table.all_missing", file=file)))
    names = _names(titles, list(kept))
    columns = tuple(
        column_of(name, cells, lines, decimal) for name, cells in zip(names, kept.values(), strict=True)
    )
    if all(column.kind == "label" for column in columns):
        raise ValidationFailed(fault("file", say("table.no_numbers", file=file)))
    digest = hashlib.sha256(bytes([header]) + (found.sheet or "").encode() + b"\0" + data).hexdigest()
    name = filename[:FILE_CHARACTERS]
    return Table(digest[:16], columns, len(rows), name, header, found.sheets, found.sheet)


def _names(titles: Sequence[str], kept: Sequence[int]) -> list[str]:
    """The titles, no two the same; "column 3" where there is none."""
    names: list[str] = []
    for i in kept:
        name = " ".join(titles[i].split())[:NAME_CHARACTERS] or f"column {i + 1}"
        while name in names:
            name = f"{name} ({i + 1})"
        names.append(name)
    return names


def _has_header(rows: Sequence[Sequence[Cell]], decimal: Decimal) -> bool:
    """Whether the first row looks like names: texts, but also years or a count above other values."""
    first, body = rows[0], rows[1:]
    heads = [number(cell, decimal) for cell in first]
    counted = [head for head in heads if head is not None]
    if not counted or not body:
        return not counted
    below = [
        [cell for cell in cells if not is_missing(cell)] for cells in zip(*body, strict=True)
    ]  # of each column
    texts = [i for i, head in enumerate(heads) if head is None and not is_missing(first[i])]
    if any(below[i] and all(number(cell, decimal) is not None for cell in below[i]) for i in texts):
        return True
    if any(first[i] in below[i] for i in texts) or len(set(counted)) < len(counted):
        return False
    if all(head in YEARS for head in counted):
        return all(_is_beyond(head, below[i], decimal) for i, head in enumerate(heads) if head is not None)
    if not _counts(counted):
        return False
    if texts:
        telling = any(text(first[i]).lower() in TARGET_NAMES for i in texts)
        return telling or any(2 * len(set(below[i])) <= len(body) for i in texts)
    after = [number(cell, decimal) for cell in body[0]]
    return len(counted) >= 4 and len(body) >= 3 and not _steps(after)


def _is_beyond(head: float, cells: Sequence[Cell], decimal: Decimal) -> bool:
    """Whether it lies outside of the numbers below."""
    found = [value for value in (number(cell, decimal) for cell in cells) if value is not None]
    return bool(found) and not min(found) <= head <= max(found)


def _counts(numbers: Sequence[float]) -> bool:
    """0, 1, 2, … or 1, 2, 3, …"""
    return numbers[0] in (0, 1) and _steps(numbers)


def _steps(numbers: Sequence[float | None]) -> bool:
    return all(a is not None and b is not None and b - a == 1 for a, b in pairwise(numbers))
