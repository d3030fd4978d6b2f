"""A table of one's own as a data set: what of it the network gets to see."""

from importlib import import_module

import numpy as np
import pytest

from playground.catalogue.component import members
from playground.catalogue.datasets import Csv
from playground.catalogue.datasets.tabular import Measured
from playground.catalogue.tables.reading import read_table
from playground.errors import ValidationFailed

IRIS = b"""length,width,depth,species
5.1,3.5,1.4,setosa
7.0,3.2,4.7,versicolor
6.3,3.3,6.0,virginica
4.9,3.0,1.4,setosa
"""


def csv(data: bytes, **parameters) -> tuple[Csv, dict]:
    table = read_table(data, "a.csv")
    return Csv(id=table.id, **parameters), {table.id: table}


def test_columns_of_a_file_are_stretched_over_the_square():
    data, tables = csv(IRIS)
    task = data.task(tables)
    inputs, targets = data.sample(0, tables)
    assert (task.kind, task.classes, task.inputs) == ("multiclass", 3, 3)
    assert task.class_labels == ("setosa", "versicolor", "virginica")
    assert task.input_names == ("length", "width", "depth")
    assert inputs.dtype == np.float32
    np.testing.assert_allclose(inputs.min(axis=0), [-5.4] * 3, rtol=1e-6)
    np.testing.assert_allclose(inputs.max(axis=0), [5.4] * 3, rtol=1e-6)
    assert task.input_ranges is not None
    low, high = task.input_ranges[0]
    assert low + (float(inputs[2, 0]) + 6) / 12 * (high - low) == pytest.approx(6.3)
    assert inputs[2, 0] == pytest.approx(-5.4 + 10.8 * (6.3 - 4.9) / (7.0 - 4.9))
    assert targets.tolist() == [0, 1, 2, 0]
    assert targets.dtype == np.int64


def test_a_target_of_many_numbers_is_a_regression_between_minus_one_and_one():
    data, tables = csv(b"a,b,y\n" + b"".join(b"%d,%d,%.1f\n" % (i, i * i, 3 * i) for i in range(20)))
    task = data.task(tables)
    _, targets = data.sample(0, tables)
    assert (task.kind, task.classes, task.class_labels) == ("regression", 0, ())
    np.testing.assert_allclose(targets, np.linspace(-1, 1, 20), atol=1e-6)
    assert targets.dtype == np.float32
    assert (task.target_name, task.target_scale) == ("y", (0, 57))  # what -1 and 1 stand for


def test_rows_are_left_out_only_for_what_is_chosen():
    # Seen: 226 of 300 rows were lost to a column that nobody used.
    lines = [f"{i},{i * i % 7},{'' if i % 4 else i},{'ab'[i % 3 > 0]}\n" for i in range(40)]
    whole, tables = csv(b"a,b,rare,c\n" + "".join(lines).encode(), x1="a", x2="b")
    assert whole.task(tables).input_names == ("a", "b")
    assert len(whole.sample(0, tables)[0]) == 40
    other = whole.model_copy(update={"x2": "rare"})
    inputs, targets = other.sample(0, tables)
    assert len(inputs) == len(targets) == 10
    split = other.split(0, tables)
    assert len(split.train_inputs) + len(split.test_inputs) == 10
    assert other.task(tables).input_ranges != whole.task(tables).input_ranges


def test_one_input_is_enough():
    data, tables = csv(b"hours,marks\n1,52.5\n2,58\n3,63\n4,71\n")
    task = data.task(tables)
    assert (task.kind, task.inputs, task.input_names) == ("regression", 1, ("hours",))
    assert (task.target_name, task.target_scale) == ("marks", (52.5, 71))
    inputs, targets = data.sample(0, tables)
    assert inputs.shape == (4, 1)
    np.testing.assert_allclose(targets[[0, 3]], [-1, 1])
    alone, tables = csv(IRIS, x1="width", x2="")
    assert alone.task(tables).input_names == ("width",)


def test_named_columns_take_the_place_of_guessed_ones():
    data, tables = csv(IRIS, x1="depth", x2="length", inputs=())
    assert data.task(tables).input_names == ("depth", "length")
    data, tables = csv(IRIS, target="depth", inputs=[])
    assert data.task(tables).kind == "regression"


def test_a_column_of_one_value_and_of_the_largest_floats_stays_inside_the_square():
    data, tables = csv(b"a,b,c\n3,1.7e308,x\n3,-1.7e308,y\n3,0,x\n")
    inputs, _ = data.sample(0, tables)
    np.testing.assert_allclose(inputs, [[0, 5.4], [0, -5.4], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"id": "gone"}, "id"),
        ({"target": "colour"}, "target"),
        ({"x1": "species"}, "x1"),
        ({"x2": "species"}, "x2"),
        ({"x1": "width", "x2": "width"}, "x2"),
        ({"target": "depth", "x1": "depth"}, "x1"),
        ({"inputs": ("nothing",)}, "inputs"),
    ],
)
def test_columns_that_cannot_be_used_are_refused_by_field(parameters, field):
    table = read_table(IRIS, "iris.csv")
    data = Csv(**{"id": table.id, **parameters})
    with pytest.raises(ValidationFailed) as refusal:
        data.task({table.id: table})
    assert refusal.value.errors[0].field == field


# Those that come with the playground


@pytest.mark.parametrize(
    ("kind", "rows", "inputs", "sizes"),
    [
        ("iris", 150, 4, [50, 50, 50]),
        ("wine", 178, 13, [59, 71, 48]),
        ("breast_cancer", 569, 30, [212, 357]),
        ("digits", 1797, 64, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    ],
)
def test_the_measured_tables_are_whole(kind, rows, inputs, sizes):
    data = measured(kind)
    task = data.task({})
    points, targets = data.sample(0, {})
    assert points.shape == (rows, inputs) == (rows, task.inputs)
    assert data.kind_and_inputs() == (task.kind, inputs), "as the catalogue says without the table"
    assert (points.dtype, targets.dtype) == (np.float32, np.int64)
    assert np.bincount(targets).tolist() == sizes
    assert task.classes == len(task.class_labels) == len(sizes)
    assert task.kind == ("binary" if len(sizes) == 2 else "multiclass")
    assert len(set(task.input_names)) == inputs
    changing = np.ptp(points, axis=0) > 0
    np.testing.assert_allclose(np.abs(points[:, changing]).max(axis=0), 5.4, rtol=1e-5)
    split = data.split(0, {})
    assert abs(len(split.train_inputs) - rows / 2) <= 1


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Measured)])
def test_the_measured_tables_are_those_of_scikit_learn(kind):
    theirs = getattr(import_module("sklearn.datasets"), f"load_{kind}")()
    data = measured(kind)
    task = data.task({})
    points, targets = data.sample(0, {})
    np.testing.assert_array_equal(targets, theirs.target)
    assert task.input_ranges is not None
    low, high = np.array(task.input_ranges).T
    read = low + (points.astype(float) + 6) / 12 * (high - low)  # as at the axes
    names = [str(name).replace("pixel_", "p") for name in theirs.feature_names]
    order = [names.index(name) for name in task.input_names]
    np.testing.assert_allclose(read, theirs.data[:, order], rtol=1e-5, atol=1e-5 * (high - low).max())


@pytest.mark.parametrize("kind", [cls.name() for cls in members(Measured)])
def test_the_two_columns_of_a_measured_table_that_are_drawn_tell_the_classes_apart(kind):
    points, targets = measured(kind).sample(0, {})
    centres = np.stack([points[targets == k, :2].mean(axis=0) for k in range(targets.max() + 1)])
    nearest = np.linalg.norm(points[:, None, :2] - centres, axis=2).argmin(axis=1)
    assert (nearest == targets).mean() > (0.3 if kind == "digits" else 0.8)


def measured(kind: str) -> Measured:
    return next(cls for cls in members(Measured) if cls.name() == kind)()
