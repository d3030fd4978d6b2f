"""Precision, recall and F1 score, from the counts of a confusion matrix."""

import numpy as np

SCORES = ("precision", "recall", "f1")


def class_scores(counts: np.ndarray) -> np.ndarray:
    """`SCORES` of each class, then their mean over the classes (macro average), (..., K + 1, 3) float32, for
    counts (..., K, K) by true and predicted class. NaN where there is nothing to divide by: such a class is
    left out of the mean."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    predicted, there = counts.sum(axis=-2), counts.sum(axis=-1)
    above = np.stack([right, right, 2 * right], axis=-1).astype(np.float64)
    below = np.stack([predicted, there, predicted + there], axis=-1).astype(np.float64)
    each = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
    some = np.isfinite(each)
    number = some.sum(axis=-2)
    total = np.where(some, each, 0).sum(axis=-2)
    macro = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return np.concatenate([each, macro[..., None, :]], axis=-2).astype(np.float32)
