"""The curves of a session in the web process."""

import numpy as np
import pytest

from playground.messages.codec import decode
from playground.session.history import History

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
    np.testing.assert_array_equal(arrays["samples"], rows(7, 9))
    assert history.since(9) == []


def test_samples_that_are_computed_again_are_dropped() -> None:
    history = History(run=1)
    history.add(1, COLUMNS, rows(0, 9))
    history.add(1, COLUMNS, rows(4, 9))
    history.add(1, COLUMNS, rows(8, 12))
    assert indices(history, -1) == list(range(13))


def test_a_growing_stride_forgets_what_it_skips() -> None:
    history = History(run=1)
    history.add(1, COLUMNS, rows(0, 9))
    history.add(4, COLUMNS, np.array([[10, 12, 1.2, 12]]))
    assert history.series()["step"] == [0, 4, 8, 12]
    assert indices(history, -1) == [0, 4, 8, 10]


def test_other_columns_begin_another_message() -> None:
    history = History(run=1)
    history.add(1, COLUMNS, rows(0, 2))
    history.add(1, (*COLUMNS, "grad_norm.0"), np.column_stack([rows(3, 4), [0.5, np.nan]]))
    assert [decode(message)[0]["columns"] for message in history.since(-1)] == [
        list(COLUMNS),
        [*COLUMNS, "grad_norm.0"],
    ]
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
