"""Scripted runs on a worker: where they end, what they leave behind, and who goes first."""

import socket
from time import monotonic
from typing import Any

import pytest

from playground.messages import worker as messages
from playground.messages.codec import decode, prefixed
from playground.messages.commands import Speed
from playground.messages.worker import Background, Envelope
from playground.run.run import TimelineEntry
from playground.run.script import StopRules, marked_lines, next_mark, weights_hash
from playground.run.validation import parse
from playground.run.weights import OneWeight
from playground.worker.background_run import BackgroundRun
from playground.worker.channel import Channel
from playground.worker.loop import Worker

SMALL = {"data": {"kind": "circle", "samples": 60}, "hidden": [{"width": 4}], "optimizer": {"kind": "adam"}}
TIMELINE = [
    TimelineEntry(step=7, change={"optimizer": {"kind": "sgd", "lr": 0.1}}),
    TimelineEntry(step=40, change={"hidden": [{"width": 4}, {"width": 3, "dropout": 0.2}]}),
    TimelineEntry(step=40, weights=OneWeight(layer=0, source=0, unit=0, value=0.5)),
]


class Told:
    """A scripted run, and what it has told."""

    def __init__(self, config: dict[str, Any] | None = None, snapshot: Any = None, **opening: Any):
        self.events: list[tuple[Any, Any]] = []
        timeline = opening.pop("timeline", [])
        done = opening.pop("done", 0)
        plan = Background(**{"marked": sorted(marked_lines(timeline)), **opening})
        request = messages.Open(
            number=1, run=1, config=parse(config or SMALL), timeline=timeline[done:], done=done,
            background=plan,
        )  # fmt: skip
        arrays = {} if snapshot is None else {"snapshot": snapshot}
        self.run = BackgroundRun("r", request, arrays, "cpu", lambda e, a, _: self.events.append((e, a)))
        self.run.open(3)

    def to_the_end(self, slice: float = 1.0) -> "Told":
        while not self.run.ended:
            self.run.train(monotonic() + slice)
        return self

    def of(self, kind: type) -> list[Any]:
        return [event for event, _ in self.events if isinstance(event, kind)]

    @property
    def marks(self) -> list[tuple[int, str]]:
        return [(event.mark.step, event.mark.sha256) for event in self.of(messages.Marked)]

    @property
    def end(self) -> messages.Ended:
        [ended] = self.of(messages.Ended)
        return ended

    @property
    def last_hash(self) -> str:
        _, arrays = decode(self.events[-1][1]["snapshot"].tobytes())
        return weights_hash(arrays["weights"], arrays["buffers"])


def test_a_run_ends_at_its_step_with_marks_on_the_way(kernel: None) -> None:
    told = Told(steps=100, timeline=TIMELINE).to_the_end()
    assert told.end.step == 100
    assert [step for step, _ in told.marks] == [7, 16, 32, 40, 64, 100]
    assert told.marks[-1][1] == told.last_hash
    assert [(a.index, a.step) for a in told.of(messages.Applied)] == [(0, 7), (1, 40), (2, 40)]


def test_slices_change_nothing_but_when(kernel: None) -> None:
    rules = StopRules(patience=500)
    whole = Told(steps=300, timeline=TIMELINE, stop=rules).to_the_end()
    pieces = Told(steps=300, timeline=TIMELINE, stop=rules).to_the_end(slice=0.0)
    assert pieces.marks == whole.marks
    assert pieces.end == whole.end


def test_a_run_goes_on_from_a_snapshot_to_the_same_end(kernel: None) -> None:
    rules = StopRules(patience=30)
    config = {**SMALL, "optimizer": {"kind": "sgd", "lr": 1.0}}
    plan: dict[str, Any] = {"steps": 20_000, "timeline": TIMELINE, "stop": rules}
    whole = Told(config, **plan).to_the_end()
    half = Told(config, **plan)
    while half.run.loop.state.step < whole.end.step - 20:
        half.run.train(monotonic())
    saved, arrays = half.run.make_snapshot()
    seen = {"done": saved.done, "least_loss": saved.least_loss, "waited": saved.waited}
    other = Told(config, arrays["snapshot"], **plan, **seen).to_the_end()
    assert whole.end.stopped_by == "patience"
    assert (other.end, other.last_hash) == (whole.end, whole.last_hash)


def test_epochs_are_counted_in_the_mini_batches_of_then(kernel: None) -> None:
    timeline = [TimelineEntry(step=6, change={"batch_size": 30})]
    told = Told(epochs=3, timeline=timeline).to_the_end()
    assert told.end.epoch == 3
    per_epoch = told.run.loop.experiment.steps_per_epoch
    assert told.end.step < 3 * 6
    assert per_epoch == 1


@pytest.mark.parametrize(
    "stop", [{"loss_below": 0.4}, {"accuracy_above": 0.9}, {"patience": 2}], ids=lambda stop: next(iter(stop))
)
def test_a_rule_ends_a_run_where_an_epoch_ends(stop: dict[str, Any], kernel: None) -> None:
    config = {**SMALL, "data": {"kind": "circle", "samples": 200}, "optimizer": {"kind": "adam", "lr": 0.05}}
    ended = Told(config, epochs=500, stop=StopRules(**stop)).to_the_end().end
    assert ended.stopped_by == next(iter(stop))
    assert ended.epoch == int(ended.epoch) < 500
    if "loss_below" in stop:
        assert (ended.metrics["test_loss"] or 1) < 0.4


def test_early_stopping_ends_a_run_unless_it_went_on_when_it_was_recorded(kernel: None) -> None:
    config = {
        **SMALL,
        "optimizer": {"kind": "sgd", "lr": 3.0},
        "stopping": {"kind": "early_stopping", "patience": 2},
    }
    told = Told(config, steps=5000).to_the_end()
    stop = told.end.step
    assert (told.end.stopped_by, stop < 5000) == ("early_stopping", True)
    [line] = told.of(messages.Applied)
    recorded = [TimelineEntry(step=stop, best=line.best)]
    again = Told(config, steps=stop + 3, timeline=recorded).to_the_end()
    assert (again.end.step, again.end.stopped_by) == (stop + 3, None)
    assert Told(config, steps=stop, timeline=recorded).to_the_end().last_hash == told.last_hash


def test_a_run_that_diverges_ends_with_its_last_finite_weights(kernel: None) -> None:
    config = {"data": {"kind": "plane"}, "hidden": [{"width": 8, "activation": {"kind": "linear"}}],
              "optimizer": {"kind": "sgd", "lr": 10.0}}  # fmt: skip
    ended = Told(config, steps=5000).to_the_end().end
    assert ended.diverged
    assert ended.diverged.step == ended.step + 1


def test_marks_come_when_the_steps_have_doubled_and_at_the_changes() -> None:
    steps, lines = [0], frozenset((5, 16, 50))
    while steps[-1] < 200:
        steps.append(next_mark(steps[-1], lines))
    assert steps[1:] == [5, 16, 32, 50, 64, 128, 256]


# --- Beside live sessions ---------------------------------------------------------------------------------


class Rounds:
    """A worker with a live session and a scripted run, which goes round as often as it is told."""

    def __init__(self, speed: Speed):
        self.ours, self.theirs = socket.socketpair()
        self.worker = Worker(Channel(self.theirs), "cpu", memoryview(bytearray(8)))  # pyright: ignore
        live = messages.Open(number=1, run=1, config=parse(SMALL), playing=True, speed=speed)
        background = Background(steps=10**8)
        self.send(live, "live")
        self.send(messages.Open(number=2, run=1, config=parse(SMALL), background=background), "run")

    def send(self, request: Any, session: str) -> None:
        self.ours.sendall(prefixed(Envelope(request, session, 1).encode()))


def test_a_scripted_run_has_what_live_sessions_leave(kernel: None) -> None:
    leaves, takes_all = _steps(Speed(epochs_per_second=15)), _steps(Speed(max=True))
    assert leaves["run"] > 10 * leaves["live"]
    assert takes_all["live"] > 4 * takes_all["run"] > 0


def _steps(speed: Speed, turns: int = 60) -> dict[str, int]:
    """How far both are after so many looks at the socket."""
    rounds, left = Rounds(speed), turns
    exchange = rounds.worker._channel.exchange

    def counted(timeout: float | None) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise EOFError
        rounds.ours.setblocking(False)
        try:
            while rounds.ours.recv(1 << 20):
                pass
        except BlockingIOError:
            return exchange(timeout)

    rounds.worker._channel.exchange = counted  # pyright: ignore[reportAttributeAccessIssue]
    with rounds.ours, rounds.theirs, pytest.raises(EOFError):
        rounds.worker.serve()
    run = rounds.worker._background.get("run")
    assert isinstance(run, BackgroundRun)
    return {"live": rounds.worker._runs["live"].loop.state.step, "run": run.loop.state.step}
