"""Units of a session that learn nothing, or hardly anything, and those that dropout silenced."""

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from playground.messages import worker as messages
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import SEEN
from playground.web.routes.shape import Shape

SATURATED, DEAD = 1, 2


class LayerUnits(Shape):
    """Of one hidden layer."""

    dead: list[int] = Field(examples=[[3]])
    """Units whose activation has a slope of 0 (less than 1e-6) at every training point: no gradient passes,
    so neither they nor what leads to them can learn."""
    saturated: list[int] = Field(examples=[[0]])
    """Units, other than these, whose slope is less than 5 % of the greatest that the activation has (counted
    as 1 at most) at more than 95 % of the training points."""
    flat_share: list[float] = Field(examples=[[0.97, 0.2, 0.4, 1.0]])
    """Of each unit: at what share of the training points its slope is as little as that."""
    dropped: list[list[int]] | None = Field(examples=[[[1, 0, 0, 0], [0, 0, 1, 0]]])
    """A row for each sample of the last mini-batch: 1 where dropout silenced the unit; null without
    dropout."""


class SessionUnits(Shape):
    """At this moment."""

    step: int = Field(examples=[1200])
    """When they were looked at."""
    layers: list[LayerUnits]
    """From the first hidden layer to the last."""
    inputs_dropped: list[list[int]] | None = Field(examples=[None])
    """As `dropped`, of the features."""


router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.get(
    "/{id}/units",
    response_description="The units",
    responses=SEEN,
)
async def units(session: Watched) -> SessionUnits:
    """Dead and saturated hidden units, over all training points, dropout off; and what dropout silenced in
    the last step."""
    answer, arrays = await session.read(messages.ReadUnits())

    def mask(name: str) -> list[list[int]] | None:
        return arrays[name].tolist() if name in arrays else None

    count = sum(name.endswith(".states") for name in arrays)
    layers = [
        LayerUnits(
            dead=_of_state(arrays[f"{index}.states"], DEAD),
            saturated=_of_state(arrays[f"{index}.states"], SATURATED),
            flat_share=[round(share, 4) for share in arrays[f"{index}.share"].tolist()],
            dropped=mask(f"{index}.mask"),
        )
        for index in range(count)
    ]
    return SessionUnits(step=answer.step, layers=layers, inputs_dropped=mask("inputs.mask"))


def _of_state(states: np.ndarray, state: int) -> list[int]:
    return np.flatnonzero(states == state).tolist()
