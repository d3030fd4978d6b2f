"""A formula over the square that the inputs lie in."""

from functools import lru_cache

import numpy as np
import torch
from pydantic import AfterValidator

from playground import limits
from playground.catalogue.formulas.grammar import parse
from playground.catalogue.formulas.tree import evaluate, inputs_of
from playground.errors import broken
from playground.i18n import say

PLACES = {1: 241, 2: 61}
"""Along each side, by the number of inputs. They are odd, so that 0 is among them."""


@lru_cache
def values_over_square(text: str) -> np.ndarray:
    """Values (n,) of a formula of one or two inputs on the grid of `places`."""
    return evaluate(parse(text), torch.from_numpy(_places(_inputs(text)))).numpy()


def defined() -> list[AfterValidator]:
    """What makes a formula one that has a finite value everywhere."""
    return [AfterValidator(_defined)]


def _defined(text: str) -> str:
    missing = ~np.isfinite(values_over_square(text))
    if missing.any():
        place = _places(_inputs(text))[missing.argmax()]
        where = ", ".join(f"x{i} = {value:g}" for i, value in enumerate(place.round(4), start=1))
        raise broken(say("rule.formula_undefined", where=where))
    return text


def _inputs(text: str) -> int:
    return max(inputs_of(parse(text)), default=1)


def _places(inputs: int) -> np.ndarray:
    """(n, inputs)"""
    axis = np.linspace(-limits.HALF_SPAN, limits.HALF_SPAN, PLACES[inputs])
    return np.stack(np.meshgrid(*[axis] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
