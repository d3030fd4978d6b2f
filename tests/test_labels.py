"""The words at a mark."""

from typing import Any

import pytest

from playground.catalogue.component import members
from playground.catalogue.datasets import Data
from playground.catalogue.tables.reading import read_table
from playground.i18n import Text
from playground.run.config import Layer, Output
from playground.run.patch import merged
from playground.run.validation import parse
from playground.session.labels import LISTS, label


def in_english(texts: list[Text]) -> str:
    return ", ".join(text.text for text in texts)


BATCHNORM = {"kind": "batchnorm"}
RELU = {"activation": {"kind": "relu"}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"optimizer": {"kind": "sgd"}}, "SGD"),
        ({"optimizer": {"lr": 0.1}}, "learning rate 0.1"),
        ({"optimizer": {"lr": 0.1}, "batch_size": 32}, "learning rate 0.1, batch size 32"),
        ({"hidden": [{"width": 4}, {"width": 2, "activation": {"kind": "relu"}}]}, "layer 2: ReLU"),
        ({"hidden": [RELU, {**RELU, "width": 2}]}, "activation: ReLU"),
        ({"hidden": [{"normalization": BATCHNORM}, {"width": 2}]}, "Batch normalisation on, layer 1"),
        ({"hidden": [{"width": 4}, {"width": 2, "dropout": 0.25}]}, "dropout 0.25, layer 2"),
        ({"hidden": [{"width": 5}, {"width": 2}]}, "+1 neuron"),
        ({"hidden": [{"width": 2}, {"width": 2}]}, "−2 neurons"),
        ({"hidden": [{"width": 4}]}, "−1 layer"),
        ({"features": ["x1", "x2", "x1^2"]}, "+x1^2"),
        ({"data": {"kind": "xor"}}, "XOR"),
        ({"data": {"noise": 0.2}}, "noise 0.2"),
        ({"clip_norm": 1.0}, "gradient clipping 1"),
        ({"shuffle": False}, "shuffle off"),
        ({"seed": 7}, "seed 7"),
        ({"l2": 0.1}, "L2 0.1"),
        ({"loss": {"kind": "mse"}}, "loss: Mean squared error"),
        ({"augmentation": {"kind": "jitter"}}, "augmentation: Jitter"),
        ({"stopping": {"kind": "early_stopping"}}, "end of training: Early stopping"),
        ({"class_weights": {"kind": "balanced"}}, "class weights: Balanced"),
        ({"data": {"train_fraction": 0.2}}, "training share 0.2"),
        ({"output": {"activation": {"kind": "linear"}}}, "output: Linear"),
        ({"data": {"kind": "points", "points": [[0, 0, 0], [1, 1, 1]], "test_points": []}}, "Your points"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_a_few_words(change: dict[str, Any], words: str) -> None:
    before = parse({})
    assert in_english(label(before, parse(merged(before, change)))) == words


def test_another_file_is_named_as_one_and_not_by_its_id() -> None:
    """The mark was "id: 3f9a…"."""
    one, other = (read_table(f"x,y,c\n1,2,a\n{n},4,b\n5,6,a\n".encode(), "my.csv") for n in (3, 7))
    tables = {table.id: table for table in (one, other)}
    before = parse({"data": {"kind": "csv", "id": one.id}}, tables)
    after = parse(merged(before, {"data": {"id": other.id}}), tables)
    assert in_english(label(before, after)) == "Your file"


def test_drawn_points_are_counted() -> None:
    """One was "1 points"."""
    data = {"kind": "points", "points": [[0, 0, 0], [1, 1, 1]], "test_points": []}
    before = parse({"data": data})
    after = parse(merged(before, {"data": {"points": [*data["points"], [2, 2, 0]]}}))
    assert in_english(label(before, after)) == "3 points"
    alone = parse(merged(before, {"data": {"test_points": [[1, 1, 0]]}}))
    assert in_english(label(before, alone)) == "1 test point"


def test_every_list_of_the_catalogue_is_told_by_its_length() -> None:
    lists = {
        name
        for model in (*members(Data), Layer, Output)
        for name, field in model.model_fields.items()
        if "tuple" in str(field.annotation)
    }
    assert lists == set(LISTS)


def test_a_long_change_is_cut() -> None:
    before = parse({})
    change = {
        "init": {"kind": "zero"},
        "l1": 0.1,
        "l2": 0.1,
        "seed": 31,
        "batch_size": 30,
        "input_dropout": 0.1,
        "clip_norm": 1.0,
    }
    text = in_english(label(before, parse(merged(before, change))))
    assert len(text) <= 60
    assert text.endswith("…")


def test_other_class_weights_are_told_by_their_numbers() -> None:
    before = parse({"class_weights": {"kind": "given", "weights": [1, 2]}})
    after = parse({"class_weights": {"kind": "given", "weights": [1, 2.5]}})
    assert in_english(label(before, after)) == "weights: 1; 2.5"
