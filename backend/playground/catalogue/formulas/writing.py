"""A tree as text, which parses to the same tree, and as LaTeX."""

from playground.catalogue.formulas.operations import (
    ATOM,
    FUNCTIONS,
    OPERATIONS,
    PRODUCT,
    Operation,
)
from playground.catalogue.formulas.tree import CallNode, ConstantNode, InputNode, NumberNode, Tree

LONGEST_WHOLE = 1e15
"""Whole numbers below it are written without an exponent, to the last digit."""
Written = tuple[str, int]
"""What is written, and how closely it holds together."""


def written(tree: Tree) -> str:
    """With as few brackets as do, and no spaces: "-x1^2", "sin(3*x1)"."""
    return _text(tree)[0]


def latex(tree: Tree) -> str:
    return _latex(tree)[0]


def _text(tree: Tree) -> Written:
    match tree:
        case NumberNode(value=value):
            return _digits(value), ATOM
        case ConstantNode(name=name):
            return name, ATOM
        case InputNode(number=number):
            return f"x{number}", ATOM
        case CallNode(name=name, of=operands):
            operation = OPERATIONS[name]
            parts = [
                text if level >= least else f"({text})"
                for (text, level), least in zip(map(_text, operands), operation.operands, strict=True)
            ]
            if name in FUNCTIONS:
                return f"{name}({','.join(parts)})", ATOM
            return operation.symbol.join(["", *parts] if len(parts) == 1 else parts), operation.level


def _latex(tree: Tree) -> Written:
    match tree:
        case NumberNode(value=value):
            mantissa, _, exponent = _digits(value).partition("e")
            if exponent:
                return rf"{mantissa} \cdot 10^{{{int(exponent)}}}", PRODUCT
            return mantissa, ATOM
        case ConstantNode(name=name):
            return r"\pi" if name == "pi" else name, ATOM
        case InputNode(number=number):
            return f"x_{{{number}}}", ATOM
        case CallNode(name=name, of=operands):
            return _call_in_latex(OPERATIONS[name], operands)


def _call_in_latex(operation: Operation, operands: tuple[Tree, ...]) -> Written:
    leasts = operation.latex_operands or operation.operands
    parts = [
        text if level >= least else rf"\left({text}\right)"
        for (text, level), least in zip(map(_latex, operands), leasts, strict=True)
    ]
    form = operation.latex
    if operation.symbol == "*" and parts[1][0].isdigit():
        form = form.replace(r"\,", r"\cdot")  # 2 3 would be read as 23
    if len(parts) == 2:
        before, between = form.split("#1")
        between, after = between.split("#2")
        text = f"{before}{parts[0]}{between}{parts[1]}{after}"
    else:
        text = form.replace("#1", parts[0])
    return text, operation.latex_level or operation.level


def _digits(value: float) -> str:
    return str(int(value)) if value.is_integer() and value < LONGEST_WHOLE else repr(value)
