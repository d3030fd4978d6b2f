"""Sessions that train as one: each learns what it would have learned alone, whatever the others do."""

import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from playground.messages import worker as messages
from playground.messages.commands import Pause, Play, Reset, SetSpeed, SetWeight, Speed
from playground.messages.worker import (
    Change,
    Close,
    Envelope,
    ReadMetrics,
    Step,
)
from playground.run.run import TimelineEntry
from playground.run.validation import parse
from playground.run.weights import OneWeight
from playground.training import loop as training_loop
from playground.training.batched import stack as stack_module
from playground.training.batched import trainer as batched_trainer
from playground.training.batched.stack import Stack
from playground.training.divergence import Diverged
from playground.training.loop import TRAINERS, TrainingLoop
from playground.training.reference import ReferenceTrainer
from playground.worker import batching, frames, live_run, pacing
from playground.worker import loop as worker_loop
from playground.worker.live_run import LiveRun
from tests.classroom import (
    CONFIG,
    EPOCH,
    FULL,
    SLOW,
    TICK,
    USUAL,
    Classroom,
    Script,
    alone,
    assert_learned_alone,
    assert_learned_undisturbed,
)
from tests.loops import change, put_weight


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stacks form as soon as they can; and as on a GPU, no kernel trains the others."""
    monkeypatch.setattr(batching, "GATHER_EVERY", 0.0)
    all_trainers = TRAINERS[:]
    TRAINERS[:] = [ReferenceTrainer]
    yield
    TRAINERS[:] = all_trainers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A time of day, its last entry, that goes on with each look at it: the same on every machine."""
    times = [1000.0]

    def look() -> float:
        times[0] += TICK
        return times[0]

    for module in (batching, live_run, worker_loop, frames, pacing):
        monkeypatch.setattr(module, "monotonic", look)
    for module in (stack_module, training_loop):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=look))
    return times


@pytest.fixture
def stack_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trained together, each time."""
    train, sizes = Stack.train, []

    def noting(self: Stack, loops: Any, *rest: Any) -> Any:
        sizes.append(len(loops))
        return train(self, loops, *rest)

    monkeypatch.setattr(Stack, "train", noting)
    return sizes


@pytest.mark.parametrize("speed", [FULL, USUAL])
def test_a_class_trains_as_one_and_each_learns_what_it_learns_alone(
    speed: Speed, stack_sizes: list[int]
) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed, speed=speed) for seed in range(4)]
        yield from room.until(lambda: min(map(room.step, range(4))) >= 20 * EPOCH)

    room.run(script())
    assert room.stacked() == {0, 1, 2, 3}
    assert max(stack_sizes) > 1  # at full speed 4; at another it depends on time who is due
    for seed in range(4):
        assert_learned_undisturbed(room, seed)


def test_sessions_of_different_speeds_keep_them(clock: list[float], stack_sizes: list[int]) -> None:
    room = Classroom()
    seconds: list[float] = []

    def script() -> Script:
        yield [room.open(0), room.open(1, speed=USUAL), room.open(2, speed=Speed(epochs_per_second=10))]
        start = clock[0]
        yield from room.until(lambda: room.step(2) >= 4 * EPOCH)
        seconds.append(clock[0] - start)

    room.run(script())
    assert max(stack_sizes) > 1
    assert room.step(0) > room.step(1) > room.step(2)
    assert room.step(1) / EPOCH == pytest.approx(60 * seconds[0], rel=0.2)
    assert room.step(2) / EPOCH == pytest.approx(10 * seconds[0], rel=0.2)
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_without_company_or_in_slow_motion_a_session_trains_alone(stack_sizes: list[int]) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(0), room.open(1, speed=SLOW), room.open(2, CONFIG | {"l1": 0.1})]
        yield from room.until(lambda: room.step(0) > 20 * EPOCH)

    room.run(script())
    assert not room.stacked()
    assert not stack_sizes
    assert room.step(1) == 0


def test_a_worker_trains_one_after_the_other_unless_told_otherwise(stack_sizes: list[int]) -> None:
    room = Classroom(together=False)

    def script() -> Script:
        yield [room.open(0), room.open(1)]
        yield from room.until(lambda: min(map(room.step, range(2))) > 20 * EPOCH)

    room.run(script())
    assert not stack_sizes


def test_slow_motion_is_step_by_step_in_a_stack_too(clock: list[float]) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed, speed=USUAL) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        yield from room.ask(0, SetSpeed(steps_per_second=20))
        cursor, seen = room.live(0).loop.state.cursor, set()
        while len(seen) < 3:
            assert room.live(0).loop.state.cursor in (cursor, (cursor + 5) % 46 if cursor < 45 else 0)
            cursor = room.live(0).loop.state.cursor
            seen.add(cursor)
            yield []

    room.run(script())
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


@pytest.mark.parametrize("most", [batched_trainer.LAUNCH_STEPS, 2])
def test_whoever_is_in_the_middle_of_an_epoch_comes_into_step(
    monkeypatch: pytest.MonkeyPatch, stack_sizes: list[int], most: int
) -> None:
    room = Classroom()
    monkeypatch.setattr(batched_trainer, "LAUNCH_STEPS", most)
    monkeypatch.setattr(batching, "LATENCY", -1.0)  # a launch at a time, be it less than an epoch

    def script() -> Script:
        yield [room.open(seed, playing=False) for seed in range(3)]
        for seed in range(3):
            yield from room.ask(seed, Step(run=1, steps=seed + 1))
            assert room.step(seed) == seed + 1
        for seed in range(3):
            yield from room.ask(seed, Play())
        yield from room.until(lambda: len(room.stacked()) == 3)
        start = len(stack_sizes)
        yield from room.until(lambda: len(stack_sizes) >= start + 30)
        assert stack_sizes[-10:] == [3] * 10

    room.run(script())
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_training_that_is_asked_for_ends_on_the_step_and_is_answered() -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        yield from room.ask(1, Pause())
        before = room.step(1)
        yield from room.ask(1, Step(run=1, steps=10 * EPOCH + 2))
        assert room.answers(room._number)[0].step == room.step(1) == before + 10 * EPOCH + 2
        yield from room.ask(1, Step(run=1, steps=1))
        assert room.step(1) == before + 10 * EPOCH + 3
        yield from room.ask(1, Play())
        yield from room.until(lambda: room.step(1) >= before + 20 * EPOCH)

    room.run(script())
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_a_paused_session_stays_where_it_is() -> None:
    room, rest = Classroom(), []

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        yield from room.ask(1, Pause())
        rest.append(room.step(1))
        start = room.step(0)
        yield from room.until(lambda: room.step(0) >= start + 10 * EPOCH)

    room.run(script())
    assert room.step(1) == rest[0]
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_a_live_change_is_one_session_s_own() -> None:
    room = Classroom()
    changed, edited = CONFIG | {"l2": 0.01}, SetWeight(layer=0, source=0, unit=1, value=2.5)

    def script() -> Script:
        yield [room.open(seed) for seed in range(4)]
        yield from room.until(lambda: len(room.stacked()) == 4)
        yield from room.ask(1, Change(change={"l2": 0.01}, config=parse(changed | {"seed": 1})))
        yield from room.ask(2, edited)
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
            change(reference, {"l2": 0.01})
            assert reference.config == parse(changed | {"seed": seed})
        else:
            put_weight(reference, 0, 0, 1, 2.5)
        pieces.append(reference.train(room.step(seed) - step))
        assert_learned_alone(room, seed, reference, *pieces)


def test_a_timeline_is_followed_to_the_step() -> None:
    room = Classroom()
    timeline = [TimelineEntry(step=7, change={"seed": 9}), TimelineEntry(step=4 * EPOCH, change={"l1": 0.01})]

    def script() -> Script:
        yield [room.open(0), room.open(1), room.open(2, timeline=timeline)]
        yield from room.until(lambda: min(map(room.step, range(3))) >= 20 * EPOCH)

    room.run(script())
    assert [(a.index, a.step) for a in room.events(2, messages.Applied)] == [(0, 7), (1, 4 * EPOCH)]
    reference = alone(2)
    pieces = [reference.record(), reference.train(7)]
    change(reference, {"seed": 9})
    pieces.append(reference.train(4 * EPOCH - 7))
    change(reference, {"l1": 0.01})
    pieces.append(reference.train(room.step(2) - 4 * EPOCH))
    assert_learned_alone(room, 2, reference, *pieces)


@np.errstate(over="ignore")
def test_one_that_diverges_stops_alone() -> None:
    relu = {"width": 8, "activation": {"kind": "relu"}}
    config = CONFIG | {"data": {"kind": "plane", "samples": 46}, "hidden": [relu, relu],
                       "optimizer": {"kind": "sgd", "lr": 0.01}}  # fmt: skip
    room = Classroom()
    timeline = [TimelineEntry(step=0, weights=OneWeight(layer=1, source=0, unit=0, value=1e3))]

    def script() -> Script:
        yield [room.open(0, config), room.open(1, config, timeline=timeline), room.open(2, config)]
        yield from room.until(lambda: room.events(1, messages.Diverged))
        assert room.stacked() == {0, 2}
        start = room.step(0)
        yield from room.until(lambda: room.step(0) >= start + 10 * EPOCH)

    room.run(script())
    [stopped] = room.events(1, messages.Diverged)
    reference = alone(1, config)
    first = reference.record()
    put_weight(reference, 1, 0, 0, 1e3)
    with pytest.raises(Diverged) as raised:
        reference.train(10**6)
    assert (stopped.diverged.step, stopped.diverged.layer) == (raised.value.step, raised.value.layer)
    assert_learned_alone(room, 1, reference, first, raised.value.samples)
    for seed in (0, 2):
        assert_learned_undisturbed(room, seed, config)


def test_sessions_come_and_go_and_start_over() -> None:
    room = Classroom()
    closed: list[weakref.ref[LiveRun]] = []

    def script() -> Script:
        yield [room.open(seed, speed=USUAL) for seed in range(3)]
        yield from room.until(lambda: len(room.stacked()) == 3)
        closed.append(weakref.ref(room.live(1)))
        yield [Envelope(Close(), "1")]
        yield [room.open(5, speed=USUAL)]
        yield from room.until(lambda: room.stacked() == {0, 2, 5})
        room.sent = [envelope for envelope in room.sent if envelope.session != "2"]
        yield from room.ask(2, Reset())
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
        gone.extend(weakref.ref(room.live(seed).loop) for seed in (0, 1, 2))
        gone.append(weakref.ref(room.stack(3)))
        yield [Envelope(Close(), str(seed)) for seed in (0, 1, 2)]
        yield from room.until(lambda: (stack := room.stack(3)) and stack.size == 2)
        yield [Envelope(Close(), "4")]
        yield from room.until(lambda: not room.stacked())

    room.run(script())
    gc.collect()
    assert [ref() for ref in gone] == [None] * 4
    weights = room.live(3).loop.state.weights
    assert weights.untyped_storage().nbytes() == weights.nbytes
    assert_learned_undisturbed(room, 3)


def test_a_stack_that_nobody_has_is_gone_with_its_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Noted:
        def __init__(self, work: Callable[[], Any], device: torch.device):
            self._work = work

        def __call__(self) -> Any:
            return self._work()

    monkeypatch.setattr(batched_trainer, "CudaGraph", Noted)
    loops = [alone(0), alone(1)]
    stack = Stack(loops)
    stack.trainer.uses_graphs = True
    stack.train(loops, EPOCH)
    assert stack.trainer.graphs
    gc.disable()
    try:
        left = weakref.ref(stack)
        del stack
        assert left() is None
    finally:
        gc.enable()


def test_a_reopened_class_catches_up_together_and_then_answers(stack_sizes: list[int]) -> None:
    room = Classroom()

    def script() -> Script:
        yield [room.open(seed, playing=False, until=40 * EPOCH + seed) for seed in range(3)]
        yield [Envelope(ReadMetrics(), str(seed), 50 + seed) for seed in range(3)]
        yield from room.until(lambda: all(room.answers(50 + seed) for seed in range(3)))

    room.run(script())
    assert max(stack_sizes) == 3
    assert [room.answers(50 + seed)[0].step for seed in range(3)] == [40 * EPOCH + seed for seed in range(3)]


def test_a_stack_that_fails_is_paused_and_then_trains_one_by_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room, train, named = Classroom(), Stack.train, []

    def fail(self: Stack, loops: Any, *_: Any) -> Any:
        named.append(room.current_session[:8])
        raise MemoryError("nobody foresaw this")

    def script() -> Script:
        yield [room.open(seed) for seed in range(2)]
        yield [room.open(3, CONFIG | {"l1": 0.1})]
        yield from room.until(lambda: all(room.events(seed, messages.SessionFailed) for seed in range(2)))
        monkeypatch.setattr(Stack, "train", train)
        steps = [room.step(seed) for seed in (0, 1, 3)]
        for seed in range(2):
            yield from room.ask(seed, Play())
        yield from room.until(
            lambda: all(room.step(seed) > step for seed, step in zip((0, 1, 3), steps, strict=True))
        )

    monkeypatch.setattr(Stack, "train", fail)
    with caplog.at_level(logging.CRITICAL, logger="playground.worker"):
        room.run(script())
    assert set(named) == {bytes(8)}  # nobody is to blame
    assert not room.stacked()
    assert not room.events(3, messages.SessionFailed)


def test_what_cannot_be_stacked_trains_one_by_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room, tries = Classroom(), []

    def fail(loops: list[TrainingLoop]) -> Stack:
        tries.append(len(loops))
        raise MemoryError("no memory")

    def script() -> Script:
        yield [room.open(seed) for seed in range(3)]
        yield from room.until(lambda: min(map(room.step, range(3))) >= 20 * EPOCH)

    monkeypatch.setattr(batching, "Stack", fail)
    with caplog.at_level(logging.CRITICAL, logger="playground.worker"):
        room.run(script())
    assert tries == [3]
    assert not any(room.events(seed, messages.SessionFailed) for seed in range(3))
    for seed in range(3):
        assert_learned_undisturbed(room, seed)


def test_one_stack_is_made_at_a_time_and_most_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    room, times, sizes = Classroom(), [1000.0], []
    monkeypatch.setattr(batching, "GATHER_EVERY", 1.0)
    monkeypatch.setattr(batching, "monotonic", lambda: times[-1])

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
def test_a_class_on_a_gpu_learns_what_each_learns_alone_on_a_cpu(stack_sizes: list[int]) -> None:
    room = Classroom(device="cuda")

    def script() -> Script:
        yield [room.open(seed, playing=False, until=30 * EPOCH + seed) for seed in range(4)]
        yield [Envelope(Close(), "3")]
        yield [room.open(7, playing=False, until=40 * EPOCH)]
        yield from room.until(lambda: not any(room.live(seed).catching_up for seed in (0, 1, 2, 7)))

    room.run(script())
    assert max(stack_sizes) == 4
    for seed in (0, 1, 2, 7):
        reference = alone(seed)
        pieces = [reference.record(), reference.train(room.step(seed))]
        assert room.step(seed) == (40 * EPOCH if seed == 7 else 30 * EPOCH + seed)
        weights = room.live(seed).loop.state.weights.cpu()
        torch.testing.assert_close(weights, reference.state.weights, rtol=1e-2, atol=1e-2)
        expected = np.concatenate([piece.rows for piece in pieces])
        assert np.array_equal(room.history(seed)[:, :3], expected[:, :3])
