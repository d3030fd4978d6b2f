"""A worker whose sessions are driven by a test: who joins, who asks for what, and what each has learned."""

import mmap
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

import numpy as np
import torch

from playground.messages import worker as messages
from playground.messages.commands import Speed
from playground.messages.worker import (
    CURRENT_SESSION_BYTES,
    Envelope,
    Event,
    Request,
)
from playground.run.validation import parse
from playground.training.batched.stack import Stack
from playground.training.evaluation import Samples
from playground.training.loop import TrainingLoop
from playground.worker.live_run import LiveRun
from playground.worker.loop import Worker
from tests.loops import start

CONFIG = {"data": {"kind": "spiral", "noise": 0.1, "samples": 46}, "batch_size": 5, "hidden": [{"width": 3}]}
EPOCH = 5
"""Steps, the last of them with a mini-batch of 3."""
FULL, USUAL, SLOW = Speed(max=True), Speed(epochs_per_second=60), Speed(steps_per_second=0.001)
TICK = 0.001
PATIENCE = 120.0
"""Seconds after which something is taken for lost. No test is about how long it takes."""

Script = Iterator[list[Envelope[Request]]]


class Classroom:
    """A worker and the other end of its channel. Between its turns it gets the requests of a script."""

    def __init__(self, together: bool = True, device: str = "cpu"):
        self.current_session = mmap.mmap(-1, CURRENT_SESSION_BYTES)
        self.worker = Worker(self, device, self.current_session, together)  # pyright: ignore[reportArgumentType]
        self.sent: list[Envelope[Event]] = []
        self._number = 100

    def run(self, script: Script) -> None:
        self._script = script
        with suppress(EOFError):
            self.worker.serve()

    def exchange(self, timeout: float | None) -> list[Envelope[Request]]:
        try:
            return next(self._script)
        except StopIteration:
            raise EOFError from None

    def send(self, envelope: Envelope[Event]) -> None:
        self.sent.append(envelope)

    def send_latest(self, slot: Any, envelope: Envelope[Event]) -> None:
        pass

    # What scripts are made of

    def open(self, seed: int, config: dict[str, Any] = CONFIG, **more: Any) -> Envelope[Request]:
        """A session that is named after its seed."""
        fields = {"number": seed + 1, "run": 1, "config": parse(config | {"seed": seed}), "speed": FULL}
        return Envelope(messages.Open(**{**fields, "playing": True, **more}), str(seed), 1)

    def until(self, holds: Callable[[], Any]) -> Script:
        deadline = monotonic() + PATIENCE
        while not holds():
            assert monotonic() < deadline, "this does not come about"
            yield []

    def ask(self, seed: int, request: Request) -> Script:
        """Goes on once it is answered."""
        self._number += 1
        yield [Envelope(request, str(seed), self._number)]
        yield from self.until(lambda: self.answers(self._number))

    # What is there afterwards

    def answers(self, number: int) -> list[Any]:
        return [envelope.content for envelope in self.sent if envelope.request == number]

    def events(self, seed: int, kind: type) -> list[Any]:
        return [m.content for m in self.sent if m.session == str(seed) and isinstance(m.content, kind)]

    def live(self, seed: int) -> LiveRun:
        return self.worker._runs[str(seed)]

    def step(self, seed: int) -> int:
        return self.live(seed).loop.state.step

    def stacked(self) -> set[int]:
        return {int(name) for name in self.worker._runs if self.stack(int(name))}

    def stack(self, seed: int) -> Stack | None:
        member = self.worker._batching and self.worker._batching.member(self.live(seed))
        return member.stack if member else None

    def history(self, seed: int) -> np.ndarray:
        own = [m for m in self.sent if m.session == str(seed) and isinstance(m.content, messages.Samples)]
        return np.concatenate([envelope.arrays["samples"][0] for envelope in own])


def alone(seed: int, config: dict[str, Any] = CONFIG) -> TrainingLoop:
    return start(config | {"seed": seed})


def assert_learned_alone(room: Classroom, seed: int, reference: TrainingLoop, *pieces: Samples) -> None:
    """`reference` has trained as the session should have; `pieces` are its history."""
    loop = room.live(seed).loop
    for name in ("step", "epoch", "cursor", "samples", "stride"):
        assert getattr(loop.state, name) == getattr(reference.state, name)
    for a, b in zip(loop.state.tensors(), reference.state.tensors(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    expected = np.concatenate([piece.rows for piece in pieces])
    np.testing.assert_allclose(room.history(seed), expected, rtol=1e-3, atol=1e-4)


def assert_learned_undisturbed(room: Classroom, seed: int, config: dict[str, Any] = CONFIG) -> None:
    reference = alone(seed, config)
    assert_learned_alone(room, seed, reference, reference.record(), reference.train(room.step(seed)))
