"""Initial weights: what holds of them exactly. Their distributions are compared in test_catalogue.py."""

import numpy as np
import pytest
import torch

from playground.catalogue.component import members
from playground.catalogue.inits import Init
from playground.randomness import normal
from playground.run.validation import parse
from tests.loops import start, weights


def init_of(kind: str, **parameters: float) -> Init:
    return parse({"init": {"kind": kind, **parameters}}).init


@pytest.mark.parametrize("init", ["zero", "constant"])
def test_units_that_start_alike_stay_alike_for_ever(init):
    loop = start({"hidden": [{"width": 4}, {"width": 3}], "init": {"kind": init, "bias": 0.1}})
    loop.train(200)
    for layer in weights(loop)[:-1]:
        for array in (layer["weight"], layer["bias"]):
            np.testing.assert_allclose(array, array[..., :1].repeat(array.shape[-1], axis=-1), rtol=1e-5)
    assert weights(loop)[-1]["bias"].any(), "it trains"


@pytest.mark.parametrize("shape", [(7, 7), (7, 3), (2, 9)])
def test_orthogonal_weights_are_at_right_angles_and_each_network_has_its_own(shape):
    def drawn(seeds):
        numbers = normal(torch.tensor(seeds), "a", 0, shape)
        fan_in, fan_out = shape
        return init_of("orthogonal", gain=2.0).weight(fan_in, fan_out, lambda: numbers, lambda: numbers)

    both = drawn([3, 4])
    assert both.shape == (2, *shape)
    for w in both:
        small = w.T @ w if shape[0] >= shape[1] else w @ w.T
        torch.testing.assert_close(small, 4 * torch.eye(len(small), dtype=torch.float64))
    assert not torch.allclose(both[0], both[1])
    torch.testing.assert_close(drawn([4])[0], both[1], rtol=0, atol=0)


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Init)])
def test_every_init_has_a_bias_and_those_of_torch_with_a_gain_have_it(kind):
    hidden = [{"width": 5}, {"width": 3}]
    plain = weights(start({"hidden": hidden, "init": {"kind": kind}}))
    lifted = weights(start({"hidden": hidden, "init": {"kind": kind, "bias": 0.3}}))
    for one, other in zip(plain, lifted, strict=True):
        np.testing.assert_array_equal(one["weight"], other["weight"])
        np.testing.assert_array_equal(one["bias"], np.float32(init_of(kind).bias))
        np.testing.assert_array_equal(other["bias"], np.float32(0.3))
    scaled = kind.startswith("xavier") or kind == "orthogonal"
    assert ("gain" in init_of(kind).model_dump()) == scaled
    if scaled:
        louder = weights(start({"hidden": hidden, "init": {"kind": kind, "gain": 2.0}}))
        for one, other in zip(plain, louder, strict=True):
            np.testing.assert_array_equal(2 * one["weight"], other["weight"])
