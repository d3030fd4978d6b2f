"""A session is kept as a run, and opened again from the list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import Serve
from tests.e2e.visitor import Visitor


@pytest.fixture
def visitor(arrive: Callable[..., Visitor], serve: Serve) -> Iterator[Visitor]:
    """Of a server where nothing has been kept."""
    with serve() as running:
        visitor = arrive(running.address)
        visitor.server = running.address
        yield visitor.open()


def test_a_kept_session_is_listed_renamed_opened_and_deleted(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(2)
    visitor.pauses()
    before = visitor.told()
    visitor.find("share").click()
    visitor.find("open-kept").click()
    dialog = visitor.find("kept-runs")
    assert visitor.find("kept-name").input_value(), "what it may be called is there at once"
    visitor.find("kept-name").fill("The first")
    expect(dialog.get_by_text("Nothing has been kept yet.")).to_be_visible()
    expect(visitor.find("kept-name")).to_have_value("The first")
    visitor.find("keep").click()
    row = visitor.find("kept-run").first
    name = row.get_by_role("textbox")
    expect(name).to_have_value("The first")
    assert visitor.violations() == []
    name.fill("The best")
    name.press("Enter")
    expect(row.get_by_role("button", name="Delete The best")).to_be_visible()
    with visitor.page.expect_download() as download:
        row.get_by_role("button", name="Download The best").click()
    assert download.value.suggested_filename.endswith(".json")
    compares_with_another(visitor)
    dialog.get_by_role("button", name=re.compile(r"Open\s*The best")).click()
    expect(dialog).to_be_hidden()
    after = visitor.waits_until(lambda told: told["id"] != before["id"])
    assert (after["step"], after["config"]) == (before["step"], before["config"])
    assert after["metrics"]["test_loss"] == before["metrics"]["test_loss"]
    visitor.find("share").click()
    visitor.find("open-kept").click()
    for words in ("Delete The best", "Really delete The best"):
        dialog.get_by_role("button", name=words, exact=True).click()
    expect(visitor.find("kept-run")).to_have_count(1)
    for words in ("Delete Slower", "Really delete Slower"):
        dialog.get_by_role("button", name=words, exact=True).click()
    expect(visitor.find("kept-run")).to_have_count(0)


def compares_with_another(visitor: Visitor) -> None:
    """Of a run with another rate and a change on the way."""
    config = visitor.told()["config"]
    config["optimizer"]["lr"] = 0.0007
    change = {"step": 20, "change": {"l2": 0.01}}
    run = {"config": config, "steps": 60, "timeline": [change], "name": "Slower"}
    made = visitor.page.request.post(
        f"{visitor.server}/api/runs", data=run, headers={"Prefer": "wait=30"}
    ).json()
    visitor.page.evaluate(
        "([id, key]) => localStorage.setItem('playground.runs',"
        " JSON.stringify({ ...JSON.parse(localStorage['playground.runs']), [id]: key }))",
        [made["id"], made["key"]],
    )
    visitor.page.keyboard.press("Escape")
    visitor.find("share").click()
    visitor.find("open-kept").click()
    expect(visitor.find("compare")).to_be_disabled()
    visitor.page.get_by_label("Compare The best").check()
    visitor.page.get_by_label("Compare Slower").check()
    visitor.find("compare").click()
    difference = visitor.find("difference")
    expect(difference).to_have_count(1)
    expect(difference).to_have_text(re.compile(r"Learning rate\s*0.001\s*0.0007"))
    expect(visitor.find("compare-changes")).to_contain_text("L2 0.01")
    expect(visitor.find("compare-curves")).to_contain_text("B Slower")
    visitor.find("compare-test_accuracy").click()
    expect(visitor.find("compare-curves")).to_contain_text("%")
    assert visitor.violations() == []
    visitor.find("compare-back").click()
