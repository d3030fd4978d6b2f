"""The plane of the inputs that the maps are drawn over: where each cell of the square lies among the inputs,
and where each point lies on the square."""

from dataclasses import dataclass

import numpy as np

from playground import limits
from playground.catalogue.datasets import Dataset
from playground.run import slices
from playground.run.slices import Axes

MARGIN = 1.1
"""A principal component goes so much farther than the farthest point."""


@dataclass(frozen=True)
class Plane:
    """Of D inputs. Both sides of the square run from -6 to 6."""

    origin: np.ndarray
    """(D,) float32: the inputs at the middle of the square."""
    directions: np.ndarray
    """(2, D) float32: what a step to the right and a step upwards add to the inputs."""
    projection: np.ndarray
    """(2, D) float32: a point x lies at `projection @ x + offset`, as far to the right and as far up."""
    offset: np.ndarray
    """(2,) float32"""
    columns: tuple[int, ...]
    """The inputs that are drawn; none if principal components are."""
    ends: tuple[float, ...] = ()
    """Of principal components: what 6 stands for, in standard deviations of the inputs."""
    shares: tuple[float, ...] = ()
    """Of principal components: the share of the variance of the inputs that each has."""

    def grid(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Inputs (len(y) · len(x), D) float32 at places of the square, row by row."""
        across, up = np.tile(x, len(y)), np.repeat(y, len(x))
        grid = np.outer(across, self.directions[0])
        grid += np.outer(up, self.directions[1])
        return grid + self.origin


def plane_of(dataset: Dataset, axes: Axes, held: np.ndarray) -> Plane:
    """The inputs that are not drawn are at `held`, (D,) float32. Axes that the data do not have are the first
    two inputs."""
    axes = axes.fitting(dataset.task)
    if axes.projection == "principal_components":
        return principal_components(dataset)
    columns = axes.columns(dataset.task)
    directions = np.zeros((slices.DRAWN, len(held)), np.float32)
    for side, column in enumerate(columns):
        directions[side, column] = 1
    origin = held.astype(np.float32)
    origin[list(columns)] = 0
    return Plane(origin, directions, directions, np.zeros(slices.DRAWN, np.float32), columns)


def principal_components(dataset: Dataset) -> Plane:
    """Through the mean of the training points, along the two directions in which they differ most once each
    input has been scaled to standard deviation 1 (Hotelling, 1933). Each points to where its largest
    coefficient is positive, and both have one scale."""
    train = dataset.train_inputs.astype(np.float64)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    varies = spread > 1e-6 * limits.HALF_SPAN
    scale = np.where(varies, spread, 1.0)
    every = np.concatenate([dataset.train_inputs, dataset.test_inputs]).astype(np.float64)
    scores = np.where(varies, (every - mean) / scale, 0)
    measured = scores[: len(train)]
    variances, vectors = np.linalg.eigh(measured.T @ measured / len(train))
    components = vectors[:, ::-1].T[: slices.DRAWN]
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(slices.DRAWN), largest])[:, None]
    reach = MARGIN * float(np.abs(scores @ components.T).max()) or 1.0
    unit = reach / limits.HALF_SPAN
    projection = np.where(varies, components / scale, 0) / unit
    total = variances.sum()
    shares = variances[::-1][: slices.DRAWN] / total if total > 0 else np.zeros(slices.DRAWN)
    return Plane(
        mean.astype(np.float32),
        np.where(varies, components * scale * unit, 0).astype(np.float32),
        projection.astype(np.float32),
        (-projection @ mean).astype(np.float32),
        (),
        (reach, reach),
        tuple(shares.tolist()),
    )
