"""The page as its visitors use it: a real browser, the real server, a real worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.conftest import Running
from tests.e2e.server import Line
from tests.e2e.visitor import Visitor

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

Arrive = Callable[..., Visitor]


def never_goes_back(epochs: list[float]) -> bool:
    return all(before <= after for before, after in pairwise(epochs))


def test_one_click_starts_learning(visitor: Visitor) -> None:
    before, loss = visitor.picture(), visitor.told()["metrics"]["train_loss"]
    assert visitor.epoch() == 0
    visitor.plays()
    visitor.waits_for_epoch(20)
    assert visitor.picture() != before
    assert visitor.told()["metrics"]["train_loss"] < loss


def test_pause_stops_and_step_takes_one_step(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(2)
    visitor.pauses()
    paused = visitor.told()["step"]
    visitor.find("step").click()
    visitor.waits_until(lambda told: told["step"] == paused + 1)


def test_reset_starts_anew(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(5)
    visitor.pauses()
    visitor.find("reset").click()
    visitor.waits_until(lambda told: told["step"] == 0)
    visitor.page.wait_for_function(
        "() => Number(document.querySelector('[data-testid=epoch]').textContent) === 0"
    )


def hidden(told: dict[str, Any], layer: int) -> dict[str, Any]:
    return told["config"]["hidden"][layer]


LIVE_CHANGES: dict[str, tuple[Callable[[Visitor], None], Callable[[dict[str, Any]], bool]]] = {
    "activation": (
        lambda visitor: visitor.sets("layer-0-activation", "relu"),
        lambda told: hidden(told, 0)["activation"]["kind"] == "relu",
    ),
    "optimizer": (
        lambda visitor: visitor.sets("control-optimizer", "momentum"),
        lambda told: told["config"]["optimizer"]["kind"] == "momentum",
    ),
    "loss": (
        lambda visitor: visitor.unfolds().sets("control-loss", "mse"),
        lambda told: told["config"]["loss"]["kind"] == "mse",
    ),
    "dropout": (
        lambda visitor: visitor.sets("layer-0-dropout", 0.2),
        lambda told: hidden(told, 0)["dropout"] == 0.2,
    ),
    "normalisation": (
        lambda visitor: visitor.sets("layer-0-normalization", "batchnorm"),
        lambda told: hidden(told, 0)["normalization"]["kind"] == "batchnorm",
    ),
    "learning rate": (
        lambda visitor: visitor.sets("control-optimizer.lr", 0.1),
        lambda told: told["config"]["optimizer"]["lr"] == 0.1,
    ),
    "noise": (
        lambda visitor: visitor.sets("control-data.noise", 0.2),
        lambda told: told["config"]["data"]["noise"] == 0.2,
    ),
    "a neuron more": (
        lambda visitor: visitor.find("layer-0-add-neuron").click(),
        lambda told: hidden(told, 0)["width"] == 5,
    ),
    "a neuron less": (
        lambda visitor: visitor.find("layer-0-remove-neuron").click(),
        lambda told: hidden(told, 0)["width"] == 3,
    ),
    "a layer more": (
        lambda visitor: visitor.find("add-layer").click(),
        lambda told: len(told["config"]["hidden"]) == 3,
    ),
    "a layer less": (
        lambda visitor: visitor.find("layer-1-remove").click(),
        lambda told: len(told["config"]["hidden"]) == 1,
    ),
    "a feature": (
        lambda visitor: visitor.find("feature-x1^2").click(),
        lambda told: "x1^2" in told["config"]["features"],
    ),
    "other data": (
        lambda visitor: visitor.find("dataset-xor").click(),
        lambda told: told["config"]["data"]["kind"] == "xor",
    ),
    "more classes": (
        lambda visitor: visitor.find("dataset-blobs").click(),
        lambda told: told["config"]["data"]["kind"] == "blobs",
    ),
}


@pytest.mark.parametrize("change", LIVE_CHANGES)
def test_training_goes_on_through_a_change_of(change: str, visitor: Visitor) -> None:
    act, seen = LIVE_CHANGES[change]
    visitor.plays()
    visitor.waits_for_epoch(5)
    visitor.watches_the_epochs()
    act(visitor)
    told = visitor.waits_until(seen)
    visitor.waits_for_epoch(told["epoch"] + 10)
    assert never_goes_back(visitor.shown_epochs())
    after = visitor.told()
    assert after["playing"]
    assert [entry["step"] > 0 for entry in after["timeline"]] == [True], "one mark, and no reset"


def test_a_change_is_undone(visitor: Visitor) -> None:
    visitor.plays()
    visitor.find("layer-0-add-neuron").click()
    visitor.waits_until(lambda told: hidden(told, 0)["width"] == 5)
    visitor.find("undo").click()
    visitor.waits_until(lambda told: hidden(told, 0)["width"] == 4)


def test_a_weight_set_by_hand_is_told_and_undone(visitor: Visitor) -> None:
    visitor.find("neuron-0-1").click()
    before = visitor.find("weight-0-0-1").input_value()
    visitor.sets("weight-0-0-1", 2)
    expect(visitor.find("note")).to_contain_text("to 2.000")
    visitor.page.keyboard.press("Escape")
    visitor.find("undo").click()
    expect(visitor.find("undo")).to_be_disabled()
    visitor.find("neuron-0-1").click()
    expect(visitor.find("weight-0-0-1")).to_have_value(before)


def test_a_new_experiment_has_the_defaults(visitor: Visitor) -> None:
    default = visitor.told()["config"]
    session = visitor.session
    visitor.find("add-layer").click()
    visitor.waits_until(lambda told: told["config"] != default)
    visitor.find("new").click()
    visitor.page.wait_for_function("() => document.querySelectorAll('[data-testid$=-remove]').length === 2")
    assert visitor.session != session
    assert visitor.told()["config"] == default


def test_points_are_drawn_while_it_trains(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(5)
    visitor.watches_the_epochs()
    visitor.find("draw-class-1").click()
    for x1, x2 in [(5, 5), (4, 5), (5, 4)]:
        visitor.page.mouse.click(*visitor.on_map(x1, x2))
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "points")
    told = visitor.waits_until(
        lambda told: sum(x1 > 3.5 and x2 > 3.5 for x1, x2, _ in told["config"]["data"]["points"]) == 3
    )
    drawn = [point for point in told["config"]["data"]["points"] if point[0] > 3.5 and point[1] > 3.5]
    assert [target for _, _, target in drawn] == [1, 1, 1]
    assert drawn[0][:2] == pytest.approx([5, 5], abs=0.1)
    visitor.waits_for_epoch(told["epoch"] + 5)
    assert never_goes_back(visitor.shown_epochs())


FLOWERS = "sepal,petal,species\n" + "".join(
    f"{4 + kind + i * 0.02:.2f},{1 + 2 * kind + (i % 7) * 0.1:.2f},{name}\n"
    for kind, name in enumerate(["setosa", "versicolor", "virginica"])
    for i in range(40)
)


def test_a_csv_file_is_learned_from(visitor: Visitor) -> None:
    visitor.sets("speed", "e60")
    visitor.plays()
    visitor.find("csv-input").set_input_files(
        {"name": "flowers.csv", "mimeType": "text/csv", "buffer": FLOWERS.encode()}
    )
    visitor.find("csv-apply").click()
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "csv")
    assert told["config"]["loss"]["kind"] == "cross_entropy"
    visitor.waits_until(lambda told: told["metrics"]["train_accuracy"] > 0.9, seconds=60)
    expect(visitor.page.get_by_text("virginica").first).to_be_visible()


def test_a_broken_csv_file_is_refused_with_the_reason(visitor: Visitor) -> None:
    visitor.plays()
    visitor.find("csv-input").set_input_files(
        {"name": "broken.csv", "mimeType": "text/csv", "buffer": b"a,b,c\n1,2,3\n4,5\n"}
    )
    expect(visitor.page.get_by_text("line 3").first).to_be_visible()
    assert visitor.told()["config"]["data"]["kind"] == "circle"
    assert visitor.told()["playing"]


def test_a_copied_address_opens_the_same_experiment(visitor: Visitor, arrive: Arrive) -> None:
    visitor.find("dataset-spiral").click()
    visitor.sets("control-optimizer", "rmsprop")
    visitor.find("add-layer").click()
    visitor.unfolds().sets("control-seed", 7)
    told = visitor.waits_until(
        lambda told: told["config"]["seed"] == 7 and len(told["config"]["hidden"]) == 3
    )
    before = visitor.page.url
    visitor.page.wait_for_function("() => location.hash.length > 10")
    visitor.page.wait_for_timeout(1000)  # the address follows the config at its own pace
    address = visitor.page.url
    assert address.startswith(before.split("#")[0])
    friend = arrive().open(address)
    assert friend.session != visitor.session
    assert friend.told()["config"] == told["config"]


def test_a_session_survives_a_reload(visitor: Visitor) -> None:
    visitor.plays()
    visitor.waits_for_epoch(5)
    session, before = visitor.session, visitor.told()["epoch"]
    visitor.reloads()
    assert visitor.session == session
    visitor.waits_for_epoch(before)
    expect(visitor.find("play")).to_have_attribute("aria-pressed", "true")
    visitor.pauses()  # only the holder of the key can


def test_a_lost_connection_comes_back(arrive: Arrive, line: Line) -> None:
    visitor = arrive(line.address).open()
    visitor.plays()
    visitor.waits_for_epoch(5)
    session = visitor.session
    live = visitor.find("status").inner_text()
    line.cut()
    expect(visitor.find("status")).not_to_have_text(live)
    visitor.page.wait_for_timeout(500)
    line.mend()
    expect(visitor.find("status")).to_have_text(live, timeout=30_000)
    assert visitor.session == session
    visitor.waits_for_epoch(visitor.told()["epoch"])
    visitor.pauses()


def test_a_killed_worker_is_replaced_and_training_goes_on(visitor: Visitor, running: Running) -> None:
    visitor.plays()
    visitor.waits_for_epoch(20)
    running.kill_worker()
    expect(visitor.page.get_by_text("worker").first).to_be_visible()
    visitor.waits_for_epoch(visitor.epoch() + 10)
    assert visitor.told()["playing"]


def test_who_has_only_the_address_of_a_session_watches(visitor: Visitor, arrive: Arrive) -> None:
    visitor.plays()
    guest = arrive().open(f"/?session={visitor.session}")
    guest.waits_for_epoch(guest.epoch())
    assert guest.session == visitor.session
    expect(guest.find("play")).to_be_disabled()
    expect(guest.find("control-optimizer")).to_be_disabled()


def test_a_lesson_hides_controls(arrive: Arrive) -> None:
    visitor = arrive().open("/?hide=optimizer,step")
    expect(visitor.find("play")).to_be_visible()
    expect(visitor.find("control-optimizer")).to_have_count(0)
    expect(visitor.find("step")).to_have_count(0)


def test_the_page_fits_into_a_frame_of_another_site(arrive: Arrive) -> None:
    visitor = arrive()
    lesson = f'<iframe src="{visitor.server}/embed" width="1000" height="700"></iframe>'
    visitor.page.route(
        "http://lesson.test/", lambda route: route.fulfill(body=lesson, content_type="text/html")
    )
    visitor.page.goto("http://lesson.test/")
    inside = visitor.page.frame_locator("iframe")
    inside.get_by_test_id("play").click()
    expect(inside.get_by_test_id("play")).to_have_attribute("aria-pressed", "true")
    expect(inside.get_by_test_id("epoch")).not_to_have_text("0")


# Of the element that has the focus: its name, and whether one can see that it has the focus.
FOCUSED = """() => {
  const focused = document.activeElement;
  const style = getComputedStyle(focused);
  const name = focused.dataset.testid ?? focused.outerHTML.slice(0, 120);
  return [name, focused === document.body || style.outlineStyle !== 'none' || style.boxShadow !== 'none'];
}"""


def test_everything_can_be_reached_and_used_by_keyboard(visitor: Visitor) -> None:
    press = visitor.page.keyboard.press
    reached: dict[str, bool] = {}
    for _ in range(200):
        press("Tab")
        name, visible = visitor.page.evaluate(FOCUSED)
        reached[name] = visible
    assert [name for name, visible in reached.items() if not visible] == []
    wanted = {"play", "reset", "step", "speed", "control-optimizer", "control-optimizer.lr", "others"}
    wanted |= {"dataset-circle", "control-data.noise", "add-layer", "layer-0-activation"}
    wanted |= {"layer-0-add-neuron", "layer-0-normalization", "layer-0-dropout", "layer-0-remove"}
    wanted |= {"draw-class-1"}
    assert wanted - reached.keys() == set()


def test_the_keyboard_is_enough(visitor: Visitor) -> None:
    press = visitor.page.keyboard.press
    visitor.find("play").focus()
    press("Space")
    visitor.waits_until(lambda told: told["playing"])
    visitor.find("control-optimizer").focus()
    press("ArrowUp")
    visitor.waits_until(lambda told: told["config"]["optimizer"]["kind"] != "adam")
    visitor.find("layer-0-add-neuron").focus()
    press("Enter")
    visitor.waits_until(lambda told: hidden(told, 0)["width"] == 5)
    visitor.find("dataset-circle").focus()
    press("ArrowRight")
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "xor")
    with visitor.page.expect_file_chooser():
        visitor.find("dataset-csv").focus()
        press("Enter")
    visitor.find("feature-x1").focus()
    press("ArrowRight")
    expect(visitor.find("neuron-0-0")).to_be_focused()


def test_the_space_bar_plays_and_pauses(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Space")
    visitor.waits_until(lambda told: told["playing"])
    visitor.page.keyboard.press("Space")
    visitor.waits_until(lambda told: not told["playing"])


def test_a_phone_is_enough(arrive: Arrive) -> None:
    visitor = arrive(**PHONE).open()
    wide = visitor.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= PHONE["viewport"]["width"], "the page scrolls sideways"
    visitor.find("play").tap()
    visitor.waits_for_epoch(5)
    visitor.find("dataset-gauss").tap()
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "gauss")
    visitor.find("layer-0-add-neuron").tap()
    visitor.waits_until(lambda told: hidden(told, 0)["width"] == 5)
    visitor.find("draw-class-0").tap()
    visitor.page.touchscreen.tap(*visitor.on_map(5, -5))
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "points")


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(theme: str, screen: dict[str, Any], arrive: Arrive) -> None:
    visitor = arrive(**screen, color_scheme=theme).open()
    visitor.plays()
    visitor.find("layer-0-add-neuron").click()
    visitor.waits_for_epoch(5)
    visitor.pauses()
    assert visitor.violations() == []


def test_the_spiral_is_learned(visitor: Visitor) -> None:
    visitor.find("dataset-spiral").click()
    for name in ["sin(x1)", "sin(x2)"]:
        visitor.find(f"feature-{name}").click()
    for layer, missing in [(0, 4), (1, 6)]:
        for _ in range(missing):
            visitor.find(f"layer-{layer}-add-neuron").click()
    told = visitor.waits_until(lambda told: [layer["width"] for layer in told["config"]["hidden"]] == [8, 8])
    assert told["config"]["features"] == ["x1", "x2", "sin(x1)", "sin(x2)"]
    assert told["config"]["optimizer"]["kind"] == "adam"
    visitor.sets("control-optimizer.lr", 0.03)
    visitor.find("fast").click()
    visitor.plays()
    visitor.waits_until(lambda told: told["metrics"]["test_accuracy"] > 0.95, seconds=60)


def test_a_key_that_comes_before_the_connection_counts(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive()
    held: list[Route] = []
    visitor.page.route(re.compile(r"/api/catalogue$"), lambda route: held.append(route))
    visitor.page.goto(visitor.address)
    visitor.page.wait_for_function("() => document.querySelector('[data-testid=play]')")
    visitor.page.keyboard.press("Space")
    held[0].continue_()
    expect(visitor.find("play")).to_have_attribute("aria-pressed", "true")


def test_the_loss_comes_back_after_a_visit_to_a_regression(visitor: Visitor) -> None:
    loss = visitor.told()["config"]["loss"]
    visitor.find("dataset-plane").click()
    visitor.waits_until(lambda told: told["task"]["kind"] == "regression")
    visitor.find("dataset-xor").click()
    told = visitor.waits_until(lambda told: told["task"]["kind"] == "binary")
    assert told["config"]["loss"] == loss


def test_the_keyboard_goes_on_where_a_layer_was_removed(visitor: Visitor) -> None:
    visitor.find("layer-1-remove").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.find("layer-0-remove")).to_be_focused()
