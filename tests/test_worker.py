"""A worker's end of things: its socket, its time slices, its timeline."""

import socket
from typing import Any

import numpy as np
import pytest

from playground.messages import worker as messages
from playground.messages.codec import Assembler
from playground.messages.commands import Pause, Reset, SetWeight, Speed
from playground.messages.worker import Change, Envelope, Request, Step, read_event
from playground.run.config import Config
from playground.run.patch import merged
from playground.run.run import TimelineEntry
from playground.run.selection import Size
from playground.run.validation import parse
from playground.run.weights import AllWeights, OneWeight
from playground.training.views import Views
from playground.training.weights import read_weights
from playground.worker import changes, frames, live_run, pacing
from playground.worker.channel import Channel
from playground.worker.live_run import LiveRun

SIZE = Size(8, 10)


class Recorder:
    """A live run, and what it sends, in order."""

    def __init__(self, **opening: Any):
        self.sent: list[tuple[Any, Any, int]] = []
        fields = {"number": 1, "run": 1, "config": Config(), "speed": Speed(max=True)}
        request = messages.Open(**{**fields, **opening})
        self.run = LiveRun("abc", request, {}, "cpu", lambda *sent: self.sent.append(sent))
        self.run.open(7)

    @property
    def step(self) -> int:
        return self.run.loop.state.step

    def of(self, kind: type) -> list[Any]:
        return [content for content, _, _ in self.sent if isinstance(content, kind)]

    def answer(self, request: Request, number: int = 9) -> Any:
        self.run.handle(request, number, {})
        while not (answers := [content for content, _, to in self.sent if to == number]):
            self.run.train()
        return answers[0]

    def change(self, patch: dict[str, Any]) -> Any:
        after = parse(merged(self.run.loop.config, patch))
        return self.answer(Change(change=patch, config=after))

    def train_until(self, holds: Any) -> None:
        for _ in range(10_000):
            if holds():
                return
            self.run.train()
        raise AssertionError("this does not come about by training")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day of live runs: its last entry."""
    times = [1000.0]
    for module in (live_run, pacing, frames):
        monkeypatch.setattr(module, "monotonic", lambda: times[-1])
    return times


def test_opening_tells_where_it_is_then_the_data_then_the_first_sample() -> None:
    recorder = Recorder()
    kinds = [type(content) for content, _, _ in recorder.sent]
    assert kinds == [messages.Answer, messages.Data, messages.Samples]
    assert recorder.sent[0][2] == 7
    assert recorder.sent[2][1]["samples"][0, 0, :2].tolist() == [0, 0]


def test_a_paused_session_asks_for_nothing() -> None:
    recorder = Recorder()
    assert recorder.run.training_due() == float("inf")
    assert recorder.run.frames.due() == float("inf")


def test_slow_motion_is_one_step_a_second(clock: list[float]) -> None:
    recorder = Recorder(playing=True, speed=Speed(steps_per_second=1))
    for second in range(1, 4):
        clock.append(1000.0 + second - 0.01)
        recorder.run.train()
        assert recorder.step == second - 1
        clock.append(1000.0 + second)
        assert recorder.run.training_due() <= clock[-1]
        recorder.run.train()
        assert recorder.step == second


def test_a_session_that_was_held_up_does_not_catch_up_for_ever(clock: list[float]) -> None:
    recorder = Recorder(playing=True, speed=Speed(steps_per_second=100))
    clock.append(clock[-1] + 3600)
    recorder.run.train()
    assert recorder.step == 100 * pacing.DEBT


def test_full_speed_wants_its_turn_at_once() -> None:
    recorder = Recorder(playing=True)
    recorder.run.train()
    assert recorder.step > 0
    assert recorder.run.training_due() == 0


def test_frames_leave_three_quarters_of_the_time_to_training(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    frame = Views.frame

    def slow(*arguments: Any) -> Any:
        clock.append(clock[-1] + 0.1)
        return frame(*arguments)

    monkeypatch.setattr(Views, "frame", slow)
    recorder.run.frames.want(SIZE, fresh=True)
    recorder.run.make_frame()
    recorder.answer(Step(run=1, steps=1), 8)
    recorder.run.frames.want(SIZE, fresh=False)
    assert recorder.run.frames.due() == pytest.approx(clock[-1] + 0.3)
    recorder.change({"l1": 0.1})
    assert recorder.run.frames.due() <= clock[-1]  # what somebody has just asked for is shown at once


def test_there_is_a_frame_only_for_somebody_who_waits_and_only_of_something_new() -> None:
    recorder = Recorder()
    recorder.run.frames.want(SIZE, fresh=True)
    frame, _ = recorder.run.make_frame()
    assert (frame.frame, frame.step) == (1, 0)
    recorder.run.frames.want(SIZE, fresh=False)
    assert recorder.run.frames.due() == float("inf")
    recorder.answer(Step(run=1, steps=1))
    assert recorder.run.frames.due() < float("inf")


def test_training_never_runs_past_a_line_of_the_timeline() -> None:
    timeline = [
        TimelineEntry(step=0, change={"l1": 0.01}),
        TimelineEntry(step=7, change={"l2": 0.01}),
        TimelineEntry(step=7, change={"seed": 3}),
    ]
    recorder = Recorder(timeline=timeline, playing=True)
    recorder.train_until(lambda: recorder.step > 20)
    applied = recorder.of(messages.Applied)
    assert [(a.index, a.step) for a in applied] == [(0, 0), (1, 7), (2, 7)]
    assert applied[2].task
    assert not applied[1].task


def test_weights_that_do_not_fit_when_their_time_comes_are_left_out() -> None:
    timeline = [
        TimelineEntry(step=3, weights=AllWeights(layers=[{"bias": [1]}])),
        TimelineEntry(step=5, change={"l1": 0.5}),
    ]
    recorder = Recorder(timeline=timeline, playing=True)
    recorder.train_until(lambda: recorder.step > 5)
    assert [(a.index, a.step) for a in recorder.of(messages.Applied)] == [(0, 3), (1, 5)]
    assert recorder.run.loop.config.l1 == 0.5


def test_a_line_that_fails_is_left_out_whatever_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(changes, "set_weight", fail)
    edit = OneWeight(layer=0, source=0, unit=0, value=1)
    timeline = [TimelineEntry(step=0, weights=edit), TimelineEntry(step=2, change={"l1": 0.5})]
    recorder = Recorder(timeline=timeline, playing=True)
    recorder.train_until(lambda: recorder.step > 2)
    assert [(a.index, a.step) for a in recorder.of(messages.Applied)] == [(0, 0), (1, 2)]
    assert "not done" in recorder.of(messages.Applied)[0].effect[0].text


def test_a_change_by_hand_ends_a_recorded_timeline_and_a_weight_set_by_hand_does_too() -> None:
    edit = SetWeight(layer=0, source=0, unit=0, value=1)
    for by_hand in (lambda r: r.change({"l2": 0.5}), lambda r: r.answer(edit)):
        recorder = Recorder(timeline=[TimelineEntry(step=2, change={"l1": 0.5})])
        by_hand(recorder)
        recorder.answer(Step(run=1, steps=5), 10)
        assert recorder.run.loop.config.l1 == 0
        assert not recorder.of(messages.Applied)


def test_a_step_that_was_meant_for_another_run_trains_nothing() -> None:
    recorder = Recorder()
    assert recorder.answer(Step(run=1, steps=300, until=300), 11).step == 300
    recorder.run.handle(Reset(), 12, {})
    assert recorder.answer(Step(run=1, steps=300, until=600), 13).step == 0
    assert recorder.answer(Step(run=2, steps=5, until=5), 14).step == 5


def test_training_that_nobody_waits_for_ends() -> None:
    recorder = Recorder()
    recorder.run.handle(Step(run=1, steps=10**6), 11, {})
    recorder.run.train()
    recorder.run.handle(messages.Cancel(), 0, {})
    assert recorder.run.training_due() == float("inf")


def test_a_step_is_answered_when_it_is_done_and_a_pause_ends_it() -> None:
    recorder = Recorder()
    assert recorder.answer(Step(run=1, steps=50), 11).step == 50
    recorder.run.handle(Step(run=1, steps=10**6), 12, {})
    recorder.run.train()
    recorder.run.handle(Pause(), 13, {})
    steps = {to: content.step for content, _, to in recorder.sent if to}
    assert 50 < steps[12] == steps[13] < 10**6


def test_divergence_pauses_and_is_reported() -> None:
    config = {"data": {"kind": "plane"}, "hidden": [{"width": 8, "activation": {"kind": "linear"}}],
              "optimizer": {"kind": "sgd", "lr": 10.0}}  # fmt: skip
    recorder = Recorder(config=parse(config), playing=True)
    recorder.train_until(lambda: recorder.of(messages.Diverged))
    assert recorder.run.training_due() == float("inf")
    answer = recorder.answer(Step(run=1, steps=1000))
    assert answer.diverged == recorder.of(messages.Diverged)[-1].diverged
    loop = recorder.run.loop
    assert np.isfinite(read_weights(loop.experiment.network, loop.state)[0]["weight"]).all()


def test_snapshots_are_made_when_something_has_changed(clock: list[float]) -> None:
    recorder = Recorder()
    clock.append(clock[-1] + 10)
    assert recorder.run.snapshot_due() <= clock[-1]
    recorder.run.make_snapshot()
    assert recorder.run.snapshot_due() == float("inf")
    recorder.change({"l1": 0.1})
    state, _ = recorder.run.make_snapshot()
    assert (state.step, state.done) == (0, 1)


# --- The socket -------------------------------------------------------------------------------------------


def drain(channel: Channel, reader: socket.socket, holds: Any) -> list[Any]:
    """What has come once this holds of it."""
    reader.settimeout(60)
    assembler, read = Assembler(), []
    while not holds(read):
        channel.exchange(0)
        read += [read_event(message) for message in assembler.feed(reader.recv(1 << 20))]
    return read


def test_whoever_does_not_read_holds_nobody_up_and_gets_the_latest_picture_only() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        big = {"message": np.zeros(1 << 20, np.uint8)}
        for number in range(1, 30):
            channel.send(Envelope(messages.Answer(step=number, epoch=0), "abc", number))
            frame = messages.Frame(size=SIZE, frame=number, run=1, step=number, epoch=0)
            channel.send_latest(("abc", SIZE), Envelope(frame, "abc", arrays=big))
            channel.exchange(0)
        envelopes = drain(channel, theirs, lambda read: read and getattr(read[-1].content, "frame", 0) == 29)
    answers = [envelope.request for envelope in envelopes if envelope.request]
    pictures = [envelope.content.frame for envelope in envelopes if not envelope.request]
    assert answers == list(range(1, 30))  # in order, and none is lost
    assert len(pictures) < 5
    assert pictures == sorted(pictures)
    assert pictures[-1] == 29


def test_a_worker_ends_with_the_server() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        channel = Channel(ours)
        theirs.close()
        with pytest.raises(EOFError):
            channel.exchange(0)
