"""An embedding: the plane of the points, its marks, and the way back to classes."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def test_points_move_in_a_plane_and_are_marked_there_and_on_the_map(visitor: Visitor) -> None:
    expect(visitor.find("embedding")).to_be_hidden()
    visitor.unfolds().sets("control-loss", "contrastive")
    told = visitor.waits_until(lambda told: told["config"]["loss"]["kind"] == "contrastive")
    assert told["task"]["kind"] == "embedding"
    expect(visitor.find("embedding")).to_be_visible()
    expect(visitor.find("output-numbers")).to_contain_text("Accuracy")
    readout = visitor.find("embedding-readout")
    x1, x2 = first_point(visitor)
    visitor.page.keyboard.press("Escape")
    visitor.page.mouse.move(*visitor.on_map(x1, x2))
    expect(readout).to_contain_text("Training point, class")
    visitor.page.mouse.move(0, 0)
    expect(readout).to_contain_text("marked in both")
    assert not visitor.violations()
    visitor.unfolds().sets("control-loss", "margin_ranking")
    expect(visitor.find("output-numbers")).to_contain_text("Right order")
    expect(visitor.find("output-numbers")).not_to_contain_text("Accuracy")
    visitor.sets("control-loss", "bce")
    expect(visitor.find("embedding")).to_be_hidden()
    assert visitor.told()["task"]["kind"] == "binary"


def first_point(visitor: Visitor) -> tuple[float, float]:
    """One of those that the default data have, whatever they are, by the server's preview."""
    config = visitor.told()["config"]
    wish = {"data": config["data"], "seed": config["seed"]}
    answer = visitor.page.request.post(f"{visitor.server}/api/preview", data=wish)
    x1, x2, _ = answer.json()["train"][0]
    return x1, x2
