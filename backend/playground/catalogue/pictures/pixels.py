"""An image as a table keeps it: a row a pixel, in the order of reading."""

import numpy as np

from playground.catalogue.tables.table import Column, Table

CHANNELS = ("red", "green", "blue")


def columns_of(pixels: np.ndarray) -> tuple[Column, ...]:
    """x, y (upwards) and the `CHANNELS`, from 0 to 255, of pixels (height, width, 3) uint8."""
    height, width, _ = pixels.shape
    y, x = np.mgrid[height - 1 : -1 : -1, 0:width].reshape(2, -1)
    values = (x, y, *pixels.reshape(-1, len(CHANNELS)).T)
    names = ("x", "y", *CHANNELS)
    return tuple(
        Column(name, "number", column.astype(np.float64)) for name, column in zip(names, values, strict=True)
    )


def pixels_of(table: Table) -> np.ndarray:
    """Those of a table that is a picture, (height, width, 3) from 0 to 1."""
    if table.picture is None:
        raise ValueError("this table is no picture")
    width, height = table.picture
    columns = {column.name: column.values for column in table.columns}
    return np.stack([columns[name] for name in CHANNELS], axis=-1).reshape(height, width, 3) / 255
