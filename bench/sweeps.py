"""What a sweep of many configs costs, against the same configs one after the other in a plain torch loop."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn

from bench.report import Cell, Table
from bench.training import kept_to
from playground.catalogue.features import columns
from playground.engine.local import LocalEngine
from playground.run.validation import parse
from playground.session.uploads import Uploads
from playground.storage.store import Store
from playground.studies.sweeps.spec import SweepSpec
from playground.studies.sweeps.sweep import Watcher
from playground.studies.sweeps.sweeps import Sweeps

CONFIGS, EPOCHS, BATCH, WIDTHS = 200, 200, 10, (8, 8)
SAMPLED = 2
"""Configs of the plain loop that are measured; all take the same number of the same steps."""
OPTUNA_SAMPLED = 2
GOAL = 200.0
BASE = {
    "data": {"kind": "circle", "samples": 500},
    "hidden": [{"width": width} for width in WIDTHS],
    "optimizer": {"kind": "adam"},
    "batch_size": BATCH,
}
SPACE = {
    "optimizer.lr": {"low": 1e-4, "high": 1, "log": True},
    "l2": {"low": 1e-6, "high": 1e-2, "log": True},
}


async def swept() -> float:
    """Seconds from asking for the sweep to its end; the worker and its kernel are there before."""
    with tempfile.TemporaryDirectory() as folder:
        engine, store = LocalEngine(1, "cpu"), Store(str(Path(folder) / "bench.db"))
        store.open()
        await engine.start()
        while not engine.ready or engine.trainer.trainer == "compiling":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        sweeps = Sweeps(engine, store, Uploads(), workers=1)
        await _sweep(sweeps, trials=1)  # what is imported at first use
        start = time.perf_counter()
        await _sweep(sweeps, trials=CONFIGS)
        seconds = time.perf_counter() - start
        await engine.stop()
        store.close()
        return seconds


async def _sweep(sweeps: Sweeps, trials: int) -> None:
    wanted = {
        "config": BASE,
        "space": SPACE,
        "sampler": "random",
        "trials": trials,
        "epochs": EPOCHS,
        "seeds": 1,
    }
    sweep, _ = await sweeps.create(SweepSpec.model_validate(wanted))
    watcher = Watcher(sweep)
    while not sweep.over:
        await watcher.changed()
    assert sweep.row.state == "done", sweep.row.error
    assert sweep.done == trials


def plain(rate: float, l2: float) -> float:
    """One config as one would write it by hand; its test loss."""
    config = parse(BASE)
    data = config.dataset({})
    x, test_x = (
        columns(config.features, torch.from_numpy(a).float(), config.fourier)
        for a in (data.train_inputs, data.test_inputs)
    )
    y, test_y = (torch.from_numpy(a).float() for a in (data.train_targets, data.test_targets))
    first, second = WIDTHS
    net = nn.Sequential(
        nn.Linear(2, first), nn.Tanh(), nn.Linear(first, second), nn.Tanh(), nn.Linear(second, 1)
    )
    loss, optimizer = nn.BCEWithLogitsLoss(), torch.optim.Adam(net.parameters(), lr=rate, weight_decay=l2)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss(net(x[batch])[:, 0], y[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        return float(loss(net(test_x)[:, 0], test_y))


def timed(work: Callable[[], object]) -> float:
    torch.set_num_threads(1)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def with_optuna() -> None:
    """Optuna's random sampler with the plain loop as its objective."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("lr", 1e-4, 1, log=True)
        return plain(rate, trial.suggest_float("l2", 1e-6, 1e-2, log=True))

    study.optimize(objective, n_trials=OPTUNA_SAMPLED)


def plain_sample() -> None:
    for number in range(SAMPLED):
        plain(0.01 * (number + 1), 1e-4)


def measure() -> list[Table]:
    allowed = os.sched_getaffinity(0)
    with kept_to({max(allowed)}), ProcessPoolExecutor(1, get_context("spawn")) as process:
        process.submit(timed, os.getpid).result()  # born, with torch imported
        # In turns, so that whoever else works on the machine slows all alike.
        loops = [process.submit(timed, plain_sample).result()]
        ours = [asyncio.run(swept())]
        optuna = process.submit(timed, with_optuna).result() / OPTUNA_SAMPLED * CONFIGS
        ours.append(asyncio.run(swept()))
        loops.append(process.submit(timed, plain_sample).result())
    sweep, loop = sum(ours) / len(ours), sum(loops) / len(loops) / SAMPLED * CONFIGS
    rows: list[list[Cell]] = [
        ["a sweep", sweep, None, None],
        ["a plain torch loop, one after the other", loop, loop / sweep, GOAL],
        [f"Optuna {version('optuna')} with that loop as objective", optuna, optuna / sweep, None],
    ]
    note = (
        f"\nThe loop is measured on {2 * SAMPLED} of the configs, with Optuna on {OPTUNA_SAMPLED}, and"
        "\nmultiplied: all take the same steps. The sweep is measured twice, whole: asking, training, curves,"
        "\nand the database."
    )
    question = f"{CONFIGS} configs of 2-8-8-1, {EPOCHS} epochs each (250 points, batch {BATCH}), on one core"
    return [Table(question, ["how", "seconds", "times a sweep", "goal"], rows, note)]
