"""Random Fourier features: what they are, how they come and go, and that a picture gets sharp with them."""

import numpy as np
import pytest
import torch

from playground import limits
from playground.catalogue.features import columns
from playground.catalogue.fourier import Fourier, listed
from playground.errors import ValidationFailed
from playground.run.validation import parse
from playground.session.labels import label
from playground.training.compiled.trainer import CompiledTrainer
from tests.loops import COMPILED, change, frame, metrics, start

WAVES = [f"rff{i + 1}" for i in range(32)]


def test_they_are_a_cosine_and_a_sine_of_each_frequency():
    x = torch.rand(50, 2) * 12 - 6
    made = columns(("rff1", "rff2", "rff5", "rff6"), x, Fourier(seed=3, scale=2.0))
    torch.testing.assert_close(made[:, 0] ** 2 + made[:, 1] ** 2, torch.ones(50))
    torch.testing.assert_close(made[:, 2] ** 2 + made[:, 3] ** 2, torch.ones(50))
    assert not torch.allclose(made[:, 0], made[:, 2])
    at_zero = columns(("rff1", "rff2"), torch.zeros(1, 2), Fourier(3, 2.0))
    assert at_zero.tolist() == [[1, 0]]


def frequencies(fourier: Fourier) -> torch.Tensor:
    """In waves along a side, from the slope of the sines at zero, (pairs, 2)."""
    step = 1e-3 * torch.eye(2)
    sines = fourier.waves(range(2, limits.FOURIER + 1, 2), step)
    return sines.T / 1e-3 * 12 / (2 * torch.pi)


def test_their_frequencies_are_normal_with_the_scale_as_their_spread():
    found = frequencies(Fourier(seed=0, scale=2.0))
    assert found.std() == pytest.approx(2, rel=0.2)
    assert found.mean().abs() < 0.6
    torch.testing.assert_close(frequencies(Fourier(0, 4.0)), 2 * found, rtol=1e-2, atol=1e-2)
    assert not torch.allclose(frequencies(Fourier(1, 2.0)), found)


def test_a_wave_does_not_depend_on_which_others_there_are():
    x = torch.rand(9, 2)
    alone, among = columns(("rff7",), x, Fourier()), columns(("x1", "rff7", "rff2"), x, Fourier())
    assert torch.equal(alone[:, 0], among[:, 1])
    assert columns(("rff1", "rff2"), torch.rand(9, 1), Fourier()).shape == (9, 2)  # of one input too


@pytest.mark.parametrize("names", [["rff0"], [f"rff{limits.FOURIER + 1}"], ["rff"], ["rff1", "rff1"]])
def test_there_are_no_others(names):
    with pytest.raises(ValidationFailed, match="features"):
        parse({"features": names})


def test_more_features_than_the_limit_are_refused():
    many = [f"x1+{i}" for i in range(1, limits.FEATURES + 2)]
    with pytest.raises(ValidationFailed, match="features"):
        parse({"features": many})


def test_they_come_and_go_live_and_the_output_stays():
    loop = start({"data": {"kind": "flower", "size": 16}})
    loop.train(30)
    before = frame(loop)["decision"]
    effects = change(loop, {"features": ["x1", "x2", *WAVES]})
    assert "rff1 … rff32" in effects[0].text
    np.testing.assert_array_equal(frame(loop)["decision"], before)
    loop.train(30)
    was = metrics(loop)["train_loss"]
    change(loop, {"fourier_scale": 6.0})  # other waves, the same weights
    assert metrics(loop)["train_loss"] != was
    assert loop.state.step == 60
    change(loop, {"features": ["x1", "x2"]})
    loop.train(5)


def test_many_are_told_as_one():
    assert listed(["x1", *WAVES]) == ["x1", "rff1 … rff32"]
    assert listed(["rff1", "rff2"]) == ["rff1", "rff2"]
    (text,) = label(parse({}), parse({"features": ["x1", "x2", *WAVES]}))
    assert text.text == "+rff1 … rff32"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(("kind", "better"), [("smiley", 3), ("coloured_rings", 10)])
def test_a_picture_gets_sharp_with_them(kind, better):
    """64 × 64 pixels, 15 epochs each; Tancik et al., 2020, figure 1."""
    losses = []
    for features in (["x1", "x2"], ["x1", "x2", *WAVES]):
        loop = start(
            {
                "data": {"kind": kind},
                "features": features,
                "hidden": [{"width": 32}, {"width": 32}],
                "batch_size": 128,
                "optimizer": {"kind": "adam", "lr": 0.005},
            },
            COMPILED,
        )
        loop.train(15 * loop.experiment.steps_per_epoch)
        assert isinstance(loop.trainer, CompiledTrainer)
        losses.append(metrics(loop)["train_loss"])
    raw, fourier = losses
    assert raw > 0.1, "blurred"
    assert fourier * better < raw
