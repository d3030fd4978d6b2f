"""A formula as a tree. It is frozen, and as JSON it is what the page evaluates for its previews."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from torch import Tensor

from playground import limits
from playground.catalogue.component import FROZEN
from playground.catalogue.formulas.operations import CONSTANTS, OPERATIONS

ConstantName = Literal["pi", "e"]
# fmt: off
OperationName = Literal[
    "lt", "gt", "le", "ge", "add", "sub", "mul", "div", "neg", "pow",
    "sin", "cos", "tan", "atan", "atan2", "tanh", "sigmoid", "exp", "log", "sqrt",
    "abs", "sign", "relu", "step", "floor", "ceil", "round", "min", "max", "mod",
]
# fmt: on


class NumberNode(BaseModel):
    """As it is typed, without a sign."""

    model_config = FROZEN
    kind: Literal["number"] = Field(default="number", description="Selects it")
    value: float = Field(ge=0, description="Its value")


class ConstantNode(BaseModel):
    """A number with a name."""

    model_config = FROZEN
    kind: Literal["constant"] = Field(default="constant", description="Selects it")
    name: ConstantName = Field(description="Which one")


class InputNode(BaseModel):
    """A raw input of a point."""

    model_config = FROZEN
    kind: Literal["input"] = Field(default="input", description="Selects it")
    number: int = Field(ge=1, le=limits.INPUTS, description="1 for x1, and so on")


class CallNode(BaseModel):
    """What is done to other values."""

    model_config = FROZEN
    kind: Literal["call"] = Field(default="call", description="Selects it")
    name: OperationName = Field(description="The operation or function")
    of: tuple["Tree", ...] = Field(description="Its operands")


Tree = Annotated[NumberNode | ConstantNode | InputNode | CallNode, Field(discriminator="kind")]
CallNode.model_rebuild()


def evaluate(tree: Tree, inputs: Tensor) -> Tensor:
    """Values (…) at raw inputs (…, D), in their type. They are not finite where the formula has no value."""
    return _value(tree, inputs).expand(inputs.shape[:-1])


def _value(tree: Tree, inputs: Tensor) -> Tensor:
    match tree:
        case NumberNode(value=value):
            return inputs.new_tensor(value)
        case ConstantNode(name=name):
            return inputs.new_tensor(CONSTANTS[name])
        case InputNode(number=number):
            return inputs[..., number - 1]
        case CallNode(name="pow", of=(base, NumberNode(value=exponent))):
            return _value(base, inputs).pow(exponent)  # a square is a product, to the last bit
        case CallNode(name=name, of=operands):
            return OPERATIONS[name].compute(*[_value(operand, inputs) for operand in operands])


def inputs_of(tree: Tree) -> set[int]:
    """The numbers of the inputs that it names."""
    return {part.number for part in parts_of(tree) if isinstance(part, InputNode)}


def parts_of(tree: Tree) -> Iterator[Tree]:
    """The tree, and all that it is made of."""
    yield tree
    if isinstance(tree, CallNode):
        for operand in tree.of:
            yield from parts_of(operand)
