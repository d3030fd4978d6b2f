"""The page explains itself: every "?" has words, a first visit has notes, and a change says what it means."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.visitor import Visitor

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
CODE_WORDS = ("clip_norm", "batch_size", "train_fraction", "≤", "e+", "e−", "e-0", "NaN", "undefined", "null")

Arrive = Callable[..., Visitor]


def questions(visitor: Visitor) -> Locator:
    return visitor.page.locator("[data-testid^='help-']:visible")


def card(visitor: Visitor) -> Locator:
    return visitor.page.locator("[popover]:popover-open")


@pytest.mark.parametrize("profile", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_question_mark_opens_and_has_words(arrive: Arrive, profile: dict[str, Any]) -> None:
    visitor = arrive(**profile).open()
    found = [mark.get_attribute("data-testid") for mark in questions(visitor).all()]
    assert len(found) == len(set(found)) >= 8
    for name in found:
        assert name
        visitor.find(name).click()
        expect(card(visitor)).to_have_text(re.compile(r".{60}"))
        text = card(visitor).text_content() or ""
        assert not [word for word in CODE_WORDS if word in text], text
        visitor.page.keyboard.press("Escape")
        expect(card(visitor)).to_have_count(0)


def test_every_panel_and_term_has_its_question_mark(visitor: Visitor) -> None:
    """There was none beside the map, the scores, the matrix and the curves."""
    for name in (
        *("data", "network", "features", "decision_map", "confusion", "curves", "train_test"),
        *("loss", "accuracy", "gradient_norm", "epoch_step"),
    ):
        expect(visitor.find(f"help-term.{name}")).to_be_visible()
    visitor.find("help-term.network").click()
    for term in ("Hidden neuron", "Weights", "Batch normalisation", "Dropout"):
        expect(card(visitor).get_by_text(term, exact=True)).to_be_visible()
    visitor.page.keyboard.press("Escape")
    visitor.find("dataset-plane").click()
    for name in ("r2", "residuals"):
        expect(visitor.find(f"help-term.{name}")).to_be_visible()


def test_a_term_goes_deeper_with_its_formula_last(visitor: Visitor) -> None:
    visitor.find("help-term.gradient_norm").click()
    term = visitor.find("term-gradient_norm")
    expect(term.locator("math")).not_to_be_visible()
    term.get_by_text("More").click()
    expect(term).to_contain_text("vanishes")
    expect(term.locator("math")).to_be_visible()
    assert term.evaluate("e => e.querySelector('details').lastElementChild.matches('.formula')")


def test_an_activation_is_drawn_with_its_slope(visitor: Visitor) -> None:
    visitor.find("help-activation").click()
    expect(visitor.find("graph").get_by_role("img")).to_be_visible()
    expect(visitor.find("graph")).to_contain_text("slope")


@pytest.mark.parametrize("profile", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_first_visit_has_three_notes_once(arrive: Arrive, profile: dict[str, Any]) -> None:
    visitor = arrive(**profile).open()
    intro = visitor.find("intro")
    expect(intro.locator("p")).to_have_count(3)
    visitor.find("play").click()
    expect(intro).to_have_count(0)
    visitor.reloads()
    expect(intro).to_have_count(0)


def test_the_notes_cover_nothing(visitor: Visitor) -> None:
    covered = visitor.page.evaluate(
        """() => {
          const notes = [...document.querySelectorAll('[data-testid=intro] p')];
          const boxes = notes.map((note) => note.getBoundingClientRect());
          const meet = (a, b) =>
            a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
          return [...document.querySelectorAll('.network :is(button, select, input)')]
            .filter((control) => !control.closest('svg'))
            .filter((control) => boxes.some((box) => meet(box, control.getBoundingClientRect())))
            .map((control) => control.outerHTML.slice(0, 120));
        }"""
    )
    assert covered == []


def test_it_says_what_it_is_on_the_first_screen(arrive: Arrive) -> None:
    for profile, place in ((DESKTOP, "bar"), (PHONE, "page")):
        line = arrive(**profile).open().find(f"tagline-{place}")
        expect(line).to_be_visible()
        expect(line).to_be_in_viewport(ratio=1)
        assert line.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_change_says_what_it_means_and_what_was_kept(visitor: Visitor) -> None:
    """It said only "Weights and optimizer state are kept."."""
    visitor.sets("layer-0-dropout", 0.2)
    note = visitor.find("note")
    expect(note).to_contain_text("training sees a network with neurons missing")
    expect(note).to_contain_text("kept")


def test_an_empty_test_score_has_a_reason(visitor: Visitor) -> None:
    visitor.sets("control-data.train_fraction", 1)
    visitor.plays()
    expect(visitor.find("remark")).to_contain_text("all points are training points", timeout=20_000)


@pytest.mark.parametrize(
    ("theme", "profile"), [("dark", DESKTOP), ("light", PHONE)], ids=["desktop", "phone"]
)
def test_an_open_help_has_no_violations(arrive: Arrive, profile: dict[str, Any], theme: str) -> None:
    visitor = arrive(**profile, color_scheme=theme, reduced_motion="reduce").open()
    visitor.find("help-term.network").click()
    expect(card(visitor)).to_have_count(1)
    for summary in card(visitor).locator("summary").all():
        if summary.is_visible():
            summary.click()
    assert visitor.violations() == []
