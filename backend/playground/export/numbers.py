"""The arrays that a script holds, each under one name."""

from collections.abc import Mapping

import numpy as np

from playground.export.arrays import packed
from playground.export.names import named


class Numbers:
    """Texts of packed arrays by the names of the script's constants."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def add(self, name: str, arrays: Mapping[str, np.ndarray]) -> str:
        """The name under which the script has them."""
        text = packed(arrays)
        return named(self._texts, name, lambda _: text)

    def __str__(self) -> str:
        return "\n".join(f"{name} = unpacked({text})" for name, text in self._texts.items())
