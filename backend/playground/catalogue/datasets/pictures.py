"""Pictures: every pixel is a point with its colour, so what the network answers is a picture too."""

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import Data, Sample, TrainFraction
from playground.catalogue.pictures import drawings
from playground.catalogue.pictures.drawings import Drawing, drawn
from playground.catalogue.pictures.palette import reduced
from playground.catalogue.pictures.pixels import CHANNELS, pixels_of
from playground.catalogue.pictures.resizing import fitted, shrunk
from playground.catalogue.tables.table import Table
from playground.errors import ValidationFailed, fault
from playground.i18n import say

KEPT = 16
"""Pictures that are kept as pixels and in few colours, of those last asked for."""


class Picture(Data):
    """A subclass gives `pixels`."""

    group: ClassVar[str] = "pictures"
    formula: ClassVar[str] = r"(x_1, x_2) \mapsto (r, g, b) \in [-1, 1]^3"
    train_fraction: TrainFraction = 1.0
    size: int = Field(
        default=limits.IMAGE_SIDE,
        ge=16,
        le=limits.IMAGE_SIDE,
        title="Size",
        description="Pixels along the longer side; each is a point to learn",
        json_schema_extra={"first": 2},
    )
    palette: Literal[2, 3, 4, 5, 6, 7, 8] | None = Field(
        default=None,
        title="Colours as classes",
        description="Reduce the picture to so many colours, each of them a class that a pixel belongs to;"
        " empty to learn red, green and blue as three numbers",
        json_schema_extra={"first": 3},
    )

    def pixels(self, tables: Mapping[str, Table]) -> np.ndarray:
        """(height, width, 3) from 0 to 1, neither side longer than `size`."""
        raise NotImplementedError

    def task(self, tables: Mapping[str, Table]) -> Task:
        pixels = self.pixels(tables)
        picture = (pixels.shape[1], pixels.shape[0])
        if self.palette is None:
            return Task("regression", 0, target_names=CHANNELS, picture=picture)
        palette, _ = self._reduced(tables)
        if len(palette) < 2:
            fits = {"data": {"palette": None}}
            raise ValidationFailed(fault("palette", say("rule.one_colour"), suggestion=fits))
        colours = tuple(map(_hex, palette))
        kind = "binary" if len(palette) == 2 else "multiclass"
        return Task(kind, len(palette), class_labels=colours, class_colours=colours, picture=picture)

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        """In the order of reading: `positions` says where each is."""
        pixels = self.pixels(tables)
        inputs = positions(pixels.shape[1], pixels.shape[0])
        if self.palette is None:
            return inputs, (2 * pixels.reshape(-1, 3) - 1).astype(np.float32)
        return inputs, self._reduced(tables)[1]

    def seen(self, tables: Mapping[str, Table]) -> np.ndarray:
        """The pixels as they are learned: in few colours, where it is so."""
        pixels = self.pixels(tables)
        if self.palette is None:
            return pixels
        palette, index = self._reduced(tables)
        return palette[index].reshape(pixels.shape)

    def _reduced(self, tables: Mapping[str, Table]) -> tuple[np.ndarray, np.ndarray]:
        pixels = self.pixels(tables).reshape(-1, 3)
        return _palette(np.rint(255 * pixels).astype(np.uint8).tobytes(), self.palette or limits.CLASSES)


class DrawnPicture(Picture):
    """One that is drawn by code, in `drawing`."""

    drawing: ClassVar[Drawing]
    shape: ClassVar[tuple[int, int]] = (1, 1)
    """Width and height, in proportion."""

    def pixels(self, tables: Mapping[str, Table]) -> np.ndarray:
        width, height = (round(self.size * side / max(self.shape)) for side in self.shape)
        return _drawn(type(self).drawing, width, height)


class Smiley(DrawnPicture):
    """A face: large even areas with sharp edges. With x1 and x2 alone it stays blurred for long; give the
    network Fourier features, and it gets sharp (Tancik et al., 2020)."""

    kind: Literal["smiley"] = "smiley"
    label: ClassVar[str] = "Smiley"
    drawing: ClassVar[Drawing] = staticmethod(drawings.smiley)


class Landscape(DrawnPicture):
    """A sunset: the sky is smooth and learned soon, the ridges of the mountains take long."""

    kind: Literal["landscape"] = "landscape"
    label: ClassVar[str] = "Landscape"
    drawing: ClassVar[Drawing] = staticmethod(drawings.landscape)


class Flower(DrawnPicture):
    """Eight petals. A network that sees x1 and x2 alone draws a round blot first."""

    kind: Literal["flower"] = "flower"
    label: ClassVar[str] = "Flower"
    drawing: ClassVar[Drawing] = staticmethod(drawings.flower)


class ColouredRings(DrawnPicture):
    """Rings that become finer to the edge, so one sees which frequencies are learned: the low ones first
    (spectral bias; Rahaman et al., 2019)."""

    kind: Literal["coloured_rings"] = "coloured_rings"
    label: ClassVar[str] = "Coloured rings"
    drawing: ClassVar[Drawing] = staticmethod(drawings.rings)


class Flag(DrawnPicture):
    """A flag in the wind, half as wide again as high."""

    kind: Literal["flag"] = "flag"
    label: ClassVar[str] = "Flag"
    drawing: ClassVar[Drawing] = staticmethod(drawings.flag)
    shape: ClassVar[tuple[int, int]] = (3, 2)


class Letters(DrawnPicture):
    """A, B and C, each in a colour of its own: reduced to four colours they are four classes."""

    kind: Literal["letters"] = "letters"
    label: ClassVar[str] = "Letters"
    drawing: ClassVar[Drawing] = staticmethod(drawings.letters)
    shape: ClassVar[tuple[int, int]] = (8, 5)


class UploadedImage(Picture):
    """A picture of your own, PNG or JPEG, made small: the network learns to paint it."""

    kind: Literal["image"] = "image"
    label: ClassVar[str] = "Your picture"
    id: str = Field(max_length=64, description="Of the uploaded file")

    def pixels(self, tables: Mapping[str, Table]) -> np.ndarray:
        table = tables.get(self.id)
        if table is None:
            raise ValidationFailed(fault("id", say("table.unknown", id=self.id)))
        if table.picture is None:
            raise ValidationFailed(fault("id", say("image.is_table", id=self.id)))
        return _shrunk(table, self.size)


def positions(width: int, height: int) -> np.ndarray:
    """The centres of pixels in the order of reading, (width · height, 2) float32: the longer side is that of
    the square."""
    cell = 2 * limits.HALF_SPAN / max(width, height)
    x = (np.arange(width) - (width - 1) / 2) * cell
    y = ((height - 1) / 2 - np.arange(height)) * cell
    return np.stack([np.tile(x, height), np.repeat(y, width)], axis=1).astype(np.float32)


def _hex(colour: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * float(channel)):02x}" for channel in colour)


@lru_cache(KEPT)
def _drawn(drawing: Drawing, width: int, height: int) -> np.ndarray:
    return drawn(drawing, width, height)


@lru_cache(KEPT)
def _shrunk(table: Table, size: int) -> np.ndarray:
    pixels = pixels_of(table)
    return shrunk(pixels, *fitted(pixels.shape[1], pixels.shape[0], size))


@lru_cache(KEPT)
def _palette(pixels: bytes, most: int) -> tuple[np.ndarray, np.ndarray]:
    return reduced(np.frombuffer(pixels, np.uint8).reshape(-1, 3) / 255, most)
