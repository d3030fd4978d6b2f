"""Training loops, as the tests start, change and look at them."""

from typing import Any

import numpy as np

from playground.i18n import Text
from playground.run.config import Config
from playground.run.patch import merged
from playground.run.validation import parse
from playground.run.weights import OneWeight
from playground.training.compiled.trainer import CompiledTrainer
from playground.training.loop import TrainingLoop
from playground.training.reference import ReferenceTrainer
from playground.training.trainer import Trainer
from playground.training.views import Views
from playground.training.weights import read_weights, set_weight, set_weights

Kinds = list[type[Trainer]]
REFERENCE: Kinds = [ReferenceTrainer]
COMPILED: Kinds = [CompiledTrainer, ReferenceTrainer]
"""Needs the fixture `kernel`, or it is compiled anew."""


def start(config: Config | dict[str, Any], trainers: Kinds = REFERENCE, **options: Any) -> TrainingLoop:
    config = config if isinstance(config, Config) else parse(config)
    return TrainingLoop.start(config, trainers=trainers, **options)


def change(loop: TrainingLoop, patch: dict[str, Any]) -> list[Text]:
    return loop.change(parse(merged(loop.config, patch), before=loop.config))


def metrics(loop: TrainingLoop) -> dict[str, float | None]:
    return loop.measure()[0].named()


def frame(loop: TrainingLoop, neuron_size: int = 20, output_size: int = 100) -> dict[str, np.ndarray]:
    return Views(loop).frame(loop.measure()[1], neuron_size, output_size)


def maps(loop: TrainingLoop, size: int) -> dict[str, np.ndarray]:
    return Views(loop).raw(size)


def weights(loop: TrainingLoop) -> list[dict[str, np.ndarray]]:
    return read_weights(loop.experiment.network, loop.state)


def put_weights(loop: TrainingLoop, layers: list[dict[str, Any]]) -> None:
    set_weights(loop.experiment.network, loop.state, layers)


def put_weight(loop: TrainingLoop, layer: int, source: int | None, unit: int, value: float) -> None:
    edit = OneWeight.model_construct(layer=layer, source=source, unit=unit, value=value)
    set_weight(loop.experiment.network, loop.state, edit)
