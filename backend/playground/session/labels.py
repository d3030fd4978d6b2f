"""A change in a few words, for the mark on a curve."""

from typing import Any

from pydantic import BaseModel

from playground.catalogue.component import Component, code_of
from playground.catalogue.fourier import listed
from playground.catalogue.normalizations import NoNormalization
from playground.catalogue.shortcuts import NoShortcut
from playground.i18n import Text, say
from playground.run.config import Config, Layer

LISTS = {
    "points": "label.points",
    "test_points": "label.test_points",
    "inputs": "label.inputs",
    "frozen_neurons": "label.frozen_neurons",
    "frozen_edges": "label.frozen_edges",
}
"""Fields that are told by how much they hold."""
PARTS = frozenset({"output", "hidden", "features", "version"})
LAYER_PARTS = frozenset({"width", "activation", "normalization", "dropout", "shortcut"})
"""Fields that are told in words of their own; so are components."""
LONGEST = 60
"""Characters of a label, in English."""
LONGEST_VALUE = 40
SHOWN_WITH = {
    "augmentation": "label.augmentation",
    "loss": "label.loss",
    "class_weights": "label.class_weights",
    "init": "label.init",
    "schedule": "label.schedule",
    "stopping": "label.stopping",
}


def label(before: Config, after: Config) -> list[Text]:
    """As in "Adam", "learning rate 0.1", "layer 2: ReLU", "+1 neuron"; empty if nothing differs."""
    words = [*_components(before, after), *_layers(before, after), *_scalars(before, after)]
    return words if _length(words) <= LONGEST else _shortened(words)


def _shortened(words: list[Text]) -> list[Text]:
    more = say("label.more")
    while len(words) > 1 and _length([*words, more]) > LONGEST:
        words = words[:-1]
    return [*words, more]


def _length(words: list[Text]) -> int:
    """Of all parts, with commas between."""
    return len(", ".join(part.text for part in words))


def _components(before: Config, after: Config) -> list[Text]:
    words = []
    for name, new in after:
        old = getattr(before, name)
        if not isinstance(new, Component):
            continue
        if old.kind != new.kind or _id(old) != _id(new):
            words.append(_shown(name, new))
        else:
            words += _parameters(old, new)
    if before.output.shortcut.kind != after.output.shortcut.kind:
        words.append(say("label.output", component=_shortcut(before.output.shortcut, after.output.shortcut)))
    if before.output.activation != after.output.activation:
        words.append(say("label.output", component=after.output.activation.named()))
    others = _parameters(before.output, after.output, within="output.")
    return words + [say("label.output_layer", change=change) for change in others]


def _id(component: Component) -> str | None:
    """Of the file that it is made of, which says nothing to anybody."""
    return getattr(component, "id", None)


def _layers(before: Config, after: Config) -> list[Text]:
    words = []
    old, new = before.hidden, after.hidden
    if len(old) != len(new):
        return [_count(len(new) - len(old), "label.layers_added", "label.layers_removed")]
    neurons = sum(layer.width for layer in new) - sum(layer.width for layer in old)
    if neurons:
        words.append(_count(neurons, "label.neurons_added", "label.neurons_removed"))
    kinds = {layer.activation.kind for layer in new}
    if all(_refitted(a, b) for a, b in zip(old, new, strict=True)) and len(kinds) == 1 and len(new) > 1:
        words.append(say("label.activation", component=new[0].activation.named()))
        old = tuple(a.model_copy(update={"activation": b.activation}) for a, b in zip(old, new, strict=True))
    for number, (a, b) in enumerate(zip(old, new, strict=True), start=1):
        words += _layer(number, a, b)
    return words


def _refitted(before: Layer, after: Layer) -> bool:
    return before.activation.kind != after.activation.kind


def _layer(number: int, before: Layer, after: Layer) -> list[Text]:
    words = []
    if _refitted(before, after):
        words.append(say("label.layer", layer=number, change=after.activation.named()))
    elif before.activation != after.activation:
        changes = _parameters(before.activation, after.activation)
        words += [say("label.layer", layer=number, change=change) for change in changes]
    if before.normalization.kind != after.normalization.kind:
        words.append(_normalization(number, before.normalization, after.normalization))
    if before.shortcut.kind != after.shortcut.kind:
        words.append(say("label.layer", layer=number, change=_shortcut(before.shortcut, after.shortcut)))
    if before.dropout != after.dropout:
        words.append(say("label.dropout", rate=after.dropout, layer=number))
    others = _parameters(before, after, but=LAYER_PARTS, within="hidden.")
    return words + [say("label.layer", layer=number, change=change) for change in others]


def _normalization(number: int, before: Component, after: Component) -> Text:
    """The one that came on, or the one that went off."""
    if isinstance(after, NoNormalization):
        return say("label.normalization_off", normalization=before.named(), layer=number)
    return say("label.normalization_on", normalization=after.named(), layer=number)


def _shortcut(before: Component, after: Component) -> Text:
    """Likewise."""
    if isinstance(after, NoShortcut):
        return say("label.shortcut_off", shortcut=before.named())
    return say("label.shortcut_on", shortcut=after.named())


def _scalars(before: Config, after: Config) -> list[Text]:
    words = []
    if before.features != after.features:
        added = listed([name for name in after.features if name not in before.features])
        gone = listed([name for name in before.features if name not in after.features])
        moved = " ".join([*(f"+{_short(name)}" for name in added), *(f"−{_short(name)}" for name in gone)])
        words.append(say("label.features", features=moved) if moved else say("label.features_reordered"))
    return words + _parameters(before, after, but=PARTS)


def _parameters(
    before: BaseModel, after: BaseModel, but: frozenset[str] = frozenset(), within: str = ""
) -> list[Text]:
    """Fields that differ, but for components, by their titles."""
    words = []
    for name, field in type(after).model_fields.items():
        value = getattr(after, name)
        if name in but or isinstance(value, Component):
            continue
        if getattr(before, name) == value:
            continue
        if name in LISTS:
            words.append(say(LISTS[name], count=len(value)))
        else:
            title = _lower(field.title or name.replace("_", " "))
            words.append(_value(Text(code=code_of(type(after), name, within), text=title), value))
    return words


def _short(feature: str) -> str:
    return feature if len(feature) <= LONGEST_VALUE else f"{feature[: LONGEST_VALUE - 1]}…"


def _lower(title: str) -> str:
    """A title inside a sentence; L1 and the like stay as they are."""
    return title if title[1:2].isupper() or title[1:2].isdigit() else title[:1].lower() + title[1:]


def _shown(part: str, component: Component) -> Text:
    """A component by its label; where the label alone could be anything, with what it is."""
    named, code = component.named(), SHOWN_WITH.get(part)
    return say(code, component=named) if code else named


def _value(field: Text, value: Any) -> Text:
    match value:
        case None | False:
            return say("label.field_off", field=field)
        case True:
            return say("label.field_on", field=field)
        case tuple():
            return say("label.field_text", field=field, value="; ".join(f"{one:g}" for one in value))
        case int() | float():
            return say("label.field_number", field=field, value=value)
        case _:
            return say("label.field_text", field=field, value=value[:LONGEST_VALUE])


def _count(difference: int, added: str, removed: str) -> Text:
    return say(added if difference > 0 else removed, count=abs(difference))
