"""Class weights: how much the points of each class count in the loss, whichever it is."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits
from playground.catalogue.component import Component


class ClassWeights(Component):
    """Scaled so that their mean over the training points is 1. So the loss of all of them is that of torch,
    which divides by the sum of the weights, while a mini-batch counts for as much as it has of rare classes:
    divided by the sum of its own weights, one of a single class would not feel them at all."""

    def of(self, counts: np.ndarray) -> np.ndarray | None:
        """For so many training points of each class (K,), a weight each; none where all count alike."""
        raise NotImplementedError


class EqualClassWeights(ClassWeights):
    """Every point counts the same, so a frequent class counts for more than a rare one."""

    kind: Literal["equal"] = "equal"
    label: ClassVar[str] = "Equal"
    effect: ClassVar[str] = "effect.to_equal_weights"
    formula: ClassVar[str] = r"w_k = 1"

    def of(self, counts: np.ndarray) -> np.ndarray | None:
        return None


class Balanced(ClassWeights):
    """Every class counts the same, however many points it has: the points of a rare one count for more."""

    kind: Literal["balanced"] = "balanced"
    label: ClassVar[str] = "Balanced"
    effect: ClassVar[str] = "effect.to_balanced"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i w_{y_i} L_i,\quad w_k = \frac{n}{K\, n_k}"

    def of(self, counts: np.ndarray) -> np.ndarray | None:
        return _of_mean_one(1 / np.maximum(counts, 1), counts)


class GivenClassWeights(ClassWeights):
    """Weights of your own, one for each class: a mistake in a class of weight 3 costs three times as much as
    in one of weight 1. All are scaled so that an average point counts 1."""

    kind: Literal["given"] = "given"
    label: ClassVar[str] = "Own weights"
    effect: ClassVar[str] = "effect.to_class_weights"
    formula: ClassVar[str] = r"L = \frac{\sum_i w_{y_i} L_i}{\sum_i w_{y_i}}"
    weights: tuple[Annotated[float, Field(gt=0, le=1000)], ...] = Field(
        default=(1.0, 1.0),
        strict=False,
        title="Weights",
        min_length=1,
        max_length=limits.CLASSES,
        description="Of the classes in their order; those without one have 1",
    )

    def of(self, counts: np.ndarray) -> np.ndarray | None:
        weights = np.ones(len(counts))
        given = self.weights[: len(counts)]
        weights[: len(given)] = given
        return _of_mean_one(weights, counts)


def _of_mean_one(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return weights * counts.sum() / (weights * counts).sum()
