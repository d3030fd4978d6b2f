"""What the steps of a stack leave behind, to be measured for the histories of its members."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.training.experiment import Experiment
from playground.training.gradient import weighted
from playground.training.network import forward

MEASURED_NUMBERS = 2**26
"""Activations of one layer that are held at once."""


@dataclass(frozen=True)
class Trace:
    """The networks after each step."""

    weights: Tensor
    """(steps, R, P)"""
    buffers: Tensor
    """(steps, R, B)"""
    grads: Tensor
    """(steps, R, P), before clipping."""
    finite: Tensor
    """(R,): whether all losses of a network are, and the network in the end."""

    @torch.no_grad()
    def measure(
        self,
        experiment: Experiment,
        class_weights: Tensor | None,
        x: Tensor,
        y: Tensor,
        owner: Tensor,
        places: Sequence[tuple[int, int]],
    ) -> np.ndarray:
        """What `Metrics.row` holds but for step and epochs, of the networks at these (step, row).

        `owner` (R,) says which of the data, x (data, n, inputs) and y (data, n), is a network's own;
        `class_weights` are (R, classes).
        """
        widest = max(layer.width for layer in experiment.network.layers)
        at_once = max(1, MEASURED_NUMBERS // (widest * x.shape[1]))
        tables = []
        for part in torch.tensor(places, device=x.device).split(at_once):
            steps, rows = part.T
            weights = None if class_weights is None else class_weights[rows]
            tables.append(self._measure(experiment, weights, x[owner[rows]], y[owner[rows]], steps, rows))
        return torch.cat(tables).cpu().numpy()

    def _measure(
        self,
        experiment: Experiment,
        class_weights: Tensor | None,
        x: Tensor,
        y: Tensor,
        steps: Tensor,
        rows: Tensor,
    ) -> Tensor:
        network, loss, task = experiment.network, experiment.config.loss, experiment.dataset.task
        weights, buffers, grads = (part[steps, rows] for part in (self.weights, self.buffers, self.grads))
        output = forward(network, network.parameters(weights), network.buffers(buffers), x)[-1]
        prediction = loss.predict(output, task)
        match task.answer:
            case "binary":
                error = ((prediction > 0.5) != y).float()
            case "multiclass":
                error = (prediction.argmax(dim=-1) != y).float()
            case "regression":
                error = (prediction - y).abs()
        losses = weighted(loss.forward(output, y), y, class_weights)
        squared = error**2
        if error.dim() > losses.dim():  # on several numbers
            error, squared = error.mean(dim=-1), squared.mean(dim=-1)
        each = torch.stack([losses, error, squared]).double()
        parts = each.tensor_split([experiment.count], dim=-1)
        norms = torch.stack([grads[:, span].norm(dim=1) for span in network.spans])
        return torch.cat([*(part.sum(dim=-1) for part in parts), norms]).T
