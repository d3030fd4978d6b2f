"""What the server says: in English, and by code for other languages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic_core import core_schema

from playground.catalogue.component import members
from playground.catalogue.datasets import Data
from playground.i18n import FORM, PLACEHOLDER, PLURAL, Text, english, say

BACKEND = Path(__file__).parent.parent / "backend" / "playground"
SERVER_GROUPS = {
    "rule",
    "table",
    "effect",
    "divergence",
    "label",
    "import",
    "notice",
    "ending",
    "lost",
    "problem",
}
PYDANTIC_RULES = {f"rule.{kind}" for kind in get_args(core_schema.ErrorType)}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Everything in the backend's code, with the file that it is in."""
    for path in sorted(BACKEND.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.relative_to(BACKEND).as_posix(), node


def calls(*names: str) -> list[tuple[str, ast.Call]]:
    return [
        (file, node)
        for file, node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def placeholders(code: str) -> set[str]:
    entry = english()[code]
    plain = PLACEHOLDER.findall(PLURAL.sub(lambda found: FORM.sub(r"\2", found[2]), entry))
    return {name for name, _ in plain} | {name for name, _ in PLURAL.findall(entry)}


def server_codes() -> set[str]:
    return {code for code in english() if code.partition(".")[0] in SERVER_GROUPS}


def test_every_code_of_the_server_is_in_the_file_and_gets_its_values() -> None:
    said = [(file, call) for file, call in calls("say") if isinstance(call.args[0], ast.Constant)]
    assert len(said) > 100
    for file, call in said:
        assert isinstance(call.args[0], ast.Constant)
        code = call.args[0].value
        assert code in english(), f"{file}: {code}"
        given = {keyword.arg for keyword in call.keywords}
        if None not in given:  # `**first` may hold anything
            assert given == placeholders(code), f"{file}: {code}"


def test_every_code_in_the_file_is_used() -> None:
    written = {node.value for _, node in nodes() if isinstance(node, ast.Constant)}
    assert server_codes() - written - PYDANTIC_RULES == {"rule.weights_edit"}


def test_every_group_of_data_has_a_heading() -> None:
    groups = {data.group for data in members(Data)} - {""}
    assert len(groups) > 3
    assert {f"data.group.{group}" for group in groups} <= english().keys()


def test_plurals_have_both_forms() -> None:
    for code, entry in english().items():
        assert entry.count(", plural,") == len(PLURAL.findall(entry)), f"{code} is badly written"
        for _, forms in PLURAL.findall(entry):
            assert [category for category, _ in FORM.findall(forms)] == ["one", "other"], code


def test_a_plural_follows_its_own_count() -> None:
    """There were "1 points", "Line 3 has 1 cells" and "Feature x3, x4 added; its outgoing …"."""
    assert say("label.points", count=1).text == "1 point"
    assert say("label.points", count=1200).text == "1,200 points"
    assert say("label.points", count=0).text == "0 points"
    ragged = say("table.ragged", line=3, cells=1, first_line=1, first_cells=2).text
    assert ragged.startswith("Line 3 has 1 cell but line 1 has 2")
    assert say("rule.map_cells", limit=1000, units=1, fits=8).text == (
        "the maps of all units may have 1,000 cells together; with 1 unit a size of 8 fits"
    )
    added = say("effect.features_added", features=["x3", "x4"], count=2).text
    assert added == "Features x3, x4 added; their outgoing weights are zero."


def test_texts_are_made_of_the_file_alone() -> None:
    """A name from the catalogue is the one exception: its English is the label of its class."""
    assert {file for file, _ in calls("Text")} == {
        "i18n/__init__.py",
        "catalogue/component.py",
        "session/labels.py",
    }
    assert {file for file, _ in calls("FieldError")} == {"errors.py"}


def test_validators_refuse_by_code() -> None:
    validators = ("field_validator", "model_validator")
    for file, node in nodes():
        if isinstance(node, ast.FunctionDef) and any(
            v in ast.unparse(d) for d in node.decorator_list for v in validators
        ):
            assert "ValueError" not in ast.unparse(node), f"{file}: {node.name}"


def test_numbers_lists_and_texts_stand_for_placeholders() -> None:
    assert say("rule.less_than_equal", le=10_000).text == "must be at most 10000"
    assert say("table.too_many_rows", file="a.csv", limit=10_000).text.startswith(
        '"a.csv" has more than 10,000'
    )
    assert say("rule.less_than_equal", le=0.25).text == "must be at most 0.25"
    assert say("rule.less_than_equal", le=2.0).text == "must be at most 2"
    assert say("rule.unknown_type", types=("a", "b")).text == "it is unknown: it must be one of a, b"
    assert say("label.layers_added", count=1).text == "+1 layer"
    nested = say("label.layer", layer=2, change=say("label.layers_added", count=3))
    assert nested.text == "layer 2: +3 layers"
    assert Text.model_validate_json(nested.model_dump_json()) == nested


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("rule.less_than_equal")
    with pytest.raises(KeyError):
        say("rule.no_such_rule")
