"""How well scores tell a class from the rest: ROC and precision-recall curves with their areas, and
calibration."""

from dataclasses import dataclass

import numpy as np

DRAWN_POINTS = 256
"""Of a curve, at most; its area is that of all."""
BINS = 10
"""Of equal width, for the calibration."""


@dataclass(frozen=True)
class Curve:
    """From the highest threshold down, each (m,) float64; empty where it is not defined."""

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray
    """A point counts as positive if its score is at least that much."""
    area: float
    """NaN where it is not defined."""


UNDEFINED = Curve(np.empty(0), np.empty(0), np.empty(0), np.nan)


def _counts(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives at each distinct score as the threshold, from the highest down: points that
    tie are counted together."""
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(right, dtype=np.float64)[last]
    return true, last + 1 - true, ranked[last]


def roc(scores: np.ndarray, positive: np.ndarray) -> Curve:
    """False positive rate and true positive rate, for scores (n,) and whether each point is positive, (n,)
    bool. It begins where nothing is positive, at an infinite threshold. The area is the chance that a
    positive point has a higher score than a negative one, a tie being half a chance (Hanley, McNeil,
    1982)."""
    if not 0 < positive.sum() < len(positive):
        return UNDEFINED
    true, false, thresholds = _counts(scores, positive)
    x, y = np.append(0, false / false[-1]), np.append(0, true / true[-1])
    return _drawn(x, y, np.append(np.inf, thresholds), float(np.trapezoid(y, x)))


def precision_recall(scores: np.ndarray, positive: np.ndarray) -> Curve:
    """Recall and precision, for scores (n,) and whether each point is positive, (n,) bool. The area is the
    average precision: the precision at each threshold, weighted by the recall that it adds."""
    if not positive.any():
        return UNDEFINED
    true, false, thresholds = _counts(scores, positive)
    recall, precision = true / true[-1], true / (true + false)
    area = float(np.sum(np.diff(recall, prepend=0) * precision))
    return _drawn(np.append(0, recall), np.append(1, precision), np.append(np.inf, thresholds), area)


def _drawn(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, area: float) -> Curve:
    """With the corners alone, and of many of them some."""
    bent = np.diff(x[:-1]) * np.diff(y[1:]) != np.diff(y[:-1]) * np.diff(x[1:])
    kept = np.flatnonzero(np.concatenate([[True], bent, [True]]))
    if len(kept) > DRAWN_POINTS:
        kept = kept[np.linspace(0, len(kept) - 1, DRAWN_POINTS).round().astype(int)]
    return Curve(x[kept], y[kept], thresholds[kept], area)


@dataclass(frozen=True)
class Calibration:
    """By `BINS` of the predicted probability, each (BINS,) float64; NaN where a bin has no points."""

    predicted: np.ndarray
    """Mean of the predicted probabilities."""
    observed: np.ndarray
    """The share of positive points."""
    counts: np.ndarray
    error: float
    """The expected calibration error: the mean distance of both over the points; NaN of no points."""


def calibration(scores: np.ndarray, positive: np.ndarray) -> Calibration:
    """For scores (n,), of which those beyond 0 to 1 count as 0 or 1, and whether each point is positive.
    Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015."""
    predicted = np.clip(scores.astype(np.float64), 0, 1)
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], predicted)
    counts = np.bincount(bins, minlength=BINS).astype(np.float64)
    sums = [np.bincount(bins, weights=values, minlength=BINS) for values in (predicted, positive)]
    mean, share = (np.divide(s, counts, out=np.full(BINS, np.nan), where=counts > 0) for s in sums)
    error = float(np.abs(sums[0] - sums[1]).sum() / len(scores)) if len(scores) else np.nan
    return Calibration(mean, share, counts, error)


def score_curves(scores: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Of scores (n,) of class 1 of two, or (K, n) of more classes, each against the rest; targets (n,).

    For each such class k `k.roc` and `k.precision_recall` (3, m): x, y, thresholds; `k.calibration` (3,
    BINS): predicted, observed, counts; and `areas` (classes + 1, 3): area under the ROC curve, average
    precision and expected calibration error of each, then their mean over the classes that have it. All
    float64.
    """
    classes = [(1, scores)] if scores.ndim == 1 else list(enumerate(scores))
    arrays, areas = {}, []
    for k, own in classes:
        positive = targets == k
        curves = {"roc": roc(own, positive), "precision_recall": precision_recall(own, positive)}
        for name, curve in curves.items():
            arrays[f"{k}.{name}"] = np.stack([curve.x, curve.y, curve.thresholds])
        bins = calibration(own, positive)
        arrays[f"{k}.calibration"] = np.stack([bins.predicted, bins.observed, bins.counts])
        areas.append([*(curve.area for curve in curves.values()), bins.error])
    each = np.array(areas)
    number = np.isfinite(each).sum(axis=0)
    mean = np.divide(np.nansum(each, axis=0), number, out=np.full(3, np.nan), where=number > 0)
    return arrays | {"areas": np.concatenate([each, mean[None]])}
