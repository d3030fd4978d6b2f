"""What follows from a config and its data: the network, and the tensors that it is trained and tested on."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets import Dataset
from playground.catalogue.features import columns
from playground.catalogue.partners import Partners
from playground.randomness import uniform
from playground.run import freezing
from playground.run.config import Config
from playground.run.slices import FIRST_TWO
from playground.run.validation import Tables
from playground.training.network import Network
from playground.training.planes import plane_of

DOMAIN_CELLS = 25


@dataclass(frozen=True, eq=False)
class Experiment:
    """A config, its data and its network, on a device. Nothing in it changes as the network trains."""

    config: Config
    dataset: Dataset
    network: Network
    all_x: Tensor
    """Features of the training points, then of the test points, (1, n, inputs)."""
    all_y: Tensor
    """Targets of them, (1, n) float32; of a regression on several numbers (1, n, targets)."""

    @classmethod
    def of(cls, config: Config, dataset: Dataset, device: torch.device | str = "cpu") -> "Experiment":
        inputs = np.concatenate([dataset.train_inputs, dataset.test_inputs])
        targets = np.concatenate([dataset.train_targets, dataset.test_targets])
        return cls(
            config,
            dataset,
            Network.of(config, dataset.task),
            features(config, inputs, device),
            torch.from_numpy(targets).to(device, torch.float32)[None],
        )

    def changed(self, config: Config, tables: Tables) -> "Experiment":
        """The same with another config. What the change does not touch is the same object, not a copy."""
        before = self.config
        same_data = (config.data, config.augmentation, config.seed) == (
            before.data,
            before.augmentation,
            before.seed,
        )
        dataset = self.dataset if same_data else config.dataset(tables)
        seen, was_seen = ((each.features, each.fourier) for each in (config, before))
        if not same_data or seen != was_seen:
            return Experiment.of(config, dataset, self.device)
        network = Network.of(config, dataset.task)
        return replace(self, config=config, network=self.network if network == self.network else network)

    def same_structure(self, other: "Experiment") -> bool:
        """Whether the two differ in nothing but numbers of a step: rates, penalties, parameters of a loss."""
        mine, others = self.config, other.config
        return (
            self.network is other.network
            and self.all_x is other.all_x
            and (mine.batch_size, mine.shuffle, mine.carry_remainder, mine.input_noise)
            == (others.batch_size, others.shuffle, others.carry_remainder, others.input_noise)
            and mine.optimizer.kind == others.optimizer.kind
            and mine.loss.kind == others.loss.kind
            and freezing.choice(mine) == freezing.choice(others)
        )

    @property
    def device(self) -> torch.device:
        return self.all_x.device

    @property
    def recorded(self) -> int:
        """Networks that the history is of."""
        return self.config.replicas

    @cached_property
    def task(self) -> Task:
        """What there is to learn: it follows from the data and the loss."""
        return self.config.loss.posed(self.dataset.task)

    @cached_property
    def count(self) -> int:
        """Training points."""
        return len(self.dataset.train_inputs)

    @cached_property
    def batch_size(self) -> int:
        """Samples of a whole mini-batch."""
        return min(self.config.batch_size, self.count)

    @cached_property
    def carried(self) -> int:
        """Samples that wait at the end of an epoch for the first mini-batch of the next."""
        return self.count % self.batch_size if self.config.carry_remainder else 0

    @cached_property
    def steps_per_epoch(self) -> int:
        return -(-(self.count - self.carried) // self.batch_size)

    def steps_left(self, cursor: int) -> int:
        """Steps to the end of an epoch of which so many samples are done."""
        left = self.count - cursor % self.count
        if self.config.carry_remainder:
            return left // self.batch_size or self.steps_per_epoch
        return -(-left // self.batch_size)

    def epoch_ends(self, cursor: int) -> bool:
        """Whether no step follows in an epoch of which so many samples are done."""
        least = self.batch_size if self.config.carry_remainder else 1
        return self.count - cursor < least

    @cached_property
    def train_x(self) -> Tensor:
        """(1, count, inputs)"""
        return self.all_x[:, : self.count]

    @cached_property
    def train_y(self) -> Tensor:
        """(1, count), or (1, count, targets)"""
        return self.all_y[:, : self.count]

    @cached_property
    def class_weights(self) -> Tensor | None:
        """(1, classes) float32; none where all points count alike."""
        classes = self.dataset.task.classes
        if not classes:
            return None
        counts = np.bincount(self.dataset.train_targets.astype(np.int64), minlength=classes)
        weights = self.config.class_weights.of(counts)
        return None if weights is None else torch.from_numpy(weights).to(self.device, torch.float32)[None]

    @cached_property
    def partners(self) -> Partners | None:
        """Whom points are seen beside; none with most losses."""
        relations = self.config.loss.partners
        return Partners(relations, self.targets, self.count, self.device) if relations else None

    @cached_property
    def lasting_partners(self) -> Tensor:
        """The partners of all points wherever the network is evaluated, so that its curves are smooth,
        (partners, n); they are training points."""
        points = torch.arange(self.all_y.shape[1], device=self.device)
        if self.partners is None:
            return points.new_empty(0, len(points))
        seed = torch.tensor(self.config.seed, device=self.device)
        numbers = uniform(seed, "lasting pairs", 0, (len(points), len(self.partners.relations)))
        return self.partners.drawn(points[None], numbers[None])[0]

    @cached_property
    def whole_batch(self) -> tuple[Tensor, Tensor]:
        """All training points as one mini-batch, behind them their partners: features (1, m, inputs), and
        targets (1, m)."""
        if self.partners is None:
            return self.train_x, self.train_y
        behind = self.lasting_partners[:, : self.count].flatten()
        return (
            torch.cat([self.train_x, self.train_x[:, behind]], dim=1),
            torch.cat([self.train_y, self.train_y[:, behind]], dim=1),
        )

    @cached_property
    def trained(self) -> Tensor | None:
        """Which weights are not frozen, (1, P) bool; none where all are trained."""
        if not freezing.is_any_frozen(self.config):
            return None
        layers = freezing.trained(self.config, self.network.layers)
        return torch.from_numpy(np.concatenate(layers)).to(self.device)[None]

    @cached_property
    def targets(self) -> np.ndarray:
        """`all_y` as numpy, (n,) or (n, targets) float32."""
        return self.all_y[0].cpu().numpy()

    @cached_property
    def domain(self) -> Tensor:
        """Features of everything that is shown: all points and the input square, (1, m, inputs)."""
        ends = np.linspace(-limits.HALF_SPAN, limits.HALF_SPAN, DOMAIN_CELLS, dtype=np.float32)
        means = self.dataset.train_inputs.mean(axis=0, dtype=np.float32)
        square = features(self.config, plane_of(self.dataset, FIRST_TWO, means).grid(ends, ends), self.device)
        return torch.cat([self.all_x, square], dim=1)


def features(config: Config, inputs: np.ndarray, device: torch.device | str) -> Tensor:
    """Features (1, n, inputs) of raw inputs (n, D)."""
    raw = torch.from_numpy(inputs).to(device, torch.float32)
    return columns(config.features, raw, config.fourier)[None]
