"""The config: everything that reproduces a run. Frozen, validated, JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from backend import limits
from backend.catalogue.activations import Activation, Linear, Tanh
from backend.catalogue.component import FROZEN, Component, Problem, any_of, members
from backend.catalogue.datasets import Circle, Data
from backend.catalogue.features import Feature, available
from backend.catalogue.inits import Init, XavierUniform
from backend.catalogue.losses import BCE, Loss
from backend.catalogue.optimizers import Adam, Optimizer
from backend.tables import Table, TableError

Tables = Mapping[str, Table]


class Auto(Component):
    """Fits the loss: raw sums (logits) for the cross-entropies, linear for the others."""

    kind: Literal["auto"] = "auto"
    label: ClassVar[str] = "Auto"
    formula: ClassVar[str] = r"f(z) = z"


if TYPE_CHECKING:
    AnyActivation: TypeAlias = Activation
    AnyOutputActivation: TypeAlias = Activation | Auto
    AnyData: TypeAlias = Data
    AnyInit: TypeAlias = Init
    AnyLoss: TypeAlias = Loss
    AnyOptimizer: TypeAlias = Optimizer
else:
    AnyActivation = any_of(Activation)
    AnyOutputActivation = any_of(Activation, Auto)
    AnyData = any_of(Data)
    AnyInit = any_of(Init)
    AnyLoss = any_of(Loss)
    AnyOptimizer = any_of(Optimizer)


class Layer(BaseModel):
    """A hidden layer: sums, batch normalisation if it is on, activation, dropout, in this order."""

    model_config = FROZEN
    width: int = Field(default=4, ge=1, le=limits.WIDTH, title="Neurons", description="Units of the layer")
    activation: AnyActivation = Field(default=Tanh(), description="What each unit makes of its sum")
    batchnorm: bool = Field(
        default=False,
        title="Batch normalisation",
        description="Centre and scale each sum over the mini-batch, then learn a scale γ and a shift β",
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        title="Dropout",
        description="Share of the units that is silenced in each training step",
    )


class Output(BaseModel):
    """The output layer. Its width follows from the data and the loss."""

    model_config = FROZEN
    activation: AnyOutputActivation = Field(default=Auto(), description="What the output makes of its sum")


class RunConfig(BaseModel):
    """Everything that reproduces a run."""

    model_config = FROZEN
    data: AnyData = Field(default=Circle(), description="What there is to learn from")
    features: tuple[str, ...] = Field(
        default=("x1", "x2"),
        strict=False,
        min_length=1,
        description="What the network gets to see of a point",
    )
    hidden: tuple[Layer, ...] = Field(
        default=(Layer(width=4), Layer(width=2)),
        strict=False,
        max_length=limits.HIDDEN_LAYERS,
        description="Hidden layers from the inputs to the output",
    )
    output: Output = Field(default=Output(), description="The output layer")
    loss: AnyLoss = Field(default=BCE(), description="How wrong an output is")
    optimizer: AnyOptimizer = Field(default=Adam(), description="How a gradient becomes a step")
    batch_size: int = Field(
        default=10,
        ge=1,
        le=limits.POINTS,
        title="Batch size",
        description="Samples in a mini-batch: few make a step cheap and noisy, many make it dear and steady",
        json_schema_extra={"scale": "log"},
    )
    shuffle: bool = Field(
        default=True, title="Shuffle", description="Take the samples of each epoch in a new order"
    )
    input_dropout: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        title="Input dropout",
        description="Share of the features that is silenced in each training step",
    )
    l1: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="L1",
        description="Adds the sum of |w| times this to the loss: pulls weights to exactly zero",
        json_schema_extra={"scale": "log"},
    )
    l2: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="L2",
        description="Adds half the sum of w² times this to the loss: keeps weights small",
        json_schema_extra={"scale": "log"},
    )
    clip_norm: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        title="Gradient clipping",
        description="Longest gradient that a step may follow, over all weights; empty for no bound",
        json_schema_extra={"scale": "log"},
    )
    init: AnyInit = Field(default=XavierUniform(), description="The weights to start from")
    seed: int = Field(
        default=0,
        ge=0,
        le=limits.SEED,
        title="Seed",
        description="Every random number of the run follows from it: the same seed gives the same run",
    )

    def output_activation(self) -> Activation:
        chosen = self.output.activation
        return Linear() if isinstance(chosen, Auto) else chosen


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, and how it could be right."""

    field: str
    """Dotted path, as in `hidden.2.width`; empty for the config as a whole."""
    message: str
    fits: tuple[Any, ...] | None = None
    """The values that would do, where they can be named."""
    suggestion: dict[str, Any] | None = None
    """A merge patch that, merged into what was refused, makes it fit."""


class Refused(ValueError):
    """Input that breaks a rule; each error names its field and the rule."""

    def __init__(self, *errors: FieldError):
        super().__init__("; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in errors))
        self.errors = errors


def parse(raw: Any, tables: Tables | None = None) -> RunConfig:
    """The config that `raw` describes, a merge patch of the defaults; raises `Refused`.

    Without a loss or features in `raw`, they are those that fit the data.
    """
    if not isinstance(raw, dict):
        raise Refused(FieldError("", "a config is a JSON object"))
    whole = _merge(RunConfig().model_dump(mode="json"), raw)
    try:
        config = RunConfig.model_validate(whole)
    except ValidationError as error:
        raise Refused(*explain(error, whole)) from None
    try:
        problem = config.data.problem(tables or {})
    except TableError as error:
        raise Refused(FieldError(f"data.{error.field}", error.message)) from None
    fitting: dict[str, Any] = {}
    if raw.get("loss") is None and problem.kind not in config.loss.problems:
        fitting["loss"] = _losses(problem)[0]()
    if raw.get("features") is None:
        fitting["features"] = _features(problem)
    config = config.model_copy(update=fitting)
    misfits = tuple(_misfits(config, problem))
    if misfits:
        raise Refused(*misfits)
    return config


def merged(config: RunConfig, change: Any) -> dict[str, Any]:
    """What a merge patch (RFC 7396) makes of a config, still to be parsed.

    A component whose kind changes is replaced: its parameters mean nothing to another kind.
    """
    if not isinstance(change, dict):
        raise Refused(FieldError("", "a change is a JSON object"))
    return _merge(config.model_dump(mode="json"), change)


def inverse(before: RunConfig, after: RunConfig) -> dict[str, Any]:
    """The merge patch that leads from `after` back to `before`."""
    return _difference(after.model_dump(mode="json"), before.model_dump(mode="json"))


def explain(error: ValidationError, raw: Any) -> list[FieldError]:
    """Pydantic's errors with the path as the sender wrote it."""
    return [_explain(dict(item), raw) for item in error.errors(include_url=False, include_input=False)]


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    replaced = not isinstance(target, dict) or ("kind" in patch and patch["kind"] != target.get("kind"))
    result = {} if replaced else dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), value)
    return result


def _difference(here: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {key: None for key in here if key not in there}
    for key, value in there.items():
        old = here.get(key)
        if old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict) and old.get("kind") == value.get("kind"):
            patch[key] = _difference(old, value)
        else:
            patch[key] = value
    return patch


def _explain(item: dict[str, Any], raw: Any) -> FieldError:
    path: list[str] = []
    here: Any = raw
    named = None
    for part in item["loc"]:
        if isinstance(here, dict) and here is not named and part == here.get("kind"):
            named = here
            continue  # pydantic names the member of the union first; the sender did not
        path.append(str(part))
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    context = item.get("ctx", {})
    match item["type"]:
        case "union_tag_invalid":
            kinds = tuple(tag.strip(" '") for tag in context["expected_tags"].split(","))
            rule = f"{context['tag']!r} is unknown; there are {', '.join(kinds)}"
            return FieldError(".".join([*path, "kind"]), rule, kinds)
        case "union_tag_not_found":
            return FieldError(".".join([*path, "kind"]), "is missing; it says which component is meant")
        case kind if kind in WORDS:
            return FieldError(".".join(path), WORDS[kind].format(**context))
        case _:
            return FieldError(".".join(path), item["msg"].removeprefix("Value error, "))


WORDS = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_long": "may have at most {max_length} entries; there are {actual_length}",
    "too_short": "must have at least {min_length} of them",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
}
"""Pydantic's rules in words for people who do not know it."""


def _losses(problem: Problem) -> list[type[Loss]]:
    """Losses that fit, the one made for the problem first."""
    fitting = [cls for cls in members(Loss) if problem.kind in cls.problems]
    return sorted(fitting, key=lambda cls: cls.problems.index(problem.kind))


def _features(problem: Problem) -> tuple[str, ...]:
    return ("x1", "x2", *(f"x{i}" for i in range(3, problem.inputs + 1)))


def _misfits(config: RunConfig, problem: Problem) -> Iterator[FieldError]:
    loss = config.loss
    if problem.kind not in loss.problems:
        fits = tuple(cls.name() for cls in _losses(problem))
        given = f"{problem.classes} classes" if problem.classes else "a regression"
        yield FieldError(
            "loss",
            f"{loss.kind} does not fit {given}; {', '.join(fits)} would",
            fits,
            {"loss": {"kind": fits[0]}},
        )
    if loss.logits and config.output.activation.kind not in ("auto", "linear"):
        yield FieldError(
            "output.activation",
            f"{loss.kind} takes raw sums and squashes them itself; auto or linear would fit",
            ("auto", "linear"),
            {"output": {"activation": {"kind": "auto"}}},
        )
    known = available(problem.inputs)
    unknown = [name for name in config.features if name not in known]
    if unknown or len(set(config.features)) < len(config.features):
        kept = list(dict.fromkeys(name for name in config.features if name in known))
        complaint = f"{', '.join(unknown)} cannot be made of these data" if unknown else "one is named twice"
        yield FieldError(
            "features",
            f"{complaint}; there are {', '.join(known)}",
            known,
            {"features": kept or list(_features(problem))},
        )
    if config.batch_size == 1 and any(layer.batchnorm for layer in config.hidden):
        yield FieldError(
            "batch_size",
            "batch normalisation needs at least 2 samples in a mini-batch",
            None,
            {"batch_size": 2},
        )


def catalogue() -> dict[str, Any]:
    """Every component and every other field with label, help, bounds and default, for people and pages."""
    families = {
        "activation": Activation,
        "loss": Loss,
        "optimizer": Optimizer,
        "init": Init,
        "data": Data,
        "feature": Feature,
    }
    components = {name: [_entry(cls) for cls in members(family)] for name, family in families.items()}
    for family in (Activation, Loss, Optimizer):
        for entry, cls in zip(components[family.__name__.lower()], members(family), strict=True):
            entry["fused"] = cls.is_fused()
    for entry, cls in zip(components["loss"], members(Loss), strict=True):
        entry["problems"] = list(cls.problems)
    for entry, cls in zip(components["data"], members(Data), strict=True):
        entry |= _given(cls)
    components["output_activation"] = [_entry(Auto), *components["activation"]]
    layer = [{**field, "path": f"hidden.{field['name']}"} for field in _parameters(Layer)]
    return {
        "components": components,
        "fields": [{**field, "path": field["name"]} for field in _parameters(RunConfig)] + layer,
        "default": RunConfig().model_dump(mode="json"),
        "limits": {
            "hidden_layers": limits.HIDDEN_LAYERS,
            "width": limits.WIDTH,
            "classes": limits.CLASSES,
            "points": limits.POINTS,
            "inputs": limits.INPUTS,
            "csv_bytes": limits.CSV_BYTES,
            "message_bytes": limits.MESSAGE_BYTES,
            "half_span": limits.HALF_SPAN,
        },
        "schema": RunConfig.model_json_schema(),
    }


def _entry(cls: type[Component]) -> dict[str, Any]:
    return {
        "kind": cls.name(),
        "label": cls.label,
        "help": cls.help(),
        "formula": cls.formula,
        "parameters": _parameters(cls),
    }


def _given(cls: type[Component]) -> dict[str, Any]:
    """What a data set of this kind poses by default; a kind that needs input of its own poses nothing yet."""
    try:
        data = TypeAdapter(AnyData).validate_python({"kind": cls.name()})
        return {"problem": data.problem({}).kind, "synthetic": True}
    except (ValidationError, TableError):
        return {"problem": None, "synthetic": False}


def _parameters(cls: type[BaseModel]) -> list[dict[str, Any]]:
    """The scalar fields of a model, from its JSON Schema."""
    schema = cls.model_json_schema()
    fields = []
    for name, rule in schema["properties"].items():
        options = rule.get("anyOf", [rule])
        scalar = next((o for o in options if o.get("type") in ("number", "integer", "boolean")), None)
        if scalar is None:
            continue
        fields.append(
            {
                "name": name,
                "label": rule.get("title", name),
                "help": rule.get("description", ""),
                "type": scalar["type"],
                "nullable": {"type": "null"} in options,
                "default": rule.get("default"),
                "minimum": scalar.get("minimum"),
                "maximum": scalar.get("maximum"),
                "exclusive_minimum": scalar.get("exclusiveMinimum"),
                "exclusive_maximum": scalar.get("exclusiveMaximum"),
                "scale": rule.get("scale", "linear"),
                "choices": rule.get("enum"),
            }
        )
    return fields
