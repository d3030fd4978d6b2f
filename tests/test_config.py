import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import ValidationFailed
from playground.run.patch import inverse, merged
from playground.run.validation import parse

EXAMPLE = json.loads("""
{
  "version": 2,
  "data":      {"kind": "circle", "samples": 500, "noise": 0.0, "train_fraction": 0.5},
  "features":  ["x1", "x2"],
  "hidden":    [
    {"width": 4, "activation": {"kind": "tanh"}, "normalization": {"kind": "none"}, "dropout": 0.0},
    {"width": 2, "activation": {"kind": "tanh"}, "normalization": {"kind": "none"}, "dropout": 0.0}
  ],
  "output":    {"activation": {"kind": "auto"}},
  "loss":      {"kind": "bce"},
  "optimizer": {"kind": "adam", "lr": 0.001},
  "batch_size": 10, "shuffle": true, "input_dropout": 0.0,
  "l1": 0.0, "l2": 0.0, "clip_norm": null,
  "init": {"kind": "xavier_uniform"}, "seed": 0
}
""")


def refusal(raw):
    with pytest.raises(ValidationFailed) as failed:
        parse(raw)
    return failed.value.errors


def test_a_config_may_be_partial_at_any_depth():
    config = parse({"optimizer": {"lr": 0.5}, "data": {"noise": 0.2}, "loss": None})
    assert (config.optimizer.kind, config.optimizer.lr) == ("adam", 0.5)
    assert config.data.kind == "circle"
    assert config == parse(merged(parse({}), {"optimizer": {"lr": 0.5}, "data": {"noise": 0.2}}))


def test_everything_that_is_wrong_is_said_at_once():
    fields = {e.field for e in refusal({"data": {"kind": "gauss", "noise": 9}, "l1": -1, "seed": 0.5})}
    assert fields == {"data.noise", "l1", "seed"}


def test_the_defaults_are_the_documented_example():
    assert parse({"version": 2}) == parse(EXAMPLE)
    assert parse(parse(EXAMPLE).model_dump(mode="json")) == parse(EXAMPLE)


@pytest.mark.parametrize(
    ("data", "loss"),
    [("plane", "mse"), ("multi_gauss", "mse"), ("blobs", "cross_entropy"), ("spiral", "bce")],
)
def test_without_a_loss_the_one_that_fits_is_taken(data, loss):
    assert parse({"data": {"kind": data}}).loss.kind == loss


@pytest.mark.parametrize(
    ("raw", "field", "word"),
    [
        ({"seed": "7"}, "seed", "whole number"),
        ({"seed": True}, "seed", "whole number"),
        ({"seed": -1}, "seed", "at least 0"),
        ({"colour": 1}, "colour", "no such field"),
        ({"batch_size": 0}, "batch_size", "at least 1"),
        ({"hidden": [{"width": 4}, {"width": 257}]}, "hidden.1.width", "256"),
        ({"hidden": [{}] * 13}, "hidden", "12"),
        ({"hidden": [{"activation": {"kind": "relo"}}]}, "hidden.0.activation.kind", "tanh"),
        ({"hidden": [{"activation": {"kind": "elu", "alpha": -1}}]}, "hidden.0.activation.alpha", "0"),
        ({"hidden": [{"activation": {"kind": "tanh", "alpha": 1}}]}, "hidden.0.activation.alpha", "no such"),
        ({"hidden": [{"activation": "tanh"}]}, "hidden.0.activation", "object"),
        ({"hidden": [{"activation": {"alpha": 1}}]}, "hidden.0.activation.kind", "missing"),
        ({"hidden": [{}], "optimizer": {"lr": 0}}, "optimizer.lr", "more than 0"),
        ({"optimizer": {"kind": "sgd", "lr": 0}}, "optimizer.lr", "more than 0"),
        ({"optimizer": {"kind": "sgd", "lr": float("nan")}}, "optimizer.lr", "finite"),
        ({"l2": float("inf")}, "l2", "finite"),
        ({"data": {"kind": "circle", "samples": 10_001}}, "data.samples", "10000"),
        ({"data": {"kind": "circle", "noise": 0.6}}, "data.noise", "0.5"),
        ({"data": {"kind": "donut"}}, "data.kind", "circle"),
        ({"data": 3}, "data", ""),
        ({"data": {"kind": "points", "points": [[0, 7, 1]]}}, "data.points", "6"),
        ({"data": {"kind": "points", "points": [[0, 0, 1]] * 10_001}}, "data.points", "10"),
        ({"features": []}, "features", "at least 1"),
        ({"features": ["x1", "x3"]}, "features", "x3"),
        ({"features": ["x1", "x1"]}, "features", "twice"),
        ([], "", "object"),
        (None, "", "object"),
    ],
    ids=str,
)
def test_a_refusal_names_the_field_and_the_rule(raw, field, word):
    errors = refusal(raw)
    assert any(error.field.startswith(field) and word in error.message for error in errors), errors


@pytest.mark.parametrize(
    ("raw", "field", "fits"),
    [
        ({"data": {"kind": "plane"}, "loss": {"kind": "cross_entropy"}}, "loss", "mse"),
        ({"data": {"kind": "blobs", "classes": 3}, "loss": {"kind": "hinge"}}, "loss", "cross_entropy"),
        ({"data": {"kind": "blobs", "classes": 3}, "loss": {"kind": "bce"}}, "loss", "cross_entropy"),
        ({"output": {"activation": {"kind": "relu"}}}, "output.activation", "auto"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(raw, field, fits):
    (error,) = refusal(raw)
    assert error.field == field
    assert fits in error.fits
    assert fits in error.message
    parse(raw | error.suggestion)


def test_every_suggestion_makes_the_config_valid():
    raw = {
        "data": {"kind": "blobs"},
        "loss": {"kind": "bce"},
        "output": {"activation": {"kind": "tanh"}},
        "features": ["x2", "x9", "x2"],
        "hidden": [{"normalization": {"kind": "batchnorm"}}],
        "batch_size": 1,
    }
    for error in refusal(raw):
        raw |= error.suggestion or {}
    assert parse(raw).features == ("x2",)


def test_a_change_merges_deeply_but_replaces_a_component_of_another_kind():
    config = parse({"optimizer": {"kind": "adam", "lr": 0.5, "beta1": 0.5}})
    assert merged(config, {"optimizer": {"lr": 0.1}})["optimizer"]["beta1"] == 0.5
    assert merged(config, {"optimizer": {"kind": "sgd"}})["optimizer"] == {"kind": "sgd"}
    assert merged(config, {"optimizer": {"kind": "adam", "lr": 1.0}})["optimizer"]["beta1"] == 0.5
    clipped = parse(merged(config, {"clip_norm": 1.0}))
    assert parse(merged(clipped, {"clip_norm": None})).clip_norm is None


configs = st.fixed_dictionaries(
    {},
    optional={
        "data": st.sampled_from([{"kind": k} for k in ("circle", "spiral", "moons")]),
        "hidden": st.lists(st.fixed_dictionaries({"width": st.integers(1, 256)}), max_size=12),
        "optimizer": st.sampled_from([{"kind": "sgd", "lr": 0.1}, {"kind": "adam", "beta1": 0.1}]),
        "clip_norm": st.one_of(st.none(), st.floats(0.01, 1000)),
        "l1": st.floats(0, 10),
        "features": st.sampled_from([["x1"], ["x2", "x1"], ["x1*x2", "sin(x1)"]]),
    },
)


@given(configs, configs)
def test_the_inverse_of_a_change_undoes_it(one, other):
    before, after = parse(one), parse(other)
    assert parse(merged(after, inverse(before, after))) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["data", "features", "hidden", "output", "loss", "optimizer", "seed", "init", "l1"])


@given(st.dictionaries(keys, json_values | st.fixed_dictionaries({"kind": json_values}), max_size=4))
def test_whatever_comes_is_a_config_or_a_refusal_that_names_a_field(raw):
    errors = ()
    try:
        parse(raw)
    except ValidationFailed as failed:
        errors = failed.errors
    assert all(error.field and error.message for error in errors)
