"""The page in the language of the browser: there was English only, with a decimal point everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.visitor import Visitor

GERMAN = {"locale": "de-DE"}


def types(visitor: Visitor, text: str) -> None:
    """Types a learning rate, key by key."""
    field = visitor.find("control-optimizer.lr")
    field.click()
    field.press("ControlOrMeta+a")
    field.press_sequentially(text)
    field.press("Enter")


def speaks(page: Page, language: str, title: str) -> None:
    expect(page).to_have_title(title)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_german_browser_sees_german(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive(**GERMAN).open()
    speaks(visitor.page, "de", "Neuronale Netze ausprobieren")
    rate = visitor.find("control-optimizer.lr")
    expect(rate.locator("option:checked")).to_have_text("0,001")
    expect(visitor.page.locator("label", has_text=re.compile("^Lernrate$"))).to_be_visible()
    expect(visitor.find("train-loss")).to_have_text(re.compile(r"^\d,\d+$"))
    expect(visitor.find("dataset-circle")).to_contain_text("Kreis")


def test_a_german_types_a_comma_and_is_refused_in_german(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive(**GERMAN).open()
    visitor.find("control-optimizer.lr").select_option("other")
    refusal = visitor.find("control-optimizer.lr-refusal")
    types(visitor, "1000")
    expect(refusal).to_have_text("Lernrate: höchstens 100 ist erlaubt.")
    types(visitor, "1.234")
    expect(refusal).to_contain_text("1.234 kann 1,234 oder 1234 bedeuten")
    types(visitor, "1,234")
    visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 1.234)
    expect(visitor.find("control-optimizer.lr")).to_have_value("1,234")


def test_a_link_may_ask_for_a_language(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive().open("/?lang=es")
    speaks(visitor.page, "es", "Juega con redes neuronales")
    expect(visitor.page.locator("label", has_text=re.compile("^Tasa de aprendizaje$"))).to_be_visible()
    expect(visitor.find("control-optimizer.lr").locator("option:checked")).to_have_text("0,001")


def test_a_language_is_chosen_and_kept(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive().open("/?lang=es")
    session = visitor.session
    visitor.find("language").select_option("de")
    speaks(visitor.page, "de", "Neuronale Netze ausprobieren")
    expect(visitor.find("control-optimizer.lr")).to_be_visible()
    assert visitor.session == session
    assert "lang" not in visitor.page.url
    visitor.page.reload()
    speaks(visitor.page, "de", "Neuronale Netze ausprobieren")


def test_only_the_language_that_is_shown_is_loaded(arrive: Callable[..., Visitor]) -> None:
    for locale, expected in ("en-GB", set()), ("es-MX", {"es"}):
        visitor = arrive(locale=locale)
        loaded: set[str] = set()
        visitor.page.on(
            "request",
            lambda request, loaded=loaded: loaded.update(re.findall(r"/(\w\w)-[^/]*\.js", request.url)),
        )
        visitor.open()
        assert loaded == expected


def test_what_the_page_does_not_speak_is_english(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive(locale="fi-FI").open()
    speaks(visitor.page, "en", "Neural network playground")
