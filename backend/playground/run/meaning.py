"""What a change means for learning, in a sentence or two. The trainer tells what it does to the weights."""

from collections.abc import Iterator

from playground.catalogue.component import Component, members
from playground.catalogue.inits import Init
from playground.i18n import Text, say
from playground.run import freezing
from playground.run.config import Config, Layer

MOST = 2
"""Sentences for one change."""
MORE_OR_LESS = {
    "optimizer.lr": ("effect.rate_up", "effect.rate_down"),
    "stopping.patience": ("effect.patience_up", "effect.patience_down"),
    "schedule.warmup": ("effect.warmup_up", "effect.warmup_down"),
    "batch_size": ("effect.batch_up", "effect.batch_down"),
    "l1": ("effect.l1_up", "effect.weight_cost_down"),
    "l2": ("effect.l2_up", "effect.weight_cost_down"),
    "fourier_scale": ("effect.fourier_up", "effect.fourier_down"),
    "input_dropout": ("effect.input_dropout_up", "effect.dropout_down"),
    "input_noise": ("effect.input_noise_up", "effect.input_noise_down"),
    "augmentation.copies": ("effect.copies_up", "effect.copies_down"),
    "data.noise": ("effect.noise_up", "effect.noise_down"),
    "data.samples": ("effect.samples_up", "effect.samples_down"),
    "data.train_fraction": ("effect.train_share_up", "effect.train_share_down"),
}
"""Numbers by their path in a config: what it means when they rise, and when they fall."""
BOUNDS = {
    "clip_norm": ("effect.clipping_on", "effect.clipping_looser", "effect.clipping_off"),
    "clip_value": ("effect.value_clipping_on", "effect.value_clipping_looser", "effect.value_clipping_off"),
    "max_norm": ("effect.max_norm_on", "effect.max_norm_looser", "effect.max_norm_off"),
}
"""Numbers that may be none: what it means when they come or fall, when they rise, and when they go."""


def meaning(before: Config, after: Config) -> list[Text]:
    """The most telling first; empty where there is nothing general to say."""
    told = (say(what) if isinstance(what, str) else what for what in _told(before, after) if what)
    return list({text.code: text for text in told}.values())[:MOST]


def _told(before: Config, after: Config) -> Iterator[str | Text]:
    """Codes, or texts where a code is not enough."""
    yield from _better_start(before, after)
    if (before.seed, before.init) != (after.seed, after.init):
        yield "effect.other_start"
    if before.data.kind != after.data.kind:
        yield "effect.other_data"
    yield _chosen(before.augmentation, after.augmentation)
    yield _chosen(before.loss, after.loss)
    yield _chosen(before.class_weights, after.class_weights)
    yield _chosen(before.optimizer, after.optimizer)
    if before.optimizer.kind != after.optimizer.kind and before.optimizer.lr != after.optimizer.lr:
        yield say("effect.rate_is", rate=after.optimizer.lr)
    yield _chosen(before.schedule, after.schedule)
    yield _chosen(before.stopping, after.stopping)
    yield from _layers(before.hidden, after.hidden)
    yield _chosen(before.output.shortcut, after.output.shortcut)
    yield from _features(set(before.features), set(after.features))
    yield from _freezing(before, after)
    for name, codes in BOUNDS.items():
        yield _bound(codes, getattr(before, name), getattr(after, name))
    yield from _numbers(before, after)


def _better_start(before: Config, after: Config) -> Iterator[Text]:
    """The initial weights that an activation is made for, where it comes in with others."""
    known = {layer.activation.kind for layer in before.hidden}
    for layer in after.hidden:
        chosen = layer.activation
        if chosen.suggested_init not in ("", after.init.kind) and chosen.kind not in known:
            fitting = next(init for init in members(Init) if init.name() == chosen.suggested_init)
            yield say("effect.better_start", activation=chosen.named(), init=fitting.named())


def _chosen(before: Component, after: Component) -> str:
    return after.effect if before.kind != after.kind else ""


def _layers(before: tuple[Layer, ...], after: tuple[Layer, ...]) -> Iterator[str]:
    if len(before) != len(after):
        yield "effect.layers_up" if len(after) > len(before) else "effect.layers_down"
        return
    for old, new in zip(before, after, strict=True):
        if old.width != new.width:
            yield "effect.neurons_up" if new.width > old.width else "effect.neurons_down"
        yield _chosen(old.activation, new.activation)
        yield _chosen(old.normalization, new.normalization)
        yield _chosen(old.shortcut, new.shortcut)
        if old.dropout != new.dropout:
            yield _dropout(old.dropout, new.dropout)


def _dropout(before: float, after: float) -> str:
    if after == 0:
        return "effect.dropout_off"
    if before == 0:
        return "effect.dropout_on"
    return "effect.dropout_up" if after > before else "effect.dropout_down"


def _features(before: set[str], after: set[str]) -> Iterator[str]:
    if after - before:
        yield "effect.feature_more"
    if before - after:
        yield "effect.feature_less"


def _freezing(before: Config, after: Config) -> Iterator[str]:
    if len(before.layers) != len(after.layers):
        return
    old, new = freezing.choice(before), freezing.choice(after)
    if any(_more(b, a) for b, a in zip(old, new, strict=True)):
        yield "effect.frozen"
    elif any(_more(a, b) for b, a in zip(old, new, strict=True)):
        yield "effect.thawed"


def _more(before: freezing.Choice, after: freezing.Choice) -> bool:
    """Whether something is frozen that was not."""
    return any(set(a) - set(b) for b, a in zip(before[1:], after[1:], strict=True)) or after[0] > before[0]


def _bound(codes: tuple[str, str, str], before: float | None, after: float | None) -> str:
    on, looser, off = codes
    if before == after:
        return ""
    if after is None:
        return off
    return on if before is None or after < before else looser


def _numbers(before: Config, after: Config) -> Iterator[str]:
    for path, (up, down) in MORE_OR_LESS.items():
        if path == "optimizer.lr" and before.optimizer.kind != after.optimizer.kind:
            continue
        old, new = _number(before, path), _number(after, path)
        if old is not None and new is not None and old != new:
            yield up if new > old else down


def _number(config: Config, path: str) -> float | None:
    *parts, name = path.split(".")
    holder = getattr(config, parts[0]) if parts else config
    return getattr(holder, name, None)
