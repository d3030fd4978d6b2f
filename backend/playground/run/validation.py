"""What a config must be, and what must fit what."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from playground import limits
from playground.catalogue.augmentations import Augmentation
from playground.catalogue.component import Task, members
from playground.catalogue.features import available, needed
from playground.catalogue.inits import TensorflowPlaygroundWeights
from playground.catalogue.losses import Loss
from playground.catalogue.shortcuts import NoShortcut, Shortcut
from playground.catalogue.stopping import Stopping
from playground.catalogue.tables.table import Table
from playground.errors import FieldError, ValidationFailed, explain, fault
from playground.i18n import say
from playground.run import freezing
from playground.run.config import Config
from playground.run.layers import layers_of, size_of
from playground.run.migrations import upgraded, with_defaults
from playground.run.patch import merge

Tables = Mapping[str, Table]
"""Uploaded tables by id."""


def parse(raw: Any, tables: Tables | None = None, before: Config | None = None) -> Config:
    """The config that `raw` describes, a merge patch of the defaults, of any version.

    Without a loss or features in `raw`, they are those that fit the data. Of a change, `before` is the config
    that it was made to: what was frozen there and is gone is no error. Raises `ValidationFailed`.
    """
    if not isinstance(raw, dict):
        raise ValidationFailed(fault("", say("rule.config_is_object")))
    raw = upgraded(with_defaults(raw))
    whole = merge(Config().model_dump(mode="json"), raw)
    try:
        config = Config.model_validate(whole)
    except ValidationError as error:
        raise ValidationFailed(*explain(error, whole)) from None
    try:
        task = config.data.task(tables or {})
    except ValidationFailed as error:
        raise ValidationFailed(*(e.below("data") for e in error.errors)) from None
    fitting: dict[str, Any] = {}
    if raw.get("loss") is None and not config.loss.fits(task):
        fitting["loss"] = _losses(task)[0]()
    if raw.get("features") is None:
        fitting["features"] = _features(task)
    config = config.model_copy(update=fitting)
    if before and config.loss.fits(task):
        config = freezing.carried_over(before, config, task)
    misfits = tuple(_misfits(config, task))
    if misfits:
        raise ValidationFailed(*misfits)
    return config


def _losses(task: Task) -> list[type[Loss]]:
    """Losses that fit, the one made for the task first."""
    fitting = [cls for cls in members(Loss) if cls.fits(task)]
    return sorted(fitting, key=lambda cls: cls.tasks.index(task.kind))


def _features(task: Task) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(1, task.inputs + 1))


def _too_many(config: Config, task: Task) -> Iterator[FieldError]:
    size = sum(size_of(layer.parameters) for layer in layers_of(config, task))
    if config.replicas * size > limits.REPLICATED:
        fits = max(1, limits.REPLICATED // size)
        rule = say("rule.replicas_too_large", limit=limits.REPLICATED, parameters=size, fits=fits)
        yield fault("replicas", rule, (fits,), {"replicas": fits})


def _misfits(config: Config, task: Task) -> Iterator[FieldError]:
    loss = config.loss
    if not loss.fits(task):
        fits = tuple(cls.name() for cls in _losses(task))
        if task.classes:
            rule = say("rule.loss_for_classes", loss=loss.kind, classes=task.classes, fits=fits)
        elif task.targets > 1:
            rule = say("rule.loss_for_several", loss=loss.kind, targets=task.targets, fits=fits)
        else:
            rule = say("rule.loss_for_regression", loss=loss.kind, fits=fits)
        yield fault("loss", rule, fits, {"loss": {"kind": fits[0]}})
    if loss.logits and config.output.activation.kind not in ("auto", "linear"):
        yield fault(
            "output.activation",
            say("rule.loss_takes_sums", loss=loss.kind),
            ("auto", "linear"),
            {"output": {"activation": {"kind": "auto"}}},
        )
    yield from _shortcut_misfits(config)
    if config.augmentation.of_plane and not task.is_plane:
        rule = say("rule.augmentation_of_plane", augmentation=config.augmentation.named())
        fits = tuple(cls.name() for cls in members(Augmentation) if not cls.of_plane)
        yield fault("augmentation", rule, fits, {"augmentation": {"kind": fits[0]}})
    if config.stopping.tests and not config.data.is_tested:
        fits = tuple(cls.name() for cls in members(Stopping) if not cls.tests)
        rule = say("rule.stopping_needs_tests", stopping=config.stopping.named())
        yield fault("stopping", rule, fits, {"stopping": {"kind": fits[0]}})
    known = available(task.inputs)
    unknown = [name for name in config.features if needed(name) > task.inputs]
    if unknown or len(set(config.features)) < len(config.features):
        kept = list(dict.fromkeys(name for name in config.features if name not in unknown))
        if unknown:
            rule = say("rule.features_unknown", unknown=unknown, known=known)
        else:
            rule = say("rule.features_repeated", known=known)
        yield fault("features", rule, known, {"features": kept or list(_features(task))})
    if isinstance(config.init, TensorflowPlaygroundWeights):
        weights = sum(layer.inputs * layer.width for layer in layers_of(config, task))
        if weights > limits.SEEDED_WEIGHTS:
            rule = say("rule.seeded_weights", weights=weights, most=limits.SEEDED_WEIGHTS)
            yield fault("init", rule, suggestion={"init": {"kind": "uniform"}})
    over_batch = [layer.normalization for layer in config.hidden if layer.normalization.uses_batch]
    if config.batch_size == 1 and over_batch:
        named = over_batch[0].named()
        named = named.model_copy(update={"text": named.text.lower()})  # in the middle of a sentence
        rule = say("rule.batch_of_one", normalization=named)
        yield fault("batch_size", rule, suggestion={"batch_size": 2})
    if loss.fits(task):  # else the width of the output is not known
        yield from freezing.misfits(config, task)
    if task.kind in loss.tasks and config.replicas > 1:
        yield from _too_many(config, task)


def _shortcut_misfits(config: Config) -> Iterator[FieldError]:
    """Where what comes in cannot be added to what goes out."""
    coming = (len(config.features), *(layer.width for layer in config.hidden))
    pairs = list(zip(config.hidden, coming, strict=False))
    misfits = [
        i for i, (layer, inputs) in enumerate(pairs) if layer.shortcut.adds_input and layer.width != inputs
    ]
    hidden = [layer.model_dump(mode="json") for layer in config.hidden]
    for index in misfits:
        hidden[index]["shortcut"] = NoShortcut().model_dump(mode="json")
    for index in misfits:
        rule = say("rule.residual_width", width=config.hidden[index].width, inputs=coming[index])
        yield fault(f"hidden.{index}.shortcut", rule, suggestion={"hidden": hidden})
    if config.output.shortcut.adds_input:
        fits = tuple(cls.name() for cls in members(Shortcut) if not cls.adds_input)
        suggestion = {"output": {"shortcut": NoShortcut().model_dump(mode="json")}}
        yield fault("output.shortcut", say("rule.residual_output", fits=fits), fits, suggestion)
