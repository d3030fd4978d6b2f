"""Maths of the catalogue as the source of plain functions, for a script that stands alone.

A function is taken as it is written, comments and all: `self.alpha` becomes its value, a method a function of
its own, and annotations are left out. So a new component needs no second text.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from playground.export.names import named

WIDTH = 100
"""Characters of a line, of words."""


class Source:
    """What a script has of the catalogue: each function once, those that it calls before it."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self._texts: dict[str, str] = {}
        self._constants: dict[str, str] = {}

    def __str__(self) -> str:
        constants = "".join(f"{name} = {value}\n" for name, value in self._constants.items())
        functions = "\n\n".join(text.rstrip() + "\n" for text in self._texts.values())
        return f"{constants}\n\n{functions}" if constants and functions else constants + functions

    def method(self, component: BaseModel, method: str, name: str, words: str = "") -> str:
        """The name under which the script has this method, with the parameters that the component has; with
        words for whoever reads it."""
        return self._add(getattr(type(component), method), component, name, words)

    def function(self, function: Callable[..., Any], words: str = "") -> str:
        """Likewise a function of a module."""
        return self._add(function, None, function.__name__, words)

    def expression(self, component: BaseModel, method: str, **names: str) -> str | None:
        """What a method of a single line returns, with these names in the place of its arguments; None for a
        longer one."""
        text, node = _read(getattr(type(component), method))
        body = [part for part in node.body if not _is_docstring(part)]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        value = body[0].value
        edits = self._edits(getattr(type(component), method), value, component)
        edits += [
            (_span(text, part), names[part.id])
            for part in ast.walk(value)
            if isinstance(part, ast.Name) and part.id in names
        ]
        return _edited(text, edits, _span(text, value))

    def _add(self, function: Callable[..., Any], component: BaseModel | None, name: str, words: str) -> str:
        function = inspect.unwrap(function)
        text, node = _read(function)
        edits = self._edits(function, node, component)
        start = _offset(text, node.lineno, node.col_offset)
        docstring = [part for part in node.body if _is_docstring(part)]
        if docstring:
            edits.append((_span(text, docstring[0]), ""))
        arguments = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
        body = _edited(text, edits, (start, len(text.encode())))
        body = body[body.index(":", body.index(")")) + 1 :].lstrip("\n")
        if docstring:
            body = body.split("\n", 1)[1] if not body.split("\n", 1)[0].strip() else body
        head = f"({', '.join(arguments)}):\n{_docstring(words)}"
        return named(self._texts, name, lambda chosen: f"def {chosen}{head}{body}")

    def _edits(
        self, function: Callable[..., Any], node: ast.AST, component: BaseModel | None
    ) -> list[tuple[tuple[int, int], str]]:
        """What is to be written otherwise: by place, in bytes."""
        text, _ = _read(function)
        edits = []
        parts = node.body if isinstance(node, ast.FunctionDef) else [node]
        for part in (inner for outer in parts for inner in ast.walk(outer)):
            if (
                isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Name)
                and part.value.id == "self"
            ):
                edits.append((_span(text, part), self._of_component(component, part.attr)))
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                known = inspect.unwrap(function).__globals__.get(part.id)
                renamed = self._known(part.id, known)
                if renamed and renamed != part.id:
                    edits.append((_span(text, part), renamed))
        return edits

    def _of_component(self, component: BaseModel | None, name: str) -> str:
        assert component
        value = getattr(component, name)
        if callable(value):
            return self._add(getattr(type(component), name), component, name, "")
        return f"({value!r})" if isinstance(value, float | int) and value < 0 else repr(value)

    def _known(self, name: str, value: Any) -> str | None:
        """How the script calls what the module of a function knows by this name."""
        if isinstance(value, ModuleType):
            package, _, last = value.__name__.rpartition(".")
            if name == last and package:
                self.imports.add(f"from {package} import {name}")
            else:
                self.imports.add(
                    f"import {value.__name__}" + ("" if name == value.__name__ else f" as {name}")
                )
        elif inspect.isfunction(inspect.unwrap(value)) if callable(value) else False:
            return self._add(value, None, name, "")
        elif isinstance(value, int | float | tuple) and not isinstance(value, bool):
            self._constants[name] = repr(value)
        return None


def _read(function: Callable[..., Any]) -> tuple[str, ast.FunctionDef]:
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    return text, node


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _docstring(words: str) -> str:
    if not words:
        return ""
    quoted = words.replace("\\", "\\\\").replace('"""', "'''")
    return textwrap.fill(f'"""{quoted}"""', WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n"


def _offset(text: str, line: int, column: int) -> int:
    """In bytes, as ast counts columns."""
    lines = text.encode().split(b"\n")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column


def _span(text: str, node: Any) -> tuple[int, int]:
    return (
        _offset(text, node.lineno, node.col_offset),
        _offset(text, node.end_lineno, node.end_col_offset),
    )


def _edited(text: str, edits: list[tuple[tuple[int, int], str]], span: tuple[int, int]) -> str:
    """What stands in a span, with these parts of it written otherwise."""
    start, end = span
    data = text.encode()
    for (first, last), written in sorted(edits, reverse=True):
        data = data[:first] + written.encode() + data[last:]
        end += len(written.encode()) - (last - first)
    return data[start:end].decode()


def class_text(kind: type) -> str:
    """The source of a class, without annotations."""
    text = textwrap.dedent(inspect.getsource(kind))
    edits: list[tuple[tuple[int, int], str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            edits += [(_span(text, argument), argument.arg) for argument in node.args.args]
            if node.returns:
                start, end = _span(text, node.returns)
                edits.append(((start - len(b" -> "), end), ""))
    return _edited(text, edits, (0, len(text.encode())))
