"""Where numba cannot be imported, the server starts and trains all the same; it says what trains."""

import mmap
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

import httpx
import pytest

import playground
from playground.messages.codec import Assembler
from playground.messages.worker import CURRENT_SESSION_BYTES, Event, Ready, TrainerStatus, read_event
from playground.worker.channel import Channel
from playground.worker.loop import Worker
from tests.e2e.server import serving

BACKEND = Path(playground.__file__).parents[1]


def test_without_numba_the_reference_trainer_trains(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('there is none for this machine')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{BACKEND}")
    with serving(log_level="info") as (address, _), httpx.Client(base_url=address, timeout=60) as client:
        ready = client.get("/readyz").json()
        made = client.post("/api/sessions").json()
        authorization = {"Authorization": f"Bearer {made['key']}"}
        told = client.post(f"/api/sessions/{made['id']}/step", json={"steps": 50}, headers=authorization)
    assert told.json()["step"] == 50
    reason = "numba cannot be imported: there is none for this machine"
    assert ready == {"status": "ready", "trainer": "reference", "detail": reason, "database": None}
    assert f"reference trainer: {reason}" in capfd.readouterr().err


def test_a_worker_tells_when_the_kernel_trains_from_now_on() -> None:
    kinds: list[Literal["compiling", "compiled"]] = ["compiling"]
    ours, theirs = socket.socketpair()
    with ours, theirs, mmap.mmap(-1, CURRENT_SESSION_BYTES) as memory:
        worker = Worker(
            Channel(theirs), "cpu", memory, trainer_status=lambda: TrainerStatus(trainer=kinds[-1], detail="")
        )
        thread = threading.Thread(target=serve_until_closed, args=[worker])
        thread.start()
        ready = receive(ours)
        kinds.append("compiled")
        told = receive(ours)
        ours.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert isinstance(ready, Ready)
    assert ready.trainer.trainer == "compiling"
    assert told == TrainerStatus(trainer="compiled", detail="")


def serve_until_closed(worker: Worker) -> None:
    with suppress(EOFError):
        worker.serve()


def receive(sock: socket.socket) -> Event:
    reader = Assembler()
    while not (messages := list(reader.feed(sock.recv(4096)))):
        pass
    return read_event(messages[0]).content
