"""The stack: what each network learns in it, it would have learned alone."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from playground import limits
from playground.catalogue.component import members
from playground.catalogue.optimizers import Optimizer
from playground.run.patch import merged
from playground.run.validation import parse
from playground.training import evaluation
from playground.training.batched import trainer as batched
from playground.training.batched.stack import Stack, batch_key
from playground.training.divergence import Diverged
from playground.training.evaluation import Samples
from playground.training.loop import TrainingLoop
from playground.worker.snapshot import load, save
from tests.loops import COMPILED, REFERENCE, change, frame, metrics, put_weight, start

pytestmark = pytest.mark.usefixtures("kernel")

OPTIMIZERS = [cls.name() for cls in members(Optimizer)]
CONFIG = {
    "data": {"kind": "spiral", "noise": 0.1, "samples": 46},
    "batch_size": 5,
    "hidden": [
        {"width": 6, "normalization": {"kind": "batchnorm"}, "dropout": 0.2},
        {"width": 4, "activation": {"kind": "relu"}},
    ],
    "input_dropout": 0.1,
    "l1": 0.001,
    "l2": 0.001,
    "clip_norm": 1.0,
    "clip_value": 0.5,
    "max_norm": 2.0,
    "input_noise": 0.1,
}
EPOCH = 5
"""Steps, the last of them with a mini-batch of 3."""
REGRESSION = {"data": {"kind": "plane", "samples": 46}, "batch_size": 5}
CLASSES = {"data": {"kind": "blobs", "samples": 46}, "batch_size": 5, "loss": {"kind": "mse"}}
COLOURS = {"data": {"kind": "flower", "size": 16, "train_fraction": 0.2}, "batch_size": 12}
WEIGHTED = CLASSES | {"class_weights": {"kind": "balanced"}, "loss": {"kind": "cross_entropy"}}


def sessions(starts, config=CONFIG, device="cpu", kind=REFERENCE):
    """Loops with seeds, and so points, of their own, each trained so many steps."""
    loops = [start(config | {"seed": seed}, kind, device=device) for seed in range(len(starts))]
    for loop, steps in zip(loops, starts, strict=True):
        loop.record()
        loop.train(steps)
    return loops


def train(stacked, loops, steps) -> list[Samples]:
    found = stacked.train(loops, steps)
    return [samples for loop in loops if isinstance(samples := found[loop], Samples)]


def assert_alike(one: TrainingLoop, other: TrainingLoop) -> None:
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
    for loop, other, found in zip(together, alone, train(Stack(together), together, 43), strict=True):
        assert_same_points(found, other.train(43))
        assert_alike(loop, other)


@pytest.mark.parametrize("config", [REGRESSION, COLOURS, CLASSES, WEIGHTED, CONFIG | {"shuffle": False}])
def test_any_task_can_be_learned_in_a_stack(config):
    together, alone = sessions((3, 8), config), sessions((3, 8), config)
    for loop, other, found in zip(together, alone, train(Stack(together), together, 60), strict=True):
        assert_same_points(found, other.train(60))
        assert_alike(loop, other)


def test_a_stack_of_seeds_learns_what_each_learns_alone_and_has_the_history_of_the_first(monkeypatch):
    monkeypatch.setattr(evaluation, "SAMPLED_POINTS", 10)
    loop, other = (start(CONFIG, seeds=(0, 7, 8)) for _ in range(2))
    [found] = train(Stack([loop]), [loop], 60)
    assert_same_points(found, other.train(60))
    for row, seed in enumerate((0, 7, 8)):
        alone = start(CONFIG, seeds=(seed,))
        alone.train(60)
        torch.testing.assert_close(loop.state.weights[row], alone.state.weights[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("most", [1, 3, 12])
def test_what_is_learned_does_not_depend_on_how_many_steps_are_launched_at_once(monkeypatch, most):
    monkeypatch.setattr(batched, "LAUNCH_STEPS", most)
    together, alone = sessions((2, 7)), sessions((2, 7))
    stacked = Stack(together)
    for steps in (1, 40, 9):
        stacked.train(together, steps)
    for loop, other in zip(together, alone, strict=True):
        other.train(50)
        assert_alike(loop, other)


def test_a_history_that_is_full_halves_its_resolution_by_each_sessions_own_steps(monkeypatch):
    monkeypatch.setattr(limits, "HISTORY_SAMPLES", 16)
    starts = (0, 6 * EPOCH, 41 * EPOCH)
    together, alone = sessions(starts), sessions(starts)
    for loop, other, found in zip(together, alone, train(Stack(together), together, 200), strict=True):
        assert_same_points(found, other.train(200))
        assert loop.state.stride == other.state.stride > 8


def test_a_member_shows_and_saves_what_it_would_alone():
    together, alone = sessions((0, EPOCH)), sessions((0, EPOCH))
    Stack(together).train(together, 12)
    for loop, other in zip(together, alone, strict=True):
        other.train(12)
        shown, expected = frame(loop), frame(other)
        for name, array in shown.items():
            rounding = 1 if array.dtype == np.uint8 else 1e-4
            np.testing.assert_allclose(array, expected[name], rtol=1e-3, atol=rounding)
        assert metrics(loop) == pytest.approx(metrics(other), rel=1e-4)
        assert_alike(load(save(loop.config, loop.state)), other)


def test_who_rests_stays_as_it_is_and_goes_on_later():
    together, alone = sessions((0, 4, EPOCH)), sessions((0, 4, EPOCH))
    stacked = Stack(together)
    first, late, third = together
    stacked.train([late], 1)
    before, measured = late.state.copy(), metrics(late)
    stacked.train([first, third], 8)
    assert metrics(late) == measured
    assert all(torch.equal(a, b) for a, b in zip(late.state.tensors(), before.tensors(), strict=True))
    stacked.train([late], 3)
    stacked.train(together, 10)
    for loop, other, steps in zip(together, alone, (18, 14, 18), strict=True):
        other.train(steps)
        assert_alike(loop, other)


@pytest.mark.parametrize("kind", [REFERENCE, COMPILED])
def test_a_member_can_be_trained_and_edited_by_itself(kind):
    together, alone = sessions((0, 2), kind=kind), sessions((0, 2))
    stacked = Stack(together)
    together[1].train(3)
    put_weight(together[0], 0, 0, 1, 2.5)
    stacked.train(together, 10)
    put_weight(alone[0], 0, 0, 1, 2.5)
    for loop, other, steps in zip(together, alone, (10, 13), strict=True):
        other.train(steps)
        assert_alike(loop, other)


@pytest.mark.parametrize("kind", [REFERENCE, COMPILED])
def test_a_member_may_be_a_stack_of_seeds_itself(kind):
    raw = CONFIG | {"optimizer": {"kind": "adam"}}
    together, alone = (
        [start(raw, kind, seeds=seeds) for seeds in [(0, 1, 2), (3,)]] for kind in (kind, REFERENCE)
    )
    stacked = Stack(together)
    stacked.train(together, 2 * EPOCH)
    together[0].train(EPOCH)
    stacked.leave(together[0])
    together[0].train(3)
    for loop, other, steps in zip(together, alone, (3 * EPOCH + 3, 2 * EPOCH), strict=True):
        other.train(steps)
        assert_alike(loop, other)


def test_a_member_leaves_as_if_it_had_never_joined():
    together, alone = sessions((0, EPOCH, 0)), sessions((0, EPOCH, 0))
    stacked = Stack(together)
    stacked.train(together, 7)
    stacked.leave(together[0])
    patch = {"hidden": [{"width": 6}, {"width": 3}], "optimizer": {"kind": "sgd"}}
    change(together[1], patch)
    assert stacked.members == together[2:]
    measured = metrics(together[0])
    stacked.train(together[2:], 20)
    assert metrics(together[0]) == measured
    for loop in together[:2]:
        loop.train(20)
        with pytest.raises(ValueError, match="left"):
            stacked.train([loop], 1)
    for other in alone:
        other.train(7)
    change(alone[1], patch)
    for loop, other in zip(together, alone, strict=True):
        other.train(20)
        assert_alike(loop, other)


def with_rates(rates, config=CONFIG):
    return [start(config | {"seed": seed, "optimizer": {"lr": lr}}) for seed, lr in enumerate(rates)]


def test_members_may_differ_in_their_learning_rate():
    together, alone = with_rates((0.003, 0.03, 0.1)), with_rates((0.003, 0.03, 0.1))
    assert len({batch_key(loop) for loop in together}) == 1
    for loop, other, found in zip(together, alone, train(Stack(together), together, 43), strict=True):
        assert_same_points(found, other.train(43))
        assert_alike(loop, other)


def test_a_change_of_the_learning_rate_keeps_a_member_and_what_was_recorded(monkeypatch):
    monkeypatch.setattr(batched, "CudaGraph", Tape)
    together, alone = sessions((0, 0)), sessions((0, 0))
    stacked = Stack(together)
    stacked.trainer.uses_graphs = True
    train(stacked, together, 2 * EPOCH)
    graphs = dict(stacked.trainer.graphs)
    state = together[0].state
    change(together[0], {"optimizer": {"lr": 0.2}})
    assert stacked.members == together
    assert together[0].state is state
    train(stacked, together, 2 * EPOCH)
    assert stacked.trainer.graphs == graphs
    for loop, other in zip(together, alone, strict=True):
        other.train(2 * EPOCH)
        if other is alone[0]:
            change(other, {"optimizer": {"lr": 0.2}})
        other.train(2 * EPOCH)
        assert_alike(loop, other)


@pytest.mark.parametrize(
    "patch", [{"l2": 0.5}, {"clip_norm": 0.1}, {"data": {"noise": 0.4}}, {"batch_size": 23}, {"seed": 9}]
)
def test_a_member_that_changed_in_anything_else_has_left_and_goes_on_with_a_state_of_its_own(patch):
    together, alone = sessions((0, 0)), sessions((0, 0))
    stacked = Stack(together)
    stacked.train(together, 7)
    change(together[0], patch)
    assert stacked.members == together[1:]
    stacked.leave(together[0])
    together[0].train(5)
    stacked.train(together[1:], 5)
    for loop, other in zip(together, alone, strict=True):
        other.train(7)
        if other is alone[0]:
            change(other, patch)
        other.train(5)
        assert_alike(loop, other)
    whole = stacked.trainer.state.weights
    assert together[0].state.weights.untyped_storage().data_ptr() != whole.untyped_storage().data_ptr()


@np.errstate(over="ignore")  # the norm of a gradient on its way to infinity
def test_one_that_diverges_does_not_disturb_the_others():
    relu = {"width": 8, "activation": {"kind": "relu"}}
    config = REGRESSION | {"hidden": [relu, relu], "optimizer": {"kind": "sgd", "lr": 0.01}}
    together, alone = sessions((0, 0, 0), config), sessions((0, 0, 0), config)
    for loop in (together[1], alone[1]):
        put_weight(loop, 1, 0, 0, 1e3)
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
    for loop, other in ((together[0], alone[0]), (together[2], alone[2])):
        other.train(60)
        assert_alike(loop, other)


def test_only_what_is_alike_can_be_stacked():
    config = parse(CONFIG)
    for patch in ({"hidden": []}, {"optimizer": {"beta1": 0.1}}, {"data": {"samples": 48}}):
        with pytest.raises(ValueError, match="differ"):
            Stack([start(config), start(parse(merged(config, patch)))])
    xor = parse(merged(config, {"data": {"kind": "xor", "samples": 46}}))
    together = [start(config), start(xor)]
    together[1].train(1)
    with pytest.raises(ValueError, match="equally far"):
        Stack(together).train(together, 1)


def test_a_stack_stops_soon_after_its_deadline():
    together = sessions((0, 0))
    Stack(together).train(together, 1000, deadline=0.0)
    assert 0 < together[0].state.step == together[1].state.step <= batched.LAUNCH_STEPS


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


@pytest.mark.parametrize("config", [CONFIG, REGRESSION, WEIGHTED])
@pytest.mark.parametrize("most", [2, 12])
def test_steps_that_were_recorded_go_on_from_wherever_the_networks_are(monkeypatch, config, most):
    monkeypatch.setattr(batched, "LAUNCH_STEPS", most)
    monkeypatch.setattr(batched, "CudaGraph", Tape)
    together, alone = sessions((2, 7), config), sessions((2, 7), config)
    stacked = Stack(together)
    stacked.trainer.uses_graphs = True
    for steps in (1, 40, 9):
        for loop, other, found in zip(together, alone, train(stacked, together, steps), strict=True):
            assert_same_points(found, other.train(steps))
            assert_alike(loop, other)
    assert len(stacked.trainer.graphs) <= 6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")
@pytest.mark.parametrize("config", [CONFIG, REGRESSION, CLASSES, WEIGHTED])
def test_a_gpu_that_replays_learns_what_a_cpu_learns(config):
    starts = (0, EPOCH, 3 * EPOCH)
    replayed, launched = sessions(starts, config, "cuda"), sessions(starts, config, "cuda")
    alone = sessions(starts, config)
    one, other = Stack(replayed), Stack(launched)
    other.trainer.uses_graphs = False
    for steps in (60, 60, 7, 1, 1, 60):
        for loop, plain, found, same in zip(
            replayed, launched, train(one, replayed, steps), train(other, launched, steps), strict=True
        ):
            assert_same_points(found, same)
            assert_alike(loop, plain)
    one.leave(replayed[0])
    one.train(replayed[1:], 20)
    for loop, reference in zip(replayed, alone, strict=True):
        loop.train(reference.state.step + 209 - loop.state.step)
        reference.train(209)
        torch.testing.assert_close(loop.state.weights.cpu(), reference.state.weights, rtol=1e-2, atol=1e-2)
