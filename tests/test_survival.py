"""Live sessions outlive their server, however it ends."""

from pathlib import Path

from tests.faults import Server, killed


async def test_sessions_go_on_after_a_server_or_a_worker_is_killed(kernel: None, tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        await killed(server, ["server", "worker", "server", "worker"], seed=3)
    finally:
        server.stop()
