"""What is taken home from the page, and what is dropped on it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

DROP = """([name, bytes]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
SVG = "{http://www.w3.org/2000/svg}"


def take(visitor: Visitor, what: str, folder: Path) -> Path:
    with visitor.page.expect_download() as download:
        visitor.find(f"take-{what}").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_session_is_taken_home_and_dropped_again(visitor: Visitor, tmp_path: Path) -> None:
    visitor.find("share").click()
    visitor.find("take").click()
    expect(visitor.find("take-home")).to_be_visible()
    assert visitor.violations() == []
    network = take(visitor, "onnx", tmp_path)
    assert network.name == "circle-2-4-2-1.onnx"
    assert b"class Network(nn.Module)" in take(visitor, "pytorch", tmp_path).read_bytes()
    picture = ET.fromstring(take(visitor, "output-svg", tmp_path).read_text())
    arcs = sum((path.get("d") or "").count("A") for path in picture.findall(f".//{SVG}path"))
    assert arcs > 100  # points are no pixels
    assert any("class 0" in (text.text or "") for text in picture.findall(f".//{SVG}text"))
    assert take(visitor, "network-png", tmp_path).read_bytes().startswith(b"\x89PNG")
    visitor.page.keyboard.press("Escape")
    before = visitor.session
    visitor.page.evaluate(DROP, [network.name, list(network.read_bytes())])
    visitor.waits_until(lambda told: any(line["weights"] for line in told["timeline"]))
    assert visitor.session != before
