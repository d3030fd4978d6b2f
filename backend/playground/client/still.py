"""The picture that a session leaves in a saved notebook, where nothing is live any more."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.client.live import decode

if TYPE_CHECKING:
    from PIL import ImageDraw

EDGE, WIDE, LINE = 240, 380, 22
"""Pixels: of the map's side, of the curves, of the line of text above."""
EXTENT = 6.0
MOST_ROWS = 1024
ORANGE, NEUTRAL, BLUE = (234, 138, 34), (240, 240, 238), (26, 120, 188)
CLASSES = [(212, 108, 0), (0, 110, 178), (0, 146, 106), (196, 92, 148), (150, 132, 0), (40, 144, 206)]
CLASSES += [(176, 44, 24), (58, 66, 78), (118, 74, 176), (122, 84, 46)]
TRAIN, TEST, INK = (112, 28, 150), (0, 146, 90), (74, 82, 94)
"""The colours of the page, in its light theme."""
Colours = NDArray[np.uint8]


class Curves:
    """Rows of epoch, training loss and test loss; when there are too many, every second one is left out."""

    def __init__(self) -> None:
        self.rows = np.empty((0, 3))

    def add(self, rows: NDArray[np.float64]) -> None:
        self.rows = np.concatenate([self.rows, rows])
        while len(self.rows) > MOST_ROWS:
            self.rows = self.rows[(len(self.rows) - 1) % 2 :: 2]  # the last one stays

    def encoded(self) -> bytes:
        return self.rows.astype("<f4").tobytes()


def still(frame: bytes, data: bytes, curves: Curves, state: dict[str, Any]) -> bytes:
    """A PNG of the decision map with the training points, the curves, and a line of numbers."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (EDGE + 16 + WIDE, LINE + EDGE), "white")
    pen = ImageDraw.Draw(picture)
    loss = " · ".join(f"{part} {value:.3g}" for part, value in state["loss"].items() if value is not None)
    pen.text((0, 4), f"Epoch {int(state['epoch'])} · {loss}", fill=INK)
    if frame:
        _, arrays = decode(frame)
        colours = _map_colours(arrays)
        if colours is not None:
            size = (EDGE, EDGE)
            picture.paste(Image.fromarray(colours).resize(size, Image.Resampling.NEAREST), (0, LINE))
            if data and arrays["decision"].ndim == 2:
                _draw_points(pen, data, regression="confusion" not in arrays)
    _draw_curves(pen, curves.rows)
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def _map_colours(arrays: dict[str, np.ndarray]) -> Colours | None:
    """(size, size, 3), or None where there is no map: of one input, or before the first frame."""
    cells = arrays.get("decision")
    if cells is None or not cells.size:
        return None
    if cells.ndim == 3:  # a picture: red, green and blue
        return np.moveaxis(cells, 0, -1).copy()
    if "confidence" in arrays:
        sure = 0.1 + 0.78 * arrays["confidence"][..., None] / 255
        classes = np.array(CLASSES)[cells % len(CLASSES)]
        return (np.array(NEUTRAL) * (1 - sure) + classes * sure).astype(np.uint8)
    lo, hi = arrays["decision_range"].ravel()[:2]
    share = cells / 255
    if "confusion" not in arrays:  # a regression: zero is neutral
        share = 0.5 + 0.5 * (lo + (hi - lo) * share) / max(abs(lo), abs(hi), 1)
    stops = np.array([ORANGE, NEUTRAL, BLUE])
    channels = [np.interp(share, [0, 0.5, 1], stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _draw_points(pen: ImageDraw.ImageDraw, data: bytes, regression: bool) -> None:
    _, arrays = decode(data)
    inputs, targets = arrays["train_inputs"], arrays["train_targets"]
    if "projection" in arrays and arrays["projection"].size:
        inputs = inputs @ arrays["projection"].reshape(2, -1).T + arrays["projection_offset"]
    if inputs.ndim < 2 or inputs.shape[1] < 2:
        return
    places = (inputs[:, :2] * [1, -1] + EXTENT) / (2 * EXTENT) * EDGE
    for (x, y), target in zip(places.tolist(), targets.ravel().tolist(), strict=False):
        colour = (BLUE if target > 0 else ORANGE) if regression else CLASSES[int(target) % len(CLASSES)]
        if 2 <= x <= EDGE - 2 and 2 <= y <= EDGE - 2:
            pen.ellipse((x - 2, LINE + y - 2, x + 2, LINE + y + 2), fill=colour, outline="white")


def _draw_curves(pen: ImageDraw.ImageDraw, rows: NDArray[np.float64]) -> None:
    left, right, upper, bottom = EDGE + 60, EDGE + 16 + WIDE - 8, LINE + 16, LINE + EDGE - 18
    pen.line((left, upper, left, bottom, right, bottom), fill=INK)
    pen.text((left, LINE), "loss", fill=INK)
    if len(rows) < 2 or not np.isfinite(rows[:, 1:]).any():
        return
    last, top = rows[-1, 0] or 1, np.nanmax(rows[:, 1:]) or 1
    for column, colour, name in ((1, TRAIN, "train"), (2, TEST, "test")):
        fine = rows[np.isfinite(rows[:, column])]
        x = left + fine[:, 0] / last * (right - left)
        y = bottom - fine[:, column] / top * (bottom - upper)
        pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=colour, width=2)
        pen.text((right - 70 + 36 * (column - 1), LINE), name, fill=colour)
    pen.text((EDGE + 20, upper - 4), f"{top:.2g}", fill=INK)
    pen.text((EDGE + 44, bottom - 8), "0", fill=INK)
    pen.text((right - 60, bottom + 4), f"epoch {int(last)}", fill=INK)
