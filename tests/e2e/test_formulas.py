"""A formula that is typed in the page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def test_a_wrong_formula_shows_its_fault_and_a_mended_one_its_map(visitor: Visitor) -> None:
    visitor.find("add-feature").click()
    visitor.find("new-feature").fill("2*sin(3*x1")
    expect(visitor.find("new-feature-fault")).to_contain_text("place 11")
    expect(visitor.find("new-feature-use")).to_be_disabled()
    visitor.find("new-feature").fill("2*sin(3*y)")
    expect(visitor.find("new-feature-place")).to_have_text("y")
    visitor.find("new-feature").fill("2 sin(3x)")
    expect(visitor.find("formula-preview")).to_be_visible()
    visitor.find("new-feature").press("Enter")
    tile = visitor.find("feature-2*sin(3*x1)")
    expect(tile).to_have_attribute("aria-pressed", "true")
    visitor.waits_until(lambda told: told["config"]["features"] == ["x1", "x2", "2*sin(3*x1)"])
    colours = "e => new Set(e.querySelector('canvas').getContext('2d').getImageData(0, 0, 32, 1).data).size"
    assert tile.evaluate(colours) > 10
    tile.click()
    visitor.waits_until(lambda told: told["config"]["features"] == ["x1", "x2"])
    expect(tile).to_be_hidden()


def test_a_formula_of_two_inputs_makes_a_landscape_of_a_curve(visitor: Visitor) -> None:
    visitor.find("more-data").click()
    visitor.find("dataset-formula").click()
    visitor.waits_until(lambda told: told["config"]["features"] == ["x1"])
    visitor.sets("control-data.f", "x1^2 - x2^2")
    visitor.waits_until(
        lambda told: (told["config"]["data"]["f"], told["config"]["features"]) == ("x1^2-x2^2", ["x1", "x2"])
    )
    visitor.sets("control-data.f", "log(x1)")
    expect(visitor.page.get_by_text("x1 = -6")).to_be_visible()
    assert visitor.told()["config"]["data"]["f"] == "x1^2-x2^2"
