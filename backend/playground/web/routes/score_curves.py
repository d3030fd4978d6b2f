"""How well the scores of a session tell its classes apart, whatever the threshold."""

import math
from http import HTTPStatus

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from playground.errors import Problem
from playground.i18n import say
from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import SEEN, fails
from playground.web.routes.shape import Shape

Numbers = list[float | None]
"""Null where there is none."""


class RocCurve(Shape):
    """The corners of the curve, from the highest threshold down; of very many of them some."""

    false_positive_rate: Numbers = Field(examples=[[0.0, 0.0, 0.5, 1.0]])
    """The share of the others that are taken for the class."""
    true_positive_rate: Numbers = Field(examples=[[0.0, 0.5, 1.0, 1.0]])
    """The share of the class that is found."""
    thresholds: Numbers = Field(examples=[[None, 0.8, 0.4, 0.1]])
    """A point with at least this score is taken for the class; null: none is."""
    area: float | None = Field(examples=[0.875])
    """The chance that a point of the class has a higher score than one of the others."""


class PrecisionRecallCurve(Shape):
    """The corners of the curve, from the highest threshold down; of very many of them some."""

    recall: Numbers = Field(examples=[[0.0, 0.5, 1.0]])
    """The share of the class that is found."""
    precision: Numbers = Field(examples=[[1.0, 1.0, 0.67]])
    """The share of right ones among the points that are taken for the class."""
    thresholds: Numbers = Field(examples=[[None, 0.8, 0.4]])
    """A point with at least this score is taken for the class; null: none is."""
    area: float | None = Field(examples=[0.83])
    """The average precision."""


class CalibrationCurve(Shape):
    """Over ten bins of the predicted probability, of equal width."""

    predicted: Numbers = Field(examples=[[0.04, None, 0.93]])
    """The mean of the predicted probabilities; null where a bin has no points."""
    observed: Numbers = Field(examples=[[0.06, None, 0.9]])
    """The share of the points that are of the class."""
    counts: list[int] = Field(examples=[[120, 0, 130]])
    """Points in each bin."""
    error: float | None = Field(examples=[0.025])
    """The expected calibration error: the mean distance of both over the points."""


class CurvesOfClass(Shape):
    """Of one class against the rest."""

    label: int = Field(examples=[1])
    """The class, counted from 0; of two classes the second."""
    roc: RocCurve
    """True positive rate over false positive rate."""
    precision_recall: PrecisionRecallCurve
    """Precision over recall."""
    calibration: CalibrationCurve
    """How often the class is there where its probability is said to be so much."""


class Areas(Shape):
    """Means over the classes (macro average); null where no class has the number."""

    roc: float | None = Field(examples=[0.97])
    """Area under the ROC curve."""
    precision_recall: float | None = Field(examples=[0.96])
    """Average precision."""
    calibration: float | None = Field(examples=[0.03])
    """Expected calibration error."""


class CurvesOfPoints(Shape):
    """Of one set of points."""

    classes: list[CurvesOfClass]
    """Of each class against the rest; of two classes, of the second."""
    macro: Areas
    """Averaged over these."""


class ScoreCurves(Shape):
    """Of the training points and of the test points."""

    step: int = Field(examples=[1200])
    """When they were measured."""
    train: CurvesOfPoints
    """What it learns from."""
    test: CurvesOfPoints
    """What it has never seen."""


router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.get(
    "/{id}/scores/curves",
    response_description="The curves",
    responses={**SEEN, **fails(HTTPStatus.CONFLICT)},
)
async def score_curves(session: Watched) -> ScoreCurves:
    """ROC and precision-recall curves with their areas, and calibration; not of a regression."""
    answer, arrays = await session.read(messages.ReadScoreCurves())
    if not arrays:
        raise Problem(HTTPStatus.CONFLICT, say("problem.no_classes"))
    train, test = (_of_points(arrays, part) for part in ("train", "test"))
    return ScoreCurves(step=answer.step, train=train, test=test)


def _of_points(arrays: Arrays, part: str) -> CurvesOfPoints:
    own = {name.removeprefix(f"{part}."): a for name, a in arrays.items() if name.startswith(f"{part}.")}
    labels = [int(name.removesuffix(".roc")) for name in own if name.endswith(".roc")]
    *areas, macro = map(_numbers, own["areas"])
    return CurvesOfPoints(
        classes=[_of_class(own, k, *each) for k, each in zip(labels, areas, strict=True)],
        macro=Areas(**dict(zip(Areas.model_fields, macro, strict=True))),
    )


def _of_class(
    arrays: Arrays, k: int, area: float | None, average: float | None, error: float | None
) -> CurvesOfClass:
    x, y, thresholds = map(_numbers, arrays[f"{k}.roc"])
    recall, precision, lowest = map(_numbers, arrays[f"{k}.precision_recall"])
    predicted, observed = map(_numbers, arrays[f"{k}.calibration"][:2])
    return CurvesOfClass(
        label=k,
        roc=RocCurve(false_positive_rate=x, true_positive_rate=y, thresholds=thresholds, area=area),
        precision_recall=PrecisionRecallCurve(
            recall=recall, precision=precision, thresholds=lowest, area=average
        ),
        calibration=CalibrationCurve(
            predicted=predicted,
            observed=observed,
            counts=arrays[f"{k}.calibration"][2].astype(int).tolist(),
            error=error,
        ),
    )


def _numbers(row: np.ndarray) -> Numbers:
    return [value if math.isfinite(value) else None for value in row.tolist()]
