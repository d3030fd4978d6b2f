"""Pictures drawn by code, at any size.

Each is a function of where a point is: x to the right and y upwards, (h, w), the shorter side from -1 to 1.
It gives colours (h, w, 3) from 0 to 1.
"""

from collections.abc import Callable

import numpy as np

from playground.catalogue.pictures.resizing import shrunk

Drawing = Callable[[np.ndarray, np.ndarray], np.ndarray]
Colour = tuple[float, float, float]
FINER = 4
"""As many cells a side are drawn for each pixel, so that edges are smooth."""


def drawn(drawing: Drawing, width: int, height: int) -> np.ndarray:
    """Pixels (height, width, 3) from 0 to 1."""
    w, h = FINER * width, FINER * height
    half = min(w, h) / 2
    x, y = np.meshgrid((np.arange(w) + 0.5 - w / 2) / half, (h / 2 - np.arange(h) - 0.5) / half)
    return shrunk(drawing(x, y), width, height)


def smiley(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    picture = _vertical(y, (0.36, 0.68, 0.95), (0.72, 0.9, 1.0))
    _fill(picture, _disc(x, y, 0.86), (0.93, 0.6, 0.1))
    _fill(picture, _disc(x, y, 0.8), (1.0, 0.84, 0.22))
    for side in (-1, 1):
        _fill(picture, _disc((x - 0.3 * side) / 0.72, y - 0.26, 0.19), (0.22, 0.14, 0.1))
        _fill(picture, _disc(x - 0.3 * side - 0.04, y - 0.34, 0.055), (1.0, 1.0, 1.0))
        _fill(picture, _disc(x - 0.52 * side, y + 0.1, 0.13), (1.0, 0.62, 0.42))
    mouth = (y < -0.12) & _disc(x, y + 0.12, 0.46)
    _fill(picture, mouth, (0.55, 0.1, 0.12))
    _fill(picture, mouth & _disc(x, y + 0.66, 0.27), (0.95, 0.4, 0.42))
    return picture


def flag(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """In the wind: stripes, and a sun in a corner."""
    wave = 0.1 * np.sin(3.2 * x + 0.6)
    height = y - wave
    picture = _vertical(y, (0.62, 0.8, 0.93), (0.88, 0.94, 0.98))
    cloth = (np.abs(height) < 0.78) & (np.abs(x) < 1.36)
    stripes = np.floor((height + 0.78) / 1.56 * 5).astype(int) % 2
    _fill(picture, cloth & (stripes == 0), (0.05, 0.52, 0.5))
    _fill(picture, cloth & (stripes == 1), (0.97, 0.95, 0.86))
    corner = cloth & (x < -0.16) & (height > -0.156)
    _fill(picture, corner, (0.42, 0.16, 0.44))
    u, v = x + 0.76, height - 0.31
    rays = 0.22 + 0.1 * (np.cos(12 * np.arctan2(v, u)) > 0)
    _fill(picture, corner & (np.hypot(u, v) < rays), (1.0, 0.8, 0.18))
    _fill(picture, (x < -1.36) & (x > -1.43), (0.35, 0.26, 0.2))
    return picture * (1 + 0.12 * np.where(cloth, np.cos(3.2 * x + 0.6), 0))[..., None].clip(0.5, 1.2)


def flower(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    picture = _vertical(y, (0.12, 0.36, 0.24), (0.3, 0.6, 0.42))
    radius, angle = np.hypot(x, y - 0.06), np.arctan2(y - 0.06, x)
    outer = radius < 0.62 + 0.26 * np.cos(8 * angle)
    _fill(picture, outer, (0.98, 0.56, 0.72))
    _fill(picture, outer & (radius > 0.56 + 0.24 * np.cos(8 * angle)), (0.86, 0.3, 0.54))
    _fill(picture, radius < 0.42 + 0.12 * np.cos(8 * angle + np.pi), (0.99, 0.8, 0.87))
    _fill(picture, radius < 0.25, (0.96, 0.74, 0.16))
    _fill(picture, radius < 0.16, (0.78, 0.48, 0.1))
    return picture


def letters(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A, B and C."""
    picture = np.ones((*x.shape, 3)) * (0.97, 0.95, 0.9)
    pen, x, y = 0.13, 1.1 * x, 1.1 * y
    a = [(-1.5, -0.6, -1.1, 0.6), (-1.1, 0.6, -0.7, -0.6), (-1.34, -0.15, -0.86, -0.15)]
    _fill(picture, np.any([_stroke(x, y, *line, pen) for line in a], axis=0), (0.88, 0.12, 0.16))
    bows = [_arc(x + 0.1, y - 0.3, 0.3, pen, x > -0.1), _arc(x + 0.1, y + 0.3, 0.3, pen, x > -0.1)]
    bars = [(-0.34, level, -0.1, level) for level in (-0.6, 0.0, 0.6)]
    b = [*bows, *(_stroke(x, y, *line, pen) for line in [(-0.34, -0.6, -0.34, 0.6), *bars])]
    _fill(picture, np.any(b, axis=0), (0.1, 0.22, 0.82))
    mouth = np.abs(np.arctan2(y, x - 1.1)) > 0.8
    _fill(picture, _arc(x - 1.1, y, 0.58, pen, mouth), (0.05, 0.7, 0.2))
    return picture


def rings(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ever finer to the edge (a zone plate), so one sees which frequencies were learned."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    hue = np.stack([np.cos(angle - turn) for turn in (0, 2 * np.pi / 3, 4 * np.pi / 3)], axis=-1)
    wave = np.cos(11 * radius**2)[..., None]
    return (0.5 + 0.5 * wave * (0.62 + 0.38 * hue)).clip(0, 1)


def landscape(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A sun goes down behind mountains."""
    picture = _vertical(y, (0.99, 0.66, 0.36), (0.26, 0.24, 0.52))
    glow = np.exp(-(((x - 0.35) ** 2 + (y - 0.12) ** 2) / 0.22))[..., None]
    picture += glow * (np.array([1.0, 0.86, 0.5]) - picture)
    _fill(picture, _disc(x - 0.35, y - 0.12, 0.22), (1.0, 0.95, 0.74))
    peaks = 0.34 - 0.62 * np.abs(x + 0.72)
    far = np.maximum(peaks, 0.16 - 0.5 * np.abs(x - 1.05)) + 0.04 * np.sin(17 * x)
    _fill(picture, y < far, (0.38, 0.3, 0.48))
    _fill(picture, (y < far) & (y > 0.16 + 0.05 * np.sin(23 * x)), (0.96, 0.9, 0.94))
    _fill(picture, y < -0.28 + 0.13 * np.sin(2.1 * x + 0.8), (0.17, 0.3, 0.28))
    _fill(picture, y < -0.6 + 0.1 * np.sin(3.0 * x - 0.4), (0.09, 0.19, 0.2))
    return picture


def _vertical(y: np.ndarray, below: Colour, above: Colour) -> np.ndarray:
    """From one colour at the bottom to another at the top."""
    share = ((y + 1) / 2).clip(0, 1)[..., None]
    return (1 - share) * np.array(below) + share * np.array(above)


def _fill(picture: np.ndarray, where: np.ndarray, colour: Colour) -> None:
    picture[where] = colour


def _disc(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.hypot(x, y) < radius


def _arc(x: np.ndarray, y: np.ndarray, radius: float, pen: float, where: np.ndarray) -> np.ndarray:
    return (np.abs(np.hypot(x, y) - radius) < pen) & where


def _stroke(
    x: np.ndarray, y: np.ndarray, x0: float, y0: float, x1: float, y1: float, pen: float
) -> np.ndarray:
    """A line with round ends."""
    dx, dy = x1 - x0, y1 - y0
    along = (((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)).clip(0, 1)
    return _disc(x - x0 - along * dx, y - y0 - along * dy, pen)
