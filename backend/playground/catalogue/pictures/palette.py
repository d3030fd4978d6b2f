"""A picture in a few colours: k-means (Lloyd, 1982), begun from colours far apart, so without chance."""

import numpy as np

ROUNDS = 50


def reduced(pixels: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Colours (k, 3) from dark to light, at most so many and no more than the picture has; and which of them
    each of the pixels (n, 3) is, (n,) int64."""
    palette = _far_apart(pixels, most)
    for _ in range(ROUNDS):
        nearest = _nearest(pixels, palette)
        members = [pixels[nearest == k] for k in range(len(palette))]
        better = np.array([own.mean(axis=0) for own in members if len(own)])
        if better.shape == palette.shape and np.allclose(better, palette):
            break
        palette = better
    palette = palette[np.argsort(palette @ (0.2126, 0.7152, 0.0722), kind="stable")]
    return palette, _nearest(pixels, palette)


def _far_apart(pixels: np.ndarray, most: int) -> np.ndarray:
    """The colour that is farthest from the mean, then each time that which is farthest from all before."""
    away = ((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1)
    chosen: list[np.ndarray] = []
    while len(chosen) < most:
        chosen.append(pixels[away.argmax()])
        own = ((pixels - chosen[-1]) ** 2).sum(axis=1)
        away = own if len(chosen) == 1 else np.minimum(away, own)
        if away.max() == 0:
            break
    return np.array(chosen)


def _nearest(pixels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    return ((pixels[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1)
