"""Uploaded tables as bytes: in an envelope to a worker, and in the store."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from playground.catalogue.tables.table import Table, from_arrays, to_arrays
from playground.messages.codec import Arrays, decode, encode


def pack(tables: Mapping[str, Table]) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """As they ride in an envelope: headers for a field `tables`, and arrays."""
    headers, packed = [], {}
    for position, table in enumerate(tables.values()):
        header, arrays = to_arrays(table)
        headers.append(header)
        packed |= {f"table.{position}.{name}": array for name, array in arrays.items()}
    return headers, packed


def unpack(headers: list[dict[str, Any]], arrays: Arrays) -> dict[str, Table]:
    tables = {}
    for position, header in enumerate(headers):
        prefix = f"table.{position}."
        own = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
        tables[header["id"]] = from_arrays(header, own)
    return tables


def save_tables(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """As they lie in the store, by name."""
    return {name: encode(*to_arrays(table)) for name, table in tables.items()}


def load_tables(saved: Mapping[str, bytes]) -> dict[str, Table]:
    return {name: from_arrays(*decode(data)) for name, data in saved.items()}
