"""What is shown of a training loop at one moment: neuron maps, the decision map, predictions, the data.

Pictures are uint8 with the two numbers that 0 and 255 stand for, so that a frame is small.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from playground import limits
from playground.catalogue.features import available, columns
from playground.run import slices
from playground.run.selection import Selection
from playground.run.slices import FIRST_TWO, Axes
from playground.training.ensemble import answers, combined, outputs_of
from playground.training.evaluation import Evaluation, evaluation_of
from playground.training.experiment import Experiment, features
from playground.training.insight.units import UnitWatch, dropped
from playground.training.loop import TrainingLoop
from playground.training.planes import Plane, plane_of
from playground.training.score_curves import score_curves
from playground.training.scores import class_scores
from playground.training.selected import drawn_units, shown_weights

Arrays = dict[str, np.ndarray]

FEATURE_MAP = 32
MAP_PRODUCTS = 1e9
"""Multiplications that one map may cost; a large network is drawn on a coarser grid."""
MOVING_PRODUCTS = 2.5e7
"""The same while it trains, when there is a map many times a second: a millisecond, about."""
SMALLEST_MAP = 11
"""Its cells fit into what the kernel evaluates at once."""
FARTHEST = np.float32(1e38)
"""The largest number that is drawn."""
CURVE = 241
"""Places along the only input, from -6 to 6."""
CACHED_GRIDS = 4
"""Of the sizes last asked for."""


class Views:
    """The pictures of a training loop. The grids of a few sizes are cached.

    `axes` says what the maps are drawn over, and `held` at what value they hold the other inputs, by its name
    and in its own units; one that is not named is held at its mean over the training points.
    """

    def __init__(self, loop: TrainingLoop, held: Mapping[str, float] | None = None, axes: Axes = FIRST_TWO):
        self.held = dict(held or {})
        self.axes = axes
        self._loop = loop
        self.units = UnitWatch()
        self._plane: Plane | None = None
        self._grids: dict[int, Tensor] = {}
        self._grids_of = loop.experiment

    def show(self, held: Mapping[str, float], axes: Axes) -> None:
        """From now on. Raises `ValidationFailed` for what these data cannot be held at or drawn over."""
        slices.check(held, axes, self._loop.experiment.dataset.task)
        self.held, self.axes = dict(held), axes
        self._forget()

    @property
    def held_values(self) -> tuple[float, ...]:
        """What the inputs that are not drawn are held at, in their order and own units; none where principal
        components are drawn."""
        task, drawn = self._loop.experiment.dataset.task, self.plane.columns
        if not drawn:
            return ()
        named, inputs = slices.fitting(self.held, self._fitting_axes, task), self.plane.origin.tolist()
        values = []
        for column, name in enumerate(task.input_names):
            if column not in drawn:
                low, high = slices.bounds(task, column)
                share = inputs[column] / (2 * limits.HALF_SPAN) + 0.5
                values.append(named.get(name, low * (1 - share) + high * share))
        return tuple(values)

    @property
    def plane(self) -> Plane:
        """What the maps are drawn over."""
        self._follow_data()
        if self._plane is None:
            self._plane = self._plane_over(self._fitting_axes)
        return self._plane

    @property
    def _fitting_axes(self) -> Axes:
        return self.axes.fitting(self._loop.experiment.dataset.task)

    def _plane_over(self, axes: Axes) -> Plane:
        """The inputs that it does not show are held, or at their mean."""
        dataset = self._loop.experiment.dataset
        inputs = dataset.train_inputs.mean(axis=0, dtype=np.float32)
        named = slices.fitting(self.held, axes, dataset.task)
        for column, name in enumerate(dataset.task.input_names):
            if name in named:
                low, high = slices.bounds(dataset.task, column)
                # In halves: the span of the largest floats would overflow.
                share = (named[name] / 2 - low / 2) / (high / 2 - low / 2)
                inputs[column] = (share - 0.5) * 2 * limits.HALF_SPAN
        return plane_of(dataset, axes, inputs)

    def _follow_data(self) -> None:
        """Planes and grids are of the data and features of now."""
        if self._loop.experiment.all_x is not self._grids_of.all_x:
            self._forget()
        self._grids_of = self._loop.experiment

    def _forget(self) -> None:
        self._plane = None
        self._grids.clear()

    def frame(
        self,
        evaluation: Evaluation,
        neuron_size: int = 20,
        output_size: int = 100,
        selection: Selection | None = None,
        moving: bool = False,
    ) -> Arrays:
        """Weights, maps of neurons and output, and predictions, for an evaluation of all points; with a
        `selection`, only of the neurons that are drawn. While it is `moving`, a large network is drawn
        coarser.

        `weight.0`, `bias.0` and so on, float32, and where not all of a weight is shown `weight_sources.0` and
        `weight_units.0`, as `shown_weights` says; `neurons` (N, size, size) with `neurons_range` (N, 2), and
        where these are not all neurons `neurons_index` (N,) int32, their numbers layer by layer;
        `decision` (size, size), of several values (targets, size, size), with `decision_range` (2,), and
        `confidence` of more than two classes; `palette` (K, 3) where classes are colours; of several networks
        their mean, and how far they differ, `spread` (1, size, size) with `spread_range` (1, 2);
        `curve` (1 or K, 241) along the only input: the value, or the share of each class, of two of the last;
        `train_predictions`, `test_predictions`, but for several values, and of an embedding `train_embedding`
        and `test_embedding` (n, dimensions): where each point lies, or its score; of classes `confusion`
        (2, K, K) int32 and their `scores` (2, K + 1, 3), as `class_scores` gives them;
        `unit_states`, and with dropout `dropped` and `dropped_share`, as `insight.units` says.
        """
        experiment, state = self._loop.experiment, self._loop.state
        network = experiment.network
        arrays = shown_weights(network, state, selection)
        size, side = self._fit(neuron_size, moving), self._fit(output_size, moving)
        units = drawn_units(network, selection)
        values, outputs = self._values(size, units, size == side and experiment.recorded == 1)
        arrays["neurons"], arrays["neurons_range"] = quantised(values, size)
        if len(units) < network.units:
            arrays["neurons_index"] = units.astype(np.int32)
        arrays["unit_states"] = self.units.states(experiment, state)
        arrays |= dropped(experiment, state)
        if experiment.dataset.task.inputs == 1:
            arrays["curve"] = self._curve()
        decision = self._decision(side, evaluation, outputs)
        return arrays | decision | self._embedding() | predictions(experiment, evaluation)

    def _values(self, size: int, units: np.ndarray, both: bool) -> tuple[np.ndarray, Tensor | None]:
        """What these units put out over a grid, (units, size²); with `both` the outputs' too, (size²,
        outputs)."""
        network = self._loop.experiment.network
        asked = units
        if both:
            asked = np.concatenate(
                [units, np.arange(network.units - network.layers[-1].width, network.units)]
            )
        if not len(asked):
            return np.empty((0, size * size), np.float32), None
        found = self._loop.trainer.activations(self._grid(size), 0, asked)
        return found[: len(units)], torch.from_numpy(found[len(units) :].T) if both else None

    def _embedding(self) -> Arrays:
        """Of the first network."""
        experiment = self._loop.experiment
        if experiment.task.kind != "embedding":
            return {}
        places = outputs_of(self._loop.trainer, experiment, experiment.all_x).numpy()
        return {
            "train_embedding": places[: experiment.count].copy(),
            "test_embedding": places[experiment.count :].copy(),
        }

    def _curve(self) -> np.ndarray:
        """What the network answers along its only input, float32 (1 or K, CURVE)."""
        experiment = self._loop.experiment
        places = torch.linspace(-limits.HALF_SPAN, limits.HALF_SPAN, CURVE)[:, None].numpy()
        seen = features(experiment.config, places, experiment.device)
        return self._answered(seen).reshape(-1, CURVE).numpy()

    def _answered(self, x: Tensor) -> Tensor:
        """What the network says at features x (1, n, inputs), or several on average: (n,), or (K, n) of more
        than two classes."""
        mean = answers(self._loop.trainer, self._loop.experiment, x).mean(dim=0)
        return mean.T if mean.dim() == 2 else mean

    def _decision(self, size: int, evaluation: Evaluation, outputs: Tensor | None) -> Arrays:
        """`evaluation` is of all points; `outputs` over the map, (size², units), where they are known."""
        task = self._loop.experiment.task
        trainer, experiment = self._loop.trainer, self._loop.experiment
        spread = None
        if experiment.recorded > 1:
            evaluated, spread = combined(trainer, experiment, self._grid(size))
        elif outputs is not None:
            trained = partial(outputs_of, trainer, experiment, experiment.train_x)
            evaluated = evaluation_of(experiment, outputs, None, trained)
        else:
            evaluated = trainer.evaluate(self._grid(size))
        if task.answer == "multiclass":
            low, high = 0.0, task.classes - 1.0
            arrays = {
                "decision": evaluated.prediction.astype(np.uint8).reshape(size, size),
                "confidence": _bytes(evaluated.confidence, size),
            }
        else:
            low, high = (0.0, 1.0) if task.answer == "binary" else experiment.dataset.target_range
            if task.kind == "embedding" and task.answer == "regression":  # scores are as large as they are
                high = float(np.abs(evaluation.prediction).max(initial=0)) or 1.0
                low = -high
            arrays = {"decision": _bytes((evaluated.prediction.T - low) / (high - low), size)}
        arrays["decision_range"] = np.array([low, high], dtype=np.float32)
        if task.class_colours and task.answer != "regression":
            colours = [list(bytes.fromhex(colour.removeprefix("#"))) for colour in task.class_colours]
            arrays["palette"] = np.array(colours, dtype=np.uint8)
        if spread is not None:
            arrays["spread"], arrays["spread_range"] = quantised(spread[None], size)
        return arrays

    def raw(self, size: int, axes: Axes | None = None) -> Arrays:
        """Raw float32 maps over the square: `decision` (size, size) or (K, size, size), `neurons` (N, size,
        size) for every hidden unit and then the outputs. Row 0 is the top. `axes`: other ones than those that
        are shown.

        Raises `ValidationFailed` for axes that the data do not have.
        """
        if axes is not None:
            slices.check_axes(axes, self._loop.experiment.dataset.task)
        grid = self._grid(size) if axes is None else self._cells(size, self._plane_over(axes))
        neurons, decision = self._loop.trainer.activations(grid), self._answered(grid)
        return {
            "decision": decision.reshape(*decision.shape[:-1], size, size).numpy(),
            "neurons": neurons.reshape(-1, size, size),
        }

    def score_curves(self) -> Arrays:
        """How well the scores tell the classes apart: what `score_curves` makes of the training points, named
        `train.…`, and of the test points; nothing for a regression."""
        experiment = self._loop.experiment
        if experiment.task.answer == "regression":
            return {}
        scores = self._answered(experiment.all_x).numpy()
        parts = {"train": slice(None, experiment.count), "test": slice(experiment.count, None)}
        found = {
            part: score_curves(scores[..., points], experiment.targets[points])
            for part, points in parts.items()
        }
        return {f"{part}.{name}": array for part, arrays in found.items() for name, array in arrays.items()}

    def _fit(self, size: int, moving: bool) -> int:
        """The size of a map, made smaller where the network is too large to draw it in time."""
        experiment, most = self._loop.experiment, MOVING_PRODUCTS if moving else MAP_PRODUCTS
        fitting = int((most / (experiment.network.size * experiment.recorded)) ** 0.5)
        return min(size, max(SMALLEST_MAP, fitting))

    def _grid(self, size: int) -> Tensor:
        """Features of a grid of cells, (1, size², inputs)."""
        plane = self.plane
        grid = self._grids.pop(size, None)
        self._grids[size] = self._cells(size, plane) if grid is None else grid
        while len(self._grids) > CACHED_GRIDS:
            del self._grids[next(iter(self._grids))]
        return self._grids[size]

    def _cells(self, size: int, plane: Plane) -> Tensor:
        experiment, axis = self._loop.experiment, _centres(size)
        return features(experiment.config, plane.grid(axis, axis[::-1]), experiment.device)


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


def shown_features(experiment: Experiment) -> tuple[str, ...]:
    """Those that are offered of these data, and then the others that are in use."""
    offered = available(experiment.dataset.task.inputs)
    return tuple(dict.fromkeys((*offered, *experiment.config.features)))


def data_view(experiment: Experiment, plane: Plane) -> tuple[tuple[str, ...], Arrays]:
    """The names of all features that are shown, a map of each, the points, and where on the plane a point x
    is: at `projection` x + `projection_offset`."""
    dataset = experiment.dataset
    names = shown_features(experiment)
    axis = _centres(FEATURE_MAP)
    cells = torch.from_numpy(plane.grid(axis, axis[::-1]))
    maps, ranges = quantised(columns(names, cells, experiment.config.fourier).T.numpy(), FEATURE_MAP)
    return names, {
        "train_inputs": dataset.train_inputs.astype(np.float32),
        "train_targets": dataset.train_targets.astype(np.float32),
        "test_inputs": dataset.test_inputs.astype(np.float32),
        "test_targets": dataset.test_targets.astype(np.float32),
        "feature_maps": maps,
        "feature_ranges": ranges,
        "projection": plane.projection,
        "projection_offset": plane.offset,
    }


def quantised(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps (N, size²) as uint8 (N, size, size), and what 0 and 255 stand for, (N, 2) float32."""
    values = np.fmin(np.fmax(values, -FARTHEST), FARTHEST)  # an exponential may be infinite outside the data
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    scaled = (values - low) * (255 / np.maximum(high - low, 1e-12))
    maps = np.rint(scaled).astype(np.uint8).reshape(-1, size, size)
    return maps, np.concatenate([low, high], axis=1).astype(np.float32)


def _centres(size: int) -> np.ndarray:
    """Centres of `size` cells from -6 to 6, float32."""
    return (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(
        2 * limits.HALF_SPAN / size
    ) - np.float32(limits.HALF_SPAN)


def _bytes(fractions: np.ndarray, size: int) -> np.ndarray:
    """Fractions (…, size²) of 0 to 1 as bytes (…, size, size); what is beyond is cut, no number is 0."""
    scaled = np.fmin(np.fmax(fractions * np.float32(255), 0), 255)  # with a number and NaN, the number
    return np.rint(scaled).astype(np.uint8).reshape(*fractions.shape[:-1], size, size)
