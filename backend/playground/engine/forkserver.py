"""The process that forks workers, as the engine starts and asks it.

Not that of `multiprocessing`: it runs nothing between two forks, so each worker would load the kernel anew,
and its first start blocks the event loop until PyTorch is imported.
"""

import os
import socket
import subprocess
import sys
from contextlib import suppress

from playground.messages.worker import DEVICE_BYTES

MODULE = "playground.worker.forkserver"
"""Started by its name and never imported: the web process does not load PyTorch's trainers."""


class Forkserver:
    """Started when it is needed, and anew when it has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self, device: str, current_session: int) -> socket.socket:
        """A new worker's socket; `current_session` is the file descriptor of that memory. Raises OSError."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with theirs:
            message = device.encode().ljust(DEVICE_BYTES)
            socket.send_fds(self._control, [message], [theirs.fileno(), current_session])
        return ours

    def _start(self) -> None:
        self.close()
        self._control, theirs = socket.socketpair()
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            command = [sys.executable, "-m", MODULE]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), env={**os.environ, **one_thread})

    def close(self) -> None:
        if self._control:
            self._control.close()
        if self._process:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            self._process.kill()
            self._process.wait()
