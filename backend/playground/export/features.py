"""What the network gets to see of a point, as source."""

import re

from playground import limits, randomness
from playground.catalogue.formulas.grammar import parse
from playground.catalogue.formulas.operations import CONSTANTS, OPERATIONS
from playground.catalogue.formulas.tree import (
    CallNode,
    ConstantNode,
    InputNode,
    NumberNode,
    Tree,
    inputs_of,
)
from playground.catalogue.fourier import number_of
from playground.export.transplant import Source
from playground.run.config import Config

BETWEEN = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
COMPARED = {"lt": "<", "gt": ">", "le": "<=", "ge": ">="}
WAVES = f"""    # Random Fourier features: waves of random direction and frequency (Tancik et al., 2020).
    frequencies = {{scale!r}} * normal({{seed}}, "fourier", 0, ({limits.FOURIER // 2}, 2))[:, : x.shape[1]]
    angles = 2 * math.pi * (x[:, :2].double() / {2 * limits.HALF_SPAN:g}) @ frequencies.T
    waves = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1).float()
"""


def features_function(name: str, config: Config, inputs: int, source: Source) -> str:
    """The text of a function from raw inputs (n, `inputs`) to features."""
    words = '    """What the network gets to see of each point: the columns are its features."""\n'
    head = f"def {name}(x):\n{words}"
    if config.features == tuple(f"x{number + 1}" for number in range(inputs)):
        return f"{head}    return x\n"
    waved = [number_of(feature) for feature in config.features]
    text = head
    if any(waved):
        source.function(randomness.normal)
        source.imports.add("import math")
        text += WAVES.format(scale=config.fourier_scale, seed=config.seed)
    used = sorted(
        {n for feature in config.features if not number_of(feature) for n in inputs_of(parse(feature))}
    )
    for number in used:
        text += f"    x{number} = x[:, {number - 1}]\n"
    columns = [
        f"waves[:, {wave - 1}]" if wave else _column(parse(feature))
        for wave, feature in zip(waved, config.features, strict=True)
    ]
    listed = "".join(f"        {column},\n" for column in columns)
    text += f"    columns = [\n{listed}    ]\n    made = torch.stack(columns, dim=1)\n"
    if all(number_of(feature) or re.fullmatch(r"x\d+", feature) for feature in config.features):
        return f"{text}    return made\n"
    bound = f"{limits.FEATURE_VALUE:g}"
    return (
        f"{text}    return made.nan_to_num(nan=0, posinf={bound}, neginf=-{bound}).clamp(-{bound}, {bound})\n"
    )


def _column(tree: Tree) -> str:
    if not inputs_of(tree):
        return f"({_written(tree, True)}).expand(len(x))"
    return _written(tree)


def _written(tree: Tree, tensor: bool = False) -> str:
    """A formula in Python; with `tensor`, numbers are tensors, since functions of torch want them."""
    match tree:
        case NumberNode(value=value):
            return f"torch.tensor({value!r})" if tensor else repr(value)
        case ConstantNode(name=name):
            return f"torch.tensor({CONSTANTS[name]!r})" if tensor else repr(CONSTANTS[name])
        case InputNode(number=number):
            return f"x{number}"
        case CallNode(name=name, of=operands):
            return _called(name, operands)


def _called(name: str, operands: tuple[Tree, ...]) -> str:
    if name in BETWEEN or name in COMPARED:
        alone = not any(inputs_of(operand) for operand in operands)
        sides = [_written(operand, alone) for operand in operands]
        sides = [f"({s})" if isinstance(o, CallNode) else s for s, o in zip(sides, operands, strict=True)]
        if name in COMPARED:
            return f"({sides[0]} {COMPARED[name]} {sides[1]}).float()"
        return f"{sides[0]} {BETWEEN[name]} {sides[1]}"
    parts = [_written(operand, not inputs_of(operand)) for operand in operands]
    if name == "neg":
        return f"-({parts[0]})"
    if name == "step":
        return f"({parts[0]} > 0).float()"
    return f"torch.{OPERATIONS[name].compute.__name__}({', '.join(parts)})"
