"""The curves: what was drawn stays, the beginning can be seen, another time is pinned beside the present."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import EPOCH, Visitor

Arrive = Callable[..., Visitor]

# How many pixels of the first chart have the colour of its training curve, about.
COLOURED = """() => {
  const canvas = document.querySelector('[data-testid=curve-loss] canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.slice(at, at + 4);
    if (alpha > 60 && red - green > 40 && blue - green > 60) count++;
  }
  return count;
}"""


@pytest.fixture
def visitor(arrive: Arrive) -> Visitor:
    return arrive().open()


def test_the_curves_of_now_are_pinned_and_outlive_a_reset_and_a_reload(visitor: Visitor) -> None:
    expect(visitor.find("curves-pin")).to_be_disabled()
    visitor.plays()
    visitor.waits_for_epoch(20)
    visitor.pauses()
    visitor.find("curves-pin").click()
    ghost = visitor.find("curves-ghost")
    expect(ghost).to_contain_text("Circle, pinned at epoch")
    visitor.find("reset").click()
    visitor.page.wait_for_function(f"() => {EPOCH} === 0")
    expect(ghost).to_be_visible()
    # Of the run of now there is one point; what is drawn is the ghost.
    visitor.page.wait_for_function(f"() => ({COLOURED})() > 30")
    visitor.reloads()
    expect(ghost).to_be_visible()
    visitor.page.wait_for_function(f"() => ({COLOURED})() > 30")
    ghost.click()
    expect(ghost).to_have_count(0)
    visitor.page.wait_for_function(f"() => ({COLOURED})() < 30")
    visitor.reloads()
    expect(ghost).to_have_count(0)


def test_a_logarithmic_axis_of_epochs_is_remembered(visitor: Visitor) -> None:
    log = visitor.find("curves-log-x")
    expect(log).not_to_be_checked()
    log.check()
    visitor.plays()
    visitor.waits_for_epoch(20)
    visitor.reloads()
    expect(log).to_be_checked()
    log.uncheck()
    visitor.reloads()
    expect(log).not_to_be_checked()


def test_the_cursor_names_training_and_test(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(5)
    visitor.pauses()
    visitor.page.locator("[data-testid=curve-loss] .plot").hover()
    at = visitor.find("curve-loss-at")
    expect(at).to_contain_text("Epoch")
    expect(at).to_contain_text("Train")
    expect(at).to_contain_text("Test")


def test_each_line_is_named_with_its_own_number(visitor: Visitor) -> None:
    visitor.page.wait_for_function(
        "() => document.querySelector('[data-testid=test-loss]').textContent !== '–'"
    )
    train, test = (visitor.find(f"{part}-loss").inner_text() for part in ("train", "test"))
    assert train != test
    expect(visitor.find("curve-loss").locator(".legend")).to_contain_text(train)
    expect(visitor.find("curve-loss").locator(".legend")).to_contain_text(test)


def test_a_schedule_is_chosen_among_the_folded_settings_and_brings_the_curve_of_the_rate(
    visitor: Visitor,
) -> None:
    choice = visitor.page.get_by_role("group", name="Gradients or learning rate")
    expect(choice).to_have_count(0)
    visitor.unfolds()
    visitor.find("control-schedule").select_option("exponential_decay")
    visitor.page.keyboard.press("Escape")
    choice.get_by_text("Learning rate").click()
    visitor.plays()
    visitor.waits_for_epoch(5)
    visitor.pauses()
    expect(visitor.find("curve-gradients")).to_contain_text("η")
    expect(visitor.find("curve-gradients")).to_contain_text("0.000")
