"""A change in a few words, for the mark on a curve."""

from typing import Any

from pydantic import BaseModel

from playground.catalogue.component import Component
from playground.catalogue.normalizations import NoNormalization
from playground.run.config import Config, Layer

SHORT = {"train_fraction": "training share", "test_points": "test points"}
PARTS = frozenset({"data", "loss", "optimizer", "init", "output", "hidden", "features", "version"})
LONGEST = 60


def label(before: Config, after: Config) -> str:
    """As in "Adam", "learning rate 0.1", "layer 2: ReLU", "+1 neuron"; empty if nothing differs."""
    words = [*_components(before, after), *_layers(before, after), *_scalars(before, after)]
    text = ", ".join(words)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip(", ") + "…"


def _components(before: Config, after: Config) -> list[str]:
    words = []
    for name in ("data", "loss", "optimizer", "init"):
        old, new = getattr(before, name), getattr(after, name)
        if old.kind != new.kind:
            words.append(_shown(name, new))
        else:
            words += _parameters(old, new)
    if before.output != after.output:
        words.append(f"output: {after.output.activation.label}")
    return words


def _layers(before: Config, after: Config) -> list[str]:
    words = []
    old, new = before.hidden, after.hidden
    if len(old) != len(new):
        return [_count(len(new) - len(old), "layer")]
    neurons = sum(layer.width for layer in new) - sum(layer.width for layer in old)
    if neurons:
        words.append(_count(neurons, "neuron"))
    activations = {layer.activation.label for layer in new}
    if all(_refitted(a, b) for a, b in zip(old, new, strict=True)) and len(activations) == 1 and len(new) > 1:
        words.append(f"activation: {activations.pop()}")
        old = tuple(a.model_copy(update={"activation": b.activation}) for a, b in zip(old, new, strict=True))
    for number, (a, b) in enumerate(zip(old, new, strict=True), start=1):
        words += _layer(number, a, b)
    return words


def _refitted(before: Layer, after: Layer) -> bool:
    return before.activation.kind != after.activation.kind


def _layer(number: int, before: Layer, after: Layer) -> list[str]:
    words = []
    if _refitted(before, after):
        words.append(f"layer {number}: {after.activation.label}")
    elif before.activation != after.activation:
        words += [f"layer {number}: {change}" for change in _parameters(before.activation, after.activation)]
    if before.normalization.kind != after.normalization.kind:
        words.append(_normalization(before.normalization, after.normalization) + f", layer {number}")
    if before.dropout != after.dropout:
        words.append(f"dropout {after.dropout:g}, layer {number}")
    return words


def _normalization(before: Component, after: Component) -> str:
    """The one that came on, or the one that went off."""
    if isinstance(after, NoNormalization):
        return f"{before.kind} off"
    return f"{after.kind} on"


def _scalars(before: Config, after: Config) -> list[str]:
    words = []
    if before.features != after.features:
        added = [f"+{name}" for name in after.features if name not in before.features]
        removed = [f"−{name}" for name in before.features if name not in after.features]
        words.append(" ".join(added + removed) or "features reordered")
    return words + _parameters(before, after, but=PARTS)


def _parameters(before: BaseModel, after: BaseModel, but: frozenset[str] = frozenset()) -> list[str]:
    """Fields that differ, by their titles."""
    words = []
    for name, field in type(after).model_fields.items():
        value = getattr(after, name)
        if name not in but and getattr(before, name) != value:
            words.append(_value(SHORT.get(name) or _lower(field.title or name.replace("_", " ")), value))
    return words


def _lower(title: str) -> str:
    """A title inside a sentence; L1 and the like stay as they are."""
    return title if title[1:2].isupper() or title[1:2].isdigit() else title[:1].lower() + title[1:]


def _shown(part: str, component: Component) -> str:
    """A component by its label; where the label alone could be anything, with what it is."""
    return component.label if part in ("data", "optimizer") else f"{part}: {component.label}"


def _value(shown: str, value: Any) -> str:
    match value:
        case None | False:
            return f"{shown} off"
        case True:
            return f"{shown} on"
        case int() | float():
            return f"{shown} {value:g}"
        case list() | tuple():
            return f"{len(value)} {shown}"
        case _:
            return f"{shown}: {value}"


def _count(difference: int, noun: str) -> str:
    sign = "+" if difference > 0 else "−"
    return f"{sign}{abs(difference)} {noun}{'s' if abs(difference) > 1 else ''}"
