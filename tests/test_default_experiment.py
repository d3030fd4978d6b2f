"""The first lesson: what the page shows after one press of play."""

import pytest

from playground.run.config import Config
from playground.session.session import DEFAULT_SPEED
from tests.loops import COMPILED, metrics, start

SECONDS = (4, 12)
"""From play until it is solved, at the default speed."""


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("solved", [0.95, 0.98])
def test_the_default_experiment_is_learned_while_one_watches(seed: int, solved: float, kernel: None) -> None:
    """It was solved within 10 epochs at 60 epochs/s: a blink, and then a still picture. Counted in epochs."""
    loop = start(Config(seed=seed), COMPILED)
    assert DEFAULT_SPEED.epochs_per_second is not None
    second = round(DEFAULT_SPEED.epochs_per_second)
    earliest, latest = (seconds * second for seconds in SECONDS)
    losses, epoch = [], 0
    while not (now := metrics(loop))["train_accuracy"] or now["train_accuracy"] < solved:
        if epoch % second == 0:
            losses.append(now["train_loss"])
        epoch += 1
        loop.train(loop.experiment.steps_per_epoch)
        assert epoch <= latest
    assert epoch >= earliest
    assert losses == sorted(losses, reverse=True), "there is something to see in each second"
