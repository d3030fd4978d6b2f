"""What a live change does to the weights and to the optimizer's memory.

A running network is taken apart into layers, each with its parameters, the optimizer's slots for them, and
its running statistics. The change is made layer by layer, so that the evaluated output stays as it was
wherever that is possible, and the parts are put together again in the new shape.
"""

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from backend.config import RunConfig
from backend.network import (
    BATCHNORM_EPS,
    LayerShape,
    Network,
    State,
    Views,
    forward,
    initialise,
    preactivation,
)

SCALE_COST, GAIN_COST, SHIFT_COST = 0.02, 0.06, 0.01
"""Error that an inserted layer may have to save a doubling of its weights, of those behind it, or a shift by
one. Tiny weights in front and huge ones behind would copy the straight middle of any activation, but could
not be trained, and every further layer would double them again."""
CLEAR = 4.0
"""How far above zero the bend of a smooth ReLU has straightened out."""


@dataclass
class Part:
    """A layer taken out of a network."""

    shape: LayerShape
    tracks: list[dict[str, Tensor]]
    """The parameters (R, …), then each slot of the optimizer for them and the count of their updates."""
    buffers: dict[str, Tensor]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return self.tracks[0]


@dataclass(frozen=True)
class Setting:
    """A config with what follows from it."""

    config: RunConfig
    network: Network
    x: Tensor
    """Training features (1, n, inputs)."""
    domain: Tensor
    """Features of everything that is shown: all data and the input square, (1, m, inputs)."""


def carry(old: Setting, new: Setting, state: State) -> tuple[State, list[str]]:
    """The state of the old network as the new one takes it over, and what was done, in sentences."""
    if (old.config.seed, old.config.init) != (new.config.seed, new.config.init):
        _, fresh = _fresh(new.network, new, replace(state, slots=_empty(new, state.weights)))
        return fresh, ["All weights are drawn anew and the optimizer starts anew."]
    effects: list[str] = []
    if old.network != new.network:
        state = _reshape(old, new, state, effects)
    if old.config.optimizer.kind != new.config.optimizer.kind:
        state = replace(state, slots=_empty(new, state.weights), updates=torch.zeros_like(state.weights))
        effects.append("The weights are kept; the optimizer starts anew, its step count too.")
    return state, effects or ["Weights and optimizer state are kept."]


def _empty(setting: Setting, weights: Tensor) -> Tensor:
    return weights.new_zeros(setting.config.optimizer.slots, *weights.shape)


def _reshape(old: Setting, new: Setting, state: State, effects: list[str]) -> State:
    parts = _take_apart(old.network, state)
    pairs, inserted = _align(old.network.layers, new.network.layers)
    for index, goal in pairs:
        if parts[index].shape.batchnorm and not new.network.layers[goal].batchnorm:
            _fold_batchnorm(parts[index])
            effects.append(f"Batch normalisation of {_name(old, index)} is folded into its weights.")
    parts = _resize(old, new, state, parts, pairs, effects)
    for index in inserted:
        _insert(new, state, parts, index, effects)
    for index, layer in enumerate(new.network.layers):
        if layer.batchnorm and not parts[index].shape.batchnorm:
            _start_batchnorm(parts[index], _activations(parts[:index], new.x, state))
            effects.append(
                f"Batch normalisation of {_name(new, index)} starts from the current statistics, "
                "so the output does not jump."
            )
    return _put_together(new.network, state, parts)


def _take_apart(network: Network, state: State) -> list[Part]:
    tracks = [network.parameters(flat) for flat in (state.weights, *state.slots, state.updates)]
    running = network.buffers(state.buffers)
    return [
        Part(shape, [dict(track[index]) for track in tracks], dict(running[index]))
        for index, shape in enumerate(network.layers)
    ]


def _put_together(network: Network, state: State, parts: list[Part]) -> State:
    def flat(views: Views, names: list[list[str]]) -> Tensor:
        rows = len(state.seeds)
        pieces = [views[i][name].reshape(rows, -1) for i, layer in enumerate(names) for name in layer]
        return torch.cat(pieces, dim=1) if pieces else state.buffers[:, :0]

    names = [list(layer.parameters) for layer in network.layers]
    tracks = range(len(parts[0].tracks))
    weights, *slots, updates = (flat([part.tracks[t] for part in parts], names) for t in tracks)
    memory = torch.stack(slots) if slots else weights.new_zeros(0, *weights.shape)
    buffers = flat([part.buffers for part in parts], [list(layer.buffers) for layer in network.layers])
    return replace(state, weights=weights, buffers=buffers.clone(), slots=memory, updates=updates)


def _align(
    old: tuple[LayerShape, ...], new: tuple[LayerShape, ...]
) -> tuple[list[tuple[int, int]], list[int]]:
    """Which old layer lives on as which new one, and which new ones are inserted, by least difference.

    The outputs are always a pair. Among equals the earlier layers stay, and the later ones come and go.
    """
    last_old, last_new = len(old) - 1, len(new) - 1

    def difference(a: LayerShape, b: LayerShape) -> float:
        width = abs(a.width - b.width) / max(a.width, b.width)
        return width + 0.5 * (a.activation != b.activation) + 0.25 * (a.batchnorm != b.batchnorm)

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
    old: Setting,
    new: Setting,
    state: State,
    parts: list[Part],
    pairs: list[tuple[int, int]],
    effects: list[str],
) -> list[Part]:
    """The layers that live on, with their new widths and inputs; the others are gone."""
    kept: list[LayerShape] = []
    inputs = len(new.config.features)
    for index, goal in pairs:
        layer = new.network.layers[goal]
        kept.append(replace(layer, inputs=inputs, batchnorm=layer.batchnorm and parts[index].shape.batchnorm))
        inputs = layer.width
    fresh = _take_apart(*_fresh(Network(tuple(kept)), new, state))
    before = -1
    for (index, goal), target in zip(pairs, fresh, strict=True):
        part = parts[index]
        removed = index - before - 1
        rows = [i if i < part.shape.inputs else -1 for i in range(target.shape.inputs)]
        if removed:
            effects.append(f"{removed} layer{'s' if removed > 1 else ''} removed; the rest is kept.")
        elif index == 0:
            rows = _feature_rows(old, new, effects)
        if goal == len(new.network.layers) - 1 and part.shape.width != target.shape.width:
            _change_outputs(part, target.shape.width)
            effects.append(
                f"The output layer now has {target.shape.width} unit{'s' if target.shape.width > 1 else ''}; "
                "the hidden layers are kept."
            )
        elif part.shape.width != target.shape.width:
            more = target.shape.width - part.shape.width
            what = "added; their outgoing weights are zero" if more > 0 else "removed; the rest is kept"
            effects.append(f"{abs(more)} of the neurons of {_name(new, goal)} {what}.")
        _graft(part, target, rows, silent=not removed)
        before = index
    if any(old.network.layers[i].activation != new.network.layers[j].activation for i, j in pairs):
        effects.append("The activation changed; weights and optimizer state are kept.")
    return fresh


def _fresh(network: Network, new: Setting, state: State) -> tuple[Network, State]:
    """The network at its initialisation, with a memory as empty as that of a new optimizer."""
    weights, buffers = initialise(network, new.config, state.seeds)
    slots = weights.new_zeros(len(state.slots), *weights.shape)
    fresh = replace(state, weights=weights, buffers=buffers, slots=slots, updates=torch.zeros_like(weights))
    return network, fresh


def _feature_rows(old: Setting, new: Setting, effects: list[str]) -> list[int]:
    """For each new feature the row of the old one, or -1."""
    before, after = old.config.features, new.config.features
    added = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    if added:
        effects.append(f"Feature {', '.join(added)} added; its outgoing weights are zero.")
    if gone:
        effects.append(f"Feature {', '.join(gone)} removed; the rest is kept.")
    return [before.index(name) if name in before else -1 for name in after]


def _graft(part: Part, target: Part, rows: list[int], silent: bool) -> None:
    """Move what still fits from the old layer into a fresh one of the new shape.

    `rows[i]` is the old input of new input i, or -1. An input without one is silent (its weights are zero,
    so that it changes nothing), unless the layer in front was removed and there is no output to keep.
    """
    width = min(part.shape.width, target.shape.width)
    for old, new in zip(part.tracks, target.tracks, strict=True):
        for goal, source in enumerate(rows):
            if source >= 0:
                new["weight"][:, goal, :width] = old["weight"][:, source, :width]
            elif silent:
                new["weight"][:, goal, :width] = 0
        for name in old.keys() & new.keys() - {"weight"}:
            size = min(old[name].shape[-1], new[name].shape[-1])
            new[name][..., :size] = old[name][..., :size]
    for name in part.buffers.keys() & target.buffers.keys():
        target.buffers[name][..., :width] = part.buffers[name][..., :width]


def _change_outputs(part: Part, width: int) -> None:
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


def _insert(new: Setting, state: State, parts: list[Part], index: int, effects: list[str]) -> None:
    """Insert a layer that passes on what comes in, as well as its activation can.

    Unit u takes z = s a + c of the activation a before it, and the layer behind takes gain f(z) + offset
    for a. Scale s and shift c are the best of a few, gain and offset a least-squares fit over the range of
    a over all that is shown: exact wherever f has a straight piece.
    """
    shape = replace(new.network.layers[index], inputs=parts[index].shape.inputs, batchnorm=False)
    _, drawn = _fresh(Network((shape,)), new, state)
    part = _take_apart(Network((shape,)), drawn)[0]
    behind = parts[index]
    a = _activations(parts[:index], new.domain, state)
    units = min(shape.inputs, shape.width)
    scale, shift, gain, offset, error = _pass_on(shape, part, a)
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
    exact = error < 1e-4 and shape.width >= shape.inputs
    how = "exactly, so the output does not change" if exact else "as closely as its activation can"
    effects.append(f"{_name(new, index).capitalize()} added; it passes on what comes in {how}.")


def _activations(parts: list[Part], x: Tensor, state: State) -> Tensor:
    """Evaluated activations (R, n, width) at the end of some parts, or the features where there is none."""
    x = x.expand(len(state.seeds), -1, -1)
    network = Network(tuple(part.shape for part in parts))
    for activation in forward(
        network, [part.parameters for part in parts], [part.buffers for part in parts], x
    ):
        x = activation
    return x


def _pass_on(shape: LayerShape, part: Part, a: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    """Scale, shift, gain and offset for each unit (R, inputs), and the largest error that is left."""
    low, high = a.amin(dim=1).double(), a.amax(dim=1).double()
    margin = (high - low) * 0.05 + 1e-6
    low, high = low - margin, high + margin
    span = high - low
    ramp = low[..., None] + span[..., None] * torch.linspace(0, 1, 65, dtype=torch.float64, device=a.device)
    learned = {name: part.parameters[name].double() for name in shape.activation.learned}
    best: list[Tensor] = []
    for s in (torch.ones_like(low), 2 / span, 4 / span):
        for shift in (torch.zeros_like(low), -s * (low + high) / 2, -s * low, CLEAR - s * low):
            f = shape.activation.forward(s[..., None] * ramp + shift[..., None], **learned)
            centred, goal = f - f.mean(-1, keepdim=True), ramp - ramp.mean(-1, keepdim=True)
            power = (centred * centred).sum(-1)
            gain = (centred * goal).sum(-1) / power.clamp(min=1e-12)
            offset = (ramp - gain[..., None] * f).mean(-1)
            error = (gain[..., None] * f + offset[..., None] - ramp).abs().amax(-1) / span
            doubled = gain.abs().clamp(min=1e-12).log2().abs()
            cost = error + SCALE_COST * s.log2().abs() + GAIN_COST * doubled + SHIFT_COST * shift.abs()
            found = [s, shift, gain, offset, error, cost]
            if best:
                better = cost < best[-1] - 1e-9
                found = [torch.where(better, new, old) for new, old in zip(found, best, strict=True)]
            best = found
    scale, shift, gain, offset, error, _ = best
    return scale.float(), shift.float(), gain.float(), offset.float(), float(error.max())


def _fold_batchnorm(part: Part) -> None:
    """w' = w γ/σ and b' = (b - μ) γ/σ + β give the same evaluated output."""
    p = part.parameters
    factor = p["gamma"] * (part.buffers["var"] + BATCHNORM_EPS).rsqrt()
    p["weight"] = p["weight"] * factor
    p["bias"] = (p["bias"] - part.buffers["mean"]) * factor + p["beta"]
    for track in part.tracks:
        del track["gamma"], track["beta"]
    part.buffers = {}
    part.shape = replace(part.shape, batchnorm=False)


def _start_batchnorm(part: Part, x: Tensor) -> None:
    """γ = σ and β = μ of the training data, as they arrive in x (R, n, inputs), undo the normalisation."""
    z = preactivation(part.shape, part.parameters, part.buffers, x, training=False)
    var, mean = torch.var_mean(z, dim=1, correction=0, keepdim=True)
    for number, track in enumerate(part.tracks):
        track["gamma"] = (var + BATCHNORM_EPS).sqrt() if number == 0 else torch.zeros_like(var)
        track["beta"] = mean.clone() if number == 0 else torch.zeros_like(mean)
    part.buffers = {"mean": mean, "var": var}
    part.shape = replace(part.shape, batchnorm=True)


def _name(setting: Setting, index: int) -> str:
    return "the output layer" if index == len(setting.network.layers) - 1 else f"hidden layer {index + 1}"
