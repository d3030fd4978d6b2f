"""A process that has PyTorch and the kernel loaded and forks workers: a new one is there in milliseconds.

It is started as `python -m playground.worker.forkserver` with one end of a socket as its standard input.
There it gets messages of `DEVICE_BYTES`, the name of a device padded with spaces, each with two file
descriptors: the worker's socket, and the memory that says which session has its turn. For each it forks a
worker. It ends when the other end is closed.
"""

import mmap
import os
import signal
import socket
import sys

from playground.messages.worker import CURRENT_SESSION_BYTES, DEVICE_BYTES
from playground.worker.kernel_loader import KernelLoader
from playground.worker.process import work


def serve(control: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the engine sees the sockets of its workers close
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes its end
    kernel = KernelLoader()
    compiler = kernel.compile()
    while True:
        device, fds, _, _ = socket.recv_fds(control, DEVICE_BYTES, 2)
        if not device:
            break
        sock, current_session = fds
        kernel.load_if_compiled()
        if os.fork() == 0:
            control.close()
            memory = mmap.mmap(current_session, CURRENT_SESSION_BYTES)
            work(socket.socket(fileno=sock), memory, device.decode().strip(), kernel)
            os._exit(0)
        os.close(sock)
        os.close(current_session)
    if compiler:
        compiler.terminate()


if __name__ == "__main__":
    serve(socket.socket(fileno=sys.stdin.fileno()))
    os._exit(0)  # there is nothing to tidy up, and unloading PyTorch takes seconds
