"""What was learned is never lost: undo, a way back from divergence, a server that stops."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.server import free_port, serving
from tests.e2e.visitor import Visitor

ACCURACY = 0.97


def accuracy(visitor: Visitor) -> float:
    return visitor.told()["metrics"]["train_accuracy"]


def learns(visitor: Visitor) -> None:
    """The default experiment until it is solved, and stops."""
    visitor.sets("speed", "max")
    visitor.plays()
    visitor.waits_until(lambda told: told["metrics"]["train_accuracy"] > ACCURACY)
    visitor.pauses()


def test_a_removed_layer_comes_back_with_what_it_had_learned(visitor: Visitor) -> None:
    """Circle at 100 %, a layer removed (43 %), undo: 46.8 %."""
    learns(visitor)
    before = visitor.told()
    visitor.find("layer-1-remove").click()
    visitor.waits_until(lambda told: len(told["config"]["hidden"]) == 1)
    visitor.plays()
    visitor.waits_until(lambda told: told["step"] > before["step"] + 100)
    expect(visitor.find("undo")).to_have_attribute("title", re.compile("comes back"))
    visitor.find("undo").click()
    told = visitor.waits_until(lambda told: len(told["config"]["hidden"]) == 2)
    assert told["metrics"]["train_accuracy"] > ACCURACY
    visitor.find("redo").click()
    visitor.waits_until(lambda told: len(told["config"]["hidden"]) == 1)


def test_a_reset_is_undone(visitor: Visitor) -> None:
    learns(visitor)
    before = visitor.told()
    visitor.find("reset").click()
    visitor.waits_until(lambda told: told["step"] == 0)
    expect(visitor.find("undo")).to_have_attribute("title", re.compile("reset"))
    visitor.page.keyboard.press("Control+z")
    told = visitor.waits_until(lambda told: told["step"] == before["step"])
    assert told["metrics"]["train_loss"] == before["metrics"]["train_loss"]
    expect(visitor.find("step-count")).to_have_text(f"{before['step']:,}")


def test_a_new_experiment_is_undone(visitor: Visitor) -> None:
    learns(visitor)
    before, session = visitor.told(), visitor.session
    visitor.find("new").click()
    expect(visitor.find("step-count")).to_have_text("0")
    visitor.find("undo").click()
    expect(visitor.find("step-count")).to_have_text(f"{before['step']:,}")
    assert visitor.session == session
    visitor.page.go_back()
    assert visitor.told()["metrics"]["train_loss"] == before["metrics"]["train_loss"]


def test_own_points_come_back(visitor: Visitor) -> None:
    visitor.find("dataset-points").click()
    own = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "points")["config"]["data"]
    visitor.find("dataset-xor").click()
    visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "xor")
    visitor.reloads()
    visitor.find("dataset-points").click()
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "points")
    assert told["config"]["data"]["points"] == own["points"]


def test_a_press_leads_back_from_divergence(visitor: Visitor) -> None:
    """Six presses on "go on with learning rate …" stopped again at once."""
    visitor.find("dataset-plane").click()
    visitor.waits_until(lambda told: told["task"]["kind"] == "regression")
    visitor.page.evaluate(
        """async ([session, key]) => {
            const optimizer = { kind: "sgd", lr: 10 };
            const relu = { activation: { kind: "relu" } };
            const hidden = [{ width: 4, ...relu }, { width: 2, ...relu }];
            const answer = await fetch(`/api/sessions/${session}/config`, {
                method: "PATCH",
                headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
                body: JSON.stringify({ optimizer, hidden, loss: { kind: "mse" } }),
            });
            if (!answer.ok) throw new Error(await answer.text());
        }""",
        [visitor.session, visitor.keys[visitor.session]],
    )
    visitor.find("play").click()
    banner = visitor.find("diverged")
    expect(banner).to_contain_text("learning rate 10 is too high", timeout=30_000)
    visitor.find("go-back").click()
    expect(banner).to_be_hidden()
    told = visitor.waits_until(lambda told: told["epoch"] > 20)
    assert told["diverged"] is None
    assert told["metrics"]["train_loss"] < 1


def test_a_server_that_stops_and_comes_back(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    """The page fell to epoch 0 and said that it had started anew."""
    rows = (f"{n},{n % 9},{['no', 'yes'][n > 20]}\n" for n in range(40))
    (table := tmp_path / "marks.csv").write_text("hours,sleep,passed\n" + "".join(rows))
    port = free_port()
    with serving(port) as (address, _):
        visitor, owner = arrive(address), arrive(address)
        for each in (visitor, owner):
            each.server = address
            each.open()
        learns(visitor)
        before, weights, picture = visitor.told(), _weights(visitor.page), visitor.still_picture()
        visitor.find("layer-1-remove").click()
        visitor.waits_until(lambda told: told["config"] != before["config"])
        visitor.find("undo").click()
        visitor.waits_until(lambda told: told["config"] == before["config"])
        assert visitor.still_picture() == picture
        owner.find("csv-input").set_input_files(table)
        owner.find("csv-apply").click()
        own = owner.waits_until(lambda told: told["config"]["data"]["kind"] == "csv")
    expect(visitor.find("away")).to_be_visible()
    expect(owner.find("away")).to_be_visible()
    assert visitor.picture() == picture
    expect(visitor.find("step-count")).to_have_text(f"{before['step']:,}")
    with serving(port):
        expect(visitor.find("away")).to_be_hidden(timeout=60_000)
        expect(visitor.find("status")).to_have_class(re.compile("paused"))
        told = visitor.told()
        assert (told["step"], told["config"]) == (before["step"], before["config"])
        assert _weights(visitor.page) == weights
        visitor.plays()
        visitor.waits_for_epoch(before["epoch"])
        expect(owner.find("away")).to_be_hidden(timeout=60_000)
        assert owner.told()["config"]["data"] == own["config"]["data"], "its file is uploaded again"


def _weights(page: Page) -> str:
    return page.evaluate(
        """async () => {
            const id = JSON.parse(sessionStorage.getItem("playground.session")).id;
            const signal = AbortSignal.timeout(30_000);
            return (await fetch(`/api/sessions/${id}/weights`, { signal })).text();
        }"""
    )
