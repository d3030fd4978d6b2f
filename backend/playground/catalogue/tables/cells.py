"""What stands in a cell: a number in one of the ways that people write them, a label, or nothing."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Literal

import numpy as np

from playground.catalogue.tables.table import Column, short
from playground.i18n import say

Cell = str | float
"""A workbook has numbers as numbers; all else is text."""
Decimal = Literal[".", ","] | None
"""What parts the whole from the fraction; None where the file does not tell."""

MISSING = frozenset(
    ["", "?", "-", "–", "—", ".", "..", "na", "n/a", "#n/a", "nan", "null", "#null!", "missing", "#div/0!"]
)
"""In small letters."""
ASKED_CELLS = 20_000
"""As many as tell how a file writes its numbers."""
SPACES = " \u00a0\u202f'’"
"""Also found between groups of three digits."""


def _numeral(decimal: str, group: str) -> re.Pattern[str]:
    whole = rf"\d{{1,3}}(?:[{re.escape(group + SPACES)}]\d{{3}})+|\d+|(?={re.escape(decimal)}\d)"
    return re.compile(rf"[+-]?(?:{whole})(?:{re.escape(decimal)}\d*)?(?:[eE][+-]?\d+)?")


WRITTEN = {".": (_numeral(".", ","), ","), ",": (_numeral(",", "."), ".")}
"""By what parts the fraction: how a number looks, and what parts its thousands."""


def is_missing(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.lower() in MISSING


def number(cell: Cell, decimal: Decimal) -> float | None:
    """The number that is written here, "12 %" as 12; None where there is none. It may be infinite."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("−", "-").removesuffix("%").rstrip()
    if decimal is None and text.count(",") + text.count(".") == 1:
        text = text.replace(",", ".")
    # Most numbers have no thousands, and need no pattern.
    if decimal != ",":
        plain = text
    else:
        plain = "" if "." in text else text.replace(",", ".")
    if plain[-1:].isdigit() and "_" not in plain:
        with suppress(ValueError):
            return float(plain)
    # What cannot be read the way of the file may still be read in the other one.
    for point in (",", ".") if decimal == "," else (".", ","):
        pattern, group = WRITTEN[point]
        if pattern.fullmatch(text):
            digits = text.replace(group, "").translate({ord(space): None for space in SPACES})
            return float(digits.replace(point, "."))
    return None


def decimal_of(cells: Iterable[Cell], by_comma: bool) -> Decimal:
    """What most of those numbers say that can be read in one way only. `by_comma`: commas part the cells."""
    votes = {".": 0, ",": 0}
    parted = (cell for cell in cells if isinstance(cell, str) and ("," in cell or "." in cell))
    for cell in islice(parted, ASKED_CELLS):
        text = cell.removesuffix("%").rstrip()
        fits = [point for point, (pattern, _) in WRITTEN.items() if pattern.fullmatch(text)]
        if len(fits) == 1:
            votes[fits[0]] += 1
    if votes["."] == votes[","]:
        return "." if by_comma else None
    return "." if votes["."] > votes[","] else ","


def column_of(name: str, cells: Sequence[Cell], lines: Sequence[int], decimal: Decimal) -> Column:
    """Numbers where all but a few cells are numbers, else labels."""
    signs = "+" in cells  # beside it, "-" is a label
    present = [i for i, cell in enumerate(cells) if not is_missing(cell) or (signs and cell == "-")]
    numbers = {i: number(cells[i], decimal) for i in present}
    texts = [i for i in present if numbers[i] is None]
    # A few texts among numbers are slips of the pen, which must not turn an input into labels.
    if texts and not (len(texts) <= max(3, len(present) // 10) and 2 * len(texts) < len(present)):
        return _labels(name, cells, present)
    values = np.full(len(cells), np.nan)
    for i, value in numbers.items():
        values[i] = np.nan if value is None else value
    slip = None
    if texts:
        i = texts[0]
        slip = say("table.not_a_number", line=lines[i], column=short(name), cell=short(str(cells[i])))
    elif np.isinf(values).any():
        i = int(np.argmax(np.isinf(values)))
        slip = say("table.not_finite", line=lines[i], column=short(name), cell=short(str(cells[i])))
    return Column(name, "number", values, slip=slip)


def _labels(name: str, cells: Sequence[Cell], present: Sequence[int]) -> Column:
    written = {i: text(cells[i]) for i in present}
    labels = sorted(set(written.values()))
    code = {label: i for i, label in enumerate(labels)}
    values = np.full(len(cells), -1, dtype=np.int64)
    for i, label in written.items():
        values[i] = code[label]
    return Column(name, "label", values, tuple(labels))


def text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell:.15g}"
