"""What a change means for learning: dropout said nothing but "Weights and optimizer state are kept."."""

from typing import Any

import pytest

from playground.catalogue.activations import Activation
from playground.catalogue.augmentations import Augmentation
from playground.catalogue.class_weights import ClassWeights
from playground.catalogue.component import members
from playground.catalogue.losses import Loss
from playground.catalogue.normalizations import Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.schedules import Schedule
from playground.catalogue.shortcuts import Shortcut
from playground.catalogue.stopping import Stopping
from playground.i18n import english, say
from playground.run.description import describe
from playground.run.meaning import BOUNDS, MORE_OR_LESS, MOST, meaning
from playground.run.patch import merged
from playground.run.validation import parse

LAYERS = [{"width": 4}, {"width": 2}]


def codes(change: dict[str, Any], before: dict[str, Any] | None = None) -> list[str]:
    old = parse(before or {})
    return [text.code for text in meaning(old, parse(merged(old, change)))]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"optimizer": {"lr": 1.0}}, "effect.rate_up"),
        ({"optimizer": {"lr": 0.001}}, "effect.rate_down"),
        ({"batch_size": 100}, "effect.batch_up"),
        ({"batch_size": 1}, "effect.batch_down"),
        ({"optimizer": {"kind": "sgd"}}, "effect.to_sgd"),
        ({"schedule": {"kind": "cosine_annealing"}}, "effect.to_falling_rate"),
        ({"schedule": {"warmup": 100}}, "effect.warmup_up"),
        ({"loss": {"kind": "mse"}}, "effect.to_mse"),
        ({"augmentation": {"kind": "mirror"}}, "effect.to_augmentation"),
        ({"stopping": {"kind": "early_stopping"}}, "effect.to_early_stopping"),
        ({"class_weights": {"kind": "balanced"}}, "effect.to_balanced"),
        ({"hidden": [{"activation": {"kind": "relu"}}, {"width": 2}]}, "effect.to_relu"),
        ({"hidden": [{"normalization": {"kind": "batchnorm"}}, {"width": 2}]}, "effect.batchnorm_on"),
        ({"hidden": [{}, {"width": 2, "shortcut": {"kind": "dense"}}]}, "effect.dense_on"),
        ({"output": {"shortcut": {"kind": "dense"}}}, "effect.dense_on"),
        ({"hidden": [{"dropout": 0.2}, {"width": 2}]}, "effect.dropout_on"),
        ({"hidden": [{"width": 5}, {"width": 2}]}, "effect.neurons_up"),
        ({"hidden": [{"width": 4}, {"width": 1}]}, "effect.neurons_down"),
        ({"hidden": [*LAYERS, {"width": 2}]}, "effect.layers_up"),
        ({"hidden": [{"width": 4}]}, "effect.layers_down"),
        ({"l1": 0.1}, "effect.l1_up"),
        ({"l2": 0.1}, "effect.l2_up"),
        ({"clip_norm": 1.0}, "effect.clipping_on"),
        ({"clip_value": 1.0}, "effect.value_clipping_on"),
        ({"max_norm": 1.0}, "effect.max_norm_on"),
        ({"input_noise": 1.0}, "effect.input_noise_up"),
        ({"data": {"noise": 0.3}}, "effect.noise_up"),
        ({"data": {"samples": 50}}, "effect.samples_down"),
        ({"data": {"train_fraction": 0.9}}, "effect.train_share_up"),
        ({"data": {"kind": "xor"}}, "effect.other_data"),
        ({"features": ["x1", "x2", "x1*x2"]}, "effect.feature_more"),
        ({"features": ["x1"]}, "effect.feature_less"),
        ({"seed": 5}, "effect.other_start"),
        ({"init": {"kind": "zero"}}, "effect.other_start"),
        ({"init": {"gain": 2.0}}, "effect.other_start"),
    ],
)
def test_a_change_is_told_in_terms_of_learning(change: dict[str, Any], code: str) -> None:
    assert codes(change) == [code]


def test_what_goes_back_is_told_as_that() -> None:
    dropout = {"hidden": [{"dropout": 0.5}, {"width": 2}]}
    assert codes({"hidden": LAYERS}, dropout) == ["effect.dropout_off"]
    batchnorm = {"hidden": [{"normalization": {"kind": "batchnorm"}}, {"width": 2}]}
    assert codes({"hidden": LAYERS}, batchnorm) == ["effect.normalization_off"]
    assert codes({"clip_norm": None}, {"clip_norm": 1.0}) == ["effect.clipping_off"]
    assert codes({"l2": 0.0}, {"l2": 0.1}) == ["effect.weight_cost_down"]


def test_an_optimizer_with_a_rate_of_its_own_names_it() -> None:
    """Choosing SGD moved the rate from 0.001 to 0.03 and did not say so."""
    old = parse({"version": 2})
    told = meaning(old, parse(merged(old, {"optimizer": {"kind": "sgd"}})))
    assert [text.code for text in told] == ["effect.to_sgd", "effect.rate_is"]
    assert told[1].text == "The learning rate is 0.03 now."


def test_an_activation_says_what_initial_weights_it_is_made_for() -> None:
    selu = {"hidden": [{"width": 4, "activation": {"kind": "selu"}}, {"width": 2}]}
    lecun = {"init": {"kind": "lecun_normal"}}
    assert codes(selu) == ["effect.better_start", "effect.to_selu"]
    assert codes(selu, lecun) == ["effect.to_selu"]
    assert codes({"optimizer": {"lr": 1.0}}, selu) == ["effect.rate_up"], "it is said once"
    old = parse({})
    (first, _) = meaning(old, parse(merged(old, selu)))
    assert first.text.startswith("SELU is made for initial weights by LeCun normal;")


def test_nothing_is_made_up() -> None:
    assert codes({}) == []
    assert codes({"shuffle": False}) == []
    assert codes({"data": {"draw": 2}}) == []


def test_a_large_change_is_told_by_its_most_telling_parts() -> None:
    many = codes({"seed": 3, "data": {"kind": "xor"}, "loss": {"kind": "mse"}, "l1": 0.1, "batch_size": 30})
    assert many == ["effect.other_start", "effect.other_data"]
    assert len(many) == MOST


def test_every_component_that_is_chosen_live_has_a_sentence_that_the_file_has() -> None:
    families = (
        *(Augmentation, Activation, Normalization, Shortcut),
        *(Loss, ClassWeights, Optimizer, Schedule, Stopping),
    )
    chosen = [component.effect for family in families for component in members(family)]
    numbers = [code for pair in MORE_OR_LESS.values() for code in pair]
    numbers += [code for codes in BOUNDS.values() for code in codes]
    for code in chosen + numbers:
        assert english()[code].endswith("."), code


def test_the_picture_of_an_activation_is_of_its_own_maths() -> None:
    kinds = {kind.kind: kind for kind in describe().components["activation"]}
    assert all(kind.graph and len(kind.graph.z) == len(kind.graph.slope) for kind in kinds.values())
    relu = kinds["relu"].graph
    assert relu is not None
    at = {z: (value, slope) for z, value, slope in zip(relu.z, relu.value, relu.slope, strict=True)}
    assert at[-2.0] == (0.0, 0.0)
    assert at[2.0] == (2.0, 1.0)
    sigmoid = kinds["sigmoid"].graph
    assert sigmoid is not None
    assert max(sigmoid.slope) == 0.25


def test_small_numbers_are_written_out() -> None:
    """The label of a rate of 0.00001 was "learning rate 1e-05"."""
    assert say("rule.less_than_equal", le=1e-5).text == "must be at most 0.00001"
