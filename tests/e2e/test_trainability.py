"""The map of trainability: it fills, zooms, and each of its pixels leads to a network."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def test_the_map_fills_zooms_and_leads_to_a_network(visitor: Visitor) -> None:
    visitor.unfolds()
    visitor.find("trainability").click()
    canvas, done = visitor.find("trainability-map"), visitor.find("trainability-done")
    expect(done).not_to_have_attribute("data-done", "0", timeout=30_000)
    expect(visitor.find("trainability-whole")).to_be_disabled()
    canvas.hover(position={"x": 200, "y": 200})
    visitor.page.mouse.wheel(0, -200)
    expect(visitor.find("trainability-whole")).to_be_enabled()
    assert visitor.violations() == []
    before = visitor.told()["config"]
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/open")) as opening:
        canvas.click(position={"x": 200, "y": 200})
    made = opening.value.json()
    visitor.keys[made["id"]] = made["key"]
    expect(visitor.find("trainability-dialog")).to_be_hidden()
    visitor.waits_until(lambda told: told["id"] == made["id"])
    assert visitor.told()["config"]["optimizer"]["lr"] != before["optimizer"]["lr"]
