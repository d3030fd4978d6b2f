"""What is shown of a training loop at one moment: neuron maps, the decision map, predictions, the data.

Pictures are uint8 with the two numbers that 0 and 255 stand for, so that a frame is small.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from playground import limits
from playground.catalogue.datasets import Dataset
from playground.catalogue.features import available, columns
from playground.run import slices
from playground.training.evaluation import Evaluation, answers_of
from playground.training.experiment import Experiment, features, plane
from playground.training.loop import TrainingLoop
from playground.training.scores import class_scores
from playground.training.weights import read_weights

Arrays = dict[str, np.ndarray]

FEATURE_MAP = 32
MAP_PRODUCTS = 1e9
"""Multiplications that one map may cost; a large network is drawn on a coarser grid."""
SMALLEST_MAP = 8
FARTHEST = np.float32(1e38)
"""The largest number that is drawn."""
CURVE = 241
"""Places along the only input, from -6 to 6."""
CACHED_GRIDS = 4
"""Of the sizes last asked for."""


class Views:
    """The pictures of a training loop. The grids of a few sizes are cached.

    `held` says at what value the maps hold an input that they are not drawn over, by its name and in its own
    units; one that is not named is held at its mean over the training points.
    """

    def __init__(self, loop: TrainingLoop, held: Mapping[str, float] | None = None):
        self.held = dict(held or {})
        self._loop = loop
        self._grids: dict[int, Tensor] = {}
        self._grids_of = loop.experiment

    def hold(self, held: Mapping[str, float]) -> None:
        """From now on. Raises `ValidationFailed` for what these data cannot be held at."""
        slices.check(held, self._loop.experiment.dataset.task)
        self.held = dict(held)
        self._grids.clear()

    @property
    def held_values(self) -> tuple[float, ...]:
        """What the third input and those after it are held at, in their own units."""
        task = self._loop.experiment.dataset.task
        named = slices.fitting(self.held, task)
        values = []
        for column, place in enumerate(self._held_inputs().tolist()):
            low, high = slices.bounds(task, column)
            share = place / (2 * limits.HALF_SPAN) + 0.5
            values.append(named.get(task.input_names[column], low * (1 - share) + high * share))
        return tuple(values[slices.DRAWN :])

    def _held_inputs(self) -> np.ndarray:
        """All inputs (D,) as the network gets them: held, or the mean."""
        dataset = self._loop.experiment.dataset
        inputs = dataset.train_inputs.mean(axis=0, dtype=np.float32)
        named = slices.fitting(self.held, dataset.task)
        for column, name in enumerate(dataset.task.input_names):
            if column >= slices.DRAWN and name in named:
                low, high = slices.bounds(dataset.task, column)
                # In halves: the span of the largest floats would overflow.
                share = (named[name] / 2 - low / 2) / (high / 2 - low / 2)
                inputs[column] = (share - 0.5) * 2 * limits.HALF_SPAN
        return inputs

    def frame(self, evaluation: Evaluation, neuron_size: int = 20, output_size: int = 100) -> Arrays:
        """Weights, maps of neurons and output, and predictions, for an evaluation of all points.

        `weight.0`, `bias.0` and so on, float32; `neurons` (N, size, size) with `neurons_range` (N, 2);
        `decision` (size, size), of several values (targets, size, size), with `decision_range` (2,), and
        `confidence` of more than two classes;
        `curve` (1 or K, 241) along the only input: the value, or the share of each class, of two of the last;
        `train_predictions`, `test_predictions`, but for several values, and of an embedding `train_embedding`
        and `test_embedding` (n, dimensions): where each point lies, or its score; of classes `confusion`
        (2, K, K) int32 and their `scores` (2, K + 1, 3), as `class_scores` gives them.
        """
        experiment, state = self._loop.experiment, self._loop.state
        arrays: Arrays = {}
        for index, layer in enumerate(read_weights(experiment.network, state)):
            for name, value in layer.items():
                if not name.startswith("running_"):
                    arrays[f"{name}.{index}"] = value.copy()
        size = self._fit(neuron_size)
        arrays["neurons"], arrays["neurons_range"] = quantised(
            self._loop.trainer.activations(self._grid(size)), size
        )
        if experiment.dataset.task.inputs == 1:
            arrays["curve"] = self._curve()
        decision = self._decision(self._fit(output_size), evaluation)
        return arrays | decision | self._embedding() | predictions(experiment, evaluation)

    def _embedding(self) -> Arrays:
        experiment = self._loop.experiment
        if experiment.task.kind != "embedding":
            return {}
        places = self._outputs(experiment.all_x).numpy()
        return {
            "train_embedding": places[: experiment.count].copy(),
            "test_embedding": places[experiment.count :].copy(),
        }

    def _curve(self) -> np.ndarray:
        """What the network answers along its only input, float32 (1 or K, CURVE)."""
        experiment = self._loop.experiment
        places = torch.linspace(-limits.HALF_SPAN, limits.HALF_SPAN, CURVE)[:, None].numpy()
        seen = features(experiment.config, places, experiment.device)
        answers = self._answers(self._loop.trainer.activations(seen))
        return answers.reshape(-1, CURVE).numpy()

    @torch.no_grad()
    def _answers(self, neurons: np.ndarray) -> Tensor:
        """What the activations of all units (units, n) say: (n,), or (K, n) of more than two classes."""
        experiment = self._loop.experiment
        output = torch.from_numpy(neurons[-experiment.network.layers[-1].width :].T)
        answers = answers_of(experiment, output, lambda: self._outputs(experiment.train_x))
        return answers.T if answers.dim() == 2 else answers

    def _outputs(self, x: Tensor) -> Tensor:
        """The outputs (n, units) at features x."""
        width = self._loop.experiment.network.layers[-1].width
        return torch.from_numpy(self._loop.trainer.activations(x)[-width:].T)

    def _decision(self, size: int, evaluation: Evaluation) -> Arrays:
        """`evaluation` is of all points."""
        task = self._loop.experiment.task
        evaluated = self._loop.trainer.evaluate(self._grid(size))
        if task.answer == "multiclass":
            low, high = 0.0, task.classes - 1.0
            arrays = {
                "decision": evaluated.prediction.astype(np.uint8).reshape(size, size),
                "confidence": _bytes(evaluated.confidence, size),
            }
        else:
            low, high = (0.0, 1.0) if task.answer == "binary" else self._loop.experiment.dataset.target_range
            if task.kind == "embedding" and task.answer == "regression":  # scores are as large as they are
                high = float(np.abs(evaluation.prediction).max(initial=0)) or 1.0
                low = -high
            arrays = {"decision": _bytes((evaluated.prediction.T - low) / (high - low), size)}
        return arrays | {"decision_range": np.array([low, high], dtype=np.float32)}

    def raw(self, size: int) -> Arrays:
        """Raw float32 maps over the input square: `decision` (size, size) or (K, size, size), `neurons`
        (N, size, size) for every hidden unit and then the outputs. Row 0 is the top."""
        neurons = self._loop.trainer.activations(self._grid(size))
        decision = self._answers(neurons)
        return {
            "decision": decision.reshape(*decision.shape[:-1], size, size).numpy(),
            "neurons": neurons.reshape(-1, size, size),
        }

    def _fit(self, size: int) -> int:
        """The size of a map, made smaller where the network is too large to draw it in time."""
        fitting = int((MAP_PRODUCTS / self._loop.experiment.network.size) ** 0.5)
        return max(SMALLEST_MAP, min(size, fitting))

    def _grid(self, size: int) -> Tensor:
        """Features of a grid of cells, (1, size², inputs)."""
        experiment = self._loop.experiment
        if experiment.all_x is not self._grids_of.all_x:
            self._grids.clear()
        self._grids_of = experiment

        grid = self._grids.pop(size, None)
        if grid is None:
            axis = _centres(size)
            cells = plane(experiment.dataset, axis, axis.flip(0), self._held_inputs())
            grid = features(experiment.config, cells, experiment.device)
        self._grids[size] = grid
        while len(self._grids) > CACHED_GRIDS:
            del self._grids[next(iter(self._grids))]
        return grid


def predictions(experiment: Experiment, evaluation: Evaluation) -> Arrays:
    """Of every point, and of classes the confusion matrices with their scores."""
    task = experiment.task
    parts = (slice(None, experiment.count), slice(experiment.count, None))
    if task.targets > 1:
        return {}  # as large as a frame; the map shows them
    if task.answer == "regression":
        shown = evaluation.prediction.astype(np.float32)
        return {"train_predictions": shown[parts[0]], "test_predictions": shown[parts[1]]}
    chosen = evaluation.classes(task)
    pairs = experiment.targets.astype(np.int64) * task.classes + chosen
    counts = [np.bincount(pairs[part], minlength=task.classes**2) for part in parts]
    confusion = np.reshape(counts, (2, task.classes, task.classes)).astype(np.int32)
    return {
        "train_predictions": chosen[parts[0]].astype(np.uint8),
        "test_predictions": chosen[parts[1]].astype(np.uint8),
        "confusion": confusion,
        "scores": class_scores(confusion),
    }


def data_view(dataset: Dataset) -> tuple[tuple[str, ...], Arrays]:
    """The names of all features that can be made of the data, a map of each, and the points."""
    task = dataset.task
    names = available(task.inputs)
    axis = _centres(FEATURE_MAP)
    cells = torch.from_numpy(plane(dataset, axis, axis.flip(0)))
    maps, ranges = quantised(columns(names, cells).T.numpy(), FEATURE_MAP)
    return names, {
        "train_inputs": dataset.train_inputs.astype(np.float32),
        "train_targets": dataset.train_targets.astype(np.float32),
        "test_inputs": dataset.test_inputs.astype(np.float32),
        "test_targets": dataset.test_targets.astype(np.float32),
        "feature_maps": maps,
        "feature_ranges": ranges,
    }


def quantised(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps (N, size²) as uint8 (N, size, size), and what 0 and 255 stand for, (N, 2) float32."""
    values = np.fmin(np.fmax(values, -FARTHEST), FARTHEST)  # an exponential may be infinite outside the data
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    scaled = (values - low) * (255 / np.maximum(high - low, 1e-12))
    maps = np.rint(scaled).astype(np.uint8).reshape(-1, size, size)
    return maps, np.concatenate([low, high], axis=1).astype(np.float32)


def _centres(size: int) -> Tensor:
    """Centres of `size` cells from -6 to 6."""
    return (torch.arange(size) + 0.5) * (2 * limits.HALF_SPAN / size) - limits.HALF_SPAN


def _bytes(fractions: np.ndarray, size: int) -> np.ndarray:
    """Fractions (…, size²) of 0 to 1 as bytes (…, size, size); what is beyond is cut, no number is 0."""
    scaled = np.fmin(np.fmax(fractions * np.float32(255), 0), 255)  # with a number and NaN, the number
    return np.rint(scaled).astype(np.uint8).reshape(*fractions.shape[:-1], size, size)
