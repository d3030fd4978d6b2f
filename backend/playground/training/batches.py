"""The mini-batches of a run, in their order: a function of seed and epoch, never of what happened before."""

import torch
from torch import Tensor

from playground.catalogue.partners import Partners
from playground.randomness import permutation, uniform
from playground.training.experiment import Experiment
from playground.training.gradient import Masks, dropout_masks, input_noise
from playground.training.state import State

MASK_NUMBERS = 2**18
"""Random numbers drawn ahead for dropout and noise."""
MASK_STEPS = 32
"""Steps that they are drawn ahead for, at most."""


class Batches:
    """Those of R seeds at once."""

    def __init__(self, experiment: Experiment, seeds: Tensor):
        self._experiment, self._seeds = experiment, seeds
        self._shuffled_epoch = -1
        network, config = experiment.network, experiment.config
        self._size = (experiment.batch_size + experiment.carried) * (1 + len(config.loss.partners))
        numbers = sum(layer.inputs + layer.width for layer in network.layers) * self._size * len(seeds)
        self._ahead = max(1, min(MASK_STEPS, MASK_NUMBERS // numbers))
        self._drawn_from = -1
        self._masks: Masks = []
        self._noise: Tensor | None = None

    def next(self, state: State) -> tuple[Tensor, Tensor, Masks]:
        """Features (R, batch, inputs), targets (R, batch) or (R, batch, targets), and dropout masks of the
        next step. Behind the points of the batch are the partners that its loss sees them beside, a block for
        each."""
        if self._experiment.epoch_ends(state.cursor):  # the data became fewer
            state.epoch, state.cursor = state.epoch + 1, 0
        if self._shuffled_epoch != state.epoch:
            self._shuffle(state.epoch)
        rows = slice(state.cursor, state.cursor + self._experiment.config.batch_size)
        points = self._order[:, rows]
        x, y = self._x[:, rows], self._y[:, rows]
        if self._experiment.carried and state.epoch and not state.cursor:
            waiting = self._ordered(state.epoch - 1)[:, -self._experiment.carried :]
            points = torch.cat([waiting, points], dim=1)
            x, y = self._experiment.train_x[0][points], self._experiment.train_y[0][points]
        if self._experiment.partners is not None:
            points = self._with_partners(self._experiment.partners, points, state.step)
            x, y = self._experiment.train_x[0][points], self._experiment.train_y[0][points]
        index, batch = self._draw(state.step), x.shape[1]
        if self._noise is not None:
            x = x + self._noise[index, :, :batch]
        return x, y, [None if mask is None else mask[index, :, :batch] for mask in self._masks]

    def _with_partners(self, partners: Partners, points: Tensor, step: int) -> Tensor:
        """These training points (R, batch), then a block of as many for each partner, (R, blocks · batch)."""
        numbers = uniform(self._seeds, "pairs", step, (points.shape[1], len(partners.relations)))
        return torch.cat([points[:, None], partners.drawn(points, numbers)], dim=1).flatten(1)

    def _shuffle(self, epoch: int) -> None:
        self._shuffled_epoch = epoch
        self._order = self._ordered(epoch)
        self._x = self._experiment.train_x[0][self._order]
        self._y = self._experiment.train_y[0][self._order]

    def _ordered(self, epoch: int) -> Tensor:
        """Of the samples, (R, count)."""
        count = self._experiment.count
        if self._experiment.config.shuffle:
            return permutation(self._seeds, "shuffle", epoch, count)
        return torch.arange(count, device=self._seeds.device).expand(len(self._seeds), -1)

    def _draw(self, step: int) -> int:
        """Where the masks and the noise of this step are among those that are drawn."""
        config, network = self._experiment.config, self._experiment.network
        if not (any(network.dropouts) or config.input_noise):
            self._masks = [None] * len(network.dropouts)
            return 0
        index = step % self._ahead
        if self._drawn_from != step - index:
            self._drawn_from = step - index
            steps = (self._drawn_from + torch.arange(self._ahead, device=self._seeds.device))[:, None]
            self._masks = dropout_masks(network, self._seeds, steps, self._size)
            self._noise = input_noise(config, self._seeds, steps, self._size)
        return index


def advance(state: State, experiment: Experiment) -> None:
    """The clock, after a step."""
    state.step += 1
    state.cursor += min(experiment.batch_size, experiment.count - state.cursor)
    if experiment.epoch_ends(state.cursor):
        state.epoch, state.cursor = state.epoch + 1, 0
