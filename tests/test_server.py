"""What the server does beside its sessions: room, logs, headers, readiness."""

from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Running, Serve
from tests.guest import Guest, assert_problem

NewSession = Callable[..., Guest]


def test_the_server_is_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {
        "status": "ready",
        "trainer": "compiled",
        "detail": "the compiled kernel trains",
        "database": None,
    }


def test_there_is_room_for_so_many_sessions_and_idle_ones_make_room(serve: Serve) -> None:
    with (
        serve(
            max_sessions=1, session_idle_seconds=1.0, allowed_origins=["https://friend.example"]
        ) as running,
        httpx.Client(base_url=running.address, timeout=60) as client,
    ):
        first = client.post("/api/sessions")
        full = client.post("/api/sessions")
        assert_problem(full, 503)
        assert int(full.headers["retry-after"]) > 0
        while not client.post("/api/sessions").is_success:
            pass
        assert_problem(client.get(first.headers["location"]), 404)
        friend = client.get("/healthz", headers={"Origin": "https://friend.example"})
        assert friend.headers["access-control-allow-origin"] == "https://friend.example"
        stranger = client.get("/healthz", headers={"Origin": "https://stranger.example"})
        assert "access-control-allow-origin" not in stranger.headers


def test_a_key_is_in_no_log(
    running: Running, new_session: NewSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        guest = new_session()
        guest.do("POST", "/play")
        guest.call("GET", f"?key={guest.key}")
    logged = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not any(guest.key in record.getMessage() for record in logged)


def test_browsers_are_told_to_be_careful(client: httpx.Client) -> None:
    page, embed = client.get("/"), client.get("/embed")
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors *" in embed.headers["content-security-policy"]
    for answer in (page, embed, client.get("/api/catalogue")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
