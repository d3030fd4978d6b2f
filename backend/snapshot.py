"""Snapshots: all that a run needs to go on elsewhere, as bytes without pickle."""

import numpy as np
import torch

from backend import protocol
from backend.config import Tables, parse
from backend.fused import FusedTrainer
from backend.network import State
from backend.trainer import Trainer

COUNTERS = ("step", "epoch", "cursor", "samples", "stride")
TENSORS = ("seeds", "weights", "buffers", "slots", "updates")


def save(trainer: Trainer) -> bytes:
    """Weights, buffers, optimizer slots, counters and config of a trainer."""
    state = trainer.state
    header = {
        "type": "snapshot",
        "config": trainer.config.model_dump(mode="json"),
        **{name: getattr(state, name) for name in COUNTERS},
    }
    arrays = {name: getattr(state, name) for name in TENSORS}
    return protocol.encode(header, {name: tensor.cpu().numpy() for name, tensor in arrays.items()})


def load(
    data: bytes, tables: Tables | None = None, device: str = "cpu", trainer: type[Trainer] = FusedTrainer
) -> Trainer:
    """The trainer that was saved, ready for its next step on `device`."""
    header, arrays = protocol.decode(data)
    config = parse(header["config"], tables)

    def tensor(name: str) -> torch.Tensor:
        return torch.from_numpy(np.array(arrays[name])).to(device)

    state = State(
        **{name: tensor(name) for name in TENSORS},
        **{name: header[name] for name in COUNTERS},
    )
    return trainer(config, config.data.split(config.seed, tables or {}), state)
