"""Weights as people read and write them: JSON, a row for each input."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    with_config,
)
from typing_extensions import TypedDict

from playground import limits
from playground.catalogue.activations import Activation
from playground.catalogue.component import FROZEN, members
from playground.catalogue.normalizations import Normalization
from playground.errors import broken
from playground.i18n import say


def _numbers(value: list[Any]) -> list[Any]:
    """Refuses what is no finite, rectangular array of numbers; the trainer judges shapes."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise broken(say("rule.rows_differ")) from None
    if array.dtype.kind not in "fiu":
        raise broken(say("rule.numbers_only"))
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise broken(say("rule.float32_only"))
    return value


_NUMBERS = {"type": "array", "items": {"type": "number"}}
Row = Annotated[list[Any], AfterValidator(_numbers), WithJsonSchema(_NUMBERS)]
Rows = Annotated[list[Any], AfterValidator(_numbers), WithJsonSchema({"type": "array", "items": _NUMBERS})]


def _layer_weights() -> Any:
    """What a layer may have: parameters and running statistics of all that it may be composed of."""
    rows = {
        "weight": Annotated[
            Rows,
            Field(
                description="A row for each input, a column for each unit; with a dense shortcut"
                " the inputs are the features, then the units of all layers before"
            ),
        ],
        "bias": Annotated[Row, Field(description="A number for each unit")],
    }
    for normalization in members(Normalization):
        for name in normalization.parameters:
            rows[name] = Annotated[Row, Field(description=f"{name} of the normalisation, of each unit")]
        for name in normalization.buffers:
            rows[f"running_{name}"] = Annotated[Row, Field(description=f"Running {name} of each unit")]
    for activation in members(Activation):
        for name in activation.learned:
            rows[name] = Annotated[Row, Field(description=f"{activation.label}: {name}")]
    weights = TypedDict("LayerWeights", rows, total=False)  # pyright: ignore
    weights.__doc__ = "Weights of one layer; in an edit, what is left out keeps its value."
    return with_config(ConfigDict(extra="forbid"))(weights)


if TYPE_CHECKING:
    LayerWeights: TypeAlias = dict[str, list[Any]]
else:
    LayerWeights = _layer_weights()


class OneWeight(BaseModel):
    """One edge, or the bias of a unit where `source` is null. Layers count from 0, the output is the last."""

    model_config = FROZEN
    layer: int = Field(ge=0)
    """The layer that the edge leads to."""
    source: int | None = Field(ge=0)
    """The input of that layer; null for the bias."""
    unit: int = Field(ge=0)
    """The unit of that layer."""
    value: float
    """The new value."""


class AllWeights(BaseModel):
    """Weights of the whole network, from the first hidden layer to the output."""

    # Of a layer, not everything is there.
    model_config = {**FROZEN, "json_schema_serialization_defaults_required": False}
    layers: list[LayerWeights] = Field(max_length=limits.HIDDEN_LAYERS + 1)
    """One for each layer."""


def _form(edit: Any) -> str | None:
    if isinstance(edit, Mapping):
        return "all" if "layers" in edit else "one"
    return {AllWeights: "all", OneWeight: "one"}.get(type(edit))


WeightsEdit = Annotated[
    Annotated[OneWeight, Tag("one")] | Annotated[AllWeights, Tag("all")],
    Discriminator(
        _form,
        custom_error_type="weights_edit",
        custom_error_message="neither one weight nor all",
    ),
]
"""Weights set by hand."""
