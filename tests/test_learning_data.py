"""What the data sets are there to show, with networks that learn them."""

import numpy as np
import pytest

from tests.loops import COMPILED, frame, metrics, put_weights, start

pytestmark = pytest.mark.usefixtures("kernel")


def trained(steps: int, **config):
    loop = start(config, COMPILED)
    loop.train(steps)
    return loop


def test_two_neurons_set_by_hand_solve_xor():
    # Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.1
    loop = start(
        {
            "data": {"kind": "xor_points"},
            "hidden": [{"width": 2, "activation": {"kind": "relu"}}],
            "loss": {"kind": "mse"},
        }
    )
    put_weights(
        loop,
        [
            {"weight": [[1, 1], [1, 1]], "bias": [0, -1]},
            {"weight": [[1], [-2]], "bias": [0]},
        ],
    )
    outputs = loop.outputs(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32))
    assert outputs.tolist() == [0, 1, 1, 0]
    assert metrics(loop)["train_loss"] == 0
