"""The websocket of a session, against the real server and its real worker."""

import json
from collections.abc import Callable

import httpx
import pytest
import websockets

from playground import limits
from playground.web.socket import allowed_origin
from tests.conftest import Running
from tests.guest import Guest, words

NewSession = Callable[..., Guest]
FAST = {"type": "speed", "max": True}


async def test_a_viewer_gets_hello_then_the_data_then_history_then_frames(new_session: NewSession) -> None:
    guest = new_session()
    guest.do("POST", "/step", {"steps": 40})
    async with guest.watch() as page:
        await page.until(lambda: page.frames)
        hello = page.events[0]
        assert [kind for kind, _ in page.order if kind not in ("state", "viewers")][:5] == [
            "hello",
            "data",
            "metrics",
            "current metrics",
            "frame",
        ]
        assert hello["version"] == 1
        assert hello["role"] == "holder"
        assert hello["session"] == guest.id
        assert hello["config"] == guest.created["config"]
        assert hello["state"] == {
            "playing": False,
            "speed": {"epochs_per_second": 15},
            "step": 40,
            "epoch": 1.6,
            "diverged": None,
            "held": {},
            "axes": {"projection": "inputs", "x": None, "y": None},
            "stuck": None,
            "before_reset": None,
            "before_undo": None,
            "parent": None,
            "passing": False,
            "together": [],
        }
        assert page.data[0]["task"] == hello["task"]
        assert sorted(page.samples) == list(range(41))


async def test_it_trains_and_every_sample_comes_once_and_before_the_frame_of_its_step(
    new_session: NewSession,
) -> None:
    guest = new_session()
    async with guest.watch() as page:
        await page.do(type="play")
        await page.until(lambda: len(page.frames) >= 5 and len(page.samples) >= 20)
        await page.do(type="pause")
        last = guest.look()["step"]
        await page.until(lambda: page.frames[-1][0]["step"] == last)
        indices = sorted(page.samples)
        assert indices == list(range(len(indices)))
        assert page.repeated == []
        seen = -1
        for kind, step in page.order:
            if kind == "metrics":
                seen = step
            if kind == "frame":
                assert seen >= step  # every step is sampled so early in a run


async def test_the_metrics_of_a_frame_come_right_before_it(new_session: NewSession) -> None:
    async with new_session().watch() as page:
        await page.do(type="play")
        await page.until(lambda: len(page.frames) >= 5)
        await page.do(type="pause")
        for place, (kind, step) in enumerate(page.order):
            if kind == "frame":
                assert page.order[place - 1] == ("current metrics", step)
        for metrics in page.metrics:  # as the history has them
            await page.until(lambda step=metrics["step"]: page.samples.get(int(step)))
            step, epoch, loss, *_ = page.samples[int(metrics["step"])]
            assert (step, epoch) == (metrics["step"], metrics["epoch"])
            assert loss == pytest.approx(metrics["train_loss"], rel=1e-6)


async def test_a_frame_holds_everything_that_is_drawn(new_session: NewSession) -> None:
    async with new_session().watch() as page:
        await page.do(type="watch", rate=60, neurons=16, output=50)
        await page.until(lambda: page.frames and page.frames[-1][1]["neurons"].shape == (7, 16, 16))
        header, arrays = page.frames[-1]
        assert arrays["decision"].shape == (50, 50)
        assert arrays["weight.1"].shape == (4, 2)
        assert arrays["confusion"].shape == (2, 2, 2)
        assert header["run"] == 1
        assert header["layers"][-1] == {"inputs": 2, "width": 1}


async def test_a_change_is_answered_with_its_step_and_told_to_everybody(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as holder, guest.watch(as_holder=False) as viewer:
        await holder.do(type="play")
        change = {"optimizer": {"kind": "sgd", "lr": 0.1}}
        ack = await holder.do(type="change", change=change)
        assert ack["type"] == "ack"
        assert ack["change"] == change
        said = [text["code"] for text in ack["effect"]]
        assert said == ["effect.to_sgd", "effect.rate_is", "effect.optimizer_anew"]
        told = await viewer.event("changed")
        assert told["entry"]["step"] == ack["step"]
        assert words(told["entry"]["label"]) == "SGD"
        assert told["config"]["optimizer"]["kind"] == "sgd"
        assert told["entry"]["undo"]["optimizer"]["kind"] == "adam"
        await viewer.until(lambda: viewer.frames and viewer.frames[-1][0]["step"] > ack["step"])


async def test_a_change_of_data_brings_the_new_data(new_session: NewSession) -> None:
    async with new_session().watch() as page:
        ack = await page.do(
            type="change", change={"data": {"kind": "blobs", "classes": 4}, "loss": {"kind": "cross_entropy"}}
        )
        assert ack["type"] == "ack", ack
        await page.until(lambda: len(page.data) == 2)
        assert page.data[1]["task"]["classes"] == 4
        assert (await page.event("changed"))["task"]["classes"] == 4
        await page.until(lambda: page.frames and page.frames[-1][0]["layers"][-1]["width"] == 4)


async def test_a_refused_change_names_the_field_and_changes_nothing(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as page:
        error = await page.do(type="change", change={"hidden": [{"width": 1000}]})
        assert (error["type"], error["status"]) == ("error", 422)
        assert error["errors"][0]["field"] == "hidden.0.width"
        error = await page.do(
            type="change", change={"loss": {"kind": "cross_entropy"}, "data": {"kind": "plane"}}
        )
        assert error["errors"][0]["suggestion"]
        assert (await page.do(type="play"))["type"] == "ack"
    assert guest.look()["config"] == guest.created["config"]


async def test_a_command_that_is_repeated_is_done_once(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as page:
        first = await page.do(type="step", steps=10, id="same")
        await page.send(type="step", steps=10, id="same")
        await page.until(lambda: sum(e.get("id") == "same" for e in page.events) == 2)
        assert first["step"] == 10
        assert first["metrics"]["train_loss"] > 0
    async with guest.watch() as page:  # not even over another connection
        assert await page.do(type="step", steps=10, id="same") == first
    assert guest.look()["step"] == 10


async def test_only_the_holder_commands(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch(as_holder=False) as page:
        assert (await page.event("hello"))["role"] == "viewer"
        assert (await page.do(type="play"))["status"] == 403
        assert (await page.do(type="authorize", key="wrong"))["status"] == 403
        assert (await page.do(type="authorize", key=guest.key))["type"] == "ack"
        await page.event("role", role="holder")
        assert (await page.do(type="play"))["type"] == "ack"


async def test_a_second_connection_with_the_key_replaces_the_first(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as first:
        await first.event("hello")
        async with guest.watch() as second:
            await first.event("replaced")
            assert await first.ended() == 4001
            assert (await second.do(type="play"))["type"] == "ack"


async def test_a_viewer_that_comes_back_gets_what_it_missed(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as page:
        await page.do(type="step", steps=20)
        await page.until(lambda: max(page.samples, default=-1) == 20)
    guest.do("POST", "/step", {"steps": 10})
    async with guest.watch(since=20, run=1) as page:
        await page.until(lambda: max(page.samples, default=-1) == 30)
        assert sorted(page.samples) == list(range(21, 31))
    guest.do("POST", "/reset")
    guest.do("POST", "/step", {"steps": 30})
    async with guest.watch(since=20, run=1) as page:  # of another run it has nothing
        await page.until(lambda: max(page.samples, default=-1) == 30)
        assert sorted(page.samples) == list(range(31))


async def test_a_reset_begins_a_new_run(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as page:
        await page.do(type="step", steps=20)
        await page.do(type="change", change={"batch_size": 20})
        await page.do(type="reset")
        reset = await page.event("run")
        assert reset["run"] == 2
        assert reset["config"]["batch_size"] == 20
        await page.until(lambda: page.frames[-1][0]["run"] == 2 and 0 in page.samples)
        assert page.frames[-1][0]["step"] == 0
        await page.do(type="step", steps=5)
        await page.until(lambda: sorted(page.samples) == list(range(6)))
    assert guest.look()["timeline"] == []
    assert guest.history()["step"] == list(range(6))


async def test_unacked_frames_are_at_most_three(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as page:
        page.acks = False
        await page.do(**FAST)
        await page.do(type="play")
        await page.until(lambda: len(page.frames) == limits.UNACKED_FRAMES)
        last = max(page.samples, default=0)
        await page.until(lambda: max(page.samples, default=0) > last + 20)  # curves go on without pictures
        assert len(page.frames) == limits.UNACKED_FRAMES
        page.acks = True
        await page.send(type="ack", frame=page.frames[-1][0]["frame"])
        await page.until(lambda: len(page.frames) > limits.UNACKED_FRAMES)


async def test_a_viewer_that_does_not_look_gets_samples_but_no_frames(new_session: NewSession) -> None:
    async with new_session().watch() as page:
        await page.do(type="watch", rate=0, neurons=20, output=100)
        frames = len(page.frames)
        await page.do(type="play")
        await page.until(lambda: len(page.samples) > 50)
        assert len(page.frames) - frames <= 1  # one may have been on its way
        await page.do(type="watch", rate=60, neurons=20, output=100)
        await page.until(lambda: len(page.frames) > frames + 3)


async def test_a_paused_session_makes_no_frames(new_session: NewSession, running: Running) -> None:
    guest = new_session()
    async with guest.watch() as page:
        await page.until(lambda: page.frames)
        number = page.frames[-1][0]["frame"]
        await page.do(type="speed", max=True)  # some time goes by, and nothing new is to be seen
        await page.do(type="weight", layer=0, source=0, unit=0, value=0.5)
        await page.until(lambda: page.frames[-1][0]["frame"] > number)
        assert page.frames[-1][0]["frame"] == number + 1
        assert page.frames[-1][1]["weight.0"][0, 0] == 0.5


async def test_viewers_of_one_size_share_a_frame(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as one, guest.watch(as_holder=False) as two:
        await one.do(type="play")
        await one.event("viewers", count=2)
        await one.until(lambda: len(one.frames) > 10)
        await two.until(lambda: len(two.frames) > 10)
        last = (await one.do(type="pause"))["step"]
        for viewer in (one, two):
            await viewer.until(lambda v=viewer: v.frames[-1][0]["step"] == last)
        assert one.frames[-1][0]["frame"] == two.frames[-1][0]["frame"]


async def test_a_viewer_that_was_busy_gets_the_last_frame_though_none_follows(
    new_session: NewSession,
) -> None:
    guest = new_session()
    async with guest.watch() as one, guest.watch(as_holder=False) as two:
        two.acks = False
        await one.do(type="play")
        await two.until(lambda: len(two.frames) == limits.UNACKED_FRAMES)
        await one.do(type="pause")
        await one.do(type="weight", layer=0, source=0, unit=0, value=0.5)
        await one.until(lambda: one.frames[-1][1]["weight.0"][0, 0] == 0.5)
        await two.send(type="ack", frame=two.frames[-1][0]["frame"])
        await two.until(lambda: two.frames[-1][1]["weight.0"][0, 0] == 0.5)


async def test_one_weight_is_edited(new_session: NewSession) -> None:
    guest = new_session()
    async with guest.watch() as page:
        ack = await page.do(type="weight", layer=2, source=None, unit=0, value=1.25)
        assert ack["type"] == "ack"
        told = await page.event("changed")
        assert words(told["entry"]["label"]) == "weights edited"
        assert told["entry"]["change"] == {}
        error = await page.do(type="weight", layer=7, source=0, unit=0, value=1)
        assert error["errors"][0]["field"] == "layer"
    assert guest.do("GET", "/weights")["layers"][2]["bias"] == [1.25]


async def test_divergence_pauses_and_says_where(new_session: NewSession) -> None:
    config = {"data": {"kind": "plane"}, "loss": {"kind": "mse"}, "optimizer": {"kind": "sgd", "lr": 0.1},
              "hidden": [{"width": 8, "activation": {"kind": "relu"}}] * 3}  # fmt: skip
    guest = new_session(config)
    async with guest.watch() as page:
        await page.do(**FAST)
        await page.do(type="change", change={"optimizer": {"lr": 10.0}})
        await page.do(type="play")
        await page.until(lambda: any(e["type"] == "state" and e["diverged"] for e in page.events))
        state = next(e for e in page.events if e["type"] == "state" and e["diverged"])
        assert state["playing"] is False
        assert state["diverged"]["step"] >= 1
        assert state["diverged"]["layer"] in range(4)
        weights = guest.do("GET", "/weights")["layers"]
        assert all(abs(value) < 1e38 for layer in weights for value in layer["bias"])
        assert (await page.do(type="change", change={"optimizer": {"lr": 0.001}}))["type"] == "ack"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("not JSON", 422),
        ('{"type": "play"}', 422),
        (b"bytes", 415),
    ],
)
async def test_nonsense_is_answered_and_the_session_goes_on(
    new_session: NewSession, message: str | bytes, status: int
) -> None:
    async with new_session().watch() as page:
        await page.socket.send(message)
        assert (await page.event("error"))["status"] == status
        assert (await page.do(type="play"))["type"] == "ack"


async def test_an_error_carries_the_id_and_names_the_field(new_session: NewSession) -> None:
    async with new_session().watch() as page:
        for message, field in (
            ({"type": "explode"}, "type"),
            ({}, "type"),
            ({"type": "watch", "rate": 61}, "rate"),
            ({"type": "play", "colour": 1}, "colour"),
        ):
            error = await page.do(**message)
            assert (error["type"], error["status"]) == ("error", 422)
            assert [fault["field"] for fault in error["errors"]] == [field]
        assert "steps and epochs" in (await page.do(type="step"))["detail"]


async def test_a_step_says_that_training_diverged(new_session: NewSession) -> None:
    config = {"data": {"kind": "plane"}, "loss": {"kind": "mse"}, "optimizer": {"kind": "sgd", "lr": 10.0},
              "hidden": [{"width": 8, "activation": {"kind": "linear"}}]}  # fmt: skip
    guest = new_session(config)
    async with guest.watch() as page:
        ack = await page.do(type="step", steps=1000)
        assert {"step", "layer", "rate", "back", "detail", "code", "values"} == set(ack["diverged"])
    assert guest.do("POST", "/step", {"steps": 10})["diverged"]
    assert guest.look()["diverged"]
    guest.do("PATCH", "/config", {"optimizer": {"lr": 0.0001}})
    guest.do("POST", "/reset")
    assert guest.do("POST", "/step", {"steps": 1})["diverged"] is None
    assert guest.look()["diverged"] is None


async def test_a_reset_ends_the_steps_that_wait_and_those_after_it_are_of_the_new_run(
    new_session: NewSession,
) -> None:
    guest = new_session()
    async with guest.watch() as page:
        waiting = [await page.send(type="step", steps=limits.TRAIN_STEPS) for _ in range(3)]
        reset = await page.send(type="reset")
        later = await page.send(type="step", steps=7)
        answers = [await page.event("ack", id=name) for name in (*waiting, reset, later)]
        assert answers[-1]["step"] == 7
        assert [answer["step"] for answer in answers[1:4]] == [0, 0, 0]
    assert guest.look()["step"] == 7


async def test_a_message_that_is_too_large_ends_the_connection_but_not_the_session(
    new_session: NewSession,
) -> None:
    guest = new_session()
    async with guest.watch() as page:
        await page.socket.send("x" * (limits.MESSAGE_BYTES + 1))
        assert await page.ended() == 1009
    assert guest.look()["step"] == 0


async def test_a_flood_of_messages_is_told_to_stop(new_session: NewSession) -> None:
    async with new_session().watch() as page:
        for _ in range(limits.MESSAGES_PER_SECOND * 4):
            await page.socket.send('{"type": "ack", "frame": 0}')
        assert (await page.event("error"))["status"] == 429


@pytest.mark.parametrize("session_id", ["nothing", "0000000000"])
async def test_there_is_no_websocket_without_a_session(client: httpx.Client, session_id: str) -> None:
    address = str(client.base_url).replace("http", "ws", 1)
    with pytest.raises(websockets.InvalidStatus) as denied:
        await websockets.connect(f"{address}/api/sessions/{session_id}/live")
    assert denied.value.response.status_code == 404
    assert json.loads(denied.value.response.body or b"")["status"] == 404


async def test_foreign_pages_and_wrong_keys_are_turned_away(new_session: NewSession) -> None:
    guest = new_session()
    address = (
        str(guest.client.base_url).replace("http", "ws", 1).rstrip("/") + f"/api/sessions/{guest.id}/live"
    )
    with pytest.raises(websockets.InvalidStatus) as denied:
        await websockets.connect(address, additional_headers={"Origin": "https://evil.example"})
    assert denied.value.response.status_code == 403
    with pytest.raises(websockets.InvalidStatus) as denied:
        await websockets.connect(address, additional_headers={"Authorization": "Bearer wrong"})
    assert denied.value.response.status_code == 403
    own = str(guest.client.base_url).rstrip("/")
    async with websockets.connect(address, additional_headers={"Origin": own}) as socket:
        assert json.loads(await socket.recv())["type"] == "hello"


@pytest.mark.parametrize(
    ("origin", "allowed", "may"),
    [
        (None, [], True),
        ("http://here:8000", [], True),
        ("http://here:9000", [], False),
        ("https://elsewhere.example", [], False),
        ("https://elsewhere.example", ["https://elsewhere.example"], True),
        ("null", [], False),
        ("null", ["*"], True),
    ],
)
def test_the_origin_decides_who_may_connect(origin: str | None, allowed: list[str], may: bool) -> None:
    assert allowed_origin(origin, "here:8000", allowed) is may
