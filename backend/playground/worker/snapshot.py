"""Snapshots: all that a run needs to go on elsewhere, as bytes without pickle."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from playground.catalogue.schedules import Watch
from playground.catalogue.stopping import Waiting
from playground.messages import codec
from playground.messages.worker import Earlier
from playground.run.config import Config
from playground.run.validation import Tables, parse
from playground.training.evaluation import progress
from playground.training.experiment import Experiment
from playground.training.loop import TRAINERS, TrainingLoop
from playground.training.state import State
from playground.training.trainer import Trainer

COUNTERS = ("step", "epoch", "cursor", "samples", "stride")
TENSORS = ("seeds", "weights", "buffers", "slots", "updates")
BEST = ("best_weights", "best_buffers")


@dataclass(frozen=True)
class Moment:
    """A moment of a live run, to come back to."""

    earlier: Earlier
    snapshot: bytes

    @classmethod
    def of(cls, experiment: Experiment, state: State, done: int) -> "Moment":
        """After `done` lines of the timeline."""
        config, epoch = experiment.config, progress(state, experiment.count)
        earlier = Earlier(step=state.step, epoch=epoch, samples=state.samples, done=done, config=config)
        return cls(earlier, save(config, state))


def save(config: Config, state: State) -> bytes:
    """Weights, buffers, optimizer slots, counters and config; of early stopping the best weights."""
    header = {
        "type": "snapshot",
        "config": config.model_dump(mode="json"),
        **{name: getattr(state, name) for name in COUNTERS},
        "watch": asdict(state.watch),
        "waiting": asdict(state.waiting),
    }
    arrays = {name: getattr(state, name) for name in TENSORS}
    if state.pruned.any():
        arrays["pruned"] = state.pruned
    if state.best and state.waiting.loss is not None:
        arrays |= dict(zip(BEST, state.best, strict=True))
    return codec.encode(header, {name: tensor.cpu().numpy() for name, tensor in arrays.items()})


def load(
    data: bytes,
    tables: Tables | None = None,
    device: str = "cpu",
    trainers: Sequence[type[Trainer]] = TRAINERS,
) -> TrainingLoop:
    """The loop that was saved, ready for its next step on `device`."""
    header, arrays = codec.decode(data)
    config = parse(header["config"], tables)
    tensors = {name: torch.from_numpy(np.array(array)).to(device) for name, array in arrays.items()}
    state = State(
        **{name: tensors[name] for name in TENSORS},
        pruned=tensors.get("pruned", torch.zeros_like(tensors["weights"])),
        **{name: header[name] for name in COUNTERS},
        watch=Watch(**header.get("watch", {})),
        waiting=Waiting(**header.get("waiting", {})),
    )
    if BEST[0] in tensors:
        state.best = tensors[BEST[0]], tensors[BEST[1]]
    return TrainingLoop(Experiment.of(config, config.dataset(tables or {}), device), state, trainers)
