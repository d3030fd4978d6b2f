"""The stack: what each network learns in it, it would have learned alone."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from playground import limits
from playground.training.batched import stack
from playground.catalogue.component import members
from playground.catalogue.optimizers import Optimizer
from playground.run.config import merged, parse
from playground.training.compiled.trainer import FusedTrainer
from playground.training.snapshot import load, save
from playground.training.batched.stack import Stack
from playground.training.reference import Diverged, Samples, Trainer

OPTIMIZERS = [cls.name() for cls in members(Optimizer)]
CONFIG = {
    "data": {"kind": "spiral", "noise": 0.1, "samples": 46},
    "batch_size": 5,
    "hidden": [{"width": 6, "batchnorm": True, "dropout": 0.2}, {"width": 4, "activation": {"kind": "relu"}}],
    "input_dropout": 0.1,
    "l1": 0.001,
    "l2": 0.001,
    "clip_norm": 1.0,
}
EPOCH = 5
"""Steps, the last of them with a mini-batch of 3."""
REGRESSION = {"data": {"kind": "plane", "samples": 46}, "batch_size": 5}
CLASSES = {"data": {"kind": "blobs", "samples": 46}, "batch_size": 5, "loss": {"kind": "mse"}}


def sessions(starts, config=CONFIG, device="cpu", kind=Trainer):
    """Trainers with seeds, and so points, of their own, each trained so many steps."""
    trainers = [kind.start(parse(config | {"seed": seed}), device=device) for seed in range(len(starts))]
    for trainer, steps in zip(trainers, starts, strict=True):
        trainer.record()
        trainer.train(steps)
    return trainers


def train(stacked, trainers, steps) -> list[Samples]:
    found = stacked.train(trainers, steps)
    return [samples for trainer in trainers if isinstance(samples := found[trainer], Samples)]


def assert_alike(one: Trainer, other: Trainer) -> None:
    for a, b in zip(one.state.tensors(), other.state.tensors(), strict=True):
        torch.testing.assert_close(a.cpu(), b.cpu(), rtol=1e-4, atol=1e-5)
    for name in ("step", "epoch", "cursor", "samples", "stride"):
        assert getattr(one.state, name) == getattr(other.state, name)


def assert_same_points(one: Samples, other: Samples) -> None:
    assert one.columns == other.columns
    np.testing.assert_allclose(one.rows, other.rows, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_sessions_at_different_steps_learn_what_each_learns_alone(optimizer):
    config = CONFIG | {"optimizer": {"kind": optimizer}}
    starts = (0, 2 * EPOCH, 7 * EPOCH)
    together, alone = sessions(starts, config), sessions(starts, config)
    for trainer, other, found in zip(together, alone, train(Stack(together), together, 43), strict=True):
        assert_same_points(found, other.train(43))
        assert_alike(trainer, other)


@pytest.mark.parametrize("config", [REGRESSION, CLASSES, CONFIG | {"shuffle": False}])
def test_any_problem_can_be_learned_in_a_stack(config):
    together, alone = sessions((3, 8), config), sessions((3, 8), config)
    for trainer, other, found in zip(together, alone, train(Stack(together), together, 60), strict=True):
        assert_same_points(found, other.train(60))
        assert_alike(trainer, other)


def test_a_stack_of_seeds_learns_what_each_learns_alone_and_has_the_history_of_the_first(monkeypatch):
    monkeypatch.setattr("playground.training.reference.SAMPLED_POINTS", 10)
    trainer, other = (Trainer.start(parse(CONFIG), seeds=(0, 7, 8)) for _ in range(2))
    [found] = train(Stack([trainer]), [trainer], 60)
    assert_same_points(found, other.train(60))
    for row, seed in enumerate((0, 7, 8)):
        alone = Trainer.start(parse(CONFIG), seeds=(seed,))
        alone.train(60)
        torch.testing.assert_close(trainer.state.weights[row], alone.state.weights[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("most", [1, 3, 12])
def test_what_is_learned_does_not_depend_on_how_many_steps_are_launched_at_once(monkeypatch, most):
    monkeypatch.setattr(stack, "LAUNCH_STEPS", most)
    together, alone = sessions((2, 7)), sessions((2, 7))
    stacked = Stack(together)
    for steps in (1, 40, 9):
        stacked.train(together, steps)
    for trainer, other in zip(together, alone, strict=True):
        other.train(50)
        assert_alike(trainer, other)


def test_a_history_that_is_full_halves_its_resolution_by_each_sessions_own_steps(monkeypatch):
    monkeypatch.setattr(limits, "HISTORY_SAMPLES", 16)
    starts = (0, 6 * EPOCH, 41 * EPOCH)
    together, alone = sessions(starts), sessions(starts)
    for trainer, other, found in zip(together, alone, train(Stack(together), together, 200), strict=True):
        assert_same_points(found, other.train(200))
        assert trainer.state.stride == other.state.stride > 8


def test_a_member_shows_and_saves_what_it_would_alone():
    together, alone = sessions((0, EPOCH)), sessions((0, EPOCH))
    Stack(together).train(together, 12)
    for trainer, other in zip(together, alone, strict=True):
        other.train(12)
        for name, array in trainer.frame()[1].items():
            rounding = 1 if array.dtype == np.uint8 else 1e-4
            np.testing.assert_allclose(array, other.frame()[1][name], rtol=1e-3, atol=rounding)
        metrics, expected = trainer.metrics(), other.metrics()
        assert metrics.pop("grad_norm") == pytest.approx(expected.pop("grad_norm"), rel=1e-4)
        assert metrics == pytest.approx(expected, rel=1e-4)
        assert_alike(load(save(trainer)), other)


def test_who_rests_stays_as_it_is_and_goes_on_later():
    together, alone = sessions((0, 4, EPOCH)), sessions((0, 4, EPOCH))
    stacked = Stack(together)
    first, late, third = together
    stacked.train([late], 1)
    before, metrics = late.state.copy(), late.metrics()
    stacked.train([first, third], 8)
    assert late.metrics() == metrics
    assert all(torch.equal(a, b) for a, b in zip(late.state.tensors(), before.tensors(), strict=True))
    stacked.train([late], 3)
    stacked.train(together, 10)
    for trainer, other, steps in zip(together, alone, (18, 14, 18), strict=True):
        other.train(steps)
        assert_alike(trainer, other)


@pytest.mark.parametrize("kind", [Trainer, FusedTrainer])
def test_a_member_can_be_trained_and_edited_by_itself(kind):
    together, alone = sessions((0, 2), kind=kind), sessions((0, 2))
    stacked = Stack(together)
    together[1].train(3)
    together[0].set_weight(0, 0, 1, 2.5)
    stacked.train(together, 10)
    alone[0].set_weight(0, 0, 1, 2.5)
    for trainer, other, steps in zip(together, alone, (10, 13), strict=True):
        other.train(steps)
        assert_alike(trainer, other)


@pytest.mark.parametrize("kind", [Trainer, FusedTrainer])
def test_a_member_may_be_a_stack_of_seeds_itself(kind):
    raw = CONFIG | {"optimizer": {"kind": "adam"}}
    together, alone = (
        [trainer.start(parse(raw), seeds=seeds) for seeds in [(0, 1, 2), (3,)]] for trainer in (kind, Trainer)
    )
    stacked = Stack(together)
    stacked.train(together, 2 * EPOCH)
    together[0].train(EPOCH)
    stacked.leave(together[0])
    together[0].train(3)
    for trainer, other, steps in zip(together, alone, (3 * EPOCH + 3, 2 * EPOCH), strict=True):
        other.train(steps)
        assert_alike(trainer, other)


def test_a_member_leaves_as_if_it_had_never_joined():
    together, alone = sessions((0, EPOCH, 0)), sessions((0, EPOCH, 0))
    stacked = Stack(together)
    stacked.train(together, 7)
    stacked.leave(together[0])
    patch = {"hidden": [{"width": 6}, {"width": 3}], "optimizer": {"kind": "sgd"}}
    together[1].change(parse(merged(together[1].config, patch)))
    assert stacked.members == together[2:]
    metrics = together[0].metrics()
    stacked.train(together[2:], 20)
    assert together[0].metrics() == metrics
    for trainer in together[:2]:
        trainer.train(20)
        with pytest.raises(ValueError, match="left"):
            stacked.train([trainer], 1)
    for other in alone:
        other.train(7)
    alone[1].change(parse(merged(alone[1].config, patch)))
    for trainer, other in zip(together, alone, strict=True):
        other.train(20)
        assert_alike(trainer, other)


@np.errstate(over="ignore")  # the norm of a gradient on its way to infinity
def test_one_that_diverges_does_not_disturb_the_others():
    relu = {"width": 8, "activation": {"kind": "relu"}}
    config = REGRESSION | {"hidden": [relu, relu], "optimizer": {"kind": "sgd", "lr": 0.01}}
    together, alone = sessions((0, 0, 0), config), sessions((0, 0, 0), config)
    for trainer in (together[1], alone[1]):
        trainer.set_weight(1, 0, 0, 1e3)
    stacked = Stack(together)
    found = stacked.train(together, 60)[together[1]]
    with pytest.raises(Diverged) as raised:
        alone[1].train(60)
    expected = raised.value
    assert isinstance(found, Diverged)
    assert found.step == expected.step > 1
    assert (found.layer, found.detail) == (expected.layer, expected.detail)
    assert_same_points(found.samples, expected.samples)
    assert_alike(together[1], alone[1])
    assert stacked.members == [together[0], together[2]]
    for trainer, other in ((together[0], alone[0]), (together[2], alone[2])):
        other.train(60)
        assert_alike(trainer, other)


def test_only_what_is_alike_can_be_stacked():
    config = parse(CONFIG)
    for patch in ({"hidden": []}, {"optimizer": {"lr": 0.1}}, {"data": {"samples": 48}}):
        with pytest.raises(ValueError, match="differ"):
            Stack([Trainer.start(config), Trainer.start(parse(merged(config, patch)))])
    xor = parse(merged(config, {"data": {"kind": "xor", "samples": 46}}))
    together = [Trainer.start(config), Trainer.start(xor)]
    together[1].train(1)
    with pytest.raises(ValueError, match="equally far"):
        Stack(together).train(together, 1)


def test_a_stack_stops_soon_after_its_deadline():
    together = sessions((0, 0))
    Stack(together).train(together, 1000, deadline=0.0)
    assert 0 < together[0].step == together[1].step <= stack.LAUNCH_STEPS


class Tape(TorchDispatchMode):
    """Records operations and the memory that they wrote to, and replays them there, as a CUDA graph does.

    What needs an answer from the device, or brings it anything but the arguments of a launch, is no part of
    one."""

    FORBIDDEN = (
        "_local_scalar_dense",
        "nonzero",
        "lift_fresh",
        "equal",
        "is_nonzero",
        "masked_select",
        "unique",
    )

    def __init__(self, work, device):
        super().__init__()
        self._work, self._trail, self._operations = work, None, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert not func.__name__.startswith(self.FORBIDDEN), func
        result = func(*args, **(kwargs or {}))
        self._operations.append((func, args, kwargs or {}, result))
        return result

    def __call__(self):
        if self._trail is None:
            with self:
                self._trail = self._work()
            return self._trail
        with torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, result in self._operations:
                again = func(*args, **kwargs)
                if all(returned.alias_info is None for returned in func._schema.returns):
                    for target, latest in zip(_tensors(result), _tensors(again), strict=True):
                        target.copy_(latest)
        return self._trail


def _tensors(result):
    return [result] if isinstance(result, torch.Tensor) else list(result)


@pytest.mark.parametrize("config", [CONFIG, REGRESSION])
@pytest.mark.parametrize("most", [2, 12])
def test_steps_that_were_recorded_go_on_from_wherever_the_networks_are(monkeypatch, config, most):
    monkeypatch.setattr(stack, "LAUNCH_STEPS", most)
    monkeypatch.setattr(stack, "Recording", Tape)
    together, alone = sessions((2, 7), config), sessions((2, 7), config)
    stacked = Stack(together)
    stacked._records = True
    for steps in (1, 40, 9):
        for trainer, other, found in zip(together, alone, train(stacked, together, steps), strict=True):
            assert_same_points(found, other.train(steps))
            assert_alike(trainer, other)
    assert len(stacked._recordings) <= 6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")
@pytest.mark.parametrize("config", [CONFIG, REGRESSION, CLASSES])
def test_a_gpu_that_replays_learns_what_a_cpu_learns(config):
    starts = (0, EPOCH, 3 * EPOCH)
    replayed, launched = sessions(starts, config, "cuda"), sessions(starts, config, "cuda")
    alone = sessions(starts, config)
    one, other = Stack(replayed), Stack(launched)
    other._records = False
    for steps in (60, 60, 7, 1, 1, 60):
        for trainer, plain, found, same in zip(
            replayed, launched, train(one, replayed, steps), train(other, launched, steps), strict=True
        ):
            assert_same_points(found, same)
            assert_alike(trainer, plain)
    one.leave(replayed[0])
    one.train(replayed[1:], 20)
    for trainer, reference in zip(replayed, alone, strict=True):
        trainer.train(reference.step + 209 - trainer.step)
        reference.train(209)
        torch.testing.assert_close(trainer.state.weights.cpu(), reference.state.weights, rtol=1e-2, atol=1e-2)
