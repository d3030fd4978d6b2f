"""Precision, recall and F1 of each class and averaged: worked examples, and what a session tells."""

from collections.abc import Callable
from http import HTTPStatus

import numpy as np
import pytest

from playground.run.validation import parse
from playground.training.scores import class_scores
from playground.web.routes.scores import classification
from tests.guest import Guest, assert_problem
from tests.loops import frame, start


def test_a_worked_example_of_two_classes() -> None:
    """TN 20, FP 5; FN 5, TP 70: 90 of 100 are right."""
    told = classification(np.array([[20, 5], [5, 70]]), class_scores(np.array([[20, 5], [5, 70]])))
    assert told.accuracy == 0.9
    negative, positive, macro = class_scores(np.array([[20, 5], [5, 70]]))
    np.testing.assert_allclose(positive, [0.9333] * 3, atol=1e-4)
    np.testing.assert_allclose(negative, [0.8] * 3, atol=1e-6)
    np.testing.assert_allclose(macro, [0.8667] * 3, atol=1e-4)


def test_a_worked_example_of_three_classes() -> None:
    counts = np.array([[5, 3, 2], [0, 6, 4], [0, 1, 9]])
    expected = [[1.0, 0.5, 2 / 3], [0.6, 0.6, 0.6], [9 / 15, 0.9, 0.72]]
    found = class_scores(counts)
    np.testing.assert_allclose(found[:3], expected, atol=1e-6)
    np.testing.assert_allclose(found[3], np.mean(expected, axis=0), atol=1e-6)


def test_what_cannot_be_divided_is_no_number_and_not_part_of_the_mean() -> None:
    never_said, absent, nobody = np.array([[4, 0], [2, 0]]), np.array([[3, 1], [0, 0]]), np.zeros((2, 2))
    np.testing.assert_allclose(class_scores(never_said), [[2 / 3, 1, 0.8], [np.nan, 0, 0], [2 / 3, 0.5, 0.4]])
    np.testing.assert_allclose(class_scores(absent), [[1, 0.75, 6 / 7], [0, np.nan, 0], [0.5, 0.75, 3 / 7]])
    assert np.isnan(class_scores(nobody)).all()


@pytest.mark.parametrize("classes", [2, 4])
def test_a_frame_has_the_scores_of_its_confusion_matrices(classes: int) -> None:
    loop = start(parse({"data": {"kind": "blobs", "classes": classes, "samples": 200}}))
    loop.train(30)
    arrays = frame(loop)
    assert arrays["scores"].shape == (2, classes + 1, 3)
    for counts, found in zip(arrays["confusion"], arrays["scores"], strict=True):
        right = counts.diagonal()
        np.testing.assert_allclose(found[:-1, 1], right / counts.sum(axis=1), rtol=1e-5)
        np.testing.assert_array_equal(found, class_scores(counts))


def test_a_regression_has_none() -> None:
    assert "scores" not in frame(start(parse({"data": {"kind": "plane"}})))


def test_a_session_tells_its_scores(new_session: Callable[..., Guest]) -> None:
    guest = new_session({"data": {"kind": "blobs", "classes": 3}})
    guest.do("POST", "/step", {"steps": 40})
    found, measured = guest.do("GET", "/scores"), guest.look()["metrics"]
    assert found["step"] == 40
    for part in ("train", "test"):
        assert found[part]["accuracy"] == pytest.approx(measured[f"{part}_accuracy"])
        expected = class_scores(np.array(found[part]["confusion"]))
        rows = [*found[part]["classes"], found[part]["macro"]]
        for row, scores in zip(rows, expected, strict=True):
            assert [row["precision"], row["recall"], row["f1"]] == [
                None if np.isnan(score) else pytest.approx(score) for score in scores
            ]


def test_the_scores_of_a_regression_are_refused(new_session: Callable[..., Guest]) -> None:
    guest = new_session({"data": {"kind": "plane"}})
    assert_problem(guest.call("GET", "/scores"), HTTPStatus.CONFLICT)
