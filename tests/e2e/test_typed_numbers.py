"""Numbers that a visitor types: with a comma or a point, in bounds and out of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.visitor import Visitor

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def types(visitor: Visitor, testid: str, text: str) -> Locator:
    """Types key by key, as people do: a field of numbers would let some of them fall."""
    field = visitor.find(testid)
    field.click()
    field.press("ControlOrMeta+a")
    field.press_sequentially(text)
    field.press("Enter")
    return field


def any_rate(visitor: Visitor) -> str:
    visitor.find("control-optimizer.lr").select_option("other")
    return "control-optimizer.lr"


def test_a_decimal_comma_is_one(visitor: Visitor) -> None:
    """0,05 became 5."""
    types(visitor, any_rate(visitor), "0,05")
    visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 0.05)
    expect(visitor.find("control-optimizer.lr")).to_have_value("0.05")


def test_a_number_out_of_bounds_is_refused_at_its_field(visitor: Visitor) -> None:
    """It was refused in a corner of the page, and the field showed the old number again."""
    field = types(visitor, any_rate(visitor), "1000")
    refusal = visitor.find("control-optimizer.lr-refusal")
    expect(refusal).to_have_text("Learning rate must be at most 100.")
    expect(field).to_have_value("1000")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(visitor.find("toast")).to_have_count(0)
    visitor.page.get_by_role("heading").first.click()
    expect(field).to_have_value("1000")
    assert visitor.told()["config"]["optimizer"]["lr"] != 1000
    types(visitor, "control-optimizer.lr", "10")
    visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 10)
    expect(refusal).to_have_count(0)


def test_what_may_mean_two_numbers_is_asked_about(visitor: Visitor) -> None:
    field = types(visitor, any_rate(visitor), "1,234")
    refusal = visitor.find("control-optimizer.lr-refusal")
    expect(refusal).to_have_text("1,234 may mean 1.234 or 1234: write it without the comma.")
    field.press("Escape")
    expect(refusal).to_have_count(0)
    assert visitor.told()["config"]["optimizer"]["lr"] == 0.001


@pytest.mark.parametrize("profile", [{}, PHONE], ids=["desktop", "phone"])
def test_300_neurons_are_refused_and_not_made_256(arrive: Callable[..., Visitor], profile: dict) -> None:
    visitor = arrive(**profile).open()
    visitor.find("layer-0-width").click()
    field = types(visitor, "layer-0-neurons", "300")
    refusal = visitor.find("layer-0-neurons-refusal")
    expect(refusal).to_have_text("Neurons must be at most 256.")
    expect(refusal).to_be_in_viewport(ratio=1)
    expect(field).to_have_value("300")
    assert visitor.told()["config"]["hidden"][0]["width"] == 4
    types(visitor, "layer-0-neurons", "5")
    visitor.waits_until(lambda told: told["config"]["hidden"][0]["width"] == 5)


def test_arrow_keys_count_up_and_down(visitor: Visitor) -> None:
    visitor.find("layer-0-width").click()
    field = visitor.find("layer-0-neurons")
    field.press("ArrowUp")
    visitor.waits_until(lambda told: told["config"]["hidden"][0]["width"] == 5)
    expect(field).to_have_value("5")
    field.press("ArrowDown")
    visitor.waits_until(lambda told: told["config"]["hidden"][0]["width"] == 4)


def test_a_weight_may_be_typed_with_a_comma(visitor: Visitor) -> None:
    visitor.find("neuron-0-1").click()
    field = types(visitor, "weight-0-0-1", "-0,75")
    expect(field).to_have_value("-0.750")
    visitor.waits_until(lambda told: len(told["timeline"]) == 1)
    types(visitor, "weight-0-0-1", "much")
    expect(visitor.find("weight-0-0-1-refusal")).to_contain_text("must be a number")
