"""A session in Jupyter: its widget, and beside it a picture that is renewed after each cell.

The picture is what a saved notebook shows when no kernel runs.
"""

from __future__ import annotations

from base64 import b64encode
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from playground.client.errors import PlaygroundError

if TYPE_CHECKING:
    from playground.client.blocking import Session
    from playground.client.notebook import SessionWidget

FRAME_SECONDS = 2.0
"""How long the picture waits for the frame that shows what the cell has done."""


def show(session: Session) -> None:
    """Shows it below the cell. Raises ImportError without anywidget."""
    widget = session.widget
    handle = display(_bundle(widget, repr(session)), raw=True, display_id=True)
    shell = get_ipython()
    if handle is None or shell is None:
        return
    shown: list[int] = []

    def renew(_result: Any) -> None:
        step = _settled(session, widget)
        if shown != [step]:
            shown[:] = [step]
            widget.send_state()  # as a part of the cell, so that what saves the notebook has it
            handle.update(_bundle(widget, repr(session)), raw=True)

    shell.events.register("post_run_cell", renew)


def _settled(session: Session, widget: SessionWidget) -> int:
    """The step that the widget shows, once that is the one at which the session stands."""
    try:
        now = session.look()
    except PlaygroundError:  # it has ended: what is shown is the last of it
        return widget.state["step"]
    deadline = monotonic() + FRAME_SECONDS
    while not (widget.frame and widget.state["step"] >= now["step"]) and monotonic() < deadline:
        sleep(0.02)
    return widget.state["step"]


def _bundle(widget: SessionWidget, text: str) -> dict[str, Any]:
    """Every notebook takes what it knows: the widget, or else the picture, or else the text."""
    live = widget._repr_mimebundle_()
    picture = {"image/png": b64encode(widget.still()).decode(), "text/plain": text}
    return {**(live[0] if isinstance(live, tuple) else live or {}), **picture}
