"""The real server with its real worker, as a process of its own; and a line to it that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

START_SECONDS = 90  # importing torch on a cold disk takes its time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(port: int | None = None, **settings: str) -> Iterator[tuple[str, int]]:
    """Yields the address and the process id of a server that is ready; `settings` become PLAYGROUND_…."""
    port = port or free_port()
    command = [sys.executable, "-m", "playground.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    folder = tempfile.TemporaryDirectory()
    settings = {
        "log_level": "warning",
        "workers": "1",
        "database": f"{folder.name}/playground.db",
        **settings,
    }
    environment = {**os.environ, **{f"PLAYGROUND_{name.upper()}": value for name, value in settings.items()}}
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, env=environment)
    try:
        wait_until_ready(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            folder.cleanup()


def wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/readyz", timeout=5).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"the server was not ready within {START_SECONDS} s")


def worker_of(server: int) -> int:
    """The process id of the server's youngest descendant."""
    told = subprocess.run(["pgrep", "-n", "-P", str(server)], capture_output=True, text=True, check=False)
    return worker_of(int(told.stdout)) if told.stdout else server


class Line:
    """Passes TCP bytes on to `port` from a port of its own, until it is cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._up = True
        self._passing: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        starting = asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Ends every connection and refuses new ones."""
        self._up = False
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._passing])

    def mend(self) -> None:
        self._up = True

    def close(self) -> None:
        self.cut()
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self) -> None:
        self._server.close()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(self._pass_on(reader, writer))
        self._passing.add(passing)
        passing.add_done_callback(self._passing.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        forth: asyncio.StreamWriter | None = None
        try:
            if self._up:
                back, forth = await asyncio.open_connection("127.0.0.1", self._target)
                await asyncio.gather(pump(reader, forth), pump(back, writer))
        finally:
            for end in (writer, forth):
                if end is not None:
                    end.transport.abort()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
