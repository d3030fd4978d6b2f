"""Deep sigmoid: the circle, SGD at rate 0.1 with batches of 10, each activation with the start made for it.
Neither paper has this very network: five layers of sigmoids stay at chance, as many of SELUs learn."""

from __future__ import annotations

from collections.abc import Iterator

from bench.published.result import Result, answers, stack

NETWORKS, EPOCHS = 100, 100
CASES = (
    ("sigmoid", "xavier_uniform", "Glorot, Bengio 2010", "0 (does not train)"),
    ("selu", "lecun_normal", "Klambauer et al. 2017", "1 (trains)"),
)


def reproduce() -> Iterator[Result]:
    for activation, init, source, theirs in CASES:
        config = {
            "data": {"kind": "circle"},
            "hidden": [{"width": 8, "activation": {"kind": activation}}] * 5,
            "init": {"kind": init},
            "optimizer": {"kind": "sgd", "lr": 0.1},
        }
        loop = stack(config, NETWORKS)
        loop.train(EPOCHS * loop.experiment.steps_per_epoch)
        targets = loop.experiment.targets[: loop.experiment.count]
        right = [((one.prediction > 0.5) == targets).mean() > 0.9 for one in answers(loop)]
        figure = f"share over 90 % right after {EPOCHS} epochs"
        name = f"2-8-8-8-8-8-1, {activation}"
        yield Result(name, source, figure, theirs, sum(right) / NETWORKS, networks=NETWORKS)
