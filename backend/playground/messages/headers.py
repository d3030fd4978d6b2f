"""Headers of the binary messages to a browser, and the arrays that come with each."""

from typing import Literal

from pydantic import BaseModel, Field

from playground.catalogue.component import FROZEN
from playground.messages.codec import ArrayHeader, Arrays, encode
from playground.messages.events import TaskDescription


class Header(BaseModel):
    model_config = FROZEN

    arrays: tuple[ArrayHeader, ...] = ()
    """What follows the header; known once the message is encoded."""

    def encode(self, arrays: Arrays) -> bytes:
        told = self.model_dump(mode="json", by_alias=True, exclude={"arrays"})
        return encode({"arrays": (), **told}, arrays)  # in its place, as in the golden files


class LayerSize(BaseModel):
    """A layer of the network, the output included."""

    model_config = FROZEN

    inputs: int
    """Rows of its weights: the features, or the units of the layer before; with a dense shortcut the features
    and then the units of all layers before."""
    width: int
    """Its own units."""


class FrameHeader(Header):
    """What is drawn of one moment: weights, maps of the neurons, the decision map, predictions.

    Where not all neurons have a map, `neurons_index` has the numbers of those that have, counted from the
    first hidden layer on. Where not all of `weight.1` is there, `weight_sources.1` has the numbers of its
    rows and `weight_units.1` those of its columns. At least what the viewer draws is there.
    """

    type: Literal["frame"] = "frame"
    frame: int
    """Its number, to be acknowledged."""
    run: int
    """Counts the resets."""
    step: int
    """Optimizer updates so far."""
    epoch: float
    """Passes over the training set so far."""
    layers: tuple[LayerSize, ...]
    """From the first hidden layer to the output; `weight.0` is of the first."""
    held: tuple[float, ...] = ()
    """At what value each input that is not drawn is held all over the maps, in its own units: all but the
    first two, unless the data message names other axes."""


class AxisHeader(BaseModel):
    """A side of the square."""

    model_config = FROZEN

    input: int | None
    """The input that is drawn, counted from 0; null for a principal component."""
    range: tuple[float, float] | None
    """What -6 and 6 stand for, where that is something else: in the input's own units, or in standard
    deviations."""
    share: float | None = None
    """Of a principal component: its share of the variance of the inputs."""


class DataHeader(Header):
    """The points, and a map of each feature that can be made of them.

    A point x lies on the maps at `projection` x + `projection_offset`, to the right and upwards.
    """

    type: Literal["data"] = "data"
    run: int
    """Counts the resets."""
    task: TaskDescription
    """What there is to learn."""
    features: tuple[str, ...]
    """The names of the features, in the order of `feature_maps`."""
    copies: int = 0
    """So many of the last training points are copies of the others, made by augmentation."""
    axes: tuple[AxisHeader, ...] = ()
    """What the maps are drawn over, to the right and upwards; one where there is only one input."""


class MetricsHeader(Header):
    """Points of the history, each for the steps since the one before.

    `samples` has their means, `low` and `high` their least and greatest values; each is (points, columns)
    float64, NaN where there is no number.
    """

    type: Literal["metrics"] = "metrics"
    run: int
    """Counts the resets."""
    current: bool = False
    """Whether it is one row of the moment of the next frame, which is no point of the history and has neither
    `low` nor `high`. While a large network trains, it is of up to a quarter of a second before, and so are
    the predictions of the frame."""
    stride: int
    """Steps between two points, at most; a point replaces those that the viewer has of the same steps."""
    first: int = Field(serialization_alias="from")
    """Index of the first row."""
    to: int
    """Index of the last row."""
    columns: tuple[str, ...]
    """`index`, `step`, `epoch`, then the metrics by name."""


BinaryHeader = FrameHeader | DataHeader | MetricsHeader
