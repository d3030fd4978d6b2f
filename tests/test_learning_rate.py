"""The learning rate is an input of each step, and a change of a number builds nothing anew."""

import numpy as np
import pytest
import torch

from playground.training import loop as training_loop
from tests.loops import COMPILED, REFERENCE, change, start

pytestmark = pytest.mark.usefixtures("kernel")

CONFIG = {
    "hidden": [{"width": 6, "normalization": {"kind": "batchnorm"}, "dropout": 0.2}],
    "data": {"kind": "spiral"},
}
KINDS = pytest.mark.parametrize("kind", [REFERENCE, COMPILED], ids=["reference", "compiled"])
OPTIMIZERS = pytest.mark.parametrize("optimizer", ["sgd", "adamw"])


def assert_same(one, other):
    for a, b in zip(one.state.tensors(), other.state.tensors(), strict=True):
        assert torch.equal(a, b)


@KINDS
@OPTIMIZERS
def test_many_steps_at_given_rates_are_the_single_steps_at_these_rates(kind, optimizer):
    raw = CONFIG | {"optimizer": {"kind": optimizer}}
    together, single = start(raw, kind), start(raw, kind)
    rates = np.geomspace(0.3, 0.0003, 10)[:, None]
    together.trainer.step(rates)
    for rate in rates:
        single.trainer.step(rate[None])
    assert together.state.step == 10
    assert_same(together, single)


@KINDS
def test_each_network_of_a_stack_may_have_a_rate_of_its_own(kind):
    stack = start(CONFIG, kind, seeds=(0, 7))
    rates = np.tile([[0.1, 0.001]], (20, 1))
    stack.trainer.step(rates)
    for row, seed in enumerate((0, 7)):
        alone = start(CONFIG, kind, seeds=(seed,))
        alone.trainer.step(rates[:, row : row + 1])
        torch.testing.assert_close(stack.state.weights[row], alone.state.weights[0], rtol=1e-4, atol=1e-5)


@KINDS
def test_a_run_asks_the_schedule_for_the_rates_of_its_own_steps(kind, monkeypatch):
    asked = []

    def decayed(config, state, steps):
        asked.append((state.step, steps))
        return config.optimizer.lr * 0.99 ** np.arange(state.step, state.step + steps)[:, None]

    monkeypatch.setattr(training_loop, "learning_rates", decayed)
    one, other = start(CONFIG, kind), start(CONFIG, kind)
    one.train(50)
    assert asked[0][0] == 0
    assert sum(steps for _, steps in asked) == 50
    other.trainer.step(decayed(other.config, other.state, 50))
    assert_same(one, other)


SCALARS = [
    {"optimizer": {"lr": 0.3}},
    {"optimizer": {"beta1": 0.5}},
    {"l1": 0.01},
    {"l2": 0.01},
    {"clip_norm": 0.5},
    {"loss": {"delta": 0.25}},
]


@KINDS
@pytest.mark.parametrize("patch", SCALARS, ids=str)
def test_a_change_of_a_number_builds_nothing_anew(kind, patch):
    raw = {"data": {"kind": "plane"}, "loss": {"kind": "huber"}, "optimizer": {"kind": "adam"}}
    loop = start(CONFIG | raw, kind)
    loop.train(20)
    state, trainer, metrics, before = loop.state, loop.trainer, loop.metrics, loop.experiment
    tensors = [*state.tensors(), state.grad]
    records = {name: value for name, value in vars(trainer).items() if name not in ("_experiment", "_state")}
    change(loop, patch)
    assert loop.state is state
    assert loop.trainer is trainer
    assert loop.metrics is metrics
    assert all(a is b for a, b in zip(tensors, [*state.tensors(), state.grad], strict=True))
    assert all(getattr(trainer, name) is value for name, value in records.items())
    after = loop.experiment
    assert after.config == loop.config != before.config
    assert (after.network, after.dataset) == (before.network, before.dataset)
    assert after.all_x is before.all_x
    loop.train(20)
    unchanged = start(CONFIG | raw, kind)
    unchanged.train(40)
    assert not torch.equal(unchanged.state.weights, loop.state.weights), "and yet it has an effect"


@KINDS
@pytest.mark.parametrize("patch", SCALARS, ids=str)
def test_a_number_that_changed_counts_from_the_next_step_as_if_all_had_been_built_anew(kind, patch):
    raw = {"data": {"kind": "plane"}, "loss": {"kind": "huber"}, "optimizer": {"kind": "adam"}}
    one, other = start(CONFIG | raw, kind), start(CONFIG | raw, kind)
    for loop in (one, other):
        loop.train(20)
        change(loop, patch)
    other.adopt(other.experiment, other.state.copy())
    assert_same(one, other)
    one.train(20)
    other.train(20)
    assert_same(one, other)
