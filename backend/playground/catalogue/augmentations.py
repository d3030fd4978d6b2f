"""Augmentation: copies of the training points, a little different, so that there are more to learn from.

Copies have the targets of their points, and none is made of a test point. They are drawn before features are
made, so to all that trains they are points as any other.
"""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits
from playground.catalogue.component import Component
from playground.catalogue.datasets import Dataset
from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.randomness import normal, uniform

Copies = Annotated[int, Field(ge=1, le=20, title="Copies", description="Of each training point")]


class Augmentation(Component):
    """A subclass says what the copies are in `copied`."""

    of_plane: ClassVar[bool] = False
    """Whether the inputs must be a plane: two coordinates, in one unit."""

    def copied(self, inputs: np.ndarray, seed: int, draw: int) -> np.ndarray:
        """Copies (k, n, D) of inputs (n, D)."""
        raise NotImplementedError

    def added_to(self, dataset: Dataset, seed: int, draw: int) -> Dataset:
        """The data set with the copies after its training points.

        They end where the points may lie, at ±6. Raises `ValidationFailed` where there would be too many.
        """
        own, tests = len(dataset.train_inputs), len(dataset.test_inputs)
        copies = self.copied(dataset.train_inputs, seed, draw)
        points = own * (1 + len(copies)) + tests
        if points > limits.POINTS:
            fits = (limits.POINTS - tests) // own - 1
            rule = say("rule.copies_too_many", points=points, limit=limits.POINTS, fits=fits)
            some = fits > 0 and "copies" in type(self).model_fields
            fitting = {"copies": fits} if some else {"kind": NoAugmentation.name()}
            raise ValidationFailed(fault("augmentation", rule, suggestion={"augmentation": fitting}))
        bounded = copies.reshape(-1, *dataset.train_inputs.shape[1:])
        bounded = bounded.clip(-limits.HALF_SPAN, limits.HALF_SPAN).astype(np.float32)
        return replace(
            dataset,
            train_inputs=np.concatenate([dataset.train_inputs, bounded]),
            train_targets=np.concatenate([dataset.train_targets] * (1 + len(copies))),
            copies=len(bounded),
        )


class NoAugmentation(Augmentation):
    """The network learns from the training points as they are."""

    kind: Literal["no_augmentation"] = "no_augmentation"
    label: ClassVar[str] = "None"
    effect: ClassVar[str] = "effect.to_no_augmentation"
    formula: ClassVar[str] = r"x \mapsto \{x\}"

    def added_to(self, dataset: Dataset, seed: int, draw: int) -> Dataset:
        return dataset


class Jitter(Augmentation):
    """Copies that lie near their points, off by random numbers in every input. Unlike input noise they stay
    where they are, so they can be learned by heart too."""

    kind: Literal["jitter"] = "jitter"
    label: ClassVar[str] = "Jitter"
    effect: ClassVar[str] = "effect.to_augmentation"
    formula: ClassVar[str] = r"x' = x + \sigma \epsilon,\quad \epsilon \sim \mathcal{N}(0, 1)"
    copies: Copies = 2
    std: float = Field(default=0.3, gt=0, le=3, title="Spread σ", description="How far off they are, about")

    def copied(self, inputs: np.ndarray, seed: int, draw: int) -> np.ndarray:
        return inputs + self.std * normal(seed, "augmentation", draw, (self.copies, *inputs.shape)).numpy()


class Rotation(Augmentation):
    """Copies turned around the middle by a random angle. It says that direction does not matter: true of a
    circle, false of a spiral or of XOR, where a turned point would be of another class."""

    kind: Literal["rotation"] = "rotation"
    label: ClassVar[str] = "Rotation"
    effect: ClassVar[str] = "effect.to_augmentation"
    formula: ClassVar[str] = (
        r"x' = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix} x,"
        r"\quad \theta \sim \mathcal{U}(-\alpha, \alpha)"
    )
    of_plane: ClassVar[bool] = True
    copies: Copies = 2
    degrees: float = Field(
        default=15.0, gt=0, le=180, title="Largest angle α", description="In degrees, either way"
    )

    def copied(self, inputs: np.ndarray, seed: int, draw: int) -> np.ndarray:
        drawn = 2 * uniform(seed, "augmentation", draw, (self.copies, len(inputs))).numpy() - 1
        angle = np.deg2rad(self.degrees) * drawn
        x1, x2 = inputs.T
        turned = x1 * np.cos(angle) - x2 * np.sin(angle), x1 * np.sin(angle) + x2 * np.cos(angle)
        return np.stack(turned, axis=-1)


class Mirror(Augmentation):
    """Copies that are mirrored, as a picture of a cat is one of a cat when left and right are exchanged. With
    both, each point has three."""

    kind: Literal["mirror"] = "mirror"
    label: ClassVar[str] = "Mirror"
    effect: ClassVar[str] = "effect.to_augmentation"
    formula: ClassVar[str] = r"(x_1, x_2) \mapsto (-x_1, x_2),\; (x_1, -x_2),\; (-x_1, -x_2)"
    of_plane: ClassVar[bool] = True
    horizontal: bool = Field(default=True, title="Left and right", description="Exchanged")
    vertical: bool = Field(default=False, title="Top and bottom", description="Exchanged")

    def copied(self, inputs: np.ndarray, seed: int, draw: int) -> np.ndarray:
        ways = [(1 - 2 * left, 1 - 2 * top) for left in range(2) for top in range(2) if left or top]
        chosen = [way for way in ways if (self.horizontal or way[0] == 1) and (self.vertical or way[1] == 1)]
        return inputs * np.reshape(chosen, (-1, 1, 2))


class Scaling(Augmentation):
    """Copies nearer to the middle, or farther from it, by a random factor."""

    kind: Literal["scaling"] = "scaling"
    label: ClassVar[str] = "Scaling"
    effect: ClassVar[str] = "effect.to_augmentation"
    formula: ClassVar[str] = r"x' = s x,\quad s \sim \mathcal{U}(1 - r, 1 + r)"
    copies: Copies = 2
    reach: float = Field(
        default=0.2, gt=0, le=0.9, title="Reach r", description="How far from 1 the factor may be"
    )

    def copied(self, inputs: np.ndarray, seed: int, draw: int) -> np.ndarray:
        drawn = 2 * uniform(seed, "augmentation", draw, (self.copies, len(inputs), 1)).numpy() - 1
        return inputs * (1 + self.reach * drawn)
