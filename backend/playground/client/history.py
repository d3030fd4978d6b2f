"""The curves of a session or a run, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Column = NDArray[np.float64]


class History(Mapping[str, Column]):
    """An array for each column: `step`, `epoch`, `train_loss` …; NaN where there is no number.

    Each row is the mean over the steps since the row before; `low` and `high` are the least and the greatest.
    """

    def __init__(self, answer: dict[str, Any]):
        self._columns = _columns(answer["series"])
        self.low: dict[str, Column] = _columns(answer["low"])
        self.high: dict[str, Column] = _columns(answer["high"])
        self.stride: int = answer["stride"]
        """Steps between two rows, at most."""
        self.marks: list[dict[str, Any]] = answer["marks"]
        """The changes of the run."""

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        rows = len(next(iter(self._columns.values()), ()))
        return f"<History of {rows} rows: {', '.join(self._columns)}>"

    def frame(self) -> pd.DataFrame:
        """As a pandas DataFrame, a row for each step that is kept. Raises ImportError without pandas."""
        import pandas as pd

        return pd.DataFrame({name: column for name, column in self.items() if name != "index"}).astype(
            {name: int for name in ("step",) if name in self}
        )


def _columns(series: dict[str, list[float | None]]) -> dict[str, Column]:
    return {name: np.array(values, np.float64) for name, values in series.items()}
