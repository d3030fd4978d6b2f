"""What a live run tells its session: answers, points of the history, the data, frames, snapshots."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets import Dataset
from playground.catalogue.fourier import Fourier
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.events import Divergence, TaskDescription
from playground.messages.headers import AxisHeader, DataHeader, FrameHeader, LayerSize, MetricsHeader
from playground.messages.worker import Event, as_array
from playground.run.run import Best
from playground.run.selection import Selection, Size
from playground.run.slices import Axes
from playground.training.evaluation import Evaluation, Samples
from playground.training.experiment import Experiment
from playground.training.loop import TrainingLoop
from playground.training.planes import Plane
from playground.training.views import Views, data_view, predictions, shown_features
from playground.training.weights import named_weights
from playground.worker.snapshot import Moment

MEASURED_PRODUCTS = 1e8
"""Multiplications that measuring may cost with each frame of a network that moves."""
MEASURED_EVERY = 0.25
"""Seconds from one to the next where it costs more."""


@dataclass(frozen=True)
class Taken:
    """What came of a change."""

    effect: list[Text]
    task: TaskDescription | None = None
    """The task, if it is another now, or of other data."""
    before: Moment | None = None
    """The moment before it, if no other change would bring that back."""


def packed(moment: Moment | None) -> tuple[messages.Earlier | None, Arrays]:
    """As it rides with a message."""
    return (moment.earlier, {"earlier": as_array(moment.snapshot)}) if moment else (None, {})


def axis_headers(plane: Plane, task: TaskDescription) -> tuple[AxisHeader, ...]:
    """What the sides of the square are."""
    if plane.ends:
        ends = [(-end, end) for end in plane.ends]
        sides = zip(ends, plane.shares, strict=True)
        return tuple(AxisHeader(input=None, range=range, share=share) for range, share in sides)
    ranges = task.input_ranges
    return tuple(AxisHeader(input=c, range=ranges[c] if ranges else None) for c in plane.columns)


@dataclass(frozen=True)
class Measured:
    """What the frames show of the points until another look at them."""

    of: Experiment
    until: float
    samples: Samples
    evaluation: Evaluation


Send = Callable[[Event, Arrays, int], None]
"""Sends an event, with its arrays, as the answer to a request or to none, 0."""


class Reports:
    """Of one run at a time; `frame` is the number of the last frame of the session."""

    def __init__(self, send: Send, loop: TrainingLoop, run: int, frame: int, views: Views):
        self.run = run
        """Its number; a reset begins the next."""
        self._send = send
        self._frame = frame
        self._loop = loop
        self._views = views
        self._shown: tuple[Dataset, Task, tuple[str, ...], Fourier] | None = None
        self._measured: Measured | None = None

    def next_run(self, loop: TrainingLoop) -> None:
        self.run += 1
        self._loop, self._views = loop, Views(loop, self._views.held, self._views.axes)

    def show(self, held: Mapping[str, float], axes: Axes) -> bool:
        """The maps are drawn so from now on; whether they are over others than before. Raises
        `ValidationFailed`."""
        before = self._views.axes
        self._views.show(held, axes)
        return axes != before

    @property
    def task(self) -> TaskDescription:
        return TaskDescription.of(self._loop.experiment.dataset, self._loop.config.loss)

    @property
    def _moment(self) -> dict[str, Any]:
        return {"step": self._loop.state.step, "epoch": self._loop.progress}

    def answer(self, request: int, arrays: Arrays | None = None, **result: Any) -> None:
        self._send(messages.Answer(**self._moment, **result), arrays or {}, request)

    def taken(self, request: int, done: Taken) -> None:
        """Answers with what came of a change, or of the beginning of another run."""
        earlier, arrays = packed(done.before)
        self.answer(request, arrays, effect=done.effect, task=done.task, earlier=earlier)

    def moment(self, request: int, moment: Moment) -> None:
        """Answers with this moment whole, its metrics and weights."""
        earlier, arrays = packed(moment)
        weights = named_weights(self._loop.experiment.network, self._loop.state)
        metrics = self._loop.measure()[0].named()
        self.answer(request, {**arrays, **weights}, earlier=earlier, metrics=metrics)

    def settle(self) -> None:
        """What the next frame says of the units is of its own moment."""
        self._views.units.settle()

    def metrics(self, request: int, **result: Any) -> None:
        """Answers with the metrics of this moment; of classes with `confusion` and `scores` too."""
        samples, evaluated = self._loop.measure()
        found = predictions(self._loop.experiment, evaluated)
        arrays = {name: found[name] for name in ("confusion", "scores") if name in found}
        self.answer(request, arrays, metrics=samples.named(), **result)

    def score_curves(self, request: int) -> None:
        """Answers with the curves of the training points and of the test points; with none for a
        regression."""
        self.answer(request, self._views.score_curves())

    def maps(self, request: int, size: int, axes: Axes | None) -> None:
        """Raises `ValidationFailed` where all maps of this size are more than an answer may hold, and for
        axes that the data do not have."""
        units = self._loop.experiment.network.units
        fits = math.isqrt(limits.MAP_NUMBERS // units)
        if size > fits:
            rule = say("rule.map_cells", limit=limits.MAP_NUMBERS, units=units, fits=fits)
            raise ValidationFailed(fault("size", rule, (fits,)))
        self.answer(request, self._views.raw(size, axes))

    def failed(self, request: int, detail: str) -> None:
        """After a failure that nobody foresaw; whoever waits for the request is told, too."""
        if request:
            self._send(messages.Failed(detail=detail), {}, request)
        self.tell(messages.SessionFailed(detail=detail))

    def tell(self, event: Event, arrays: Arrays | None = None) -> None:
        """An event that answers no request."""
        self._send(event, arrays or {}, 0)

    def applied(self, index: int, done: Taken) -> None:
        """Line `index` of the recorded timeline."""
        earlier, arrays = packed(done.before)
        event = messages.Applied(
            index=index, effect=done.effect, task=done.task, earlier=earlier, **self._moment
        )
        self.tell(event, arrays)

    def stopped_early(self, index: int, best: Best, waited: int, paused: bool) -> None:
        """Line `index` of the timeline: the best weights are back."""
        effect = [say("effect.best_restored", waited=waited, epoch=round(best.epoch))]
        event = messages.Applied(index=index, effect=effect, best=best, paused=paused, **self._moment)
        self.tell(event)

    def data(self) -> None:
        self._shown = self._showable
        plane, dataset = self._views.plane, self._loop.experiment.dataset
        features, arrays = data_view(self._loop.experiment, plane)
        axes = axis_headers(plane, self.task)
        header = DataHeader(run=self.run, task=self.task, features=features, copies=dataset.copies, axes=axes)
        self.tell(messages.Data(), {"message": as_array(header.encode(arrays))})

    def other_data(self) -> None:
        """As `data`, if they, what is to be learned from them, or the features to be shown are others than
        those told last."""
        if self._shown != self._showable:
            self.data()

    @property
    def _showable(self) -> tuple[Dataset, Task, tuple[str, ...], Fourier]:
        experiment = self._loop.experiment
        config = experiment.config
        return experiment.dataset, experiment.task, shown_features(experiment), config.fourier

    def samples(self, samples: Samples) -> None:
        if samples:
            stride, columns = self._loop.state.stride, list(samples.columns)
            event = messages.Samples(run=self.run, stride=stride, columns=columns)
            self.tell(event, {"samples": np.ascontiguousarray(samples.table)})

    def _measure(self, moving: bool) -> tuple[Samples, Evaluation]:
        """Of this moment; of a large network that is `moving`, of one shortly before."""
        experiment, last, now = self._loop.experiment, self._measured, monotonic()
        products = experiment.network.size * experiment.recorded * experiment.all_x.shape[1]
        lasts = moving and products > MEASURED_PRODUCTS
        if last and lasts and last.of is experiment and now < last.until:
            return last.samples, last.evaluation
        samples, evaluation = self._loop.measure()
        self._measured = Measured(experiment, monotonic() + MEASURED_EVERY, samples, evaluation)
        return samples, evaluation

    def frame(self, size: Size, selection: Selection | None, moving: bool) -> tuple[messages.Frame, Arrays]:
        """A frame for the browser, and the metrics that go with it."""
        loop = self._loop
        samples, evaluation = self._measure(moving)
        arrays = self._views.frame(evaluation, size.neurons, size.output, selection, moving)
        layers = tuple(
            LayerSize(inputs=layer.inputs, width=layer.width) for layer in loop.experiment.network.layers
        )
        self._frame += 1
        where = {"run": self.run, **self._moment}
        frame = FrameHeader(frame=self._frame, layers=layers, held=self._views.held_values, **where)
        current = MetricsHeader(
            run=self.run,
            current=True,
            stride=loop.state.stride,
            first=loop.state.samples,
            to=loop.state.samples,
            columns=samples.columns,
        )
        return messages.Frame(size=size, frame=self._frame, **where), {
            "frame": as_array(frame.encode(arrays)),
            "metrics": as_array(current.encode({"samples": samples.rows})),
        }

    def diverged(self, where: Divergence, well: Moment | None) -> None:
        """It is paused; `well` is the moment to go back to."""
        earlier, arrays = packed(well)
        self.tell(messages.Diverged(diverged=where, epoch=self._loop.progress, earlier=earlier), arrays)

    def stuck(self, where: Divergence | None, well: Moment | None) -> None:
        """It learns nothing any more; None: it does again."""
        earlier, arrays = packed(well)
        self.tell(messages.Stuck(stuck=where, earlier=earlier), arrays)

    def snapshot(self, data: bytes, done: int) -> tuple[messages.Snapshot, Arrays]:
        """Of this moment, after `done` lines of the timeline."""
        event = messages.Snapshot(run=self.run, done=done, **self._moment)
        return event, {"snapshot": as_array(data)}
