"""A network with one input: what it sees, and the curve that is shown of it."""

import numpy as np
import pytest

from playground.catalogue.features import available
from playground.catalogue.tables.reading import read_table
from playground.run.validation import parse
from playground.training.loop import TrainingLoop
from playground.training.views import CURVE, Views, data_view


def loop_on(text: str) -> TrainingLoop:
    table = read_table(text.encode(), "a.csv")
    tables = {table.id: table}
    data = {"kind": "csv", "id": table.id}
    return TrainingLoop.start(parse({"data": data, "hidden": [{"width": 4}]}, tables), tables)


def test_features_that_need_a_second_input_are_not_offered() -> None:
    assert available(1) == ("x1", "x1^2", "sin(x1)", "cos(x1)")
    loop = loop_on("hours,marks\n" + "".join(f"{i},{i * i}.5\n" for i in range(20)))
    assert loop.config.features == ("x1",)
    names, arrays = data_view(loop.experiment, Views(loop).plane)
    assert len(arrays["feature_maps"]) == len(names) == 4


@pytest.mark.parametrize(("classes", "curves"), [("", 1), ("ab", 1), ("abc", 3)])
def test_the_curve_is_what_the_network_answers_along_its_input(classes: str, curves: int) -> None:
    # Seen: a file of one input and one target was refused.
    target = [classes[i % len(classes)] if classes else f"{i * i}.5" for i in range(30)]
    loop = loop_on("hours,result\n" + "".join(f"{i},{value}\n" for i, value in enumerate(target)))
    loop.train(20)
    views = Views(loop)
    curve = views.frame(loop.measure()[1])["curve"]
    assert curve.shape == (curves, CURVE)
    assert curve.dtype == np.float32
    # The middle of the curve is between the two cells in the middle of the map.
    middle = views.raw(40)["decision"].reshape(curves, 40, 40)[:, 0, 19:21].mean(axis=1)
    np.testing.assert_allclose(curve[:, CURVE // 2], middle, atol=0.02)
