"""A session that shows itself in a notebook, by anywidget (the extra `notebook`).

The kernel watches the session and hands on what it hears; the browser that shows the notebook need not reach
the server. The traits are all there is to show, so that a view that comes later, or again, is whole at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from playground.client import live
from playground.client.errors import PlaygroundError
from playground.client.live import Binary
from playground.client.session import AsyncSession
from playground.client.still import Curves, still

SCRIPT = Path(__file__).parents[1] / "web" / "static" / "notebook" / "widget.js"
LOOK = {"rate": 8, "output": 100, "units": []}
"""What the kernel asks for: neurons are not shown."""
SHOWN = ("train_loss", "test_loss")
NOTHING: dict[str, Any] = {
    "playing": False,
    "step": 0,
    "epoch": 0.0,
    "loss": {"train": None, "test": None},
    "held": False,
    "note": "",
}


class SessionWidget(anywidget.AnyWidget):
    """Shows what `listen` hears, and does what is pressed by `start`, which runs a coroutine elsewhere."""

    _esm = SCRIPT
    state = traitlets.Dict(NOTHING).tag(sync=True)
    frame = traitlets.Bytes(b"").tag(sync=True)
    data = traitlets.Bytes(b"").tag(sync=True)
    curves = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, session: AsyncSession, start: Callable[[Awaitable[Any]], Any]):
        if not SCRIPT.exists():
            raise FileNotFoundError(f"{SCRIPT} is missing: `python hatch_build.py` builds it")
        super().__init__(state={**NOTHING, "held": session.key is not None})
        self._session = session
        self._start = start
        self._rows = Curves()
        self.on_msg(self._pressed)
        start(self._listen())

    def still(self) -> bytes:
        """What it shows now, as a PNG."""
        return still(self.frame, self.data, self._rows, self.state)

    async def _listen(self) -> None:
        try:
            async for heard in live.listen(self._session._transport, self._session.id, LOOK):
                if isinstance(heard, Binary):
                    self._show(heard)
                else:
                    self._hear(heard)
            self._say(note="the session has ended", playing=False)
        except PlaygroundError as error:
            self._say(note=str(error), playing=False)

    def _show(self, heard: Binary) -> None:
        match heard.header:
            case {"type": "frame", "step": step, "epoch": epoch}:
                self.frame = heard.message
                self.curves = self._rows.encoded()
                self._say(step=step, epoch=epoch)
            case {"type": "data"}:
                self.data = heard.message
            case {"type": "metrics", "columns": columns, "current": current}:
                rows = heard.arrays["samples"][:, [columns.index(name) for name in ("epoch", *SHOWN)]]
                if current:
                    train, test = (float(loss) if np.isfinite(loss) else None for loss in rows[0, 1:])
                    self._say(loss={"train": train, "test": test})
                else:
                    self._rows.add(rows)

    def _hear(self, event: dict[str, Any]) -> None:
        if event["type"] in ("hello", "run"):
            self._rows = Curves()
        state = event.get("state", event)
        if "playing" in state:
            self._say(playing=state["playing"], note="")

    def _say(self, **news: Any) -> None:
        self.state = {**self.state, **news}

    def _pressed(self, widget: Any, message: dict[str, Any], buffers: Any) -> None:
        session = self._session
        match message.get("type"):
            case "play":
                self._start(self._do(session.play()))
            case "pause":
                self._start(self._do(session.pause()))
            case "epoch":
                self._start(self._do(session.step(epochs=1)))
            case "url":  # it has the key, which the saved notebook must not have
                self.send({"url": session.url})

    async def _do(self, command: Awaitable[Any]) -> None:
        try:
            await command
        except PlaygroundError as error:
            self._say(note=str(error))
