"""What a live change does to the weights and to the optimizer's memory.

A running network is taken apart into layers, each with its parameters, the optimizer's slots for them, and
its running statistics. The change is made layer by layer, so that the evaluated output stays as it was
wherever that is possible, and the parts are put together again in the new shape.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from playground.catalogue.normalizations import NoNormalization, Normalization
from playground.catalogue.schedules import Watch
from playground.i18n import Text, say
from playground.training.experiment import Experiment
from playground.training.network import LayerShape, LayerTensors, Network, forward, initialise
from playground.training.schedule import learning_rates
from playground.training.state import State

SCALE_COST, GAIN_COST, SHIFT_COST = 0.005, 0.015, 0.01
"""Error, as a share of the span, that an inserted layer may have to save a doubling of its weights, of those
behind it, or a shift by one span. Tiny weights in front and huge ones behind would copy the straight middle
of any activation, but could not be trained, and every further layer would double them again."""
REACHES = (4.0, 2.0, 1.0, 0.5, 0.25)
"""Lengths that what comes in may be scaled to."""
MARGIN = 0.05
"""Room below the least value that was seen, as a share of the span, where a ReLU bends just below it."""
MUCH_LARGER = 10
"""By what factor a learning rate rises that may wreck what was learned."""
CLEAR = 4.0
"""How far above zero the bend of a smooth ReLU has straightened out."""
IDENTITY = (1.0, 0.0, 1.0, 0.0)
"""Scale, shift, gain and offset that leave all as it is."""
EXACT_FIT, EXACT_OUTPUT = 1e-5, 1e-4
"""Errors, as a share of a span, that are none: of a unit, where it wins over all that is cheaper, and of the
output."""


@dataclass
class LayerState:
    """A layer taken out of a network."""

    shape: LayerShape
    tracks: list[dict[str, Tensor]]
    """The parameters (R, …), then each slot of the optimizer for them and the count of their updates."""
    buffers: dict[str, Tensor]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return self.tracks[0]


def transfer(old: Experiment, new: Experiment, state: State) -> tuple[State, list[Text]]:
    """The state of the old experiment as the new one takes it over, and what was done.

    It is the same object where nothing but numbers of a step have changed.
    """
    effects: list[Text] = []
    if len(state.seeds) == old.config.replicas:
        state = _replicated(old, new, state, effects)
    if (old.config.seed, old.config.init) != (new.config.seed, new.config.init):
        _, fresh = _fresh(new.network, new, replace(state, slots=_zero_slots(new, state.weights)))
        return fresh, [say("effect.redrawn")]
    in_place = list(range(len(old.config.features)))
    if old.network != new.network or _feature_rows(old, new) != in_place:
        with torch.no_grad():
            state = _reshape(old, new, state, effects)
    if old.config.optimizer.kind != new.config.optimizer.kind:
        state = replace(state, slots=_zero_slots(new, state.weights), updates=torch.zeros_like(state.weights))
        effects.append(say("effect.optimizer_anew"))
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
    tensors = [state.weights, state.buffers, *state.slots, state.updates]
    if more < 0:
        effects.append(say("effect.replicas_removed", count=-more))
        tensors = [tensor[: len(seeds)] for tensor in tensors]
    else:
        effects.append(say("effect.replicas_added", count=more))
        weights, buffers = initialise(old.network, old.config, seeds[-more:])
        unseen = [torch.zeros_like(weights)] * (len(state.slots) + 1)
        fresh = [weights, buffers, *unseen]
        tensors = [torch.cat([kept, drawn]) for kept, drawn in zip(tensors, fresh, strict=True)]
    weights, buffers, *slots, updates = tensors
    memory = torch.stack(slots) if slots else weights.new_zeros(0, *weights.shape)
    return replace(
        state, seeds=seeds, weights=weights.clone(), buffers=buffers.clone(), slots=memory,
        updates=updates.clone(), grad=None,
    )  # fmt: skip


def _zero_slots(new: Experiment, weights: Tensor) -> Tensor:
    return weights.new_zeros(new.config.optimizer.slots, *weights.shape)


def _reshape(old: Experiment, new: Experiment, state: State, effects: list[Text]) -> State:
    parts = _split(old.network, state)
    pairs, inserted = _match_layers(old.network.layers, new.network.layers)
    for index, position in pairs:
        if parts[index].shape.normalization.kind != new.network.layers[position].normalization.kind:
            _remove_normalization(parts[index], index, effects)
    parts = _resize(old, new, state, parts, pairs, effects)
    for index in inserted:
        _insert_layer(new, state, parts, index, effects)
    for index, layer in enumerate(new.network.layers):
        if layer.normalization.kind != parts[index].shape.normalization.kind:
            came_in = _activations(parts[:index], new.train_x, state)
            _add_normalization(parts[index], layer.normalization, came_in, index, effects)
    return _join(new.network, state, parts)


def _split(network: Network, state: State) -> list[LayerState]:
    tracks = [network.parameters(flat) for flat in (state.weights, *state.slots, state.updates)]
    running = network.buffers(state.buffers)
    return [
        LayerState(shape, [dict(track[index]) for track in tracks], dict(running[index]))
        for index, shape in enumerate(network.layers)
    ]


def _join(network: Network, state: State, parts: list[LayerState]) -> State:
    def flat(views: LayerTensors, names: list[list[str]]) -> Tensor:
        rows = len(state.seeds)
        pieces = [views[i][name].reshape(rows, -1) for i, layer in enumerate(names) for name in layer]
        return torch.cat(pieces, dim=1) if pieces else state.buffers[:, :0]

    names = [list(layer.parameters) for layer in network.layers]
    tracks = range(len(parts[0].tracks))
    weights, *slots, updates = (flat([part.tracks[t] for part in parts], names) for t in tracks)
    memory = torch.stack(slots) if slots else weights.new_zeros(0, *weights.shape)
    buffers = flat([part.buffers for part in parts], [list(layer.buffers) for layer in network.layers])
    buffers = buffers.clone()
    return replace(state, weights=weights, buffers=buffers, slots=memory, updates=updates, grad=None)


def _match_layers(
    old: tuple[LayerShape, ...], new: tuple[LayerShape, ...]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Which old layer lives on as which new one, and which new ones are inserted, by least difference.

    The outputs are always a pair. Among equals the earlier layers stay, and the later ones come and go.
    """
    last_old, last_new = len(old) - 1, len(new) - 1

    def difference(a: LayerShape, b: LayerShape) -> float:
        width = abs(a.width - b.width) / max(a.width, b.width)
        return width + 0.5 * (a.activation != b.activation) + 0.25 * (a.normalization != b.normalization)

    @cache
    def best(i: int, j: int) -> tuple[float, int, tuple[tuple[int, int], ...]]:
        options = []
        if i < last_old and j < last_new:
            cost, later, pairs = best(i + 1, j + 1)
            options.append((cost + difference(old[i], new[j]), later, ((i, j), *pairs)))
        if i < last_old:
            cost, later, pairs = best(i + 1, j)
            options.append((cost + 1, later + last_old - i, pairs))
        if j < last_new:
            cost, later, pairs = best(i, j + 1)
            options.append((cost + 1, later + last_new - j, pairs))
        return min(options, default=(0.0, 0, ((last_old, last_new),)))

    pairs = list(best(0, 0)[2])
    matched = {j for _, j in pairs}
    return pairs, [j for j in range(len(new)) if j not in matched]


def _resize(
    old: Experiment,
    new: Experiment,
    state: State,
    parts: list[LayerState],
    pairs: list[tuple[int, int]],
    effects: list[Text],
) -> list[LayerState]:
    """The layers that live on, with their new widths and inputs; the others are gone."""
    kept: list[LayerShape] = []
    inputs = len(new.config.features)
    for index, position in pairs:
        layer = new.network.layers[position]
        kept.append(
            replace(layer, inputs=inputs, normalization=_kept_normalization(layer, parts[index].shape))
        )
        inputs = layer.width
    fresh = _split(*_fresh(Network(tuple(kept)), new, state))
    before = -1
    for (index, position), target in zip(pairs, fresh, strict=True):
        part = parts[index]
        removed = index - before - 1
        rows = [i if i < part.shape.inputs else -1 for i in range(target.shape.inputs)]
        if removed:
            effects.append(say("effect.layers_removed", count=removed))
        elif index == 0:
            rows = _moved_features(old, new, effects)
        if position == len(new.network.layers) - 1 and part.shape.width != target.shape.width:
            if "embedding" not in (old.task.kind, new.task.kind):
                _change_outputs(part, target.shape.width)
            effects.append(say("effect.outputs", count=target.shape.width))
        elif part.shape.width != target.shape.width:
            more = target.shape.width - part.shape.width
            code = "effect.neurons_added" if more > 0 else "effect.neurons_removed"
            effects.append(say(code, count=abs(more), layer=position + 1))
        _copy_overlap(part, target, rows, silent=not removed)
        before = index
    if any(old.network.layers[i].activation != new.network.layers[j].activation for i, j in pairs):
        effects.append(say("effect.activation"))
    return fresh


def _fresh(network: Network, new: Experiment, state: State) -> tuple[Network, State]:
    """The network at its initialisation, with a memory as empty as that of a new optimizer."""
    weights, buffers = initialise(network, new.config, state.seeds)
    slots = weights.new_zeros(len(state.slots), *weights.shape)
    updates = torch.zeros_like(weights)
    fresh = replace(state, weights=weights, buffers=buffers, slots=slots, updates=updates, grad=None)
    return network, fresh


def _feature_rows(old: Experiment, new: Experiment) -> list[int]:
    """For each new feature the row of the old one, or -1.

    A feature is what is made of which columns; by its name alone it is found where its columns are gone.
    """
    before, after = _features(old, repr), _features(new, repr)
    rows = [before.index(feature) if feature in before else -1 for feature in after]
    names = [name if row not in rows else None for row, name in enumerate(old.config.features)]
    return [
        names.index(name) if row < 0 and name in names else row
        for row, name in zip(rows, new.config.features, strict=True)
    ]


def _features(experiment: Experiment, write: Callable[[str], str] = str) -> list[str]:
    """The features with the names of their columns in the place of x1, x2, …"""
    names = experiment.dataset.task.input_names
    return [
        re.sub(r"\bx(\d+)", lambda found: write(names[int(found[1]) - 1]), feature)
        for feature in experiment.config.features
    ]


def _moved_features(old: Experiment, new: Experiment, effects: list[Text]) -> list[int]:
    """As `_feature_rows`, and it says which came and which went."""
    rows = _feature_rows(old, new)
    added = [name for name, row in zip(_features(new), rows, strict=True) if row < 0]
    gone = [name for row, name in enumerate(_features(old)) if row not in rows]
    if added:
        effects.append(say("effect.features_added", features=added, count=len(added)))
    if gone:
        effects.append(say("effect.features_removed", features=gone, count=len(gone)))
    return rows


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


def _insert_layer(
    new: Experiment, state: State, parts: list[LayerState], index: int, effects: list[Text]
) -> None:
    """Insert a layer that passes on what comes in, as well as its activation can.

    Unit u takes z = s a + c of the activation a before it, and the layer behind takes gain f(z) + offset
    for a. Scale s and shift c are the best of a few, gain and offset a least-squares fit over the range of
    a over all that is shown: exact wherever f has a straight piece. How far the output is off is measured.
    """
    shape = replace(
        new.network.layers[index], inputs=parts[index].shape.inputs, normalization=NoNormalization()
    )
    _, drawn = _fresh(Network((shape,)), new, state)
    part = _split(Network((shape,)), drawn)[0]
    for name, value in shape.activation.identity.items():
        part.parameters[name].fill_(value)
    behind = parts[index]
    a, before = (_activations(some, new.domain, state) for some in (parts[:index], parts))
    units = min(shape.inputs, shape.width)
    scale, shift, gain, offset = _fit_identity(shape, part, a)
    part.parameters["weight"][:, :, :units] = torch.diag_embed(scale)[:, :, :units]
    part.parameters["bias"][:, 0, :units] = shift[:, :units]
    for number, track in enumerate(behind.tracks):
        weight = track["weight"]
        track["weight"] = weight.new_zeros(len(state.seeds), shape.width, behind.shape.width)
        factor = gain[:, :units, None] if number == 0 else 1
        track["weight"][:, :units] = weight[:, :units] * factor
        if number == 0:
            constant = torch.cat([offset[:, :units], a.mean(dim=1)[:, units:]], dim=1)
            track["bias"] = track["bias"] + constant[:, None, :] @ weight
    behind.shape = replace(behind.shape, inputs=shape.width)
    parts.insert(index, part)
    off = (_activations(parts, new.domain, state) - before).abs().amax()
    share = float((off / (before.amax() - before.amin()).clamp(min=1e-9)).nan_to_num(nan=1, posinf=1))
    if share < EXACT_OUTPUT:
        effects.append(say("effect.layer_added_exactly", layer=index + 1))
    else:
        percent = float(f"{100 * share:.2g}")
        effects.append(say("effect.layer_added_closely", layer=index + 1, percent=percent))


def _activations(parts: list[LayerState], x: Tensor, state: State) -> Tensor:
    """Evaluated activations (R, n, width) at the end of some parts, or the features where there is none."""
    x = x.expand(len(state.seeds), -1, -1)
    network = Network(tuple(part.shape for part in parts))
    for activation in forward(
        network, [part.parameters for part in parts], [part.buffers for part in parts], x
    ):
        x = activation
    return x


def _fit_identity(shape: LayerShape, part: LayerState, a: Tensor) -> list[Tensor]:
    """Scale, shift, gain and offset for each unit, (R, inputs) each."""
    low, high = a.amin(dim=1).double(), a.amax(dim=1).double()
    span = torch.where(high - low > 1e-6, high - low, 1)
    ramp = low[..., None] + span[..., None] * torch.linspace(0, 1, 65, dtype=torch.float64, device=a.device)
    learned = {name: part.parameters[name].double() for name in shape.activation.learned}
    start = low - MARGIN * span
    best: list[Tensor] = []
    for s in (torch.ones_like(span), *(reach / span for reach in REACHES)):
        for shift in (torch.zeros_like(low), -s * (low + high) / 2, -s * start, CLEAR - s * start):
            f = shape.activation.forward(s[..., None] * ramp + shift[..., None], **learned)
            centred, target = f - f.mean(-1, keepdim=True), ramp - ramp.mean(-1, keepdim=True)
            power = (centred * centred).sum(-1)
            gain = (centred * target).sum(-1) / power.clamp(min=1e-12)
            offset = (ramp - gain[..., None] * f).mean(-1)
            error = (gain[..., None] * f + offset[..., None] - ramp).abs().amax(-1) / span
            doubled = gain.abs().clamp(min=1e-12).log2().abs()
            moved = (s * (low + high) / 2 + shift).abs() / (s * span)
            cost = SCALE_COST * s.log2().abs() + GAIN_COST * doubled + SHIFT_COST * moved
            cost = (cost + torch.where(error < EXACT_FIT, -1e3, error)).nan_to_num(nan=torch.inf)
            found = [s, shift, gain, offset, cost]
            if best:
                better = cost < best[-1] - 1e-9
                found = [torch.where(better, new, old) for new, old in zip(found, best, strict=True)]
            best = found
    fits = torch.stack(best[:-1]).float().isfinite().all(dim=0)  # not where a itself is not finite
    return [torch.where(fits, number, plain).float() for number, plain in zip(best, IDENTITY, strict=False)]


def _kept_normalization(new: LayerShape, old: LayerShape) -> Normalization:
    """The normalisation of a layer that lives on, if it had it before."""
    same = new.normalization.kind == old.normalization.kind
    return new.normalization if same else NoNormalization()


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
