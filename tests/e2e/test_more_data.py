"""Data sets one level down: chosen, seen, and left again."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def features(told: dict) -> list[str]:
    return told["config"]["features"]


def takes(visitor: Visitor, kind: str, inputs: int) -> None:
    visitor.find(f"dataset-{kind}").click()
    named = [f"x{i + 1}" for i in range(inputs)]
    visitor.waits_until(
        lambda told: told["config"]["data"]["kind"] == kind and told["config"]["features"] == named
    )


def test_more_data_wait_one_level_down_and_bring_their_inputs(visitor: Visitor) -> None:
    expect(visitor.find("dataset-sine_curve")).to_be_hidden()
    visitor.find("more-data").click()
    takes(visitor, "sine_curve", 1)
    expect(visitor.find("output-curve")).to_be_visible()
    visitor.find("more-data").click()
    expect(visitor.find("dataset-sine_curve")).to_be_hidden()
    expect(visitor.find("more-data")).to_have_accessible_name("More data: Sine wave")
    takes(visitor, "circle", 2)
    expect(visitor.find("output-map")).to_be_visible()
    expect(visitor.find("more-data")).to_have_accessible_name("More data")


def test_a_parameter_that_adds_inputs_adds_them_to_the_network(visitor: Visitor) -> None:
    visitor.find("more-data").click()
    takes(visitor, "parity", 3)
    visitor.sets("control-data.bits", 5)
    visitor.waits_until(lambda told: features(told) == ["x1", "x2", "x3", "x4", "x5"])
    visitor.sets("control-data.bits", 2)
    visitor.waits_until(lambda told: features(told) == ["x1", "x2"])


def test_the_64_pixels_of_a_digit_do_not_hide_the_network(visitor: Visitor) -> None:
    visitor.find("more-data").click()
    takes(visitor, "digits", 64)
    expect(visitor.find("more-features")).to_have_text("+56")
    expect(visitor.find("feature-x64")).to_be_hidden()
    visitor.find("more-features").click()
    expect(visitor.find("feature-x64")).to_be_attached()
    visitor.plays()
    visitor.waits_for_epoch(2)


def test_how_rare_a_class_is_waits_among_the_other_settings_of_the_data(visitor: Visitor) -> None:
    expect(visitor.find("control-data.share")).to_be_hidden()
    visitor.find("data-others").locator("summary").click()
    visitor.sets("control-data.share", 0.1)
    visitor.waits_until(lambda told: told["config"]["data"]["share"] == 0.1)


def test_what_a_data_set_begins_with_is_not_lost_to_the_one_before(visitor: Visitor) -> None:
    """The four points of XOR are all trained on; half of them say nothing."""
    visitor.find("more-data").click()
    takes(visitor, "xor_points", 2)
    visitor.waits_until(lambda told: told["config"]["data"]["train_fraction"] == 1)
    takes(visitor, "parity", 3)
    visitor.waits_until(lambda told: told["config"]["data"]["noise"] == 0.2)
