"""Scripted runs outlive their worker and their server."""

from pathlib import Path

from tests.faults import Server
from tests.killed_runs import killed


def test_a_run_ends_as_undisturbed_after_its_worker_and_its_server_were_killed(
    kernel: None, tmp_path: Path
) -> None:
    server = Server(tmp_path)
    try:
        assert killed(server, ["worker", "server"], steps=60_000, pauses=(0.5, 1.0), seed=1)[-1] > 0
    finally:
        server.stop()
