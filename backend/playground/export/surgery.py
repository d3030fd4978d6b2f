"""A live change of the network's shape as source: what lives on as what is read off the two configs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from playground.catalogue.datasets import Dataset
from playground.catalogue.identity import fit_identity
from playground.catalogue.normalizations import NoNormalization
from playground.export.network import activation_of, learned_name, name_of, names_in
from playground.export.numbers import Numbers
from playground.export.taken import CannotExport
from playground.export.transplant import Source
from playground.i18n import say
from playground.run.config import Config
from playground.run.layers import LayerShape, connected, sources_of
from playground.run.matching import feature_rows, kept_normalization, match_layers, rows_of

BIASES, SLOPING = (0.0, 1.0), 0.1
"""As in `training.insertion`."""

TAKEN_APART = '''
def taken_apart():
    """By name the numbers of the network, each with what the optimizer remembers of them."""
    running = {name: [b.clone()] for name, b in net.named_buffers()}
    return running | {name: [p.detach().clone(), *memory[name]] for name, p in net.named_parameters()}


@torch.no_grad()
def put_together(network, numbers):
    """The network of now on, with these numbers. What is not among them starts as it was made, with
    nothing remembered of it."""
    global net, memory
    tracks = len(next(iter(memory.values())))
    net, memory = network, {}
    for name, value in [*net.named_parameters(), *net.named_buffers()]:
        if name in numbers:
            value.copy_(numbers[name][0])
    for name, p in net.named_parameters():
        memory[name] = numbers.get(name, [])[1:] or [torch.zeros_like(p) for _ in range(tracks)]
'''
FITTED = '''
def fitted(tracks, units, inputs, drawn=None):
    """Weights with so many rows, a row a unit, whose input i was inputs[i]; -1 for a new one. What is new is
    zero, or as it was drawn."""
    kept = [(new, old) for new, old in enumerate(inputs) if old >= 0]
    found = []
    for number, old in enumerate(tracks):
        new = old.new_zeros(units, len(inputs)) if drawn is None or number else drawn.clone()
        same = min(units, len(old))
        for to, source in kept:
            new[:same, to] = old[:same, source]
        found.append(new)
    return found


def extended(tracks, size, start):
    """Numbers of so many units; what is new starts from `start`."""
    found = []
    for number, old in enumerate(tracks):
        new = torch.full((size,), 0.0 if number else start)
        same = min(size, len(old))
        new[:same] = old[:same]
        found.append(new)
    return found
'''
OUTPUTS = '''
def outputs_changed(numbers, split):
    """One output for two classes becomes one a class, or the other way round: softmax of (-z/2, z/2) is the
    sigmoid of z."""
    for name in ("output.weight", "output.bias"):
        value, *others = numbers[name]
        if split:
            numbers[name] = [torch.cat([-value / 2, value / 2])]
        else:
            numbers[name] = [value[1:2] - value[0:1]]
        numbers[name] += [torch.zeros_like(numbers[name][0]) for _ in others]
'''
COMES_INTO = '''
def comes_into(network, part, x, numbers=None):
    """What comes into a part of a network, evaluated at features x; with these of its numbers set first."""
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if numbers and name in numbers and numbers[name][0].shape == value.shape:
            value.data.copy_(numbers[name][0])
    seen = []
    hook = network.get_submodule(part).register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    network.eval()
    with torch.no_grad():
        network(x)
    hook.remove()
    return seen[0]
'''
PASS_ON = '''
def domain():
    """Features of all points, and of a square of places around them."""
    ends = torch.linspace(-6, 6, 25)
    square = raw_x.mean(dim=0).repeat(25 * 25, 1)
    square[:, :2] = torch.cartesian_prod(ends, ends)[:, : square.shape[1]]
    return torch.cat([train_x, test_x, features_of(square)])


def pass_on(numbers, layer, behind, drawn, bias, a, activation, learned):
    """A new layer between what comes in, `a`, and the one behind, which changes the output as little as its
    activation allows: its units take z = scale a + shift, the one behind gain f(z) + offset for a."""
    fit = fit_identity(activation, learned, a[None])
    scale, shift, gain, offset = (number[0] for number in fit)
    width, units = len(drawn), min(len(drawn), a.shape[1])
    weight, biases = drawn.clone(), torch.full((width,), bias)
    weight[:units] = 0
    weight[:units, -a.shape[1] :] = torch.diag(scale)[:units]
    biases[:units] = shift[:units]
    numbers[f"{layer}.weight"], numbers[f"{layer}.bias"] = [weight], [biases]
    old, *others = numbers[f"{behind}.weight"]
    found = [torch.zeros(len(old), width) for _ in (old, *others)]
    for new, was in zip(found, (old * gain, *others)):
        new[:, :units] = was[:, :units]
    constant = torch.cat([offset[:units], a.mean(dim=0)[units:]])
    start, *rest = numbers[f"{behind}.bias"]
    numbers[f"{behind}.weight"], numbers[f"{behind}.bias"] = found, [start + old @ constant, *rest]
'''


@dataclass
class Reshaping:
    """Writes the change from one network to another."""

    before: Config
    after: Config
    had: Dataset
    has: Dataset
    old: tuple[LayerShape, ...]
    new: tuple[LayerShape, ...]
    network: str
    """The class of the new network."""
    source: Source
    numbers: Numbers
    used: set[str]
    """Texts of functions that the script then needs."""

    def lines(self) -> list[str]:
        """What the script does, line by line."""
        self.used.add(TAKEN_APART)
        pairs, inserted = match_layers(self.old, self.new)
        lines = ["old = taken_apart()"]
        for index, position in pairs:
            if self.old[index].normalization.kind != self.new[position].normalization.kind:
                lines += self._folded(index)
        kept = connected(
            len(self.after.features),
            (
                replace(self.new[j], normalization=kept_normalization(self.new[j], self.old[i]))
                for i, j in pairs
            ),
        )
        lines += self._survive(pairs, kept)
        present = [(shape, position) for shape, (_, position) in zip(kept, pairs, strict=True)]
        for index in inserted:
            lines += self._inserted(index, present)
        lines.append(f"put_together({self.network}(), new)")
        was = {position: self.old[index].normalization.kind for index, position in pairs}
        for index, layer in enumerate(self.new):
            if layer.normalization.kind != was.get(index, "none"):
                lines += self._normalized(index)
        return lines

    def _folded(self, index: int) -> list[str]:
        layer = self.old[index]
        norm, own = layer.normalization, names_in(index, self.old)
        if isinstance(norm, NoNormalization) or not norm.affine:
            return []
        fold = self.source.method(norm, "folded", f"fold_{norm.kind}", "So that the output stays as it is.")
        parameters = ", ".join(f'"{name}": old["{own[name]}"][0]' for name in norm.parameters)
        running = ", ".join(f'"{name}": old["{own[f"running_{name}"]}"][0]' for name in norm.buffers)
        weight, bias = f'old["{own["weight"]}"]', f'old["{own["bias"]}"]'
        return [
            f"parameters, running = {{{parameters}}}, {{{running}}}",
            f"weight, bias = {fold}({weight}[0].T, {bias}[0], parameters, running)",
            f"{weight}[0], {bias}[0] = weight.T, bias",
        ]

    def _survive(self, pairs: list[tuple[int, int]], kept: Sequence[LayerShape]) -> list[str]:
        """The layers that live on, with their new widths and inputs."""
        seeds = torch.tensor([self.after.seed])
        drawn = self.after.init.weights([(layer.inputs, layer.width) for layer in kept], seeds)
        features = feature_rows(self.before, self.had.task, self.after, self.has.task)
        same, lines, last = [], [], len(self.new) - 1
        embedding = any(config.loss.partners for config in (self.before, self.after))
        before = -1
        for place, (index, position) in enumerate(pairs):
            old, target = self.old[index], kept[place]
            silent = index - before == 1 or old.shortcut.sees_all
            before = index
            was, now = names_in(index, self.old), names_in(position, self.new)
            rows = rows_of(self.old, kept, [i for i, _ in pairs], place, features)
            changes = position == last and old.width != target.width and not embedding
            if changes and 1 in (old.width, target.width):
                self.used.add(OUTPUTS)
                lines.append(f"outputs_changed(old, split={old.width == 1})")
                old = replace(old, width=min(2, target.width))
            if old.width == target.width and rows == list(range(old.inputs)):
                both = [name for name in was if name in now and name in _names(target)]
                same += [now[name] for name in both if was[name] == now[name]]
                lines += [
                    f'new["{now[name]}"] = old["{was[name]}"]' for name in both if was[name] != now[name]
                ]
                continue
            self.used.add(FITTED)
            lines += self._fitted(old, target, was, now, rows, drawn[place][0], silent)
        return [f"new = {{name: old[name] for name in {same!r}}}" if same else "new = {}", *lines]

    def _fitted(
        self,
        old: LayerShape,
        target: LayerShape,
        was: dict[str, str],
        now: dict[str, str],
        rows: list[int],
        drawn: torch.Tensor,
        silent: bool,
    ) -> list[str]:
        start = drawn.float().T.clone()
        width = min(old.width, target.width)
        for row, source in enumerate(rows):
            if source >= 0 or silent:
                start[:width, row] = 0
        shown = ""
        if start.any():
            name = self.numbers.add("DRAWN", {"weight": start.numpy()})
            shown = f', {name}["weight"]'
        lines = [f'new["{now["weight"]}"] = fitted(old["{was["weight"]}"], {target.width}, {rows}{shown})']
        initial = {"bias": self.after.init.bias, **target.initial}
        initial |= {f"running_{name}": value for name, value in target.normalization.buffers.items()}
        for name, value in initial.items():
            if name in was:
                size = 1 if name in target.activation.learned else target.width
                lines.append(f'new["{now[name]}"] = extended(old["{was[name]}"], {size}, {value!r})')
        return lines

    def _inserted(self, index: int, present: list[tuple[LayerShape, int]]) -> list[str]:
        """A layer more, among those of `present`, which are there so far with their places."""
        layer, name = replace(self.new[index], normalization=NoNormalization()), name_of(index, self.new)
        at = sum(position < index for _, position in present)
        behind, first = present[at][0], len(self.after.features) + sum(s.width for s, _ in present[:at])
        in_front = present[at - 1][0].width if at else len(self.after.features)
        layer = replace(layer, inputs=first if layer.shortcut.sees_all else in_front)
        present.insert(at, (layer, index))
        lines = [
            f'new["{learned_name(own, index, self.new)}"] = [torch.tensor([{value}])]'
            for own, value in layer.activation.identity.items()
        ]
        for place, (later, position) in enumerate(present):
            if place > at and later.shortcut.sees_all:
                present[place] = (replace(later, inputs=later.inputs + layer.width), position)
                weight = f'new["{name_of(position, self.new)}.weight"]'
                lines.append(
                    f"{weight} = [torch.cat([w[:, :{first}], torch.zeros(len(w), {layer.width}),"
                    f" w[:, {first}:]], dim=1) for w in {weight}]"
                )
        if layer.shortcut.adds_input:
            return lines + self._adds_nothing(at, present)
        seeds = torch.tensor([self.after.seed])
        drawn = self.after.init.weights([(layer.inputs, layer.width)], seeds)[0][0].float().T
        start = self.numbers.add("DRAWN", {"weight": drawn.numpy()})
        if behind.shortcut.sees_all:
            lines.append(f'new["{name}.weight"] = [{start}["weight"]]')
            return [*lines, f'new["{name}.bias"] = [torch.full(({layer.width},), {self.after.init.bias})]']
        self.used |= {COMES_INTO, PASS_ON}
        self.source.function(fit_identity, "How an activation passes on what comes in, as nearly as it can.")
        present[at + 1] = (replace(behind, inputs=layer.width), present[at + 1][1])
        names = [*layer.activation.learned]
        f = activation_of(layer.activation, "z", {own: own for own in names}, self.source)
        learned = ", ".join(
            f'"{own}": torch.full((1, 1, 1), {layer.activation.identity.get(own, start)})'
            for own, start in layer.activation.learned.items()
        )
        follows = name_of(present[at + 1][1], self.new)
        return [
            *lines,
            f'a = comes_into({self.network}(), "{name}", domain(), new)[:, -{in_front}:]',
            f'pass_on(new, "{name}", "{follows}", {start}["weight"], {float(self.after.init.bias)!r}, a,'
            f" lambda {', '.join(['z', *names])}: {f}, {{{learned}}})",
        ]

    def _adds_nothing(self, at: int, present: list[tuple[LayerShape, int]]) -> list[str]:
        """A residual layer: weights of zero, and a bias where the activation has a slope; what it puts out
        there, those behind take away by their biases."""
        layer, index = present[at]
        z = torch.tensor(BIASES).requires_grad_()
        learned = {own: torch.tensor(value) for own, value in layer.activation.identity.items()}
        puts_out = layer.activation.forward(z, **learned)
        (slopes,) = torch.autograd.grad(puts_out.sum(), z, allow_unused=True, materialize_grads=True)
        best = int((slopes.abs() > SLOPING).int().argmax())
        constant, name = float(puts_out[best].detach()), name_of(index, self.new)
        lines = [
            f'new["{name}.weight"] = [torch.zeros({layer.width}, {layer.inputs})]',
            f'new["{name}.bias"] = [torch.full(({layer.width},), {BIASES[best]})]',
        ]
        shapes = [shape for shape, _ in present]
        from_layer = at
        for place in range(at + 1, len(present)):
            rows = [row for row, (source, _) in enumerate(sources_of(shapes, place)) if source == from_layer]
            own = name_of(present[place][1], self.new)
            if rows and constant:
                lines.append(
                    f'new["{own}.bias"] = [new["{own}.bias"][0] - {constant!r} *'
                    f' new["{own}.weight"][0][:, {rows[0]}:{rows[-1] + 1}].sum(dim=1),'
                    f' *new["{own}.bias"][1:]]'
                )
            hands_on = shapes[place].shortcut.adds_input and shapes[place].inputs == shapes[place].width
            if hands_on and from_layer == place - 1:
                from_layer = place
        return lines

    def _normalized(self, index: int) -> list[str]:
        """A normalisation that comes in, from the training points as they arrive there."""
        norm, own = self.new[index].normalization, names_in(index, self.new)
        if isinstance(norm, NoNormalization):
            return []
        self.used.add(COMES_INTO)
        start = self.source.method(
            norm,
            "identity_on",
            f"start_{norm.kind}",
            "So that the output stays as near as it can to what it is.",
        )
        part = f"norm{index + 1}"
        lines = [f'learned, running = {start}(comes_into(net, "{part}", train_x)[None])']
        lines += [
            f'net.state_dict()["{own[name]}"].copy_(learned["{name}"][0, 0])' for name in norm.parameters
        ]
        return lines + [
            f'net.state_dict()["{own[f"running_{name}"]}"].copy_(running["{name}"][0, 0])'
            for name in norm.buffers
        ]


def _names(layer: LayerShape) -> list[str]:
    """What a layer holds, by our names."""
    running = [f"running_{name}" for name in layer.normalization.buffers]
    return [*layer.parameters, *running]


def check(config: Config) -> None:
    """Refuses what no script says."""
    if config.replicas > 1:
        raise CannotExport(say("export.replicas", count=config.replicas))


def weights_of(config: Config, layers: Sequence[LayerShape]) -> list[dict[str, np.ndarray]]:
    """Those that a network starts from."""
    seeds = torch.tensor([config.seed])
    drawn = config.init.weights([(layer.inputs, layer.width) for layer in layers], seeds)
    found = []
    for layer, weight in zip(layers, drawn, strict=True):
        own: dict[str, np.ndarray] = {"weight": weight[0].float().numpy()}
        vectors = {**layer.initial, "bias": config.init.bias}
        vectors |= {f"running_{name}": value for name, value in layer.normalization.buffers.items()}
        for name, value in vectors.items():
            size = 1 if name in layer.activation.learned else layer.width
            own[name] = np.full(size, value, np.float32)
        found.append(own)
    return found
