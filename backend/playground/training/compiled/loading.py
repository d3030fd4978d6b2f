"""The kernel is loaded, or compiled if need be. As a script it does that and ends:

python -m playground.training.compiled.loading
"""

import torch
from numba.core import config

from playground.run.validation import parse
from playground.training.compiled import cache, kernel
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TRAINERS, TrainingLoop


def is_loaded() -> bool:
    return CompiledTrainer in TRAINERS


def load() -> None:
    """Loads the kernel, or compiles it, by using each entry once; from then on it trains what it can."""
    if is_loaded():
        return
    config.CACHE_DIR = str(cache.folder())  # pyright: ignore[reportAttributeAccessIssue]
    for entry in kernel.ENTRIES:
        entry.enable_caching()
    points = {"data": {"kind": "circle", "samples": 4}}
    loop = TrainingLoop.start(parse(points), trainers=[CompiledTrainer])
    loop.train(1)
    loop.measure()
    loop.trainer.activations(torch.zeros(1, 1, 2))
    cache.note_compiled()
    TRAINERS.insert(0, CompiledTrainer)


if __name__ == "__main__":
    load()
