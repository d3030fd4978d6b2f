"""Formulas that somebody types, read without being put to use."""

from fastapi import APIRouter
from pydantic import Field

from playground import limits
from playground.catalogue.formulas.field import read
from playground.catalogue.formulas.tree import Tree, inputs_of
from playground.catalogue.formulas.writing import latex, written
from playground.errors import ValidationFailed
from playground.web.routes.responses import BODY
from playground.web.routes.shape import Shape


class FormulaRequest(Shape):
    """A formula to read."""

    text: str = Field(max_length=limits.FORMULA_LENGTH, examples=["sin(3x1)"])
    """As it is typed."""
    inputs: int = Field(default=2, ge=1, le=limits.INPUTS, examples=[2])
    """How many inputs x1, x2, … it may name."""


class FormulaDescription(Shape):
    """A formula as it was understood."""

    text: str = Field(examples=["sin(3*x1)"])
    """In the one way to write it: as a feature is named, and as it stands in a config."""
    latex: str = Field(examples=[r"\sin\left(3 \, x_{1}\right)"])
    """To be typeset."""
    inputs: list[int] = Field(examples=[[1]])
    """The numbers of the inputs that it names."""
    tree: Tree = Field(
        examples=[
            {
                "kind": "call",
                "name": "sin",
                "of": [
                    {
                        "kind": "call",
                        "name": "mul",
                        "of": [{"kind": "number", "value": 3}, {"kind": "input", "number": 1}],
                    }
                ],
            }
        ]
    )
    """What is worked out, from the leaves up."""


router = APIRouter(prefix="/api", tags=["catalogue"])


@router.post("/formula", response_description="What was understood", responses=BODY)
async def formula(wish: FormulaRequest) -> FormulaDescription:
    """Read a formula: any of the features may be one, and so may the target of some data sets.

    A wrong one is refused with the place of its fault, in the `values` of the error: `column` counts from 1,
    and `length` characters are wrong, none of them at the end.
    """
    try:
        tree = read(wish.text, wish.inputs)
    except ValidationFailed as refused:
        raise ValidationFailed(*(error.below("text") for error in refused.errors)) from None
    return FormulaDescription(
        text=written(tree), latex=latex(tree), inputs=sorted(inputs_of(tree)), tree=tree
    )
