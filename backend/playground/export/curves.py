"""The curves of a run: as a table, and as a file of events for TensorBoard."""

import csv
import io
import tempfile
from pathlib import Path

from playground.export.taken import Taken

STEP = "step"


def history_csv(taken: Taken) -> bytes:
    """A line for each point of the curves; empty where there is no number."""
    return _csv(list(taken.history), zip(*taken.history.values(), strict=True))


def data_csv(taken: Taken) -> bytes:
    """A line for each point: its inputs, what there is to learn of it, and whether it is trained or tested
    on. Inputs that were scaled are in the units of their file again."""
    dataset, task = taken.dataset, taken.dataset.task
    targets = list(task.target_names) or [task.target_name or "target"]
    rows = []
    for part, inputs, wanted in (
        ("train", dataset.train_inputs, dataset.train_targets),
        ("test", dataset.test_inputs, dataset.test_targets),
    ):
        for x, y in zip(inputs.tolist(), wanted.tolist(), strict=True):
            values = y if isinstance(y, list) else [task.class_labels[int(y)] if task.class_labels else y]
            rows.append([*_in_units(x, task.input_ranges), *values, part])
    return _csv([*task.input_names, *targets, "part"], rows)


def _in_units(x: list[float], ranges: tuple[tuple[float, float], ...] | None) -> list[float]:
    if ranges is None:
        return x
    return [low + (high - low) * (value + 6) / 12 for value, (low, high) in zip(x, ranges, strict=True)]


def _csv(names: list[str], rows: object) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)  # pyright: ignore[reportArgumentType]
    return text.getvalue().encode()


def tensorboard(taken: Taken) -> bytes:
    """A file of events, which TensorBoard reads: each curve by its name."""
    # Only here: nothing else needs it. Its messages are made as it is imported.
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboardX.record_writer import RecordWriter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        writer = RecordWriter(str(path))
        writer.write(Event(wall_time=0, file_version="brain.Event:2").SerializeToString())
        for row, step in enumerate(taken.history.get(STEP, [])):
            values = [
                Summary.Value(tag=_tag(name), simple_value=column[row])
                for name, column in taken.history.items()
                if name not in ("index", STEP) and column[row] is not None
            ]
            event = Event(wall_time=row, step=int(step or 0), summary=Summary(value=values))
            writer.write(event.SerializeToString())
        writer.close()
        return path.read_bytes()


def _tag(name: str) -> str:
    """Curves that belong together stand together: `loss/train`, `grad_norm/0`."""
    part, _, what = name.partition("_")
    if part in ("train", "test"):
        return f"{what}/{part}"
    return name.replace(".", "/")
