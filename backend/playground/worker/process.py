"""The whole life of a worker process."""

import logging
import mmap
import socket
from contextlib import suppress

import torch

from playground.worker.channel import Channel
from playground.worker.loop import Worker

log = logging.getLogger("playground.worker")


def work(sock: socket.socket, current_session: mmap.mmap, device: str) -> None:
    torch.set_num_threads(1)
    load_kernel_when_compiled()
    chosen = _chosen(device)
    with suppress(EOFError):  # the server is gone, and so is the need for a worker
        Worker(Channel(sock), chosen, current_session, batched=chosen.startswith("cuda")).serve()


def load_kernel_when_compiled() -> None:
    """In a thread of its own. Without numba, the reference trainer trains."""
    with suppress(ImportError):
        from playground.training.compiled import loading

        loading.load_when_compiled()


def _chosen(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
