"""The snapshots of a run are few, and lie evenly over it."""

from itertools import pairwise

import pytest

from playground import limits
from playground.run.config import Config
from playground.run.run import Run, TimelineEntry
from playground.session.trail import Snapshot, Trail

RUN = Run(Config(), (TimelineEntry(step=300, change={"l1": 0.1}),))
START = Run(Config())


def at(step: int, data: bytes = b"") -> Snapshot:
    return Snapshot(RUN if step >= 300 else START, step, data)


def found(trail: Trail, step: int) -> int:
    before = trail.before(step, 1)
    return before.step if before else 0


def test_a_long_run_keeps_few_snapshots_evenly() -> None:
    trail = Trail()
    for step in range(0, 100_000, 10):
        trail.note(at(step))
    kept = sorted({found(trail, step) for step in range(0, 100_000, 10)})
    assert len(kept) <= limits.TRAIL_SNAPSHOTS + 1  # and the start, which needs none
    apart = [b - a for a, b in pairwise([0, *kept])]
    assert max(apart) <= 3 * 100_000 / limits.TRAIL_SNAPSHOTS
    assert trail.last
    assert trail.last.step == 99_990


def test_large_snapshots_are_fewer_and_the_last_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRAIL_BYTES", 350)
    trail = Trail()
    for step in range(10):
        trail.note(at(step, bytes(100)))
    assert [found(trail, step) for step in range(10)].count(9) == 1
    assert len({found(trail, step) for step in range(10)} - {0}) <= 3
    trail.note(at(10, bytes(1000)))
    assert found(trail, 9) == 0
    assert found(trail, 10) == 10


def test_only_what_lies_on_the_way_of_a_run_is_gone_on_from() -> None:
    trail = Trail(map(at, (0, 200, 400)))
    assert found(trail, 399) == 200
    assert found(trail.along(START, 1000), 1000) == 200
    assert found(trail.along(RUN, 1000), 1000) == 400
    assert found(trail.along(Run(Config(seed=3)), 1000), 1000) == 0
    trail.note(at(100))  # comes again after a worker's death
    assert found(trail, 199) == 0
