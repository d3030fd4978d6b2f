"""A worker's end of things: its socket, its time slices, its timeline."""

import socket
from typing import Any

import numpy as np
import pytest

from playground.worker import live_run as liverun
from playground.messages import worker as orders
from playground.run.config import RunConfig
from playground.worker.channel import Line
from playground.worker.live_run import LiveRun
from playground.messages.worker import Deed, Mail, Size, read_report
from playground.messages.protocol import AllWeights, Assembler, OneWeight, Speed
from playground.training.reference import Trainer

SIZE = Size(8, 10)


class Desk:
    """What a live run posts, in order."""

    def __init__(self, **opening: Any):
        self.posted: list[tuple[Any, Any, int]] = []
        fields = {
            "number": 1,
            "run": 1,
            "config": RunConfig().model_dump(mode="json"),
            "speed": Speed(max=True),
        }
        order = orders.Open(**{**fields, **opening})
        self.run = LiveRun("abc", order, {}, "cpu", lambda *posted: self.posted.append(posted))
        self.run.open(7)

    def of(self, kind: type) -> list[Any]:
        return [content for content, _, _ in self.posted if isinstance(content, kind)]

    def answer(self, order: orders.Order, number: int = 9) -> Any:
        self.run.obey(order, number, {})
        while not (answers := [content for content, _, to in self.posted if to == number]):
            self.run.train()
        return answers[0]

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
    monkeypatch.setattr(liverun, "monotonic", lambda: times[-1])
    return times


def test_opening_tells_where_it_is_then_the_data_then_the_first_sample() -> None:
    desk = Desk()
    kinds = [type(content) for content, _, _ in desk.posted]
    assert kinds == [orders.Done, orders.Data, orders.Samples]
    assert desk.posted[0][2] == 7
    assert desk.posted[2][1]["samples"][0, :2].tolist() == [0, 0]


def test_a_paused_session_asks_for_nothing() -> None:
    desk = Desk()
    assert desk.run.training_due() == float("inf")
    assert desk.run.frame_due() == float("inf")


def test_slow_motion_is_one_step_a_second(clock: list[float]) -> None:
    desk = Desk(playing=True, speed=Speed(steps_per_second=1))
    for second in range(1, 4):
        clock.append(1000.0 + second - 0.01)
        desk.run.train()
        assert desk.run.trainer.step == second - 1
        clock.append(1000.0 + second)
        assert desk.run.training_due() <= clock[-1]
        desk.run.train()
        assert desk.run.trainer.step == second


def test_a_session_that_was_held_up_does_not_catch_up_for_ever(clock: list[float]) -> None:
    desk = Desk(playing=True, speed=Speed(steps_per_second=100))
    clock.append(clock[-1] + 3600)
    desk.run.train()
    assert desk.run.trainer.step == 100 * liverun.DEBT


def test_full_speed_wants_its_turn_at_once() -> None:
    desk = Desk(playing=True)
    desk.run.train()
    assert desk.run.trainer.step > 0
    assert desk.run.training_due() == 0


def test_frames_leave_three_quarters_of_the_time_to_training(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    frame = desk.run.trainer.frame

    def slow(*sizes: int) -> Any:
        clock.append(clock[-1] + 0.1)
        return frame(*sizes)

    monkeypatch.setattr(desk.run.trainer, "frame", slow)
    desk.run.want(SIZE, fresh=True)
    desk.run.make_frame()
    desk.answer(orders.Advance(run=1, steps=1), 8)
    desk.run.want(SIZE, fresh=False)
    assert desk.run.frame_due() == pytest.approx(clock[-1] + 0.3)
    desk.answer(orders.Apply(deed=Deed(step=0, change={"l1": 0.1})))
    assert desk.run.frame_due() <= clock[-1]  # what somebody has just asked for is shown at once


def test_there_is_a_frame_only_for_somebody_who_waits_and_only_of_something_new() -> None:
    desk = Desk()
    desk.run.want(SIZE, fresh=True)
    frame, _ = desk.run.make_frame()
    assert (frame.frame, frame.step) == (1, 0)
    desk.run.want(SIZE, fresh=False)
    assert desk.run.frame_due() == float("inf")
    desk.answer(orders.Advance(run=1, steps=1))
    assert desk.run.frame_due() < float("inf")


def test_training_never_runs_past_a_line_of_the_timeline() -> None:
    deeds = [
        Deed(step=0, change={"l1": 0.01}),
        Deed(step=7, change={"l2": 0.01}),
        Deed(step=7, change={"seed": 3}),
    ]
    desk = Desk(deeds=deeds, playing=True)
    desk.train_until(lambda: desk.run.trainer.step > 20)
    applied = desk.of(orders.Applied)
    assert [(a.index, a.step) for a in applied] == [(0, 0), (1, 7), (2, 7)]
    assert applied[2].problem
    assert not applied[1].problem


def test_weights_that_do_not_fit_when_their_time_comes_are_left_out() -> None:
    deeds = [Deed(step=3, weights=AllWeights(layers=[{"bias": [1]}])), Deed(step=5, change={"l1": 0.5})]
    desk = Desk(deeds=deeds, playing=True)
    desk.train_until(lambda: desk.run.trainer.step > 5)
    assert [(a.index, a.step) for a in desk.of(orders.Applied)] == [(0, 3), (1, 5)]
    assert desk.run.trainer.config.l1 == 0.5


def test_a_line_that_fails_is_left_out_whatever_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(Trainer, "set_weight", fail)
    edit = OneWeight(layer=0, source=0, unit=0, value=1)
    desk = Desk(deeds=[Deed(step=0, weights=edit), Deed(step=2, change={"l1": 0.5})], playing=True)
    desk.train_until(lambda: desk.run.trainer.step > 2)
    assert [(a.index, a.step) for a in desk.of(orders.Applied)] == [(0, 0), (1, 2)]
    assert "not done" in desk.of(orders.Applied)[0].effect[0]


def test_a_step_that_was_meant_for_another_run_trains_nothing() -> None:
    desk = Desk()
    assert desk.answer(orders.Advance(run=1, steps=300, until=300), 11).step == 300
    desk.run.obey(orders.Restart(run=2), 12, {})
    assert desk.answer(orders.Advance(run=1, steps=300, until=600), 13).step == 0
    assert desk.answer(orders.Advance(run=2, steps=5, until=5), 14).step == 5


def test_training_that_nobody_waits_for_ends() -> None:
    desk = Desk()
    desk.run.obey(orders.Advance(run=1, steps=10**6), 11, {})
    desk.run.train()
    desk.run.obey(orders.Desist(), 0, {})
    assert desk.run.training_due() == float("inf")


def test_a_step_is_answered_when_it_is_done_and_a_pause_ends_it() -> None:
    desk = Desk()
    assert desk.answer(orders.Advance(run=1, steps=50), 11).step == 50
    desk.run.obey(orders.Advance(run=1, steps=10**6), 12, {})
    desk.run.train()
    desk.run.obey(orders.SetPlaying(playing=False), 13, {})
    steps = {to: content.step for content, _, to in desk.posted if to}
    assert 50 < steps[12] == steps[13] < 10**6


def test_divergence_pauses_and_is_reported() -> None:
    config = {"data": {"kind": "plane"}, "hidden": [{"width": 8, "activation": {"kind": "linear"}}],
              "optimizer": {"kind": "sgd", "lr": 10.0}}  # fmt: skip
    desk = Desk(config=config, playing=True)
    desk.train_until(lambda: desk.of(orders.Stopped))
    assert desk.run.training_due() == float("inf")
    answer = desk.answer(orders.Advance(run=1, steps=1000))
    assert answer.diverged == desk.of(orders.Stopped)[-1].diverged
    assert np.isfinite(desk.run.trainer.weights()[0]["weight"]).all()


def test_snapshots_are_made_when_something_has_changed(clock: list[float]) -> None:
    desk = Desk()
    clock.append(clock[-1] + 10)
    assert desk.run.snapshot_due() <= clock[-1]
    desk.run.make_snapshot()
    assert desk.run.snapshot_due() == float("inf")
    desk.answer(orders.Apply(deed=Deed(step=0, change={"l1": 0.1})))
    state, _ = desk.run.make_snapshot()
    assert (state.step, state.done) == (0, 1)


# --- The socket -------------------------------------------------------------------------------------------


def drain(line: Line, reader: socket.socket) -> list[Any]:
    reader.settimeout(0.05)
    assembler, read = Assembler(), []
    while True:
        line.exchange(0)
        try:
            read += [read_report(message) for message in assembler.feed(reader.recv(1 << 20))]
        except TimeoutError:
            return read


def test_whoever_does_not_read_holds_nobody_up_and_gets_the_latest_picture_only() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line(ours)
        big = {"message": np.zeros(1 << 20, np.uint8)}
        for number in range(1, 30):
            line.post(Mail(orders.Done(step=number, epoch=0), "abc", number))
            frame = orders.Frame(size=SIZE, frame=number, run=1, step=number, epoch=0)
            line.show(("abc", SIZE), Mail(frame, "abc", arrays=big))
            line.exchange(0)
        mails = drain(line, theirs)
    answers = [mail.order for mail in mails if mail.order]
    frames = [mail.content.frame for mail in mails if not mail.order]
    assert answers == list(range(1, 30))  # in order, and none is lost
    assert len(frames) < 5
    assert frames == sorted(frames)
    assert frames[-1] == 29


def test_a_worker_ends_with_the_server() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        line = Line(ours)
        theirs.close()
        with pytest.raises(EOFError):
            line.exchange(0)
