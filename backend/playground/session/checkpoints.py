"""Moments of a session to go back to: before a change that loses something, a reset, a divergence."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from playground import limits
from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.messages.codec import Arrays
from playground.messages.events import Moment
from playground.messages.worker import Earlier
from playground.run.config import Config
from playground.run.run import Run
from playground.session.history import History


@dataclass(frozen=True)
class Checkpoint:
    """A session as it was."""

    moment: Moment
    run: Run
    config: Config
    history: History
    snapshot: bytes
    before_reset: Moment | None


class Checkpoints:
    """At most `limits.CHECKPOINTS`, of `limits.CHECKPOINT_BYTES` together; the last one stays in any case."""

    def __init__(
        self,
        kept: Iterable[Checkpoint] = (),
        before_reset: Moment | None = None,
        undone: Iterable[Moment] = (),
        last: int = 0,
    ):
        self.before_reset = before_reset
        """The end of the run before this one, if a reset began it."""
        self.undone = list(undone)
        """Where the session was each time that it went back, until something is changed."""
        self.last = last
        """Number of the newest, whether it is still kept or not."""
        self._kept = OrderedDict((checkpoint.moment.checkpoint, checkpoint) for checkpoint in kept)

    @property
    def before_undo(self) -> Moment | None:
        """Where the session was before it last went back."""
        return self.undone[-1] if self.undone else None

    def keep(self, earlier: Earlier | None, arrays: Arrays, run: Run, history: History) -> Moment | None:
        """The earlier moment of this run that an event tells of, to go back to."""
        if earlier is None:
            return None
        self.last += 1
        moment = Moment(checkpoint=self.last, step=earlier.step, epoch=earlier.epoch)
        self._kept[self.last] = Checkpoint(
            moment,
            Run(run.config, run.timeline[: earlier.done]),
            earlier.config,
            history.copy(history.run, before=earlier.samples),
            arrays["earlier"].tobytes(),
            self.before_reset,
        )
        while len(self._kept) > 1 and self._too_many():
            self._kept.popitem(last=False)
        return moment

    def named_in(self, run: Run) -> "Checkpoints":
        """Those that lines of this run name, for another session that goes on from it."""
        other = Checkpoints()
        named = {entry.checkpoint for entry in run.timeline}
        other._kept.update((number, kept) for number, kept in self._kept.items() if number in named)
        other.last = self.last
        return other

    def newest(self, count: int) -> dict[int, Checkpoint]:
        """The last so many, by number."""
        return dict(list(self._kept.items())[-count:])

    def get(self, number: int) -> Checkpoint:
        """Raises `ValidationFailed` for one that is not kept."""
        if number not in self._kept:
            kept = tuple(map(str, self._kept))
            raise ValidationFailed(fault("checkpoint", say("rule.no_checkpoint", kept=kept), kept))
        return self._kept[number]

    def changed(self) -> None:
        """What was undone does not come back."""
        self.undone.clear()

    def reset(self, end: Moment | None) -> None:
        """A new run has begun; `end` is where the last one was."""
        self.before_reset = end
        self.undone.clear()

    def went_back(self, to: Checkpoint, left: Moment | None) -> None:
        """The session is at an earlier moment; `left` is where it was."""
        if to.moment == self.before_undo:
            self.undone.pop()
        elif left:
            self.undone.append(left)
        self.before_reset = to.before_reset

    def _too_many(self) -> bool:
        size = sum(len(checkpoint.snapshot) for checkpoint in self._kept.values())
        return len(self._kept) > limits.CHECKPOINTS or size > limits.CHECKPOINT_BYTES
