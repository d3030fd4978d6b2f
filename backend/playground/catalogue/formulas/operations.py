"""All that a formula can do to values: one line an operation. Nothing else is ever called."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 7)
"""How closely what is written holds together; looser parts of closer ones stand in brackets."""


@dataclass(frozen=True)
class Operation:
    """`compute` takes tensors that broadcast, as many as there are `operands`."""

    compute: Callable[..., Tensor]
    latex: str
    """`#1` and `#2` are its operands."""
    operands: tuple[int, ...] = (0,)
    """How closely each operand holds together at least, where it has no brackets."""
    symbol: str = ""
    """Of one that stands before or between its operands; the others are called by their names."""
    level: int = ATOM
    latex_operands: tuple[int, ...] | None = None
    """The same for LaTeX, where that is otherwise: a fraction needs no brackets."""
    latex_level: int | None = None

    @property
    def arity(self) -> int:
        return len(self.operands)


def _compared(compare: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """As 1 and 0 in the type of what is compared."""
    return lambda a, b: compare(a, b).to(torch.result_type(a, b))


def _called(latex: str) -> str:
    return rf"{latex}\left(#1\right)"


OPERATIONS: dict[str, Operation] = {
    "lt": Operation(_compared(torch.lt), r"\left[#1 < #2\right]", (SUM, SUM), "<", COMPARISON, (0, 0), ATOM),
    "gt": Operation(_compared(torch.gt), r"\left[#1 > #2\right]", (SUM, SUM), ">", COMPARISON, (0, 0), ATOM),
    "le": Operation(
        _compared(torch.le), r"\left[#1 \le #2\right]", (SUM, SUM), "<=", COMPARISON, (0, 0), ATOM
    ),
    "ge": Operation(
        _compared(torch.ge), r"\left[#1 \ge #2\right]", (SUM, SUM), ">=", COMPARISON, (0, 0), ATOM
    ),
    "add": Operation(torch.add, "#1 + #2", (SUM, PRODUCT), "+", SUM),
    "sub": Operation(torch.sub, "#1 - #2", (SUM, PRODUCT), "-", SUM),
    "mul": Operation(torch.mul, r"#1 \, #2", (PRODUCT, SIGN), "*", PRODUCT, (PRODUCT, POWER)),
    "div": Operation(torch.div, r"\frac{#1}{#2}", (PRODUCT, SIGN), "/", PRODUCT, (0, 0), POWER),
    "neg": Operation(torch.neg, "-#1", (POWER,), "-", SIGN),
    "pow": Operation(torch.pow, "#1^{#2}", (ATOM, SIGN), "^", POWER, (ATOM, 0)),
    "sin": Operation(torch.sin, _called(r"\sin")),
    "cos": Operation(torch.cos, _called(r"\cos")),
    "tan": Operation(torch.tan, _called(r"\tan")),
    "atan": Operation(torch.atan, _called(r"\arctan")),
    "atan2": Operation(torch.atan2, r"\operatorname{atan2}\left(#1,\, #2\right)", (0, 0)),
    "tanh": Operation(torch.tanh, _called(r"\tanh")),
    "sigmoid": Operation(torch.sigmoid, _called(r"\sigma")),
    "exp": Operation(torch.exp, "e^{#1}", latex_level=POWER),
    "log": Operation(torch.log, _called(r"\ln")),
    "sqrt": Operation(torch.sqrt, r"\sqrt{#1}"),
    "abs": Operation(torch.abs, r"\left|#1\right|"),
    "sign": Operation(torch.sign, _called(r"\operatorname{sign}")),
    "relu": Operation(torch.relu, r"\max\left(0,\, #1\right)"),
    "step": Operation(lambda z: (z > 0).to(z.dtype), r"\left[#1 > 0\right]"),
    "floor": Operation(torch.floor, r"\left\lfloor #1 \right\rfloor"),
    "ceil": Operation(torch.ceil, r"\left\lceil #1 \right\rceil"),
    "round": Operation(torch.round, _called(r"\operatorname{round}")),
    "min": Operation(torch.minimum, r"\min\left(#1,\, #2\right)", (0, 0)),
    "max": Operation(torch.maximum, r"\max\left(#1,\, #2\right)", (0, 0)),
    "mod": Operation(torch.remainder, r"\left(#1 \bmod #2\right)", (SUM, SUM)),
}
"""By name, which is that of PyTorch's wherever it has one; `round` goes to the even neighbour, `mod` has the
sign of what divides."""
FUNCTIONS = {name: operation for name, operation in OPERATIONS.items() if not operation.symbol}
ALIASES = {"ln": "log"}
CONSTANTS = {"pi": math.pi, "e": math.e}
