"""A process that has PyTorch and the kernel loaded and forks workers: a new one is there in milliseconds.

It is started as `python -m playground.worker.forkserver` with one end of a socket as its standard input.
There it gets messages of `DEVICE_BYTES`, the name of a device padded with spaces, each with two file
descriptors: the worker's socket, and the memory that says which session has its turn. For each it forks a
worker. It ends when the other end is closed.
"""

import logging
import mmap
import os
import signal
import socket
import subprocess
import sys

from playground.messages.worker import CURRENT_SESSION_BYTES, DEVICE_BYTES
from playground.worker.process import work

try:
    from playground.training.compiled import cache, loading
except ImportError as error:
    logging.getLogger("playground.worker").warning("the reference trainer trains: %s", error)
    cache = loading = None


def serve(control: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the engine sees the sockets of its workers close
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes its end
    compiler = _compile_if_needed()
    while True:
        device, fds, _, _ = socket.recv_fds(control, DEVICE_BYTES, 2)
        if not device:
            break
        sock, current_session = fds
        if cache and loading and cache.is_compiled():
            loading.load()
        if os.fork() == 0:
            control.close()
            memory = mmap.mmap(current_session, CURRENT_SESSION_BYTES)
            work(socket.socket(fileno=sock), memory, device.decode().strip())
            os._exit(0)
        os.close(sock)
        os.close(current_session)
    if compiler:
        compiler.terminate()


def _compile_if_needed() -> subprocess.Popen[bytes] | None:
    return None if cache is None or cache.is_compiled() else cache.compile_beside()


if __name__ == "__main__":
    serve(socket.socket(fileno=sys.stdin.fileno()))
    os._exit(0)  # there is nothing to tidy up, and unloading PyTorch takes seconds
