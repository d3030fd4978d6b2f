"""Handing an experiment on: watching, copying, links, QR codes, and pages for lessons."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.test_page import DESKTOP, PHONE
from tests.e2e.visitor import Visitor

Arrive = Callable[..., Visitor]


def shares(visitor: Visitor) -> None:
    if visitor.find("more").is_visible():
        visitor.find("more").click()
    visitor.find("share").click()


def address(visitor: Visitor, name: str) -> str:
    """Of the link of this name in the card that is open."""
    expect(visitor.find(f"address-{name}")).to_have_value(re.compile("http"))
    return visitor.find(f"address-{name}").input_value()


def code_in(place: Locator) -> str | None:
    """The address whose QR code is shown there. What the codes say is tested beside their code."""
    return place.locator("[data-address]").get_attribute("data-address")


def watching(visitor: Visitor, arrive: Arrive, **profile: object) -> Visitor:
    """Somebody else who opens the link to watch."""
    shares(visitor)
    link = address(visitor, "watch")
    visitor.page.keyboard.press("Escape")
    return arrive(**profile).open(link)


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_watcher_is_told_so_and_makes_a_copy(screen: dict, visitor: Visitor, arrive: Arrive) -> None:
    """There was nothing but a small "Read-only" and controls that looked broken."""
    visitor.find("layer-0-add-neuron").click()
    visitor.waits_until(lambda told: told["config"]["hidden"][0]["width"] == 5)
    visitor.plays()
    visitor.waits_for_epoch(3)
    visitor.pauses()
    original = visitor.told()
    watcher = watching(visitor, arrive, **screen)
    expect(watcher.find("watching")).to_contain_text("cannot change it")
    expect(watcher.find("play")).to_be_hidden()
    assert watcher.violations() == []
    watcher.find("copy-session").click()
    expect(watcher.find("watching")).to_be_hidden()
    expect(watcher.find("step-count")).to_have_text(f"{original['step']:,}")
    copy = watcher.waits_until(lambda told: told["id"] != original["id"])
    assert (copy["id"], original["id"]) == (watcher.session, visitor.session)
    assert (copy["config"], copy["step"]) == (original["config"], original["step"])
    assert copy["metrics"]["train_loss"] == original["metrics"]["train_loss"]
    watcher.find("layer-0-add-neuron").click()
    watcher.waits_until(lambda told: told["config"]["hidden"][0]["width"] == 6)
    watcher.plays()
    watcher.waits_for_epoch(copy["epoch"] + 1)
    assert visitor.told()["config"]["hidden"][0]["width"] == 5
    watcher.page.go_back()
    expect(watcher.find("watching")).to_be_visible()
    assert watcher.session == visitor.session


@pytest.mark.parametrize(("theme", "screen"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"])
def test_the_links_are_codes_too(theme: str, screen: dict, arrive: Arrive) -> None:
    visitor = arrive(**screen, color_scheme=theme).open()
    shares(visitor)
    links = {name: address(visitor, name) for name in ("link", "watch")}
    assert "#c=" in links["link"]
    assert f"session={visitor.session}" in links["watch"]
    assert visitor.violations() == [], "with the card open"
    for name, link in links.items():
        assert code_in(visitor.find(f"code-{name}")) == link
    colour = "e => getComputedStyle(e).fill"
    code = visitor.find("code-watch").locator("svg")
    assert code.locator("rect").evaluate(colour) == "rgb(255, 255, 255)"
    assert code.locator("path").evaluate(colour) == "rgb(0, 0, 0)"
    visitor.find("enlarge-watch").focus()
    visitor.page.keyboard.press("Enter")
    large = visitor.find("enlarged")
    expect(large).to_contain_text(links["watch"])
    assert code_in(large) == links["watch"]
    assert visitor.violations() == []
    box = large.locator("[data-address]").bounding_box()
    viewport = visitor.page.viewport_size
    assert box is not None
    assert viewport is not None
    assert box["height"] > 0.6 * min(viewport["width"], viewport["height"])
    assert box["y"] + box["height"] <= viewport["height"]
    visitor.page.keyboard.press("Escape")
    expect(large).to_be_hidden()


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_lesson_hides_what_was_ticked(screen: dict, visitor: Visitor, arrive: Arrive) -> None:
    builder = arrive(**screen).open()
    session = builder.session
    shares(builder)
    builder.find("build-lesson").click()
    for name in ("loss", "curves", "speed"):
        builder.find(f"hide-{name}").check()
    preview = builder.page.frame_locator("[data-testid=lesson-preview]")
    expect(preview.get_by_test_id("play")).to_be_visible()
    expect(preview.get_by_test_id("speed")).to_have_count(0)
    assert builder.violations() == []
    snippet = builder.find("lesson-frame").input_value()
    visitor.page.set_content(snippet)
    lesson = visitor.page.frame_locator("iframe")
    expect(lesson.get_by_test_id("play")).to_be_visible()
    assert lesson.get_by_test_id("speed").count() == 0
    builder.find("lesson-page").click()
    visitor.open(builder.find("lesson-link").input_value())
    expect(visitor.find("control-optimizer")).to_be_visible()
    assert visitor.find("control-loss").count() == 0
    assert visitor.find("speed").count() == 0
    builder.page.keyboard.press("Escape")
    expect(builder.find("lesson-builder")).to_be_hidden()
    builder.reloads()
    assert builder.session == session, "the preview has a session of its own"


def test_one_press_makes_it_fast(visitor: Visitor) -> None:
    usual = visitor.told()["speed"]
    visitor.find("fast").click()
    visitor.waits_until(lambda told: told["speed"] == {"max": True})
    expect(visitor.find("fast")).to_have_attribute("aria-pressed", "true")
    visitor.find("fast").click()
    visitor.waits_until(lambda told: told["speed"] == usual)


def test_another_optimizer_brings_its_own_rate_unless_one_was_set(visitor: Visitor) -> None:
    """Adam begins more gently than the others: with its rate, plain SGD would seem to learn nothing."""

    def rate(optimizer: str) -> float:
        visitor.sets("control-optimizer", optimizer)
        told = visitor.waits_until(lambda told: told["config"]["optimizer"]["kind"] == optimizer)
        return told["config"]["optimizer"]["lr"]

    assert rate("sgd") == 0.03
    assert rate("adam") == 0.001
    visitor.sets("control-optimizer.lr", 0.1)
    visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 0.1)
    assert rate("sgd") == 0.1


PAINTED = "e => e.getContext('2d').getImageData(0, 0, e.width, e.height).data.some((byte) => byte > 0)"


def test_the_edges_are_alive_while_it_learns(visitor: Visitor) -> None:
    """The network stood still but for its colours."""
    signals = visitor.find("signals")
    assert not signals.evaluate(PAINTED)
    visitor.plays()
    handle = signals.element_handle()
    visitor.page.wait_for_function(PAINTED, arg=handle)
    visitor.pauses()
    visitor.page.wait_for_function(f"e => !({PAINTED})(e)", arg=handle)
