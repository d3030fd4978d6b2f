"""What a network is made of: its layers, their shapes and how many parameters they have, as a table."""

from pydantic import Field

from playground.catalogue.component import Task
from playground.catalogue.normalizations import NoNormalization
from playground.catalogue.shortcuts import NoShortcut
from playground.i18n import Text
from playground.run import freezing
from playground.run.config import Config
from playground.run.description import Description
from playground.run.layers import LayerShape, layers_of, size_of

HEADINGS = ("Layer", "Made of", "Output shape", "Parameters", "Trainable", "Not trainable")
COUNTS = ("parameters", "trainable", "not_trainable", "frozen")
GAP = "  "


class LayerSummary(Description):
    """One layer."""

    inputs: int = Field(examples=[2])
    """Numbers that each unit gets."""
    output: list[int | None] = Field(examples=[[None, 4]])
    """The shape of what it puts out; null is the batch, of any size."""
    made_of: list[Text] = Field(
        examples=[[{"code": "catalogue.tanh", "values": {}, "text": "Tanh"}]],
    )
    """What comes after the sums, normalisation and activation, and its shortcut."""
    dropout: float = Field(examples=[0.0])
    """Share of the units that is silenced in each training step."""
    parameters: int = Field(examples=[12])
    """All numbers that it keeps."""
    trainable: int = Field(examples=[12])
    """Those that the optimizer changes."""
    not_trainable: int = Field(examples=[0])
    """The others: frozen ones, and running statistics of a normalisation."""
    frozen: int = Field(examples=[0])
    """Parameters among them that could be trained."""


class Summary(Description):
    """The layers from the first hidden one to the output, and the sums over all of them."""

    layers: list[LayerSummary]
    """A row for each."""
    parameters: int = Field(examples=[25])
    """All numbers that the network keeps."""
    trainable: int = Field(examples=[25])
    """Those that the optimizer changes."""
    not_trainable: int = Field(examples=[0])
    """The others."""
    frozen: int = Field(examples=[0])
    """Parameters among them that could be trained."""

    def __str__(self) -> str:
        last = len(self.layers) - 1
        rows = [
            (
                "Output" if index == last else f"Hidden {index + 1}",
                _made_of(layer),
                f"(batch, {layer.output[-1]})",
                *_counts(layer),
            )
            for index, layer in enumerate(self.layers)
        ]
        table = [HEADINGS, *rows, ("Total", "", "", *_counts(self))]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [_line(row, widths) for row in table]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], ""])


def summary(config: Config, task: Task) -> Summary:
    shapes = layers_of(config, task)
    trained = (int(layer.sum()) for layer in freezing.trained(config, shapes))
    layers = [_layer(shape, count) for shape, count in zip(shapes, trained, strict=True)]
    sums = {name: sum(getattr(layer, name) for layer in layers) for name in COUNTS}
    return Summary(layers=layers, **sums)


def _layer(shape: LayerShape, trainable: int) -> LayerSummary:
    frozen = size_of(shape.parameters) - trainable
    others = frozen + size_of(shape.buffers)
    normalized = [] if isinstance(shape.normalization, NoNormalization) else [shape.normalization]
    shortcuts = [] if isinstance(shape.shortcut, NoShortcut) else [shape.shortcut]
    return LayerSummary(
        inputs=shape.inputs,
        output=[None, shape.width],
        made_of=[component.named() for component in (*normalized, shape.activation, *shortcuts)],
        dropout=shape.dropout,
        parameters=trainable + others,
        trainable=trainable,
        not_trainable=others,
        frozen=frozen,
    )


def _made_of(layer: LayerSummary) -> str:
    dropped = [f"dropout {layer.dropout:g}"] if layer.dropout else []
    return ", ".join([*(part.text for part in layer.made_of), *dropped])


def _counts(part: LayerSummary | Summary) -> tuple[str, str, str]:
    return f"{part.parameters:,}", f"{part.trainable:,}", f"{part.not_trainable:,}"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """Words to the left, numbers to the right."""
    words = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
    return GAP.join([*words, *numbers])
