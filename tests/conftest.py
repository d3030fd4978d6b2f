"""The real server with its real worker, once for each process that tests: uvicorn in a thread."""

import contextlib
import fcntl
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
import torch
from hypothesis import HealthCheck, settings

from playground.engine.local import LocalEngine
from playground.settings import Settings
from playground.training.compiled import cache, loading
from playground.web.app import create_app
from playground.web.server import Server
from tests.guest import Guest

START_SECONDS = 90.0

# The machine decides how long an example takes; what must hold does not depend on it.
settings.register_profile("playground", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("playground")
# As in a worker: more threads than cores only wait for one another.
torch.set_num_threads(1)


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: half of the time tests wait, for a server or a browser."""
    return 2 * (os.cpu_count() or 1)


@dataclass
class Running:
    """A server that answers at `address`."""

    address: str
    engine: LocalEngine
    server: Server

    @property
    def worker(self) -> int:
        """The process id of its (first) worker."""
        return self.engine.pids[0]

    @property
    def sessions(self) -> list[str]:
        """The ids of those that it has."""
        return list(self.server._app.state.registry._sessions)

    def kill_worker(self, training: str | None = None) -> None:
        """As the kernel does when memory is short; or as training this session would, every time."""
        worker = self.worker
        os.kill(worker, signal.SIGSTOP)
        if training:
            assigned = self.engine._assignments[training]
            number = assigned.clients[training].number
            assigned._current_session[:8] = number.to_bytes(8, "little")
        os.kill(worker, signal.SIGKILL)


Serve = Callable[..., contextlib.AbstractContextManager[Running]]


@contextlib.contextmanager
def _serve(**options: object) -> Iterator[Running]:
    """A server with these settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        defaults = {
            "port": port,
            "device": "cpu",
            "workers": 1,
            "log_level": "warning",
            "database": f"{folder}/playground.db",
        }
        chosen = Settings(**{**defaults, **options})  # pyright: ignore[reportArgumentType]
        engine = LocalEngine(chosen.worker_count, chosen.device)
        server = Server(create_app(chosen, engine), chosen)
        thread = threading.Thread(target=server.run)
        thread.start()
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(address, thread)
            yield Running(address, engine, server)
        finally:
            server.should_exit = True
            thread.join(timeout=30)


def _wait_until_ready(address: str, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and thread.is_alive():
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/readyz", timeout=5).is_success:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{address} was not ready within {START_SECONDS} s")


@pytest.fixture(scope="session")
def kernel() -> None:
    """Compiled by one of the processes that test, while the others wait; their servers start with it."""
    with (cache.folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        loading.load()


@pytest.fixture(scope="session")
def serve(kernel: None) -> Serve:
    """Starts a server of one's own."""
    return _serve


@pytest.fixture(scope="session")
def running(kernel: None) -> Iterator[Running]:
    with _serve() as running:
        yield running


@pytest.fixture(scope="session")
def client(running: Running) -> Iterator[httpx.Client]:
    """Speaks HTTP with the server."""
    with httpx.Client(base_url=running.address, timeout=60) as client:
        yield client


@pytest.fixture
def new_session(client: httpx.Client) -> Iterator[Callable[..., Guest]]:
    """Creates sessions, as their holder; they are deleted after the test."""
    guests: list[Guest] = []

    def create(config: dict | None = None, **more: object) -> Guest:
        answer = client.post("/api/sessions", json={"config": config or {}, **more})
        assert answer.status_code == 201, answer.text
        guests.append(Guest(client, answer.json()))
        return guests[-1]

    yield create
    for guest in guests:
        guest.call("DELETE", "")
