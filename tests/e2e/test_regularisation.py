"""What keeps a network from learning by heart: set behind "More", seen on the map and in a banner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Arrive = Callable[..., Visitor]


@pytest.fixture
def visitor(arrive: Arrive) -> Visitor:
    return arrive().open()


def test_training_stops_early_says_so_and_goes_on_at_a_press(visitor: Visitor) -> None:
    visitor.find("others").click()
    visitor.sets("control-stopping", "early_stopping")
    visitor.waits_until(lambda told: told["config"]["stopping"]["kind"] == "early_stopping")
    visitor.find("parameters-stopping").click()
    visitor.sets("control-stopping.patience", "1")
    visitor.waits_until(lambda told: told["config"]["stopping"]["patience"] == 1)
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("Escape")
    visitor.sets("control-optimizer.lr", "1")
    visitor.sets("speed", "max")
    visitor.find("play").click()  # it may be over before one can see it play
    banner = visitor.find("stopped-early")
    expect(banner).to_contain_text("The weights of that epoch are back.", timeout=60_000)
    told = visitor.waits_until(lambda told: not told["playing"])
    assert told["timeline"][-1]["best"]["step"] < told["step"] == told["timeline"][-1]["step"]
    assert visitor.violations() == []
    visitor.find("train-on").click()
    visitor.waits_until(lambda now: now["step"] > told["step"])


def test_copies_are_counted_and_an_elastic_net_sets_both_penalties(visitor: Visitor) -> None:
    visitor.find("others").click()
    visitor.sets("control-augmentation", "mirror")
    expect(visitor.find("copies")).to_have_text("250 training points and 250 copies")
    visitor.sets("control-elastic_net.strength", "0.01")
    visitor.waits_until(lambda told: (told["config"]["l1"], told["config"]["l2"]) == (0.005, 0.005))
    visitor.sets("control-elastic_net.ratio", 0.9)
    visitor.waits_until(lambda told: (told["config"]["l1"], told["config"]["l2"]) == (0.009, 0.001))
