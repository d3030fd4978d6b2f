"""The catalogue as people and pages read it: every component and every other field of a config."""

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from playground import limits
from playground.catalogue.activations import Activation
from playground.catalogue.augmentations import Augmentation
from playground.catalogue.class_weights import ClassWeights
from playground.catalogue.component import Component, code_of, members
from playground.catalogue.datasets import Data
from playground.catalogue.features import Feature
from playground.catalogue.inits import Init
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.schedules import Schedule
from playground.catalogue.shortcuts import Shortcut
from playground.catalogue.slots import Slot
from playground.catalogue.stopping import Stopping
from playground.errors import ValidationFailed
from playground.run.config import AnyData, Auto, Config, Layer, Output

FAMILIES: dict[str, type[Component]] = {
    "activation": Activation,
    "normalization": Normalization,
    "shortcut": Shortcut,
    "loss": Loss,
    "class_weights": ClassWeights,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "stopping": Stopping,
    "init": Init,
    "data": Data,
    "augmentation": Augmentation,
    "feature": Feature,
}
GRAPH_REACH, GRAPH_POINTS = 4, 81
SCALARS = ("number", "integer", "boolean", "string")
COMPILED = (Activation, Normalization, Loss, Optimizer)
"""Families whose members the compiled trainer needs maths of."""


class Description(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class Parameter(Description):
    """A field that people can set."""

    name: str
    """As in a config."""
    code: str
    """The key of its label in the translations; with `.help` after it, of its help."""
    label: str
    """What a control for it is called."""
    help: str
    """What it does, in a sentence."""
    type: Literal["number", "integer", "boolean", "numbers", "component", "text", "formula"]
    """Of its value; `numbers` is a list, and the bounds are those of each. A `formula` is text."""
    family: str | None = None
    """The family that a field of type `component` takes a member of."""
    default: Any = None
    """Its value where none is given."""
    nullable: bool = False
    """Whether null is a value, too."""
    minimum: float | None = None
    """The least value."""
    maximum: float | None = None
    """The greatest value."""
    exclusive_minimum: float | None = None
    """All values are greater."""
    exclusive_maximum: float | None = None
    """All values are less."""
    longest: int | None = None
    """Characters that a text may have."""
    scale: Literal["linear", "log"] = "linear"
    """How a slider for it is best divided."""
    inputs: int | None = None
    """Formulas: how many inputs x1, x2, … they may name."""
    examples: list[str] = []
    """Formulas: some to begin with."""
    choices: list[str | float] | None = None
    """The only values, if they are few."""
    formula: str | None = None
    """What it does, in LaTeX, where it is no part of a component that says so."""
    first: int | None = None
    """Its place among the settings that a page shows at once; null for those that wait behind "more"."""
    in_card: bool = False
    """Of a layer: it is set in the card of the layer, not in its header."""


class ConfigField(Parameter):
    """A field of the config that is no parameter of a component."""

    path: str = Field(examples=["batch_size", "hidden.width"])
    """Where it is in a config; `hidden.` is any of the layers."""


class Graph(Description):
    """An activation with its slope, for a picture: three lists of the same length."""

    z: list[float]
    """What goes in."""
    value: list[float]
    """What comes out."""
    slope: list[float]
    """How much more comes out for a little more that goes in."""


class SlotDescription(Description):
    """What an optimizer remembers of each weight."""

    name: str
    """As in what `GET /api/sessions/{id}/optimizer` answers."""
    code: str
    """The key of its label in the translations; with `.help` after it, of its help."""
    label: str
    """Its name for people."""
    symbol: str
    """In the formula, LaTeX."""
    help: str
    """What it is, in a sentence."""


class ComponentDescription(Description):
    """One entry of the catalogue."""

    kind: str
    """The name of it in a config."""
    code: str
    """The key of its label in the translations; with `.help` after it, of its help."""
    label: str
    """Its name for people."""
    help: str
    """What it is, in a sentence or two."""
    formula: str
    """LaTeX."""
    parameters: list[Parameter]
    """What can be set of it."""
    compiled: bool | None = None
    """Whether the compiled trainer can use it; null where it makes no difference."""
    learned: list[str] = []
    """Weights of its own by their names: of an activation one for each layer, of a normalisation one for each
    unit."""
    slots: list[SlotDescription] = []
    """Optimizers: what they remember of each weight."""
    graph: Graph | None = None
    """Activations: what they do, by default."""
    tasks: list[str] | None = None
    """Losses: the tasks that they fit."""
    task: str | None = None
    """Data sets: the task that they pose by default; null where it depends."""
    synthetic: bool | None = None
    """Data sets: whether they need nothing of one's own."""
    inputs: int | None = None
    """Data sets: how many inputs they have by default; null where it depends."""
    of_plane: bool = False
    """Augmentations: whether they need two inputs that are a plane, and no columns of a table."""
    group: str | None = None
    """Data sets: under which heading a page offers them, one level down; null for those offered at once."""


class Catalogue(Description):
    """What a config may consist of."""

    components: dict[str, list[ComponentDescription]]
    """By family."""
    fields: list[ConfigField]
    """All of a config but the components' parameters."""
    default: Config
    """The config of a session for which none is given."""
    limits: dict[str, float]
    """Of the server, by name."""
    json_schema: dict[str, Any] = Field(alias="schema")
    """JSON Schema of a config."""


def describe() -> Catalogue:
    components = {
        name: [_component(cls, family) for cls in members(family)] for name, family in FAMILIES.items()
    }
    components["output_activation"] = [_component(Auto, Auto), *components["activation"]]
    components["output_shortcut"] = [
        _component(cls, Shortcut) for cls in members(Shortcut) if not cls.adds_input
    ]
    fields = [
        ConfigField(**parameter.model_dump(), path=prefix + parameter.name)
        for prefix, model in (("", Config), ("hidden.", Layer), ("output.", Output))
        for parameter in _parameters(model, prefix)
    ]
    return Catalogue(
        components=components,
        fields=fields,
        default=Config(),
        limits={
            "hidden_layers": limits.HIDDEN_LAYERS,
            "width": limits.WIDTH,
            "classes": limits.CLASSES,
            "points": limits.POINTS,
            "fourier": limits.FOURIER,
            "inputs": limits.INPUTS,
            "csv_bytes": limits.CSV_BYTES,
            "image_bytes": limits.IMAGE_BYTES,
            "message_bytes": limits.MESSAGE_BYTES,
            "train_steps": limits.TRAIN_STEPS,
            "half_span": limits.HALF_SPAN,
        },
        schema=Config.model_json_schema(),
    )


def _component(cls: type[Component], family: type[Component]) -> ComponentDescription:
    return ComponentDescription(
        kind=cls.name(),
        code=cls.named().code,
        label=cls.label,
        help=cls.help(),
        formula=cls.formula,
        parameters=_parameters(cls),
        compiled=cls.is_compiled() if family in COMPILED else None,
        learned=_learned(cls),
        slots=[_slot(slot) for slot in cls.slots] if issubclass(cls, Optimizer) else [],
        graph=_graph(cls) if issubclass(cls, Activation) else None,
        tasks=list(cls.tasks) if issubclass(cls, Loss) else None,
        of_plane=issubclass(cls, Augmentation) and cls.of_plane,
        **_posed(cls) if issubclass(cls, Data) else {},
    )


def _slot(slot: Slot) -> SlotDescription:
    names = ("name", "code", "label", "symbol", "help")
    return SlotDescription(**{name: getattr(slot, name) for name in names})


def _learned(cls: type[Component]) -> list[str]:
    if issubclass(cls, Activation):
        return list(cls.learned)
    return list(cls.parameters) if issubclass(cls, Normalization) else []


def _graph(cls: type[Activation]) -> Graph:
    """From the maths of the component itself, with its default parameters."""
    z = torch.linspace(-GRAPH_REACH, GRAPH_REACH, GRAPH_POINTS, requires_grad=True)
    value = cls().forward(z, **{name: torch.tensor(start) for name, start in cls.learned.items()})
    (slope,) = torch.autograd.grad(value.sum(), z)
    z, value, slope = ([round(x, 3) for x in row.tolist()] for row in (z, value, slope))
    return Graph(z=z, value=value, slope=slope)


def _posed(cls: type[Data]) -> dict[str, Any]:
    """The task of a data set of this kind by default; one that needs input of its own poses nothing yet."""
    group = cls.group or None
    try:
        data = TypeAdapter(AnyData).validate_python({"kind": cls.name()})
        kind, inputs = data.kind_and_inputs()
        return {"task": kind, "inputs": inputs, "synthetic": True, "group": group}
    except (ValidationError, ValidationFailed):
        return {"task": None, "synthetic": False, "group": group}


def _parameters(cls: type[BaseModel], within: str = "") -> list[Parameter]:
    """The fields that are a number, a switch, a component, a choice or a text that people type, from the JSON
    Schema of a model."""
    rules = cls.model_json_schema()["properties"]
    found = (_parameter(name, code_of(cls, name, within), rule) for name, rule in rules.items())
    return [parameter for parameter in found if parameter]


def _parameter(name: str, code: str, rule: dict[str, Any]) -> Parameter | None:
    words = {
        "name": name,
        "code": code,
        "label": rule.get("title", name),
        "help": rule.get("description", ""),
        "first": rule.get("first"),
        "in_card": rule.get("in_card", False),
        "formula": rule.get("formula"),
    }
    if "family" in rule:
        return Parameter(**words, type="component", family=rule["family"], default=rule.get("default"))
    if "formula_inputs" in rule:
        return Parameter(
            **words,
            type="formula",
            default=rule.get("default"),
            inputs=rule["formula_inputs"],
            examples=rule["examples"],
        )
    options = rule.get("anyOf", [rule])
    listed = rule.get("items", {}).get("type") == "number"
    if listed:
        options = [rule["items"]]
    scalar = next((o for o in options if o.get("type") in SCALARS), None)
    if scalar is None or "const" in scalar:
        return None
    if scalar["type"] == "string":
        if "enum" not in rule and not rule.get("typed"):
            return None
        return Parameter(
            **words,
            type="text",
            default=rule.get("default"),
            longest=scalar.get("maxLength"),
            choices=rule.get("enum"),
        )
    return Parameter(
        **words,
        type="numbers" if listed else scalar["type"],
        nullable={"type": "null"} in options,
        default=rule.get("default"),
        minimum=scalar.get("minimum"),
        maximum=scalar.get("maximum"),
        exclusive_minimum=scalar.get("exclusiveMinimum"),
        exclusive_maximum=scalar.get("exclusiveMaximum"),
        scale=rule.get("scale", "linear"),
        choices=scalar.get("enum"),
    )
