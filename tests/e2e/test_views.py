"""Other ways to look: other inputs on the map, the points of a cell of the confusion matrix, curves of the
scores."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Arrive = Callable[..., Visitor]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

# Pixels that points cover wholly.
SOLID = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  .data.filter((value, i) => i % 4 === 3 && value > 200).length"""


# In CSS pixels, where a point is.
A_POINT = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const at = data.findIndex((value, i) => i % 4 === 3 && value > 200) >> 2;
  const scale = canvas.clientWidth / canvas.width;
  return [(at % canvas.width) * scale, Math.floor(at / canvas.width) * scale + 2];
}"""
TURNED = re.compile(r"sepal length \(cm\), petal width \(cm\)")


def chooses(visitor: Visitor, kind: str) -> None:
    visitor.find("more-data").click()
    visitor.find(f"dataset-{kind}").click()
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == kind)
    visitor.waits_until(lambda told: len(told["config"]["features"]) == told["task"]["inputs"])
    assert told["task"]["inputs"] > 2
    expect(visitor.find("slice")).to_be_visible()


def solid(visitor: Visitor) -> int:
    return visitor.find("output-points").evaluate(SOLID)


def test_the_map_is_drawn_over_other_inputs_and_whoever_watches_sees_the_same(
    visitor: Visitor, arrive: Arrive
) -> None:
    chooses(visitor, "iris")
    visitor.plays()
    visitor.waits_for_epoch(3)
    visitor.pauses()
    watcher = arrive().open(f"/?session={visitor.session}")
    before = visitor.still_picture()
    visitor.find("slice-held").click()
    visitor.sets("axis-x", "sepal length (cm)")
    visitor.waits_until(lambda told: told["axes"]["x"] == "sepal length (cm)")
    for page in (visitor, watcher):
        expect(page.find("output-map")).to_have_accessible_name(TURNED)
        expect(page.find("slice-held")).to_contain_text("petal length (cm)")
    turned = visitor.still_picture()
    assert turned not in ("", before)
    assert watcher.still_picture() == turned

    # The others at the values of a point; beside the points there is none.
    points = visitor.find("output-map")
    points.click(position={"x": 4, "y": 4})
    expect(visitor.find("picked-row")).to_have_count(0)
    x, y = visitor.find("output-points").evaluate(A_POINT)
    points.click(position={"x": x, "y": y})
    expect(visitor.find("picked-row")).to_contain_text("Training point")
    visitor.find("hold-row").click()
    told = visitor.waits_until(lambda told: set(told["held"]) == {"petal length (cm)", "sepal width (cm)"})
    expect(visitor.find("hold-row")).to_be_disabled()

    visitor.find("over-components").click()
    visitor.waits_until(lambda told: told["axes"]["projection"] == "principal_components")
    for page in (visitor, watcher):
        expect(page.find("slice-held")).to_contain_text("of the variance")
    assert watcher.still_picture() == visitor.still_picture()
    assert visitor.violations() == []
    visitor.find("over-inputs").click()
    again = visitor.waits_until(lambda told: told["axes"]["projection"] == "inputs")
    assert (again["held"], again["axes"]["x"]) == (told["held"], "sepal length (cm)")


def test_a_cell_of_the_confusion_matrix_shows_its_points_alone(visitor: Visitor) -> None:
    visitor.sets("control-data.noise", 0.4)
    visitor.plays()
    visitor.waits_for_epoch(5)
    everything = solid(visitor)
    visitor.find("cell-0-0").focus()
    visitor.page.keyboard.press("ArrowRight")
    expect(visitor.find("cell-0-1")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.find("cell-0-1")).to_have_attribute("aria-pressed", "true")
    assert solid(visitor) < everything / 2
    visitor.pauses()
    count = visitor.find("cell-0-1").inner_text()
    expect(visitor.find("lit")).to_contain_text(f"{count} point")
    visitor.find("confusion-train").click()
    expect(visitor.find("lit")).to_contain_text("(Train)")
    visitor.page.keyboard.press("Escape")
    expect(visitor.find("lit")).to_have_count(0)
    assert solid(visitor) > everything / 2
    visitor.find("cell-1-1").click()
    visitor.find("cell-1-1").click()
    expect(visitor.find("cell-1-1")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_curves_of_the_scores_wait_one_level_down(theme: str, arrive: Arrive) -> None:
    visitor = arrive(**PHONE, color_scheme=theme).open()
    chooses(visitor, "wine")
    expect(visitor.find("score-plot")).to_have_count(0)
    visitor.find("score-curves").locator("summary").first.click()
    visitor.plays()
    visitor.waits_for_epoch(4)
    visitor.pauses()
    found = visitor.page.request.get(f"{visitor.server}/api/sessions/{visitor.session}/scores/curves").json()
    own = {"roc": "area", "precision_recall": "area", "calibration": "error"}
    for view, measure in own.items():
        visitor.find(f"curves-{view}").tap()
        for k, each in enumerate(found["test"]["classes"]):
            expect(visitor.find(f"curves-measure-{k}")).to_have_text(f"{each[view][measure]:.3f}")
        expect(visitor.find("curves-sentence")).to_contain_text(f"{found['test']['macro'][view]:.3f}")
    visitor.find("score-curves").locator("summary").nth(1).tap()
    visitor.find("cell-1-1").tap()
    expect(visitor.find("lit")).to_be_visible()
    assert visitor.violations() == []


# Neurons whose map has not been painted, of those in a column that is wholly on the screen.
BLANK = """() => {
  const room = document.querySelector('.network .room').getBoundingClientRect();
  const tiles = [...document.querySelectorAll('[data-testid^=neuron-]')].filter((tile) => {
    const { left, right } = tile.getBoundingClientRect();
    return left >= room.left && right <= room.right;
  });
  const painted = (tile) => {
    const canvas = tile.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value);
  };
  return tiles.length ? tiles.filter((tile) => !painted(tile)).length : -1;
}"""


def test_a_neuron_that_is_scrolled_to_has_its_map_and_one_that_is_enlarged_all_its_weights(
    arrive: Arrive,
) -> None:
    visitor = arrive(**PHONE).open()
    key = {"Authorization": f"Bearer {visitor.keys[visitor.session]}"}
    wide = {"hidden": [{"width": 40}] * 6}
    address = f"{visitor.server}/api/sessions/{visitor.session}/config"
    httpx.patch(address, json=wide, headers=key, timeout=30).raise_for_status()
    visitor.find("neuron-5-0").wait_for()
    visitor.page.wait_for_function(f"() => ({BLANK})() === 0")  # it does not train
    visitor.page.evaluate("() => document.querySelector('.network .room').scrollBy(450, 0)")
    visitor.page.wait_for_function(f"() => ({BLANK})() === 0")
    visitor.find("neuron-3-0").click()
    expect(visitor.find("weight-3-39-0")).to_have_value(re.compile(r"\d"))
