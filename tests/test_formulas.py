"""Formulas that a visitor types: what they are worth, how they are written, and what is refused where."""

import json
import math
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import limits
from playground.catalogue.component import members
from playground.catalogue.features import Feature, available, columns
from playground.catalogue.formulas.grammar import parse
from playground.catalogue.formulas.operations import CONSTANTS, OPERATIONS
from playground.catalogue.formulas.tree import (
    CallNode,
    ConstantNode,
    InputNode,
    NumberNode,
    Tree,
    evaluate,
    parts_of,
)
from playground.catalogue.formulas.writing import latex, written
from playground.errors import FieldError, ValidationFailed
from playground.run.validation import parse as parse_config
from tests.golden.write import formulas
from tests.loops import change, maps, start, weights

quick = settings(deadline=None, max_examples=150)
GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("formulas.json").read_text())

NUMPY: dict[str, Any] = {
    **{"lt": np.less, "gt": np.greater, "le": np.less_equal, "ge": np.greater_equal},
    **{"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative},
    **{"pow": np.power, "sin": np.sin, "cos": np.cos, "tan": np.tan, "atan": np.arctan, "atan2": np.arctan2},
    **{"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "exp": np.exp, "log": np.log},
    **{"sqrt": np.sqrt, "abs": np.abs, "sign": lambda z: np.where(np.isnan(z), 0, np.sign(z))},
    **{"relu": lambda z: np.maximum(0, z), "step": lambda z: np.heaviside(np.nan_to_num(z), 0)},
    **{"floor": np.floor, "ceil": np.ceil, "round": np.round, "min": np.minimum, "max": np.maximum},
    "mod": np.mod,
}


LEAVES = st.one_of(
    st.builds(NumberNode, value=st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 10.0, 1e-7, 2.5e15, 123456.75])),
    st.builds(ConstantNode, name=st.sampled_from(sorted(CONSTANTS))),
    st.builds(InputNode, number=st.integers(1, 3)),
)


def calls(of: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Of any operation, of as many parts as it takes."""

    def call(name: Any) -> st.SearchStrategy[Tree]:
        return st.tuples(*[of] * OPERATIONS[name].arity).map(lambda parts: CallNode(name=name, of=parts))

    return st.sampled_from(sorted(OPERATIONS)).flatmap(call)


TREES = st.recursive(LEAVES, calls, max_leaves=12)


def refusal(text: str) -> FieldError:
    with pytest.raises(ValidationFailed) as refused:
        parse(text)
    (error,) = refused.value.errors
    return error


# What a formula is


@quick
@given(TREES)
def test_what_is_written_of_any_tree_is_read_as_the_same_tree(tree: Tree) -> None:
    text = written(tree)
    assert parse(text) == tree
    assert written(parse(f"  {text.replace('*', ' * ').upper()} ")) == text
    found = latex(tree)
    assert found.count("{") == found.count("}")
    assert found.count(r"\left") == found.count(r"\right")


@quick
@given(TREES)
def test_values_are_those_of_numpy(tree: Tree) -> None:
    inputs = torch.from_numpy(np.random.default_rng(1).uniform(-6, 6, (20, 3)))
    inputs[0], inputs[1] = 0, 1
    for part in parts_of(tree):
        found = evaluate(part, inputs).numpy()
        match part:
            case NumberNode(value=value):
                expected = np.full(20, value)
            case ConstantNode(name=name):
                expected = np.full(20, {"pi": np.pi, "e": np.e}[name])
            case InputNode(number=number):
                expected = inputs.numpy()[:, number - 1]
            case CallNode(name=name, of=operands):
                with np.errstate(all="ignore"):
                    expected = NUMPY[name](*(evaluate(operand, inputs).numpy() for operand in operands))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=written(part))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x1^2", -9),
        ("2^3^2", 512),
        ("2^-1", 0.5),
        ("1/2x1", 1.5),
        ("3x1", 9),
        ("2 pi", 2 * math.pi),
        ("x1x2", 12),
        ("(x1+1)(x2-1)", 12),
        ("x1-x2-1", -2),
        ("x1-(x2-1)", 0),
        ("8/4/2", 1),
        ("2e2x1", 600),
        ("2e", 2 * math.e),
        ("e^2", math.e**2),
        ("X1**2", 9),
        ("x", 3),
        ("ln(e)", 1),
        ("π·x1", 3 * math.pi),
        ("x1 − 1", 2),
        ("x1 < x2", 1),
        ("1 + x1 >= x2", 1),
        ("max(x1, min(x2, 10))", 4),
        ("round(2.5)", 2),
        ("mod(-1, x1)", 2),
        ("step(0)", 0),
    ],
)
def test_a_formula_means_what_people_mean_by_it(text: str, value: float) -> None:
    inputs = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    assert evaluate(parse(text), inputs).item() == pytest.approx(value)


def test_every_formula_of_the_golden_file_is_what_both_languages_agree_on() -> None:
    called = {part["tree"].get("name") for part in GOLDEN["formulas"]}
    assert called >= set(OPERATIONS) - {"neg"}
    for kept, made in zip(GOLDEN["formulas"], formulas(), strict=True):
        assert (kept["text"], kept["tree"]) == (made["text"], made["tree"])
        np.testing.assert_allclose(
            np.array(kept["values"], float), np.array(made["values"], float), 1e-12, err_msg=kept["text"]
        )


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("sin(3*x1)", r"\sin\left(3 \, x_{1}\right)"),
        ("exp(-x1^2-x2^2)", r"e^{-x_{1}^{2} - x_{2}^{2}}"),
        ("(x1/x2)^2", r"\left(\frac{x_{1}}{x_{2}}\right)^{2}"),
        ("2*3", r"2 \cdot 3"),
        ("1/(x1+1)", r"\frac{1}{x_{1} + 1}"),
    ],
)
def test_a_formula_is_typeset(text: str, tex: str) -> None:
    assert latex(parse(text)) == tex


# What is refused


@pytest.mark.parametrize(
    ("text", "code", "column", "length"),
    [
        ("", "value", 1, 0),
        ("sin(", "value", 5, 0),
        ("x1 +* 2", "value", 5, 1),
        ("x1 +", "value", 5, 0),
        ("--x1", "value", 2, 1),
        ("()", "value", 2, 1),
        ("sin x1", "opening", 5, 2),
        ("sin", "opening", 4, 0),
        ("2*(x1", "closing", 6, 0),
        ("max(1, 2", "closing", 9, 0),
        ("x1)", "operator", 3, 1),
        ("x1 & x2", "operator", 4, 1),
        ("1 < 2 < 3", "operator", 7, 1),
        ("x1\t= 2", "operator", 4, 1),
        ("x1²", "operator", 3, 1),
        ("0,5*x1", "comma", 2, 1),
        ("sin(x1)*y", "name", 9, 1),
        ("sinx1", "name", 1, 5),
        ("x0", "name", 1, 2),
        ("x100", "name", 1, 4),
        ("2*max(x1)", "arity", 3, 3),
        ("sin(x1,2)", "arity", 1, 3),
        ("1e999", "number", 1, 5),
        ("(" * 17, "brackets", 17, 1),
    ],
)
def test_a_wrong_formula_is_refused_with_the_place_of_the_fault(
    text: str, code: str, column: int, length: int
) -> None:
    error = refusal(text)
    assert error.code == f"rule.formula_{code}"
    assert (error.values["column"], error.values["length"]) == (column, length)
    assert f"place {column}" in error.message


@pytest.mark.parametrize(
    "text",
    [
        *("__import__('os')", "x1.__class__", "lambda: 1", "open(x1)", "eval(x1)", "x1[0]", "x1; x2", "'a'"),
        *(
            "x1 if x1 else x2",
            "[x1]",
            "{x1}",
            "f(x1)",
            "torch.sin(x1)",
            "x1 = 1",
            "x1:=2",
            "1j",
            "0b10",
            "1_000",
        ),
        *("π̂", "x１", "sin (x1", "½", "\x00", "a" * 150, "neg(x1)", "add(x1,x2)", "x1 or x2", "not x1"),
    ],
)
def test_nothing_outside_the_whitelist_is_a_formula(text: str) -> None:
    assert refusal(text).code.startswith("rule.formula_")


@quick
@given(st.text(st.sampled_from("x12+-*/^().,<= esinpil0"), max_size=30))
def test_any_text_is_a_formula_or_is_refused_at_a_place_in_it(text: str) -> None:
    try:
        tree = parse(text)
    except ValidationFailed as refused:
        (error,) = refused.errors
        column, length = (int(str(error.values[name])) for name in ("column", "length"))
        assert 1 <= column <= len(text) + 1
        assert column + length <= len(text) + 1
    else:
        assert parse(written(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        "+".join(["x1"] * 66),
        "^".join(["2"] * 100),
        "2 " * 99 + "2",
        "(" * 15 + "-(x1)" * 10 + ")" * 15,
        "(x)" * 60,
    ],
)
def test_the_longest_formulas_are_worked_out(text: str) -> None:
    assert len(text) <= limits.FORMULA_LENGTH
    tree = parse(text)
    assert json.loads(CallNode(name="neg", of=(tree,)).model_dump_json())
    evaluate(tree, torch.zeros(5, 2))
    assert len(latex(tree)) < 20 * limits.FORMULA_LENGTH


# Features


def test_the_features_that_are_offered_are_formulas() -> None:
    for cls in members(Feature):
        assert written(parse(cls.name())) == cls.name()
    x = torch.rand(100, 2) * 12 - 6
    a, b = x.T
    made = torch.stack([a, b, a * a, b * b, a * b, a.sin(), b.sin(), a.cos(), b.cos()], dim=1)
    assert torch.equal(columns(available(2), x), made)  # to the last bit: old runs are as they were


def test_any_formula_is_a_feature_by_its_one_name() -> None:
    config = parse_config({"features": ["x2", " Sin( 3x1 )", "abs(x2)"]})
    assert config.features == ("x2", "sin(3*x1)", "abs(x2)")
    loop = start(config)
    x1, x2 = loop.experiment.dataset.train_inputs.T
    seen = loop.experiment.train_x[0].numpy()
    np.testing.assert_allclose(seen, np.stack([x2, np.sin(3 * x1), np.abs(x2)], axis=1), atol=1e-6)


def test_a_formula_of_any_input_of_a_table_is_a_feature() -> None:
    loop = start({"data": {"kind": "parity", "bits": 4}, "features": ["x1", "x3*x4", "max(x2,x4)"]})
    inputs = loop.experiment.dataset.train_inputs
    seen = loop.experiment.train_x[0].numpy()
    np.testing.assert_allclose(seen[:, 1], inputs[:, 2] * inputs[:, 3], rtol=1e-6)
    np.testing.assert_allclose(seen[:, 2], inputs[:, [1, 3]].max(axis=1))


@pytest.mark.parametrize(
    ("features", "field", "code", "column"),
    [
        (["x1", "sin(x1"], "features.1", "rule.formula_closing", 7),
        (["x1", "sin(x3)"], "features", "rule.features_unknown", None),
        (["x1*x2", "x1 x2"], "features", "rule.features_repeated", None),
        (["x1", "a" * 201], "features.1", "rule.string_too_long", None),
    ],
)
def test_a_wrong_feature_is_refused(features: list[str], field: str, code: str, column: int | None) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_config({"features": features})
    (error,) = refused.value.errors
    assert (error.field, error.code, error.values.get("column")) == (field, code, column)


def test_a_feature_without_a_value_is_0_there_and_none_is_beyond_the_bound() -> None:
    x = torch.tensor([[-1.0, 0.0], [math.e, 0.0], [0.0, 0.0]])
    found = columns(("log(x1)", "exp(exp(x1+9))", "-1/x2", "sqrt(x1)"), x)
    bound = limits.FEATURE_VALUE
    np.testing.assert_allclose(found[:, 0], [0, 1, -bound], rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], [bound] * 3)
    np.testing.assert_allclose(found[:, 2], [-bound] * 3)
    assert torch.isfinite(found).all()


def test_a_formula_added_while_it_trains_does_not_change_the_output() -> None:
    loop = start({"data": {"kind": "circle"}})
    loop.train(40)
    before = maps(loop, 20)["neurons"][-1]
    effect = change(loop, {"features": ["x1", "x2", "exp(-x1^2-x2^2)"]})
    np.testing.assert_allclose(maps(loop, 20)["neurons"][-1], before, atol=1e-6)
    assert (weights(loop)[0]["weight"][2] == 0).all()
    assert "exp(-x1^2-x2^2)" in effect[0].text
    loop.train(20)
    assert (weights(loop)[0]["weight"][2] != 0).any()


# Over HTTP


def test_a_formula_is_read_over_http(client: httpx.Client) -> None:
    answer = client.post("/api/formula", json={"text": "Sin( 3x1 )"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["text"], found["inputs"]) == ("sin(3*x1)", [1])
    assert found["tree"] == parse("sin(3*x1)").model_dump(mode="json")
    assert found["latex"] == latex(parse("sin(3*x1)"))


def test_a_wrong_formula_is_refused_over_http_with_its_place(client: httpx.Client) -> None:
    for text, inputs, column in (("sin(3*x1", 2, 9), ("x1+x3", 2, 4), ("x2", 1, 1)):
        answer = client.post("/api/formula", json={"text": text, "inputs": inputs})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        (error,) = answer.json()["errors"]
        assert (error["field"], error["values"]["column"]) == ("text", column)
