"""The reference trainer: plain PyTorch with autograd, correct first, on any device.

It trains a stack of R networks of one shape, and an ordinary session is R = 1. It knows tensors and nothing
of processes, JSON or viewers.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend import limits
from backend.catalogue.datasets import Dataset
from backend.catalogue.features import available, columns
from backend.change import Setting, carry
from backend.config import FieldError, Refused, RunConfig, Tables
from backend.network import Network, State, Views, forward, initialise
from backend.randomness import permutation, uniform

Arrays = dict[str, np.ndarray]

CHUNK_SECONDS = 0.002
"""Time between two looks at the clock, and at whether all is still finite."""
CHUNK_STEPS = 64
MASK_NUMBERS = 2**18
"""Random numbers drawn ahead for dropout."""
SAMPLED_POINTS = 1000
"""Data points evaluated for the history per step, about; more points are sampled less often."""
FEATURE_MAP = 32
PICTURE_FLOP = 1e9
"""Multiplications that one map may cost; a large network is drawn on a coarser grid."""


@dataclass(frozen=True)
class Sample:
    """One point of the history. Losses and scores are evaluated on all data, dropout off."""

    index: int
    step: int
    epoch: float
    train_loss: float | None
    test_loss: float | None
    scores: dict[str, float | None]
    """`train_accuracy`, `test_accuracy`, or `train_mae`, `test_mae`, `train_r2`, `test_r2`."""
    grad_norms: list[float | None]
    """Euclidean norm of the last step's gradient in each layer, before clipping; None before any step."""


@dataclass
class Diverged(ArithmeticError):
    """Training went to NaN or infinity in this step. The state is the one before it, all finite."""

    step: int
    layer: int
    detail: str
    samples: list[Sample] = field(default_factory=list)


class Trainer:
    """A stack that trains, with its data. `state` is all that training changes."""

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
    ) -> "Trainer":
        """A new run on `device`; with seeds, a stack of one network a seed, all on the data of the config."""
        dataset = config.data.split(config.seed, tables or {})
        network = Network.of(config, dataset.problem)
        seed_tensor = torch.tensor(seeds or (config.seed,), dtype=torch.int64, device=device)
        weights, buffers = initialise(network, config, seed_tensor)
        slots = tuple(torch.zeros_like(weights) for _ in range(config.optimizer.slots))
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

    def train(self, steps: int, deadline: float | None = None) -> list[Sample]:
        """Train up to `steps` steps and return the points of the history that they left.

        Returns early once time.monotonic() passes `deadline`. Raises `Diverged`. What is trained does not
        depend on the deadline, only how far.
        """
        samples: list[Sample] = []
        while steps > 0:
            began = time.monotonic()
            count = min(steps, self._chunk)
            before = self.state.copy()
            recorded = self._run(count)
            if not self._finite():
                self._find_divergence(before, count, samples)
            samples += recorded
            steps -= count
            now = time.monotonic()
            if now - began < CHUNK_SECONDS / 2:
                self._chunk = min(CHUNK_STEPS, self._chunk * 2)
            elif now - began > CHUNK_SECONDS:
                self._chunk = max(1, self._chunk // 2)
            if deadline is not None and now >= deadline:
                break
        return samples

    def _run(self, steps: int) -> list[Sample]:
        samples = []
        for _ in range(steps):
            x, y, masks = self._batch()
            self._loss, self._grad, _ = self._gradient(x, y, masks)
            self._update(self._grad)
            self._advance(x.shape[1])
            if self.state.step % self.state.stride == 0:
                samples.append(self.record())
        return samples

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
            self._drawn_masks = self._draw_masks()
        return [None if mask is None else mask[index, :, :batch] for mask in self._drawn_masks]

    def _draw_masks(self) -> list[Tensor | None]:
        """Masks (steps, R, batch, width) for the next steps: 1 / (1 - rate), or 0 at the rate."""
        seeds = self.state.seeds
        steps = torch.arange(self._masks_from, self._masks_from + self._mask_block, device=seeds.device)
        widths = [self.network.layers[0].inputs, *(layer.width for layer in self.network.layers)]
        masks: list[Tensor | None] = []
        for place, (rate, width) in enumerate(zip(self.network.dropouts, widths, strict=True)):
            if rate == 0:
                masks.append(None)
                continue
            shape = (min(self.config.batch_size, self._n), width)
            drawn = uniform(seeds, f"dropout {place}", steps[:, None], shape)
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
        delta, state.slots = self.config.optimizer.update(state.weights, grad, state.slots, state.updates)
        state.weights.add_(delta)

    def _advance(self, batch: int) -> None:
        state = self.state
        state.step += 1
        state.cursor += batch
        if state.cursor >= self._n:
            state.epoch, state.cursor = state.epoch + 1, 0

    def _finite(self) -> bool:
        total = self._loss.sum() + torch.stack([t.sum() for t in self.state.tensors()]).sum()
        return bool(torch.isfinite(total))

    def _find_divergence(self, before: State, steps: int, samples: list[Sample]) -> None:
        """Take the steps once more, one by one, and stop before the one that is not finite."""
        self._adopt(before)
        for _ in range(steps):
            before = self.state.copy()
            x, y, masks = self._batch()
            self._loss, self._grad, activations = self._gradient(x, y, masks)
            layer, detail = self._blame(self._grad, activations)
            self._adopt(before.copy())
            recorded = self._run(1)
            if not self._finite():
                self._adopt(before)
                self._grad = None
                raise Diverged(before.step + 1, layer, detail, samples)
            samples += recorded

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
        layers = []
        for parameters, buffers in zip(self._parameters, self._buffers, strict=True):
            named = {**parameters, **{f"running_{name}": value for name, value in buffers.items()}}
            layers.append(
                {
                    name: (value[0] if name == "weight" else value[0, 0]).detach().cpu().numpy()
                    for name, value in named.items()
                }
            )
        return layers

    def set_weights(self, layers: list[dict[str, Any]]) -> None:
        """Replace parameters by name, in the form of `weights`; what is not named stays."""
        if len(layers) != len(self.network.layers):
            raise Refused(FieldError("layers", f"this network has {len(self.network.layers)} layers"))
        checked: list[tuple[Tensor, Tensor]] = []
        for index, (layer, parameters, buffers) in enumerate(
            zip(layers, self._parameters, self._buffers, strict=True)
        ):
            named = {**parameters, **{f"running_{name}": value for name, value in buffers.items()}}
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

    def sample(self) -> Sample:
        """The metrics of this moment, of the first network of the stack."""
        metrics = self._evaluate()
        return Sample(self.state.samples, self.state.step, self.progress, **metrics.summary())

    def record(self) -> Sample:
        """Add the metrics of this moment to the history; training does so by itself, but for step 0."""
        sample = self.sample()
        state = self.state
        state.samples += 1
        coarse = 2 ** math.ceil(math.log2(max(1, self._all_x.shape[1] / SAMPLED_POINTS)))
        state.stride = max(state.stride, coarse)
        if state.step // state.stride >= limits.HISTORY_SAMPLES:
            state.stride *= 2
        return sample

    @torch.no_grad()
    def _evaluate(self) -> "Evaluation":
        problem, loss = self.dataset.problem, self.config.loss
        output = self._outputs(self._all_x)[-1]
        losses = loss.forward(output, self._all_y)[0]
        predictions = loss.predict(output, problem)[0]
        train, test = (
            Part(losses[rows], self._all_y[0, rows], predictions[rows])
            for rows in (slice(None, self._n), slice(self._n, None))
        )
        norms: list[float | None] = [None] * len(self.network.layers)
        if self._grad is not None:
            norms = [float(self._grad[0, span].norm()) for span in self.network.spans]
        return Evaluation(problem.classes, train, test, norms)

    def _outputs(self, x: Tensor) -> list[Tensor]:
        """Evaluated activations of every layer for features (1, n, inputs)."""
        rows = len(self.state.seeds)
        return forward(self.network, self._parameters, self._buffers, x.expand(rows, -1, -1))

    @torch.no_grad()
    def frame(self, neuron_size: int = 20, output_size: int = 100) -> tuple[dict[str, Any], Arrays]:
        """What is shown of this moment: metrics, weights, neuron maps, decision map (see protocol)."""
        evaluation = self._evaluate()
        summary = evaluation.summary()
        header = {
            "step": self.state.step,
            "epoch": self.progress,
            "train_loss": summary["train_loss"],
            "test_loss": summary["test_loss"],
            **summary["scores"],
            "layers": [
                {"inputs": layer.inputs, "width": layer.width, "batchnorm": layer.batchnorm}
                for layer in self.network.layers
            ],
        }
        arrays: Arrays = {}
        for index, layer in enumerate(self.weights()):
            for name, value in layer.items():
                if not name.startswith("running_"):
                    arrays[f"{name}.{index}"] = value.copy()
        neurons = torch.cat([a[0] for a in self._outputs(self._grid(self._fit(neuron_size)))], dim=1).T
        arrays["neurons"], arrays["neurons_range"] = _quantised(neurons, self._fit(neuron_size))
        arrays |= self._decision(self._fit(output_size))
        arrays |= evaluation.arrays()
        return header, arrays

    def _decision(self, size: int) -> Arrays:
        problem = self.dataset.problem
        output = self.config.loss.predict(self._outputs(self._grid(size))[-1], problem)[0]
        match problem.kind:
            case "binary":
                low, high, shown = 0.0, 1.0, output
            case "regression":
                low, high = target_range(self.dataset)
                shown = ((output - low) / (high - low)).clamp(0, 1)
            case "multiclass":
                top = output.max(dim=-1)
                return {
                    "decision": top.indices.reshape(size, size).to(torch.uint8).cpu().numpy(),
                    "confidence": _bytes(top.values.clamp(0, 1), size),
                    "decision_range": np.array([0, problem.classes - 1], dtype=np.float32),
                }
        return {
            "decision": _bytes(shown, size),
            "decision_range": np.array([low, high], dtype=np.float32),
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
        if size not in self._grids:
            axis = _centres(size)
            self._grids[size] = self._features(self.config, _plane(self.dataset, axis, axis.flip(0)))
        return self._grids[size]

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
        self._y = torch.from_numpy(dataset.train_targets).to(device)[None]
        test_y = torch.from_numpy(dataset.test_targets).to(device)[None]
        self._all_x = torch.cat([self._x, self._features(config, dataset.test_inputs)], dim=1)
        self._all_y = torch.cat([self._y, test_y], dim=1)
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
        self._leaves = [leaf for layer in self._parameters for leaf in layer.values()]


@dataclass(frozen=True)
class Part:
    """Loss, target and prediction of each point of the training data, or of the test data; maybe none."""

    losses: Tensor
    targets: Tensor
    predictions: Tensor

    @property
    def loss(self) -> float | None:
        return float(self.losses.mean()) if len(self.losses) else None


@dataclass(frozen=True)
class Evaluation:
    """What the first network of a stack says of the training data and of the test data."""

    classes: int
    train: Part
    test: Part
    grad_norms: list[float | None]

    def summary(self) -> dict[str, Any]:
        """The metrics as fields of a `Sample`; what overflowed is None."""
        scores: dict[str, float | None] = {}
        for measure in ("accuracy",) if self.classes else ("mae", "r2"):
            for name, part in (("train", self.train), ("test", self.test)):
                scores[f"{name}_{measure}"] = self._score(measure, part.targets, part.predictions)
        return {
            "train_loss": _if_finite(self.train.loss),
            "test_loss": _if_finite(self.test.loss),
            "scores": {name: _if_finite(score) for name, score in scores.items()},
            "grad_norms": [_if_finite(norm) for norm in self.grad_norms],
        }

    def _score(self, measure: str, target: Tensor, predicted: Tensor) -> float | None:
        if len(target) == 0:
            return None
        if measure == "accuracy":
            return float((self._classes_of(predicted) == target).float().mean())
        if measure == "mae":
            return float((predicted - target).abs().mean())
        spread = float(((target - target.mean()) ** 2).sum())
        return 1 - float(((predicted - target) ** 2).sum()) / spread if spread > 0 else None

    def _classes_of(self, predicted: Tensor) -> Tensor:
        return (predicted > 0.5).long() if predicted.dim() == 1 else predicted.argmax(dim=-1)

    def arrays(self) -> Arrays:
        """Predictions of every point, the confusion matrices, the gradient norms."""
        arrays: Arrays = {"grad_norms": np.array([norm or 0.0 for norm in self.grad_norms], dtype=np.float32)}
        confusions = []
        for name, part in (("train", self.train), ("test", self.test)):
            if not self.classes:
                arrays[f"{name}_predictions"] = part.predictions.float().cpu().numpy()
                continue
            chosen = self._classes_of(part.predictions)
            arrays[f"{name}_predictions"] = chosen.to(torch.uint8).cpu().numpy()
            pairs = (part.targets.long() * self.classes + chosen).cpu()
            confusions.append(torch.bincount(pairs, minlength=self.classes**2))
        if self.classes:
            shape = (2, self.classes, self.classes)
            arrays["confusion"] = torch.stack(confusions).reshape(shape).int().numpy()
        return arrays


def _if_finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


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


def _bytes(values: Tensor, size: int) -> np.ndarray:
    return (values * 255).round().to(torch.uint8).reshape(size, size).cpu().numpy()


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
