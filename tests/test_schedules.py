"""The learning rate of every step: that of `torch.optim.lr_scheduler`, in every trainer, and changed live."""

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from playground.catalogue.component import members
from playground.catalogue.schedules import Schedule, Watch
from playground.run.validation import parse
from playground.session.labels import label
from playground.training.batched.stack import Stack
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.evaluation import Samples
from playground.training.schedule import learning_rates
from playground.training.surgery import loses
from playground.worker.snapshot import load, save
from tests.loops import COMPILED, REFERENCE, change, metrics, start

RATE, STEPS = 0.1, 60
WARMUP = 7
SCHEDULES = {
    "constant_rate": ({}, lambda rule: lr_scheduler.ConstantLR(rule, 1, 1)),
    "linear_decay": (
        {"total_steps": 40, "end_factor": 0.2},
        lambda rule: lr_scheduler.LinearLR(rule, 1, 0.2, total_iters=40),
    ),
    "step_decay": ({"step_size": 9, "gamma": 0.3}, lambda rule: lr_scheduler.StepLR(rule, 9, 0.3)),
    "exponential_decay": ({"gamma": 0.95}, lambda rule: lr_scheduler.ExponentialLR(rule, 0.95)),
    "cosine_annealing": (
        {"total_steps": STEPS, "end_factor": 0.1},
        lambda rule: lr_scheduler.CosineAnnealingLR(rule, STEPS, eta_min=0.1 * RATE),
    ),
    "reduce_on_plateau": ({}, lambda rule: lr_scheduler.ConstantLR(rule, 1, 1)),  # until it looks
    "one_cycle": (
        {"total_steps": STEPS, "pct_start": 0.4, "div_factor": 10, "final_div_factor": 100},
        lambda rule: lr_scheduler.OneCycleLR(
            rule, RATE, STEPS, pct_start=0.4, div_factor=10, final_div_factor=100, cycle_momentum=False
        ),
    ),
}
"""Of each kind the parameters, and what torch has for it."""
PLATEAU = {"kind": "reduce_on_plateau", "interval": 10, "patience": 2, "factor": 0.5, "threshold": 0.05}
STALLING = {
    "optimizer": {"kind": "sgd", "lr": 0.5},
    "schedule": PLATEAU,
    "data": {"kind": "xor", "noise": 0.5},
}
KINDS = [cls.name() for cls in members(Schedule)]
DECAY = {"kind": "exponential_decay", "gamma": 0.9}


def rates(raw: dict, steps: int = STEPS, first: int = 0) -> np.ndarray:
    loop = start({"optimizer": {"kind": "sgd", "lr": RATE}, "schedule": raw})
    loop.state.step = first
    return learning_rates(loop.config, loop.state, steps)[:, 0]


def rates_of_torch(make, steps: int = STEPS) -> np.ndarray:
    rule = torch.optim.SGD([torch.zeros(1)], lr=RATE)
    schedule, found = make(rule), []
    for _ in range(steps):
        found.append(rule.param_groups[0]["lr"])
        rule.step()
        if len(found) < steps:
            schedule.step()
    return np.array(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_has_the_rates_of_torch(kind: str) -> None:
    parameters, make = SCHEDULES[kind]
    np.testing.assert_allclose(rates({"kind": kind, **parameters}), rates_of_torch(make), rtol=1e-9)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "one_cycle"])
def test_warm_up_comes_before_any_as_torch_puts_two_in_sequence(kind: str) -> None:
    parameters, make = SCHEDULES[kind]

    def both(rule):
        climb = lr_scheduler.LinearLR(rule, 1 / (WARMUP + 1), 1, total_iters=WARMUP)
        return lr_scheduler.SequentialLR(rule, [climb, make(rule)], [WARMUP])

    ours = rates({"kind": kind, "warmup": WARMUP, **parameters})
    np.testing.assert_allclose(ours, rates_of_torch(both), rtol=1e-9)


def test_warm_up_climbs_to_where_the_schedule_begins() -> None:
    ours = rates({"kind": "one_cycle", "warmup": WARMUP, "total_steps": STEPS})
    assert ours[WARMUP] == pytest.approx(RATE / 25)
    assert (np.diff(ours[: WARMUP + 1]) > 0).all()


def test_linear_to_a_step_then_constant() -> None:
    """η₀ = 0.1, η_τ = 0.01, τ = 100: η₅₀ = 0.055, η₂₀₀ = 0.01 (O5)."""
    found = rates({"kind": "linear_decay", "total_steps": 100, "end_factor": 0.1}, 201)
    assert found[[0, 50, 200]] == pytest.approx([0.1, 0.055, 0.01])


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_goes_on_after_its_end(kind: str) -> None:
    parameters, _ = SCHEDULES[kind]
    late = rates({"kind": kind, **parameters}, 3, first=10**6)
    assert (late >= 0).all()
    assert np.ptp(late) <= 1e-9


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_the_history_has_the_rate_of_each_step(trainers) -> None:
    loop = start({"optimizer": {"kind": "sgd", "lr": RATE}, "schedule": DECAY}, trainers)
    assert metrics(loop)["learning_rate"] is None, "no step has been taken"
    history = loop.train(20)
    np.testing.assert_allclose(history.column("learning_rate"), RATE * 0.9 ** np.arange(20))
    assert isinstance(loop.trainer, CompiledTrainer) == (trainers is COMPILED)


def test_sessions_of_a_stack_follow_the_schedule_each_from_its_own_step() -> None:
    raw = {"schedule": DECAY, "optimizer": {"kind": "sgd", "lr": RATE}}
    loops, alone = [start(raw | {"seed": s}) for s in range(2)], [start(raw | {"seed": s}) for s in range(2)]
    early = loops[0].experiment.steps_per_epoch
    for loop in (loops[1], alone[1]):
        loop.train(early)
    stack = Stack(loops)
    outcome = stack.train(loops, 10)
    for loop, other in zip(loops, alone, strict=True):
        expected = other.train(10)
        samples = outcome[loop]
        assert isinstance(samples, Samples)
        np.testing.assert_allclose(samples.column("learning_rate"), expected.column("learning_rate"))
        torch.testing.assert_close(loop.state.weights, other.state.weights, rtol=1e-4, atol=1e-5)


def test_a_change_of_the_learning_rate_scales_what_is_left_of_the_schedule() -> None:
    loop = start({"optimizer": {"kind": "sgd", "lr": RATE}, "schedule": DECAY})
    loop.train(10)
    change(loop, {"optimizer": {"lr": 2 * RATE}})
    assert loop.train(1).column("learning_rate") == pytest.approx([2 * RATE * 0.9**10])


def test_a_schedule_is_changed_live_and_back() -> None:
    """It builds nothing anew, counts from the first step of the run, and is told by its name."""
    loop = start({"optimizer": {"kind": "sgd", "lr": RATE}})
    loop.train(10)
    state, before = loop.state, loop.config
    assert [text.code for text in change(loop, {"schedule": DECAY})] == ["effect.kept"]
    assert [text.text for text in label(before, loop.config)] == ["schedule: Exponential"]
    assert loop.state is state
    assert loop.train(1).column("learning_rate") == pytest.approx([RATE * 0.9**10])
    loop.change(before)
    assert loop.train(1).column("learning_rate") == pytest.approx([RATE])


def test_a_rate_ten_times_as_high_can_be_undone_whoever_raised_it() -> None:
    raw = {"optimizer": {"kind": "sgd", "lr": RATE}}
    falling, constant = start(raw | {"schedule": DECAY}).experiment, start(raw).experiment
    state = start(raw).state
    state.step = 10
    assert not loses(falling, constant, state)
    state.step = 30
    assert loses(falling, constant, state)
    assert not loses(constant, falling, state)


def test_a_snapshot_goes_on_with_the_rates_where_it_was() -> None:
    loop = start({"schedule": DECAY})
    loop.train(15)
    again = load(save(loop.config, loop.state), trainers=REFERENCE)
    np.testing.assert_array_equal(loop.train(5).rows, again.train(5).rows)


def test_a_config_without_a_schedule_has_a_constant_rate() -> None:
    assert parse({}).schedule.kind == "constant_rate"
    assert (rates({}, 50, first=123) == RATE).all()


# Reduce on plateau


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_a_plateau_reduces_the_rate_where_torch_does(trainers) -> None:
    loop = start(STALLING, trainers)
    rule = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    theirs = lr_scheduler.ReduceLROnPlateau(rule, factor=0.5, patience=2, threshold=0.05)
    for _ in range(40):
        found = loop.train(10).column("learning_rate")
        assert found == pytest.approx([rule.param_groups[0]["lr"]] * 10)
        theirs.step(metrics(loop)["train_loss"] or 0.0)
    assert rule.param_groups[0]["lr"] < 0.5 / 4, "there is something to see"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_how_a_run_is_cut_and_saved_does_not_move_its_reductions(trainers) -> None:
    whole, pieces = start(STALLING, trainers), start(STALLING, trainers)
    expected = whole.train(400)
    found = [pieces.train(steps).rows for steps in (1, 7, 2, 33, 157)]
    again = load(save(pieces.config, pieces.state), trainers=trainers)
    found.append(again.train(200).rows)
    np.testing.assert_array_equal(np.concatenate(found), expected.rows)
    assert again.state.watch == whole.state.watch


def test_a_stack_reduces_the_rate_of_each_alone() -> None:
    loops, alone = (
        [start(STALLING | {"seed": s}) for s in range(2)],
        [start(STALLING | {"seed": s}) for s in range(2)],
    )
    epoch = loops[0].experiment.steps_per_epoch
    for loop in (loops[1], alone[1]):
        loop.train(epoch)
    outcome = Stack(loops).train(loops, 300)
    for loop, other in zip(loops, alone, strict=True):
        samples, expected = outcome[loop], other.train(300)
        assert isinstance(samples, Samples)
        np.testing.assert_allclose(samples.column("learning_rate"), expected.column("learning_rate"))
        assert loop.state.watch.factor == other.state.watch.factor < 1


def test_another_schedule_forgets_and_another_loss_is_measured_anew() -> None:
    loop = start(STALLING)
    loop.train(400)
    factor = loop.state.watch.factor
    assert factor < 1
    change(loop, {"loss": {"kind": "mse"}})
    assert loop.state.watch == Watch(factor=factor)
    before = loop.experiment
    change(loop, {"schedule": {"kind": "constant_rate"}})
    assert loop.train(1).column("learning_rate") == pytest.approx([0.5])
    loop.state.watch = Watch(factor=factor)
    assert loses(before, loop.experiment, loop.state), "what was seen comes back by undo"
