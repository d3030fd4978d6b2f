"""How networks learn that differ in learning rate and scale of the first weights (arXiv 2402.06184)."""

import json
from typing import Any

import numpy as np
import pytest

from playground.run.validation import parse
from playground.studies.trainability import Plan
from playground.training.trainability import Patch, measure
from tests.loops import COMPILED, REFERENCE, start

BASE = {
    "data": {"kind": "circle", "samples": 40},
    "hidden": [{"width": 4}],
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "batch_size": 40,
}


def starts(*gains: float):
    return [parse({**BASE, "init": {"kind": "xavier_normal", "gain": gain}}) for gain in gains]


def test_the_sign_says_whether_and_the_size_how_fast():
    fast, slow, same = [1, 0.1, 0.1, 0.1], [1, 0.9, 0.8, 0.7], [1, 1, 1, 1]
    worse, lost, back = [1, 2, 4, 8], [1, 50, np.nan, np.inf], [1, 9, 9, 0.5]
    found = measure(np.array([fast, slow, same, worse, lost, back]).T)
    assert (found > 0).tolist() == [True, True, False, False, False, True]
    assert found[0] < found[1]
    assert found[4] > found[3] > found[2] == -1
    assert found[0] == pytest.approx(1.3 / 4)
    assert found[3] == pytest.approx(-(1 + 1 / 2 + 1 / 4 + 1 / 8) / 4)


@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_a_network_of_a_patch_is_its_config_trained_alone(trainers, kernel):
    configs, rates = starts(0.5, 3), [0.01, 0.3, 0.01, 0.3]
    _, found, done = Patch(configs, [0, 0, 1, 1], rates, 20, trainers=trainers).train()
    assert done
    for network, (scale, rate) in enumerate(zip([0, 0, 1, 1], rates, strict=True)):
        config = configs[scale].model_copy(
            update={"optimizer": configs[scale].optimizer.model_copy(update={"lr": rate})}
        )
        loop = start(config, trainers)
        losses = (loop.record() + loop.train(20)).column("train_loss")
        assert found[network] == pytest.approx(measure(losses[:, None])[0], rel=1e-3)


def test_what_is_found_depends_on_no_neighbour_and_no_pause(kernel):
    configs, rates = starts(0.1, 1, 10), [0.01, 0.1, 1, 100]
    scales, all_rates = [s for s in range(3) for _ in rates], rates * 3
    _, whole, _ = Patch(configs, scales, all_rates, 30, trainers=COMPILED).train()
    patch, pieces, done = Patch(configs, scales[3:], all_rates[3:], 30, trainers=COMPILED), [], False
    while not done:
        first, found, done = patch.train(deadline=0)
        assert first == sum(map(len, pieces))
        pieces.append(found)
    np.testing.assert_array_equal(np.concatenate(pieces), whole[3:])
    assert whole[-1] < 0 < whole[5]


# --- Maps -------------------------------------------------------------------------------------------------


def test_a_map_comes_from_coarse_to_fine_and_each_of_its_pixels_once():
    plan = Plan(parse(BASE), (0.01, 1), (0.1, 1), 64, 10)
    levels = list(plan.levels())
    assert [apart for apart, _ in levels] == [16, 8, 4, 2, 1]
    assert [len(pixels) for _, pixels in levels] == [16, 48, 192, 768, 3072]
    assert len({pixel for _, pixels in levels for pixel in pixels}) == 64 * 64
    assert plan.rate(0) < plan.rate(63) < 1
    assert plan.scale(63) < plan.scale(0) < 1


def test_a_map_over_rest_is_the_same_again_and_each_pixel_opens_as_a_session(client):
    wanted = {
        "config": {**BASE, "init": {"kind": "xavier_normal"}},
        "rates": {"low": 0.01, "high": 100},
        "scales": {"low": 0.1, "high": 10},
        "side": 16,
        "steps": 12,
    }
    maps: list[dict[int, float]] = []
    made: dict[str, Any] = {}
    for _ in range(2):
        made = client.post("/api/trainability", json=wanted).json()
        found: dict[int, float] = {}
        with client.stream("GET", f"/api/trainability/{made['id']}/events") as stream:
            for line in stream.iter_lines():
                data = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                found |= dict(zip(data.get("places", []), data.get("measures", []), strict=True))
        maps.append(found)
    assert sorted(maps[0]) == list(range(256))
    assert maps[0] == maps[1]
    assert {measure > 0 for measure in maps[0].values()} == {True, False}
    assert client.get(f"/api/trainability/{made['id']}").json()["done"] == 256
    opened = client.post(f"/api/trainability/{made['id']}/open", json={"row": 0, "column": 15}).json()
    config = opened["config"]
    assert config["optimizer"]["lr"] == pytest.approx(0.01 * 10_000 ** (15.5 / 16))
    assert config["init"]["gain"] == pytest.approx(0.1 * 100 ** (15.5 / 16))
    client.delete(f"/api/sessions/{opened['id']}", headers={"Authorization": f"Bearer {opened['key']}"})
    assert client.delete(f"/api/trainability/{made['id']}").status_code == 204
    assert client.get(f"/api/trainability/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"config": {"init": {"kind": "zero"}}}, "config.init"),
        ({"config": {"hidden": [{"width": 0}]}}, "config.hidden.0.width"),
        ({"scales": {"low": 1, "high": 1000}}, "scales"),
        ({"side": 100}, "side"),
        ({"side": 256, "steps": 2000}, "steps"),
        ({"rates": {"low": 1, "high": 0.1}}, ""),
    ],
)
def test_a_wrong_map_is_refused_by_its_field(client, wrong, field):
    answer = client.post("/api/trainability", json=wrong)
    assert answer.status_code == 422, answer.text
    assert any(error["field"].startswith(field) for error in answer.json()["errors"]), answer.text
