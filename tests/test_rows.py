"""Rows of a stack: networks that train side by side, each with numbers of its own."""

import numpy as np
import pytest

from playground.run.validation import parse
from playground.training.rows import Measured, Row, Rows
from tests.loops import COMPILED, REFERENCE, start

BASE = {"data": {"kind": "spiral", "samples": 120}, "hidden": [{"width": 5}]}
DIFFERENT = [
    {"optimizer": {"kind": "adam", "lr": 0.01}, "l2": 0.01},
    {"optimizer": {"kind": "adam", "lr": 0.1, "beta1": 0.5}, "l1": 0.001},
    {"optimizer": {"kind": "adam", "lr": 0.03}, "input_noise": 0.2, "batch_size": 17},
    {"optimizer": {"kind": "adam", "lr": 0.02}, "hidden": [{"width": 5, "dropout": 0.3}], "clip_norm": 0.5},
    {
        "optimizer": {"kind": "adam", "lr": 0.02, "weight_decay": 0.1},
        "init": {"kind": "xavier_uniform", "gain": 2},
    },
    {"optimizer": {"kind": "adam", "lr": 0.02}, "schedule": {"kind": "step_decay"}, "max_norm": 1},
]


def trained(row: Row, until: int) -> Row:
    row.go_on(until)
    while row.due:
        row.train(deadline=0)  # a piece at a time
    return row


@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_each_row_is_its_config_trained_alone(trainers, kernel):
    rows = Rows(Measured(by_epochs=True, every=2), trainers=trainers)
    for place, own in enumerate(DIFFERENT):
        config = parse({**BASE, **own})
        row = trained(rows.begin(config, seed=place), 5)
        alone = start(config, trainers, seeds=(place,))
        alone.train(5 * alone.experiment.steps_per_epoch)
        assert (row.loop.state.weights == alone.state.weights).all()
        samples = row.take()
        assert samples.column("epoch").tolist() == [0, 2, 4, 5]
        np.testing.assert_allclose(samples.column("train_loss")[-1], alone.measure()[0].column("train_loss"))


def test_rows_share_their_points():
    rows = Rows(Measured(by_epochs=True, every=1), trainers=REFERENCE)
    one, other = (rows.begin(parse({**BASE, "l2": l2}), 0).loop.experiment for l2 in (0, 0.1))
    noisy = rows.begin(parse({**BASE, "data": {"kind": "spiral", "samples": 120, "noise": 0.3}}), 0)
    assert one.all_x is other.all_x
    assert noisy.loop.experiment.all_x is not one.all_x


def test_a_row_that_diverges_ends_alone(kernel):
    rows = Rows(Measured(by_epochs=False, every=10), trainers=COMPILED)
    wild = {"optimizer": {"kind": "sgd", "lr": 100}, "loss": {"kind": "mse"}, "data": {"kind": "plane"}}
    lost = trained(
        rows.begin(parse({**wild, "hidden": [{"width": 4, "activation": {"kind": "relu"}}]}), 0), 400
    )
    fine = trained(rows.begin(parse(BASE), 0), 40)
    assert lost.diverged
    assert lost.over
    assert not fine.over
    assert fine.take().column("step").tolist() == [0, 10, 20, 30, 40]


def test_a_row_goes_on_to_the_next_rung_as_if_it_had_never_paused(kernel):
    config, rows = parse(BASE), Rows(Measured(by_epochs=False, every=4), trainers=COMPILED)
    paused, whole = trained(rows.begin(config, 1), 7), trained(rows.begin(config, 1), 20)
    trained(paused, 20)
    assert (paused.loop.state.weights == whole.loop.state.weights).all()
    assert paused.take().column("step").tolist() == [0, 4, 7, 8, 12, 16, 20]


def test_early_stopping_ends_a_row(kernel):
    stopping = {"kind": "early_stopping", "patience": 2}
    config = parse({**BASE, "optimizer": {"kind": "adam", "lr": 1}, "stopping": stopping})
    row = trained(Rows(Measured(by_epochs=True, every=1), trainers=COMPILED).begin(config, 0), 300)
    assert row.stopped
    assert row.over
