"""Of more than two inputs, the maps are drawn over two and hold the others: where, and who says so."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from playground.run.slices import Axes
from playground.training.planes import principal_components
from playground.training.views import Views
from tests.guest import Guest, assert_problem
from tests.loops import start

NewSession = Callable[..., Guest]
TABLE = "a,b,c,d,kind\n" + "\n".join(
    f"{i % 7},{i % 5},{10 + i % 11},{i % 3},{'yes' if i % 11 > 5 else 'no'}" for i in range(120)
)
"""The third input alone decides: 10 to 15 is "no", 16 to 20 is "yes"."""


def uploaded(client: httpx.Client) -> str:
    answer = client.post("/api/datasets", files={"file": ("table.csv", TABLE)})
    assert answer.is_success, answer.text
    return answer.json()["id"]


def config(table: str) -> dict[str, Any]:
    data = {"kind": "csv", "id": table, "x1": "a", "x2": "b", "inputs": ["c", "d"], "target": "kind"}
    return {"data": data, "features": ["x1", "x2", "x3", "x4"]}


@pytest.fixture
def table(client: httpx.Client) -> str:
    return uploaded(client)


@pytest.fixture
def guest(new_session: NewSession, table: str) -> Guest:
    guest = new_session(config(table))
    guest.do("POST", "/step", {"epochs": 200})
    return guest


def decision(guest: Guest) -> np.ndarray:
    return np.array(guest.do("GET", "/maps?size=10")["decision"])


def test_the_map_is_drawn_where_the_holder_holds_the_other_inputs(guest: Guest) -> None:
    """It was always drawn at their mean: half of these points said yes, and the map did not show it."""
    assert guest.look()["metrics"]["train_accuracy"] > 0.95
    for value, yes in ((11, False), (19, True)):
        guest.do("POST", "/slice", {"held": {"c": value}})
        assert guest.look()["held"] == {"c": value}
        assert ((decision(guest) > 0.5) == yes).mean() > 0.9
    at = decision(guest)
    guest.do("POST", "/slice", {"held": {}})
    assert not np.array_equal(decision(guest), at)


async def test_every_frame_says_at_what_its_maps_are_held(guest: Guest) -> None:
    async with guest.watch() as page, guest.watch(as_holder=False) as other:
        await page.until(lambda: page.frames)
        low, high = page.frames[0][0]["held"]
        assert 14 < low < 16
        assert 0.8 < high < 1.2
        answer = await page.do(type="slice", held={"d": 1.75})
        assert answer["type"] == "ack"
        for viewer in (page, other):
            await viewer.event("state", held={"d": 1.75})
            await viewer.until(lambda viewer=viewer: viewer.frames[-1][0]["held"][1] == 1.75)
            assert viewer.frames[-1][0]["held"][0] == pytest.approx(low)


def test_a_slice_outlives_a_reset_and_is_no_part_of_the_run(guest: Guest) -> None:
    before = guest.look()
    guest.do("POST", "/slice", {"held": {"c": 12.5}})
    after = guest.look()
    assert (after["config"], after["timeline"]) == (before["config"], before["timeline"])
    guest.do("POST", "/reset")
    assert guest.look()["held"] == {"c": 12.5}


def test_a_slice_is_of_its_data_and_is_there_again_with_them(guest: Guest) -> None:
    own = guest.look()["config"]
    guest.do("POST", "/slice", {"held": {"c": 12.5}})
    at = decision(guest)
    guest.do("PATCH", "/config", {"data": {"kind": "circle"}, "features": ["x1", "x2"]})
    assert guest.look()["held"] == {}
    assert_problem(guest.call("POST", "/slice", {"held": {"c": 12.5}}), 422, "held.c")
    guest.do("PATCH", "/config", {"data": own["data"], "features": own["features"]})
    assert guest.look()["held"] == {"c": 12.5}
    assert decision(guest).shape == at.shape


def test_a_slice_is_still_set_after_the_death_of_a_worker(serve: Callable[..., Any]) -> None:
    with serve() as own, httpx.Client(base_url=own.address, timeout=60) as client:
        guest = Guest(client, client.post("/api/sessions", json={"config": config(uploaded(client))}).json())
        guest.do("POST", "/slice", {"held": {"c": 19}, "axes": {"y": "d"}})
        guest.do("POST", "/step", {"steps": 20})
        before = decision(guest)
        own.kill_worker()
        now = guest.look()
        assert (now["held"], now["axes"]["y"]) == ({"c": 19}, "d")
        np.testing.assert_array_equal(decision(guest), before)


def test_a_map_is_drawn_over_any_two_inputs(guest: Guest) -> None:
    """The third input decides, so it is where the map has its boundary; the first two show none of it."""
    flat = decision(guest) > 0.5
    assert flat.all() or not flat.any()
    ahead = np.array(guest.do("GET", "/maps?size=10&x=c&y=b")["decision"]) > 0.5
    assert not ahead[:, :4].any()
    assert ahead[:, 6:].all()
    guest.do("POST", "/slice", {"held": {}, "axes": {"x": "b", "y": "c"}})
    assert guest.look()["axes"] == {"projection": "inputs", "x": "b", "y": "c"}
    np.testing.assert_array_equal(decision(guest) > 0.5, ahead.T[::-1, ::-1])
    over_first = np.array(guest.do("GET", "/maps?size=10&x=a&y=b")["decision"])
    np.testing.assert_array_equal(over_first > 0.5, flat)


def test_an_axis_alone_is_drawn_against_the_first_of_the_others(guest: Guest) -> None:
    for one, both in (("x=b", "x=b&y=a"), ("y=a", "x=b&y=a"), ("y=d", "x=a&y=d")):
        maps = [guest.do("GET", f"/maps?size=10&{query}")["decision"] for query in (one, both)]
        assert maps[0] == maps[1]


async def test_everybody_sees_the_points_by_the_same_axes(guest: Guest) -> None:
    async with guest.watch() as page, guest.watch(as_holder=False) as other:
        await page.until(lambda: page.data and page.frames)
        assert [axis["input"] for axis in page.data[0]["axes"]] == [0, 1]
        await page.do(type="slice", held={"a": 2.5}, axes={"x": "d", "y": "c"})
        for viewer in (page, other):
            await viewer.event("state", axes={"projection": "inputs", "x": "d", "y": "c"}, held={"a": 2.5})
            await viewer.until(lambda viewer=viewer: len(viewer.data) == 2)
            sides = viewer.data[1]["axes"]
            assert [side["input"] for side in sides] == [3, 2]
            assert sides[1]["range"] == viewer.data[1]["task"]["input_ranges"][2]
            await viewer.until(lambda viewer=viewer: viewer.frames[-1][0]["held"][0] == 2.5)
            assert viewer.frames[-1][0]["held"][1] == pytest.approx(2, abs=0.2)  # b
        await page.do(type="slice", held={}, axes={"projection": "principal_components"})
        await page.until(lambda: len(page.data) == 3 and page.frames[-1][0]["held"] == [])
        for side in page.data[2]["axes"]:
            assert side["input"] is None
            assert 0.2 < side["share"] < 1
            assert side["range"][0] == -side["range"][1]


def test_axes_are_of_their_data_and_are_there_again_with_them(guest: Guest) -> None:
    own, axes = guest.look()["config"], {"projection": "inputs", "x": "c", "y": "d"}
    guest.do("POST", "/slice", {"held": {}, "axes": axes})
    at = decision(guest)
    guest.do("PATCH", "/config", {"data": {"kind": "circle"}, "features": ["x1", "x2"]})
    assert guest.look()["axes"] == {"projection": "inputs", "x": None, "y": None}
    guest.do("PATCH", "/config", {"data": own["data"], "features": own["features"]})
    assert guest.look()["axes"] == axes
    assert decision(guest).shape == at.shape
    guest.do("POST", "/reset")
    assert guest.look()["axes"] == axes


def test_the_plane_of_the_principal_components_is_that_of_scikit_learn() -> None:
    loop = start({"data": {"kind": "wine"}, "features": [f"x{i + 1}" for i in range(13)]})
    dataset, plane = loop.experiment.dataset, principal_components(loop.experiment.dataset)
    scaler = StandardScaler().fit(dataset.train_inputs)
    expected = PCA(2).fit(scaler.transform(dataset.train_inputs))
    np.testing.assert_allclose(plane.shares, expected.explained_variance_ratio_, rtol=1e-5)
    scores = expected.transform(scaler.transform(dataset.test_inputs))
    on_square = dataset.test_inputs @ plane.projection.T + plane.offset
    for own, theirs in zip((on_square * plane.ends[0] / 6).T, scores.T, strict=True):
        np.testing.assert_allclose(own, theirs * np.sign(own @ theirs), atol=1e-4)
    # A cell of the map, put among the inputs and back, is where it was; and every point lies on the square.
    cells = plane.grid(np.array([-5, 0, 5]), np.array([-4, 4]))
    np.testing.assert_allclose(
        cells @ plane.projection.T + plane.offset, [[x, y] for y in (-4, 4) for x in (-5, 0, 5)], atol=1e-4
    )
    assert np.abs(dataset.train_inputs @ plane.projection.T + plane.offset).max() < 6


def test_pixels_that_are_always_dark_have_no_part_in_the_components() -> None:
    loop = start({"data": {"kind": "digits"}, "features": ["x1", "x2"], "loss": {"kind": "cross_entropy"}})
    plane = principal_components(loop.experiment.dataset)
    dark = loop.experiment.dataset.train_inputs.std(axis=0) == 0
    assert dark.any()
    assert not plane.directions[:, dark].any()
    assert np.isfinite(plane.projection).all()
    views = Views(loop, axes=Axes(projection="principal_components"))
    assert np.isfinite(views.raw(12)["decision"]).all()


@pytest.mark.parametrize(
    ("axes", "field"),
    [
        ({"x": "colour"}, "axes.x"),
        ({"x": "c", "y": "c"}, "axes.y"),
        ({"projection": "umap"}, "axes.projection"),
        ({"z": "c"}, "axes.z"),
    ],
)
def test_what_a_map_cannot_be_drawn_over_is_refused_by_name(guest: Guest, axes: Any, field: str) -> None:
    assert_problem(guest.call("POST", "/slice", {"held": {}, "axes": axes}), 422, field)
    assert guest.look()["axes"] == {"projection": "inputs", "x": None, "y": None}


@pytest.mark.parametrize(
    ("query", "field"), [("x=colour", "x"), ("x=c&y=c", "y"), ("projection=umap", "projection")]
)
def test_maps_over_what_there_is_not_are_refused_by_name(guest: Guest, query: str, field: str) -> None:
    answer = guest.call("GET", f"/maps?size=10&{query}")
    fields = [error["field"] for error in assert_problem(answer, 422)["errors"]]
    assert [name.removeprefix("query.") for name in fields] == [field]


def test_two_inputs_are_drawn_as_they_are(new_session: NewSession) -> None:
    guest = new_session({})
    assert_problem(guest.call("POST", "/slice", {"held": {}, "axes": {"x": "x2"}}), 422, "axes.x")
    components = {"projection": "principal_components"}
    assert_problem(guest.call("POST", "/slice", {"held": {}, "axes": components}), 422, "axes.projection")
    guest.do("POST", "/slice", {"held": {}, "axes": {"x": "x1", "y": "x2"}})


@pytest.mark.parametrize(
    ("held", "field"),
    [
        ({"colour": 1}, "held.colour"),
        ({"a": 1}, "held.a"),  # the map is drawn over it
        ({"c": 1e6}, "held.c"),
        ({"c": -1e6}, "held.c"),
        ({"c": "much"}, "held.c"),
        ([1], "held"),
    ],
)
def test_what_cannot_be_held_is_refused_by_name(guest: Guest, held: Any, field: str) -> None:
    document = assert_problem(guest.call("POST", "/slice", {"held": held}), 422, field)
    assert document["errors"][0]["message"]
    assert guest.look()["held"] == {}
