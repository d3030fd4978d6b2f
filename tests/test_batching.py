"""Sessions that train as one: each learns what it would have learned alone, whatever the others do."""

import gc
import logging
import mmap
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Any

import numpy as np
import pytest
import torch

from playground.worker import batching as cohorts
from playground.training.compiled import trainer as fused
from playground.messages import worker as orders
from playground.training.batched import stack as stacks
from playground.run.config import merged, parse
from playground.worker.live_run import LiveRun
from playground.messages.worker import Deed, Mail
from playground.messages.protocol import OneWeight, Speed
from playground.training.batched.stack import Stack
from playground.training.reference import Diverged, Samples, Trainer
from playground.worker.loop import TURN_BYTES, Worker

CONFIG = {"data": {"kind": "spiral", "noise": 0.1, "samples": 46}, "batch_size": 5, "hidden": [{"width": 3}]}
EPOCH = 5
"""Steps, the last of them with a mini-batch of 3."""
FULL, USUAL, SLOW = Speed(max=True), Speed(epochs_per_second=60), Speed(steps_per_second=1)

Script = Iterator[list[Mail[orders.Order]]]


class Classroom:
    """A worker and the other end of its line. Between its turns it gets the orders of a script."""

    def __init__(self, together: bool = True, device: str = "cpu"):
        self.turn = mmap.mmap(-1, TURN_BYTES)
        self.worker = Worker(self, device, self.turn, together)  # pyright: ignore[reportArgumentType]
        self.mails: list[Mail[orders.Report]] = []
        self._number = 100

    def run(self, script: Script) -> None:
        self._script = script
        with suppress(EOFError):
            self.worker.serve()

    def exchange(self, timeout: float | None) -> list[Mail[orders.Order]]:
        try:
            return next(self._script)
        except StopIteration:
            raise EOFError from None

    def post(self, mail: Mail[orders.Report]) -> None:
        self.mails.append(mail)

    def show(self, slot: Any, mail: Mail[orders.Report]) -> None:
        pass

    # What scripts are made of

    def open(self, seed: int, config: dict[str, Any] = CONFIG, **more: Any) -> Mail[orders.Order]:
        """A session that is named after its seed."""
        fields = {"number": seed + 1, "run": 1, "config": config | {"seed": seed}, "speed": FULL}
        return Mail(orders.Open(**{**fields, "playing": True, **more}), str(seed), 1)

    def until(self, holds: Callable[[], Any]) -> Script:
        deadline = monotonic() + 30
        while not holds():
            assert monotonic() < deadline, "this does not come about"
            yield []

    def ask(self, seed: int, order: orders.Order) -> Script:
        """Goes on once it is answered."""
        self._number += 1
        yield [Mail(order, str(seed), self._number)]
        yield from self.until(lambda: self.answers(self._number))

    # What is there afterwards

    def answers(self, number: int) -> list[Any]:
        return [mail.content for mail in self.mails if mail.order == number]

    def reports(self, seed: int, kind: type) -> list[Any]:
        return [m.content for m in self.mails if m.session == str(seed) and isinstance(m.content, kind)]

    def live(self, seed: int) -> LiveRun:
        return self.worker._runs[str(seed)]

    def step(self, seed: int) -> int:
        return self.live(seed).trainer.step

    def stacked(self) -> set[int]:
        return {int(name) for name, run in self.worker._runs.items() if run.stack}

    def history(self, seed: int) -> np.ndarray:
        own = [m for m in self.mails if m.session == str(seed) and isinstance(m.content, orders.Samples)]
        return np.concatenate([mail.arrays["samples"] for mail in own])


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cohorts form as soon as they can; and as on a GPU, no kernel trains the others."""
    monkeypatch.setattr(fused, "ready", Event())
    monkeypatch.setattr(cohorts, "GATHER_EVERY", 0.0)


@pytest.fixture
def cohort_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trained together, each time."""
    train, sizes = Stack.train, []

    def noting(self: Stack, trainers: Any, *rest: Any) -> Any:
        sizes.append(len(trainers))
        return train(self, trainers, *rest)

    monkeypatch.setattr(Stack, "train", noting)
    return sizes


def alone(seed: int, config: dict[str, Any] = CONFIG) -> Trainer:
    return Trainer.start(parse(config | {"seed": seed}))


def assert_learned_alone(room: Classroom, seed: int, reference: Trainer, *pieces: Samples) -> None:
    """`reference` has trained as the session should have; `pieces` are its history."""
    trainer = room.live(seed).trainer
    for name in ("step", "epoch", "cursor", "samples", "stride"):
        assert getattr(trainer.state, name) == getattr(reference.state, name)
    for a, b in zip(trainer.state.tensors(), reference.state.tensors(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    expected = np.concatenate([piece.rows for piece in pieces])
    np.testing.assert_allclose(room.history(seed), expected, rtol=1e-3, atol=1e-4)


def assert_learned_undisturbed(room: Classroom, seed: int, config: dict[str, Any] = CONFIG) -> None:
    reference = alone(seed, config)
    assert_learned_alone(room, seed, reference, reference.record(), reference.train(room.step(seed)))


@pytest.mark.parametrize("speed", [FULL, USUAL])
def test_a_class_trains_as_one_and_each_learns_what_it_learns_alone(
    speed: Speed, cohort_sizes: list[int]
) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed, speed=speed) for seed in range(4)]
        yield from room.until(lambda: min(map(room.step, range(4))) >= 20 * EPOCH)

    room.run(script())
    assert room.stacked() == {0, 1, 2, 3}
    assert max(cohort_sizes) > 1  # at full speed 4; at another it depends on time who is due
    for seed in range(4):
        assert_learned_undisturbed(room, seed)


def test_sessions_of_different_speeds_keep_them(cohort_sizes: list[int]) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(0), room.open(1, speed=USUAL), room.open(2, speed=Speed(epochs_per_second=10))]
        yield from room.until(lambda: room.step(2) >= 2 * EPOCH)

    room.run(script())
    assert max(cohort_sizes) > 1
    assert room.step(0) > room.step(1) > room.step(2)
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_without_company_or_in_slow_motion_a_session_trains_alone(cohort_sizes: list[int]) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(0), room.open(1, speed=SLOW), room.open(2, CONFIG | {"l1": 0.1})]
        yield from room.until(lambda: room.step(0) > 20 * EPOCH)

    room.run(script())
    assert not room.stacked()
    assert not cohort_sizes
    assert room.step(1) <= 1


def test_a_worker_trains_one_after_the_other_unless_told_otherwise(cohort_sizes: list[int]) -> None:
    room = Classroom(together=False)

    def script() -> Script:
        yield [room.open(0), room.open(1)]
        yield from room.until(lambda: min(map(room.step, range(2))) > 20 * EPOCH)

    room.run(script())
    assert not cohort_sizes


def test_slow_motion_is_step_by_step_in_a_stack_too() -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        yield from room.ask(0, orders.Pace(speed=Speed(steps_per_second=20)))
        cursor, seen = room.live(0).cursor, set()
        while len(seen) < 3:
            assert room.live(0).cursor in (cursor, (cursor + 5) % 46 if cursor < 45 else 0)
            cursor = room.live(0).cursor
            seen.add(cursor)
            yield []

    room.run(script())
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


@pytest.mark.parametrize("most", [stacks.LAUNCH_STEPS, 2])
def test_whoever_is_in_the_middle_of_an_epoch_comes_into_step(
    monkeypatch: pytest.MonkeyPatch, cohort_sizes: list[int], most: int
) -> None:
    room = Classroom()
    monkeypatch.setattr(stacks, "LAUNCH_STEPS", most)
    monkeypatch.setattr(cohorts, "PATIENCE", -1.0)  # a launch at a time, be it less than an epoch

    def script() -> Script:
        yield [room.open(seed, playing=False) for seed in range(3)]
        for seed in range(3):
            yield from room.ask(seed, orders.Advance(run=1, steps=seed + 1))
            assert room.step(seed) == seed + 1
        for seed in range(3):
            yield from room.ask(seed, orders.SetPlaying(playing=True))
        yield from room.until(lambda: len(room.stacked()) == 3)
        start = len(cohort_sizes)
        yield from room.until(lambda: len(cohort_sizes) >= start + 30)
        assert cohort_sizes[-10:] == [3] * 10

    room.run(script())
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_training_that_is_asked_for_ends_on_the_step_and_is_answered() -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        yield from room.ask(1, orders.SetPlaying(playing=False))
        before = room.step(1)
        yield from room.ask(1, orders.Advance(run=1, steps=10 * EPOCH + 2))
        assert room.answers(room._number)[0].step == room.step(1) == before + 10 * EPOCH + 2
        yield from room.ask(1, orders.Advance(run=1, steps=1))
        assert room.step(1) == before + 10 * EPOCH + 3
        yield from room.ask(1, orders.SetPlaying(playing=True))
        yield from room.until(lambda: room.step(1) >= before + 20 * EPOCH)

    room.run(script())
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_a_paused_session_stays_where_it_is() -> None:
    room, rest = Classroom(), []

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        yield from room.ask(1, orders.SetPlaying(playing=False))
        rest.append(room.step(1))
        start = room.step(0)
        yield from room.until(lambda: room.step(0) >= start + 10 * EPOCH)

    room.run(script())
    assert room.step(1) == rest[0]
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_a_live_change_is_one_session_s_own() -> None:
    room = Classroom()
    changed, edited = CONFIG | {"l2": 0.01}, OneWeight(layer=0, source=0, unit=1, value=2.5)

    def script() -> Script:
        yield [room.open(seed) for seed in range(4)]
        yield from room.until(lambda: len(room.stacked()) == 4)
        yield from room.ask(1, orders.Apply(deed=Deed(step=0, change={"l2": 0.01})))
        yield from room.ask(2, orders.Apply(deed=Deed(step=0, weights=edited)))
        steps.extend(content.step for number in (101, 102) for content in room.answers(number))
        assert room.stacked() >= {0, 2, 3}
        yield from room.until(lambda: min(map(room.step, range(4))) >= max(steps) + 10 * EPOCH)

    steps: list[int] = []
    room.run(script())
    assert room.stacked() == {0, 2, 3}
    assert_learned_undisturbed(room, 0)
    assert_learned_undisturbed(room, 3)
    for seed, step in zip((1, 2), steps, strict=True):
        reference = alone(seed)
        pieces = [reference.record(), reference.train(step)]
        if seed == 1:
            reference.change(parse(merged(reference.config, {"l2": 0.01})))
            assert reference.config == parse(changed | {"seed": seed})
        else:
            reference.set_weight(0, 0, 1, 2.5)
        pieces.append(reference.train(room.step(seed) - step))
        assert_learned_alone(room, seed, reference, *pieces)


def test_a_timeline_is_followed_to_the_step() -> None:
    room = Classroom()
    deeds = [Deed(step=7, change={"seed": 9}), Deed(step=4 * EPOCH, change={"l1": 0.01})]

    def script() -> Script:
        yield [room.open(0), room.open(1), room.open(2, deeds=deeds)]
        yield from room.until(lambda: min(map(room.step, range(3))) >= 20 * EPOCH)

    room.run(script())
    assert [(a.index, a.step) for a in room.reports(2, orders.Applied)] == [(0, 7), (1, 4 * EPOCH)]
    reference = alone(2)
    pieces = [reference.record(), reference.train(7)]
    reference.change(parse(merged(reference.config, {"seed": 9})))
    pieces.append(reference.train(4 * EPOCH - 7))
    reference.change(parse(merged(reference.config, {"l1": 0.01})))
    pieces.append(reference.train(room.step(2) - 4 * EPOCH))
    assert_learned_alone(room, 2, reference, *pieces)


@np.errstate(over="ignore")
def test_one_that_diverges_stops_alone() -> None:
    relu = {"width": 8, "activation": {"kind": "relu"}}
    config = CONFIG | {"data": {"kind": "plane", "samples": 46}, "hidden": [relu, relu],
                       "optimizer": {"kind": "sgd", "lr": 0.01}}  # fmt: skip
    room = Classroom()
    deeds = [Deed(step=0, weights=OneWeight(layer=1, source=0, unit=0, value=1e3))]

    def script() -> Script:
        yield [room.open(0, config), room.open(1, config, deeds=deeds), room.open(2, config)]
        yield from room.until(lambda: room.reports(1, orders.Stopped))
        assert room.stacked() == {0, 2}
        start = room.step(0)
        yield from room.until(lambda: room.step(0) >= start + 10 * EPOCH)

    room.run(script())
    [stopped] = room.reports(1, orders.Stopped)
    reference = alone(1, config)
    start = reference.record()
    reference.set_weight(1, 0, 0, 1e3)
    with pytest.raises(Diverged) as raised:
        reference.train(10**6)
    assert (stopped.diverged.step, stopped.diverged.layer) == (raised.value.step, raised.value.layer)
    assert_learned_alone(room, 1, reference, start, raised.value.samples)
    for seed in (0, 2):
        assert_learned_undisturbed(room, seed, config)


def test_sessions_come_and_go_and_start_over() -> None:
    room = Classroom()
    closed: list[weakref.ref[LiveRun]] = []

    def script() -> Script:
        yield [room.open(seed, speed=USUAL) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        closed.append(weakref.ref(room.live(1)))
        yield [Mail(orders.Close(), "1")]
        yield [room.open(5, speed=USUAL)]
        yield from room.until(lambda: room.stacked() == {0, 2, 5})
        room.mails = [mail for mail in room.mails if mail.session != "2"]
        yield from room.ask(2, orders.Restart(run=2))
        yield from room.until(lambda: room.stacked() == {0, 2, 5})
        yield from room.until(lambda: min(map(room.step, (0, 2, 5))) >= 10 * EPOCH)

    room.run(script())
    assert not closed[0]()
    for seed in (0, 2, 5):
        assert_learned_undisturbed(room, seed)


def test_of_a_closed_session_nothing_is_left() -> None:
    room, gone = Classroom(), []

    def script() -> Script:
        yield [room.open(seed) for seed in range(5)]
        yield from room.until(lambda: len(room.stacked()) == 5)
        gone.extend(weakref.ref(room.live(seed).trainer) for seed in (0, 1, 2))
        gone.append(weakref.ref(room.live(3).stack))
        yield [Mail(orders.Close(), str(seed)) for seed in (0, 1, 2)]
        yield from room.until(lambda: (stack := room.live(3).stack) and stack.size == 2)
        yield [Mail(orders.Close(), "4")]
        yield from room.until(lambda: not room.stacked())

    room.run(script())
    gc.collect()
    assert [ref() for ref in gone] == [None] * 4
    trainer = room.live(3).trainer
    assert trainer.state.weights.untyped_storage().nbytes() == trainer.state.weights.nbytes
    assert_learned_undisturbed(room, 3)


def test_a_stack_that_nobody_has_is_gone_with_its_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Noted:
        def __init__(self, work: Callable[[], Any], device: torch.device):
            self._work = work

        def __call__(self) -> Any:
            return self._work()

    monkeypatch.setattr(stacks, "Recording", Noted)
    trainers = [alone(0), alone(1)]
    stack = Stack(trainers)
    stack._records = True
    stack.train(trainers, EPOCH)
    assert stack._recordings
    gc.disable()
    try:
        left = weakref.ref(stack)
        del stack
        assert left() is None
    finally:
        gc.enable()


def test_a_reopened_class_catches_up_together_and_then_answers(cohort_sizes: list[int]) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed, playing=False, until=40 * EPOCH + seed) for seed in range(3)]
        yield [Mail(orders.Look(), str(seed), 50 + seed) for seed in range(3)]
        yield from room.until(lambda: all(room.answers(50 + seed) for seed in range(3)))

    room.run(script())
    assert max(cohort_sizes) == 3
    assert [room.answers(50 + seed)[0].step for seed in range(3)] == [40 * EPOCH + seed for seed in range(3)]


def test_a_cohort_that_fails_is_paused_and_then_trains_one_by_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room, train, named = Classroom(), Stack.train, []

    def fail(self: Stack, trainers: Any, *_: Any) -> Any:
        named.append(room.turn[:8])
        raise MemoryError("nobody foresaw this")

    def script() -> Script:
        yield [room.open(seed) for seed in range(2)]
        yield [room.open(3, CONFIG | {"l1": 0.1})]
        yield from room.until(lambda: all(room.reports(seed, orders.Broken) for seed in range(2)))
        monkeypatch.setattr(Stack, "train", train)
        steps = [room.step(seed) for seed in (0, 1, 3)]
        for seed in range(2):
            yield from room.ask(seed, orders.SetPlaying(playing=True))
        yield from room.until(
            lambda: all(room.step(seed) > step for seed, step in zip((0, 1, 3), steps, strict=True))
        )

    monkeypatch.setattr(Stack, "train", fail)
    with caplog.at_level(logging.CRITICAL, logger="playground.worker"):
        room.run(script())
    assert set(named) == {bytes(8)}  # nobody is to blame
    assert not room.stacked()
    assert not room.reports(3, orders.Broken)


def test_what_cannot_be_stacked_trains_one_by_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room, tries = Classroom(), []

    def fail(trainers: list[Trainer]) -> Stack:
        tries.append(len(trainers))
        raise MemoryError("no memory")

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: min(map(room.step, range(3))) >= 20 * EPOCH)

    monkeypatch.setattr(cohorts, "Stack", fail)
    with caplog.at_level(logging.CRITICAL, logger="playground.worker"):
        room.run(script())
    assert tries == [3]
    assert not any(room.reports(seed, orders.Broken) for seed in range(3))
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_one_stack_is_made_at_a_time_and_most_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    room, times, sizes = Classroom(), [1000.0], []
    monkeypatch.setattr(cohorts, "GATHER_EVERY", 1.0)
    monkeypatch.setattr(cohorts, "monotonic", lambda: times[-1])

    def script() -> Script:
        pair, three = CONFIG | {"l1": 0.1}, CONFIG
        yield [room.open(seed, pair if seed < 2 else three) for seed in range(5)]
        for second in range(3):
            times.append(1000.9 + second)
            yield []
            yield []
            sizes.append(len(room.stacked()))

    room.run(script())
    assert sizes == [3, 5, 5]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")
def test_a_class_on_a_gpu_learns_what_each_learns_alone_on_a_cpu(cohort_sizes: list[int]) -> None:
    room = Classroom(device="cuda")

    def script() -> Script:
        yield [room.open(seed, playing=False, until=30 * EPOCH + seed) for seed in range(4)]
        yield [Mail(orders.Close(), "3")]
        yield [room.open(7, playing=False, until=40 * EPOCH)]
        yield from room.until(lambda: not any(room.live(seed).catching_up for seed in (0, 1, 2, 7)))

    room.run(script())
    assert max(cohort_sizes) == 4
    for seed in (0, 1, 2, 7):
        reference = alone(seed)
        pieces = [reference.record(), reference.train(room.step(seed))]
        assert room.step(seed) == (40 * EPOCH if seed == 7 else 30 * EPOCH + seed)
        weights = room.live(seed).trainer.state.weights.cpu()
        torch.testing.assert_close(weights, reference.state.weights, rtol=1e-2, atol=1e-2)
        expected = np.concatenate([piece.rows for piece in pieces])
        assert np.array_equal(room.history(seed)[:, :3], expected[:, :3])
