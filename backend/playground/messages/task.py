"""What there is to learn, as people and pages read it."""

from typing import Literal

from pydantic import BaseModel

from playground.catalogue.component import FROZEN
from playground.catalogue.datasets import Dataset


class TaskDescription(BaseModel):
    """What there is to learn."""

    model_config = {
        **FROZEN,
        "strict": False,  # JSON knows no tuples
        "json_schema_extra": {
            "examples": [
                {
                    "kind": "binary",
                    "classes": 2,
                    "inputs": 2,
                    "class_labels": ["0", "1"],
                    "input_names": ["x1", "x2"],
                    "input_ranges": None,
                    "target_range": [0.0, 1.0],
                }
            ]
        },
    }

    kind: Literal["binary", "multiclass", "regression"]
    """Two classes, more, or a number."""
    classes: int
    """2 for binary, 0 for a regression."""
    inputs: int
    """Columns of the data, before any feature is made of them."""
    class_labels: list[str]
    """Names of the classes, in order."""
    input_names: list[str]
    """Names of the inputs, in order."""
    input_ranges: list[tuple[float, float]] | None
    """What -6 and 6 stand for in each input, where the data came in other units."""
    target_range: tuple[float, float]
    """The values that a regression is drawn over."""

    @classmethod
    def of(cls, dataset: Dataset) -> "TaskDescription":
        task = dataset.task
        return cls(
            kind=task.kind,
            classes=task.classes,
            inputs=task.inputs,
            class_labels=list(task.class_labels),
            input_names=list(task.input_names),
            input_ranges=None if task.input_ranges is None else list(task.input_ranges),
            target_range=dataset.target_range,
        )
