"""The network of a run as a class of PyTorch."""

from collections.abc import Sequence

import numpy as np

from playground.catalogue.activations import Activation, Linear
from playground.catalogue.normalizations import NoNormalization
from playground.export.taken import CannotExport, Weights
from playground.export.transplant import Source
from playground.i18n import say
from playground.run.layers import LayerShape

DROPOUT = '''
class Dropout(nn.Module):
    """Silences a share of what comes in while the network trains. As nn.Dropout, but what it silences
    follows from seed and step, so that every run is the same."""

    def __init__(self, place, rate):
        super().__init__()
        self.place, self.rate = place, rate

    def forward(self, x):
        if not self.training or not self.rate:
            return x
        drawn = uniform(seed, f"dropout {self.place}", step, tuple(x.shape))
        return x * ((drawn >= self.rate).float() / (1 - self.rate))
'''
LONE_BATCHNORM = '''
class BatchNorm1d(nn.BatchNorm1d):
    """A mini-batch of one sample has no spread of its own: it takes the running statistics."""

    def forward(self, x):
        if self.training and len(x) > 1:
            return super().forward(x)
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return (x - self.running_mean) * scale + self.bias
'''


def name_of(index: int, layers: Sequence[LayerShape]) -> str:
    return "output" if index == len(layers) - 1 else f"layer{index + 1}"


def names_in(index: int, layers: Sequence[LayerShape]) -> dict[str, str]:
    """What the parameters and buffers of a layer are called in the `state_dict` of the class."""
    layer, own = layers[index], name_of(index, layers)
    norm = layer.normalization
    names = {"weight": f"{own}.weight", "bias": f"{own}.bias"}
    for name in (*norm.parameters, *norm.buffers):
        ours = f"running_{name}" if name in norm.buffers else name
        names[ours] = f"norm{index + 1}.{norm.torch_names[name]}"
    return names | {name: learned_name(name, index, layers) for name in layer.activation.learned}


def learned_name(name: str, index: int, layers: Sequence[LayerShape]) -> str:
    return f"{name}_{name_of(index, layers)}"


def state_dict(layers: Sequence[LayerShape], weights: Weights) -> dict[str, np.ndarray]:
    """The numbers of the network by the names that `load_state_dict` wants."""
    found = {}
    for index, (layer, own) in enumerate(zip(layers, weights, strict=True)):
        _check(layer)
        for name, entry in names_in(index, layers).items():
            found[entry] = np.ascontiguousarray(own[name].T if name == "weight" else own[name], np.float32)
        if layer.normalization.uses_batch:
            found[f"norm{index + 1}.num_batches_tracked"] = np.array(0, np.int64)
    return found


def network_class(
    name: str, layers: Sequence[LayerShape], dropouts: Sequence[float | None], source: Source, lone: bool
) -> str:
    """The text of the class. `dropouts` are of the inputs, then of each layer, and None where there is none
    to be; with `lone`, a mini-batch may have a single sample."""
    made, passed = [], []
    if dropouts[0] is not None:
        made.append(f"self.dropout0 = Dropout(0, {dropouts[0]!r})")
        passed.append("x = self.dropout0(x)")
    for index, layer in enumerate(layers):
        _check(layer)
        _describe(index, layers, dropouts[index + 1], source, lone, made, passed)
    passed.append(f"return {_variable(len(layers) - 1, layers)}")
    return "\n".join(
        [
            f"class {name}(nn.Module):",
            f'    """{_in_words(layers)}"""',
            "",
            "    def __init__(self):",
            "        super().__init__()",
            *(f"        {line}" for line in made),
            "",
            "    def forward(self, x):",
            *(f"        {line}" if line else "" for line in passed),
            "",
        ]
    )


def _describe(
    index: int,
    layers: Sequence[LayerShape],
    dropout: float | None,
    source: Source,
    lone: bool,
    made: list[str],
    passed: list[str],
) -> None:
    """Adds what a layer is made of, and what it does."""
    layer, own, norm = layers[index], name_of(index, layers), layers[index].normalization
    made.append(f"self.{own} = nn.Linear({layer.inputs}, {layer.width})")
    if norm.torch_module:
        module = f"{'' if lone and norm.uses_batch else 'nn.'}{norm.torch_module}"
        made.append(f"self.norm{index + 1} = {module}({layer.width})")
    made += [
        f"self.{learned_name(name, index, layers)} = nn.Parameter(torch.tensor([{value}]))"
        for name, value in layer.activation.learned.items()
    ]
    came_in = _variable(index - 1, layers)
    seen = came_in
    if layer.shortcut.sees_all and index:
        seen = f"torch.cat([{', '.join(_variable(before, layers) for before in range(-1, index))}], dim=1)"
    z = f"self.{own}({seen})"
    if norm.torch_module:
        z = f"self.norm{index + 1}({z})"
    out = _variable(index, layers)
    learned = {name: f"self.{learned_name(name, index, layers)}" for name in layer.activation.learned}
    plain = isinstance(layer.activation, Linear)
    if not plain:
        passed.append(f"z = {z}")
    value = z if plain else activation_of(layer.activation, "z", learned, source)
    if dropout is not None:
        made.append(f"self.dropout{index + 1} = Dropout({index + 1}, {dropout!r})")
        value = f"self.dropout{index + 1}({value})"
    passed.append(f"{out} = {came_in} + {value}" if layer.shortcut.adds_input else f"{out} = {value}")


def activation_of(activation: Activation, z: str, learned: dict[str, str], source: Source) -> str:
    """What it makes of the sums that are called `z`, as an expression."""
    short = source.expression(activation, "forward", z=z, **learned)
    if short is not None:
        return short
    name = source.method(activation, "forward", activation.kind, activation.help())
    return f"{name}({', '.join([z, *learned.values()])})"


def _variable(index: int, layers: Sequence[LayerShape]) -> str:
    """What a layer puts out; the features are those of layer -1."""
    if index < 0:
        return "x"
    return "y" if index == len(layers) - 1 else f"h{index + 1}"


def _in_words(layers: Sequence[LayerShape]) -> str:
    widths = [f"{layer.width} {layer.activation.label}" for layer in layers[:-1]]
    return " → ".join([f"{layers[0].inputs} inputs", *widths, f"{layers[-1].width} out"])


def _check(layer: LayerShape) -> None:
    norm = layer.normalization
    if not (isinstance(norm, NoNormalization) or norm.torch_module):
        raise CannotExport(say("export.no_torch", what=norm.named()))
