"""Data sets and their points, as the tests make them."""

import numpy as np
from pydantic import TypeAdapter

from playground.catalogue.component import union_of
from playground.catalogue.datasets import Data

DATA = TypeAdapter(union_of(Data))


def make(kind: str, **parameters) -> Data:
    return DATA.validate_python({"kind": kind, **parameters})


def sample(kind: str, seed: int = 0, **parameters) -> tuple[np.ndarray, np.ndarray]:
    return make(kind, **parameters).sample(seed, {})
