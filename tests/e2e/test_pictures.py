"""A picture as data: brought along, painted by the network, compared with what it should be."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor
from tests.test_rest_data import an_image


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_a_picture_of_ones_own_is_painted(visitor: Visitor, size: tuple[int, int]) -> None:
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    file: Any = {"name": "mine.png", "mimeType": "image/png", "buffer": an_image()}
    visitor.find("csv-input").set_input_files(file)
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "image")
    assert (told["task"]["picture"], told["config"]["loss"]["kind"]) == ([64, 32], "mse")
    expect(visitor.find("csv-dialog")).to_have_count(0)
    expect(visitor.find("target-picture")).to_contain_text("64 × 32")
    expect(visitor.find("output-points")).to_have_count(0)
    before = visitor.picture()
    visitor.plays()
    visitor.waits_for_epoch(2)
    visitor.pauses()
    assert visitor.picture() != before
    visitor.find("target-picture").click()
    expect(visitor.find("target-over")).to_be_visible()
    assert not visitor.violations()
    visitor.sets("control-data.palette", "2")
    told = visitor.waits_until(lambda told: told["task"]["kind"] == "binary")
    assert told["config"]["loss"]["kind"] == "bce"


def test_a_drawn_picture_is_chosen_one_level_down_and_left_for_points_of_ones_own(visitor: Visitor) -> None:
    visitor.find("more-data").click()
    visitor.find("dataset-flower").click()
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "flower")
    expect(visitor.find("target-picture")).to_be_visible()
    visitor.find("fourier").click()
    visitor.find("fourier-16").click()
    told = visitor.waits_until(lambda told: len(told["config"]["features"]) == 18)
    assert told["config"]["features"][-1] == "rff16"
    expect(visitor.find("feature-rff1")).to_have_attribute("aria-pressed", "true")
    assert not visitor.violations()
    visitor.find("fourier-0").click()
    visitor.waits_until(lambda told: told["config"]["features"] == ["x1", "x2"])
    visitor.page.keyboard.press("Escape")
    visitor.find("dataset-points").click()
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "points")
    expect(visitor.find("target-picture")).to_have_count(0)
