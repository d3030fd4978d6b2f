"""What the steps of a stack leave behind, to be measured for the histories of its trainers."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.training.network import forward
from playground.training.reference import Trainer

MEASURED_NUMBERS = 2**26
"""Activations of one layer that are held at once."""


@dataclass(frozen=True)
class Trail:
    """The networks after each step."""

    weights: Tensor
    """(steps, R, P)"""
    buffers: Tensor
    """(steps, R, B)"""
    grads: Tensor
    """(steps, R, P), before clipping."""
    finite: Tensor
    """(R,): whether all of a network is, in the end."""

    @torch.no_grad()
    def measure(
        self, whole: Trainer, x: Tensor, y: Tensor, owner: Tensor, places: list[tuple[int, int]]
    ) -> np.ndarray:
        """What `Trainer._sample` reads, but for step and epoch, of the networks at these steps and rows.

        `owner` (R,) says which of the data, x (data, n, inputs) and y (data, n), is a network's own.
        """
        widest = max(layer.width for layer in whole.network.layers)
        tables = []
        for some in torch.tensor(places, device=x.device).split(
            max(1, MEASURED_NUMBERS // (widest * x.shape[1]))
        ):
            steps, rows = some.T
            tables.append(self._measure(whole, x[owner[rows]], y[owner[rows]], steps, rows))
        return torch.cat(tables).cpu().numpy()

    def _measure(self, whole: Trainer, x: Tensor, y: Tensor, steps: Tensor, rows: Tensor) -> Tensor:
        network, loss, problem = whole.network, whole.config.loss, whole.dataset.problem
        weights, buffers, grads = (part[steps, rows] for part in (self.weights, self.buffers, self.grads))
        output = forward(network, network.parameters(weights), network.buffers(buffers), x)[-1]
        shown = loss.predict(output, problem)
        match problem.kind:
            case "binary":
                error = ((shown > 0.5) != y).float()
            case "multiclass":
                error = (shown.argmax(dim=-1) != y).float()
            case "regression":
                error = (shown - y).abs()
        each = torch.stack([loss.forward(output, y), error, error**2]).double()
        parts = each.tensor_split([len(whole.dataset.train_inputs)], dim=-1)
        norms = torch.stack([grads[:, span].norm(dim=1) for span in network.spans])
        return torch.cat([*(part.sum(dim=-1) for part in parts), norms]).T
