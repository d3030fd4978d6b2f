"""What optimizers remember of each weight."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Slot:
    """A number for each weight, zero at first."""

    name: str
    label: str
    symbol: str
    """In the formula of the optimizer, LaTeX."""
    help: str

    @property
    def code(self) -> str:
        """The key of its label in the translations."""
        return f"slot.{self.name}"

    def as_(self, symbol: str) -> "Slot":
        """The same in a formula that calls it otherwise."""
        return replace(self, symbol=symbol)


VELOCITY = Slot(
    "velocity",
    "Velocity",
    "v",
    "Past gradients added up, each fading a little at every step: what keeps the weight rolling",
)
SUM_OF_SQUARES = Slot(
    "sum_of_squares",
    "Sum of squared gradients",
    "s",
    "It only grows, so that the steps of this weight only shrink",
)
FIRST_MOMENT = Slot(
    "first_moment", "First moment", "m", "Running mean of the gradient: where it points for most of the time"
)
SECOND_MOMENT = Slot(
    "second_moment",
    "Second moment",
    "v",
    "Running mean of the squared gradient: the larger it is, the shorter the steps of this weight",
)
LARGEST_SECOND_MOMENT = Slot(
    "largest_second_moment",
    "Largest second moment",
    r"\hat v",
    "The largest that the second moment has been, by which steps are divided",
)
LARGEST_GRADIENT = Slot(
    "largest_gradient",
    "Largest gradient",
    "u",
    "The largest size of recent gradients, which fades slowly; steps are divided by it",
)
SQUARED_STEPS = Slot(
    "squared_steps", "Mean squared step", "d", "Running mean of the squared steps: how far the next may go"
)
FILLED = Slot(
    "filled",
    "Filled share",
    r"1 - \prod \mu",
    "How much of the first moment is filled; until it is 1, steps make up for its start at zero",
)
LAST_GRADIENT = Slot(
    "last_gradient",
    "Last gradient",
    r"g_{\text{old}}",
    "Its sign is compared with the next one's; 0 after a turn",
)
STEP_SIZE = Slot(
    "step_size",
    "Step size",
    r"\Delta",
    "How far this weight goes in a step, however large the gradient",
)
