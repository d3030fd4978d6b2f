"""The whole life of a worker process."""

import mmap
import socket
from contextlib import suppress

import torch

from playground.messages.worker import TrainerStatus
from playground.worker.channel import Channel
from playground.worker.kernel_loader import KernelLoader
from playground.worker.loop import Worker


def work(sock: socket.socket, current_session: mmap.mmap, device: str, kernel: KernelLoader) -> None:
    torch.set_num_threads(1)
    chosen = _chosen(device)
    with suppress(EOFError):  # the server is gone, and so is the need for a worker
        if chosen.startswith("cuda"):
            Worker(Channel(sock), chosen, current_session, batched=True, trainer_status=_batched).serve()
        else:
            kernel.load_when_compiled()
            Worker(Channel(sock), chosen, current_session, trainer_status=kernel.status).serve()


def _batched() -> TrainerStatus:
    return TrainerStatus(trainer="batched", detail="sessions that are alike train as one on the GPU")


def _chosen(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
