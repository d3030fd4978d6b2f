"""Early stopping, as a run goes: when the test loss is looked at, what is kept, and what is taken back."""

import math

import torch

from playground.catalogue.stopping import EarlyStopping, Waiting
from playground.training.experiment import Experiment
from playground.training.schedule import MEASURED_ON
from playground.training.state import State


def rule_of(experiment: Experiment) -> EarlyStopping | None:
    """The rule to stop by; none where there is none, or nothing to test with."""
    rule = experiment.config.stopping
    return rule if isinstance(rule, EarlyStopping) and len(experiment.dataset.test_inputs) else None


def steps_to_epoch(experiment: Experiment, state: State) -> float:
    """After so many steps the test loss is looked at; infinity where it never is."""
    if rule_of(experiment) is None:
        return math.inf
    return experiment.steps_left(state.cursor)


def look(experiment: Experiment, state: State, loss: float) -> None:
    """Takes note of the test loss after an epoch, and of the network if it is the best so far."""
    rule = rule_of(experiment)
    assert rule
    seen, state.waiting = state.waiting, rule.look(state.waiting, loss, state.step, float(state.epoch))
    if seen.loss != state.waiting.loss:
        state.best = state.weights.clone(), state.buffers.clone()


@torch.no_grad()
def take_back(state: State) -> None:
    """The best weights and running statistics become those of now. The optimizer remembers what it did."""
    assert state.best
    weights, buffers = state.best
    state.weights.copy_(weights)
    state.buffers.copy_(buffers)


def forget(before: Experiment, after: Experiment, state: State) -> None:
    """The best of another network, or by another measure, is none."""
    one, other = before.config, after.config
    if (
        before.network is not after.network
        or one.stopping.kind != other.stopping.kind
        or any(getattr(one, name) != getattr(other, name) for name in ("features", "replicas", *MEASURED_ON))
    ):
        state.waiting = Waiting()
    if state.best and [part.shape for part in state.best] != [state.weights.shape, state.buffers.shape]:
        state.best = None
