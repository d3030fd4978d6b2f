"""Edge of stability: 20 points of a Chebyshev polynomial of degree 4, full batches, squared error. The
sharpness, the largest eigenvalue of the Hessian of the training loss, rises to 2 / rate and stays about
there; ours is its median over the last quarter of training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from bench.published.result import Result, over_seeds, stack
from playground.training.network import forward

NETWORKS, STEPS, LOOKS = 5, 40_000, 40
RATE, POINTS = 0.05, 20
SOURCE = "Cohen et al. 2021"
X = np.linspace(-1, 1, POINTS)
TARGETS = 8 * X**4 - 8 * X**2 + 1
CONFIG = {
    "data": {
        "kind": "points",
        "points": [[x, 0.0, y] for x, y in zip(X.tolist(), TARGETS.tolist(), strict=True)],
        "classes": 0,
        "train_fraction": 1.0,
    },
    "features": ["x1"],
    "hidden": [{"width": 100, "activation": {"kind": "tanh"}}],
    "loss": {"kind": "mse"},
    "optimizer": {"kind": "sgd", "lr": RATE},
    "batch_size": POINTS,
}


def reproduce() -> Iterator[Result]:
    loop = stack(CONFIG, NETWORKS)
    seen = []
    for _ in range(LOOKS):
        loop.train(STEPS // LOOKS)
        seen.append([sharpness(loop.experiment, weights) for weights in loop.state.weights])
    last = np.median(seen[-LOOKS // 4 :], axis=0) * RATE / 2
    first = np.array(seen[0]) * RATE / 2
    name = "1-100-1 tanh, Chebyshev"
    yield over_seeds(
        name, SOURCE, f"sharpness · rate / 2 after {STEPS // LOOKS:,} steps", "< 1", first.tolist()
    )
    yield over_seeds(name, SOURCE, f"sharpness · rate / 2 up to step {STEPS:,}", 1.0, last.tolist())


def sharpness(experiment, weights: Tensor) -> float:
    """The largest eigenvalue of the Hessian of the training loss by the weights (P,), in float64."""
    network, config = experiment.network, experiment.config
    x, y = experiment.train_x.double(), experiment.train_y.double()

    def loss(flat: Tensor) -> Tensor:
        outputs = forward(network, network.parameters(flat[None]), network.buffers(flat[None, :0]), x)
        return config.loss.forward(outputs[-1], y).mean()

    hessian = torch.func.hessian(loss)(weights.double())
    return float(torch.linalg.eigvalsh(hessian)[-1])
