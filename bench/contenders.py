"""Who trains. Each takes a case and returns what trains it by at least so many steps, and says by how many.

All train the same network on the default circle, in float32: tanh, cross-entropy of logits, shuffled batches.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from playground.catalogue.features import columns
from playground.run.config import Config
from playground.run.validation import parse
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TrainingLoop
from playground.training.reference import ReferenceTrainer
from playground.training.trainer import Trainer

Steps = Callable[[int], int]

FEATURES = ["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"]
RATE = 0.03
ONE_CORE = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
"""What XLA is told; `instructions` may have told it more."""
LATER = 16_384
"""The step from which on a point of the history stands for 32 steps or more."""


@dataclass(frozen=True)
class Case:
    net: str
    """Its widths, features and output included: 2-4-2-1."""
    optimizer: str = "sgd"
    batch: int = 10
    batchnorm: bool = False
    dropout: float = 0
    stack: int = 1
    """Networks that train together."""
    options: dict[str, Any] = field(default_factory=dict)
    """Other settings, as in a config."""

    @property
    def widths(self) -> list[int]:
        return [int(width) for width in self.net.split("-")]

    @property
    def training(self) -> str:
        extras = {"batchnorm": self.batchnorm, "dropout": self.dropout}
        return ", ".join([self.optimizer, *(name for name, on in extras.items() if on)])

    @property
    def multiply_adds(self) -> int:
        """Of a step: for the sums, the gradient of each weight, and that of what comes into a later layer."""
        products = [a * b for a, b in pairwise(self.widths)]
        return self.batch * (2 * sum(products) + sum(products[1:]))

    @cached_property
    def config(self) -> Config:
        inputs, *hidden, _ = self.widths
        normalization = {"kind": "batchnorm" if self.batchnorm else "none"}
        raw: dict[str, Any] = {
            "features": FEATURES[:inputs],
            "hidden": [
                {"width": width, "normalization": normalization, "dropout": self.dropout} for width in hidden
            ],
            "optimizer": {"kind": self.optimizer, "lr": RATE},
            "batch_size": self.batch,
        }
        return parse(raw | self.options)

    @cached_property
    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (n, inputs) and targets (n,)."""
        data = self.config.dataset({})
        inputs, targets = (torch.from_numpy(a).float() for a in (data.train_inputs, data.train_targets))
        return columns(self.config.features, inputs, self.config.fourier), targets


def reference(case: Case, step: int = LATER) -> Steps:
    return ours(ReferenceTrainer, case, step)


def compiled(case: Case, step: int = LATER) -> Steps:
    return ours(CompiledTrainer, case, step)


def ours(kind: type[Trainer], case: Case, step: int) -> Steps:
    """The clock is put forward to `step`, for a slow trainer would take minutes to get there."""
    loop = TrainingLoop.start(case.config, seeds=tuple(range(case.stack)), trainers=[kind])
    if step:
        loop.state.step, loop.state.stride = step, 32

    def train(steps: int) -> int:
        loop.train(steps)
        return steps

    return train


def plain_loop(case: Case) -> Steps:
    """What one would write by hand with the same torch: no metrics, no history."""
    *widths, last = case.widths
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers.append(nn.Linear(before, after))
        if case.batchnorm:
            layers.append(nn.BatchNorm1d(after))
        layers.append(nn.Tanh())
        if case.dropout:
            layers.append(nn.Dropout(case.dropout))
    net = nn.Sequential(*layers, nn.Linear(widths[-1], last))
    loss = nn.BCEWithLogitsLoss()
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[case.optimizer]
    optimizer = kind(net.parameters(), lr=RATE)
    inputs, targets = case.data

    def train(steps: int) -> int:
        left = steps
        while True:
            for batch in torch.randperm(len(inputs)).split(case.batch):
                if left == 0:
                    return steps
                left -= 1
                optimizer.zero_grad()
                loss(net(inputs[batch])[:, 0], targets[batch]).backward()
                optimizer.step()

    return train


def scikit_learn(case: Case) -> Steps:
    """Whole epochs of `fit`, which begins anew each time."""
    inputs, targets = (tensor.numpy() for tensor in case.data)
    model = import_module("sklearn.neural_network").MLPClassifier(
        case.widths[1:-1],
        activation="tanh",
        solver=case.optimizer,
        alpha=0,
        batch_size=case.batch,
        learning_rate_init=RATE,
        momentum=0,
        n_iter_no_change=10**9,
    )
    epoch = math.ceil(len(inputs) / case.batch)

    def train(steps: int) -> int:
        model.max_iter = math.ceil(steps / epoch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            model.fit(inputs, targets)
        return model.max_iter * epoch

    return train


def jax_products(case: Case) -> Steps:
    """Plain SGD in JAX, a layer as one writes it."""
    return jax_scan(case, lambda x, weight: x @ weight)


def jax_sums(case: Case) -> Steps:
    """Products spelt out, so that XLA makes one loop of all: quicker where calls cost more than products."""
    return jax_scan(case, lambda x, weight: (x[:, :, None] * weight).sum(1))


def jax_scan(case: Case, product: Callable[[Any, Any], Any]) -> Steps:
    """100 epochs a call. They are shuffled outside: inside, the sort takes longer."""
    flags = os.environ.get("XLA_FLAGS", "")
    if ONE_CORE not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {ONE_CORE}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax  # pyright: ignore[reportMissingImports]
    from jax import lax  # pyright: ignore[reportMissingImports]
    from jax import numpy as jnp  # pyright: ignore[reportMissingImports]

    random = np.random.default_rng(0)
    x, y = (jnp.asarray(tensor.numpy()) for tensor in case.data)
    state = [
        (jnp.asarray(random.normal(0, a**-0.5, (a, b)), "float32"), jnp.zeros(b))
        for a, b in pairwise(case.widths)
    ]

    def loss(layers: Any, x: Any, y: Any) -> Any:
        *hidden, (weight, bias) = layers
        for w, b in hidden:
            x = jnp.tanh(product(x, w) + b)
        z = (product(x, weight) + bias)[:, 0]
        return jnp.mean(jnp.maximum(z, 0) - y * z + jnp.log1p(jnp.exp(-jnp.abs(z))))

    def step(layers: Any, batch: Any) -> Any:
        grads = jax.grad(loss)(layers, *batch)
        return jax.tree.map(lambda value, grad: value - RATE * grad, layers, grads), None

    @jax.jit(donate_argnums=0)
    def run(layers: Any, order: Any) -> Any:
        return lax.scan(step, layers, (x[order], y[order]), unroll=5)[0]

    def train(steps: int) -> int:
        nonlocal state
        done = 0
        while done < steps:
            order = random.random((100, len(x)), np.float32).argsort(axis=1).astype(np.int32)
            order = order.reshape(-1, case.batch)
            state = run(state, order)
            done += len(order)
        jax.block_until_ready(state)
        return done

    return train
