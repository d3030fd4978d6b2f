"""Looking back at a moment of the run, going on from there, and a twin beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    visitor.find("compared-train_loss").click()
    expect(visitor.find("compared").nth(1)).to_contain_text("Train loss at epoch")
    visitor.find("as-difference").check()
    expect(visitor.find("compared-curves")).to_contain_text("Train loss: difference to A")
    assert visitor.violations() == []
    visitor.page.keyboard.press("Escape")
    visitor.find("ghost").get_by_role("button").click()
    visitor.waits_until(lambda told: told["together"] == [])


def test_any_change_of_the_list_gets_a_twin_and_so_does_the_next_one(visitor: Visitor) -> None:
    visitor.sets("control-optimizer.lr", "0.03")
    visitor.plays()
    visitor.waits_for_epoch(2)
    visitor.pauses()
    visitor.find("changes").click()
    visitor.find("arm-twin").check()
    visitor.page.keyboard.press("Escape")
    expect(visitor.find("changes")).to_contain_text("with a twin")
    visitor.sets("control-l2", "0.01")
    told = visitor.waits_until(lambda told: len(told["together"]) == 1)
    [first] = twins(visitor)
    assert (first["step"], len(first["timeline"]), len(told["timeline"])) == (told["step"], 1, 2)
    visitor.find("changes").click()
    change = visitor.find("change")
    expect(change).to_have_count(2)
    assert visitor.violations() == []
    change.last.get_by_role("button", name="Train beside it").click()
    visitor.waits_until(lambda told: len(told["together"]) == 2)
    assert [len(twin["timeline"]) for twin in twins(visitor)] == [1, 0]
    expect(visitor.find("ghost").last).to_contain_text("and all after it")


def twins(visitor: Visitor) -> list[dict[str, Any]]:
    """What the server says of those that train with the session."""
    at = f"{visitor.server}/api/sessions"
    return [visitor.page.request.get(f"{at}/{id}").json() for id in visitor.told()["together"]]


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
