"""Networks that train side by side, each with numbers of its own: the rows of a stack of a sweep."""

from collections.abc import Sequence
from dataclasses import dataclass

from playground.run.config import Config
from playground.run.validation import Tables
from playground.training.divergence import Diverged
from playground.training.evaluation import Samples
from playground.training.loop import TRAINERS, TrainingLoop
from playground.training.trainer import Trainer


@dataclass(frozen=True)
class Measured:
    """How the training of rows is counted, and how often it is measured."""

    by_epochs: bool
    """In epochs, or else in steps."""
    every: int
    """So many of them lie between two points of the history."""


class Row:
    """One network: how far it trains, and what has been measured on its way.

    It trains as its config would alone, whatever becomes of the rows beside it.
    """

    def __init__(self, loop: TrainingLoop, measured: Measured):
        self.loop = loop
        self.diverged: Diverged | None = None
        self.stopped = False
        """Whether early stopping has ended it."""
        self._unit = loop.experiment.steps_per_epoch if measured.by_epochs else 1
        self._stride = measured.every * self._unit
        self._until = 0
        self._samples = self._record()

    @property
    def over(self) -> bool:
        """Whether it goes no further, however far it may."""
        return self.stopped or self.diverged is not None

    @property
    def due(self) -> bool:
        """Whether it has steps to take."""
        return not self.over and self.loop.state.step < self._until

    def go_on(self, until: int) -> None:
        """It may train up to this epoch, or step."""
        self._until = until * self._unit

    def train(self, deadline: float | None = None) -> None:
        """Some of its steps; all of them without a deadline. The last of all is measured."""
        state = self.loop.state
        try:
            self._samples += self.loop.train(self._until - state.step, deadline)
        except Diverged as diverged:
            self._samples += diverged.samples
            self.diverged = diverged
            return
        self.stopped = self.loop.stopped
        step = self.loop.state.step
        if not self.due and not (len(self._samples) and self._samples.column("step")[-1] == step):
            self._samples += self._record()

    def take(self) -> Samples:
        """What has been measured since the last time."""
        taken = self._samples
        self._samples = Samples(taken.columns, taken.table[:, :0])
        return taken

    def _record(self) -> Samples:
        samples = self.loop.record()
        self.loop.state.stride = self._stride
        return samples


class Rows:
    """Makes networks that share what they have alike, as their data."""

    def __init__(
        self,
        measured: Measured,
        tables: Tables | None = None,
        device: str = "cpu",
        trainers: Sequence[type[Trainer]] = TRAINERS,
    ):
        self._measured, self._tables, self._device, self._trainers = measured, tables, device, trainers
        self._beside: dict[object, TrainingLoop] = {}

    def begin(self, config: Config, seed: int) -> Row:
        """A network that is not trained yet. The seed is that of its weights, mini-batches and dropout; the
        points are those of the config's own."""
        data = config.data, config.augmentation, config.seed
        beside = self._beside.get(data)
        loop = TrainingLoop.start(config, self._tables, self._device, (seed,), self._trainers, beside)
        self._beside[data] = loop
        return Row(loop, self._measured)
