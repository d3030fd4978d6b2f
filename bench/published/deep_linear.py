"""Deep linear: the product u of N weights that start alike follows du/dt = 2 N u^(2 - 2/N) (s - u) where time
is learning rate times steps; for N = 2 that is the sigmoid of Saxe et al., equation 12. Ours are steps of
gradient descent, so half the rate leaves half the error: their ratio is 2."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from bench.published.result import Result, stack

SOURCE = "Saxe, McClelland, Ganguli 2013"
STRENGTH, START = 2.0, 0.01
RATE, TIME = 0.01, 4.0
DEPTHS = (2, 3, 5)


def reproduce() -> Iterator[Result]:
    for depth in DEPTHS:
        coarse, fine = (largest_error(depth, rate) for rate in (RATE, RATE / 2))
        name = f"deep linear network, {depth} layers"
        yield Result(name, SOURCE, f"greatest distance from the curve, rate {RATE}", "0 (rate 0)", coarse)
        yield Result(name, SOURCE, "distance at this rate / at half of it", 2.0, coarse / fine)


def largest_error(depth: int, rate: float) -> float:
    """Share of the strength by which the product of the weights is off its curve, at most."""
    config = {
        "data": {"kind": "points", "points": [[1, 0, STRENGTH], [-1, 0, -STRENGTH]], "train_fraction": 1.0},
        "features": ["x1"],
        "hidden": [{"width": 1, "activation": {"kind": "linear"}}] * (depth - 1),
        "loss": {"kind": "mse"},
        "optimizer": {"kind": "sgd", "lr": rate},
        "batch_size": 2,
    }
    config["data"]["classes"] = 0
    loop = stack(config, 1)
    layers = loop.experiment.network.parameters(loop.state.weights)
    for layer in layers:
        layer["weight"].fill_(START ** (1 / depth))
    steps, worst, expected = round(TIME / rate), 0.0, START
    for _ in range(steps):
        loop.train(1)
        expected = later(expected, depth, rate)
        product = float(torch.cat([layer["weight"].flatten() for layer in layers]).double().prod())
        worst = max(worst, abs(product - expected) / STRENGTH)
    return worst


def later(product: float, depth: int, time: float) -> float:
    """Where gradient flow takes the product: exactly for two layers, else by Runge and Kutta's steps of order
    four, whose own error is far below that of gradient descent."""
    if depth == 2:
        grown = product * np.exp(4 * STRENGTH * time)
        return grown / (1 + (grown - product) / STRENGTH)

    def slope(u: float) -> float:
        return 2 * depth * u ** (2 - 2 / depth) * (STRENGTH - u)

    first = slope(product)
    second = slope(product + time / 2 * first)
    third = slope(product + time / 2 * second)
    fourth = slope(product + time * third)
    return product + time / 6 * (first + 2 * second + 2 * third + fourth)
