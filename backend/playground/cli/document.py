"""A YAML file that remembers where each of its fields stands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


class Refusal(Exception):
    """What is wrong with a file, where: lines as a compiler writes them."""


class Loader(yaml.SafeLoader):
    """Takes `1e-3` for a number, as Python and JSON do."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


class Document:
    """The fields of an experiment, `values`. Raises Refusal for a file that cannot be read."""

    def __init__(self, path: Path):
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
            self._root = yaml.compose(text, Loader)
            self.values: dict[str, Any] = yaml.load(text, Loader)
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{path}: {error}") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._at(mark.line + 1 if mark else 1, error.problem or str(error)) from error
        except yaml.YAMLError as error:
            raise Refusal(f"{path}: {error}") from error
        if not isinstance(self._root, yaml.MappingNode):
            raise self._at(1, "expected fields, as `epochs: 100`")
        for key, line in _repeated(self._root):
            raise self._at(line, f"{key}: stands here twice")

    def refuse(self, errors: list[dict[str, Any]]) -> Refusal:
        """What the server said of fields, with the line of each."""
        lines = [
            (self.line(error["field"]), f"{error['field']}: {error['message']}".removeprefix(": "))
            for error in errors
        ]
        return Refusal("\n".join(str(self._at(line, text)) for line, text in sorted(lines)))

    def line(self, field: str) -> int:
        """Of a dotted path, or of as much of it as the file has."""
        line, node = 1, self._root
        for part in field.split("."):
            found = _within(node, part)
            if found is None:
                break
            line, node = found
        return line

    def _at(self, line: int, text: str) -> Refusal:
        return Refusal(f"{self.path}:{line}: {text}")


def _within(node: Any, part: str) -> tuple[int, Any] | None:
    """The line of a part of a path, and what stands there."""
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
        for key, value in node.value:  # paths of a config begin within it
            if key.value in ("config", "change"):
                return _within(value, part)
    return None


def _repeated(node: Any) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice: YAML would take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(str(key.value))
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)
