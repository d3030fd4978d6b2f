"""A change in a few words, for the mark on a curve."""

from typing import Any

from backend.config import Layer, RunConfig

SHOWN_NAMES = {"batch_size": "batch", "clip_norm": "clip", "input_dropout": "input dropout"}
LONGEST = 60


def label(before: RunConfig, after: RunConfig) -> str:
    """As in "optimizer: adam", "lr 0.1", "layer 2: relu", "+1 neuron"; empty if nothing differs."""
    words = [*_components(before, after), *_layers(before, after), *_scalars(before, after)]
    text = ", ".join(words)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip(", ") + "…"


def _components(before: RunConfig, after: RunConfig) -> list[str]:
    words = []
    for name in ("data", "loss", "optimizer", "init"):
        old, new = getattr(before, name), getattr(after, name)
        if old.kind != new.kind:
            words.append(f"{name}: {new.kind}")
        else:
            words += _parameters(old.model_dump(), new.model_dump())
    if before.output != after.output:
        words.append(f"output: {after.output.activation.kind}")
    return words


def _layers(before: RunConfig, after: RunConfig) -> list[str]:
    words = []
    old, new = before.hidden, after.hidden
    if len(old) != len(new):
        return [_count(len(new) - len(old), "layer")]
    neurons = sum(layer.width for layer in new) - sum(layer.width for layer in old)
    if neurons:
        words.append(_count(neurons, "neuron"))
    activations = {layer.activation.kind for layer in new}
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
        words.append(f"layer {number}: {after.activation.kind}")
    elif before.activation != after.activation:
        changes = _parameters(before.activation.model_dump(), after.activation.model_dump())
        words += [f"layer {number}: {change}" for change in changes]
    if before.batchnorm != after.batchnorm:
        words.append(f"batchnorm {'on' if after.batchnorm else 'off'}, layer {number}")
    if before.dropout != after.dropout:
        words.append(f"dropout {after.dropout:g}, layer {number}")
    return words


def _scalars(before: RunConfig, after: RunConfig) -> list[str]:
    words = []
    if before.features != after.features:
        added = [f"+{name}" for name in after.features if name not in before.features]
        removed = [f"−{name}" for name in before.features if name not in after.features]
        words.append(" ".join(added + removed) or "features reordered")
    components = {"data", "loss", "optimizer", "init", "output", "hidden", "features"}
    names = [name for name in RunConfig.model_fields if name not in components]
    return words + _parameters(
        {name: getattr(before, name) for name in names}, {name: getattr(after, name) for name in names}
    )


def _parameters(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [_value(name, value) for name, value in after.items() if before.get(name) != value]


def _value(name: str, value: Any) -> str:
    shown = SHOWN_NAMES.get(name, name)
    match value:
        case None | False:
            return f"{shown} off"
        case True:
            return f"{shown} on"
        case int() | float():
            return f"{shown} {value:g}"
        case list() | tuple():
            return f"{len(value)} {shown.replace('_', ' ')}"
        case dict() if "kind" in value:
            return f"{shown}: {value['kind']}"
        case _:
            return f"{shown}: {value}"


def _count(difference: int, noun: str) -> str:
    sign = "+" if difference > 0 else "−"
    return f"{sign}{abs(difference)} {noun}{'s' if abs(difference) > 1 else ''}"
