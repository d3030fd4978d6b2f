"""How a layer starts that comes into a network which has learned."""

from dataclasses import replace

import torch
from torch import Tensor

from playground.catalogue.identity import fit_identity
from playground.catalogue.normalizations import NoNormalization
from playground.i18n import Text, say
from playground.run.layers import sources_of
from playground.training.experiment import Experiment
from playground.training.network import Network
from playground.training.parts import LayerState, activations, drawn_anew, split
from playground.training.state import State

BIASES, SLOPING = (0.0, 1.0), 0.1
"""Of a residual layer that is to add nothing yet: the first where its activation has such a slope. It would
learn nothing where a ReLU bends."""
EXACT_OUTPUT = 1e-4
"""Error, as a share of the span of the output, that is none."""


def insert_layer(
    new: Experiment, state: State, parts: list[LayerState], index: int, effects: list[Text]
) -> None:
    """Insert a layer that changes the output as little as it can; how much it does is measured.

    A residual layer starts with a branch that adds nothing, and one in front of a dense layer without a say:
    both exactly. Any other passes on what comes in, as well as its activation can.
    """
    shape = replace(new.network.layers[index], normalization=NoNormalization())
    _, drawn = drawn_anew(Network((shape,)), new, state)
    part = split(Network((shape,)), drawn)[0]
    for name, value in shape.activation.identity.items():
        part.parameters[name].fill_(value)
    before = activations(parts, new.domain, state)[-1]
    came_in = [new.domain.expand(len(state.seeds), -1, -1), *activations(parts[:index], new.domain, state)]
    behind, first = parts[index], new.domain.shape[2] + sum(part.shape.width for part in parts[:index])
    parts.insert(index, part)
    for later in parts[index + 1 :]:
        if later.shape.shortcut.sees_all:
            _add_inputs(later, first, shape.width)
    if shape.shortcut.adds_input:
        _add_nothing(parts, index)
    elif not behind.shape.shortcut.sees_all:
        _pass_on(part, behind, came_in[-1])
    off = (activations(parts, new.domain, state)[-1] - before).abs().amax()
    share = float((off / (before.amax() - before.amin()).clamp(min=1e-9)).nan_to_num(nan=1, posinf=1))
    if share < EXACT_OUTPUT:
        effects.append(say("effect.layer_added_exactly", layer=index + 1))
    else:
        percent = float(f"{100 * share:.2g}")
        effects.append(say("effect.layer_added_closely", layer=index + 1, percent=percent))


def _add_inputs(part: LayerState, at: int, count: int) -> None:
    """So many rows of zeros from row `at` on, in the weights and in the optimizer's memory of them."""
    for track in part.tracks:
        weight = track["weight"]
        rows = weight.new_zeros(len(weight), count, weight.shape[2])
        track["weight"] = torch.cat([weight[:, :at], rows, weight[:, at:]], dim=1)
    part.shape = replace(part.shape, inputs=part.shape.inputs + count)


def _add_nothing(parts: list[LayerState], index: int) -> None:
    """Weights of zero, and a bias where the activation has a slope: what it puts out there, those behind take
    away by their biases."""
    part = parts[index]
    biases = torch.tensor(BIASES, device=part.parameters["bias"].device)
    learned = {name: part.parameters[name][0, 0] for name in part.shape.activation.learned}
    with torch.enable_grad():
        z = biases.clone().requires_grad_()
        puts_out = part.shape.activation.forward(z, **learned)
        (slopes,) = torch.autograd.grad(puts_out.sum(), z, allow_unused=True, materialize_grads=True)
    best = int((slopes.abs() > SLOPING).int().argmax())
    part.parameters["weight"].zero_()
    part.parameters["bias"].fill_(biases[best])
    constant = puts_out[best].detach().expand(len(part.parameters["bias"]), 1, part.shape.width)
    shapes = [part.shape for part in parts]
    for place in range(index + 1, len(parts)):
        p, sources = parts[place].parameters, sources_of(shapes, place)
        rows = [row for row, (layer, _) in enumerate(sources) if layer == index]
        p["bias"] = p["bias"] - constant @ p["weight"][:, rows]
        hands_on = shapes[place].shortcut.adds_input and shapes[place].inputs == shapes[place].width
        if hands_on and index == place - 1:
            index = place  # it hands on what is too much, to the layers behind it


def _pass_on(part: LayerState, behind: LayerState, a: Tensor) -> None:
    """Make a fresh layer pass on the activation a (R, n, inputs) in front of it.

    Unit u takes z = s a + c, and the layer behind takes gain f(z) + offset for a. Scale s and shift c are the
    best of a few, gain and offset a least-squares fit over the range of a over all that is shown: exact
    wherever f has a straight piece.
    """
    width, inputs = part.shape.width, a.shape[2]
    units = min(inputs, width)
    learned = {name: part.parameters[name] for name in part.shape.activation.learned}
    scale, shift, gain, offset = fit_identity(part.shape.activation.forward, learned, a)
    part.parameters["weight"][:, :, :units] = 0
    part.parameters["weight"][:, -inputs:, :units] = torch.diag_embed(scale)[:, :, :units]
    part.parameters["bias"][:, 0, :units] = shift[:, :units]
    for number, track in enumerate(behind.tracks):
        weight = track["weight"]
        track["weight"] = weight.new_zeros(len(weight), width, behind.shape.width)
        factor = gain[:, :units, None] if number == 0 else 1
        track["weight"][:, :units] = weight[:, :units] * factor
        if number == 0:
            constant = torch.cat([offset[:, :units], a.mean(dim=1)[:, units:]], dim=1)
            track["bias"] = track["bias"] + constant[:, None, :] @ weight
    behind.shape = replace(behind.shape, inputs=width)
