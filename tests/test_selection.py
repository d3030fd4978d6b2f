"""A frame has what its viewers draw, and of a large network little else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from playground.messages import worker as messages
from playground.messages.codec import decode
from playground.messages.commands import Neuron, Watch
from playground.messages.events import Closing, Role
from playground.run.selection import Selection, Size, union
from playground.run.validation import parse
from playground.session.broadcast import Broadcast
from playground.session.viewer import Picture, Viewer
from playground.training.views import Views
from playground.worker import reports
from playground.worker.frames import FrameSchedule
from tests.guest import Guest
from tests.loops import COMPILED, REFERENCE, Kinds, start
from tests.test_viewer import Wire

WIDE: dict[str, Any] = {"hidden": [{"width": 40}, {"width": 40}, {"width": 3}]}
SOME = Selection(((0, 5, 39), (2,), (1,), (0,)))
FIRST, SECOND, THIRD, OUTPUT = 0, 40, 80, 83


def frames_of(trainers: Kinds, selection: Selection, **config: Any) -> tuple[dict, dict]:
    """Of one moment: all of it, and what is drawn."""
    loop = start({**WIDE, **config}, trainers)
    loop.train(20)
    views, evaluation = Views(loop), loop.measure()[1]
    return views.frame(evaluation, 8, 10), views.frame(evaluation, 8, 10, selection)


@pytest.mark.parametrize("trainers", [REFERENCE, COMPILED], ids=["reference", "compiled"])
def test_only_what_is_drawn_has_a_map_and_it_is_the_same_map(trainers: Kinds, kernel: None) -> None:
    whole, drawn = frames_of(trainers, SOME)
    index = [FIRST, FIRST + 5, FIRST + 39, SECOND + 2, THIRD + 1, OUTPUT]
    assert drawn["neurons_index"].tolist() == index
    for name in ("neurons", "neurons_range"):
        np.testing.assert_array_equal(drawn[name], whole[name][index])
    for name in ("decision", "bias.1", "unit_states", "train_predictions", "scores"):
        np.testing.assert_array_equal(drawn[name], whole[name])


def test_a_wide_layer_has_the_weights_between_what_is_drawn_and_others_all() -> None:
    whole, drawn = frames_of(REFERENCE, SOME)
    assert drawn["weight_sources.1"].tolist() == [0, 5, 39]
    assert drawn["weight_units.1"].tolist() == [2]
    np.testing.assert_array_equal(drawn["weight.1"], whole["weight.1"][[0, 5, 39]][:, [2]])
    for layer in (0, 2, 3):
        np.testing.assert_array_equal(drawn[f"weight.{layer}"], whole[f"weight.{layer}"])
        assert f"weight_sources.{layer}" not in drawn


def test_all_weights_into_a_neuron_that_is_enlarged_are_there() -> None:
    watch = Watch(units=[[0], [2], [], [0]], enlarged=Neuron(layer=1, unit=7))
    assert watch.selection
    whole, drawn = frames_of(REFERENCE, watch.selection)
    assert drawn["neurons_index"].tolist() == [FIRST, SECOND + 2, SECOND + 7, OUTPUT]
    assert drawn["weight_units.1"].tolist() == [2, 7]
    np.testing.assert_array_equal(drawn["weight.1"], whole["weight.1"][:, [2, 7]])


def test_a_dense_layer_has_the_weights_from_all_that_is_drawn_before_it() -> None:
    dense = [{"width": 40, "shortcut": {"kind": "dense"}} for _ in range(3)]
    whole, drawn = frames_of(REFERENCE, Selection(((3,), (4, 5), (0,))), hidden=dense)
    rows = [0, 1, 2 + 3, 2 + 40 + 4, 2 + 40 + 5]
    assert drawn["weight_sources.2"].tolist() == rows
    np.testing.assert_array_equal(drawn["weight.2"], whole["weight.2"][rows][:, [0]])


def test_a_frame_of_which_all_is_drawn_is_the_frame() -> None:
    everything = Selection(tuple(tuple(range(width)) for width in (4, 2, 1)))
    whole, drawn = frames_of(REFERENCE, everything, hidden=[{"width": 4}, {"width": 2}])
    assert list(whole) == list(drawn)


def test_a_selection_of_another_shape_of_the_network_is_taken_as_far_as_it_goes() -> None:
    _, drawn = frames_of(REFERENCE, Selection(((1, 200), (), (0,), (0,), (0,), (3,)), (1, 9)))
    assert drawn["neurons_index"].tolist() == [FIRST + 1, THIRD, OUTPUT]
    assert drawn["weight.1"].shape == (40, 0)


def test_a_large_network_is_coarser_while_it_moves_and_its_outputs_are_those_of_its_maps(
    kernel: None,
) -> None:
    loop = start({"hidden": [{"width": 256}] * 5}, COMPILED)
    views, evaluation = Views(loop), loop.measure()[1]
    still, moving = (views.frame(evaluation, 20, 100, SOME, moves) for moves in (False, True))
    assert len(still["decision"]) > len(moving["decision"]) == moving["neurons"].shape[1]
    raw = views.raw(len(moving["decision"]))["decision"]
    np.testing.assert_allclose(moving["decision"] / 255, raw, atol=0.01)


def test_together_viewers_draw_what_any_of_them_draws() -> None:
    one, other = Selection(((0, 2), (1,))), Selection(((1, 2), (), (0,)), (2,))
    assert union([one, other, one]) == Selection(((0, 1, 2), (1,), (0,)), (2,))
    assert union([]) == Selection()


def test_another_selection_is_something_new_to_see() -> None:
    schedule, size = FrameSchedule(), Size(8, 10, selected=True)
    schedule.want(size, False, SOME)
    assert schedule.selection(schedule.take()) == SOME
    schedule.want(size, False, SOME)
    assert schedule.due() == float("inf")
    schedule.want(size, False, Selection(((1,),)))
    assert schedule.selection(schedule.take()) == Selection(((1,),))
    assert schedule.selection(Size(8, 10)) is None


async def test_who_comes_to_a_session_that_stands_still_gets_what_it_draws() -> None:
    asked: list[messages.SendFrame] = []
    broadcast = Broadcast(asked.append)
    one, other = Viewer(Wire(), Role.VIEWER), Viewer(Wire(), Role.VIEWER)
    broadcast.join(one)
    broadcast.watch(one, Watch(units=[[0]]))
    assert asked[-1].selection == Selection(((0,),))
    broadcast.take_frame(one.size, Picture(1, b"frame", b"metrics"))
    one.due = 0.0
    broadcast.send_frames()  # and now the worker waits until there is something new
    assert (asked[-1].fresh, asked[-1].selection) == (False, None)
    broadcast.join(other)
    broadcast.watch(other, Watch(units=[[2]]))
    assert (asked[-1].fresh, asked[-1].selection) == (True, Selection(((0, 2),)))
    broadcast.leave(other)
    broadcast.take_frame(one.size, Picture(2, b"frame", b"metrics"))
    one.due = 0.0
    broadcast.send_frames()
    assert asked[-1].selection == Selection(((0,),))
    broadcast.close(Closing.ENDED, "")


async def test_each_viewer_gets_what_it_draws_at_once_and_who_says_nothing_all(
    new_session: Callable[..., Guest],
) -> None:
    guest = new_session({"hidden": [{"width": 40}, {"width": 40}]})
    async with guest.watch() as page, guest.watch(as_holder=False) as other:
        await page.until(lambda: page.frames)
        assert len(page.frames[-1][1]["neurons"]) == 81
        look = {"type": "watch", "neurons": 8, "output": 10}

        def index(viewer: Any) -> list[int]:
            arrays = viewer.frames[-1][1]
            return arrays["neurons_index"].tolist() if "neurons_index" in arrays else []

        await page.do(**look, units=[[0, 1], [3], [0]])
        await page.until(lambda: index(page) == [0, 1, 43, 80])
        await other.do(**look, units=[[5], [], [0]])
        await other.until(lambda: other.frames and index(other) == [0, 1, 5, 43, 80])
        await other.do(**look, units=[])
        await other.until(lambda: index(other) == [0, 1, 43, 80])
        await page.do(**look, units=[[7]], enlarged={"layer": 1, "unit": 2})  # it stands still all the time
        await page.until(lambda: index(page) == [7, 42])
        assert page.frames[-1][1]["weight.1"].shape == (40, 1)


def test_what_costs_much_is_measured_seldom_while_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MEASURED_PRODUCTS", 0)
    now = [100.0]
    monkeypatch.setattr(reports, "monotonic", lambda: now[0])
    loop = start(parse({}))
    told = reports.Reports(lambda *sent: None, loop, 1, 0, Views(loop))

    def step_of_metrics(moving: bool) -> int:
        loop.train(1)
        _, arrays = told.frame(Size(8, 10), None, moving)
        return int(decode(arrays["metrics"].tobytes())[1]["samples"][0, 1])

    assert step_of_metrics(moving=True) == 1
    assert step_of_metrics(moving=True) == 1
    now[0] += reports.MEASURED_EVERY
    assert step_of_metrics(moving=True) == 3
    assert step_of_metrics(moving=False) == 4
