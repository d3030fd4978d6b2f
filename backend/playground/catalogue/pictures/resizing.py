"""A picture made smaller: each pixel is the mean of what it covers."""

import numpy as np


def fitted(width: int, height: int, most: int) -> tuple[int, int]:
    """Width and height with neither side longer than `most`, in the same proportion."""
    longest = max(width, height)
    if longest <= most:
        return width, height
    return max(1, round(width * most / longest)), max(1, round(height * most / longest))


def shrunk(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pixels (h, w, channels) as (height, width, channels)."""
    down, across = _shares(pixels.shape[0], height), _shares(pixels.shape[1], width)
    return np.einsum("yh,hwc,xw->yxc", down, pixels, across, optimize=True)


def _shares(before: int, after: int) -> np.ndarray:
    """How much each old cell adds to each new one, (after, before)."""
    edges = np.arange(after + 1) * before / after
    starts, ends = edges[:-1, None], edges[1:, None]
    cells = np.arange(before)
    covered = (np.minimum(ends, cells + 1) - np.maximum(starts, cells)).clip(0)
    return covered / covered.sum(axis=1, keepdims=True)
