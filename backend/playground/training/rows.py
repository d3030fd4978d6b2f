"""Networks that train side by side, each with numbers of its own: the rows of a stack of a sweep."""

from collections.abc import Iterator, Sequence
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


def rows_of(
    networks: Sequence[tuple[Config, int]],
    measured: Measured,
    tables: Tables | None = None,
    device: str = "cpu",
    trainers: Sequence[type[Trainer]] = TRAINERS,
) -> Iterator[Row]:
    """A row for each config and seed, which is that of its weights, mini-batches and dropout; the points are
    those of the config's own seed. What rows have alike, as their data, they share."""
    beside: dict[object, TrainingLoop] = {}
    for config, seed in networks:
        data = config.data, config.augmentation, config.seed
        loop = TrainingLoop.start(config, tables, device, (seed,), trainers, beside.get(data))
        beside[data] = loop
        yield Row(loop, measured)
