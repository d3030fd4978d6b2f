"""How fast networks train, against what else one could train them with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from statistics import median

import torch

from bench.contenders import (
    LATER,
    Case,
    Steps,
    compiled,
    jax_products,
    jax_sums,
    plain_loop,
    reference,
    scikit_learn,
)
from bench.instructions import AVX2, compiled_for, has_more_than_avx2, held_to
from bench.peak import CHAINS, STEP, multiply_adds
from bench.report import Cell, Table
from playground.training.compiled import loading

NETS = ["2-4-2-1", "2-8-8-8-1", "7-8-8-8-8-8-8-1", "2-32-32-1", "2-64-64-1", "2-64-64-64-1"]
PLAIN_LOOP_GOALS = [150, 50, 30, 30, None, 12]
JAX_GOALS = [1.5, 1.5, 1.5, 1.5, 1.2, 1.2]
"""Against the better of the two ways."""
TWO_CORES_GOAL = 1.8
STACKS = [1, 32, 256]
SHARED = 32  # networks of a stack that cores share

WIDE = ["2-64-64-64-1", "2-128-128-128-1", "2-256-256-1"]
PEAK_GOAL = 0.5
NORMALISED_GOAL = 0.6

HALF = 0.5
REGULARISED = {
    "elastic net": {"l1": 1e-4, "l2": 1e-4},
    "max-norm": {"max_norm": 1.0},
    "clipping by norm": {"clip_norm": 1.0},
    "clipping by value": {"clip_value": 0.1},
    "input noise": {"input_noise": 0.3},
    "augmentation": {"augmentation": {"kind": "jitter", "copies": 3}},
    "early stopping": {"stopping": {"kind": "early_stopping", "patience": 100_000}},
}

REPEATS = 7
SECONDS = 0.1  # of each repeat, about
LONGER, TURNS = 0.5, 11  # where cores share the work: another's work on either of them shows
FIRST = 500


def measure() -> Iterator[Table]:
    one_core = [
        against_plain_loop,
        by_batch_size,
        regularised,
        against_jax,
        share_of_peak,
        normalised,
        against_scikit_learn,
        reference_against_plain_loop,
        first_steps,
        stacks,
    ]
    if not hasattr(os, "sched_setaffinity"):
        yield from answers(one_core)
        return
    # A process that is born on one core makes threads for one core only, in every library.
    allowed = os.sched_getaffinity(0)
    with kept_to({max(allowed)}):
        yield from answers(one_core)
        if has_more_than_avx2():
            with held_to(AVX2):
                yield from answers([against_plain_loop, against_jax, share_of_peak, normalised])
    if len(allowed) > 1:
        yield from answers([two_cores])


def answers(questions: list[Callable[[], Table]]) -> Iterator[Table]:
    """From a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn"), prepare) as process:
        yield from process.map(answer, questions)


def answer(question: Callable[[], Table]) -> Table:
    return question()


def prepare() -> None:
    torch.set_num_threads(1)
    loading.load()


@contextmanager
def kept_to(cores: set[int]) -> Iterator[None]:
    """Runs on these cores, and so does what it starts."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def rate(train: Steps, steps: int) -> float:
    start = time.perf_counter()
    done = train(steps)
    return done / (time.perf_counter() - start)


def pace(train: Steps, seconds: float = SECONDS) -> int:
    """Steps that it trains in about so long."""
    train(1)  # what is compiled at first use is compiled here
    steps = 1
    while rate(train, steps) * seconds > 1.5 * steps:
        steps *= 2
    return steps


def compared(a: Steps, b: Steps) -> list[float]:
    """Steps per second of both, and their ratio, which is taken turn by turn."""
    a_steps, b_steps = pace(a), pace(b)
    return medians([(rate(a, a_steps), rate(b, b_steps)) for _ in range(REPEATS)])


def medians(pairs: list[tuple[float, float]]) -> list[float]:
    return [median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)]


HISTORY = (
    f"\nThe compiled trainer keeps its history: from step {LATER:,} on, where it is measured, a point every"
    "\n32 steps or more. Nobody else keeps one."
)


def against_plain_loop() -> Table:
    rows: list[list[Cell]] = []
    for net, goal in zip(NETS, PLAIN_LOOP_GOALS, strict=True):
        for case, share in [
            (Case(net), 1),
            (Case(net, batchnorm=True), None),
            (Case(net, dropout=0.2), None),
            (Case(net, "adam"), None),
            (Case(net, "adam", batchnorm=True, dropout=0.2), 0.5),
        ]:
            target = goal * share if goal and share else None
            rows.append([net, case.training, *compared(compiled(case), plain_loop(case)), target])
    return Table(
        f"{on_what()}, batch 10: compiled trainer against a plain torch loop",
        ["net", "training", "compiled steps/s", "plain loop steps/s", "ratio", "goal"],
        rows,
        "With everything on, the goal is half of that with SGD alone." + HISTORY,
    )


def by_batch_size() -> Table:
    cases = [Case(net, batch=batch) for net in NETS for batch in (1, 10, 32, 250)]
    return Table(
        "One core, SGD: compiled trainer against a plain torch loop, by the size of a mini-batch",
        ["net", "batch", "compiled steps/s", "plain loop steps/s", "ratio"],
        [[case.net, case.batch, *compared(compiled(case), plain_loop(case))] for case in cases],
        "A batch of 250 is all the data." + HISTORY,
    )


def regularised() -> Table:
    nets = ("2-4-2-1", "2-32-32-1")
    cases = [(net, name, options) for net in nets for name, options in REGULARISED.items()]
    return Table(
        "One core, SGD: the compiled trainer with each regularisation against without",
        ["net", "with", "steps/s", "steps/s without", "ratio"],
        [
            [net, name, *compared(compiled(Case(net, options=options)), compiled(Case(net)))]
            for net, name, options in cases
        ],
        f"At least {HALF} is asked for." + HISTORY,
    )


def against_jax() -> Table:
    ways = {"x @ w": jax_products, "(x[:, :, None] * w).sum(1)": jax_sums}
    return Table(
        f"{on_what()}, SGD, batch 10: compiled trainer against JAX, jit and scan",
        ["net", "a layer in JAX", "compiled steps/s", "JAX steps/s", "ratio", "goal"],
        [
            [net, way, *compared(compiled(Case(net)), jax(Case(net))), goal]
            for net, goal in zip(NETS, JAX_GOALS, strict=True)
            for way, jax in ways.items()
        ],
        f"JAX {version('jax')}, which compiles for each net anew; that is not counted." + HISTORY,
    )


def share_of_peak() -> Table:
    peak = max((multiply_adds(count) for count in CHAINS), key=lambda run: rate(run, pace(run)))
    rows: list[list[Cell]] = []
    for net in WIDE:
        for batch in (32, 250):
            case = Case(net, batch=batch)
            steps, most, ratio = compared(compiled(case), peak)
            share = ratio * case.multiply_adds / STEP
            work = [rate * size / 1e9 for rate, size in ((steps, case.multiply_adds), (most, STEP))]
            goal = PEAK_GOAL if (net, batch) == (WIDE[0], 250) else None
            rows.append([net, batch, steps, *work, share, goal])
    return Table(
        f"{on_what()}, SGD: the share of the multiply-adds that the core can do",
        ["net", "batch", "steps/s", "10⁹ multiply-adds/s", "peak", "share", "goal"],
        rows,
        "Those of the products alone are counted. The peak is measured in turn, without memory.",
    )


def normalised() -> Table:
    nets = [Case(net) for net in NETS]
    return Table(
        f"{on_what()}, SGD, batch 10: with batch normalisation and dropout against without",
        ["net", "steps/s with both", "steps/s without", "ratio", "goal"],
        [
            [
                case.net,
                *compared(compiled(Case(case.net, batchnorm=True, dropout=0.2)), compiled(case)),
                NORMALISED_GOAL,
            ]
            for case in nets
        ],
        HISTORY.strip(),
    )


def on_what() -> str:
    return f"One core, compiled for {compiled_for()}"


def with_sgd_and_adam(a: Callable[[Case], Steps], b: Callable[[Case], Steps]) -> list[list[Cell]]:
    cases = [Case(net, optimizer) for net in NETS for optimizer in ("sgd", "adam")]
    return [[case.net, case.training, *compared(a(case), b(case))] for case in cases]


def against_scikit_learn() -> Table:
    return Table(
        "One core, batch 10: compiled trainer against scikit-learn's MLPClassifier",
        ["net", "training", "compiled steps/s", "scikit-learn steps/s", "ratio"],
        with_sgd_and_adam(compiled, scikit_learn),
        f"scikit-learn {version('scikit-learn')}: momentum, penalty and early stopping off." + HISTORY,
    )


def reference_against_plain_loop() -> Table:
    return Table(
        "One core, batch 10: reference trainer against a plain torch loop",
        ["net", "training", "reference steps/s", "plain loop steps/s", "ratio"],
        with_sgd_and_adam(reference, plain_loop),
        f"The reference trainer keeps its history, from step {LATER:,} on a point every 32 steps or more.",
    )


def first_steps() -> Table:
    rows: list[list[Cell]] = []
    for net in NETS:
        pairs = [
            (rate(compiled(Case(net), step=0), FIRST), rate(reference(Case(net), step=0), FIRST))
            for _ in range(REPEATS)
        ]
        rows.append([net, *medians(pairs)])
    return Table(
        f"One core, SGD, batch 10, the first {FIRST} steps of a run: compiled against reference trainer",
        ["net", "compiled steps/s", "reference steps/s", "ratio"],
        rows,
        "Each of these steps leaves a point of the history: all data is evaluated.",
    )


def stacks() -> Table:
    cases = [Case(net, stack=stack) for net in NETS for stack in STACKS]
    return Table(
        "One core, SGD, batch 10: a stack of networks, compiled trainer against reference trainer",
        ["net", "networks", "compiled steps/s", "reference steps/s", "ratio"],
        [[case.net, case.stack, *compared(compiled(case), reference(case))] for case in cases],
        "A step is one of all networks. Both keep a history, of the first network.",
    )


def two_cores() -> Table:
    first, second = ({core} for core in sorted(os.sched_getaffinity(0))[-2:])
    rows: list[list[Cell]] = []
    with ProcessPoolExecutor(1, get_context("spawn"), prepare) as other:
        for net in NETS:
            steps = pace(stack_of(net), LONGER)
            turns: list[tuple[float, float, float]] = []
            for _ in range(TURNS):
                one = (on(first, net, steps) + on(second, net, steps)) / 2
                two = on(first | second, net, steps)
                beside = other.submit(on, second, net, steps)
                turns.append((one, two, on(first, net, steps) + beside.result()))
            ratios = (
                median(two / one for one, two, _ in turns),
                median(apart / one for one, _, apart in turns),
            )
            rows.append(
                [net, *(median(rates) for rates in zip(*turns, strict=True)), *ratios, TWO_CORES_GOAL]
            )
    return Table(
        f"SGD, batch 10: a stack of {SHARED}, compiled trainer on two cores against one",
        ["net", "one core", "two cores", "two processes", "cores / one", "processes / one", "goal"],
        rows,
        "Steps of all networks a second. Two processes, each with a stack of its own, share nothing: they"
        "\nshow what the machine has to give at that moment.",
    )


@cache
def stack_of(net: str) -> Steps:
    return compiled(Case(net, stack=SHARED))


def on(cores: set[int], net: str, steps: int) -> float:
    """Steps per second of a stack of this process on these cores."""
    with kept_to(cores):
        return rate(stack_of(net), steps)
