"""A formula as a field of a config: text, in the one way to write it."""

import re
from collections.abc import Callable
from typing import Any

from pydantic import AfterValidator, Field

from playground import limits
from playground.catalogue.formulas.grammar import WrongFormula, parse, wrong
from playground.catalogue.formulas.tree import Tree, inputs_of
from playground.catalogue.formulas.writing import written
from playground.errors import broken


def read(text: str, inputs: int) -> Tree:
    """The tree of a formula of so many inputs. Raises `WrongFormula` with the place of the fault."""
    tree = parse(text)
    beyond = max(inputs_of(tree), default=0)
    if beyond > inputs:
        place = re.search(rf"x{beyond}(?!\d)", text, re.IGNORECASE)
        assert place
        raise wrong(text, place.start(), "rule.formula_input", inputs=[f"x{i + 1}" for i in range(inputs)])
    return tree


def formula_of(inputs: int) -> list[Any]:
    """What makes a text field one of a formula of so many inputs."""
    return [
        Field(max_length=limits.FORMULA_LENGTH, json_schema_extra={"formula_inputs": inputs}),
        AfterValidator(_canonical(inputs)),
    ]


def _canonical(inputs: int) -> Callable[[str], str]:
    def canonical(text: str) -> str:
        try:
            return written(read(text, inputs))
        except WrongFormula as refused:
            raise broken(refused.rule) from None

    return canonical
