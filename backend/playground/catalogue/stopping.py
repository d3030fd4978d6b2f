"""When training ends by itself."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field

from playground.catalogue.component import Component


@dataclass(frozen=True)
class Waiting:
    """What `EarlyStopping` has seen; the run keeps it."""

    loss: float | None = None
    """The least test loss; none before the first finite one."""
    step: int = 0
    """When that was."""
    epoch: float = 0.0
    waited: int = 0
    """Epochs since then, or since training went on after a stop."""
    over: bool = False
    """Whether patience has run out, and training has not gone on since."""

    def going_on(self) -> "Waiting":
        """Patience begins anew; the best stays the best."""
        return replace(self, waited=0, over=False) if self.over else self


class Stopping(Component):
    """What ends the training but the visitor."""

    tests: ClassVar[bool] = False
    """Whether it needs points to test with."""


class NoStopping(Stopping):
    """Training goes on until somebody pauses it."""

    kind: Literal["no_stopping"] = "no_stopping"
    label: ClassVar[str] = "Never"
    effect: ClassVar[str] = "effect.to_no_stopping"
    formula: ClassVar[str] = r"t = 0, 1, 2, \ldots"


class EarlyStopping(Stopping):
    """Stops when the test loss has not fallen for a while, and takes the weights back with which it was least
    (Prechelt, 1998). So a network ends where it knew the most about points that it had not seen. The test
    points have chosen the moment, so they are no longer a fair exam."""

    kind: Literal["early_stopping"] = "early_stopping"
    label: ClassVar[str] = "Early stopping"
    effect: ClassVar[str] = "effect.to_early_stopping"
    formula: ClassVar[str] = (
        r"\text{stop after } p \text{ epochs without } L_{\text{test}} < L_{\text{best}} - \delta,"
        r"\quad w \leftarrow w_{\text{best}}"
    )
    tests: ClassVar[bool] = True
    patience: int = Field(
        default=20,
        ge=1,
        le=100_000,
        title="Patience p",
        description="So many epochs in a row without progress end it",
        json_schema_extra={"scale": "log"},
    )
    min_delta: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="Least progress δ",
        description="The test loss has to fall by more than this to count as progress",
        json_schema_extra={"scale": "log"},
    )

    def look(self, seen: Waiting, loss: float, step: int, epoch: float) -> Waiting:
        """After an epoch with this test loss. One that is no number, or infinite, is no progress."""
        if loss < (float("inf") if seen.loss is None else seen.loss - self.min_delta):
            return Waiting(loss, step, epoch)
        if seen.loss is None:
            return seen
        return replace(seen, waited=seen.waited + 1, over=seen.waited + 1 >= self.patience)
