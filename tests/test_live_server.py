"""Live sessions and the life of their server: when it stops, who waits, what it logs."""

import logging.config
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import websockets

from playground import limits
from playground.web.server import _logging
from tests.conftest import Running, Serve
from tests.guest import Guest

NewSession = Callable[..., Guest]
FAST = {"type": "speed", "max": True}


@pytest.fixture
def stopping(serve: Serve, capfd: pytest.CaptureFixture[str]) -> Iterator[tuple[Running, Guest]]:
    """A server of its own, and a session on it."""
    with serve() as running, httpx.Client(base_url=running.address, timeout=60) as client:
        yield running, Guest(client, client.post("/api/sessions").json())


@pytest.fixture
def brief(serve: Serve) -> Iterator[tuple[Running, Guest]]:
    """A server that soon drops what nobody uses, and a session on it whose steps take their time."""
    config = {"hidden": [{"width": 256}] * 6}
    with (
        serve(session_idle_seconds=0.5) as running,
        httpx.Client(base_url=running.address, timeout=60) as client,
    ):
        yield running, Guest(client, client.post("/api/sessions", json={"config": config}).json())


async def test_a_session_whose_step_is_waited_for_is_in_use(brief: tuple[Running, Guest]) -> None:
    _, guest = brief
    patience = httpx.Timeout(2)
    async with httpx.AsyncClient(base_url=guest.client.base_url, headers=guest.authorization) as caller:
        body = {"steps": limits.TRAIN_STEPS}
        with pytest.raises(httpx.ReadTimeout):
            await caller.post(f"/api/sessions/{guest.id}/step", json=body, timeout=patience)
    assert guest.do("POST", "/step", {"steps": 1})["step"] < limits.TRAIN_STEPS  # he hung up, and it ended


def test_a_step_ends_when_its_caller_hangs_up(brief: tuple[Running, Guest]) -> None:
    running, guest = brief
    with pytest.raises(httpx.ReadTimeout):
        guest.call("POST", "/step", {"steps": limits.TRAIN_STEPS}, timeout=0.2)
    while guest.id in running.sessions:  # nobody uses it any more
        time.sleep(0.05)


def test_a_step_is_answered_when_the_server_stops(
    stopping: tuple[Running, Guest], capfd: pytest.CaptureFixture[str]
) -> None:
    running, guest = stopping
    answers: list[httpx.Response] = []

    def call() -> None:
        path, body = f"{running.address}/api/sessions/{guest.id}/step", {"steps": limits.TRAIN_STEPS}
        answers.append(httpx.post(path, json=body, headers=guest.authorization, timeout=60))

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    session = running.server._app.state.registry.get(guest.id)
    while guest.look()["step"] == 0 or session.answers.waiting < len(callers):
        pass
    running.server.should_exit = True
    for caller in callers:
        caller.join()
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
    assert len(answers) == 2
    logged = capfd.readouterr().err
    assert "Traceback" not in logged
    assert "ERROR" not in logged


@pytest.fixture
def talkative(serve: Serve, capfd: pytest.CaptureFixture[str]) -> Iterator[Guest]:
    """A session on a server that logs all it can; `capfd` comes first, to catch that."""
    with serve(log_level="debug") as running, httpx.Client(base_url=running.address, timeout=60) as client:
        yield Guest(client, client.post("/api/sessions").json())
    logging.config.dictConfig(_logging("warning"))  # of the whole process


async def test_no_level_of_the_log_has_a_key_and_a_refused_websocket_is_no_error(
    talkative: Guest, capfd: pytest.CaptureFixture[str]
) -> None:
    guest = talkative
    async with guest.watch() as page:
        assert (await page.do(type="authorize", key=guest.key))["type"] == "ack"
        assert (await page.do(type="authorize", key="no" + guest.key))["status"] == 403
    address = str(guest.client.base_url).replace("http", "ws", 1).rstrip("/") + "/api/sessions"
    wrong = {"Authorization": f"Bearer no{guest.key}"}
    for path in ("nothing/live", f"{guest.id}/live?key={guest.key}"):
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(f"{address}/{path}", additional_headers=wrong)
    logged = capfd.readouterr().err
    assert "403" in logged
    assert "ERROR" not in logged
    assert guest.key not in logged


async def test_viewers_are_told_before_the_server_stops(stopping: tuple[Running, Guest]) -> None:
    running, guest = stopping
    async with guest.watch() as page:
        await page.event("hello")
        running.server.should_exit = True
        await page.event("notice", code="notice.shutdown")
        assert await page.ended() == 1012
