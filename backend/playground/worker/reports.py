"""What a live run tells its session: answers, points of the history, the data, frames, snapshots."""

from collections.abc import Callable, Mapping
from typing import Any

from playground.i18n import Text
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.events import TaskDescription
from playground.messages.headers import DataHeader, FrameHeader, LayerSize, MetricsHeader
from playground.messages.worker import Event, Size, as_array
from playground.training.evaluation import Samples
from playground.training.loop import TrainingLoop
from playground.training.views import Views, data_view
from playground.worker import snapshot

Send = Callable[[Event, Arrays, int], None]
"""Sends an event, with its arrays, as the answer to a request or to none, 0."""


class Reports:
    """Of one run at a time; `frame` is the number of the last frame of the session."""

    def __init__(
        self, send: Send, loop: TrainingLoop, run: int, frame: int, held: Mapping[str, float] | None = None
    ):
        self.run = run
        """Its number; a reset begins the next."""
        self._send = send
        self._frame = frame
        self._loop = loop
        self._views = Views(loop, held)

    def next_run(self, loop: TrainingLoop) -> None:
        self.run += 1
        self._loop, self._views = loop, Views(loop, self._views.held)

    def hold(self, held: Mapping[str, float]) -> None:
        """The maps hold these inputs so from now on. Raises `ValidationFailed`."""
        self._views.hold(held)

    @property
    def task(self) -> TaskDescription:
        return TaskDescription.of(self._loop.experiment.dataset)

    @property
    def _moment(self) -> dict[str, Any]:
        return {"step": self._loop.state.step, "epoch": self._loop.progress}

    def answer(self, request: int, arrays: Arrays | None = None, **result: Any) -> None:
        self._send(messages.Answer(**self._moment, **result), arrays or {}, request)

    def metrics(self, request: int, **result: Any) -> None:
        """Answers with the metrics of this moment."""
        self.answer(request, metrics=self._loop.measure()[0].named(), **result)

    def maps(self, request: int, size: int) -> None:
        self.answer(request, self._views.raw(size))

    def failed(self, request: int, detail: str) -> None:
        """After a failure that nobody foresaw; whoever waits for the request is told, too."""
        if request:
            self._send(messages.Failed(detail=detail), {}, request)
        self.tell(messages.SessionFailed(detail=detail))

    def tell(self, event: Event, arrays: Arrays | None = None) -> None:
        """An event that answers no request."""
        self._send(event, arrays or {}, 0)

    def applied(self, index: int, effect: list[Text], task: TaskDescription | None) -> None:
        """Line `index` of the recorded timeline."""
        self.tell(messages.Applied(index=index, effect=effect, task=task, **self._moment))

    def data(self) -> None:
        features, arrays = data_view(self._loop.experiment.dataset)
        header = DataHeader(run=self.run, task=self.task, features=features)
        self.tell(messages.Data(), {"message": as_array(header.encode(arrays))})

    def samples(self, samples: Samples) -> None:
        if samples:
            stride, columns = self._loop.state.stride, list(samples.columns)
            event = messages.Samples(run=self.run, stride=stride, columns=columns)
            self.tell(event, {"samples": samples.rows})

    def frame(self, size: Size) -> tuple[messages.Frame, Arrays]:
        """A frame for the browser, and the metrics of the same moment."""
        loop = self._loop
        samples, evaluation = loop.measure()
        arrays = self._views.frame(evaluation, size.neurons, size.output)
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

    def snapshot(self, done: int) -> tuple[messages.Snapshot, Arrays]:
        """After `done` lines of the timeline."""
        data = snapshot.save(self._loop)
        event = messages.Snapshot(run=self.run, done=done, **self._moment)
        return event, {"snapshot": as_array(data)}
