"""How networks learn that differ in learning rate and scale of the first weights (arXiv 2402.06184)."""

import numpy as np
import pytest

from playground.run.validation import parse
from playground.training.trainability import Patch, measure
from tests.loops import COMPILED, REFERENCE, start

BASE = {
    "data": {"kind": "circle", "samples": 40},
    "hidden": [{"width": 4}],
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "batch_size": 40,
}


def starts(*gains: float):
    return [parse({**BASE, "init": {"kind": "xavier_normal", "gain": gain}}) for gain in gains]


def test_the_sign_says_whether_and_the_size_how_fast():
    fast, slow, same = [1, 0.1, 0.1, 0.1], [1, 0.9, 0.8, 0.7], [1, 1, 1, 1]
    worse, lost, back = [1, 2, 4, 8], [1, 50, np.nan, np.inf], [1, 9, 9, 0.5]
    found = measure(np.array([fast, slow, same, worse, lost, back]).T)
    assert (found > 0).tolist() == [True, True, False, False, False, True]
    assert found[0] < found[1]
    assert found[4] > found[3] > found[2] == -1
    assert found[0] == pytest.approx(1.3 / 4)
    assert found[3] == pytest.approx(-(1 + 1 / 2 + 1 / 4 + 1 / 8) / 4)


@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_a_network_of_a_patch_is_its_config_trained_alone(trainers, kernel):
    configs, rates = starts(0.5, 3), [0.01, 0.3, 0.01, 0.3]
    _, found, done = Patch(configs, [0, 0, 1, 1], rates, 20, trainers=trainers).train()
    assert done
    for network, (scale, rate) in enumerate(zip([0, 0, 1, 1], rates, strict=True)):
        config = configs[scale].model_copy(
            update={"optimizer": configs[scale].optimizer.model_copy(update={"lr": rate})}
        )
        loop = start(config, trainers)
        losses = (loop.record() + loop.train(20)).column("train_loss")
        assert found[network] == pytest.approx(measure(losses[:, None])[0], rel=1e-3)


def test_what_is_found_depends_on_no_neighbour_and_no_pause(kernel):
    configs, rates = starts(0.1, 1, 10), [0.01, 0.1, 1, 100]
    scales, all_rates = [s for s in range(3) for _ in rates], rates * 3
    _, whole, _ = Patch(configs, scales, all_rates, 30, trainers=COMPILED).train()
    patch, pieces, done = Patch(configs, scales[3:], all_rates[3:], 30, trainers=COMPILED), [], False
    while not done:
        first, found, done = patch.train(deadline=0)
        assert first == sum(map(len, pieces))
        pieces.append(found)
    np.testing.assert_array_equal(np.concatenate(pieces), whole[3:])
    assert whole[-1] < 0 < whole[5]
