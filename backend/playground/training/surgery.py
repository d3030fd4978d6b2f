"""What a live change does to the weights and to the optimizer's memory.

A running network is taken apart into layers, each with its parameters, the optimizer's slots for them, and
its running statistics. The change is made layer by layer, so that the evaluated output stays as it was
wherever that is possible, and the parts are put together again in the new shape.
"""

from dataclasses import replace

import torch
from torch import Tensor

from playground.catalogue.fourier import listed
from playground.catalogue.normalizations import NoNormalization, Normalization
from playground.catalogue.schedules import Watch
from playground.catalogue.shortcuts import Shortcut
from playground.i18n import Text, say
from playground.run.layers import connected
from playground.run.matching import feature_rows, features_of, kept_normalization, match_layers, rows_of
from playground.training.experiment import Experiment
from playground.training.insertion import insert_layer
from playground.training.network import Network, initialise
from playground.training.parts import LayerState, activations, drawn_anew, join, split
from playground.training.schedule import learning_rates
from playground.training.state import State

MUCH_LARGER = 10
"""By what factor a learning rate rises that may wreck what was learned."""


def transfer(old: Experiment, new: Experiment, state: State) -> tuple[State, list[Text]]:
    """The state of the old experiment as the new one takes it over, and what was done.

    It is the same object where nothing but numbers of a step have changed.
    """
    effects: list[Text] = []
    if len(state.seeds) == old.config.replicas:
        state = _replicated(old, new, state, effects)
    if (old.config.seed, old.config.init) != (new.config.seed, new.config.init):
        _, fresh = drawn_anew(new.network, new, replace(state, slots=_zero_slots(new, state.weights)))
        return fresh, [say("effect.redrawn")]
    in_place = list(range(len(old.config.features)))
    if old.network != new.network or _feature_rows(old, new) != in_place:
        with torch.no_grad():
            state = _reshape(old, new, state, effects)
    if old.config.optimizer.kind != new.config.optimizer.kind:
        state = replace(state, slots=_zero_slots(new, state.weights), updates=torch.zeros_like(state.weights))
        effects.append(say("effect.optimizer_anew"))
    if old.config.l1_prunes and not new.config.l1_prunes:
        state.pruned.zero_()
    return state, effects or [say("effect.kept")]


def loses(old: Experiment, new: Experiment, state: State) -> bool:
    """Whether this change of this state takes away what no other change can bring back: weights, what they
    were fitted to, or the optimizer's memory. Steps so much larger may wreck a network before one can undo
    them."""
    a, b = old.config, new.config
    rate, next_rate = (float(learning_rates(config, state, 1)[0, 0]) for config in (a, b))
    return (
        old.network != new.network
        or b.replicas < a.replicas
        or a.features != b.features
        or (a.seed, a.init) != (b.seed, b.init)
        or a.optimizer.kind != b.optimizer.kind
        or (a.schedule.kind != b.schedule.kind and state.watch != Watch())
        or next_rate >= MUCH_LARGER * rate > 0
        or (a.data.kind, getattr(a.data, "id", None)) != (b.data.kind, getattr(b.data, "id", None))
    )


def _replicated(old: Experiment, new: Experiment, state: State, effects: list[Text]) -> State:
    """The networks that stay, with the new seeds, and those that come, which have learned nothing yet."""
    more = new.config.replicas - old.config.replicas
    seeds = torch.tensor(new.config.seeds, dtype=torch.int64, device=state.seeds.device)
    if not more:
        return state if torch.equal(seeds, state.seeds) else replace(state, seeds=seeds)
    tensors = [state.weights, state.buffers, *state.slots, state.updates, state.pruned]
    if more < 0:
        effects.append(say("effect.replicas_removed", count=-more))
        tensors = [tensor[: len(seeds)] for tensor in tensors]
    else:
        effects.append(say("effect.replicas_added", count=more))
        weights, buffers = initialise(old.network, old.config, seeds[-more:])
        unseen = [torch.zeros_like(weights)] * (len(state.slots) + 2)
        fresh = [weights, buffers, *unseen]
        tensors = [torch.cat([kept, drawn]) for kept, drawn in zip(tensors, fresh, strict=True)]
    weights, buffers, *slots, updates, pruned = tensors
    memory = torch.stack(slots) if slots else weights.new_zeros(0, *weights.shape)
    return replace(
        state, seeds=seeds, weights=weights.clone(), buffers=buffers.clone(), slots=memory,
        updates=updates.clone(), pruned=pruned.clone(), grad=None,
    )  # fmt: skip


def _zero_slots(new: Experiment, weights: Tensor) -> Tensor:
    return weights.new_zeros(len(new.config.optimizer.slots), *weights.shape)


def _reshape(old: Experiment, new: Experiment, state: State, effects: list[Text]) -> State:
    parts = split(old.network, state)
    pairs, inserted = match_layers(old.network.layers, new.network.layers)
    for index, position in pairs:
        if parts[index].shape.normalization.kind != new.network.layers[position].normalization.kind:
            _remove_normalization(parts[index], index, effects)
    parts = _resize(old, new, state, parts, pairs, effects)
    for index in inserted:
        insert_layer(new, state, parts, index, effects)
    for index, layer in enumerate(new.network.layers):
        if layer.normalization.kind != parts[index].shape.normalization.kind:
            x = new.train_x.expand(len(state.seeds), -1, -1)
            seen = [x, *activations(parts[:index], new.train_x, state)]
            came_in = torch.cat(seen, dim=2) if layer.shortcut.sees_all else seen[-1]
            _add_normalization(parts[index], layer.normalization, came_in, index, effects)
    return join(new.network, state, parts)


def _resize(
    old: Experiment,
    new: Experiment,
    state: State,
    parts: list[LayerState],
    pairs: list[tuple[int, int]],
    effects: list[Text],
) -> list[LayerState]:
    """The layers that live on, with their new widths and inputs; the others are gone."""
    kept = connected(
        len(new.config.features),
        (
            replace(
                new.network.layers[position],
                normalization=kept_normalization(new.network.layers[position], parts[index].shape),
            )
            for index, position in pairs
        ),
    )
    targets = split(*drawn_anew(Network(kept), new, state))
    features = _feature_rows(old, new)
    if pairs[0][0] == 0 or any(layer.shortcut.sees_all for layer in kept):
        _tell_features(old, new, features, effects)
    before = -1
    for place, ((index, position), target) in enumerate(zip(pairs, targets, strict=True)):
        part = parts[index]
        removed = index - before - 1
        if removed:
            effects.append(say("effect.layers_removed", count=removed))
        rows = rows_of(old.network.layers, kept, [index for index, _ in pairs], place, features)
        if position == len(new.network.layers) - 1 and part.shape.width != target.shape.width:
            if "embedding" not in (old.task.kind, new.task.kind):
                _change_outputs(part, target.shape.width)
            effects.append(say("effect.outputs", count=target.shape.width))
        elif part.shape.width != target.shape.width:
            more = target.shape.width - part.shape.width
            code = "effect.neurons_added" if more > 0 else "effect.neurons_removed"
            effects.append(say(code, count=abs(more), layer=position + 1))
        _copy_overlap(part, target, rows, silent=not removed or part.shape.shortcut.sees_all)
        _tell_shortcut(part.shape.shortcut, target.shape.shortcut, position, new, effects)
        before = index
    if any(old.network.layers[i].activation != new.network.layers[j].activation for i, j in pairs):
        effects.append(say("effect.activation"))
    return targets


def _tell_shortcut(
    before: Shortcut, after: Shortcut, position: int, new: Experiment, effects: list[Text]
) -> None:
    if before.kind == after.kind:
        return
    of_output = position == len(new.network.layers) - 1
    if before.adds_input or before.sees_all:
        code = "effect.residual_removed" if before.adds_input else "effect.dense_removed"
        effects.append(say("effect.output_dense_removed") if of_output else say(code, layer=position + 1))
    if after.adds_input or after.sees_all:
        code = "effect.residual_added" if after.adds_input else "effect.dense_added"
        effects.append(say("effect.output_dense_added") if of_output else say(code, layer=position + 1))


def _feature_rows(old: Experiment, new: Experiment) -> list[int]:
    return feature_rows(old.config, old.dataset.task, new.config, new.dataset.task)


def _tell_features(old: Experiment, new: Experiment, rows: list[int], effects: list[Text]) -> None:
    """Which came and which went."""
    had, has = (features_of(each.config, each.dataset.task) for each in (old, new))
    added = [name for name, row in zip(has, rows, strict=True) if row < 0]
    gone = [name for row, name in enumerate(had) if row not in rows]
    if added:
        effects.append(say("effect.features_added", features=listed(added), count=len(added)))
    if gone:
        effects.append(say("effect.features_removed", features=listed(gone), count=len(gone)))


def _copy_overlap(part: LayerState, target: LayerState, rows: list[int], silent: bool) -> None:
    """Move what still fits from the old layer into a fresh one of the new shape.

    `rows[i]` is the old input of new input i, or -1. An input without one is silent (its weights are zero,
    so that it changes nothing), unless the layer in front was removed and there is no output to keep.
    """
    width = min(part.shape.width, target.shape.width)
    for old, new in zip(part.tracks, target.tracks, strict=True):
        for row, source in enumerate(rows):
            if source >= 0:
                new["weight"][:, row, :width] = old["weight"][:, source, :width]
            elif silent:
                new["weight"][:, row, :width] = 0
        for name in old.keys() & new.keys() - {"weight"}:
            size = min(old[name].shape[-1], new[name].shape[-1])
            new[name][..., :size] = old[name][..., :size]
    for name in part.buffers.keys() & target.buffers.keys():
        target.buffers[name][..., :width] = part.buffers[name][..., :width]


def _change_outputs(part: LayerState, width: int) -> None:
    """Between one logit z and a logit for each class: softmax of (-z/2, z/2) is sigmoid of z."""
    if part.shape.width > 1 < width:
        return
    for number, track in enumerate(part.tracks):
        for name in ("weight", "bias"):
            value = track[name] if number == 0 else torch.zeros_like(track[name])
            track[name] = (
                torch.cat([-value / 2, value / 2], dim=-1)
                if part.shape.width == 1
                else value[..., 1:2] - value[..., 0:1]
            )
    part.shape = replace(part.shape, width=min(2, width))


def _remove_normalization(part: LayerState, index: int, effects: list[Text]) -> None:
    """It is folded into the weights, if it is affine."""
    gone, p = part.shape.normalization, part.parameters
    if isinstance(gone, NoNormalization):
        return
    p["weight"], p["bias"] = gone.folded(p["weight"], p["bias"], p, part.buffers)
    for track in part.tracks:
        for parameter in gone.parameters:
            del track[parameter]
    part.buffers = {}
    part.shape = replace(part.shape, normalization=NoNormalization())
    code = "effect.normalization_folded" if gone.affine else "effect.normalization_removed"
    effects.append(say(code, normalization=gone.named(), layer=index + 1))


def _add_normalization(
    part: LayerState, new: Normalization, x: Tensor, index: int, effects: list[Text]
) -> None:
    """If it is affine, from the statistics of the training data, as they arrive in x (R, n, inputs)."""
    p = part.parameters
    learned, buffers = new.identity_on(torch.baddbmm(p["bias"], x, p["weight"]))
    for number, track in enumerate(part.tracks):
        track |= {n: value if number == 0 else torch.zeros_like(value) for n, value in learned.items()}
    part.buffers = buffers
    part.shape = replace(part.shape, normalization=new)
    code = "effect.normalization_started" if new.affine else "effect.normalization_added"
    effects.append(say(code, normalization=new.named(), layer=index + 1))
