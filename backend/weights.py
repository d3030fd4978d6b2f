"""Weights of a layer as people read and write them: JSON, a row for each input."""

from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict


def _numbers(value: list[Any]) -> list[Any]:
    """Raises ValueError for what is no finite, rectangular array of numbers; the trainer judges shapes."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError("its rows differ in length") from None
    if array.dtype.kind not in "fiu":
        raise ValueError("must hold numbers only")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError("must hold finite numbers only, within the range of float32")
    return value


_NUMBERS = {"type": "array", "items": {"type": "number"}}
Row = Annotated[list[Any], AfterValidator(_numbers), WithJsonSchema(_NUMBERS)]
Rows = Annotated[list[Any], AfterValidator(_numbers), WithJsonSchema({"type": "array", "items": _NUMBERS})]


class LayerWeights(TypedDict, total=False):
    """Weights of one layer; in an edit, what is left out keeps its value."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # pyright: ignore[reportGeneralTypeIssues]

    weight: Annotated[Rows, Field(description="A row for each input, a column for each unit")]
    bias: Annotated[Row, Field(description="A number for each unit")]
    gamma: Annotated[Row, Field(description="Scales of the batch normalisation")]
    beta: Annotated[Row, Field(description="Shifts of the batch normalisation")]
    running_mean: Annotated[Row, Field(description="Means that the batch normalisation has seen")]
    running_var: Annotated[Row, Field(description="Variances that the batch normalisation has seen")]
