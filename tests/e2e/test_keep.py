"""A session is kept as a run, and opened again from the list."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def test_a_kept_session_is_listed_renamed_opened_and_deleted(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(2)
    visitor.pauses()
    before = visitor.told()
    visitor.find("share").click()
    visitor.find("open-kept").click()
    dialog = visitor.find("kept-runs")
    expect(visitor.find("kept-name")).not_to_have_value("")
    visitor.find("kept-name").fill("The first")
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
    row.get_by_role("button", name=re.compile("Open")).click()
    expect(dialog).to_be_hidden()
    after = visitor.waits_until(lambda told: told["id"] != before["id"])
    assert (after["step"], after["config"]) == (before["step"], before["config"])
    assert after["metrics"]["test_loss"] == before["metrics"]["test_loss"]
    visitor.find("share").click()
    visitor.find("open-kept").click()
    for words in ("Delete The best", "Really delete The best"):
        row.get_by_role("button", name=words).click()
    expect(visitor.find("kept-run")).to_have_count(0)
