"""Looking back at a moment of the run, going on from there, and a twin beside it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def test_one_looks_back_and_what_is_changed_there_is_a_branch(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(20)
    visitor.pauses()
    original, now = visitor.session, f"{visitor.told()['step']:,}"
    expect(visitor.find("step-count")).to_have_text(now)
    picture = visitor.still_picture()
    visitor.sets("scrubber", 100)
    expect(visitor.find("past-at")).to_have_text("epoch 4")
    expect(visitor.find("step-count")).to_have_text("100")
    assert visitor.still_picture() != picture
    visitor.find("scrubber").press("ArrowRight")
    expect(visitor.find("step-count")).not_to_have_text("100")
    assert visitor.violations() == []
    visitor.find("scrubber").press("End")
    expect(visitor.find("step-count")).to_have_text(now)
    assert visitor.session == original
    assert visitor.still_picture() == picture
    visitor.sets("scrubber", 100)
    expect(visitor.find("step-count")).to_have_text("100")
    visitor.sets("control-optimizer.lr", "0.03")
    told = visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 0.03)
    assert (told["parent"]["session"], told["parent"]["step"], told["passing"]) == (original, 100, False)
    visitor.reloads()
    assert visitor.session == told["id"]
    visitor.find("to-original").click()
    expect(visitor.find("step-count")).to_have_text(now)
    assert visitor.told()["timeline"] == []


def test_a_change_is_compared_with_its_twin(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(5)
    visitor.sets("control-optimizer.lr", "0.03")
    visitor.find("twin").click()
    expect(visitor.find("twin-says")).to_contain_text("without the change", timeout=20_000)
    visitor.find("side-by-side").click()
    expect(visitor.find("compared")).to_have_count(2)
    visitor.find("side-by-side-dialog").get_by_test_id("play").click()
    [twin] = visitor.waits_until(lambda told: not told["playing"])["together"]
    there = visitor.page.request.get(f"{visitor.server}/api/sessions/{twin}").json()
    assert there["step"] == visitor.told()["step"]
    assert visitor.violations() == []
    visitor.page.keyboard.press("Escape")
    visitor.find("ghost").get_by_role("button").click()
    visitor.waits_until(lambda told: told["together"] == [])


def test_whoever_watches_looks_back_without_disturbing_anybody(
    visitor: Visitor, arrive: Callable[..., Visitor]
) -> None:
    visitor.plays()
    visitor.waits_for_epoch(5)
    watcher = arrive().open(f"/?session={visitor.session}")
    watcher.sets("scrubber", 50)
    expect(watcher.find("step-count")).to_have_text("50")
    watcher.find("back-to-now").click()
    expect(watcher.find("watching")).to_be_visible()
    assert visitor.told()["playing"]
