"""ROC and precision-recall curves with their areas, and calibration: as scikit-learn has them."""

from collections.abc import Callable
from http import HTTPStatus

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from playground.run.validation import parse
from playground.training.score_curves import (
    BINS,
    DRAWN_POINTS,
    Curve,
    calibration,
    precision_recall,
    roc,
    score_curves,
)
from playground.training.views import Views
from tests.guest import Guest, assert_problem
from tests.loops import frame, start

NewSession = Callable[..., Guest]


def drawn(seed: int, n: int = 150, ties: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that know something of the classes; of so many values where they tie."""
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.4
    scores = np.clip(random.normal(0.45 + 0.2 * positive, 0.25), 0, 1)
    return (np.round(scores * ties) / ties if ties else scores).astype(np.float32), positive


def assert_corners(found: Curve, *theirs: np.ndarray) -> None:
    """Each corner is a point of scikit-learn's curve, which has those between corners too; so are both
    ends."""
    points = np.column_stack(theirs)
    for corner in np.column_stack([found.x, found.y, found.thresholds]):
        assert any(np.allclose(corner, point) for point in points)
    assert (found.x[0], found.x[-1]) == (points[:, 0].min(), points[:, 0].max())


@pytest.mark.parametrize("ties", [0, 3, 10])
@pytest.mark.parametrize("seed", range(4))
def test_curves_and_areas_are_those_of_scikit_learn(seed: int, ties: int) -> None:
    scores, positive = drawn(seed, ties=ties)
    found = roc(scores, positive)
    x, y, thresholds = metrics.roc_curve(positive, scores, drop_intermediate=False)
    assert_corners(found, x, y, thresholds)
    assert np.trapezoid(found.y, found.x) == pytest.approx(metrics.roc_auc_score(positive, scores))
    assert found.area == pytest.approx(metrics.roc_auc_score(positive, scores))

    found = precision_recall(scores, positive)
    precision, recall, thresholds = metrics.precision_recall_curve(positive, scores)
    assert_corners(found, recall, precision, np.append(thresholds, np.inf))
    assert found.area == pytest.approx(metrics.average_precision_score(positive, scores))


@pytest.mark.parametrize("ties", [0, 10])
def test_calibration_is_that_of_scikit_learn(ties: int) -> None:
    scores, positive = drawn(7, ties=ties)
    found = calibration(scores, positive)
    observed, predicted = calibration_curve(positive, scores, n_bins=BINS)
    there = found.counts > 0
    np.testing.assert_allclose(found.observed[there], observed)
    np.testing.assert_allclose(found.predicted[there], predicted, rtol=1e-6)
    weights = found.counts[there] / len(scores)
    assert found.error == pytest.approx((weights * np.abs(observed - predicted)).sum(), rel=1e-6)


def test_a_worked_example() -> None:
    """One of the two positives is above both negatives, one between them: 3 of 4 pairs are in order."""
    scores, positive = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    assert roc(scores, positive).area == 0.75
    assert precision_recall(scores, positive).area == pytest.approx((1 + 2 / 3) / 2)
    assert calibration(scores, positive).error == pytest.approx((0.1 + abs(0.4 + 0.35 - 1) + 0.2) / 4)


def test_scores_that_say_nothing_are_a_coin() -> None:
    scores, positive = np.zeros(40), np.arange(40) < 10
    assert (roc(scores, positive).area, precision_recall(scores, positive).area) == (0.5, 0.25)


def test_what_is_not_defined_is_no_number() -> None:
    scores = np.array([0.2, 0.9])
    assert np.isnan(roc(scores, np.array([True, True])).area)
    assert np.isnan(precision_recall(scores, np.array([False, False])).area)
    nobody = score_curves(np.empty(0), np.empty(0))
    assert np.isnan(nobody["areas"]).all()
    assert nobody["1.roc"].shape == (3, 0)


def test_the_mean_over_classes_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    targets = random.integers(0, 4, 200)
    scores = random.dirichlet(np.ones(4), 200).astype(np.float32)
    found = score_curves(scores.T, targets)
    one_hot = np.eye(4)[targets]
    assert found["areas"][-1, 0] == pytest.approx(metrics.roc_auc_score(one_hot, scores, average="macro"))
    expected = metrics.average_precision_score(one_hot, scores, average="macro")
    assert found["areas"][-1, 1] == pytest.approx(expected)
    assert found["areas"][-1, 2] == pytest.approx(found["areas"][:4, 2].mean())


def test_a_curve_of_many_points_is_drawn_with_few() -> None:
    scores, positive = drawn(1, n=10_000)
    found = roc(scores, positive)
    assert len(found.x) == DRAWN_POINTS
    assert found.area == pytest.approx(metrics.roc_auc_score(positive, scores))
    assert np.trapezoid(found.y, found.x) == pytest.approx(found.area, abs=0.01)


@pytest.mark.parametrize("loss", ["bce", "hinge", "mse"])
def test_the_curves_are_of_what_the_map_shows(loss: str) -> None:
    loop = start(parse({"data": {"kind": "circle", "noise": 0.4}, "loss": {"kind": loss}}))
    loop.train(40)
    found, targets = Views(loop).score_curves(), loop.experiment.dataset.test_targets
    evaluated = loop.measure()[1].prediction[loop.experiment.count :]
    assert found["test.areas"][0, 0] == pytest.approx(metrics.roc_auc_score(targets, evaluated))
    assert found["test.1.calibration"][2].sum() == len(targets)
    # At the threshold of one half the curve has the recall of the confusion matrix.
    x, y, _ = metrics.roc_curve(targets, evaluated > 0.5)
    [[right, wrong], [missed, hit]] = frame(loop)["confusion"][1]
    assert (x[1], y[1]) == (wrong / (right + wrong), hit / (missed + hit))


def test_a_session_tells_its_curves(new_session: NewSession) -> None:
    guest = new_session({"data": {"kind": "blobs", "classes": 3}})
    guest.do("POST", "/step", {"steps": 40})
    found = guest.do("GET", "/scores/curves")
    assert found["step"] == 40
    for part in ("train", "test"):
        classes = found[part]["classes"]
        assert [each["label"] for each in classes] == [0, 1, 2]
        for name, area in found[part]["macro"].items():
            own = [each[name]["error" if name == "calibration" else "area"] for each in classes]
            assert area == pytest.approx(np.mean(own))
        assert classes[0]["roc"]["thresholds"][0] is None
        assert sum(classes[0]["calibration"]["counts"]) == 250


def test_two_classes_have_one_curve_and_no_test_points_none(new_session: NewSession) -> None:
    found = new_session({"data": {"kind": "circle", "train_fraction": 1}}).do("GET", "/scores/curves")
    assert [each["label"] for each in found["train"]["classes"]] == [1]
    assert found["train"]["macro"]["roc"] is not None
    assert found["test"]["macro"] == {"roc": None, "precision_recall": None, "calibration": None}
    assert found["test"]["classes"][0]["roc"]["area"] is None


def test_the_curves_of_a_regression_are_refused(new_session: NewSession) -> None:
    guest = new_session({"data": {"kind": "plane"}})
    assert_problem(guest.call("GET", "/scores/curves"), HTTPStatus.CONFLICT)
