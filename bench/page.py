"""The page in Chromium: pictures per second, and how soon a change is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import httpx
from playwright.sync_api import sync_playwright

from bench.report import Cell, Table
from tests.e2e import browser
from tests.e2e.server import serving
from tests.e2e.visitor import Visitor

NETS = {"4-2 (default)": [4, 2], "6 layers of 8": [8] * 6, "12 layers of 256": [256] * 12}
WINDOWS = 5
SECONDS = 2.0  # of a window
REPEATS = 9

Act = Callable[[Visitor], None]

# What is measured, and what brings the page back to where it was.
CHANGES: dict[str, tuple[Act, Act]] = {
    "activation": (
        lambda v: v.sets("layer-0-activation", "relu"),
        lambda v: v.sets("layer-0-activation", "tanh"),
    ),
    "optimizer": (
        lambda v: v.sets("control-optimizer", "momentum"),
        lambda v: v.sets("control-optimizer", "adam"),
    ),
    "loss": (lambda v: v.sets("control-loss", "mse"), lambda v: v.sets("control-loss", "bce")),
    "dropout": (lambda v: v.sets("layer-0-dropout", 0.2), lambda v: v.sets("layer-0-dropout", 0)),
    "batchnorm": (
        lambda v: v.sets("layer-0-normalization", "batchnorm"),
        lambda v: v.sets("layer-0-normalization", "none"),
    ),
    "learning rate": (
        lambda v: v.sets("control-optimizer.lr", 0.1),
        lambda v: v.sets("control-optimizer.lr", 0.001),
    ),
    "noise": (lambda v: v.sets("control-data.noise", 0.2), lambda v: v.sets("control-data.noise", 0)),
    "neuron +": (
        lambda v: v.find("layer-0-add-neuron").click(),
        lambda v: v.find("layer-0-remove-neuron").click(),
    ),
    "layer +": (lambda v: v.find("add-layer").click(), lambda v: v.find("layer-2-remove").click()),
    "layer −": (lambda v: v.find("layer-1-remove").click(), lambda v: v.find("add-layer").click()),
}

BEHIND_MORE = {"loss"}

# In one piece inside the page: the input, the change that the server tells of, and the first frame painted
# with a later step than the change. All by the page's clock.
SEEN = """([inputs, changes]) => {
  const { inputs: given, changes: told, painted } = window.wireLog;
  const change = told[changes];
  const picture = change && painted.find((p) => p.at > change.at && p.step > change.step);
  return picture ? picture.at - given[inputs] : null;
}"""


@contextmanager
def visiting(address: str) -> Iterator[Visitor]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.on_path(), args=browser.ARGUMENTS)
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        yield Visitor(context.new_page(), address, address)
        chromium.close()


def shape(visitor: Visitor, widths: list[int]) -> None:
    """Gives the network its layers, of which there are too many for the page's own buttons."""
    key = {"Authorization": f"Bearer {visitor.keys[visitor.session]}"}
    config = {"hidden": [{"width": width} for width in widths]}
    address = f"{visitor.server}/api/sessions/{visitor.session}/config"
    httpx.patch(address, json=config, headers=key, timeout=30).raise_for_status()
    visitor.waits_until(lambda told: [layer["width"] for layer in told["config"]["hidden"]] == widths)


def pictures_per_second(visitor: Visitor) -> list[float]:
    """Of several windows of time in a row, by the page's clock."""
    visitor.page.wait_for_timeout(1000)
    start: float = visitor.page.evaluate("() => performance.now()")
    visitor.page.wait_for_timeout(1000 * SECONDS * WINDOWS)
    painted: list[float] = visitor.page.evaluate("() => window.wireLog.painted.map((p) => p.at)")
    windows = [int((at - start) / 1000 // SECONDS) for at in painted]
    return [windows.count(window) / SECONDS for window in range(WINDOWS)]


def until_seen(visitor: Visitor, act: Act) -> float:
    """Milliseconds from the input to the first frame painted with the change."""
    visitor.page.wait_for_timeout(200)
    before = visitor.page.evaluate("() => [window.wireLog.inputs.length, window.wireLog.changes.length]")
    act(visitor)
    return visitor.page.wait_for_function(SEEN, arg=before, timeout=15_000).json_value()


def measure() -> list[Table]:
    rates: list[list[Cell]] = []
    delays: list[list[Cell]] = []
    with serving() as (address, _):
        for net, widths in NETS.items():
            with visiting(address) as visitor:
                visitor.open()
                shape(visitor, widths)
                visitor.plays()
                seen = pictures_per_second(visitor)
                rates.append([net, min(seen), median(seen), max(seen)])
                visitor.leaves()
        with visiting(address) as visitor:
            visitor.open().plays()
            visitor.waits_for_epoch(5)
            for name, (act, back) in CHANGES.items():
                taken = []
                if name in BEHIND_MORE:
                    visitor.unfolds()
                for _ in range(REPEATS):
                    taken.append(until_seen(visitor, act))
                    until_seen(visitor, back)
                if name in BEHIND_MORE:
                    visitor.page.keyboard.press("Escape")
                delays.append([name, min(taken), median(taken), max(taken)])
            visitor.leaves()
    return [
        Table(
            "Pictures per second in Chromium, training at the default speed",
            ["hidden layers", "least", "median", "most"],
            rates,
        ),
        Table(
            "Milliseconds from the input on the page to the first frame painted with the change",
            ["change", "least", "median", "most"],
            delays,
        ),
    ]
