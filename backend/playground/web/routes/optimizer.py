"""What the optimizer of a session knows of each weight, and what it will do next."""

import math
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import Field

from playground.messages import worker as messages
from playground.web.json_stream import stream_json
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import SEEN
from playground.web.routes.shape import Shape

Number = float | None
OWN = ("value", "gradient", "next_step", "effective_rate", "learning_rate")


class OptimizerState(Shape):
    """At this moment."""

    step: int = Field(examples=[1200])
    """Optimizer updates so far."""
    optimizer: str = Field(examples=["momentum"])
    """Its kind."""
    learning_rate: Number = Field(examples=[0.03])
    """Of the next step, as the schedule says."""


class AllWeightsState(OptimizerState):
    """Of all weights."""

    layers: list[dict[str, dict[str, Any]]] = Field(
        examples=[
            [
                {
                    "bias": {
                        "value": [0.5],
                        "gradient": [0.02],
                        "velocity": [0.1],
                        "next_step": [-0.0033],
                        "effective_rate": [0.165],
                    }
                }
            ]
        ]
    )
    """From the first hidden layer to the output, by the name of a parameter, by quantity: `value`; `gradient`
    of the next mini-batch, before clipping; what the optimizer remembers, by the names of its `slots` in the
    catalogue; `next_step`, what it will change the weight by; `effective_rate`, |next step| / |gradient|,
    null where there is no gradient. Numbers in the shape of the parameter, as in `/weights`."""


class WeightState(OptimizerState):
    """Of one weight."""

    value: Number = Field(examples=[0.5])
    """The weight itself."""
    gradient: Number = Field(examples=[0.02])
    """Of the loss of the next mini-batch, with L1 and L2, before clipping; 0 of what is frozen."""
    next_step: Number = Field(examples=[-0.0033])
    """What the next update will change it by."""
    effective_rate: Number = Field(examples=[0.165])
    """|next step| / |gradient|; null where there is no gradient."""
    slots: dict[str, Number] = Field(examples=[{"velocity": 0.1}])
    """What the optimizer remembers of it, by the names of its `slots` in the catalogue."""


router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.get(
    "/{id}/optimizer",
    response_model=AllWeightsState,
    response_description="The state of the optimizer",
    responses=SEEN,
)
async def optimizer(session: Watched) -> Response:
    """What the optimizer remembers of each weight, and the step that it will take next."""
    kind = session.config.optimizer.kind
    answer, arrays = await session.read(messages.ReadOptimizer())
    layers: dict[int, dict[str, dict[str, np.ndarray]]] = {}
    for path, numbers in arrays.items():
        if "." in path:
            layer, parameter, quantity = path.split(".")
            layers.setdefault(int(layer), {}).setdefault(parameter, {})[quantity] = numbers
    return stream_json(
        {
            "step": answer.step,
            "optimizer": kind,
            "learning_rate": _number(arrays["learning_rate"]),
            "layers": [layers[index] for index in sorted(layers)],
        }
    )


@router.get(
    "/{id}/optimizer/weight",
    response_description="The state of the optimizer for it",
    responses=SEEN,
)
async def optimizer_of_weight(
    session: Watched,
    layer: Annotated[int, Query(ge=0, description="The layer that the edge leads to, from 0", examples=[0])],
    unit: Annotated[int, Query(ge=0, description="The unit of that layer", examples=[0])],
    source: Annotated[
        int | None, Query(ge=0, description="The input of that layer; without it, the bias", examples=[1])
    ] = None,
) -> WeightState:
    """The same of one weight or bias."""
    kind = session.config.optimizer.kind
    answer, arrays = await session.read(messages.ReadOptimizer(weight=(layer, source, unit)))
    numbers = {name: _number(value) for name, value in arrays.items()}
    own = {name: numbers.pop(name) for name in OWN}
    return WeightState(step=answer.step, optimizer=kind, slots=numbers, **own)


def _number(value: np.ndarray) -> Number:
    return float(value[0]) if math.isfinite(value[0]) else None
