"""`python -m tests.e2e.screenshot` takes the README's picture anew, from the real page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e import browser
from tests.e2e.server import serving
from tests.e2e.visitor import Visitor

PICTURE = Path(__file__).parents[2] / "frontend/screenshot.png"


def main() -> None:
    with serving() as (address, _), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.on_path(), args=browser.ARGUMENTS)
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
        visitor = Visitor(context.new_page(), address, address).open()
        visitor.find("dataset-spiral").click()
        visitor.sets("control-data.noise", 0.1)
        for name in ("sin(x1)", "sin(x2)"):
            visitor.find(f"feature-{name}").click()
        for layer, missing in ((0, 4), (1, 4)):
            for _ in range(missing):
                visitor.find(f"layer-{layer}-add-neuron").click()
        visitor.waits_until(lambda told: [layer["width"] for layer in told["config"]["hidden"]] == [8, 6])
        visitor.sets("control-optimizer.lr", 0.03)
        visitor.sets("speed", "e60")
        visitor.find("reset").click()
        visitor.waits_until(lambda told: not told["timeline"])
        visitor.plays()
        visitor.waits_for_epoch(60)
        visitor.sets("layer-1-activation", "relu")
        visitor.waits_for_epoch(140)
        visitor.sets("control-optimizer.lr", 0.01)
        visitor.waits_for_epoch(260)
        visitor.page.mouse.move(0, 0)
        visitor.page.screenshot(path=PICTURE)
        visitor.leaves()
        chromium.close()


if __name__ == "__main__":
    main()
