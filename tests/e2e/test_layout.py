"""Where things are on screens of different sizes, and what stays in sight."""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.visitor import Visitor

Arrive = Callable[..., Visitor]
Box = Mapping[str, Any]

PANELS = ["data", "network", "output", "curves"]
PHONES = {"portrait": (390, 844), "landscape": (844, 390)}


def screen(width: int, height: int) -> dict[str, Any]:
    touch = min(width, height) < 500
    size = {"width": width, "height": height}
    return {"viewport": size, "screen": size, "has_touch": touch, "is_mobile": touch}


def box(locator: Locator) -> Box:
    found = locator.bounding_box()
    assert found is not None, "it is not shown"
    return {**found}


def overlap(one: Box, other: Box) -> float:
    """Pixels in both."""
    sides = [
        min(one[at] + one[size], other[at] + other[size]) - max(one[at], other[at])
        for at, size in (("x", "width"), ("y", "height"))
    ]
    return sides[0] * sides[1] if min(sides) > 0 else 0.0


def panel(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(f"section[aria-labelledby={name}-title], section:has(#{name}-title)").first


def is_within(inner: Box, width: float, height: float) -> bool:
    return (
        inner["x"] >= 0
        and inner["y"] >= 0
        and inner["x"] + inner["width"] <= width + 1
        and inner["y"] + inner["height"] <= height + 1
    )


# At 1280x720 the curves were below the edge, at 1024x768 too.
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (1440, 900), (1920, 1080)], ids=str)
def test_all_panels_are_in_sight(size: tuple[int, int], arrive: Arrive) -> None:
    visitor = arrive(**screen(*size)).open()
    page = visitor.page
    assert page.evaluate("() => document.documentElement.scrollHeight") <= size[1]
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    boxes = [box(panel(visitor, name)) for name in PANELS]
    assert all(is_within(each, *size) for each in boxes)
    for testid in ["output-map", "curve-loss", "neuron-0-3", "feature-cos(x2)", "dataset-csv"]:
        assert is_within(box(visitor.find(testid)), *size), testid
    rooms = page.locator(".room")
    assert rooms.evaluate("e => e.scrollHeight - e.clientHeight") <= 0, "the network scrolls"


# Maps and tiles were of one size on every screen.
def test_pictures_grow_with_the_window(arrive: Arrive) -> None:
    sizes: list[list[float]] = []
    for size in [(1280, 720), (1440, 900), (1920, 1080)]:
        visitor = arrive(**screen(*size)).open()
        sizes.append([box(visitor.find(at))["width"] for at in ("output-map", "neuron-0-0", "feature-x1")])
    for small, large in pairwise(sizes):
        assert all(a < b for a, b in zip(small, large, strict=True)), sizes
    assert sizes[-1][0] > 500


TYPE = """() => [...document.querySelectorAll('main *, header *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .filter(e => e.checkVisibility() && getComputedStyle(e).clipPath === 'none'
        && !e.closest('.visually-hidden'))
    .map(e => [e.textContent.trim(), parseFloat(getComputedStyle(e).fontSize)])"""


def test_a_presentation_is_read_from_the_last_row(arrive: Arrive) -> None:
    size = (1536, 864)  # 1920x1080 at 125 %
    visitor = arrive(**screen(*size)).open("/?present")
    small = [(text, pixels) for text, pixels in visitor.page.evaluate(TYPE) if pixels < 20]
    assert small == []
    for testid in ["output-map", "curve-loss", "neuron-0-0", "epoch", "play"]:
        assert is_within(box(visitor.find(testid)), *size), testid
    for testid in ["control-optimizer", "dataset-circle", "layer-0-add-neuron", "draw-class-0", "speed"]:
        expect(visitor.find(testid)).to_have_count(0)
    assert visitor.page.evaluate("() => document.documentElement.scrollHeight") <= size[1]


def test_a_key_and_a_button_begin_and_end_the_presentation(visitor: Visitor) -> None:
    visitor.page.keyboard.press("p")
    expect(visitor.find("present")).to_have_attribute("aria-pressed", "true")
    expect(visitor.find("control-optimizer")).to_have_count(0)
    visitor.plays()
    visitor.find("present").click()
    expect(visitor.find("control-optimizer")).to_be_visible()
    visitor.page.keyboard.press("p")
    visitor.page.reload()
    expect(visitor.find("control-optimizer")).to_be_visible()


OPENERS = [
    ("neuron-0-3", "neuron-0-3"),
    ("neuron-1-0", "neuron-1-0"),
    ("neuron-2-0", "neuron-2-0"),
    ("layer-0-width", "layer-0"),
    ("layer-1-width", "layer-1"),
    ("help-data.noise", "help-data.noise"),
]


def card(visitor: Visitor) -> Locator:
    return visitor.page.locator(".card:popover-open").last


def settled(locator: Locator) -> Box:
    """Where it is once it has stopped moving."""
    locator.page.wait_for_function(
        """async e => {
            const at = () => JSON.stringify(e.getBoundingClientRect());
            const before = at();
            for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
            return before === at();
        }""",
        arg=locator.element_handle(),
    )
    return box(locator)


# A card covered its neuron where no side had room, and on a phone whatever was in the lower half.
@pytest.mark.parametrize("size", [(1280, 720), (390, 844), (844, 390)], ids=str)
def test_a_card_never_covers_what_it_explains(size: tuple[int, int], arrive: Arrive) -> None:
    visitor = arrive(**screen(*size)).open()
    for opener, explained in OPENERS:
        visitor.find(opener).click()
        at = settled(card(visitor))
        assert overlap(at, box(visitor.find(explained))) == 0, explained
        assert is_within(at, *size), explained
        visitor.page.keyboard.press("Escape")


MIDDLE = """e => {
  const at = e.getPointAtLength(e.getTotalLength() / 2);
  const { a, d, e: x, f: y } = e.getScreenCTM();
  return [at.x * a + x, at.y * d + y];
}"""


def test_the_card_of_a_connection_lies_beside_all_of_it(arrive: Arrive) -> None:
    visitor = arrive(**screen(1280, 720)).open()
    for testid in ["edge-0-1-3", "edge-1-0-0", "edge-2-1-0"]:
        edge = visitor.find(testid)
        visitor.page.mouse.click(*edge.evaluate(MIDDLE))
        assert overlap(settled(card(visitor)), box(edge)) == 0, testid
        visitor.page.keyboard.press("Escape")


def in_sight(visitor: Visitor, names: Iterable[str], size: tuple[int, int]) -> bool:
    return any(is_within(box(visitor.find(name)), *size) for name in names if visitor.find(name).count() == 1)


# One scrolled down to a control, changed it, and scrolled up to see what had become of the map.
@pytest.mark.parametrize("way", PHONES)
def test_on_a_phone_the_map_stays_in_sight(way: str, arrive: Arrive) -> None:
    size = PHONES[way]
    visitor = arrive(**screen(*size)).open()
    maps = ["mini-map"] if way == "portrait" else ["output-map"]
    for testid in ["neuron-0-0", "control-data.noise", "dataset-circle"]:
        visitor.find(testid).scroll_into_view_if_needed()
        assert in_sight(visitor, maps, size), testid
    visitor.find("more").tap()
    sheet = visitor.page.locator("#settings:popover-open")
    visitor.find("control-l2").scroll_into_view_if_needed()
    for name in maps:
        assert overlap(settled(sheet), box(visitor.find(name))) == 0
    picture = (
        visitor.page.locator(f"[data-testid={maps[0]}]").locator("xpath=descendant-or-self::canvas").first
    )
    before = picture.evaluate("e => e.toDataURL()")
    visitor.sets("control-activation", "relu")
    visitor.waits_until(lambda told: told["config"]["hidden"][0]["activation"]["kind"] == "relu")
    changed = "([e, before]) => e.toDataURL() !== before"
    visitor.page.wait_for_function(changed, arg=[picture.element_handle(), before])


def test_the_first_screen_of_a_phone(arrive: Arrive) -> None:
    size = PHONES["portrait"]
    visitor = arrive(**screen(*size)).open()
    title = visitor.page.get_by_role("heading", level=1)
    for shown in [title, visitor.find("play"), visitor.find("mini-map"), visitor.find("neuron-0-3")]:
        assert is_within(box(shown), *size)
    tops = [box(panel(visitor, name))["y"] for name in ["network", "data", "output", "curves"]]
    assert tops == sorted(tops)


def test_the_sheet_goes_by_a_tap_beside_it_by_a_swipe_and_by_escape(arrive: Arrive) -> None:
    visitor = arrive(**screen(*PHONES["portrait"])).open()
    page = visitor.page
    sheet = page.locator("#settings")

    def opens() -> None:
        visitor.find("more").tap()
        expect(sheet).to_be_visible()
        expect(visitor.find("more")).to_have_attribute("aria-expanded", "true")

    opens()
    page.touchscreen.tap(200, 230)
    expect(sheet).to_be_hidden()
    opens()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    opens()
    grip = settled(visitor.find("sheet-grip"))
    x, y = grip["x"] + 100, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 120, steps=4)
    page.mouse.up()
    expect(sheet).to_be_hidden()


def test_what_matters_comes_first_and_the_rest_is_counted(visitor: Visitor) -> None:
    labels = visitor.page.locator("header .settings label").all_inner_texts()
    assert labels == ["Learning rate", "Activation", "Optimizer", "Batch size", "L1", "L2"]
    more = visitor.find("others")
    expect(more).to_have_text("More")
    more.click()
    visitor.sets("control-seed", 7)
    visitor.sets("control-loss", "mse")
    expect(more).to_have_text("More · 2 changed")
    visitor.sets("control-seed", 0)
    expect(more).to_have_text("More · 1 changed")


# The speed and all right of it moved as the epochs grew.
@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)], ids=str)
def test_nothing_moves_while_the_counters_grow(size: tuple[int, int], arrive: Arrive) -> None:
    visitor = arrive(**screen(*size)).open()
    places = """() => [...document.querySelectorAll('header button, header select, header dt, .status')]
        .filter(e => e.checkVisibility())
        .map(e => { const { x, y, width } = e.getBoundingClientRect(); return [x, y, width]; })"""
    before = visitor.page.evaluate(places)
    visitor.page.evaluate(
        """() => {
            for (const id of ['epoch', 'step-count'])
                document.querySelector(`[data-testid=${id}]`).textContent = '9,999,999';
        }"""
    )
    assert visitor.page.evaluate(places) == before
