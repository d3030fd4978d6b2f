"""How well the classes of a session are told apart."""

import math
from http import HTTPStatus

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from playground.errors import Problem
from playground.i18n import say
from playground.messages import worker as messages
from playground.web.routes.dependencies import Watched
from playground.web.routes.responses import SEEN, fails
from playground.web.routes.shape import Shape


class Scores(Shape):
    """Of one class, or the mean over those that have the number; null where there is nothing to divide by."""

    precision: float | None = Field(examples=[0.9333])
    """The share of right ones among the points that were taken for it."""
    recall: float | None = Field(examples=[0.9333])
    """The share of its points that were found."""
    f1: float | None = Field(examples=[0.9333])
    """The harmonic mean of both."""


class Classification(Shape):
    """Of one set of points."""

    confusion: list[list[int]] = Field(examples=[[[20, 5], [5, 70]]])
    """Counts by [true class][predicted class]."""
    accuracy: float | None = Field(examples=[0.9])
    """The share of points that are right."""
    classes: list[Scores]
    """Of each class, in their order."""
    macro: Scores
    """The mean over the classes: a rare one counts as much as a frequent one."""


class SessionScores(Shape):
    """Of the training points and of the test points."""

    step: int = Field(examples=[1200])
    """When they were counted."""
    train: Classification
    """What it learns from."""
    test: Classification
    """What it has never seen."""


router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.get(
    "/{id}/scores",
    response_description="The scores",
    responses={**SEEN, **fails(HTTPStatus.CONFLICT)},
)
async def scores(session: Watched) -> SessionScores:
    """Confusion matrix, precision, recall and F1 score, for each class and averaged; not of a regression."""
    answer, arrays = await session.read(messages.ReadMetrics())
    if "scores" not in arrays:
        raise Problem(HTTPStatus.CONFLICT, say("problem.no_classes"))
    train, test = map(classification, arrays["confusion"], arrays["scores"])
    return SessionScores(step=answer.step, train=train, test=test)


def classification(counts: np.ndarray, rows: np.ndarray) -> Classification:
    """Of counts (K, K) by true and predicted class, and their scores (K + 1, 3)."""
    *classes, macro = (Scores(precision=p, recall=r, f1=f) for p, r, f in map(_numbers, rows))
    total = int(counts.sum())
    accuracy = int(counts.trace()) / total if total else None
    return Classification(confusion=counts.tolist(), accuracy=accuracy, classes=classes, macro=macro)


def _numbers(row: np.ndarray) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in row.tolist()]
