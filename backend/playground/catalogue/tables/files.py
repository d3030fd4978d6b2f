"""Files of one's own as rows of cells: text with a delimiter, or a sheet of an Excel workbook.

Delimiter and encoding are guessed, never the meaning of a broken line: that is refused, with its number.
"""

import codecs
import csv
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from time import monotonic
from typing import Any

from playground import limits
from playground.catalogue.tables.cells import Cell, number
from playground.catalogue.tables.table import short
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say

CONTROLS = re.compile("[\0-\x08\x0e-\x1f]")
DELIMITER_LINE = re.compile(r'\s*"?sep=(.)"?\s*?(?:\r\n|\n|\r|$)')
"""What Excel takes for the delimiter of a file."""
WORKBOOK = b"PK\x03\x04"
OLD_WORKBOOK = bytes.fromhex("D0CF11E0A1B11AE1")
MOST_RECORDS = limits.POINTS + 2
"""Enough to see that there are too many."""


@dataclass(frozen=True)
class Records:
    """The rows of a file that are not blank, each as wide as the first, and the line that each begins on."""

    lines: list[int]
    rows: list[list[Cell]]
    by_comma: bool
    """Commas part the cells, so that they part no fractions."""
    sheets: tuple[str, ...] = ()
    sheet: str | None = None


def records(data: bytes, file: str, sheet: str | None = None) -> Records:
    """Raises ValidationFailed with the line and the rule for what cannot be read."""
    if len(data) > limits.CSV_BYTES:
        raise _refusal(say("table.too_large", file=file, bytes=len(data), limit=limits.CSV_BYTES // 2**20))
    if data.startswith(OLD_WORKBOOK):
        raise _refusal(say("table.old_workbook", file=file))
    if data.startswith(WORKBOOK):
        return _workbook(data, file, sheet)
    text = _text(data, file)
    first = 1
    told = DELIMITER_LINE.match(text)
    if told:
        text, first = text[told.end() :], 2
    delimiter = told[1] if told else _delimiter(text)
    lines, rows = _rectangle(islice(_lines(text, delimiter, first), MOST_RECORDS), file)
    return Records(lines, rows, by_comma=delimiter == ",")


def _refusal(rule: Text, field: str = "file") -> ValidationFailed:
    return ValidationFailed(fault(field, rule))


# Text


def _text(data: bytes, file: str) -> str:
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # no byte is undefined
    if CONTROLS.search(text):
        raise _refusal(say("table.not_text", file=file))
    if not text.strip():
        raise _refusal(say("table.empty", file=file))
    return text


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = data[:1000]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros and zeros.count(0) > 0.7 * len(zeros):
            return encoding
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter(text: str) -> str:
    """Comma, semicolon or tab: what parts the first lines most evenly, then into the most numbers."""
    sample = text[:20_000].splitlines()[:10]

    def found(delimiter: str) -> tuple[float, float, int]:
        parted = [record for record in csv.reader(sample, delimiter=delimiter) if record]
        cells = [cell.strip() for record in parted for cell in record]
        width, lines = Counter(map(len, parted)).most_common(1)[0] if parted else (0, 0)
        even = lines / len(parted) if width > 1 else 0.0
        decimal = "." if delimiter == "," else None
        numbers = sum(number(cell, decimal) is not None for cell in cells)
        return even, numbers / max(1, len(cells)), len(cells)

    return max(",;\t", key=found)


def _lines(text: str, delimiter: str, first: int) -> Iterator[tuple[int, list[Cell]]]:
    """The line on which it starts, and the cells, of each record that is not blank."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    line = first
    try:
        for record in reader:
            cells: list[Cell] = [cell.strip() for cell in record]
            if any(cells):
                yield line, cells
            line = first + reader.line_num
    except csv.Error as error:
        raise _refusal(say("table.unreadable_line", line=line, error=str(error))) from None


def _rectangle(found: Iterator[tuple[int, list[Cell]]], file: str) -> tuple[list[int], list[list[Cell]]]:
    """Line numbers and cells, each row as wide as the first."""
    lines: list[int] = []
    rows: list[list[Cell]] = []
    for line, cells in found:
        if not rows:
            if len(cells) < 2:
                raise _refusal(say("table.one_column", file=file, line=line))
            if len(cells) > limits.CSV_COLUMNS:
                rule = say("table.too_many_columns", line=line, cells=len(cells), limit=limits.CSV_COLUMNS)
                raise _refusal(rule)
        elif len(cells) != len(rows[0]):
            first = {"first_line": lines[0], "first_cells": len(rows[0])}
            raise _refusal(say("table.ragged", line=line, cells=len(cells), **first))
        lines.append(line)
        rows.append(cells)
    if not rows:
        raise _refusal(say("table.empty", file=file))
    return lines, rows


# Workbooks


def _workbook(data: bytes, file: str, sheet: str | None) -> Records:
    # A small archive may unpack to gigabytes; zipfile reads no more of a part than it declares.
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile:
        raise _refusal(say("table.not_workbook", file=file)) from None
    if size > limits.WORKBOOK_BYTES:
        limit = limits.WORKBOOK_BYTES // 2**20
        raise _refusal(say("table.workbook_too_large", file=file, limit=limit))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that nobody needs for the values
            return _sheet(data, file, sheet)
    except ValidationFailed:
        raise
    except Exception:  # openpyxl raises whatever its parsers meet
        raise _refusal(say("table.not_workbook", file=file)) from None


def _sheet(data: bytes, file: str, name: str | None) -> Records:
    from openpyxl import load_workbook  # only for who brings one

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = {sheet.title: sheet for sheet in book.worksheets if sheet.sheet_state == "visible"}
    name = next(iter(sheets), "") if name is None else name
    if name not in sheets:
        raise _refusal(
            say("table.no_sheet", sheet=short(name), sheets=[short(one) for one in sheets]), "sheet"
        )
    sheets[name].reset_dimensions()  # what is declared may be wrong
    rows = sheets[name].iter_rows(max_row=2 * MOST_RECORDS, max_col=limits.CSV_COLUMNS + 1, values_only=True)
    found = list(islice(_filled(rows, file), MOST_RECORDS))
    width = max((len(cells) for _, cells in found), default=0)
    padded = ((line, cells + [""] * (width - len(cells))) for line, cells in found)
    lines, cells = _rectangle(padded, file)
    return Records(lines, cells, by_comma=True, sheets=tuple(sheets), sheet=name)


def _filled(rows: Iterator[tuple[Any, ...]], file: str) -> Iterator[tuple[int, list[Cell]]]:
    """Number and cells of each row that is not blank, without empty cells at its end."""
    end = monotonic() + limits.WORKBOOK_SECONDS
    count = 0
    for line, values in enumerate(rows, start=1):
        cells = [_cell(value) for value in values]
        while cells and cells[-1] == "":
            cells.pop()
        count += len(cells)
        if count > limits.WORKBOOK_CELLS or monotonic() > end:
            raise _refusal(say("table.workbook_too_many_cells", file=file, limit=limits.WORKBOOK_CELLS))
        if cells:
            yield line, cells


def _cell(value: Any) -> Cell:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return float(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value).strip()
