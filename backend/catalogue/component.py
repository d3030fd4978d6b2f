"""What the entries of the catalogue have in common."""

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import BaseModel, ConfigDict, Field

FROZEN = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Problem:
    """What there is to learn from a data set."""

    kind: Literal["binary", "multiclass", "regression"]
    classes: int
    """2 for binary, K for multiclass, 0 for regression."""
    inputs: int = 2
    """Raw input columns, before any feature is made of them."""
    class_labels: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ("x1", "x2")


class Component(BaseModel):
    """One entry of the catalogue: the fields are its parameters, the docstring is its help."""

    model_config = FROZEN
    label: ClassVar[str]
    formula: ClassVar[str]
    """LaTeX."""
    kind: str

    @classmethod
    def help(cls) -> str:
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def name(cls) -> str:
        """The value of `kind` that stands for this class."""
        return cls.model_fields["kind"].default


def members(family: type[Component]) -> tuple[type[Component], ...]:
    """The components of a family, in order of definition: the classes themselves are the registry."""
    return tuple(family.__subclasses__())


def any_of(family: type[Component]) -> Any:
    """The type of a config field that takes any member of `family`."""
    return Annotated[Union[members(family)], Field(discriminator="kind")]  # noqa: UP007  (a tuple of types)
