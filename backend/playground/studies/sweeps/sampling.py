"""Optuna: which points of a space are tried, which are given up, and which of its axes matter.

Optuna is imported when it is first needed, and called in a thread: it may think for long.
"""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from playground.run.config import Config
from playground.studies.sweeps.space import Point, is_whole, levels
from playground.studies.sweeps.spec import Range, Space, SweepSpec, Values
from playground.studies.sweeps.trial import Trial

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial as Asked

AT_ONCE = {"grid": 64, "random": 64, "tpe": 16, "gp": 8, "cmaes": 16}
"""Trials that a sampler is asked for together: those that learn from what was found get to see it often."""
FIRST = {"tpe": 16, "gp": 8, "cmaes": 16}
"""Trials by chance at first."""
LEAST_FOR_IMPORTANCE = 8
NOTHING_YET = 100.0
"""As bad as this, or minus this, is a trial without a value where there is none with one."""


@cache
def optuna() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class _Axes:
    """The axes of a space as Optuna knows them: values that are listed stand for themselves by their
    places."""

    def __init__(self, spec: SweepSpec, space: Space, base: Config):
        self._space, self._base = space, base
        self.listed = _listed(spec, space, base)
        self.distributions = {path: self._distribution(path) for path in space}

    def value(self, path: str, chosen: Any) -> Any:
        listed = self.listed.get(path)
        return listed[int(chosen)] if listed else chosen

    def grid(self) -> Iterator[dict[str, Any]]:
        """All points, as Optuna knows them, where all axes are lists."""
        for places in itertools.product(*(range(len(values)) for values in self.listed.values())):
            yield dict(zip(self.listed, places, strict=True))

    def chosen(self, path: str, value: Any) -> Any:
        listed = self.listed.get(path)
        return listed.index(value) if listed else value

    def _distribution(self, path: str) -> "BaseDistribution":
        kinds, axis = optuna().distributions, self._space[path]
        if values := self.listed.get(path):
            numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
            if numbers and values == sorted(values):
                return kinds.IntDistribution(0, len(values) - 1)
            return kinds.CategoricalDistribution(list(range(len(values))))
        assert isinstance(axis, Range)
        if is_whole(self._base, path, axis):
            step = 1 if axis.log else int(axis.step or 1)
            return kinds.IntDistribution(int(axis.low), int(axis.high), log=axis.log, step=step)
        step = None if axis.log else axis.step
        return kinds.FloatDistribution(float(axis.low), float(axis.high), log=axis.log, step=step)


class Sampling:
    """What it says depends on nothing but what was asked and told before, in this order; so a sweep that is
    played again from its stored trials goes on as it would have gone."""

    def __init__(self, spec: SweepSpec, space: Space, base: Config):
        self._axes = _Axes(spec, space, base)
        self._grid: list[Point] | None = None
        if spec.sampler == "grid":
            self._grid = list(self._axes.grid())
            random.Random(spec.seed).shuffle(self._grid)  # so that all of it fills up alike
        direction = "maximize" if spec.objective.maximizes else "minimize"
        sampler, pruner = self._sampler(spec), _pruner(spec)
        self._study: Study = optuna().create_study(
            study_name="sweep",  # Hyperband draws its brackets by it
            direction=direction,
            sampler=sampler,
            pruner=pruner,
        )
        self._worse = min if spec.objective.maximizes else max
        self._worst: float | None = None
        self._open: dict[int, Asked] = {}

    def _sampler(self, spec: SweepSpec) -> Any:
        samplers, seed = optuna().samplers, spec.seed
        match spec.sampler:
            case "grid" | "random":
                return samplers.RandomSampler(seed=seed)
            case "tpe":
                return samplers.TPESampler(seed=seed, n_startup_trials=FIRST["tpe"])
            case "gp":
                return samplers.GPSampler(
                    seed=seed, n_startup_trials=FIRST["gp"], warn_independent_sampling=False
                )
            case "cmaes":
                return samplers.CmaEsSampler(
                    seed=seed, n_startup_trials=FIRST["cmaes"], warn_independent_sampling=False
                )

    def ask(self, count: int) -> list[Point]:
        """The next points, so many; fewer where a grid ends."""
        points: list[Point] = []
        while len(points) < count and self._grid != []:
            if self._grid:  # Optuna's own sampler of grids works in its own loop alone
                self._study.enqueue_trial(self._grid.pop())
            trial = self._study.ask(self._axes.distributions)
            self._open[trial.number] = trial
            points.append({path: self._axes.value(path, chosen) for path, chosen in trial.params.items()})
        return points

    def gives_up(self, number: int, rung: int, value: float | None) -> bool:
        """Whether a trial that has this value at this rung, counted from 1, is not worth going on with."""
        trial = self._open[number]
        trial.report(self._finite(value), rung)
        return trial.should_prune()

    def tell(self, number: int, value: float | None, pruned: bool = False, failed: bool = False) -> None:
        """How a trial has ended; no value is as bad as can be."""
        trial, states = self._open.pop(number), optuna().trial.TrialState
        if failed:
            self._study.tell(trial, state=states.FAIL)
        elif pruned:
            self._study.tell(trial, state=states.PRUNED)
        else:
            self._study.tell(trial, self._finite(value))

    def _finite(self, value: float | None) -> float:
        """No value is as bad as the worst before it: infinity, no model can be fitted to."""
        if value is None:
            return self._worse(-NOTHING_YET, NOTHING_YET) if self._worst is None else self._worst
        self._worst = value if self._worst is None else self._worse(self._worst, value)
        return value


def importances(spec: SweepSpec, space: Space, base: Config, trials: Sequence[Trial]) -> dict[str, float]:
    """How much of the differences between these trials goes back to each axis, the greatest first, together
    1; nothing yet where there are few (fANOVA: Hutter, Hoos, Leyton-Brown, 2014)."""
    if len(trials) < LEAST_FOR_IMPORTANCE or len({trial.value for trial in trials}) < 2:
        return {}
    axes = _Axes(spec, space, base)
    study = optuna().create_study()
    for trial in trials:
        params = {path: axes.chosen(path, trial.point[path]) for path in space}
        frozen = optuna().trial.create_trial(
            params=params, distributions=axes.distributions, value=trial.value
        )
        study.add_trial(frozen)
    evaluator = optuna().importance.FanovaImportanceEvaluator(n_trees=32, seed=0)
    found = optuna().importance.get_param_importances(study, evaluator=evaluator)
    return {path: float(share) for path, share in found.items()}


def _listed(spec: SweepSpec, space: Space, base: Config) -> dict[str, list[Any]]:
    """The values of each axis that has some; of all axes of a grid."""
    if spec.sampler != "grid":
        return {path: axis.values for path, axis in space.items() if isinstance(axis, Values)}
    whole = {path: isinstance(axis, Range) and is_whole(base, path, axis) for path, axis in space.items()}
    at_most = _side(space, whole, spec.trials)
    return {path: levels(axis, whole[path], at_most) for path, axis in space.items()}


def grid_points(spec: SweepSpec, space: Space, base: Config) -> int:
    """Of a grid."""
    return math.prod(len(values) for values in _listed(spec, space, base).values())


def _pruner(spec: SweepSpec) -> Any:
    pruners, rungs = optuna().pruners, len(spec.rungs)
    match spec.pruner:
        case "none":
            return pruners.NopPruner()
        case "median":
            return pruners.MedianPruner(n_startup_trials=8, n_warmup_steps=1)
        case "successive_halving":
            return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
        case "hyperband":
            return pruners.HyperbandPruner(min_resource=1, max_resource=rungs, reduction_factor=3)


def _side(space: Space, whole: dict[str, bool], trials: int) -> int:
    """Values of each axis without values of its own that make a grid of no more than so many points."""
    given = [
        len(levels(axis, whole[path], trials))
        for path, axis in space.items()
        if isinstance(axis, Values) or (axis.step is not None and not axis.log)
    ]
    free = len(space) - len(given)
    return max(2, math.floor((trials / math.prod(given)) ** (1 / free) + 1e-9)) if free else trials
