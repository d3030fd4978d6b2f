"""The reference trainer: plain PyTorch with autograd, correct first, on any device.

It trains a stack of R networks of one shape, and an ordinary session is R = 1. It knows tensors and nothing
of processes, JSON or viewers.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from backend import limits
from backend.catalogue.component import Problem
from backend.catalogue.datasets import Dataset
from backend.catalogue.features import available, columns
from backend.change import Setting, carry
from backend.config import FieldError, Refused, RunConfig, Tables
from backend.network import Network, State, Views, forward, initialise, thinned
from backend.randomness import permutation, uniform

Arrays = dict[str, np.ndarray]
Value = TypeVar("Value")

MASK_NUMBERS = 2**18
"""Random numbers drawn ahead for dropout."""
SAMPLED_POINTS = 1000
"""Data points evaluated for the history per step, about; more points are sampled less often."""
NOTHING = np.empty(0)
FEATURE_MAP = 32
PICTURE_FLOP = 1e9
"""Multiplications that one map may cost; a large network is drawn on a coarser grid."""
KEPT = 4
"""Grids that are kept ready, of the sizes last asked for."""


@dataclass(frozen=True)
class Samples:
    """Points of the history. Losses and scores are evaluated on all data, dropout off."""

    columns: tuple[str, ...]
    """`index`, `step`, `epoch`, `train_loss`, `test_loss`; `train_accuracy`, `test_accuracy` or `train_mae`,
    `test_mae`, `train_r2`, `test_r2`; `grad_norm.0` and so on, the Euclidean norm of the last step's gradient
    in each layer, before clipping."""
    rows: np.ndarray
    """(points, columns) float64; NaN where there is nothing or no finite number."""

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: "Samples") -> "Samples":
        return Samples(other.columns, np.concatenate([self.rows, other.rows]))

    def column(self, name: str) -> np.ndarray:
        return self.rows[:, self.columns.index(name)]


@dataclass(frozen=True)
class Judgement:
    """What a network makes of n points."""

    loss: np.ndarray
    """(n,), or none without targets."""
    shown: np.ndarray
    """(n,): the probability of class 1 of two, the class of more, or the value of a regression."""
    sure: np.ndarray
    """(n,): the score of that class, of more than two."""

    def classes(self, problem: Problem) -> np.ndarray:
        """(n,) int64"""
        return (self.shown > 0.5 if problem.kind == "binary" else self.shown).astype(np.int64)


@dataclass
class Diverged(ArithmeticError):
    """Training went to NaN or infinity in this step. The state is the one before it, all finite."""

    step: int
    layer: int
    detail: str
    samples: Samples


class Trainer:
    """A stack that trains, with its data. `state` is all that training changes."""

    chunk_steps: ClassVar[int] = 64
    """Most steps between two looks at the clock, and at whether all is still finite."""
    chunk_seconds = 0.002
    """Likewise, the time in between, about."""

    config: RunConfig
    dataset: Dataset
    network: Network
    state: State

    def __init__(self, config: RunConfig, dataset: Dataset, state: State):
        self._bind(config, dataset, state)

    @classmethod
    def start(
        cls,
        config: RunConfig,
        tables: Tables | None = None,
        device: str = "cpu",
        seeds: tuple[int, ...] | None = None,
    ) -> Self:
        """A new run on `device`; with seeds, a stack of one network a seed, all on the data of the config."""
        dataset = config.data.split(config.seed, tables or {})
        network = Network.of(config, dataset.problem)
        seed_tensor = torch.tensor(seeds or (config.seed,), dtype=torch.int64, device=device)
        weights, buffers = initialise(network, config, seed_tensor)
        slots = weights.new_zeros(config.optimizer.slots, *weights.shape)
        return cls(config, dataset, State(seed_tensor, weights, buffers, slots, torch.zeros_like(weights)))

    @property
    def step(self) -> int:
        return self.state.step

    @property
    def epoch(self) -> int:
        return self.state.epoch

    @property
    def progress(self) -> float:
        """Epochs done, with the part of the current one."""
        return self.state.epoch + min(1.0, self.state.cursor / self._n)

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self._n / self.config.batch_size)

    # Training

    def train(self, steps: int, deadline: float | None = None) -> Samples:
        """Train up to `steps` steps and return the points of the history that they left.

        Returns early once time.monotonic() passes `deadline`. Raises `Diverged`. What is trained does not
        depend on the deadline, only how far.
        """
        samples = self._no_samples
        while steps > 0:
            began = time.monotonic()
            count = min(steps, self._chunk)
            before = self.state.copy()
            recorded, finite = self._run(count)
            if not finite:
                samples = self._find_divergence(before, count, samples)
            else:
                samples += recorded
            steps -= count
            now = time.monotonic()
            if now - began < self.chunk_seconds / 2:
                self._chunk = min(self.chunk_steps, self._chunk * 2)
            elif now - began > self.chunk_seconds:
                self._chunk = max(1, self._chunk // 2)
            if deadline is not None and now >= deadline:
                break
        return samples

    def _run(self, steps: int) -> tuple[Samples, bool]:
        """The points of the history that the steps leave, and whether all is still finite."""
        samples = self._no_samples
        for _ in range(steps):
            x, y, masks = self._batch()
            self._loss, self._grad, _ = self._gradient(x, y, masks)
            self._update(self._grad)
            self._advance(x.shape[1])
            if self.state.step % self.state.stride == 0:
                samples += self.record()
        return samples, self._finite()

    def _batch(self) -> tuple[Tensor, Tensor, list[Tensor | None]]:
        """Features (R, batch, inputs), targets (R, batch), dropout masks of the inputs and each layer."""
        state = self.state
        if state.cursor >= self._n:  # the data became fewer
            state.epoch, state.cursor = state.epoch + 1, 0
        if self._shuffled_epoch != state.epoch:
            self._shuffle(state.epoch)
        rows = slice(state.cursor, state.cursor + self.config.batch_size)
        x, y = self._epoch_x[:, rows], self._epoch_y[:, rows]
        return x, y, self._masks(x.shape[1])

    def _shuffle(self, epoch: int) -> None:
        self._shuffled_epoch = epoch
        if self.config.shuffle:
            order = permutation(self.state.seeds, "shuffle", epoch, self._n)
        else:
            order = torch.arange(self._n, device=self._x.device).expand(len(self.state.seeds), -1)
        self._epoch_x, self._epoch_y = self._x[0][order], self._y[0][order]

    def _masks(self, batch: int) -> list[Tensor | None]:
        if not any(self.network.dropouts):
            return self._no_masks
        index = self.state.step % self._mask_block
        if self._masks_from != self.state.step - index:
            self._masks_from = self.state.step - index
            ahead = torch.arange(self._mask_block, device=self.state.seeds.device)
            self._drawn_masks = self._draw_masks(self._masks_from + ahead[:, None])
        return [None if mask is None else mask[index, :, :batch] for mask in self._drawn_masks]

    def _draw_masks(self, steps: Tensor) -> list[Tensor | None]:
        """Masks (steps, R, batch, width) for steps (steps, R) or (steps, 1): 1 / (1 - rate), or 0 at the
        rate."""
        widths = [self.network.layers[0].inputs, *(layer.width for layer in self.network.layers)]
        masks: list[Tensor | None] = []
        for place, (rate, width) in enumerate(zip(self.network.dropouts, widths, strict=True)):
            if rate == 0:
                masks.append(None)
                continue
            shape = (min(self.config.batch_size, self._n), width)
            drawn = uniform(self.state.seeds, f"dropout {place}", steps, shape)
            masks.append((drawn >= rate).float() / (1 - rate))
        return masks

    def _gradient(
        self, x: Tensor, y: Tensor, masks: list[Tensor | None]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Loss (R, batch), the gradient (R, P) of its mean with L1 and L2, and the activations.

        The loss is summed over R: the rows stay independent.
        """
        activations = forward(self.network, self._parameters, self._buffers, x, masks)
        loss = self.config.loss.forward(activations[-1], y)
        pieces = torch.autograd.grad(loss.sum() / x.shape[1], self._leaves)
        if x.shape[1] > 1:  # batch normalisation takes a bias away again: what autograd finds is rounding
            for bias in self._idle_biases:
                pieces[bias].zero_()
        grad = torch.cat([piece.flatten(1) for piece in pieces], dim=1)
        weights = self.state.weights
        if self.config.l2:
            grad = grad.addcmul(weights, self._penalised, value=self.config.l2)
        if self.config.l1:
            grad = grad.addcmul(weights.sign(), self._penalised, value=self.config.l1)
        return loss.detach(), grad, activations

    def _update(self, grad: Tensor) -> None:
        state = self.state
        if self.config.clip_norm is not None:
            norm = grad.norm(dim=1, keepdim=True)
            grad = grad * (self.config.clip_norm / (norm + 1e-6)).clamp(max=1)
        state.updates.add_(1)
        delta, slots = self.config.optimizer.update(state.weights, grad, tuple(state.slots), state.updates)
        state.weights.add_(delta)
        for slot, latest in zip(state.slots, slots, strict=True):
            slot.copy_(latest)

    def _advance(self, batch: int) -> None:
        state = self.state
        state.step += 1
        state.cursor += batch
        if state.cursor >= self._n:
            state.epoch, state.cursor = state.epoch + 1, 0

    def _finite(self) -> bool:
        total = self._loss.sum() + torch.stack([t.sum() for t in self.state.tensors()]).sum()
        return bool(torch.isfinite(total))

    def _find_divergence(self, before: State, steps: int, samples: Samples) -> Samples:
        """Take the steps once more, by halves, and stop before the one that is not finite."""
        self._adopt(before)
        while steps:
            before, count = self.state.copy(), max(1, steps // 2)
            recorded, finite = self._run(count)
            if finite:
                samples += recorded
                steps -= count
                continue
            self._adopt(before.copy())
            if count == 1:
                x, y, masks = self._batch()
                self._loss, grad, activations = self._gradient(x, y, masks)
                self._adopt(before)
                self._grad = None
                raise Diverged(before.step + 1, *self._blame(grad, activations), samples)
            steps = count
        return samples

    def _blame(self, grad: Tensor, activations: list[Tensor]) -> tuple[int, str]:
        for index, activation in enumerate(activations):
            if not torch.isfinite(activation).all():
                return index, "its activations are no longer finite"
        for index, span in reversed(list(enumerate(self.network.spans))):
            if not torch.isfinite(grad[:, span]).all():
                return index, "its gradient is no longer finite"
        sizes = [float(self.state.weights[:, span].abs().max()) for span in self.network.spans]
        return int(np.argmax(sizes)), "its weights grow without bound"

    # Changing what runs

    def change(self, config: RunConfig, tables: Tables | None = None) -> list[str]:
        """Go on with another config, live, and say what that did. Nothing happens if it is refused."""
        same_data = (config.data, config.seed) == (self.config.data, self.config.seed)
        dataset = self.dataset if same_data else config.data.split(config.seed, tables or {})
        state = self.state.copy()
        # As far into the epoch as before, so that no curve runs backwards.
        state.cursor = math.ceil(state.cursor * len(dataset.train_inputs) / self._n)
        if config.seed != self.config.seed and len(state.seeds) == 1:
            state.seeds = torch.full_like(state.seeds, config.seed)
        old = self._setting(self.config, self.dataset)
        with torch.no_grad():
            state, effects = carry(old, self._setting(config, dataset), state)
        self._bind(config, dataset, state)
        return effects

    def _setting(self, config: RunConfig, dataset: Dataset) -> Setting:
        network = Network.of(config, dataset.problem)
        x = self._features(config, dataset.train_inputs)
        corners = torch.linspace(-limits.HALF_SPAN, limits.HALF_SPAN, 25)
        everything = np.concatenate(
            [dataset.train_inputs, dataset.test_inputs, _plane(dataset, corners, corners)]
        )
        return Setting(config, network, x, self._features(config, everything))

    def weights(self) -> list[dict[str, np.ndarray]]:
        """Parameters and running statistics of each layer: weight (in, out), the others (out,)."""
        return [{name: view.cpu().numpy() for name, view in layer.items()} for layer in self._first]

    def set_weights(self, layers: list[dict[str, Any]]) -> None:
        """Replace parameters by name, in the form of `weights`; what is not named stays."""
        if len(layers) != len(self.network.layers):
            raise Refused(FieldError("layers", f"this network has {len(self.network.layers)} layers"))
        checked: list[tuple[Tensor, Tensor]] = []
        for index, (layer, parameters, buffers) in enumerate(
            zip(layers, self._parameters, self._buffers, strict=True)
        ):
            named = _with_running(parameters, buffers)
            for name, value in layer.items():
                path = f"layers.{index}.{name}"
                if name not in named:
                    raise Refused(FieldError(path, f"this layer has {', '.join(named)}"))
                shape = tuple(named[name].shape[1 if name == "weight" else 2 :])
                checked.append((named[name], _numbers(path, value, shape)))
        with torch.no_grad():
            for target, value in checked:
                target.copy_(value.expand_as(target))

    def set_weight(self, layer: int, source: int | None, unit: int, value: float) -> None:
        """Set the weight from input `source` of a layer to one of its units, or with None its bias."""
        if not 0 <= layer < len(self.network.layers):
            raise Refused(FieldError("layer", f"this network has layers 0 to {len(self.network.layers) - 1}"))
        shape = self.network.layers[layer]
        if not 0 <= unit < shape.width:
            raise Refused(FieldError("unit", f"this layer has units 0 to {shape.width - 1}"))
        if source is not None and not 0 <= source < shape.inputs:
            raise Refused(FieldError("source", f"this layer has inputs 0 to {shape.inputs - 1}"))
        if not math.isfinite(value) or abs(value) > np.finfo(np.float32).max:
            raise Refused(FieldError("value", "a weight is a finite number"))
        parameters = self._parameters[layer]
        with torch.no_grad():
            if source is None:
                parameters["bias"][:, 0, unit] = value
            else:
                parameters["weight"][:, source, unit] = value

    # Looking

    def metrics(self) -> dict[str, Any]:
        """What is measured at this moment, of the first network of the stack; None where it is not finite."""
        return self._named(self._measure()[0])

    def _named(self, raw: np.ndarray) -> dict[str, Any]:
        sample = self._sample(raw)
        values = [value if math.isfinite(value) else None for value in sample.rows[0].tolist()]
        norms = len(values) - len(self.network.layers)
        return {
            **dict(zip(sample.columns[3:norms], values[3:norms], strict=True)),
            "grad_norm": values[norms:],
        }

    def record(self) -> Samples:
        """Add the metrics of this moment to the history; training does so by itself, but for step 0."""
        state = self.state
        sample = self._sample(self._measure()[0])
        state.samples += 1
        state.stride = thinned(state.step, max(state.stride, self._least_stride))
        return sample

    @torch.no_grad()
    def _measure(self) -> tuple[np.ndarray, Judgement]:
        """A row of raw measurements, as `_sample` reads them, and what they are of."""
        judged = self._judge(self._all_x, self._all_y)
        sums = [self._sums(judged, part) for part in (slice(None, self._n), slice(self._n, None))]
        norms = [math.nan] * len(self.network.layers)
        if self._grad is not None:
            grad = self._grad[0].cpu().numpy().astype(np.float64)
            norms = [float(np.linalg.norm(grad[span])) for span in self.network.spans]
        return np.array([self.state.step, self.progress, *sums[0], *sums[1], *norms]), judged

    def _sums(self, judged: Judgement, part: slice) -> tuple[float, float, float]:
        target, shown = self._targets[part], judged.shown[part]
        if self.dataset.problem.classes:
            error = (judged.classes(self.dataset.problem)[part] != target).astype(np.float64)
        else:
            error = np.abs(shown.astype(np.float64) - target)
        return float(judged.loss[part].sum(dtype=np.float64)), float(error.sum()), float((error**2).sum())

    def _sample(self, raw: np.ndarray) -> Samples:
        """Points of the history from rows of: step, epochs; of the training data the sums of loss, error and
        squared error; the same of the test data; norms of the gradient in each layer. A wrong class is an
        error of 1."""
        table = np.atleast_2d(raw)
        step, epoch, norms = table[:, 0], table[:, 1], table[:, 8:]
        count = np.array([self._n, len(self._targets) - self._n], dtype=np.float64)
        with np.errstate(all="ignore"):  # there may be no test data, or no spread
            loss, error = table[:, 2:8:3] / count, table[:, 3:8:3] / count
            r2 = np.where(self._spread > 0, 1 - table[:, 4:8:3] / self._spread, np.nan)
        scores = [1 - error] if self.dataset.problem.classes else [error, r2]
        index = np.arange(self.state.samples, self.state.samples + len(table))
        rows = np.column_stack([index, step, epoch, loss, *scores, norms])
        rows[~np.isfinite(rows)] = np.nan
        return Samples(self._columns, rows)

    def _judge(self, x: Tensor, y: Tensor | None = None) -> Judgement:
        """What the first network makes of features x (1, n, inputs), and its loss against targets (1, n)."""
        problem, loss = self.dataset.problem, self.config.loss
        output = self._outputs(x)[-1]
        losses = NOTHING if y is None else loss.forward(output, y)[0].cpu().numpy()
        shown = loss.predict(output, problem)[0]
        if problem.kind == "multiclass":
            sure, index = shown.max(dim=-1)
            return Judgement(losses, index.cpu().numpy(), sure.cpu().numpy())
        return Judgement(losses, shown.cpu().numpy(), NOTHING)

    def _outputs(self, x: Tensor) -> list[Tensor]:
        """Evaluated activations of every layer for features (1, n, inputs)."""
        rows = len(self.state.seeds)
        return forward(self.network, self._parameters, self._buffers, x.expand(rows, -1, -1))

    @torch.no_grad()
    def frame(self, neuron_size: int = 20, output_size: int = 100) -> tuple[dict[str, Any], Arrays]:
        """What is shown of this moment: metrics, weights, neuron maps, decision map (see protocol)."""
        raw, judged = self._measure()
        header = {"step": self.state.step, "epoch": self.progress}
        header |= {name: value for name, value in self._named(raw).items() if name != "grad_norm"}
        header["layers"] = [
            {"inputs": layer.inputs, "width": layer.width, "batchnorm": layer.batchnorm}
            for layer in self.network.layers
        ]
        arrays: Arrays = {}
        for index, layer in enumerate(self.weights()):
            for name, value in layer.items():
                if not name.startswith("running_"):
                    arrays[f"{name}.{index}"] = value.copy()
        arrays["neurons"], arrays["neurons_range"] = self._neuron_maps(self._fit(neuron_size))
        arrays |= self._decision(self._fit(output_size))
        arrays |= self._predictions(judged)
        norms = raw[8:].astype(np.float32)
        arrays["grad_norms"] = np.where(np.isfinite(norms), norms, np.float32(0))
        return header, arrays

    def _neuron_maps(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Maps of all hidden units and the outputs, uint8 (N, size, size), and their ranges (N, 2)."""
        return _quantised(torch.cat([a[0] for a in self._outputs(self._grid(size))], dim=1).T, size)

    def _decision(self, size: int) -> Arrays:
        problem = self.dataset.problem
        judged = self._judge(self._grid(size))
        if problem.kind == "multiclass":
            low, high = 0.0, problem.classes - 1.0
            arrays = {
                "decision": judged.shown.astype(np.uint8).reshape(size, size),
                "confidence": _bytes(judged.sure, size),
            }
        else:
            low, high = (0.0, 1.0) if problem.kind == "binary" else target_range(self.dataset)
            arrays = {"decision": _bytes((judged.shown - low) / (high - low), size)}
        return arrays | {"decision_range": np.array([low, high], dtype=np.float32)}

    def _predictions(self, judged: Judgement) -> Arrays:
        """Of every point, and the confusion matrices."""
        classes, parts = self.dataset.problem.classes, (slice(None, self._n), slice(self._n, None))
        if not classes:
            shown = judged.shown.astype(np.float32)
            return {"train_predictions": shown[parts[0]], "test_predictions": shown[parts[1]]}
        chosen = judged.classes(self.dataset.problem)
        pairs = self._targets.astype(np.int64) * classes + chosen
        counts = [np.bincount(pairs[part], minlength=classes**2) for part in parts]
        return {
            "train_predictions": chosen[parts[0]].astype(np.uint8),
            "test_predictions": chosen[parts[1]].astype(np.uint8),
            "confusion": np.reshape(counts, (2, classes, classes)).astype(np.int32),
        }

    @torch.no_grad()
    def maps(self, size: int) -> tuple[dict[str, Any], Arrays]:
        """Raw float32 maps over the input square: `decision` (size, size) or (K, size, size), `neurons`
        (N, size, size) for every hidden unit and then the outputs. Row 0 is the top."""
        activations = self._outputs(self._grid(size))
        decision = self.config.loss.predict(activations[-1], self.dataset.problem)[0]
        neurons = torch.cat([a[0] for a in activations], dim=1).T
        if decision.dim() == 2:
            decision = decision.T
        header = {"size": size, "step": self.state.step, "epoch": self.progress}
        return header, {
            "decision": decision.reshape(*decision.shape[:-1], size, size).cpu().numpy(),
            "neurons": neurons.reshape(-1, size, size).cpu().numpy(),
        }

    def picture(self) -> tuple[dict[str, Any], Arrays]:
        """The points of the data and a map of every feature that can be made of them."""
        data, problem = self.dataset, self.dataset.problem
        names = available(problem.inputs)
        axis = _centres(FEATURE_MAP)
        plane = torch.from_numpy(_plane(data, axis, axis.flip(0)))
        maps, ranges = _quantised(columns(names, plane).T, FEATURE_MAP)
        header = {
            "problem": {
                "kind": problem.kind,
                "classes": problem.classes,
                "inputs": problem.inputs,
                "class_labels": list(problem.class_labels),
                "input_names": list(problem.input_names),
                "input_ranges": problem.input_ranges and [list(ends) for ends in problem.input_ranges],
                "target_range": target_range(data),
            },
            "features": list(names),
        }
        return header, {
            "train_inputs": data.train_inputs.astype(np.float32),
            "train_targets": data.train_targets.astype(np.float32),
            "test_inputs": data.test_inputs.astype(np.float32),
            "test_targets": data.test_targets.astype(np.float32),
            "feature_maps": maps,
            "feature_ranges": ranges,
        }

    def _fit(self, size: int) -> int:
        """The size of a map, made smaller where the network is too large to draw it in time."""
        return max(8, min(size, int((PICTURE_FLOP / self.network.size) ** 0.5)))

    def _grid(self, size: int) -> Tensor:
        def lay() -> Tensor:
            axis = _centres(size)
            return self._features(self.config, _plane(self.dataset, axis, axis.flip(0)))

        return kept(self._grids, size, lay)

    def _features(self, config: RunConfig, inputs: np.ndarray) -> Tensor:
        """Features (1, n, inputs) of raw inputs (n, D)."""
        device = self.state.weights.device
        return columns(config.features, torch.from_numpy(inputs).to(device, torch.float32))[None]

    # What follows from config, data and state

    def _bind(self, config: RunConfig, dataset: Dataset, state: State) -> None:
        self.config, self.dataset = config, dataset
        self.network = Network.of(config, dataset.problem)
        self._adopt(state)
        device = state.weights.device
        self._n = len(dataset.train_inputs)
        self._x = self._features(config, dataset.train_inputs)
        self._y = torch.from_numpy(dataset.train_targets).to(device, torch.float32)[None]
        test_y = torch.from_numpy(dataset.test_targets).to(device, torch.float32)[None]
        self._all_x = torch.cat([self._x, self._features(config, dataset.test_inputs)], dim=1)
        self._all_y = torch.cat([self._y, test_y], dim=1)
        self._targets = self._all_y[0].cpu().numpy().astype(np.float32)
        parts = (self._targets[: self._n], self._targets[self._n :])
        self._spread = np.array([((part - part.mean()) ** 2).sum() if len(part) else 0 for part in parts])
        measures = ("accuracy",) if dataset.problem.classes else ("mae", "r2")
        scores = [f"{part}_{measure}" for measure in measures for part in ("train", "test")]
        norms = [f"grad_norm.{index}" for index in range(len(self.network.layers))]
        self._columns = ("index", "step", "epoch", "train_loss", "test_loss", *scores, *norms)
        self._no_samples = Samples(self._columns, np.empty((0, len(self._columns))))
        self._least_stride = 2 ** math.ceil(math.log2(max(1, len(self._targets) / SAMPLED_POINTS)))
        self._penalised = torch.zeros_like(state.weights)
        for parameters in self.network.parameters(self._penalised):
            parameters["weight"].fill_(1)
        self._grids: dict[int, Tensor] = {}
        self._chunk = 1
        self._loss = torch.zeros(len(state.seeds), device=device)
        self._grad: Tensor | None = None
        self._shuffled_epoch = -1
        self._masks_from = -1
        numbers = sum(layer.inputs + layer.width for layer in self.network.layers)
        per_step = numbers * min(config.batch_size, self._n) * len(state.seeds)
        self._mask_block = max(1, min(32, MASK_NUMBERS // per_step))
        self._no_masks: list[Tensor | None] = [None] * len(self.network.dropouts)

    def _adopt(self, state: State) -> None:
        """Make `state` the one that trains. Its parameters are leaves that share its memory."""
        self.state = state
        self._parameters: Views = [
            {name: view.detach().requires_grad_() for name, view in layer.items()}
            for layer in self.network.parameters(state.weights)
        ]
        self._buffers = self.network.buffers(state.buffers)
        self._first = [
            {name: (value[0] if name == "weight" else value[0, 0]).detach() for name, value in named.items()}
            for named in map(_with_running, self._parameters, self._buffers)
        ]
        leaves = [
            (leaf, shape.batchnorm and name == "bias")
            for shape, layer in zip(self.network.layers, self._parameters, strict=True)
            for name, leaf in layer.items()
        ]
        self._leaves = [leaf for leaf, _ in leaves]
        self._idle_biases = [index for index, (_, idle) in enumerate(leaves) if idle]


def _with_running(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**parameters, **{f"running_{name}": value for name, value in buffers.items()}}


def kept(cache: dict[int, Value], key: int, make: Callable[[], Value]) -> Value:
    """The value of that key, made if need be; those used longest ago make room."""
    cache[key] = value = cache.pop(key) if key in cache else make()
    while len(cache) > KEPT:
        del cache[next(iter(cache))]
    return value


def target_range(dataset: Dataset) -> tuple[float, float]:
    """The range of values that a regression is drawn over, symmetrical so that zero is neutral."""
    targets = np.concatenate([dataset.train_targets, dataset.test_targets])
    bound = float(np.abs(targets).max(initial=0)) or 1.0
    return (-bound, bound)


def _centres(size: int) -> Tensor:
    """Centres of `size` cells from -6 to 6."""
    return (torch.arange(size) + 0.5) * (2 * limits.HALF_SPAN / size) - limits.HALF_SPAN


def _plane(dataset: Dataset, x1: Tensor, x2: Tensor) -> np.ndarray:
    """Raw inputs (n, D) of a grid, row by row; inputs that are not drawn stay at their mean."""
    inputs = dataset.train_inputs
    plane = np.tile(inputs.mean(axis=0, dtype=np.float32), (len(x1) * len(x2), 1))
    plane[:, 0] = np.tile(x1.numpy(), len(x2))
    plane[:, 1] = np.repeat(x2.numpy(), len(x1))
    return plane


def _quantised(values: Tensor, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps (N, size²) as uint8 (N, size, size), and what 0 and 255 stand for, (N, 2)."""
    low, high = values.aminmax(dim=1, keepdim=True)
    scaled = (values - low) * (255 / (high - low).clamp(min=1e-12))
    maps = scaled.round().to(torch.uint8).reshape(-1, size, size)
    return maps.cpu().numpy(), torch.cat([low, high], dim=1).float().cpu().numpy()


def _bytes(shares: np.ndarray, size: int) -> np.ndarray:
    """Shares of 0 to 1 as bytes; what is beyond is cut, and what is no number is 0."""
    scaled = np.fmin(np.fmax(shares * np.float32(255), 0), 255)  # with a number and NaN, the number
    return np.rint(scaled).astype(np.uint8).reshape(size, size)


def _numbers(path: str, value: Any, shape: tuple[int, ...]) -> Tensor:
    try:
        array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None or array.shape != shape:
        raise Refused(FieldError(path, f"numbers in the shape {list(shape)} are expected"))
    if not np.isfinite(array).all():
        raise Refused(FieldError(path, "every number must be finite"))
    if path.endswith("running_var") and (array < 0).any():
        raise Refused(FieldError(path, "a variance is not negative"))
    return torch.from_numpy(array)
