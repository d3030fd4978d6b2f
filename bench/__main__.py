"""`make bench`, or `make bench ARGS="training frames"` for some of the questions only."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable

from bench import (
    crowd,
    faults,
    frames,
    instructions,
    kills,
    options,
    page,
    published,
    recovery,
    report,
    sessions,
    spiral,
    stack,
    sweeps,
    training,
    watched,
)
from bench.report import Table

QUESTIONS: dict[str, Callable[[], Iterable[Table]]] = {
    "training": training.measure,
    "options": options.measure,
    "stack": stack.measure,
    "sweeps": sweeps.measure,
    "frames": frames.measure,
    "page": page.measure,
    "sessions": sessions.measure,
    "crowd": crowd.measure,
    "watched": watched.measure,
    "spiral": spiral.measure,
    "recovery": recovery.measure,
    "kills": kills.measure,
    "faults": faults.measure,
    "published": published.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("questions", nargs="*", choices=[[], *QUESTIONS], help="all, if none is named")
    parser.add_argument(
        "--processor",
        help="compile for this processor of LLVM's, such as x86-64-v3, and hold all others to it",
    )
    given = parser.parse_args()
    asked = given.questions or list(QUESTIONS)
    if given.processor:
        os.environ.update(instructions.variables(given.processor))
    on = report.machine()
    print(", ".join(f"{name} {value}" for name, value in on.items()), "\n", flush=True)
    tables: list[Table] = []
    for name in asked:
        for table in QUESTIONS[name]():
            print(table.text(), flush=True)
            tables.append(table)
    print("written to", report.write(tables, on))


if __name__ == "__main__":
    main()
