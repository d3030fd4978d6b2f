"""What is measured of a network: its evaluation at points, and from that the rows of the history."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.pair_losses import PairLoss
from playground.training.experiment import Experiment
from playground.training.gradient import weighted
from playground.training.state import State

SAMPLED_POINTS = 1000
"""Data points evaluated for the history per step, about; more points are sampled less often."""
NOTHING = np.empty(0)
SUMS = 6
"""Of the training data the sums of loss, error and squared error, then the same of the test data. A wrong
class is an error of 1; of several numbers it is the mean over them."""


@dataclass(frozen=True)
class Evaluation:
    """What a network makes of n points, dropout off and running statistics used."""

    loss: np.ndarray
    """(n,), or none without targets."""
    prediction: np.ndarray
    """(n,): the probability of class 1 of two, the class of more, or the value of a regression; of several
    (n, targets)."""
    confidence: np.ndarray
    """(n,): the score of that class, of more than two."""

    def classes(self, task: Task) -> np.ndarray:
        """(n,) int64"""
        return (self.prediction > 0.5 if task.answer == "binary" else self.prediction).astype(np.int64)


def evaluation_of(
    experiment: Experiment, output: Tensor, y: Tensor | None, trained: Callable[[], Tensor]
) -> Evaluation:
    """Of the outputs (n, units) of one network, and its loss against targets (n,) or (n, targets), which the
    training points have, or they and the test points. `trained` gives the outputs of the training points."""
    losses = NOTHING if y is None else losses_of(experiment, output, y).cpu().numpy()
    shown = answers_of(experiment, output, trained)
    if experiment.task.answer != "multiclass":
        return Evaluation(losses, shown.cpu().numpy(), NOTHING)
    confidence, index = shown.max(dim=-1)
    return Evaluation(losses, index.cpu().numpy(), confidence.cpu().numpy())


def losses_of(experiment: Experiment, output: Tensor, y: Tensor) -> Tensor:
    """(n,), of outputs (n, units) and targets (n,) of the training points, or of them and the test points."""
    rows = torch.arange(len(output), device=output.device)
    if experiment.partners is not None:
        rows = torch.cat([rows, experiment.lasting_partners[:, : len(output)].flatten()])
    beside, targets = output[rows][None], y[rows][None]
    return weighted(experiment.config.loss.forward(beside, targets), targets, experiment.class_weights)[0]


def answers_of(experiment: Experiment, output: Tensor, trained: Callable[[], Tensor]) -> Tensor:
    """What outputs (n, units) say, as `Loss.predict`. Those of an embedding say something only beside the
    outputs of the training points, which `trained` gives."""
    loss, task = experiment.config.loss, experiment.task
    if isinstance(loss, PairLoss):
        return loss.answers(output, trained(), experiment.train_y[0].to(output.device), task)
    return loss.predict(output, task)


@dataclass(frozen=True)
class Samples:
    """Points of the history. Losses and scores are evaluated on all data, dropout off."""

    columns: tuple[str, ...]
    """`index`, `step`, `epoch`, `train_loss`, `test_loss`; `train_accuracy`, `test_accuracy` (of a score the
    share of pairs in the right order) or `train_mae`, `test_mae`, `train_r2`, `test_r2`; `grad_norm.0` and so
    on to `grad_norm.output`, the Euclidean norm of the last step's gradient in each layer, before clipping;
    `learning_rate`, that of the last step."""
    table: np.ndarray
    """(3, points, columns) float64: median, least and greatest of the networks that are recorded; NaN where
    there is nothing or no finite number."""

    @property
    def rows(self) -> np.ndarray:
        """The medians, (points, columns)."""
        return self.table[0]

    def __len__(self) -> int:
        return self.table.shape[1]

    def __add__(self, other: "Samples") -> "Samples":
        return Samples(other.columns, np.concatenate([self.table, other.table], axis=1))

    def column(self, name: str) -> np.ndarray:
        return self.rows[:, self.columns.index(name)]

    def named(self) -> dict[str, float | None]:
        """The metrics of the last point by name; None where there is no finite number."""
        values = zip(self.columns[3:], self.rows[-1, 3:].tolist(), strict=True)
        return {name: value if math.isfinite(value) else None for name, value in values}


class Metrics:
    """The metrics of an experiment: raw sums become points of its history."""

    def __init__(self, experiment: Experiment):
        count, targets, task = experiment.count, experiment.targets, experiment.task
        self._task, self._targets = task, targets
        self._by_share = task.classes > 0 or task.kind == "embedding"
        self._partners = experiment.lasting_partners.cpu().numpy()
        self._parts = (slice(None, count), slice(count, None))
        self._counts = np.array([count, len(targets) - count], dtype=np.float64)
        parts = [targets[part] for part in self._parts]
        off = [(part - part.mean(axis=0)) ** 2 if len(part) else part for part in parts]
        self._spread = np.array([_mean_of_each(part) for part in off])
        self._spans = experiment.network.spans
        measures = ("accuracy",) if self._by_share else ("mae", "r2")
        scores = [f"{part}_{measure}" for measure in measures for part in ("train", "test")]
        norms = [f"grad_norm.{index}" for index in range(len(self._spans) - 1)]
        self.columns = (
            *("index", "step", "epoch", "train_loss", "test_loss"),
            *scores,
            *norms,
            "grad_norm.output",
            "learning_rate",
        )
        self._no_samples = Samples(self.columns, np.empty((3, 0, len(self.columns))))
        self.row_size = 2 + SUMS + len(self._spans)
        self.least_stride = 2 ** math.ceil(math.log2(max(1, len(targets) / SAMPLED_POINTS)))

    def row(self, step: int, progress: float, evaluation: Evaluation, grad: Tensor | None) -> np.ndarray:
        """Step, epochs, the `SUMS` and the norm of each layer's gradient, (P,), NaN before the first step."""
        sums = [total for part in self._parts for total in self._sums(evaluation, part)]
        norms = [math.nan] * len(self._spans)
        if grad is not None:
            flat = grad.cpu().numpy().astype(np.float64)
            norms = [float(np.linalg.norm(flat[span])) for span in self._spans]
        return np.array([step, progress, *sums, *norms])

    def _sums(self, evaluation: Evaluation, part: slice) -> tuple[float, float, float]:
        target = self._targets[part]
        if self._by_share and self._task.answer == "regression":
            error = self._misordered(evaluation.prediction, part)
        elif self._by_share:
            error = (evaluation.classes(self._task)[part] != target).astype(np.float64)
        else:
            error = np.abs(evaluation.prediction[part].astype(np.float64) - target)
        loss = float(evaluation.loss[part].sum(dtype=np.float64))
        return loss, _mean_of_each(error), _mean_of_each(error**2)

    def _misordered(self, scores: np.ndarray, part: slice) -> np.ndarray:
        """1 where a point and its partner are not in the order of their targets; two that are equal count as
        right."""
        partner, target = self._partners[0][part], self._targets
        wanted = np.sign(target[part] - target[partner])
        return ((np.sign(scores[part] - scores[partner]) != wanted) & (wanted != 0)).astype(np.float64)

    def samples(self, rows: np.ndarray, first: int, rates: Callable[[np.ndarray], np.ndarray]) -> Samples:
        """The points, the first of them with this index, of rows as `row` gives them, (points, networks, …);
        `rates` knows the learning rate of each step."""
        if not len(rows):  # most stretches of a long run leave none
            return self._no_samples
        step, epoch, sums, norms = rows[..., 0], rows[..., 1], rows[..., 2 : 2 + SUMS], rows[..., 2 + SUMS :]
        with np.errstate(all="ignore"):  # there may be no test data, or no spread
            loss, error = sums[..., 0::3] / self._counts, sums[..., 1::3] / self._counts
            r2 = np.where(self._spread > 0, 1 - sums[..., 2::3] / self._spread, np.nan)
        scores = [1 - error] if self._by_share else [error, r2]
        index = np.broadcast_to(np.arange(first, first + len(rows))[:, None], step.shape)
        rate = np.where(
            step > 0, rates(step[:, 0] - 1)[:, None], np.nan
        )  # of the step before, for they count from 0
        one_by_one = [column[..., None] for column in (index, step, epoch)]
        points = np.concatenate([*one_by_one, loss, *scores, norms, rate[..., None]], axis=2)
        points[~np.isfinite(points)] = np.nan
        return Samples(self.columns, _over_networks(points))


def _over_networks(points: np.ndarray) -> np.ndarray:
    """Median, least and greatest, (3, points, columns), of points (points, networks, columns)."""
    if points.shape[1] == 1:
        return np.broadcast_to(points[:, 0], (3, len(points), points.shape[2]))
    return np.stack([np.median(points, axis=1), points.min(axis=1), points.max(axis=1)])


def _mean_of_each(errors: np.ndarray) -> float:
    """The sum over the points, (n,); of several numbers, (n, targets), of the mean over them."""
    return float(errors.sum() / (errors.shape[1] if errors.ndim > 1 else 1))


def next_stride(step: int, stride: int) -> int:
    """Steps between two points of the history from `step` on: twice as many whenever it is full."""
    return stride * 2 if step // stride >= limits.HISTORY_SAMPLES else stride


def progress(state: State, count: int) -> float:
    """Epochs done, with the part of the current one, of `count` training points."""
    return state.epoch + min(1.0, state.cursor / count)


def all_finite(*tensors: Tensor) -> bool:
    return bool(torch.isfinite(torch.stack([tensor.sum() for tensor in tensors]).sum()))
