"""A process that has PyTorch and the kernel loaded and forks workers: a new one is there in milliseconds.

It is started as `python -m backend.nursery` with one end of a socket as its standard input. There it gets
messages of `DEVICE_BYTES`, the name of a device padded with spaces, each with two file descriptors: the
worker's socket, and the memory that says whose turn it is. For each it forks a worker. It ends when the
other end is closed.
"""

import mmap
import os
import signal
import socket
import sys

from playground.training.compiled import cache as compiling
from playground.training.compiled import trainer as fused
from playground.worker.loop import TURN_BYTES, work

DEVICE_BYTES = 32


def tend(control: socket.socket) -> None:
    signal.signal(
        signal.SIGCHLD, signal.SIG_IGN
    )  # the kernel buries workers; the engine sees their sockets close
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes its end
    compiler = None if compiling.is_compiled() else compiling.compile_beside()
    while True:
        device, fds, _, _ = socket.recv_fds(control, DEVICE_BYTES, 2)
        if not device:
            break
        sock, turn = fds
        if compiling.is_compiled() and not fused.ready.is_set():
            fused.load()
        if os.fork() == 0:
            control.close()
            work(socket.socket(fileno=sock), mmap.mmap(turn, TURN_BYTES), device.decode().strip())
            os._exit(0)
        os.close(sock)
        os.close(turn)
    if compiler:
        compiler.terminate()


if __name__ == "__main__":
    tend(socket.socket(fileno=sys.stdin.fileno()))
    os._exit(0)  # there is nothing to tidy up, and unloading PyTorch takes seconds
