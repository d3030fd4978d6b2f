"""A session of a script: open in the browser, and shown by a notebook."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground import Client
from playground.client import Session
from playground.client.notebook import SCRIPT
from tests.e2e.visitor import Visitor

# What anywidget hands to a view, and what a view says to the kernel.
NOTEBOOK = """async ([script, state, bytes]) => {
  const widget = (await import(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})))).default;
  const traits = {state, ...Object.fromEntries(Object.entries(bytes).map(([name, text]) =>
    [name, new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)]))};
  const listeners = {};
  window.said = [];
  const model = {
    get: (name) => traits[name],
    on: (event, call) => (listeners[event] = call),
    off: (event) => delete listeners[event],
    send: (message) => window.said.push(message.type),
  };
  window.tell = (name, value) => { traits[name] = value; listeners['change:' + name](); };
  const end = widget.render({model, el: document.body});
  window.leave = () => { end(); return Object.keys(listeners).length; };
}"""
INKED = """() => [...document.querySelectorAll('canvas')].map((canvas) => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(pixels.buffer)).size;
})"""


@pytest.fixture
def session(server: str) -> Iterator[Session]:
    with Client(server) as playground, playground.session(data="spiral", hidden=[8, 8]) as session:
        yield session


def test_the_address_of_a_session_opens_it_with_its_key(
    session: Session, arrive: Callable[..., Visitor]
) -> None:
    visitor = arrive().open(session.url)
    visitor.page.wait_for_function("() => location.hash.startsWith('#c=')")
    visitor.plays()
    assert session.look()["playing"]
    visitor.reloads()
    visitor.pauses()
    session.change(optimizer="sgd")
    expect(visitor.page.get_by_role("list", name="Latest changes")).to_contain_text("SGD")


def test_a_notebook_shows_a_session_and_plays_it(session: Session, page: Page) -> None:
    session.step(epochs=20)
    widget: Any = session.widget
    moments = session.watch()  # the widget listens beside it
    next(moments)
    for _ in range(200):
        if widget.frame and widget.data and widget.state["step"] == 500 and widget.state["loss"]["train"]:
            break
        page.wait_for_timeout(20)
    traits = {name: b64encode(getattr(widget, name)).decode() for name in ("frame", "data", "curves")}
    page.evaluate(NOTEBOOK, [SCRIPT.read_text(), widget.state, traits])
    status = page.get_by_role("status")
    expect(status).to_contain_text("Epoch 20")
    assert min(page.evaluate(INKED)) > 5
    page.get_by_role("button", name="Play").click()
    page.evaluate("state => tell('state', state)", {**widget.state, "playing": True})
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="One epoch").click()
    assert page.evaluate("said") == ["play", "pause", "epoch"]
    page.evaluate("state => tell('state', state)", {**widget.state, "held": False, "note": "gone"})
    expect(page.get_by_role("button", name="Play")).to_be_disabled()
    expect(status).to_have_text("gone")
    assert page.evaluate("leave()") == 0
