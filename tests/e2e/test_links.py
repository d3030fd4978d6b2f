"""Links of TensorFlow Playground, opened in the page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from playground.run.tensorflow_playground import imported
from tests.e2e.visitor import Visitor

LINK = (
    "#activation=relu&dataset=spiral&noise=10&networkShape=5&seed=0.27182&discretize=true&cats=3"
    "&batchSize_hide=true"
)
OTHER = "https://playground.tensorflow.org/#problem=regression&regDataset=reg-gauss&seed=0.5"
PASTE = """text => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""


def opens(visitor: Visitor, link: str) -> None:
    wished = imported(link).config.model_dump(mode="json")
    visitor.page.wait_for_function("() => location.hash.startsWith('#c=')")
    visitor.waits_until(lambda told: told["config"] == wished)


def test_a_link_of_tensorflow_playground_opens_as_it_is_there(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive().open(f"/{LINK}")
    opens(visitor, LINK)
    expect(visitor.find("toast")).to_contain_text("Unknown, and ignored: cats")
    expect(visitor.find("control-batch_size")).to_be_hidden()
    expect(visitor.find("discretise")).to_be_checked()
    assert "hide=batch_size" in visitor.page.url
    # Reloaded, the page is as it was, and another link opens wherever it is pasted.
    visitor.reloads()
    opens(visitor, LINK)
    visitor.page.evaluate(PASTE, OTHER)
    opens(visitor, OTHER)
    visitor.page.go_back()
    opens(visitor, LINK)


def test_a_link_can_be_opened_where_links_are_shared(visitor: Visitor) -> None:
    visitor.find("share").click()
    visitor.find("open-link").fill("hello")
    visitor.find("open-link-button").click()
    expect(visitor.page.get_by_role("alert").filter(has_text="no link")).to_be_visible()
    assert visitor.violations() == []
    visitor.find("open-link").fill(OTHER)
    visitor.find("open-link-button").click()
    opens(visitor, OTHER)
