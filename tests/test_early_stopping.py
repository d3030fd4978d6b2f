"""Early stopping: it waits for the test loss to fall, ends the training, and takes the best weights back."""

import math

import numpy as np
import pytest
import torch

from playground.catalogue.stopping import EarlyStopping, Waiting
from playground.errors import ValidationFailed
from playground.messages import worker as messages
from playground.messages.commands import Play
from playground.messages.worker import Step
from playground.run.run import Best, TimelineEntry
from playground.run.validation import parse
from playground.training.batched.stack import Stack
from playground.training.compiled.trainer import CompiledTrainer
from playground.worker.snapshot import load, save
from tests.loops import COMPILED, REFERENCE, change, start
from tests.test_worker import Recorder

BATCHNORM = {"kind": "batchnorm"}
CONFIG = {
    "data": {"kind": "gauss", "samples": 60, "noise": 0.5},
    "hidden": [{"width": 8, "normalization": BATCHNORM}, {"width": 4}],
    "optimizer": {"kind": "momentum", "lr": 0.05},
    "stopping": {"kind": "early_stopping", "patience": 5},
}
"""It learns thirty points by heart."""
LONG = 100_000
KINDS = pytest.mark.parametrize("kind", [REFERENCE, COMPILED], ids=["reference", "compiled"])


@pytest.fixture(autouse=True)
def with_kernel(kernel):
    """Every test here is of both trainers, or of one that starts from them."""


def by_hand(losses, patience, min_delta=0.0):
    """Epoch of the best, and of the stop, as Keras counts them; no stop: None."""
    best, at, wait = math.inf, 0, 0
    for epoch, loss in enumerate(losses, start=1):
        wait += 1
        if loss < best - min_delta:
            best, at, wait = loss, epoch, 0
        elif wait >= patience:
            return at, epoch
    return at, None


@pytest.mark.parametrize("min_delta", [0.0, 0.05])
@pytest.mark.parametrize("patience", [1, 3])
def test_it_counts_as_keras_does(patience, min_delta):
    rng = np.random.default_rng(0)
    for _ in range(50):
        losses = np.cumsum(rng.normal(-0.01, 0.1, 40)) + 3
        rule, seen, stop = EarlyStopping(patience=patience, min_delta=min_delta), Waiting(), None
        for epoch, loss in enumerate(losses, start=1):
            seen = rule.look(seen, loss, 10 * epoch, epoch)
            if seen.over:
                stop = epoch
                break
        assert (int(seen.epoch), stop) == by_hand(losses, patience, min_delta)
        assert seen.step == 10 * seen.epoch


def test_a_loss_that_is_no_number_is_no_progress_and_before_the_first_nothing_is_waited_for():
    rule = EarlyStopping(patience=2)
    seen = Waiting()
    for loss in (math.nan, math.inf, math.nan):
        seen = rule.look(seen, loss, 1, 1)
    assert seen == Waiting()
    seen = rule.look(seen, 0.5, 4, 4)
    seen = rule.look(rule.look(seen, math.nan, 5, 5), math.inf, 6, 6)
    assert (seen.loss, seen.over) == (0.5, True)


@KINDS
def test_it_stops_where_patience_runs_out_with_the_weights_of_the_best_epoch(kind):
    loop, free = start(CONFIG, kind), start(CONFIG | {"stopping": {"kind": "no_stopping"}}, kind)
    assert isinstance(loop.trainer, CompiledTrainer) == (kind is COMPILED)
    loop.train(LONG)
    per_epoch, losses, states = free.experiment.steps_per_epoch, [], []
    for _ in range(loop.state.epoch):
        free.train(per_epoch)
        losses.append(free.measure()[0].named()["test_loss"])
        states.append((free.state.weights.clone(), free.state.buffers.clone()))
    best, stop = by_hand(losses, 5)
    assert stop
    assert 0 < best < stop == loop.state.epoch
    assert loop.stopped
    seen = loop.state.waiting
    assert (seen.epoch, seen.step) == (best, best * per_epoch)
    assert seen.loss == pytest.approx(losses[best - 1], rel=1e-5)
    assert loop.state.step == stop * per_epoch
    torch.testing.assert_close(loop.state.weights, states[best - 1][0], rtol=0, atol=0)
    torch.testing.assert_close(loop.state.buffers, states[best - 1][1], rtol=0, atol=0)
    torch.testing.assert_close(loop.state.slots, free.state.slots, rtol=0, atol=0)
    assert torch.equal(loop.state.updates, free.state.updates)
    assert loop.measure()[0].named()["test_loss"] == pytest.approx(seen.loss, rel=1e-5)


@KINDS
def test_training_goes_on_from_there_with_new_patience(kind):
    loop = start(CONFIG, kind)
    loop.train(LONG)
    first, best = loop.state.epoch, loop.state.waiting.loss
    loop.train(loop.experiment.steps_per_epoch)
    assert not loop.stopped
    assert loop.state.epoch == first + 1
    loop.train(LONG)
    assert loop.stopped
    assert loop.state.epoch >= first + 5
    assert best
    assert (loop.state.waiting.loss or 0) <= best


@KINDS
def test_how_a_run_is_cut_into_pieces_does_not_move_its_stop(kind):
    whole, pieces = start(CONFIG, kind), start(CONFIG, kind)
    rows = [whole.train(LONG).rows, whole.train(100).rows]
    found = []
    while not pieces.stopped:
        found.append(pieces.train(7).rows)
    found.append(pieces.train(100).rows)
    np.testing.assert_array_equal(np.concatenate(rows), np.concatenate(found))
    for a, b in zip(whole.state.tensors(), pieces.state.tensors(), strict=True):
        assert torch.equal(a, b)
    assert whole.state.waiting == pieces.state.waiting


def test_both_trainers_stop_at_the_same_epoch_with_nearly_the_same_weights():
    reference, ours = start(CONFIG, REFERENCE), start(CONFIG, COMPILED)
    for loop in (reference, ours):
        loop.train(LONG)
    assert reference.state.step == ours.state.step
    assert reference.state.waiting.step == ours.state.waiting.step
    torch.testing.assert_close(ours.state.weights, reference.state.weights, rtol=1e-3, atol=1e-3)
    stacked = start(CONFIG, COMPILED, seeds=(0, 1))
    stacked.train(LONG)
    assert stacked.state.step == ours.state.step, "a stack stops by its first network"
    torch.testing.assert_close(stacked.state.weights[0], ours.state.weights[0], rtol=1e-3, atol=1e-3)


@KINDS
def test_a_snapshot_keeps_the_best_weights(kind):
    loop = start(CONFIG, kind)
    loop.train(LONG)
    stop = loop.state.step
    for steps in (stop - 3, stop):
        whole = start(CONFIG, kind)
        whole.train(steps)
        other = load(save(whole.config, whole.state), trainers=kind)
        np.testing.assert_array_equal(whole.train(LONG).rows, other.train(LONG).rows)
        assert whole.state.step == other.state.step
        assert torch.equal(whole.state.weights, other.state.weights)


def test_the_best_of_another_network_or_measure_is_forgotten_and_that_of_other_rates_is_not():
    loop = start(CONFIG)
    loop.train(60)
    best = loop.state.waiting.loss
    assert best is not None
    change(loop, {"optimizer": {"lr": 0.01}, "stopping": {"patience": 7}})
    assert loop.state.waiting.loss == best
    for patch in (
        {"hidden": [{"width": 8, "normalization": BATCHNORM}]},
        {"loss": {"kind": "mse"}},
        {"data": {"noise": 0.2}},
        {"features": ["x2", "x1"]},
        {"stopping": {"kind": "no_stopping"}},
    ):
        change(loop, patch)
        assert loop.state.waiting == Waiting(), patch
        change(loop, {"stopping": {"kind": "early_stopping", "patience": 50}})
        loop.train(60)
        assert loop.state.waiting.loss is not None
    loop.train(LONG)
    assert loop.stopped


def test_members_of_a_stack_stop_where_each_would_alone():
    loops, alone = ([start(CONFIG | {"seed": seed}) for seed in range(3)] for _ in range(2))
    stack, running = Stack(loops), list(loops)
    for other in alone:
        other.train(LONG)
    while running:
        stack.train(running, 60)
        running = [loop for loop in running if not loop.stopped]
    for loop, other in zip(loops, alone, strict=True):
        assert loop.state.step == other.state.step
        assert loop.state.waiting.step == other.state.waiting.step
        torch.testing.assert_close(loop.state.weights, other.state.weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "circle", "train_fraction": 1},
        {"kind": "points", "points": [[0, 0, 0], [1, 1, 1]], "test_points": []},
        {"kind": "points", "points": [[0, 0, 0]]},
    ],
)
def test_data_without_test_points_say_why_they_cannot(data):
    with pytest.raises(ValidationFailed) as failed:
        parse(CONFIG | {"data": data})
    (error,) = failed.value.errors
    assert error.field == "stopping"
    assert error.message == "Early stopping watches the loss of the test points, and there are none"
    assert error.fits == ("no_stopping",)
    assert error.suggestion
    parse(CONFIG | {"data": data} | error.suggestion)


def opened(**opening):
    recorder = Recorder(config=parse(CONFIG), **opening)
    return recorder, lambda: recorder.of(messages.Applied)


def test_a_session_pauses_where_it_stops_and_playing_goes_on():
    recorder, lines = opened(playing=True)
    recorder.train_until(lines)
    (line,) = lines()
    waiting = recorder.run.loop.state.waiting
    assert waiting.loss is not None
    assert line.best == Best(step=waiting.step, epoch=waiting.epoch, loss=waiting.loss)
    assert (line.index, line.step, line.paused) == (0, recorder.step, True)
    assert [text.code for text in line.effect] == ["effect.best_restored"]
    assert recorder.run.training_due() == math.inf
    recorder.run.train()
    assert recorder.step == line.step
    recorder.answer(Play())
    recorder.train_until(lambda: recorder.step > line.step)
    recorder.train_until(lambda: len(lines()) == 2)
    assert lines()[1].index == 1


def test_steps_that_are_asked_for_answer_with_the_stop_and_the_next_go_on():
    recorder, lines = opened()
    answer = recorder.answer(Step(steps=LONG, run=1))
    assert answer.stopped == lines()[0].best
    assert answer.step == lines()[0].step < LONG
    assert answer.metrics["test_loss"] == pytest.approx(answer.stopped.loss, rel=1e-5)
    assert recorder.answer(Step(steps=2, run=1), number=10).step == answer.step + 2


def test_a_run_that_is_played_again_stops_and_goes_on_by_itself():
    first, lines = opened()
    stop = first.answer(Step(steps=LONG, run=1)).step
    first.change({"l2": 0.01})
    end = first.answer(Step(steps=7, run=1), number=10).step
    stopped = TimelineEntry(step=stop, best=lines()[0].best)
    changed = TimelineEntry(step=stop, change={"l2": 0.01})
    again, applied = opened(timeline=[stopped, changed], until=end, playing=True)
    again.train_until(lambda: again.step >= end)
    assert [(line.index, line.step, line.best is not None) for line in applied()] == [
        (0, stop, True),
        (1, stop, False),
    ]
    assert not applied()[0].paused, "it catches up"
    assert again.run.training_due() < math.inf, "it plays on"
    if again.step == end:
        assert torch.equal(again.run.loop.state.weights, first.run.loop.state.weights)


def test_the_timeline_tells_of_the_stop_and_a_change_can_be_undone_across_it(new_session):
    guest = new_session(CONFIG)
    guest.do("POST", "/step", {"epochs": 2})
    before = guest.do("GET", "/weights")
    guest.do("PATCH", "/config", {"hidden": [{"width": 8}]})
    done = guest.do("POST", "/step", {"steps": LONG})
    assert done["stopped"]["epoch"] < done["epoch"]
    changed, line = guest.look()["timeline"]
    assert (line["step"], line["best"]) == (done["step"], done["stopped"])
    assert (line["change"], line["undo"], line["checkpoint"]) == ({}, {}, None)
    assert line["label"][0]["text"] == "early stop"
    again = guest.another(config=CONFIG, timeline=guest.look()["timeline"], step=done["step"])
    assert again.do("GET", "/weights") == guest.do("GET", "/weights")
    assert again.look()["timeline"][1] == line
    further = guest.do("POST", "/step", {"steps": 3})
    assert (further["stopped"], further["step"]) == (None, done["step"] + 3)
    guest.do("POST", "/restore", {"checkpoint": changed["checkpoint"]})
    assert guest.look()["timeline"] == []
    assert guest.do("GET", "/weights") == before
