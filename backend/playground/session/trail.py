"""Snapshots of a run, evenly over its steps: any moment of it is trained again from the one before it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playground import limits
from playground.catalogue.tables.table import Table
from playground.messages import codec
from playground.messages.codec import Arrays, as_array
from playground.messages.tables import pack
from playground.run.config import Config
from playground.run.run import Run, TimelineEntry
from playground.run.validation import Tables, parse


@dataclass(frozen=True)
class Snapshot:
    """The state at a step, after all lines of this run."""

    run: Run
    step: int
    data: bytes

    def config(self, tables: Tables) -> Config:
        """Of this moment."""
        header, _ = codec.decode(self.data)
        return parse(header["config"], tables)


class Trail:
    """At most `limits.TRAIL_SNAPSHOTS`, of `limits.TRAIL_BYTES` together; the last one stays in any case."""

    def __init__(self, kept: Iterable[Snapshot] = ()):
        self._kept = list(kept)

    @property
    def last(self) -> Snapshot | None:
        """Where a worker goes on after the death of another."""
        return self._kept[-1] if self._kept else None

    def note(self, snapshot: Snapshot) -> None:
        """One more; those come again, and are passed over, that a worker makes while it catches up."""
        if self.last and _place(snapshot) <= _place(self.last):
            return
        self._kept.append(snapshot)
        while len(self._kept) > 1 and self._too_many():
            del self._kept[self._most_dispensable()]

    def before(self, step: int, lines: int) -> Snapshot | None:
        """The last one up to this step and after no more than so many lines."""
        fitting = (s for s in reversed(self._kept) if s.step <= step and len(s.run.timeline) <= lines)
        return next(fitting, None)

    def along(self, run: Run, step: int) -> "Trail":
        """What of it lies on this run, up to this step."""
        return Trail(s for s in self._kept if s.step <= step and _begins(run, s.run))

    def _too_many(self) -> bool:
        size = sum(len(snapshot.data) for snapshot in self._kept)
        return len(self._kept) > limits.TRAIL_SNAPSHOTS or size > limits.TRAIL_BYTES

    def _most_dispensable(self) -> int:
        """Between whose neighbours the least has to be trained again; never the last."""
        steps = [0, *(snapshot.step for snapshot in self._kept)]
        gaps = [after - before for before, after in zip(steps, steps[2:], strict=False)]
        return gaps.index(min(gaps))


def _place(snapshot: Snapshot) -> tuple[int, int]:
    return snapshot.step, len(snapshot.run.timeline)


def _begins(run: Run, part: Run) -> bool:
    return part.config == run.config and part.timeline == run.timeline[: len(part.timeline)]


def way(
    run: Run, trail: Trail, tables: Mapping[str, Table], ahead: Iterable[TimelineEntry] = ()
) -> tuple[dict[str, Any], Arrays]:
    """How a worker gets to where a run is, and what comes then: fields of `Open` or `Seek`, and arrays."""
    saved = trail.last
    done = len(saved.run.timeline) if saved else 0
    headers, arrays = pack(tables)
    timeline = [*run.timeline[done:], *ahead]
    fields = {"config": run.config, "timeline": timeline, "done": done, "tables": headers}
    return fields, {**arrays, "snapshot": as_array(saved.data)} if saved else arrays
