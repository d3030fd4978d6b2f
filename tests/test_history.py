"""The curves of a session in the web process."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from playground import limits
from playground.messages.codec import decode
from playground.session.history import EARLY, HIGH, LOW, MEAN, History
from playground.training.evaluation import next_stride
from tests.golden import write

COLUMNS = ("index", "step", "epoch", "train_loss")


def rows(first: int, last: int, stride: int = 1) -> np.ndarray:
    """Samples with these indices; the loss is the step."""
    indices = np.arange(first, last + 1, dtype=np.float64)
    return np.column_stack([indices, indices * stride, indices / 10, indices * stride])


def indices(history: History, since: int) -> list[int]:
    return [int(i) for message in history.since(since) for i in decode(message)[1]["samples"][:, 0]]


def test_what_came_after_an_index_is_what_is_sent() -> None:
    history = History(run=3)
    history.add(1, COLUMNS, rows(0, 4))
    history.add(1, COLUMNS, rows(5, 9))
    [message] = history.since(6)
    header, arrays = decode(message)
    assert header == {
        "type": "metrics",
        "run": 3,
        "current": False,
        "stride": 1,
        "from": 7,
        "to": 9,
        "columns": list(COLUMNS),
    }
    for part in ("samples", "low", "high"):
        np.testing.assert_array_equal(arrays[part], rows(7, 9))
    assert history.since(9) == []


def test_samples_that_are_computed_again_are_dropped() -> None:
    history = History(run=1)
    history.add(1, COLUMNS, rows(0, 9))
    history.add(1, COLUMNS, rows(4, 9))
    history.add(1, COLUMNS, rows(8, 12))
    assert indices(history, -1) == list(range(13))


def numbers(history: History, name: str, kept: int = MEAN) -> list[float]:
    return [value for value in history.series(kept)[name] if value is not None]


def long_run(spike: int, steps: int = 20_000) -> tuple[History, list[float]]:
    """A run with a loss of 0.05 but for one step, kept as training keeps it: at most 1,024 points."""
    history, losses, stride, step, index = History(run=1), [], 1, 0, 0
    while step <= steps:
        losses.append(0.84 if step == spike else 0.05)
        stride = next_stride(step, stride)
        history.add(stride, COLUMNS, np.array([[index, step, step / 25, losses[-1]]]))
        step, index = (step // stride + 1) * stride, index + 1
    return history, losses


@pytest.mark.parametrize("spike", [101, 771, 1023])
def test_a_spike_that_was_drawn_stays(spike: int) -> None:
    """It was thinned away: 0.84 became 0.06 a minute later."""
    history, losses = long_run(spike)
    assert max(numbers(history, "train_loss", HIGH)) == 0.84
    assert min(numbers(history, "train_loss", LOW)) == 0.05
    at = int(np.argmax(numbers(history, "train_loss", HIGH)))
    assert 0.05 < numbers(history, "train_loss")[at] <= 0.84
    assert numbers(history, "step")[at] - spike < 16
    assert len(numbers(history, "step")) < len(losses)


def test_a_mean_counts_every_step_alike() -> None:
    history = History(run=1)
    steps = np.arange(2049.0)
    values = np.random.default_rng(0).normal(size=len(steps))
    history.add(32, COLUMNS, np.column_stack([steps, steps, steps / 10, values]))
    last = [numbers(history, "train_loss", kept)[-1] for kept in (MEAN, LOW, HIGH)]
    stretch = values[2049 - 16 :]
    assert last == [pytest.approx(stretch.mean()), stretch.min(), stretch.max()]


def test_the_first_epochs_of_a_long_run_stay() -> None:
    """They were thinned like the rest, and a logarithmic axis had nothing left of epoch 1."""
    history, _ = long_run(0, 1_000_000)
    steps = numbers(history, "step")
    assert history.stride == 1024
    assert steps[:129] == list(range(129))
    assert len(steps) < limits.HISTORY_SAMPLES + EARLY * 11
    assert all(now <= 1024 + before for before, now in itertools.pairwise(steps))


def test_who_was_there_and_who_comes_late_hold_the_same() -> None:
    """Also who comes now and then; the page's tests read the same file."""
    golden = json.loads((Path(__file__).parent / "golden" / "curves.json").read_text())
    assert json.loads(json.dumps(write.curves())) == golden
    assert max(golden["step"]) > 64 * 32
    assert golden["series"]["train_loss"][2] != golden["series"]["train_loss"][0]


def test_columns_that_come_later_are_empty_before() -> None:
    history = History(run=1)
    history.add(1, COLUMNS, rows(0, 2))
    history.add(1, (*COLUMNS, "grad_norm.0"), np.column_stack([rows(3, 4), [0.5, np.nan]]))
    [message] = history.since(-1)
    assert decode(message)[0]["columns"] == [*COLUMNS, "grad_norm.0"]
    assert history.series()["grad_norm.0"] == [None, None, None, 0.5, None]


def test_viewers_in_the_same_state_share_the_bytes() -> None:
    history = History(run=1)
    history.add(1, COLUMNS, rows(0, 2))
    assert history.since(0)[0] is history.since(0)[0]
    history.add(1, COLUMNS, rows(3, 3))
    assert indices(history, 0) == [1, 2, 3]


@pytest.mark.parametrize("since", [-1, 0, 5])
def test_an_empty_history_has_nothing_to_send(since: int) -> None:
    assert History(run=1).since(since) == []
