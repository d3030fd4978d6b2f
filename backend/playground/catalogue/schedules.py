"""Schedules: how the learning rate changes from step to step. Each agrees with `torch.optim.lr_scheduler`.

A schedule counts the steps of the run. What it says is multiplied by the learning rate of the optimizer, so
that both can be changed at any time.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground.catalogue.component import Component


class Schedule(Component):
    """`factors` is what the learning rate is multiplied by."""

    warmup: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        title="Warm-up",
        description="So many steps come first, in which the rate climbs in a straight line from nearly zero"
        " to where the schedule begins",
        json_schema_extra={"scale": "log"},
    )

    def factors(self, steps: np.ndarray) -> np.ndarray:
        """For each of these steps of the run, which count from 0."""
        begun = self.after_warmup(np.maximum(steps - self.warmup, 0).astype(np.float64))
        return begun * np.minimum((steps + 1) / (self.warmup + 1), 1)

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class ConstantRate(Schedule):
    """The learning rate stays what it is set to."""

    kind: Literal["constant_rate"] = "constant_rate"
    label: ClassVar[str] = "Constant"
    effect: ClassVar[str] = "effect.to_constant_rate"
    formula: ClassVar[str] = r"\eta_t = \eta_0"

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        return np.ones_like(steps)


class Ending(Schedule):
    """One that is over at some time."""

    total_steps: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        title="Steps T",
        description="After so many steps the rate stays as it is",
        json_schema_extra={"scale": "log"},
    )


class LinearDecay(Ending):
    """Falls in a straight line over so many steps of the run, then stays: quick at first, and exact in the
    end (Goodfellow, Bengio, Courville, 2016, chapter 8)."""

    kind: Literal["linear_decay"] = "linear_decay"
    label: ClassVar[str] = "Linear"
    effect: ClassVar[str] = "effect.to_falling_rate"
    formula: ClassVar[str] = r"\eta_t = (1 - \alpha)\, \eta_0 + \alpha\, f \eta_0,\quad \alpha = \min(t/T, 1)"
    end_factor: float = Field(
        default=0.1, ge=0, le=1, title="End factor f", description="What is left of the rate in the end"
    )

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        done = np.minimum(steps / self.total_steps, 1)
        return 1 - done + done * self.end_factor


class StepDecay(Schedule):
    """Stays for a while, then drops at once, again and again: as stairs lead down."""

    kind: Literal["step_decay"] = "step_decay"
    label: ClassVar[str] = "Step decay"
    effect: ClassVar[str] = "effect.to_falling_rate"
    formula: ClassVar[str] = r"\eta_t = \eta_0\, \gamma^{\lfloor t/T \rfloor}"
    step_size: int = Field(
        default=2000,
        ge=1,
        le=1_000_000,
        title="Steps between drops T",
        description="How long a stair is",
        json_schema_extra={"scale": "log"},
    )
    gamma: float = Field(
        default=0.5, gt=0, le=1, title="Factor γ", description="What the rate is multiplied by at each drop"
    )

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        return self.gamma ** np.floor(steps / self.step_size)


class ExponentialDecay(Schedule):
    """Each rate is smaller than the one before by the same small share: steep at first, then a long tail."""

    kind: Literal["exponential_decay"] = "exponential_decay"
    label: ClassVar[str] = "Exponential"
    effect: ClassVar[str] = "effect.to_falling_rate"
    formula: ClassVar[str] = r"\eta_t = \eta_0\, \gamma^t"
    gamma: float = Field(
        default=0.9998,
        gt=0,
        le=1,
        title="Factor γ",
        description="What the rate is multiplied by in each step",
    )

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        return self.gamma**steps


class CosineAnnealing(Ending):
    """Falls along half a wave of the cosine: slowly, then quickly, then slowly again (Loshchilov, Hutter,
    2017). It ends at the bottom and does not start again."""

    kind: Literal["cosine_annealing"] = "cosine_annealing"
    label: ClassVar[str] = "Cosine"
    effect: ClassVar[str] = "effect.to_falling_rate"
    formula: ClassVar[str] = (
        r"\eta_t = f \eta_0 + \tfrac12 (1 - f)\, \eta_0\, (1 + \cos \pi\alpha),\quad \alpha = \min(t/T, 1)"
    )
    end_factor: float = Field(
        default=0.0, ge=0, le=1, title="End factor f", description="What is left of the rate in the end"
    )

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        return eased(1.0, self.end_factor, steps / self.total_steps)


class OneCycle(Ending):
    """Climbs from a small rate to the full one and falls to nearly nothing, both along a cosine: the long
    steps in the middle find a broad valley (Smith, 2018). The momentum stays as it is."""

    kind: Literal["one_cycle"] = "one_cycle"
    label: ClassVar[str] = "One cycle"
    effect: ClassVar[str] = "effect.to_one_cycle"
    formula: ClassVar[str] = (
        r"\eta_t:\ \frac{\eta_0}{d} \to \eta_0 \text{ for } t \le pT - 1,\quad"
        r" \eta_0 \to \frac{\eta_0}{d\, e} \text{ for } t \le T - 1"
    )
    pct_start: float = Field(
        default=0.3, gt=0, lt=1, title="Share of the climb p", description="The part of the steps that climbs"
    )
    div_factor: float = Field(
        default=25.0,
        ge=1,
        le=1e6,
        title="Start divisor d",
        description="How many times smaller than the full rate it starts",
        json_schema_extra={"scale": "log"},
    )
    final_div_factor: float = Field(
        default=1e4,
        ge=1,
        le=1e9,
        title="End divisor e",
        description="How many times smaller than at the start it ends",
        json_schema_extra={"scale": "log"},
    )

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        top, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        start = 1 / self.div_factor
        climbing = eased(start, 1.0, steps / top) if top > 0 else np.ones_like(steps)
        falling = eased(1.0, start / self.final_div_factor, (steps - top) / (end - top))
        return np.where(steps <= top, climbing, falling)


@dataclass(frozen=True)
class Watch:
    """What `ReduceOnPlateau` has seen; the run keeps it."""

    best: float | None = None
    """The least loss."""
    waited: int = 0
    """Looks since then, or since the last reduction."""
    factor: float = 1.0
    """What the rate has come to."""


class ReduceOnPlateau(Schedule):
    """Drops whenever the training loss has not fallen for a while: as long as it falls, large steps are
    good."""

    kind: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    label: ClassVar[str] = "Reduce on plateau"
    effect: ClassVar[str] = "effect.to_plateau"
    formula: ClassVar[str] = (
        r"\eta \leftarrow f \eta \text{ after more than } p \text{ looks without }"
        r" L < (1 - \epsilon)\, L_{\text{best}}"
    )
    interval: int = Field(
        default=100,
        ge=1,
        le=1_000_000,
        title="Steps between looks",
        description="How often it looks at the loss of all training points",
        json_schema_extra={"scale": "log"},
    )
    factor: float = Field(
        default=0.1, gt=0, lt=1, title="Factor f", description="What the rate is multiplied by at each drop"
    )
    patience: int = Field(
        default=10,
        ge=0,
        le=10_000,
        title="Patience p",
        description="So many looks without progress are waited for",
    )
    threshold: float = Field(
        default=1e-4,
        ge=0,
        lt=1,
        title="Threshold ε",
        description="The share by which the loss has to fall to count as progress",
    )

    def after_warmup(self, steps: np.ndarray) -> np.ndarray:
        return np.ones_like(steps)

    def look(self, seen: Watch, loss: float) -> Watch:
        if seen.best is None or loss < seen.best * (1 - self.threshold):
            return Watch(loss, 0, seen.factor)
        if seen.waited < self.patience:
            return Watch(seen.best, seen.waited + 1, seen.factor)
        return Watch(seen.best, 0, seen.factor * self.factor)


def eased(start: float, end: float, share: np.ndarray) -> np.ndarray:
    """From one number to another along half a wave of the cosine."""
    return end + (start - end) / 2 * (1 + np.cos(np.pi * np.clip(share, 0, 1)))
