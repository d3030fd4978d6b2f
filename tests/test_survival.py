"""Live sessions outlive their server, however it ends."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.faults import CONFIG, Server, killed, new_session
from tests.guest import PATIENCE, Guest, assert_problem

TABLE = "hours,sleep,passed\n" + "".join(f"{n},{n % 9},{['no', 'yes'][n > 20]}\n" for n in range(40))


@dataclass
class Survivors:
    """Sessions that were there before the server was killed, and what was known of them."""

    client: httpx.Client
    guests: dict[str, Guest] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Guest:
        if name not in self.guests:
            self.guests[name] = new_session(self.client)
        return self.guests[name]


def learned(guest: Guest) -> dict[str, Any]:
    """All that there is to know of it, but the norms of the gradients of a step that is past."""
    look = guest.look()
    metrics = {name: value for name, value in look["metrics"].items() if "grad_norm" not in name}
    return {**look, "metrics": metrics, "weights": guest.do("GET", "/weights"), "history": guest.history()}


def step(guest: Guest, steps: int) -> None:
    guest.do("POST", "/step", {"steps": steps})


async def send(guest: Guest, **command: Any) -> dict[str, Any]:
    async with guest.watch() as page:
        return await page.do(**command)


def before(there: Survivors) -> None:
    """Sessions of every kind."""
    client, known = there.client, there.known
    table = client.post("/api/datasets", files={"file": ("marks.csv", TABLE)}).json()
    there["table"].do(
        "PATCH", "/config", {"data": {"kind": "csv", "id": table["id"], "x1": "hours", "x2": "sleep"}}
    )
    step(there["table"], 50)
    recorded = {
        "config": CONFIG,
        "timeline": [{"step": 30, "change": {"l1": 0.1}}, {"step": 60, "change": {"l1": 0.2}}],
    }
    there.guests["recorded"] = Guest(
        client, client.post("/api/sessions", json={**recorded, "step": 40}).json()
    )
    there["settings"].do("POST", "/speed", {"steps_per_second": 7})
    step(there["undo"], 100)
    known["undo"] = learned(there["undo"])
    there["undo"].do("PATCH", "/config", {"hidden": [{"width": 2}]})
    step(there["reset"], 20)
    known["reset"] = learned(there["reset"])
    there["reset"].do("POST", "/reset")
    step(there["reset"], 5)
    step(there["original"], 40)
    branch = there["original"].do("POST", "/branch", {"step": 20, "together": True})
    there.guests["branch"] = Guest(client, branch)
    known["answer"] = asyncio.run(send(there["repeated"], id="once", type="step", steps=10))
    there["deleted"].call("DELETE", "")
    for name, guest in there.guests.items():
        if name != "deleted":
            known.setdefault(f"{name} now", learned(guest))


@pytest.fixture(scope="module")
def survivors(kernel: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survivors]:
    """After the server was killed, its worker was, and the server stopped; with two more sessions that change
    all the time."""
    server = Server(tmp_path_factory.mktemp("database"))
    try:
        with httpx.Client(base_url=server.address, timeout=PATIENCE) as client:
            there = Survivors(client)
            before(there)
            asyncio.run(killed(server, ["server", "worker", "stop"], seed=3))
            yield there
    finally:
        server.stop()


def test_what_was_learned_is_there_again(survivors: Survivors) -> None:
    for name in ("table", "recorded", "settings", "undo", "reset", "original", "branch", "repeated"):
        assert learned(survivors[name]) == survivors.known[f"{name} now"], name


def test_recorded_lines_are_followed(survivors: Survivors) -> None:
    guest = survivors["recorded"]
    assert guest.look()["config"]["l1"] == 0.1
    step(guest, 40)
    assert guest.look()["config"]["l1"] == 0.2


def test_an_uploaded_table_is_still_there(survivors: Survivors) -> None:
    name = survivors["table"].look()["config"]["data"]["id"]
    told = survivors.client.get(f"/api/datasets/{name}").json()
    assert (told["rows"], told["file"]) == (40, "marks.csv")
    step(survivors["table"], 10)


@pytest.mark.parametrize("name", ["undo", "reset"])
def test_one_can_still_go_back(survivors: Survivors, name: str) -> None:
    guest = survivors[name]
    look = guest.look()
    moment = look["before_reset"] if name == "reset" else {"checkpoint": look["timeline"][-1]["checkpoint"]}
    guest.do("POST", "/restore", {"checkpoint": moment["checkpoint"]})
    again, known = learned(guest), survivors.known[name]
    assert {part: again[part] for part in ("weights", "history", "config", "step", "timeline")} == {
        part: known[part] for part in ("weights", "history", "config", "step", "timeline")
    }


def test_sessions_in_lock_step_still_are(survivors: Survivors) -> None:
    original, branch = survivors["original"], survivors["branch"]
    step(branch, 10)
    assert original.look()["step"] == branch.look()["step"]


async def test_a_command_that_was_answered_is_not_applied_again(survivors: Survivors) -> None:
    again = await send(survivors["repeated"], id="once", type="step", steps=10)
    assert again == survivors.known["answer"]
    assert survivors["repeated"].look()["step"] == again["step"]


def test_only_the_key_opens_it(survivors: Survivors) -> None:
    guest = survivors["settings"]
    assert_problem(guest.call("POST", "/play", headers={"Authorization": "Bearer wrong"}), 403)
    guest.do("POST", "/pause")


def test_what_was_deleted_stays_so(survivors: Survivors) -> None:
    assert_problem(survivors["deleted"].call("GET", ""), 404)
