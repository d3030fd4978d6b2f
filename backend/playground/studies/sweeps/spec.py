"""What a sweep is: a config, what is varied in it, by whom, for how long, and what for."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from playground import limits
from playground.errors import broken
from playground.i18n import say

Metric = Literal[
    "train_loss",
    "test_loss",
    "train_accuracy",
    "test_accuracy",
    "train_mae",
    "test_mae",
    "train_r2",
    "test_r2",
]
Sampler = Literal["grid", "random", "tpe", "gp", "cmaes"]
Pruner = Literal["none", "median", "hyperband", "successive_halving"]


class Shape(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class Values(Shape):
    """Some values to choose from."""

    values: list[Any] = Field(min_length=1, max_length=limits.SWEEP_VALUES, examples=[["tanh", "relu"]])
    """Each of what the field takes: numbers, words, null for none, whole layers."""


class Range(Shape):
    """All numbers from the least to the greatest."""

    low: int | float = Field(examples=[0.0001])
    """The least."""
    high: int | float = Field(examples=[1.0])
    """The greatest."""
    log: bool = Field(default=False, examples=[True])
    """Whether ratios count, not differences."""
    step: int | float | None = Field(default=None, gt=0, examples=[None])
    """How far neighbours are from each other; not with `log`, but for the 1 of whole numbers."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise broken(say("rule.range_order", low=self.low, high=self.high))
        if self.log and self.low <= 0:
            raise broken(say("rule.range_log", low=self.low))
        if self.log and self.step not in (None, 1):
            raise broken(say("rule.range_log_step"))
        return self


Axis = Values | Range
Space = dict[Annotated[str, Field(min_length=1, max_length=200)], Axis]


class Objective(Shape):
    """What is to be small or large: the median over the seeds, at the end of the training."""

    metric: Metric = Field(default="test_loss", examples=["test_loss"])
    """What is measured."""
    direction: Literal["minimize", "maximize"] | None = Field(default=None, examples=["minimize"])
    """Left out: losses and errors are to be small, accuracy and R² large."""

    @property
    def maximizes(self) -> bool:
        if self.direction:
            return self.direction == "maximize"
        return self.metric.endswith(("accuracy", "r2"))


class SweepSpec(Shape):
    """What to vary. Whatever is left out has its default."""

    config: dict[str, Any] = Field(
        default={}, examples=[{"data": {"kind": "spiral"}, "hidden": [{"width": 8}]}]
    )
    """A config, or a part of one: what is not varied."""
    space: Space = Field(
        default={},
        max_length=limits.SWEEP_AXES,
        examples=[
            {"optimizer.lr": {"low": 0.0001, "high": 1, "log": True}, "hidden.0.width": {"values": [2, 4, 8]}}
        ],
    )
    """What is varied: dotted paths of fields of the config. Layers count from 0, `*` stands for each of
    them. A field that the chosen kind of its component does not have is left out. Left out, it is the
    learning rate and one more."""
    sampler: Sampler = Field(default="tpe", examples=["tpe"])
    """Who chooses: a grid, chance, or a model of what has been found (Optuna's)."""
    trials: int = Field(default=64, ge=1, le=limits.SWEEP_TRIALS, examples=[64])
    """Points of the space that are tried, at most."""
    epochs: int | None = Field(default=None, ge=1, le=limits.TRAIN_STEPS, examples=[100])
    """How long each network trains; 100 epochs if neither this nor `steps` is given."""
    steps: int | None = Field(default=None, ge=1, le=limits.TRAIN_STEPS, examples=[None])
    """Likewise, in mini-batches."""
    objective: Objective = Field(
        default=Objective(), examples=[{"metric": "test_loss", "direction": "minimize"}]
    )
    """What to look for."""
    pruner: Pruner = Field(default="none", examples=["none"])
    """Who gives up points that do not look well on the way."""
    seeds: int = Field(default=3, ge=1, le=limits.REPLICAS, examples=[3])
    """Networks of each point, from different initial weights."""
    seed: int = Field(default=0, ge=0, le=limits.SEED, examples=[0])
    """Of the choices: the same seed makes the same sweep."""
    name: str = Field(default="", max_length=limits.RUN_NAME, examples=["how fast, how wide"])
    """What you call it."""
    note: str = Field(default="", max_length=limits.RUN_NOTE, examples=[""])
    """What there is to say of it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.epochs is not None and self.steps is not None:
            raise broken(say("rule.one_amount"))
        if self.trials * self.seeds > limits.SWEEP_NETWORKS:
            fits = limits.SWEEP_NETWORKS // self.seeds
            raise broken(say("rule.sweep_networks", limit=limits.SWEEP_NETWORKS, fits=fits))
        return self

    @property
    def by_epochs(self) -> bool:
        return self.steps is None

    @property
    def length(self) -> int:
        """Of the training, in epochs or in steps."""
        return self.steps if self.steps is not None else self.epochs or 100

    @property
    def every(self) -> int:
        """Epochs or steps between two points of the curves."""
        return -(-self.length // limits.SWEEP_POINTS)

    @property
    def rungs(self) -> tuple[int, ...]:
        """Where a pruner looks, the end the last of them."""
        if self.pruner == "none":
            return (self.length,)
        stride = self.every * max(1, -(-self.length // self.every // limits.SWEEP_RUNGS))
        return (*range(stride, self.length, stride), self.length)
