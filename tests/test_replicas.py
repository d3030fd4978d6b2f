"""Several networks at once, from different seeds: their median and band, their mean and spread (bias and
variance)."""

import numpy as np
import pytest

from playground.errors import ValidationFailed
from playground.run.validation import parse
from playground.training.ensemble import combined
from playground.worker import snapshot
from tests.loops import COMPILED, REFERENCE, change, frame, start

SPIRAL = {
    "data": {"kind": "spiral", "samples": 200},
    "hidden": [{"width": 6}],
    "optimizer": {"kind": "adam", "lr": 0.01},
}


@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_each_network_learns_as_it_would_alone_and_the_history_is_their_median_in_a_band(trainers, kernel):
    together = start({**SPIRAL, "seed": 5, "replicas": 3}, trainers)
    samples = together.record() + together.train(60)
    losses = []
    for r, seed in enumerate((5, 6, 7)):
        # The points are those of the first seed.
        alone = start({**SPIRAL, "seed": 5}, trainers, seeds=(seed,))
        losses.append((alone.record() + alone.train(60)).column("train_loss"))
        np.testing.assert_allclose(together.state.weights[r], alone.state.weights[0], rtol=1e-4, atol=1e-5)
    column = samples.columns.index("train_loss")
    expected = np.median(losses, axis=0), np.min(losses, axis=0), np.max(losses, axis=0)
    np.testing.assert_allclose(samples.table[..., column], expected, rtol=1e-4)
    assert (samples.table[1, 1:, column] < samples.table[2, 1:, column]).all()


def test_the_map_is_their_mean_and_shows_where_they_differ():
    loop = start({**SPIRAL, "replicas": 4})
    loop.train(40)
    x = loop.experiment.all_x
    each = np.stack([loop.trainer.evaluate(x, network=r).prediction for r in range(4)])
    mean, spread = combined(loop.trainer, loop.experiment, x)
    np.testing.assert_allclose(mean.prediction, each.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(spread, each.std(axis=0), rtol=1e-4, atol=1e-6)
    shown = frame(loop, 8, 16)
    assert shown["spread"].shape == (1, 16, 16)
    assert shown["spread_range"][0, 1] > 0
    assert "spread" not in frame(start(SPIRAL), 8, 16)


def test_what_one_network_got_wrong_by_chance_cancels_out():
    # The error of the mean is the mean error less the variance (Krogh, Vedelsby, 1995), exactly for squares.
    loop = start({"data": {"kind": "plane", "noise": 0.3}, "hidden": [{"width": 8}], "replicas": 5})
    loop.train(100)
    x, targets = loop.experiment.all_x, loop.experiment.targets
    each = np.stack([loop.trainer.evaluate(x, network=r).prediction for r in range(5)])
    mean, spread = combined(loop.trainer, loop.experiment, x)
    error = np.mean((mean.prediction - targets) ** 2)
    assert error == pytest.approx(np.mean((each - targets) ** 2) - np.mean(spread**2), rel=1e-4)
    assert error < np.mean((each - targets) ** 2)


def test_networks_come_and_go_while_they_learn():
    loop = start({**SPIRAL, "replicas": 2})
    loop.train(20)
    first = loop.state.weights.clone()
    effects = change(loop, {"replicas": 4})
    assert loop.state.seeds.tolist() == [0, 1, 2, 3]
    assert (loop.state.weights[:2] == first).all()
    fresh = start({**SPIRAL, "replicas": 4})
    assert (loop.state.weights[2:] == fresh.state.weights[2:]).all()
    assert "2" in effects[0].text
    loop.train(20)
    kept = loop.state.weights[:1].clone()
    change(loop, {"replicas": 1, "hidden": [{"width": 7}]})
    assert loop.state.weights.shape[0] == 1
    assert loop.train(5)
    assert kept.shape[0] == 1


def test_a_change_acts_on_all_of_them_and_a_snapshot_keeps_them():
    loop = start({**SPIRAL, "replicas": 3})
    loop.train(15)
    change(loop, {"hidden": [{"width": 6, "normalization": {"kind": "batchnorm"}}, {"width": 2}]})
    again = snapshot.load(snapshot.save(loop.config, loop.state), trainers=REFERENCE)
    loop.train(15)
    again.train(15)
    assert (again.state.weights == loop.state.weights).all()
    change(loop, {"seed": 9})
    assert loop.state.seeds.tolist() == [9, 10, 11]


def test_too_many_large_networks_are_refused_with_what_fits():
    with pytest.raises(ValidationFailed) as refused:
        parse({"hidden": [{"width": 256}] * 8, "replicas": 32})
    (error,) = refused.value.errors
    assert error.field == "replicas"
    assert error.suggestion == {"replicas": 2}
