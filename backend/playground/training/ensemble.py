"""Several networks that learned the same from different seeds, asked together."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from playground.training.evaluation import NOTHING, Evaluation, answers_of
from playground.training.experiment import Experiment
from playground.training.trainer import Trainer


def outputs_of(trainer: Trainer, experiment: Experiment, x: Tensor, network: int = 0) -> Tensor:
    """The outputs (n, units) of a network at features x (1, n, inputs)."""
    units, last = experiment.network.units, experiment.network.layers[-1].width
    return torch.from_numpy(trainer.activations(x, network, np.arange(units - last, units)).T)


def answers(trainer: Trainer, experiment: Experiment, x: Tensor) -> Tensor:
    """What each network answers at features x: (R, n), or (R, n, K) of more than two classes, or
    of several values."""
    found = []
    for network in range(experiment.recorded):
        outputs = outputs_of(trainer, experiment, x, network)
        trained = partial(outputs_of, trainer, experiment, experiment.train_x, network)
        found.append(answers_of(experiment, outputs, trained))
    return torch.stack(found)


def combined(trainer: Trainer, experiment: Experiment, x: Tensor) -> tuple[Evaluation, np.ndarray]:
    """The mean of what the networks answer at features x (1, n, inputs), without a loss, and how far they
    differ: the standard deviation of their answers (n,), of more than two classes that of the mean's class,
    of several values the mean of theirs.

    A mean of networks is seldom worse than one of them: what each got wrong by chance cancels out (Hansen,
    Salamon, 1990).
    """
    each = answers(trainer, experiment, x)
    mean, spread = each.mean(dim=0), each.std(dim=0, correction=0)
    if experiment.task.answer != "multiclass":
        return Evaluation(NOTHING, mean.numpy(), NOTHING), (
            spread if spread.dim() == 1 else spread.mean(-1)
        ).numpy()
    confidence, chosen = mean.max(dim=-1)
    spread = spread.gather(-1, chosen[:, None])[:, 0]
    return Evaluation(NOTHING, chosen.numpy(), confidence.numpy()), spread.numpy()
