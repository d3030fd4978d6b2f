"""From what somebody types to a tree, or to a refusal that says where the fault is.

Brackets are the only recursion, and only so many may lie in one another, so that no text exhausts the stack.
"""

import math
import re
from functools import cache, lru_cache
from typing import Any, cast

from pyparsing import (
    Empty,
    FollowedBy,
    Forward,
    Opt,
    ParserElement,
    Regex,
    StringEnd,
    Suppress,
    ZeroOrMore,
)

from playground import limits
from playground.catalogue.formulas.operations import ALIASES, CONSTANTS, FUNCTIONS, OPERATIONS
from playground.catalogue.formulas.tree import (
    CallNode,
    ConstantName,
    ConstantNode,
    InputNode,
    NumberNode,
    OperationName,
    Tree,
)
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say

TYPED = re.IGNORECASE | re.ASCII
PIECE = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\w+|[<>]=?|\S|$")
"""What a fault is underlined for: a number, a name, a sign, or the end."""
SYMBOLS = {operation.symbol: name for name, operation in OPERATIONS.items() if operation.arity == 2}
SPELLINGS = {"**": "^", "×": "*", "·": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "π": "pi"}
"""Other ways to write a sign or a name."""
KNOWN = [*FUNCTIONS, *CONSTANTS, "x1", "x2"]


@lru_cache(maxsize=4096)
def parse(text: str) -> Tree:
    """The tree of a formula. Raises `WrongFormula` with the place of the first fault: `column` counts
    from 1, `length` is 0 at the end."""
    _check_brackets(text)
    (tree,) = _grammar().parse_string(text)
    return tree


class WrongFormula(ValidationFailed):
    """A formula that breaks this rule."""

    def __init__(self, rule: Text):
        super().__init__(fault("", rule))
        self.rule = rule


def wrong(text: str, at: int, code: str, **values: Any) -> WrongFormula:
    """The refusal of what stands at index `at`."""
    found = PIECE.search(text, at)
    piece = found[0] if found else ""
    return WrongFormula(say(code, column=at + 1, length=len(piece), found=piece, **values))


def _check_brackets(text: str) -> None:
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > limits.FORMULA_BRACKETS:
            raise wrong(text, at, "rule.formula_brackets", limit=limits.FORMULA_BRACKETS)


@cache
def _grammar() -> ParserElement:
    """-x^2 is -(x^2), 2^3^2 is 2^(3^2), 1/2x is (1/2)x; comparisons, which are 0 or 1, bind least."""
    expression = Forward()
    opening, comma = Suppress("("), Suppress(",")
    closing = Suppress(")") | _or_refuse("rule.formula_closing")
    arguments = (
        (opening | _or_refuse("rule.formula_opening")) + expression + ZeroOrMore(comma + expression) + closing
    )
    atom = (
        Regex(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", TYPED).set_parse_action(_number)
        | (_name(*FUNCTIONS, *ALIASES) + arguments).set_parse_action(_call)
        | (_name(*CONSTANTS) | Regex("π")).set_parse_action(_constant)
        | Regex(r"x([1-9]\d?(?!\d)|(?!\w))", TYPED).set_parse_action(_input)
        | opening + expression + closing
        | _or_refuse("rule.formula_value")
    )
    sign = Opt(_symbol("+", "-", "−"))
    power = (atom + ZeroOrMore(_symbol("**", "^") + sign + atom)).set_parse_action(_powers)
    factor = (sign + power).set_parse_action(_powers)
    juxtaposed = FollowedBy(Regex(r"[\w.(π]", TYPED)) + Empty().set_parse_action(lambda: "*") + power
    product = _folded(factor + ZeroOrMore(_symbol("*", "/", "×", "·", "÷") + factor | juxtaposed))
    total = _folded(product + ZeroOrMore(_symbol("+", "-", "−") + product))
    expression <<= _folded(total + Opt(_symbol("<=", ">=", "<", ">", "≤", "≥") + total))
    return (expression + (StringEnd() | _or_refuse("rule.formula_operator"))).parse_with_tabs()


def _name(*names: str) -> ParserElement:
    return Regex(rf"({'|'.join(names)})(?!\w)", TYPED)


def _symbol(*spellings: str) -> ParserElement:
    form = Regex("|".join(re.escape(one) for one in spellings))
    return form.set_parse_action(_spelt)


def _spelt(found: Any) -> str:
    symbol = str(found[0])
    return SPELLINGS.get(symbol, symbol)


def _or_refuse(code: str) -> ParserElement:
    """Stands last among alternatives: what is here is none of them."""

    def refuse(text: str, at: int, found: Any) -> None:
        piece = PIECE.match(text, at)
        named = piece and piece[0][:1].isalpha()
        if code == "rule.formula_value" and named:
            raise wrong(text, at, "rule.formula_name", names=KNOWN)
        if code == "rule.formula_operator" and text[at] == ",":
            raise wrong(text, at, "rule.formula_comma")
        raise wrong(text, at, code)

    return Empty().set_parse_action(refuse)


def _number(text: str, at: int, found: Any) -> Tree:
    value = float(found[0])
    if math.isinf(value):
        raise wrong(text, at, "rule.formula_number")
    return NumberNode(value=value)


def _constant(found: Any) -> Tree:
    name = str(found[0]).lower()
    return ConstantNode(name=cast(ConstantName, SPELLINGS.get(name, name)))


def _input(found: Any) -> Tree:
    """Without a number it is the first."""
    return InputNode(number=int(found[0][1:] or 1))


def _call(text: str, at: int, found: Any) -> Tree:
    name, *operands = found
    name = str(name).lower()
    name = cast(OperationName, ALIASES.get(name, name))
    arity = FUNCTIONS[name].arity
    if len(operands) != arity:
        raise wrong(text, at, "rule.formula_arity", function=name, arity=arity, count=len(operands))
    return CallNode(name=name, of=tuple(operands))


def _powers(found: Any) -> Tree:
    """Signs, and powers from right to left."""
    *before, result = found
    while before:
        match before.pop():
            case "^":
                result = CallNode(name="pow", of=(before.pop(), result))
            case "-":
                result = CallNode(name="neg", of=(result,))
    return result


def _folded(element: ParserElement) -> ParserElement:
    """Operands with symbols between, from left to right."""

    def fold(found: Any) -> Tree:
        result, *rest = found
        for symbol, operand in zip(rest[::2], rest[1::2], strict=True):
            result = CallNode(name=cast(OperationName, SYMBOLS[symbol]), of=(result, operand))
        return result

    return element.set_parse_action(fold)
