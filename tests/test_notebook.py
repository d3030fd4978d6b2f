"""A session in a notebook: live, and as a picture that stays."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from playground import Client
from playground.client.notebook import SessionWidget
from playground.client.still import EDGE, LINE, MOST_ROWS, Curves, still
from tests.conftest import Running

WIDGET = "application/vnd.jupyter.widget-view+json"


def eventually(holds: Callable[[], Any]) -> None:
    """Waits for what the kernel hears from the server."""
    from time import monotonic, sleep

    deadline = monotonic() + 30
    while not holds():
        assert monotonic() < deadline
        sleep(0.02)


@pytest.fixture
def widget(running: Running) -> Any:
    with Client(running.address) as playground, playground.session(data="circle", hidden=[3]) as session:
        yield session.widget


def press(widget: SessionWidget, kind: str) -> None:
    widget._handle_custom_msg({"type": kind}, [])


def test_a_widget_is_driven_from_the_notebook_and_by_others(running: Running, widget: SessionWidget) -> None:
    eventually(lambda: widget.frame and widget.data)
    press(widget, "epoch")
    eventually(lambda: widget.state["step"] == 25)
    assert widget.state["held"]
    assert widget.state["loss"]["train"] > 0
    rows = np.frombuffer(widget.curves, "<f4").reshape(-1, 3)
    assert rows[-1, 0] == 1
    with Client(running.address) as other:
        other.join(widget._session.url).play()
    eventually(lambda: widget.state["playing"])
    press(widget, "pause")
    eventually(lambda: not widget.state["playing"])


def test_the_key_is_handed_out_only_when_asked_for(widget: SessionWidget, monkeypatch: Any) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(widget, "send", sent.append)
    assert str(widget._session.key) not in str(widget.get_state())
    press(widget, "url")
    assert sent == [{"url": widget._session.url}]


def test_a_refusal_is_shown(widget: SessionWidget, monkeypatch: Any) -> None:
    monkeypatch.setattr(widget._session, "key", "wrong")
    press(widget, "play")
    eventually(lambda: "403" in widget.state["note"])


CELLS = [
    "from playground import Client\nplayground = Client({address!r})\n"
    "session = playground.session(data='spiral', hidden=[4])\nsession",
    "_ = session.step(epochs=4)",
    "session.delete(); playground.close()",
]


def test_a_saved_notebook_keeps_the_last_picture(running: Running) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell.format(address=running.address)) for cell in CELLS]
    ran = NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    [output] = ran.cells[0].outputs
    assert WIDGET in output.data
    assert "Session" in output.data["text/plain"]
    picture = Image.open(io.BytesIO(b64decode(output.data["image/png"])))
    colours = np.asarray(picture)[LINE:, :EDGE]
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) > 20
    models = next(iter(ran.metadata.widgets.values()))["state"].values()
    assert [model["state"]["state"]["step"] for model in models if "state" in model["state"]] == [100]


def test_long_curves_are_thinned_out() -> None:
    curves = Curves()
    for first in range(0, 5000, 100):
        curves.add(np.repeat(np.arange(first, first + 100.0)[:, None], 3, axis=1))
    assert len(curves.rows) <= MOST_ROWS
    assert (curves.rows[0, 0], curves.rows[-1, 0]) == (curves.rows[:, 0].min(), 4999)


def test_there_is_a_picture_before_there_is_anything_to_see() -> None:
    state = {"epoch": 0.0, "loss": {"train": None, "test": None}}
    assert Image.open(io.BytesIO(still(b"", b"", Curves(), state))).size[1] == LINE + EDGE
