"""Networks, data, metrics."""

import numpy as np
import pytest
import torch

from playground.run.summary import summary
from playground.run.validation import parse
from playground.training.scores import class_scores
from tests.course.rows import XOR_POINTS, row
from tests.loops import metrics, put_weights, start


@row("N1", "XOR by weights set by hand")
def xor_by_hand() -> None:
    loop = start({**XOR_POINTS, "hidden": [{"width": 2, "activation": {"kind": "relu"}}]})
    put_weights(loop, [{"weight": [[1, 1], [1, 1]], "bias": [0, -1]}, {"weight": [[1], [-2]], "bias": [0]}])
    x = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]])
    assert loop.trainer.evaluate(x).prediction.tolist() == [0, 1, 1, 0]


@row("N2", "a summary with parameter counts")
def summaries() -> None:
    config = parse({"hidden": [{"width": 2}]})
    assert summary(config, start(config).experiment.dataset.task).parameters == 9


@row("N3", "confusion matrix, accuracy, precision, recall, F1")
def scores() -> None:
    counts = np.array([[20, 5], [5, 70]])
    assert np.trace(counts) / counts.sum() == pytest.approx(0.90)
    np.testing.assert_allclose(class_scores(counts)[1], [70 / 75] * 3, atol=1e-6)


@row("N4", "own data, real data, synthetic data")
def data() -> None:
    for kind, count, inputs in (
        ("iris", 150, 4),
        ("wine", 178, 13),
        ("breast_cancer", 569, 30),
        ("digits", 1797, 64),
    ):
        found = start({"data": {"kind": kind}, "hidden": []}).experiment.dataset
        assert len(found.train_inputs) + len(found.test_inputs) == count
        assert found.task.inputs == inputs


@row("N6", "universal approximation: width against the fit of a function of one input")
def approximation() -> None:
    left = []
    for width in (1, 8):
        optimizer = {"kind": "adam", "lr": 0.01}
        loop = start(
            {
                "data": {"kind": "sine_curve"},
                "hidden": [{"width": width}],
                "loss": {"kind": "mse"},
                "batch_size": 50,
                "optimizer": optimizer,
            }
        )
        loop.train(1500)
        left.append(metrics(loop)["train_loss"] or 0.0)
    assert left[1] < left[0] / 2
