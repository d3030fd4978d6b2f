"""Everything that training changes, explicit and flat."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from playground.catalogue.schedules import Watch
from playground.catalogue.stopping import Waiting

MOST_UPDATES = 2.0**24
"""As far as float32 counts one by one."""
NOTHING_SEEN = Watch()
NOTHING_AWAITED = Waiting()


@dataclass
class State:
    """Everything that training changes, of R networks at once."""

    seeds: Tensor
    """(R,) int64."""
    weights: Tensor
    """(R, P) float32."""
    buffers: Tensor
    """(R, B) float32: running statistics of normalisations."""
    slots: Tensor
    """(slots, R, P) float32: what the optimizer remembers."""
    updates: Tensor
    """(R, P) float32: how often each weight was updated since the optimizer met it. Bias correction counts by
    it, so that a neuron that came later takes first steps of its own. It ends at `MOST_UPDATES`."""
    pruned: Tensor
    """(R, P) float32: 1 for each weight that `l1_prunes` has taken away, 0 for the others."""
    step: int = 0
    epoch: int = 0
    cursor: int = 0
    """Samples of the current epoch that are done."""
    grad: Tensor | None = None
    """(R, P): gradients of the last step, before clipping; none before the first."""
    samples: int = 0
    """Points of the history recorded so far."""
    stride: int = 1
    """Steps between two points of the history."""
    watch: Watch = NOTHING_SEEN
    """What the schedule of the learning rate has seen."""
    waiting: Waiting = NOTHING_AWAITED
    """What early stopping has seen."""
    best: tuple[Tensor, Tensor] | None = None
    """Weights (R, P) and buffers (R, B) with which the test loss was least; they mean nothing before
    `waiting` knows of one."""

    @classmethod
    def fresh(cls, seeds: Tensor, weights: Tensor, buffers: Tensor, slots: int) -> "State":
        """Before the first step, of an optimizer with so many slots."""
        nothing = weights.new_zeros(slots, *weights.shape)
        return cls(seeds, weights, buffers, nothing, torch.zeros_like(weights), torch.zeros_like(weights))

    def copy(self) -> "State":
        return replace(
            self,
            weights=self.weights.clone(),
            buffers=self.buffers.clone(),
            slots=self.slots.clone(memory_format=torch.contiguous_format),
            updates=self.updates.clone(),
            pruned=self.pruned.clone(),
            grad=None if self.grad is None else self.grad.clone(),
            best=None if self.best is None else (self.best[0].clone(), self.best[1].clone()),
        )

    def tensors(self) -> tuple[Tensor, ...]:
        """All that must stay finite."""
        return (self.weights, self.buffers, self.slots, self.updates, self.pruned)
