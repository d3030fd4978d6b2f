"""A run: a config, and the changes that were made to it while it trained."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from playground.catalogue.component import FROZEN
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say
from playground.run.config import Config
from playground.run.patch import merged
from playground.run.validation import Tables, parse
from playground.run.weights import WeightsEdit


def _without_code(texts: Any) -> Any:
    """Timelines that were saved before texts had codes hold plain English."""
    if isinstance(texts, str):
        texts = [texts] if texts else []
    if isinstance(texts, list):
        return [say("plain", text=text) if isinstance(text, str) else text for text in texts]
    return texts


Texts = Annotated[list[Text], BeforeValidator(_without_code)]
EXAMPLE_EFFECT = [{"code": "effect.kept", "values": {}, "text": "Weights and optimizer state are kept."}]
EXAMPLE_LABEL = [{"code": "catalogue.momentum", "values": {}, "text": "Momentum"}]


class Best(BaseModel):
    """The moment at which the test loss was least, whose weights early stopping took back."""

    model_config = FROZEN
    step: int = Field(ge=0, examples=[600])
    """Optimizer updates up to it."""
    epoch: float = Field(examples=[24.0])
    """Passes over the training set up to it."""
    loss: float = Field(examples=[0.21])
    """The test loss of then."""


class TimelineEntry(BaseModel):
    """One line of a timeline: what changed at a step, in words and as a patch, and how to undo it."""

    model_config = FROZEN
    step: int = Field(ge=0, examples=[1200])
    """It took effect after this many steps of the run."""
    epoch: float = Field(default=0.0, examples=[48.0])
    """The same moment in passes over the training set."""
    change: dict[str, Any] = Field(default={}, examples=[{"optimizer": {"lr": 0.1}}])
    """The merge patch of the config; empty where weights were edited by hand."""
    undo: dict[str, Any] = Field(default={}, examples=[{"optimizer": {"lr": 0.03}}])
    """The merge patch that takes it back."""
    effect: Texts = Field(default=[], examples=[EXAMPLE_EFFECT])
    """What it did to the weights and to the optimizer's state."""
    label: Texts = Field(default=[], examples=[EXAMPLE_LABEL])
    """A few words for the mark on a curve, in parts."""
    weights: WeightsEdit | None = Field(default=None, examples=[None])
    """The weights that were set by hand, if it was that."""
    best: Best | None = Field(default=None, examples=[None])
    """If early stopping ended the training here: what it took back. Nobody did that, so a run that is played
    again does it by itself."""
    checkpoint: int | None = Field(default=None, examples=[3])
    """The moment before it, where no other change would bring that back: `restore` does. It means something
    to the session that wrote it, while the moment is kept."""


@dataclass(frozen=True)
class Transition:
    """A line of a timeline, and the config before and after it."""

    entry: TimelineEntry
    before: Config
    after: Config


@dataclass(frozen=True)
class Run:
    """Config and timeline. The same run on the same kind of device gives the same history, bit for bit."""

    config: Config
    timeline: tuple[TimelineEntry, ...] = ()

    def replay(self, tables: Tables, until: int | None = None) -> Iterator[Transition]:
        """Follow the timeline line by line, up to and with those of step `until`.

        Raises ValidationFailed, naming the line, for one that does not fit what the lines before it leave.
        """
        config, last = self.config, 0
        for index, entry in enumerate(self.timeline):
            if until is not None and entry.step > until:
                return
            if entry.step < last:
                raise ValidationFailed(fault(f"timeline.{index}.step", say("rule.timeline_order")))
            last = entry.step
            if entry.best:  # it follows from the config
                continue
            try:
                after = parse(merged(config, entry.change), tables, config) if entry.change else config
            except ValidationFailed as error:
                raise ValidationFailed(*(e.below(f"timeline.{index}") for e in error.errors)) from None
            yield Transition(entry, config, after)
            config = after

    def followed_by(self, entry: TimelineEntry) -> "Run":
        """The run with one more line."""
        return Run(self.config, (*self.timeline, entry))
