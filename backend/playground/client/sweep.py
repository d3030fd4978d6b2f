"""A sweep: many runs over a space of configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.client.session import AsyncSession, opened
from playground.client.study import AsyncStudy
from playground.client.view import Answer

if TYPE_CHECKING:
    import pandas as pd

Space = Mapping[str, Any]


class AsyncSweep(AsyncStudy):
    """A space of configs, and what its points have come to."""

    _told = "sweep"
    _resource = "sweeps"

    @property
    def best(self) -> list[Answer]:
        """The best trials when the server was last asked, the best of all first."""
        return self.info["best"]

    async def trials(self) -> list[Answer]:
        """All that have been tried so far, in order."""
        return (await self._get("/trials"))["items"]

    async def importance(self) -> dict[str, float]:
        """How much of the differences goes back to each path of the space, the greatest first."""
        return (await self._get("/trials"))["importance"]

    async def frame(self) -> pd.DataFrame:
        """The trials as a pandas DataFrame: a row for each, a column for each path of the space.

        Raises ImportError without pandas.
        """
        import pandas as pd

        rows = [
            {**trial["params"], "value": trial["value"], "state": trial["state"], "step": trial["step"]}
            for trial in await self.trials()
        ]
        return pd.DataFrame(rows)

    async def open(self, number: int) -> AsyncSession:
        """The networks of a trial as a session."""
        path = self._path(f"/trials/{number}/open")
        return opened(self._transport, await self._transport.json("POST", path, unlimited=True))


def written_space(space: Space) -> dict[str, Any]:
    """A list is what to choose from, a pair is from … to."""
    return {path: _range(values) for path, values in space.items()}


def _range(values: Any) -> Any:
    if isinstance(values, tuple) and len(values) == 2:
        return {"low": values[0], "high": values[1]}
    return values if isinstance(values, Mapping) else {"values": list(values)}
