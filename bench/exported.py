"""Whether exported scripts give the losses of the sessions that they came from: random experiments over the
whole catalogue with random live changes, each run by a Python of its own.

`python -m bench.exported [COUNT] [PYTHON]` prints the differences; PYTHON may be that of a fresh environment
with nothing but torch and numpy.
"""

import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playground.catalogue.activations import Activation
from playground.catalogue.augmentations import Augmentation
from playground.catalogue.class_weights import ClassWeights
from playground.catalogue.component import Component, members
from playground.catalogue.datasets import Data
from playground.catalogue.inits import Init
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.schedules import Schedule
from playground.catalogue.shortcuts import Shortcut
from playground.catalogue.stopping import Stopping
from playground.errors import ValidationFailed
from playground.export.pytorch import script
from playground.export.taken import Taken
from playground.run.patch import merged
from playground.run.run import Run, TimelineEntry
from playground.run.validation import parse
from playground.run.weights import OneWeight
from playground.training.divergence import Diverged
from playground.training.loop import TrainingLoop
from playground.training.trainer import Trainer
from playground.training.weights import read_weights, set_weight

FEATURES = ("x1", "x2", "x1^2", "x1*x2", "sin(x1)", "abs(x2)", "max(x1,0)", "rff1", "rff4", "x1>0")
UPLOADED = ("csv", "image")
MOST_POINTS = 1000
LAST = re.compile(r"training loss (\S+), test loss (\S+)")


def kinds(family: type[Component]) -> list[str]:
    return [cls.name() for cls in members(family)]


def one(rng: random.Random, family: type[Component], **fields: Any) -> dict[str, Any]:
    return {"kind": rng.choice(kinds(family)), **fields}


def layer(rng: random.Random) -> dict[str, Any]:
    plain = {"kind": "none"}
    return {
        "width": rng.randint(1, 8),
        "activation": one(rng, Activation),
        "normalization": rng.choice([plain, plain, one(rng, Normalization)]),
        "dropout": rng.choice([0.0, 0.0, 0.2]),
        "shortcut": rng.choice([plain, plain, one(rng, Shortcut)]),
    }


def parts(rng: random.Random) -> dict[str, Any]:
    """A value for each part of a config; which of them are taken decides the caller."""
    kind = rng.choice([kind for kind in kinds(Data) if kind not in UPLOADED])
    optimizer = one(rng, Optimizer, lr=rng.choice([0.001, 0.003, 0.01]))
    optimizer |= {"weight_decay": rng.choice([0.0, 0.01]), "decoupled_weight_decay": rng.random() < 0.5}
    schedule = one(rng, Schedule)
    if schedule["kind"] in ("linear_decay", "cosine_annealing", "one_cycle"):
        schedule["total_steps"] = 300
    if schedule["kind"] == "reduce_on_plateau":
        schedule |= {"interval": 20, "patience": 2, "factor": 0.5}
    return {
        "data": {"kind": kind, "draw": rng.randint(0, 9)},
        "augmentation": one(rng, Augmentation),
        "features": rng.sample(FEATURES, rng.randint(1, 4)),
        "hidden": [layer(rng) for _ in range(rng.randint(0, 3))],
        "loss": one(rng, Loss),
        "class_weights": one(rng, ClassWeights),
        "optimizer": optimizer,
        "schedule": {**schedule, "warmup": rng.choice([0, 0, 20])},
        "stopping": rng.choice([{"kind": "no_stopping"}, one(rng, Stopping)]),
        "batch_size": rng.choice([1, 7, 10, 32, 250]),
        "shuffle": rng.random() < 0.7,
        "carry_remainder": rng.random() < 0.3,
        "input_dropout": rng.choice([0.0, 0.2]),
        "input_noise": rng.choice([0.0, 0.3]),
        "l1": rng.choice([0.0, 0.003]),
        "l1_prunes": rng.random() < 0.3,
        "l2": rng.choice([0.0, 0.01]),
        "clip_norm": rng.choice([None, 0.5]),
        "clip_value": rng.choice([None, 0.1]),
        "max_norm": rng.choice([None, 1.5]),
        "init": one(rng, Init),
        "seed": rng.randint(0, 10**6),
    }


def experiment(seed: int, trainers: Sequence[type[Trainer]], steps: int = 400, changes: int = 5) -> Taken:
    """A run with random live changes. Those that do not fit, or diverge, are thrown away."""
    rng = random.Random(seed)
    while True:
        found = _tried(rng, trainers, steps, changes)
        if found:
            return found[0]


def losses(taken: Taken) -> tuple[float | None, float | None]:
    """Of the training and test points, as the session has them."""
    return taken.history["train_loss"][-1], taken.history["test_loss"][-1]


def _tried(
    rng: random.Random, trainers: Sequence[type[Trainer]], steps: int, changes: int
) -> tuple[Taken] | None:
    raw = parts(rng)
    kept = rng.sample(sorted(raw), 14)
    try:
        loop = TrainingLoop.start(parse({name: raw[name] for name in kept}), trainers=trainers)
    except ValidationFailed:
        return None
    if loop.experiment.count > MOST_POINTS:
        return None
    start, timeline = loop.config, []
    try:
        for at in sorted(rng.sample(range(1, steps), changes)):
            _train(loop, at)
            timeline += _changed(rng, loop)
        _train(loop, steps)
    except Diverged:
        return None
    history = {name: [value] for name, value in loop.measure()[0].named().items()}
    if history["train_loss"][0] is None or history["train_loss"][0] > 1e3:
        return None
    weights = read_weights(loop.experiment.network, loop.state)
    return (Taken(Run(start, tuple(timeline)), loop.state.step, weights, history, {}),)


def _train(loop: TrainingLoop, until: int) -> None:
    while loop.state.step < until:
        loop.train(until - loop.state.step)


def _changed(rng: random.Random, loop: TrainingLoop) -> list[TimelineEntry]:
    step = loop.state.step
    if rng.random() < 0.15:
        edit = OneWeight(layer=0, source=rng.choice([None, 0]), unit=0, value=rng.uniform(-1, 1))
        set_weight(loop.experiment.network, loop.state, edit)
        return [TimelineEntry(step=step, weights=edit)]
    raw = parts(rng)
    for _ in range(20):
        names = rng.sample(sorted(raw), rng.choice([1, 1, 2]))
        change = {name: raw[name] for name in names}
        if rng.random() < 0.3:
            hidden = [one.model_dump(mode="json") for one in loop.config.hidden]
            if hidden:
                part = rng.choice(hidden)
                part |= rng.choice(
                    [
                        {"width": rng.randint(1, 8)},
                        {"dropout": rng.choice([0.0, 0.3])},
                        {"activation": one(rng, Activation)},
                        {"normalization": one(rng, Normalization)},
                        {"frozen": True},
                        {"frozen_neurons": [0]},
                        {"frozen_edges": [[0, 0]]},
                    ]
                )
                change = {"hidden": hidden}
        try:
            after = parse(merged(loop.config, change), before=loop.config)
        except ValidationFailed:
            continue
        effect = loop.change(after)
        return [TimelineEntry(step=step, change=change, effect=effect)]
    return []


def told(program: bytes, python: str = sys.executable) -> tuple[float, float]:
    """The last losses that a script prints."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exported.py"
        path.write_bytes(program)
        done = subprocess.run([python, "-I", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    train, test = LAST.findall(done.stdout)[-1]
    return float(train), float(test)


def off(taken: Taken, python: str = sys.executable) -> float:
    """By what share of the session's losses the script's are off, the larger of two."""
    pairs = zip(losses(taken), told(script(taken), python), strict=True)
    return max(
        (abs(theirs - ours) / max(abs(ours), 1e-9) for ours, theirs in pairs if ours is not None), default=0.0
    )


def main(count: int = 20, python: str = sys.executable) -> None:
    from playground.training.compiled.trainer import CompiledTrainer
    from playground.training.reference import ReferenceTrainer

    worst = 0.0
    for seed in range(count):
        taken = experiment(seed, [CompiledTrainer, ReferenceTrainer])
        share = off(taken, python)
        worst = max(worst, share)
        print(
            f"{seed:3} {taken.name:28} {len(taken.transitions)} changes,"
            f" loss {losses(taken)[0]:.5g}: {share:.2e}"
        )
    print(f"the largest difference of {count}: {worst:.2%}")


if __name__ == "__main__":
    main(*(int(argument) if argument.isdigit() else argument for argument in sys.argv[1:]))  # pyright: ignore
