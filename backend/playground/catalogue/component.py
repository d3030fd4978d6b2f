"""What the entries of the catalogue have in common."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.config import JsonDict
from pydantic_core import CoreSchema

from playground.i18n import Text

FROZEN = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    use_attribute_docstrings=True,
    json_schema_serialization_defaults_required=True,  # what is sent has all its fields
)


@dataclass(frozen=True)
class Task:
    """What there is to learn from a data set."""

    kind: Literal["binary", "multiclass", "regression", "embedding"]
    """An embedding is learned where a loss of pairs or triplets asks for it, whatever the data pose."""
    classes: int
    """2 for binary, K for multiclass, 0 for regression."""
    inputs: int = 2
    """Raw input columns, before any feature is made of them."""
    class_labels: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ("x1", "x2")
    input_ranges: tuple[tuple[float, float], ...] | None = None
    """What -6 and 6 stand for in each input, where the inputs are scaled."""
    target_name: str | None = None
    target_scale: tuple[float, float] | None = None
    """What -1 and 1 stand for in the target of a regression, where it is scaled."""
    target_names: tuple[str, ...] = ()
    """Of a regression on several numbers, what each is."""
    class_colours: tuple[str, ...] = ()
    """Of each class, as `#rrggbb`, where the classes are colours."""
    picture: tuple[int, int] | None = None
    """Width and height in pixels, where the points are those of a picture."""
    dimensions: int = 0
    """Of an embedding: 2 for a place in the plane, 1 for a score that ranks the points."""

    @property
    def targets(self) -> int:
        """Numbers that a regression gives for a point."""
        return len(self.target_names) or 1

    @property
    def answer(self) -> Literal["binary", "multiclass", "regression"]:
        """What is said of a point: the share of class 1 of two, that of each class, or a number. In the plane
        a point is of the class that it lies nearest to; a score is a number."""
        if self.kind != "embedding":
            return self.kind
        if self.dimensions == 1:
            return "regression"
        return "binary" if self.classes == 2 else "multiclass"

    @property
    def is_plane(self) -> bool:
        """Whether the inputs are places on a plane, not columns of a table, each in a unit of its own."""
        return self.inputs == 2 and self.input_ranges is None


class Component(BaseModel):
    """One entry of the catalogue: the fields are its parameters, the docstring is its help."""

    model_config = FROZEN
    label: ClassVar[str]
    formula: ClassVar[str]
    """LaTeX."""
    keras: ClassVar[str] = ""
    """What it is in Keras, with its parameters in braces where it has any; a script cannot have it otherwise.
    Parameters that are not named have to have their defaults."""
    effect: ClassVar[str] = ""
    """The code of what choosing it means for learning; empty where there is nothing general to say."""
    words: ClassVar[str] = ""
    """Its name in the translations, where its kind is that of another component, too."""
    kind: str = ""

    @classmethod
    def help(cls) -> str:
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def named(cls) -> Text:
        """Its label, as a part of what the server says."""
        return Text(code=f"catalogue.{cls.words or cls.name()}", text=cls.label)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)["properties"]["kind"]["description"] = f"Selects {cls.label}"
        return schema

    @classmethod
    def is_compiled(cls) -> bool:
        """Whether the compiled trainer can use it: it has maths for that, in the catalogue, for nothing else
        is compiled."""
        return cls.__module__.startswith("playground.catalogue.") and hasattr(cls, "compiled")

    @classmethod
    def name(cls) -> str:
        """The value of `kind` that stands for this class."""
        return cls.model_fields["kind"].default


def code_of(model: type[BaseModel], name: str, within: str = "") -> str:
    """The key of a field's label in the translations: that of the class which first declares it.

    `within` is where the model stands in a config, as "hidden.".
    """
    owner = next(cls for cls in reversed(model.__mro__) if name in inspect.get_annotations(cls))
    own = issubclass(owner, Component) and owner.name()
    return f"catalogue.{own}.{name}" if own else f"field.{within}{name}"


Family = TypeVar("Family", bound=Component)
Function = TypeVar("Function", bound=Callable[..., Any])

COMPILABLE: list[Callable[..., Any]] = []


def compilable(function: Function) -> Function:
    """Lets the compiled maths of components call this function; the kernel reads `COMPILABLE`."""
    COMPILABLE.append(function)
    return function


def members(family: type[Family]) -> tuple[type[Family], ...]:
    """The components of a family, in order of definition: the classes themselves are the registry.

    A class that does not set `kind` only shares maths between its subclasses.
    """
    found: list[type[Family]] = []
    for cls in family.__subclasses__():
        if cls.name():
            found.append(cls)
        found += members(cls)
    return tuple(found)


def union_of(family: type[Component], *more: type[Component], name: str = "") -> Any:
    """The type of a config field that takes any member of `family`, or one of `more`.

    The page finds the components to choose from by `name`, the family's own if none is given.
    """
    extra: JsonDict = {"family": name or family.__name__.lower()}
    return Annotated[Union[(*members(family), *more)], Field(discriminator="kind", json_schema_extra=extra)]
