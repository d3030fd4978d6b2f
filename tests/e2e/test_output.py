"""The output panel: of one moment, of a slice that it names, without flashes; and it can be drawn upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Arrive = Callable[..., Visitor]
SECONDS = 6

# At each refresh of the screen its time, and the relative luminance of some cells of each map.
RECORD = """seconds => new Promise(resolve => {
  const linear = Array.from({length: 256}, (_, i) =>
    i / 255 <= 0.04045 ? i / 255 / 12.92 : ((i / 255 + 0.055) / 1.055) ** 2.4);
  const cells = (canvas, side) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    return Array.from({length: side * side}, (_, i) => {
      const x = Math.floor(((i % side) + 0.5) * width / side);
      const y = Math.floor((Math.floor(i / side) + 0.5) * height / side);
      const at = 4 * (y * width + x);
      return 0.2126 * linear[data[at]] + 0.7152 * linear[data[at + 1]] + 0.0722 * linear[data[at + 2]];
    });
  };
  const large = document.querySelector('[data-testid=output-map]');
  const small = [...document.querySelectorAll('button[data-testid^=neuron-] canvas')];
  const times = [], output = [], neurons = [];
  const look = now => {
    times.push(now);
    output.push(cells(large, 12));
    neurons.push(small.flatMap(canvas => cells(canvas, 5)));
    if (now < times[0] + 1000 * seconds) requestAnimationFrame(look);
    else resolve({ times, output, neurons });
  };
  requestAnimationFrame(look);
})"""


def flashes(times: list[float], pictures: list[list[float]]) -> float:
    """The most of any second, of any quarter of the cells: there by a tenth of the luminance, and back again.

    As in the general flash threshold of WCAG 2.3.1.
    """
    shown = np.array(pictures)
    turns = []
    for cell in shown.T:
        found, extreme, direction = [], cell[0], 0.0
        for time, value in zip(times, cell, strict=True):
            way = value - extreme
            if abs(way) >= 0.1 and way * direction <= 0:
                found.append(time)
                direction = np.sign(way)
            if way * direction > 0:
                extreme = value
        turns.append(found)

    def of_a_quarter(start: float) -> float:
        counts = sorted(sum(start <= time < start + 1000 for time in found) for found in turns)
        return counts[-1 - len(counts) // 4]

    return max(of_a_quarter(start) for start in times) / 2


def jumping(visitor: Visitor) -> None:
    """At a rate that is far too high, the map is another one at each step."""
    visitor.sets("control-optimizer", "sgd")
    visitor.waits_until(lambda told: told["config"]["optimizer"]["kind"] == "sgd")
    visitor.sets("control-optimizer.lr", 10)
    visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 10)
    visitor.plays()
    visitor.waits_for_epoch(30)


@pytest.mark.parametrize(("motion", "most"), [("no-preference", 3), ("reduce", 1)])
def test_nothing_flashes(motion: str, most: int, arrive: Arrive) -> None:
    """At a learning rate of 10 the whole map flipped eight times a second."""
    visitor = arrive(reduced_motion=motion).open()
    jumping(visitor)
    expect(visitor.find("oscillates")).to_be_visible(timeout=30_000)
    recorded = visitor.sees(RECORD, SECONDS)
    assert recorded["times"][-1] > recorded["times"][0]
    for part in ("output", "neurons"):
        assert flashes(recorded["times"], recorded[part]) <= most, part
    assert np.ptp(np.array(recorded["output"]), axis=0).max() > 0.1, "the map is still to be seen at work"
    visitor.pauses()
    expect(visitor.find("oscillates")).to_be_hidden()


# What stands on the page in one refresh of the screen, many times over; and what the server told of.
WATCH = """count => new Promise(resolve => {
  const moments = [];
  for (const socket of window.wireLog.sockets) socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') return;
    const length = new DataView(data).getUint32(4, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 8, length)));
    if (header.type !== 'metrics' || !header.current) return;
    const row = new Float64Array(data.slice(8 + length + header.arrays[0].offset));
    moments.push(Object.fromEntries(header.columns.map((name, i) => [name, row[i]])));
  });
  const text = testid => document.querySelector(`[data-testid="${testid}"]`).textContent;
  const number = testid => Number(text(testid).replace(/[^0-9.]/g, ''));
  const seen = [];
  const look = () => {
    const rows = [...document.querySelectorAll('[data-testid=confusion] tbody tr')];
    seen.push({
      epoch: number('epoch'),
      train: number('train-accuracy') / 100,
      test: number('test-accuracy') / 100,
      table: ['train-loss', 'test-loss', 'train-accuracy', 'test-accuracy'].map(text),
      legends: ['loss', 'score']
        .flatMap(chart => [...document.querySelectorAll(`[data-testid=curve-${chart}] .legend b`)])
        .map(value => value.textContent),
      confusion: rows.map(row =>
        [...row.querySelectorAll('td:not(.recall)')].map(cell => Number(cell.textContent))),
      marks: Number(document.querySelector('[data-testid=output-points]').dataset.wrong),
    });
    if (seen.length < count) requestAnimationFrame(look);
    else resolve({ seen, moments });
  };
  requestAnimationFrame(look);
})"""


def test_all_that_is_shown_is_of_one_moment(visitor: Visitor) -> None:
    """Marks, matrix, scores and epoch each followed by a clock of its own, and disagreed while it learned."""
    visitor.sets("show-test", True)
    visitor.sets("control-data.noise", 0.4)
    visitor.sets("control-optimizer.lr", 0.3)
    visitor.waits_until(lambda told: told["config"]["optimizer"]["lr"] == 0.3)
    visitor.plays()
    visitor.waits_for_epoch(3)
    told = visitor.sees(WATCH, 200)
    noted_from = told["moments"][0]["epoch"]
    seen = [each for each in told["seen"] if each["epoch"] > noted_from]
    assert len({(each["epoch"], each["train"]) for each in seen}) > 5, "it was seen at work"
    for each in seen:
        assert each["legends"] == each["table"]
        matrix = np.array(each["confusion"])
        total = matrix.sum()
        wrong = total - np.trace(matrix)
        assert round((1 - each["test"]) * total) == wrong, each
        assert each["marks"] == wrong + round((1 - each["train"]) * 250), each
        assert any(
            int(moment["epoch"]) == each["epoch"] and abs(moment["train_accuracy"] - each["train"]) < 0.001
            for moment in told["moments"]
        ), each


FLOWERS = "width,height,petal,nectar,species\n" + "".join(
    f"{i % 9},{i % 7},{1 + i % 11 * 0.5:.1f},{i % 5},{'rose' if i % 11 > 5 else 'iris'}\n" for i in range(150)
)
"""Only the petal, the third input, tells the species: 1 to 3.5 is an iris, 4 to 6 a rose."""


def test_a_slice_says_so_and_can_be_moved(visitor: Visitor, arrive: Arrive) -> None:
    """The map of four inputs contradicted the score, and said nothing of the two that it held fixed."""
    visitor.find("csv-input").set_input_files(
        {"name": "flowers.csv", "mimeType": "text/csv", "buffer": FLOWERS.encode()}
    )
    visitor.find("csv-apply").click()
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "csv")
    assert told["config"]["features"] == ["x1", "x2", "x3", "x4"]
    visitor.sets("speed", "e60")
    visitor.plays()
    visitor.waits_until(lambda told: told["metrics"]["train_accuracy"] > 0.9, seconds=60)
    visitor.pauses()
    score = visitor.told()["metrics"]["train_accuracy"]
    held = visitor.find("slice-held")
    expect(held).to_contain_text("petal 3.")
    expect(held).to_contain_text("at their means")

    watcher = arrive().open(f"/?session={visitor.session}")
    held.click()
    pictures = []
    for petal in (1.5, 5.5):
        visitor.sets("slice-petal", petal)
        visitor.waits_until(
            lambda told, petal=petal: told["held"].get("petal") == pytest.approx(petal, abs=0.05)
        )
        expect(held).to_contain_text(f"petal {visitor.told()['held']['petal']:.3g}"[:9])
        expect(watcher.find("slice-held")).to_have_text(held.inner_text())
        pictures.append(visitor.still_picture())
        assert watcher.still_picture() == pictures[-1]
    assert pictures[0] != pictures[1], "the slice has moved"

    # Whatever the map beneath says.
    expect(visitor.find("output-points")).to_have_attribute("data-wrong", str(round((1 - score) * 75)))
    visitor.reloads()
    expect(visitor.find("slice-held")).to_contain_text("petal 5.5")
    visitor.find("slice-held").click()
    visitor.find("slice-means").click()
    visitor.waits_until(lambda told: told["held"] == {})
    visitor.find("dataset-circle").click()
    expect(visitor.find("slice")).to_have_count(0)


def own_points(visitor: Visitor) -> list[list[float]]:
    return visitor.told()["config"]["data"].get("points", [])


def marked(visitor: Visitor) -> int:
    """Pixels of the map that points cover."""
    return visitor.find("output-points").evaluate(
        """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
          .data.filter((value, i) => i % 4 === 3 && value > 0).length"""
    )


def test_clear_all_clears_and_the_last_point_can_be_erased(visitor: Visitor) -> None:
    """All points stayed, only paler; and the eraser left one for ever."""
    visitor.find("dataset-points").click()
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "points")
    before = own_points(visitor)
    visitor.find("clear-points").click()
    expect(visitor.find("no-points")).to_be_visible()
    assert marked(visitor) == 0
    visitor.find("no-points").get_by_role("button").click()
    expect(visitor.find("no-points")).to_be_hidden()
    visitor.page.wait_for_function("() => true")
    assert marked(visitor) > 0
    assert own_points(visitor) == before

    visitor.find("clear-points").click()
    visitor.find("draw-class-1").click()
    visitor.page.mouse.click(*visitor.on_map(2, 2))
    told = visitor.waits_until(lambda told: len(told["config"]["data"]["points"]) == 1)
    assert told["config"]["data"]["points"][0][:2] == pytest.approx([2, 2], abs=0.1)
    expect(visitor.find("no-points")).to_be_hidden()

    visitor.find("erase-tool").click()
    visitor.page.mouse.click(*visitor.on_map(2, 2))
    expect(visitor.find("no-points")).to_be_visible()
    assert marked(visitor) == 0
    visitor.plays()
    visitor.waits_for_epoch(10)
    assert marked(visitor) == 0, "what the server says of before does not come back by itself"
    visitor.find("draw-class-0").click()
    visitor.page.mouse.click(*visitor.on_map(-3, 1))
    told = visitor.waits_until(lambda told: told["config"]["data"]["points"][0][0] < 0)
    assert len(told["config"]["data"]["points"]) == 1


@pytest.mark.parametrize(("tool", "start"), [("look", 0), ("draw", 0), ("draw", -6.3)])
def test_a_stroke_that_leaves_the_map_selects_nothing(tool: str, start: float, visitor: Visitor) -> None:
    """It selected the words around the map when it began a little beside it."""
    visitor.find(f"{tool}-tool").click()
    visitor.page.mouse.move(*visitor.on_map(start, 0))
    visitor.page.mouse.down()
    box = visitor.find("output-numbers").bounding_box()
    assert box
    for x, y in [visitor.on_map(3, 5), (box["x"] + 60, box["y"] + 40), (box["x"], box["y"]), (20, 500)]:
        visitor.page.mouse.move(x, y, steps=4)
    assert visitor.page.evaluate("() => getSelection().toString()") == ""
    visitor.page.mouse.up()


def test_a_tap_reads_the_map(arrive: Arrive) -> None:
    """A mouse read it by pointing; a finger got no answer."""
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    visitor = arrive(**phone).open()
    silent = visitor.find("readout").inner_text()
    visitor.page.touchscreen.tap(*visitor.on_map(3, -3))
    expect(visitor.find("readout")).to_contain_text("x1 3")
    visitor.page.touchscreen.tap(*visitor.on_map(-4, 2))
    expect(visitor.find("readout")).to_contain_text("x1 −4")
    visitor.find("output-title").tap()
    expect(visitor.find("readout")).to_have_text(silent)
