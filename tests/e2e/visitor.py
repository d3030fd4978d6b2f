"""What a visitor does on the page and sees there; and what the server says of the visitor's session."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

WIRE_LOG = Path(__file__).with_name("wire_log.js")
AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"

# Notes every value that the epoch counter shows, from inside the page, picture by picture.
WATCH_EPOCHS = """() => {
  const shown = (window.shownEpochs = []);
  const look = () => {
    const text = document.querySelector('[data-testid=epoch]')?.textContent ?? '';
    const value = Number(text.replace(/[^0-9.]/g, ''));
    if (shown.at(-1) !== value) shown.push(value);
    requestAnimationFrame(look);
  };
  look();
}"""
# What fades has no colour of its own yet. A light that blinks never comes to rest.
AT_REST = """() => document.getAnimations().every(
  ({ playState, effect }) => playState !== 'running' || effect.getTiming().iterations === Infinity)"""
EPOCH = "Number(document.querySelector('[data-testid=epoch]').textContent.replace(/[^0-9.]/g, ''))"


class Visitor:
    """`address` is what the page is opened at; `server` is asked directly, past a line that may be cut."""

    def __init__(self, page: Page, address: str, server: str) -> None:
        self.page = page
        self.address = address
        self.server = server
        self.errors: list[str] = []
        self.keys: dict[str, str] = {}  # of the sessions that this page has made
        self._connected: list[str] = []
        page.add_init_script(path=WIRE_LOG)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", lambda socket: socket.on("framesent", lambda sent: self._note(socket.url, sent)))
        page.route(re.compile(r"/api/sessions$"), self._note_key)

    def _note(self, url: str, sent: str | bytes) -> None:
        """The session of the page wants every picture; those that lie beside it, few or none."""
        match = re.search(r"/api/sessions/([^/]+)/live", url)
        if match and '"rate":60' in str(sent):
            self._connected.append(match[1])

    def _note_key(self, route: Any) -> None:
        try:
            answer = route.fetch()
        except Error:  # the server is not there
            route.abort()
            return
        if answer.status == 201:
            made = answer.json()
            self.keys[made["id"]] = made["key"]
        route.fulfill(response=answer)

    # on the page

    def find(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    def open(self, address: str = "/") -> Visitor:
        self.page.evaluate("() => { if (window.wireLog) window.wireLog.painted.length = 0; }")
        self.page.goto(address if "://" in address else self.address + address)
        return self._waits_for_a_picture()

    def reloads(self) -> Visitor:
        self.page.reload()
        return self._waits_for_a_picture()

    def _waits_for_a_picture(self) -> Visitor:
        self.page.wait_for_function("() => window.wireLog.painted.length", timeout=30_000)
        return self

    def plays(self) -> None:
        self.find("play").click()
        expect(self.find("play")).to_have_attribute("aria-pressed", "true")

    def pauses(self) -> None:
        self.find("play").click()
        expect(self.find("play")).to_have_attribute("aria-pressed", "false")

    def sets(self, testid: str, value: str | float | bool) -> None:
        """Gives a control its value by the means of that control: choice, tick, slider or typing."""
        control = self.find(testid)
        tag, kind = control.evaluate("e => [e.tagName, e.type]")
        if tag == "SELECT":
            control.select_option(str(value))
        elif kind == "checkbox":
            control.set_checked(bool(value))
        elif kind == "range":
            control.fill(str(value))
        elif tag == "BUTTON":
            control.click()
        else:
            control.fill(str(value))
            control.press("Enter")

    def unfolds(self) -> Visitor:
        """The settings that wait behind "more"."""
        self.find("others").click()
        return self

    def epoch(self) -> float:
        return self.page.evaluate(f"() => {EPOCH}")

    def waits_for_epoch(self, more_than: float) -> None:
        self.page.wait_for_function(f"least => {EPOCH} > least", arg=more_than, timeout=30_000)

    def watches_the_epochs(self) -> None:
        self.page.evaluate(WATCH_EPOCHS)

    def shown_epochs(self) -> list[float]:
        """What the epoch counter has shown since `watches_the_epochs`, in order."""
        return self.page.evaluate("() => window.shownEpochs")

    def sees(self, script: str, argument: Any, seconds: float = 60) -> Any:
        """What a function of the page resolves to, within so many seconds."""
        late = f"new Promise((_, reject) => setTimeout(() => reject(Error('late')), {1000 * seconds}))"
        return self.page.evaluate(f"argument => Promise.race([({script})(argument), {late}])", argument)

    def picture(self) -> str:
        """The decision map: equal exactly when the pixels are."""
        return self.find("output-map").evaluate("e => e.toDataURL()")

    def still_picture(self) -> str:
        """The decision map, once it changes no more."""
        before = self.picture()
        for _ in range(30):
            self.page.wait_for_timeout(1000)  # large changes wait for one another
            if before == (before := self.picture()):
                return before
        raise AssertionError("the picture still changes after 30 s")

    def on_map(self, x1: float, x2: float) -> tuple[float, float]:
        """Where the decision map, which shows -6 to 6 both ways, has the point (x1, x2)."""
        self.find("output-map").scroll_into_view_if_needed()
        box = self.find("output-map").bounding_box()
        assert box is not None
        return box["x"] + (x1 + 6) / 12 * box["width"], box["y"] + (6 - x2) / 12 * box["height"]

    def violations(self) -> list[object]:
        """What axe finds wrong with the page, frames of other pages left out."""
        self.page.wait_for_function(AT_REST)
        self.page.evaluate(AXE.read_text())  # a script tag would be against the page's security policy
        result = self.page.evaluate("() => axe.run(document, { iframes: false })")
        assert result["passes"], "axe has looked at nothing"
        return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in result["violations"]]

    def leaves(self) -> None:
        """Closes the page and ends its sessions, so that they take no time from the next test."""
        context = self.page.context
        self.page.close()
        for session, key in self.keys.items():
            headers = {"Authorization": f"Bearer {key}"}
            with contextlib.suppress(Error):  # the server has stopped
                context.request.delete(f"{self.server}/api/sessions/{session}", headers=headers)
        context.close()

    # on the server

    @property
    def session(self) -> str:
        """The id of the session that the page is connected to now."""
        assert self._connected, "the page has opened no live connection"
        return self._connected[-1]

    def told(self) -> dict[str, Any]:
        """What the server says of the session."""
        answer = self.page.request.get(f"{self.server}/api/sessions/{self.session}")
        assert answer.ok, answer.text()
        return answer.json()

    def waits_until(self, seen: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
        """Asks the server until `seen` holds of what it says of the session."""
        told: dict[str, Any] = {}
        for _ in range(int(seconds * 10)):
            told = self.told()
            if seen(told):
                return told
            self.page.wait_for_timeout(100)
        raise AssertionError(f"after {seconds} s the server still says {told}")
